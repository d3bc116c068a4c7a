"""What the analyst chose."""

# ruff: noqa: RUF009 (the documentation of a field is data, made once)
from __future__ import annotations

from dataclasses import dataclass

from engine.core.settings import Settings
from engine.report.formats.record.clip import IntervalRecord, interval_record
from engine.report.formats.record.field import documented, text


@dataclass(frozen=True, slots=True)
class WeightRecord:
    """A weight that is not 1."""

    name: str = documented("a clue, or modality:sound or modality:picture for its share in both")
    weight: float = documented("factor of its log-likelihood")


@dataclass(frozen=True, slots=True)
class SettingsRecord:
    """What the analyst chose."""

    prior: str = documented("mixture, land, observer or population")
    date: str | None = documented("date of the recording, YYYY-MM-DD, or null for any time of the year")
    track: int | None = documented("audio track from 1, or null for the main one")
    programme: str | None = documented("programme asked for, by number or name, or null for the track's or the main one")
    interval: IntervalRecord | None = documented("interval chosen, or null for the whole clip")
    stride_s: float | None = documented("step between windows of sound, or null for the program's choice")
    quick: bool = documented("whether clues without a vote were left out")
    radius_km: float = documented("the place reported has the most mass within this radius")
    same_place_km: float = documented("what counts as the same place")
    dropped: tuple[str, ...] = documented("keys of observations left out of the scoring")
    left_out: tuple[str, ...] = documented("clues left out of the scoring")
    included: tuple[str, ...] = documented("clues scored that are off by default")
    seed: int = documented("seed of whatever is sampled")
    weights: tuple[WeightRecord, ...] = documented("weights of clues and modalities where they are not 1")


def settings_record(s: Settings) -> SettingsRecord:
    return SettingsRecord(
        prior=s.prior,
        date=s.when.isoformat() if s.when else None,
        track=s.track,
        programme=text(s.programme) if s.programme else None,
        interval=interval_record(s.interval) if s.interval else None,
        stride_s=s.stride_s,
        quick=s.quick,
        radius_km=s.radius_km,
        same_place_km=s.same_place_km,
        dropped=tuple(sorted(text(k) for k in s.dropped)),
        left_out=tuple(sorted(s.left_out)),
        included=tuple(sorted(s.included)),
        seed=s.seed,
        weights=tuple(WeightRecord(name, w) for name, w in s.weights),
    )
