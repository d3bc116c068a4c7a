"""What a result leads with where sound or picture has no location, as is usual: what can be tested, and what would help.

Sound and picture cannot be compared then, but each can be tested against a place that somebody states for the clip: the analyst,
or the file itself. Page, terminal and report say it in these words.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.card import Card
from engine.core.claim import ClaimFactor, ClaimTest, ClaimVerdict
from engine.core.evidence import Evidence
from engine.core.finding import Finding, Located
from engine.core.modality import Modality
from engine.report.view import claim, words

_SIDES = (Modality.SOUND, Modality.PICTURE)
_MOST_CLAIMS = 2


@dataclass(frozen=True, slots=True)
class Lead:
    """What stands on top of a result of which a side is silent; what comes from the file is not escaped here.

    Attributes:
        tone: "same", "region", "different" or "cannot_tell": what the first claim's test came to.
        title: the first claim and its result, or what there is without a claim.
        lines: (what, result): sound and picture against each claim.
        compared: why sound and picture were not compared, a sentence.
        help: what would help, a sentence, or "".
    """

    tone: str
    title: str
    lines: tuple[tuple[str, str], ...]
    compared: str
    help: str


def lead(finding: Finding) -> Lead | None:
    """What to lead with, or None where sound and picture both have a location, or it is a film judged scene by scene."""
    sides = [x for name in _SIDES if (x := finding.by(name)) is not None]
    silent = [x for x in sides if not x.spoke]
    if finding.film or len(sides) < 2 or not silent:
        return None
    speaking = [x for x in sides if x.spoke]
    tests = claim.claimed(finding)[:_MOST_CLAIMS]
    lines = tuple(line for t in tests for line in _against(t, len(tests) > 1))
    if tests:
        first = tests[0]
        said = claim.headline(first)
        title, tone = f"{claim.who(first.claim)}: {claim.stated(first)}. {said.title}", said.tone
    else:
        title, tone = _without_claim(speaking), "cannot_tell"
    return Lead(
        tone, title, lines, "" if not tests and not speaking else _compared(finding, silent), _help(finding, silent, bool(tests))
    )


def _against(t: ClaimTest, several: bool) -> list[tuple[str, str]]:
    """Sound and picture against one claim."""
    name = f" ({t.place})" if several else ""
    factors = [f for side in _SIDES if (f := t.by(side)) is not None]
    return [(f"{words.modality(f.modality)} against the claim{name}", _result(f)) for f in factors]


def _result(f: ClaimFactor) -> str:
    return f"cannot tell: {f.reason}" if f.verdict == ClaimVerdict.CANNOT_TELL else claim.odds(f).partition(": ")[2]


def _without_claim(speaking: list[Located]) -> str:
    if not speaking:
        return "Neither sound nor picture gives a usable location"
    return f"Only the {speaking[0].modality} gives a location: {speaking[0].where}"


def _compared(finding: Finding, silent: list[Located]) -> str:
    tracks = {Modality.SOUND: finding.clip.audio_tracks, Modality.PICTURE: finding.clip.video_tracks}
    absent = [x.modality for x in silent if not tracks[x.modality]]
    if absent:
        return f"Sound and picture cannot be compared: the clip has no {absent[0]}."
    if len(silent) == 2:
        return "Sound and picture cannot be compared: neither gives a usable location."
    return f"Sound and picture cannot be compared: the {silent[0].modality} gives no usable location."


def _help(finding: Finding, silent: list[Located], claimed: bool) -> str:
    """What would help, in a line; nothing is said of a track that the clip does not have."""
    ways = []
    for x in silent:
        if x.modality == Modality.SOUND and finding.clip.audio_tracks:
            ways.append("for the sound, a longer interval with animals in it, or an animal that you recognise")
        if x.modality == Modality.PICTURE and finding.clip.video_tracks:
            models = _missing(finding)
            weights = f"the weights of {models[0].title} (earwitness models pull {models[0].id}), or " if models else ""
            ways.append(f"for the picture, {weights}a sign or another cue that you see")
    if not claimed:
        ways.append("a place stated for the clip, which sound and picture can each be tested against")
    return f"What would help: {'; '.join(ways)}." if ways else ""


def why_silent(finding: Finding, x: Located) -> str:
    """Why a modality has no location, in a few words: without the models that are missing, which `Lead.help` names."""
    own = [e for e in finding.evidence if e.modality == x.modality]
    reasons = [e.abstained for e in own if e.abstained and e.expected and not _wanted(finding, e)]
    if any(e.abstained is None for e in own):
        reasons = ["the evidence fits almost anywhere"]
    return "; ".join(dict.fromkeys(reasons)) or (x.cannot_tell or "").partition(": ")[2].rstrip(".")


def _missing(finding: Finding) -> list[Card]:
    """Models of the picture's clues that vote and whose weights are not there."""
    found = [(e, _wanted(finding, e)) for e in finding.evidence if e.modality == Modality.PICTURE]
    return [card for e, card in found if card and (spec := finding.registry.clue(e.clue)) and spec.votes]


def missing_models(finding: Finding) -> tuple[Card, ...]:
    """All models for want of which a clue of the finding abstains, those of clues that vote first."""
    spec = finding.registry.clue
    found = [(not (s := spec(e.clue)) or not s.votes, card) for e in finding.evidence if (card := _wanted(finding, e))]
    return tuple(dict.fromkeys(card for _, card in sorted(found, key=lambda pair: pair[0])))


def _wanted(finding: Finding, e: Evidence) -> Card | None:
    """The model for want of which a clue abstains, or None."""
    spec = finding.registry.clue(e.clue)
    card = spec.wants if spec else None
    return card if card and e.abstained and e.abstained.startswith(card.absent) else None
