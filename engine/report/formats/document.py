"""A Finding as the records of `record.py`, and these as JSON text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from engine.core.claim import ClaimFactor, ClaimTest, Resident
from engine.core.clip import Clip, Interval, Stream
from engine.core.comparison import Comparison
from engine.core.custody import Custody
from engine.core.edit import Choice, Effect, Step
from engine.core.evidence import Evidence
from engine.core.finding import Finding, Located, Provenance
from engine.core.observation import Observation
from engine.core.perceived import Perceived, gather
from engine.core.rationale import Rationale
from engine.core.settings import Settings
from engine.core.spec import Registry
from engine.core.timeline import Timeline
from engine.media.source import shown
from engine.report.formats.record import (
    LEAST_MASS,
    SCHEMA,
    AlternativeRecord,
    BeforeRecord,
    CandidateRecord,
    CellRecord,
    ChoiceRecord,
    ClaimFactorRecord,
    ClaimRecord,
    ClipRecord,
    ComparisonRecord,
    ConditionRecord,
    CountryRecord,
    CustodyRecord,
    DecisionRecord,
    EditRecord,
    EffectRecord,
    EvidenceRecord,
    FileRecord,
    FindingRecord,
    IntervalRecord,
    LocatedRecord,
    ModelRecord,
    MomentOfTimeRecord,
    MomentRecord,
    MovedRecord,
    PerceivedRecord,
    PlaceRecord,
    ProgrammeRecord,
    ProvenanceRecord,
    PutInRecord,
    RationaleRecord,
    RegionRecord,
    ResidentRecord,
    SceneRecord,
    SentenceRecord,
    SettingsRecord,
    StreamRecord,
    TagRecord,
    TimelineRecord,
    UnderPriorRecord,
    WeightRecord,
    clip_name,
    region_of,
)
from engine.report.view import credit, scope, verdict
from engine.report.view.likeness import conditions
from engine.report.view.text import fit

_TEXT_LIMIT = 1000


def to_json(finding: Finding, custody: Custody | None = None) -> str:
    """The finding as JSON text, ASCII only, two spaces of indent; the same finding gives the same text."""
    return written(_value(record_of(finding, custody)))


def written(document: Any) -> str:
    """A document as it is written down: whoever hashes one that was read again needs the very same text."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def record_of(finding: Finding, custody: Custody | None = None) -> FindingRecord:
    """The finding as the records that are written."""
    return FindingRecord(
        schema=SCHEMA,
        clip=_clip(finding.clip),
        interval=_interval(finding.interval),
        scene=finding.scene,
        scenes=finding.scenes,
        film=tuple(_scene(x) for x in finding.film),
        shots=tuple(IntervalRecord(s.start_s, s.end_s) for s in finding.shots),
        timeline=_timeline(finding.timeline) if finding.timeline else None,
        settings=_settings(finding.settings),
        located=tuple(_located(x, finding.settings.prior) for x in finding.located),
        evidence=tuple(_evidence(e) for e in finding.evidence),
        perceived=tuple(_perceived(p) for p in gather(finding)),
        comparisons=tuple(_comparison(x) for x in verdict.comparisons(finding)),
        claims=tuple(_claim(x) for x in finding.claims),
        edits=_edits(finding),
        choices=tuple(_choice(c) for c in finding.choices),
        before=tuple(_before(x) for x in finding.before),
        effects=tuple(_effect(e) for e in finding.effects),
        rationale=_rationale(finding.rationale) if finding.rationale else None,
        conditions=tuple(ConditionRecord(c.about, c.tested, c.here, c.verdict) for c in conditions(finding)),
        unexamined=scope.unexamined(finding),
        provenance=_provenance(finding.provenance, finding.perception.skipped, finding.registry),
        custody=_custody(custody) if custody else None,
    )


def _text(text: str) -> str:
    return shown(text, _TEXT_LIMIT)


def _clip(clip: Clip) -> ClipRecord:
    return ClipRecord(
        name=clip_name(clip),
        sha256=clip.sha256,
        size_bytes=clip.size_bytes,
        container=_text(clip.container),
        duration_s=clip.duration_s,
        streams=tuple(_stream(s) for s in clip.streams),
        tags=tuple(TagRecord(_text(k), _text(v)) for k, v in clip.tags),
        problems=tuple(_text(p) for p in clip.problems),
        programmes=tuple(ProgrammeRecord(p.number, _text(p.name) if p.name else None, p.streams) for p in clip.programmes),
        programme=clip.programme,
    )


def _stream(s: Stream) -> StreamRecord:
    return StreamRecord(
        index=s.index,
        track=s.track,
        kind=s.kind,
        codec=s.codec,
        decodable=s.decodable,
        duration_s=s.duration_s,
        language=_text(s.language) if s.language else None,
        rate_hz=s.rate_hz,
        channels=s.channels,
        width_px=s.width_px,
        height_px=s.height_px,
        fps=s.fps,
        flags=s.flags,
        silent=s.silent,
    )


def _interval(interval: Interval) -> IntervalRecord:
    return IntervalRecord(interval.start_s, interval.end_s)


def _settings(s: Settings) -> SettingsRecord:
    return SettingsRecord(
        prior=s.prior,
        date=s.when.isoformat() if s.when else None,
        track=s.track,
        programme=_text(s.programme) if s.programme else None,
        interval=_interval(s.interval) if s.interval else None,
        stride_s=s.stride_s,
        quick=s.quick,
        radius_km=s.radius_km,
        same_place_km=s.same_place_km,
        dropped=tuple(sorted(_text(k) for k in s.dropped)),
        left_out=tuple(sorted(s.left_out)),
        included=tuple(sorted(s.included)),
        seed=s.seed,
        weights=tuple(WeightRecord(name, w) for name, w in s.weights),
    )


def _located(x: Located, prior: str) -> LocatedRecord:
    mass, region = x.posterior.mass, region_of(x)
    listed = np.flatnonzero(mass >= LEAST_MASS) if x.spoke else np.empty(0, dtype=np.int64)
    listed = listed[np.argsort(-mass[listed], kind="stable")]
    cells = x.posterior.grid.cells
    return LocatedRecord(
        modality=x.modality,
        spoke=x.spoke,
        cannot_tell=_text(scope.homeless(x.cannot_tell)) if x.cannot_tell else None,
        place=_place(x),
        where=_text(x.where),
        where_is=x.where_is,
        region=_text(x.region),
        gain_nats=x.gain_nats,
        entropy_nats=x.posterior.entropy_nats,
        prior=prior,
        regions=tuple(RegionRecord(float(s), float(a)) for s, a in sorted(x.regions_km2.items())),
        countries=tuple(CountryRecord(_text(n), float(s)) for n, s in x.countries),
        grid_cells=len(cells),
        cells=tuple(CellRecord(f"{int(cells[i]):x}", float(mass[i]), float(region[i])) for i in listed),
        mass_left_out=max(0.0, 1.0 - float(mass[listed].sum())),
    )


def _place(x: Located) -> PlaceRecord | None:
    """The place reported; none of a modality that cannot tell."""
    p = x.place
    return None if p is None else PlaceRecord(p.lat_deg, p.lon_deg, _text(p.name), p.mass, p.radius_km)


def _evidence(e: Evidence) -> EvidenceRecord:
    return EvidenceRecord(e.clue, e.modality, e.abstained is None, _why(e.abstained), e.models, len(e.observations))


def _why(abstained: str | None) -> str | None:
    """Why a clue says nothing; a missing file is named without the home of whoever looked for it."""
    return None if abstained is None else _text(scope.homeless(abstained))


def _perceived(p: Perceived) -> PerceivedRecord:
    o = p.best
    return PerceivedRecord(
        key=_text(p.key),
        clue=o.clue,
        kind=o.kind,
        label=_text(o.label),
        name=_text(o.name),
        author=_text(o.author),
        best_score=o.score,
        dropped=p.dropped,
        added=p.added,
        note=_text(o.note),
        moments=tuple(_moment(x) for x in p.observations),
    )


def _moment(o: Observation) -> MomentRecord:
    return MomentRecord(o.start_s, o.end_s, o.score, o.box)


def _comparison(c: Comparison) -> ComparisonRecord:
    texts: dict[str, Any] = {name: _text(getattr(c, name)) for name in ("reason", "before_words", "rests_on")}
    given = {f.name: getattr(c, f.name) for f in fields(ComparisonRecord) if f.name not in (*texts, "by_prior")}
    by_prior = tuple(UnderPriorRecord(u.prior, u.log10_factor, u.words) for u in c.by_prior)
    return ComparisonRecord(**given, by_prior=by_prior, **texts)


def _edits(finding: Finding) -> tuple[EditRecord, ...]:
    steps = finding.history or tuple(Step(edit, None, None) for edit in finding.settings.edits)
    return tuple(_edit(s) for s in steps)


def _edit(step: Step) -> EditRecord:
    e = step.edit
    return EditRecord(
        what=e.what,
        target=_text(e.target),
        author=_text(e.author),
        confidence=e.confidence,
        note=_text(e.note),
        created=e.created,
        weight=e.weight,
        alone=e.alone,
        digest=e.digest,
        put_in=tuple(_put_in(o) for o in e.replacement),
        log10_before=step.log10_before,
        log10_after=step.log10_after,
        words_before=_text(step.words_before),
        words_after=_text(step.words_after),
        moved=tuple(MovedRecord(name, km) for name, km in step.moved_km),
    )


def _put_in(o: Observation) -> PutInRecord:
    lat, lon = (float(x) for x in o.vector) if o.vector is not None and len(o.vector) == 2 else (None, None)
    return PutInRecord(_text(o.key), _text(o.name), o.score, o.start_s, o.end_s, _text(o.author), lat, lon)


def _scene(x: Finding) -> SceneRecord:
    compared = tuple(_comparison(c) for c in verdict.comparisons(x))
    return SceneRecord(x.scene, _interval(x.interval), tuple(_before(y) for y in x.located), compared)


def _timeline(t: Timeline) -> TimelineRecord:
    moments = tuple(
        MomentOfTimeRecord(
            m.modality, m.start_s, m.end_s, m.spoke, m.lat_deg if m.spoke else None, m.lon_deg if m.spoke else None,
            _text(m.place) if m.spoke else "", m.gain_nats, m.away_km if m.spoke and t.reference else None,
            tuple(_text(x) for x in m.labels),
        )
        for m in t.moments
    )  # fmt: skip
    lat_deg, lon_deg = (t.lat_deg, t.lon_deg) if t.reference else (None, None)
    return TimelineRecord(_text(t.reference), lat_deg, lon_deg, moments)


def _before(x: Located) -> BeforeRecord:
    return BeforeRecord(x.modality, x.spoke, _place(x), _text(x.where), x.where_is, _text(x.region), x.gain_nats)


def _choice(c: Choice) -> ChoiceRecord:
    given = {f.name: getattr(c, f.name) for f in fields(ChoiceRecord) if f.name != "moved"}
    return ChoiceRecord(**given, moved=tuple(MovedRecord(name, km) for name, km in c.moved_km))


def _effect(e: Effect) -> EffectRecord:
    given = {f.name: getattr(e, f.name) for f in fields(EffectRecord)}
    return EffectRecord(**given | {"key": _text(e.key), "title": _text(e.title)})


def _provenance(p: Provenance, skipped: Mapping[str, int], registry: Registry) -> ProvenanceRecord:
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


def _custody(c: Custody) -> CustodyRecord:
    decisions = tuple(
        DecisionRecord(d.when, _text(d.who), _text(d.what), _text(d.why), d.log10_before, d.log10_after) for d in c.decisions
    )
    return CustodyRecord(_text(c.case), c.head, c.finding, _text(c.who), decisions, tuple(_text(t) for t in c.remarks))


def _claim(x: ClaimTest) -> ClaimRecord:
    c = x.claim
    return ClaimRecord(
        source=c.source,
        lat_deg=c.lat_deg,
        lon_deg=c.lon_deg,
        date=c.when.isoformat() if c.when else None,
        radius_km=c.radius_km,
        place=_text(x.place),
        verdict=x.verdict,
        support=x.support,
        reason=_text(x.reason),
        factors=tuple(_claim_factor(f) for f in x.factors),
        heard=tuple(_resident(r) for r in x.heard),
        absent=tuple(_resident(r) for r in x.absent),
        expected=x.expected,
        before_edits=x.before_edits,
    )


def _claim_factor(f: ClaimFactor) -> ClaimFactorRecord:
    return ClaimFactorRecord(
        modality=f.modality,
        verdict=f.verdict,
        support=f.support,
        odds=f.odds,
        log10_raw=f.log10_raw,
        log10_factor=f.log10_factor,
        log10_low=f.log10_low,
        log10_high=f.log10_high,
        at_bound=f.at_bound,
        things=f.things,
        distance_km=f.distance_km,
        region=f.region,
        by_prior=tuple(UnderPriorRecord(u.prior, u.log10_factor, u.words) for u in f.by_prior),
        reason=_text(f.reason),
        rests_on=_text(f.rests_on),
    )


def _resident(r: Resident) -> ResidentRecord:
    return ResidentRecord(
        _text(r.key), _text(r.latin), _text(r.name), r.score, r.chance, r.best_week, r.then, r.weeks, r.home, _text(r.doubt)
    )


def _rationale(r: Rationale) -> RationaleRecord:
    return RationaleRecord(
        author=_text(r.author),
        stands_in=_text(r.stands_in),
        sentences=tuple(
            SentenceRecord(
                text=_text(s.text),
                kind=s.kind,
                modality=s.modality,
                observations=tuple(_text(k) for k in s.keys),
                start_s=s.start_s,
                end_s=s.end_s,
                cue=s.cue,
                source=s.source,
                scored=s.scored,
                alternatives=tuple(AlternativeRecord(_text(a.text), _text(a.because)) for a in s.alternatives),
            )
            for s in r.sentences
        ),
        candidates=tuple(CandidateRecord(c.modality, c.name, c.code, c.share, c.log_odds, c.weight) for c in r.candidates),
    )


def _value(record: Any) -> Any:
    """Records as what the json module writes; numbers to seven digits, infinities as words."""
    if is_dataclass(record) and not isinstance(record, type):
        return {f.name: _value(getattr(record, f.name)) for f in fields(record)}
    if isinstance(record, dict):
        return {k: _value(v) for k, v in record.items()}
    if isinstance(record, tuple | list):
        return [_value(x) for x in record]
    if isinstance(record, str):
        return fit(record)
    if isinstance(record, float):
        return float(f"{record:.7g}") if math.isfinite(record) else str(record)
    return record
