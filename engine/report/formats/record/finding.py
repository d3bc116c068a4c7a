"""A finding."""

# ruff: noqa: RUF009 (the documentation of a field is data, made once)
from __future__ import annotations

from dataclasses import dataclass

from engine.core.custody import Custody
from engine.core.finding import Finding
from engine.core.perceived import gather
from engine.report.formats.record.claim import ClaimRecord, claim_record
from engine.report.formats.record.clip import ClipRecord, IntervalRecord, clip_record, interval_record
from engine.report.formats.record.comparison import ComparisonRecord, comparison_record
from engine.report.formats.record.edit import ChoiceRecord, EditRecord, EffectRecord, choice_record, edit_records, effect_record
from engine.report.formats.record.field import documented
from engine.report.formats.record.perceived import EvidenceRecord, PerceivedRecord, evidence_record, perceived_record
from engine.report.formats.record.place import BeforeRecord, LocatedRecord, before_record, located_record
from engine.report.formats.record.provenance import CustodyRecord, ProvenanceRecord, custody_record, provenance_record
from engine.report.formats.record.rationale import RationaleRecord, rationale_record
from engine.report.formats.record.settings import SettingsRecord, settings_record
from engine.report.formats.record.time import SceneRecord, TimelineRecord, scene_record, timeline_record
from engine.report.view import origin, scope, verdict
from engine.report.view.likeness import conditions

SCHEMA = "earwitness.finding/1"


@dataclass(frozen=True, slots=True)
class ConditionRecord:
    """One condition of the validation beside the clip's: error rates hold for what was tested, and for nothing else."""

    about: str = documented("which condition")
    tested: str = documented("what the tests had")
    here: str = documented("what this clip has")
    verdict: str = documented("as tested, tested on made copies, thinly tested, or not tested")


@dataclass(frozen=True, slots=True)
class OriginRecord:
    """A fact about where the file comes from; none of them counts for or against a place."""

    about: str = documented("content credentials, recording device, software, generations of JPEG, …")
    stated: str = documented("what the file tells")
    worth: str = documented("what that is worth")


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """One scene of one clip, judged."""

    schema: str = documented(f'always "{SCHEMA}"')
    clip: ClipRecord = documented("the file")
    interval: IntervalRecord = documented("the interval examined")
    scene: int = documented("number of the scene, from 1; 0: a film of several as a whole, or an interval that is no scene")
    scenes: int = documented("scenes in the clip")
    film: tuple[SceneRecord, ...] = documented(
        "the scenes, each judged by itself; empty unless this is about the whole of several"
    )
    shots: tuple[IntervalRecord, ...] = documented("shots of the picture, in order")
    timeline: TimelineRecord | None = documented(
        "distance from the reference over time, by modality, or null when it was not computed"
    )
    settings: SettingsRecord = documented("what the analyst chose")
    located: tuple[LocatedRecord, ...] = documented("where each modality points")
    evidence: tuple[EvidenceRecord, ...] = documented("the clues")
    perceived: tuple[PerceivedRecord, ...] = documented("what was heard, read and seen, best first")
    comparisons: tuple[ComparisonRecord, ...] = documented("modalities compared with one another; empty when none were")
    claims: tuple[ClaimRecord, ...] = documented("claims tested; empty when none were")
    edits: tuple[EditRecord, ...] = documented("what the analyst did, first to last")
    choices: tuple[ChoiceRecord, ...] = documented("effect of settings that are not the default; empty when it was not computed")
    before: tuple[BeforeRecord, ...] = documented("as first computed; empty when nothing was edited")
    effects: tuple[EffectRecord, ...] = documented("effect of each clue and observation; empty when it was not computed")
    rationale: RationaleRecord | None = documented("the argument, or null when it was not computed")
    conditions: tuple[ConditionRecord, ...] = documented("the validation material compared with this clip")
    unexamined: tuple[str, ...] = documented("what was not examined, sentences")
    origin: tuple[OriginRecord, ...] = documented("where the file comes from, as far as it tells: facts, and what each is worth")
    provenance: ProvenanceRecord = documented("what made this document")
    custody: CustodyRecord | None = documented("the case it comes from, or null")


def finding_record(finding: Finding, custody: Custody | None = None) -> FindingRecord:
    """The finding as the records that are written."""
    return FindingRecord(
        schema=SCHEMA,
        clip=clip_record(finding.clip),
        interval=interval_record(finding.interval),
        scene=finding.scene,
        scenes=finding.scenes,
        film=tuple(scene_record(x) for x in finding.film),
        shots=tuple(IntervalRecord(s.start_s, s.end_s) for s in finding.shots),
        timeline=timeline_record(finding.timeline) if finding.timeline else None,
        settings=settings_record(finding.settings),
        located=tuple(located_record(x, finding.settings.prior) for x in finding.located),
        evidence=tuple(evidence_record(e) for e in finding.evidence),
        perceived=tuple(perceived_record(p) for p in gather(finding)),
        comparisons=tuple(comparison_record(x) for x in verdict.comparisons(finding)),
        claims=tuple(claim_record(x) for x in finding.claims),
        edits=edit_records(finding),
        choices=tuple(choice_record(c) for c in finding.choices),
        before=tuple(before_record(x) for x in finding.before),
        effects=tuple(effect_record(e) for e in finding.effects),
        rationale=rationale_record(finding.rationale) if finding.rationale else None,
        conditions=tuple(ConditionRecord(c.about, c.tested, c.here, c.verdict) for c in conditions(finding)),
        unexamined=scope.unexamined(finding),
        origin=tuple(OriginRecord(*row) for row in origin.rows(finding)),
        provenance=provenance_record(finding.provenance, finding.perception.skipped, finding.registry),
        custody=custody_record(custody) if custody else None,
    )
