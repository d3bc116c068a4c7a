"""A film scene by scene, and where it points as time goes by."""

# ruff: noqa: RUF009 (the documentation of a field is data, made once)
from __future__ import annotations

from dataclasses import dataclass

from engine.core.finding import Finding
from engine.core.timeline import Timeline
from engine.report.formats.record.clip import IntervalRecord, interval_record
from engine.report.formats.record.comparison import ComparisonRecord, comparison_record
from engine.report.formats.record.field import documented, text
from engine.report.formats.record.place import BeforeRecord, before_record
from engine.report.view import verdict


@dataclass(frozen=True, slots=True)
class SceneRecord:
    """One scene of a film, judged by itself; `earwitness locate --scene N` writes all of it."""

    scene: int = documented("number of the scene, from 1")
    interval: IntervalRecord = documented("its interval")
    located: tuple[BeforeRecord, ...] = documented("where each modality points")
    comparisons: tuple[ComparisonRecord, ...] = documented("modalities compared with one another; empty when none were")


@dataclass(frozen=True, slots=True)
class MomentOfTimeRecord:
    """Where one modality points in a shot or a few seconds of sound, on a coarse map: for looking, not for the verdict."""

    modality: str = documented("sound or picture")
    start_s: float = documented("start, s")
    end_s: float = documented("end, s")
    spoke: bool = documented("false when it gives no place: the fields on the place are null or empty then")
    lat_deg: float | None = documented("latitude, to about a hundred kilometres")
    lon_deg: float | None = documented("longitude")
    place: str = documented("in words")
    gain_nats: float = documented("information gain over the prior")
    away_km: float | None = documented("mean distance of the posterior to the reference, or null")
    labels: tuple[str, ...] = documented("species and signs it rests on, strongest first")


@dataclass(frozen=True, slots=True)
class TimelineRecord:
    """Where each modality points as time goes by."""

    reference: str = documented("the place that distances are taken to, in words; empty when nothing speaks")
    lat_deg: float | None = documented("its latitude, or null when nothing speaks")
    lon_deg: float | None = documented("its longitude, likewise")
    moments: tuple[MomentOfTimeRecord, ...] = documented("shots and intervals of sound, in order of time")


def scene_record(x: Finding) -> SceneRecord:
    compared = tuple(comparison_record(c) for c in verdict.comparisons(x))
    return SceneRecord(x.scene, interval_record(x.interval), tuple(before_record(y) for y in x.located), compared)


def timeline_record(t: Timeline) -> TimelineRecord:
    moments = tuple(
        MomentOfTimeRecord(
            m.modality, m.start_s, m.end_s, m.spoke, m.lat_deg if m.spoke else None, m.lon_deg if m.spoke else None,
            text(m.place) if m.spoke else "", m.gain_nats, m.away_km if m.spoke and t.reference else None,
            tuple(text(x) for x in m.labels),
        )
        for m in t.moments
    )  # fmt: skip
    lat_deg, lon_deg = (t.lat_deg, t.lon_deg) if t.reference else (None, None)
    return TimelineRecord(text(t.reference), lat_deg, lon_deg, moments)
