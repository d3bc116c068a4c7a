"""The argument."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.rationale import Rationale
from engine.report.formats.record.field import documented, text


@dataclass(frozen=True, slots=True)
class AlternativeRecord:
    """What a sentence could also mean."""

    text: str = documented("what else")
    because: str = documented("why it is possible")


@dataclass(frozen=True, slots=True)
class SentenceRecord:
    """One step of the argument."""

    text: str = documented("the sentence; it may quote the file")
    kind: str = documented("measured, inferred or unsupported")
    modality: str = documented("the modality it is about, or both")
    observations: tuple[str, ...] = documented("keys of what it rests on, see perceived")
    start_s: float | None = documented("when to hear or see it, s, or null")
    end_s: float | None = documented("end of that moment, s, or null")
    cue: str = documented("id of the cue it was inferred by, or empty")
    source: str = documented("source of the cue, or empty")
    scored: bool = documented("whether a clue has scored what it rests on")
    alternatives: tuple[AlternativeRecord, ...] = documented("what it could also mean")


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A country that the opinion holds possible."""

    modality: str = documented("whose opinion")
    country: str = documented("name")
    code: str = documented("ISO 3166 letters")
    share: float = documented("posterior probability")
    log_odds: float = documented("ln of share / (1 - share)")
    weight: float = documented("change of the log-odds from the prior's, nats")


@dataclass(frozen=True, slots=True)
class RationaleRecord:
    """The argument; it scores nothing."""

    author: str = documented("rules, or the id of the language model")
    stands_in: str = documented("why the rules were used, or empty")
    sentences: tuple[SentenceRecord, ...] = documented("the argument, step by step")
    candidates: tuple[CandidateRecord, ...] = documented("countries by modality, most likely first")


def rationale_record(r: Rationale) -> RationaleRecord:
    return RationaleRecord(
        author=text(r.author),
        stands_in=text(r.stands_in),
        sentences=tuple(
            SentenceRecord(
                text=text(s.text),
                kind=s.kind,
                modality=s.modality,
                observations=tuple(text(k) for k in s.keys),
                start_s=s.start_s,
                end_s=s.end_s,
                cue=s.cue,
                source=s.source,
                scored=s.scored,
                alternatives=tuple(AlternativeRecord(text(a.text), text(a.because)) for a in s.alternatives),
            )
            for s in r.sentences
        ),
        candidates=tuple(CandidateRecord(c.modality, c.name, c.code, c.share, c.log_odds, c.weight) for c in r.candidates),
    )
