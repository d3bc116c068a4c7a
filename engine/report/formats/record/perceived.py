"""The clues, and what they observed."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.evidence import Evidence
from engine.core.observation import Observation
from engine.core.perceived import Perceived
from engine.report.formats.record.field import documented, text
from engine.report.view import scope


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """One clue: whether it spoke, and through which models."""

    clue: str = documented("name of the clue")
    modality: str = documented("modality it belongs to")
    spoke: bool = documented("false when it abstained")
    abstained: str | None = documented("why it abstained, or null")
    models: tuple[str, ...] = documented("ids of the models used")
    observations: int = documented("how many observations it rests on")


@dataclass(frozen=True, slots=True)
class MomentRecord:
    """One observation in time."""

    start_s: float = documented("start, s")
    end_s: float = documented("end, s")
    score: float = documented("the model's own score, 0 to 1, uncalibrated")
    box: tuple[float, ...] | None = documented("left, top, right, bottom as shares of the upright frame, or null")


@dataclass(frozen=True, slots=True)
class PerceivedRecord:
    """All observations of one thing: a species, a sound, a sign."""

    key: str = documented("clue/kind/label")
    clue: str = documented("clue that made it")
    kind: str = documented("species, sound, text, …")
    label: str = documented("in the field's own terms: Latin name, the text read")
    name: str = documented("everyday name, or empty")
    author: str = documented("model id, or analyst")
    best_score: float = documented("highest score")
    dropped: bool = documented("left out of the scoring by the analyst")
    added: bool = documented("added by the analyst")
    note: str = documented("remark")
    moments: tuple[MomentRecord, ...] = documented("every observation, in order of time")


def evidence_record(e: Evidence) -> EvidenceRecord:
    return EvidenceRecord(e.clue, e.modality, e.abstained is None, _why(e.abstained), e.models, len(e.observations))


def _why(abstained: str | None) -> str | None:
    """Why a clue says nothing; a missing file is named without the home of whoever looked for it."""
    return None if abstained is None else text(scope.homeless(abstained))


def perceived_record(p: Perceived) -> PerceivedRecord:
    o = p.best
    return PerceivedRecord(
        key=text(p.key),
        clue=o.clue,
        kind=o.kind,
        label=text(o.label),
        name=text(o.name),
        author=text(o.author),
        best_score=o.score,
        dropped=p.dropped,
        added=p.added,
        note=text(o.note),
        moments=tuple(_moment(x) for x in p.observations),
    )


def _moment(o: Observation) -> MomentRecord:
    return MomentRecord(o.start_s, o.end_s, o.score, o.box)
