"""What text read says of its place.

All lines of the interval are read as one text (`sign`), whatever an analyst has
dropped or added, and scored (`scoring`). Lines that stay at one spot of the frame while the picture changes are captions: they
speak of the programme, and are shown and not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache

from engine.clues.text import choice, frames, scoring, sign
from engine.clues.text.fold import squash
from engine.clues.text.reading import Reading
from engine.clues.text.spec import SPEC
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.models import ocr, tesseract

LEAST_SCORE = 0.55
MOST_LINES = 80
LEAST_LETTERS, ALIKE = 8, 0.9  # of two lines that are readings of one sign


def log_likelihood(
    observations: tuple[Observation, ...], grid: Grid, when: date | None = None, captions: bool = False
) -> Evidence:
    """Where such text is written, (cells,); abstains when it says nothing of a place.

    Args:
        captions: score captions and subtitles, too.
    """
    own = tuple(o for o in observations if o.clue == SPEC.name)
    if not own:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, _with_missing("no text was read"))
    used = scored(own, captions)
    if not used:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, "all text read is captions of the programme", own)
    readings = read(used)
    if not readings:
        why = "the text read indicates no place and no language"
        return Evidence.silent(SPEC.name, SPEC.modality, grid, _with_missing(why), own)
    if scoring.region_mass(readings) < scoring.LEAST_MASS:
        why = "the text read is too vague to indicate a place"
        return Evidence.silent(SPEC.name, SPEC.modality, grid, _with_missing(why), own)
    log_l = scoring.log_likelihood(readings, grid)
    return Evidence(SPEC.name, SPEC.modality, grid, log_l, own, models=SPEC.model_ids, named=scoring.named(readings))


def _with_missing(reason: str) -> str:
    """A reason to abstain, and the scripts that cannot be read on this machine, where that may be why."""
    missing = tesseract.missing()
    return f"{reason}. {missing.rstrip('.')}" if missing else reason


def scored(observations: Sequence[Observation], captions: bool = False) -> tuple[Observation, ...]:
    """The observations that count: read well enough or by a person, no captions unless asked for; the best MOST_LINES."""
    use = [o for o in observations if o.author != ocr.MODEL_ID or o.score >= LEAST_SCORE]
    use = [o for o in use if captions or not o.note.startswith(frames.CAPTION)]
    kept = set(sorted(range(len(use)), key=lambda i: -use[i].score)[:MOST_LINES])
    return tuple(o for i, o in enumerate(use) if i in kept)


def read(observations: Sequence[Observation]) -> tuple[Reading, ...]:
    """What observations of text say together; each line counts once, and means the place that an analyst chose for it."""
    lines: dict[str, float] = {}
    chosen: dict[str, tuple[float, float, float]] = {}
    for o in observations:
        lines[o.label] = max(lines.get(o.label, 0.0), min(1.0, o.score))
        if o.by_analyst and o.vector is not None:
            chosen[o.label] = (float(o.vector[0]), float(o.vector[1]), o.score)
    kept = dict(distinct(tuple(lines.items())))
    lines = {text: score for text, score in lines.items() if text in kept or text in chosen}
    found = sign.read(tuple(lines), tuple(lines.values()))
    return choice.narrowed(found, tuple(lines), chosen) if chosen else found


@lru_cache(maxsize=256)
def distinct(lines: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """Lines (text, score) without those that are a worse reading of another: one sign seen in many shots counts once.

    Only whole words of the same digits are taken together: a route's number is a route of its own.
    """
    kept: list[tuple[str, float]] = []
    for text, score in sorted(lines, key=lambda x: -x[1]):
        if not any(_reads_alike(text, other) for other, _ in kept):
            kept.append((text, score))
    order = {text: i for i, (text, _) in enumerate(lines)}
    return tuple(sorted(kept, key=lambda x: order[x[0]]))


def _reads_alike(a: str, b: str) -> bool:
    x, y = squash(a), squash(b)
    if x == y:
        return bool(x) or a == b
    if min(len(x), len(y)) < LEAST_LETTERS or abs(len(x) - len(y)) > 2:
        return False
    if [c for c in x if c.isdigit()] != [c for c in y if c.isdigit()]:
        return False
    match = SequenceMatcher(None, x, y, autojunk=False)
    return match.real_quick_ratio() >= ALIKE and match.quick_ratio() >= ALIKE and match.ratio() >= ALIKE
