"""A claim tested: how much more likely is what was perceived there and then than elsewhere.

A claimed place is held against a modality as the other modality would be that points there for sure: map, guards and words are
those of `compare`, and the radius is the claim's. The picture has a map of its own, of

    log10((1 - m) · B + m),

m the rate at which a picture read in that way points elsewhere. Both modalities together are the product of their calibrated
ratios, bounded to the wider of both bounds, no stronger than one of them alone where the other rests on one observation, and
nothing at all where they contradict each other.

With a date, the likelihood is that of the claimed week; a second ratio then compares that week at the claimed place with the mean
over the year there. Its calibration is written by `earwitness lab calibrate-claims` to assets/models/claim.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core import sphere
from engine.core.claim import Claim, ClaimFactor, ClaimTest, ClaimVerdict, Resident
from engine.core.comparison import Support, words_of
from engine.core.errors import WeightsError
from engine.core.finding import Located
from engine.core.grid import Grid
from engine.core.paths import ASSETS
from engine.core.posterior import REGION_SHARES
from engine.verdict import agreement, calibration, compare, guards
from engine.verdict.calibration import NEUTRAL, Answer, Calibration, Target, calibration_of
from engine.verdict.guards import ModalityEvidence, Under, Weighed

CALIBRATION_FILE = ASSETS / "models" / "claim.json"
_REACH = 4.0  # radii beyond which a cell is not at the claimed place


@cache
def season_calibration(path: Path = CALIBRATION_FILE) -> Calibration:
    """The shipped calibration of the week.

    Raises:
        WeightsError: the file is missing or malformed.
    """
    try:
        return calibration_of(json.loads(path.read_text(encoding="utf-8"))["season"])
    except (OSError, ValueError, KeyError, TypeError):
        raise WeightsError(f"{path} is missing or damaged; restore it from the repository.") from None


def cell_of(claim: Claim, grid: Grid) -> int:
    """The cell that holds the claimed place, or the nearest that the claim reaches; -1 where there is none."""
    at = int(grid.locate(np.array([claim.lat_deg]), np.array([claim.lon_deg]))[0])
    if at >= 0:
        return at
    km = sphere.pairwise_km(sphere.to_xyz(claim.lat_deg, claim.lon_deg)[None], grid.xyz)[0]
    near = int(km.argmin())
    return near if km[near] <= _REACH * claim.radius_km + np.sqrt(grid.area_km2[near] / np.pi) else -1


def test(
    claim: Claim,
    place: str,
    modalities: Sequence[ModalityEvidence],
    week_log_l: NDArray[np.float64] | None,
    week: int | None,
    heard: tuple[Resident, ...] = (),
    absent: tuple[Resident, ...] = (),
    expected: int = 0,
) -> ClaimTest:
    """Test a claim.

    Args:
        place: the claimed place in words.
        modalities: sound and picture, those that there are, all on one grid.
        week_log_l: (48,) natural log of the likelihood in each week at the claimed place, mean likelihood 1; None when nothing
            was heard that could tell.
        week: the claimed week, 1 to 48, or None.
        heard, absent, expected: of `clues.residents`.
    """
    factors = tuple(_factor_of(claim, s) for s in modalities)
    if len(factors) > 1:
        factors = (*factors, _both(factors, claim.radius_km))
    place_factor = factors[-1] if factors else None
    season = _season(week_log_l, week) if week is not None else None
    verdict, support, reason = _verdict(place_factor, season)
    return ClaimTest(
        claim=claim,
        place=place,
        verdict=verdict,
        support=support,
        reason=reason,
        factors=(*factors, season) if season else factors,
        heard=heard,
        absent=absent,
        expected=expected,
        week=week,
    )


def _verdict(place: ClaimFactor | None, season: ClaimFactor | None) -> tuple[ClaimVerdict, Support, str]:
    """(verdict, support, reason) of place and week together: a claim stands with both, and falls with either."""
    if place is None:
        return ClaimVerdict.CANNOT_TELL, Support.NONE, "the clip has neither a sound nor a picture that can be located"
    if season and season.verdict == ClaimVerdict.AGAINST:
        if place.verdict in (ClaimVerdict.SUPPORTS, ClaimVerdict.REGION):
            return ClaimVerdict.CANNOT_TELL, Support.NONE, "the place fits the claim, the week does not"
        if place.verdict == ClaimVerdict.CANNOT_TELL and not place.log10_factor:
            return season.verdict, season.support, ""
    return place.verdict, place.support, place.reason


def beside(now: ClaimTest, first: Sequence[ClaimTest]) -> ClaimTest:
    """The same test with the ratio that was first computed, before the analyst's edits."""
    same = next((t for t in first if t.claim == now.claim), None)
    return replace(now, before_edits=same.main.log10_factor if same and same.main else 0.0 if same else None)


def _factor_of(claim: Claim, evidence: ModalityEvidence) -> ClaimFactor:
    x = evidence.located
    at = cell_of(claim, evidence.under[0][0].grid if evidence.under else x.prior.grid)
    if at < 0:
        return _factor(x, claim, Weighed(NEUTRAL, (), "the claimed place is at sea, outside the map"))
    if not x.spoke:
        return _factor(x, claim, Weighed(NEUTRAL, (), f"the {x.modality} gives no usable location"))
    return _factor(x, claim, weigh(evidence, at, claim.radius_km))


def weigh(
    evidence: ModalityEvidence,
    at: int,
    radius_km: float,
    applied: frozenset[str] = guards.ALL,
    maps: calibration.Maps | None = None,
) -> Weighed:
    """The ratio for "there" against "anywhere", every guard applied.

    Args:
        evidence: of a modality that gives a location.
        at: number of the cell, of the grid of `under`, that holds the claimed place.
        applied: names of the guards that are.
        maps: the calibrations; None takes those that are shipped.
    """
    maps = maps or calibration.maps()
    fit = maps.fit(evidence.located.modality, radius_km)
    misread = maps.misread_rate(evidence.reading) if evidence.located.modality == "picture" else 0.0
    sure = Target(np.ones(1))

    def ask(part: ModalityEvidence, under: Under) -> list[Answer]:
        raws = [compare.log10_spread(p, prior, radius_km)[at : at + 1] for prior, p in under]
        return [calibration.answer(fit, misreadable(raw, misread), sure) for raw in raws]

    def near() -> list[Answer]:
        there = np.zeros(len(evidence.under[0][0].grid))
        there[at] = 1.0
        return [
            calibration.answer(
                fit,
                misreadable(compare.log10_spread(p, prior, radius_km), misread),
                Target(agreement.moved(there, prior)),
            )
            for prior, p in evidence.under
        ]

    def overlap() -> str:
        inside = bool(evidence.under[0][1].region(guards.REGION)[at])
        return f"the claimed place lies within the {evidence.located.modality}'s 90% region" if inside else ""

    return guards.weigh(ask(evidence, evidence.under), near, (evidence,), ask, applied, overlap)


def misreadable(log10_raw: NDArray[np.float64], misread: float) -> NDArray[np.float64]:
    """log10((1 - m) · B + m) of the module's text."""
    return np.log10((1.0 - misread) * 10.0**log10_raw + misread) if misread else log10_raw


def _season(week_log_l: NDArray[np.float64] | None, week: int) -> ClaimFactor:
    fit = season_calibration()
    if week_log_l is None:
        return _season_factor(NEUTRAL, fit, "no species that lives there was heard, so the week cannot be tested")
    raw = np.array([float(week_log_l[week - 1]) / float(np.log(10.0))])
    found = calibration.answer(fit, raw, Target(np.ones(1)))
    why = "the species heard are as likely in this week as in most others" if guards.why_none(found) else ""
    return _season_factor(found, fit, why)


def _season_factor(found: Answer, fit: Calibration, reason: str) -> ClaimFactor:
    return _worded("season", Weighed(found, (), reason), fit.things, None, 1.0)


def _both(factors: Sequence[ClaimFactor], radius_km: float) -> ClaimFactor:
    """The product of the ratios of both modalities, which are independent given the place."""
    spoke = [f for f in factors if f.verdict != ClaimVerdict.CANNOT_TELL]
    sums = [sum(getattr(f, name) for f in spoke) for name in ("log10_raw", "log10_factor", "log10_low", "log10_high")]
    maps = calibration.maps()
    fits = [maps.fit(f.modality, radius_km) for f in factors]
    low, high = min(fit.low for fit in fits), max(fit.high for fit in fits)
    raw, factor, least, most = sums[0], *(float(np.clip(v, low, high)) for v in sums[1:])
    reason = ""
    if not spoke:
        same = {f.reason for f in factors}
        reason = same.pop() if len(same) == 1 else "neither sound nor picture decides: " + "; ".join(f.reason for f in factors)
    elif len({f.log10_factor > 0.0 for f in spoke}) > 1:
        one, other = sorted(spoke, key=lambda f: f.verdict == ClaimVerdict.AGAINST)
        reason = f"the {one.modality} supports the claim, the {other.modality} contradicts it"
        factor = least = most = 0.0
    elif len(spoke) > 1:
        factor, least, most = _no_stronger(factor, least, most, spoke)
    at_bound = any(f.at_bound for f in spoke) or not low < sums[1] < high
    # One of them that tells the place from those around it is enough.
    best = min(spoke, key=lambda f: list(ClaimVerdict).index(f.verdict)).verdict if spoke else ClaimVerdict.CANNOT_TELL
    return ClaimFactor(
        modality="both",
        verdict=ClaimVerdict.CANNOT_TELL if reason else best,
        support=Support.NONE if reason else words_of(10.0 ** abs(factor)),
        log10_raw=raw,
        log10_factor=factor,
        log10_low=least,
        log10_high=most,
        at_bound=at_bound and not reason,
        things=sum(f.things for f in spoke or factors),
        reason=reason,
        rests_on=" and ".join(f.rests_on for f in spoke) if not reason and all(f.rests_on for f in spoke) else "",
    )


def _no_stronger(factor: float, low: float, high: float, spoke: Sequence[ClaimFactor]) -> tuple[float, float, float]:
    """The product where one modality rests on one observation: without it, the other modality is all there is."""
    most = min((abs(g.log10_factor) for f in spoke if f.rests_on for g in spoke if g is not f), default=np.inf)
    factor, low, high = (float(np.clip(v, -most, most)) for v in (factor, low, high))
    return factor, low, high


def _factor(x: Located, claim: Claim, found: Weighed) -> ClaimFactor:
    at = None if x.place is None else float(sphere.distance_km(x.place.lat_deg, x.place.lon_deg, claim.lat_deg, claim.lon_deg))
    things = calibration.maps().fit(x.modality, claim.radius_km).things
    return _worded(x.modality, found, things, at, _region(claim, x) if x.spoke else 1.0)


def _worded(modality: str, found: Weighed, things: int, distance_km: float | None, region: float) -> ClaimFactor:
    x, yes = found.answer, ClaimVerdict.REGION if found.region else ClaimVerdict.SUPPORTS
    return ClaimFactor(
        modality=modality,
        verdict=ClaimVerdict.CANNOT_TELL if found.reason else yes if x.log10_factor > 0 else ClaimVerdict.AGAINST,
        support=found.support,
        log10_raw=x.log10_raw,
        log10_factor=x.log10_factor,
        log10_low=x.low,
        log10_high=x.high,
        at_bound=x.at_bound,
        things=things,
        distance_km=distance_km,
        region=region,
        by_prior=found.by_prior,
        reason=found.reason,
        rests_on=found.rests_on,
    )


def _region(claim: Claim, x: Located) -> float:
    at = int(x.posterior.grid.locate(np.array([claim.lat_deg]), np.array([claim.lon_deg]))[0])
    if at < 0:
        return 1.0
    return next((share for share in sorted(REGION_SHARES) if x.posterior.region(share)[at]), 1.0)
