"""How a picture was read: the kind of reading that places it, and the lines that do.

A town's name is misread in other ways than a language is mistaken, so the rate at which a reading points elsewhere is known by
kind (`verdict.calibration`).
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.clues.text.score import distinct, read, scored
from engine.clues.text.scoring import LEAST_NAMED
from engine.clues.text.spec import SPEC
from engine.core.observation import Observation

TOWN, CONTACT, LANGUAGE, OTHER = "place name", "phone, postcode or domain", "language or script", "other cue in the picture"
KINDS = (TOWN, CONTACT, LANGUAGE, OTHER)
_CONTACTS = ("phone", "postal", "domain")
_LEAST_CHANCE = 0.1  # of a line's reading, below which leaving the line out changes next to nothing
_MOST_LINES = 5


def kind_of(observations: Sequence[Observation]) -> str:
    """The kind of reading that places a text: the surest that says more than a country, else its language."""
    placed = [r for r in read(scored([o for o in observations if o.clue == SPEC.name])) if r.spots]
    sure = [(r.chance * max(s.share for s in r.spots), r.kind) for r in placed]
    chance, kind = max(sure, default=(0.0, ""))
    if chance < LEAST_NAMED:
        return LANGUAGE
    return CONTACT if kind in _CONTACTS else TOWN


def deciding_lines(observations: Sequence[Observation]) -> tuple[frozenset[str], ...]:
    """The lines that name a place or a country, surest first, each with other readings of the same line; the longest one where
    only their language speaks."""
    used = scored([o for o in observations if o.clue == SPEC.name])
    lines = tuple(dict.fromkeys(o.label for o in used))
    chances = dict.fromkeys(lines, 0.0)
    for r in read(used):
        if r.kind != "language" and r.chance >= _LEAST_CHANCE:
            for line in lines:
                if r.text in line or line in r.text:
                    chances[line] = max(chances[line], r.chance)
    named = [line for line in sorted(lines, key=lambda line: -chances[line]) if chances[line]]
    found: list[frozenset[str]] = []
    for line in named or sorted(lines, key=len, reverse=True)[:1]:
        if len(found) < _MOST_LINES and not any(line in other for other in found):
            found.append(frozenset(x for x in lines if x == line or len(distinct(((line, 1.0), (x, 0.5)))) == 1))
    return tuple(found)
