"""What the analyst did, and what edits, settings and clues do to the result."""

from __future__ import annotations

from dataclasses import dataclass, fields

from engine.core.edit import Choice, Effect, Step
from engine.core.finding import Finding
from engine.core.observation import Observation
from engine.report.formats.record.field import documented, text


@dataclass(frozen=True, slots=True)
class PutInRecord:
    """An observation that an edit put in."""

    key: str = documented("clue/kind/label")
    name: str = documented("everyday name, or empty")
    confidence: float = documented("stated confidence, or the score in the table read in")
    start_s: float = documented("start, s")
    end_s: float = documented("end, s")
    author: str = documented("analyst, analyst:NAME or table:FILE")
    lat_deg: float | None = documented("latitude of the place a sign was said to mean, or null")
    lon_deg: float | None = documented("longitude of it, or null")


@dataclass(frozen=True, slots=True)
class MovedRecord:
    """How far a place moved."""

    modality: str = documented("modality")
    km: float = documented("great-circle distance between the places reported before and after")


@dataclass(frozen=True, slots=True)
class EditRecord:
    """One thing the analyst did, and what it did to the result."""

    what: str = documented("drop, restore, add, confirm, relabel, note, import, weight, leave out, include or judgement")
    target: str = documented("key of the observation, name of the clue or table, or the modality judged")
    author: str = documented("who")
    confidence: float | None = documented("stated chance of being right, or null")
    note: str = documented("remark, or the opinion of a judgement")
    created: str = documented("when, ISO 8601, or empty")
    weight: float | None = documented("new weight, or null")
    alone: str = documented("model whose own observations it replaced, or empty")
    digest: str = documented("of a judgement: sha256 of what was judged, or empty")
    put_in: tuple[PutInRecord, ...] = documented("observations it put in")
    log10_before: float | None = documented("calibrated log10 factor before it, or null where nothing was compared")
    log10_after: float | None = documented("the same after it")
    words_before: str = documented("verdict and support before it")
    words_after: str = documented("the same after it")
    moved: tuple[MovedRecord, ...] = documented("by how far places moved")


@dataclass(frozen=True, slots=True)
class ChoiceRecord:
    """What a setting that is not the default does: the result with it beside the result with the default in its place."""

    name: str = documented("prior, when, radius_km or same_place_km")
    chosen: str = documented("as chosen: the prior's name, a day in ISO 8601, or kilometres")
    default: str = documented("the default; no day is empty")
    log10_default: float | None = documented("calibrated log10 factor with the default, or null where nothing was compared")
    log10_chosen: float | None = documented("the same as chosen")
    words_default: str = documented("verdict and support with the default")
    words_chosen: str = documented("the same as chosen")
    moved: tuple[MovedRecord, ...] = documented("by how far places differ")


@dataclass(frozen=True, slots=True)
class EffectRecord:
    """What one clue or observation does: the result with it less the result without it."""

    clue: str = documented("clue")
    key: str = documented("clue/kind/label, or empty for the clue as a whole")
    title: str = documented("its title")
    modality: str = documented("modality it belongs to")
    log10_change: float | None = documented("change of the calibrated log10 factor, unbounded; above 0 for one place; null: none")
    moved_km: float = documented("how far the place of its modality moves without it")
    moved_both_km: float | None = documented("the same for sound and picture together, or null")
    gain_change: float = documented("change of its modality's information gain, nats")
    alone: bool = documented("its modality has no location without it")


def edit_records(finding: Finding) -> tuple[EditRecord, ...]:
    steps = finding.history or tuple(Step(edit, None, None) for edit in finding.settings.edits)
    return tuple(_edit(s) for s in steps)


def _edit(step: Step) -> EditRecord:
    e = step.edit
    return EditRecord(
        what=e.what,
        target=text(e.target),
        author=text(e.author),
        confidence=e.confidence,
        note=text(e.note),
        created=e.created,
        weight=e.weight,
        alone=e.alone,
        digest=e.digest,
        put_in=tuple(_put_in(o) for o in e.replacement),
        log10_before=step.log10_before,
        log10_after=step.log10_after,
        words_before=text(step.words_before),
        words_after=text(step.words_after),
        moved=tuple(MovedRecord(name, km) for name, km in step.moved_km),
    )


def _put_in(o: Observation) -> PutInRecord:
    lat, lon = (float(x) for x in o.vector) if o.vector is not None and len(o.vector) == 2 else (None, None)
    return PutInRecord(text(o.key), text(o.name), o.score, o.start_s, o.end_s, text(o.author), lat, lon)


def choice_record(c: Choice) -> ChoiceRecord:
    given = {f.name: getattr(c, f.name) for f in fields(ChoiceRecord) if f.name != "moved"}
    return ChoiceRecord(**given, moved=tuple(MovedRecord(name, km) for name, km in c.moved_km))


def effect_record(e: Effect) -> EffectRecord:
    given = {f.name: getattr(e, f.name) for f in fields(EffectRecord)}
    return EffectRecord(**given | {"key": text(e.key), "title": text(e.title)})
