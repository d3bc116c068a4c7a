"""What made the document, and the case it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.custody import Custody
from engine.core.finding import Provenance
from engine.core.spec import Registry
from engine.report.formats.record.field import documented, text
from engine.report.view import credit


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file that a result rests on."""

    name: str = documented("file name")
    sha256: str = documented("SHA-256 of the file, hexadecimal")


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model that spoke."""

    model: str = documented("id")
    title: str = documented("name")
    licence: str = documented("licence of its weights")
    non_commercial: bool = documented("the licence forbids commercial use")
    source: str = documented("who made it")
    sha256: str = documented("hex digest of its weights, or empty")
    files: tuple[FileRecord, ...] = documented("its files, where the weights are several")


@dataclass(frozen=True, slots=True)
class ProvenanceRecord:
    """What made this document."""

    program: str = documented("earwitness")
    version: str = documented("program version")
    created: str = documented("when, ISO 8601")
    elapsed_s: float = documented("seconds of work")
    seed: int = documented("seed of whatever was sampled")
    models: tuple[ModelRecord, ...] = documented("models used, with licences")
    skipped_audio: int = documented("audio packets that could not be decoded")
    skipped_video: int = documented("video packets that could not be decoded")
    decoding: str = documented("how decoding was isolated, a sentence, or empty where it is not known")


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """What an analyst decided about the finding, as the case keeps it."""

    when: str = documented("ISO 8601")
    who: str = documented("name recorded in the log")
    what: str = documented("the decision")
    why: str = documented("the reason given, or empty")
    log10_before: float | None = documented("calibrated log10 factor before it, or null")
    log10_after: float | None = documented("the same after it")


@dataclass(frozen=True, slots=True)
class CustodyRecord:
    """The case that the finding is kept in."""

    case: str = documented("title of the case")
    head: str = documented(
        "hash of its log's last entry when this was written; earwitness verify CASE --head checks it against the log"
    )
    finding: str = documented("id of the finding in the case")
    who: str = documented("name recorded in the log for this document")
    decisions: tuple[DecisionRecord, ...] = documented("decisions about the finding, first to last")
    remarks: tuple[str, ...] = documented("how this differs from the finding as first kept")


def provenance_record(p: Provenance, skipped: Mapping[str, int], registry: Registry) -> ProvenanceRecord:
    return ProvenanceRecord(
        program="earwitness",
        version=p.version,
        created=p.created,
        elapsed_s=p.elapsed_s,
        seed=p.seed,
        models=tuple(
            ModelRecord(c.id, c.title, c.licence, c.non_commercial, c.source, c.sha256, tuple(FileRecord(*f) for f in c.files))
            for c in credit.credits(p.models, registry)
        ),
        skipped_audio=int(skipped.get("audio", 0)),
        skipped_video=int(skipped.get("video", 0)),
        decoding=p.decoding,
    )


def custody_record(c: Custody) -> CustodyRecord:
    decisions = tuple(
        DecisionRecord(d.when, text(d.who), text(d.what), text(d.why), d.log10_before, d.log10_after) for d in c.decisions
    )
    return CustodyRecord(text(c.case), c.head, c.finding, text(c.who), decisions, tuple(text(t) for t in c.remarks))
