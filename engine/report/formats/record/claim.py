"""A claim tested."""

# ruff: noqa: RUF009 (the documentation of a field is data, made once)

from __future__ import annotations

from dataclasses import dataclass, fields

from engine.core.claim import ClaimFactor, ClaimTest, Resident, SunAtClaim
from engine.report.formats.record.comparison import UnderPriorRecord
from engine.report.formats.record.field import documented, text


@dataclass(frozen=True, slots=True)
class ClaimFactorRecord:
    """What one modality says to a claim."""

    modality: str = documented("sound, picture, both, or season (the week claimed, against any other at the claimed place)")
    verdict: str = documented("supports the claim, supports the region, speaks against the claim, or cannot tell")
    support: str = documented("words of the ENFSI scale for the weakest ratio under all priors")
    odds: str = documented("the ratio in words, towards whichever proposition it speaks for")
    log10_raw: float = documented("log10 of the likelihood ratio before calibration")
    log10_factor: float = documented("calibrated and bounded; above 0 supports the claim")
    log10_low: float = documented("lower end of the ratio's 95% interval")
    log10_high: float = documented("upper end of the ratio's 95% interval")
    at_bound: bool = documented("more validation could support a more extreme ratio")
    things: int = documented("recordings or photos of known place behind the calibration")
    distance_km: float | None = documented("from the place this modality reports to the claimed one, or null")
    region: float = documented("smallest credible region (0.5, 0.9, 0.95) that holds the claimed place; 1 outside of all")
    by_prior: tuple[UnderPriorRecord, ...] = documented("the ratio under every prior")
    reason: str = documented("why there is no result, or empty")
    rests_on: str = documented("what the ratio rests on alone, which allows no more than weak support, or empty")


@dataclass(frozen=True, slots=True)
class ResidentRecord:
    """A species, and whether it is at home at the claimed place."""

    key: str = documented("its observations' key, empty when it was not heard")
    latin: str = documented("Latin name")
    name: str = documented("everyday name")
    score: float = documented("best score heard, 0 when it was not")
    chance: float = documented("calibrated probability that the detection is correct")
    best_week: float = documented("highest probability over the year of recording it at the claimed place")
    then: float | None = documented("chance in the week claimed and the two beside it, or null without a date")
    weeks: tuple[float, ...] = documented("chance in each of BirdNET's 48 weeks, four to a month")
    home: str = documented("lives there, not in that week, or does not live there")
    doubt: str = documented("why it must not be decisive, or empty")


@dataclass(frozen=True, slots=True)
class SunRecord:
    """The sun at the claimed place and time; without a claimed time, at its highest on the claimed day."""

    elevation_deg: float = documented("of its centre as seen through the air; below 0 it is down")
    azimuth_deg: float = documented("from north over east")
    light: str = documented("day, civil twilight, nautical twilight, astronomical twilight or night")
    whole_day: bool = documented("no time of the day is claimed")
    zone: str = documented("IANA name of the time zone there")
    daylight_frames: int = documented("frames in which a blue sky was seen")
    contradicted: bool = documented("a blue sky is seen, and no sun could have lit it then")


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A claim tested."""

    source: str = documented("analyst or container")
    lat_deg: float = documented("latitude claimed")
    lon_deg: float = documented("longitude claimed")
    date: str | None = documented("day claimed, ISO 8601, or null")
    time: str | None = documented("time of the day claimed, HH:MM by the clocks there, or null")
    radius_km: float = documented("how closely the place is stated")
    place: str = documented("the claimed place in words")
    verdict: str = documented("supports the claim, supports the region, speaks against the claim, or cannot tell")
    support: str = documented("words of the ENFSI scale")
    reason: str = documented("why there is no result, or empty")
    factors: tuple[ClaimFactorRecord, ...] = documented("by modality, both together, and the week when a day is claimed")
    heard: tuple[ResidentRecord, ...] = documented("species heard, and whether they live there")
    absent: tuple[ResidentRecord, ...] = documented("easily heard species expected there and not heard: weak, never scored")
    expected: int = documented("how many easily heard species are expected there")
    before_edits: float | None = documented("log10 ratio as first computed, or null when nothing was edited")
    sun: SunRecord | None = documented("the sun then and there, in no ratio; null when no day is claimed")


def claim_record(x: ClaimTest) -> ClaimRecord:
    c = x.claim
    return ClaimRecord(
        source=c.source,
        lat_deg=c.lat_deg,
        lon_deg=c.lon_deg,
        date=c.when.isoformat() if c.when else None,
        time=None if c.minute is None else f"{c.minute // 60:02d}:{c.minute % 60:02d}",
        radius_km=c.radius_km,
        place=text(x.place),
        verdict=x.verdict,
        support=x.support,
        reason=text(x.reason),
        factors=tuple(_claim_factor(f) for f in x.factors),
        heard=tuple(_resident(r) for r in x.heard),
        absent=tuple(_resident(r) for r in x.absent),
        expected=x.expected,
        before_edits=x.before_edits,
        sun=None if x.sun is None else _sun(x.sun),
    )


def _sun(s: SunAtClaim) -> SunRecord:
    return SunRecord(**{f.name: getattr(s, f.name) for f in fields(SunRecord)})


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
        reason=text(f.reason),
        rests_on=text(f.rests_on),
    )


def _resident(r: Resident) -> ResidentRecord:
    return ResidentRecord(
        text(r.key), text(r.latin), text(r.name), r.score, r.chance, r.best_week, r.then, r.weeks, r.home, text(r.doubt)
    )
