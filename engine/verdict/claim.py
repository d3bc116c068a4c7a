"""A claim tested: how much more likely is what was perceived there and then than elsewhere.

With cell prior π, the likelihood L of one modality, and a kernel k around the claimed place (1 at its centre, falling off as a
Gaussian whose standard deviation is the claim's radius), the ratio for "there" against "elsewhere" is

    B = (Σ k_i π_i L_i / Σ k_i π_i) / (Σ (1-k_i) π_i L_i / Σ (1-k_i) π_i),

which needs no more than the posterior p ∝ π L. A cell is no point: k is averaged over a disc of the cell's area, by the formula
for a Gaussian over another of the disc's variance, so that large and small cells ask the same question. With a date, L is that
of the claimed week; a second ratio then compares that week at the claimed place with the mean over the year there.

log10 B is calibrated and bounded like the comparison of the modalities: an affine map fitted by logistic regression on claims of
known truth (recordings and photos at their own places and at those of others), clipped to what they support; written by
`earwitness lab calibrate-claims` to assets/models/claim.json. The headline is the weakest of the steps under all priors, and
for sound the weaker of those with and without BirdNET's known false alarms. Both modalities together are the product of their
calibrated ratios, bounded to the wider of both bounds, and nothing at all where they contradict each other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core import sphere
from engine.core.claim import Claim, ClaimFactor, ClaimTest, ClaimVerdict, Resident
from engine.core.comparison import Support, UnderPrior, words_of
from engine.core.errors import WeightsError
from engine.core.finding import Located
from engine.core.grid import Grid
from engine.core.paths import ASSETS
from engine.core.posterior import REGION_SHARES, Posterior, Prior
from engine.verdict.compare import Calibration

CALIBRATION_FILE = ASSETS / "models" / "claim.json"
LEAST_FACTOR = float(np.log10(2.0))  # below it the verbal scale has no support for either side
_REACH = 4.0  # standard deviations beyond which a cell is not at the claimed place


@dataclass(frozen=True, slots=True, eq=False)
class ModalityEvidence:
    """One modality's posteriors.

    Attributes:
        located: under the analyst's prior, with the claimed week where a day is claimed.
        under: every prior with the posterior under it.
        without: the same without BirdNET's known false alarms, where there are any among what was heard; else empty.
        doubted: their names.
    """

    located: Located
    under: tuple[tuple[Prior, Posterior], ...]
    without: tuple[tuple[Prior, Posterior], ...] = ()
    doubted: tuple[str, ...] = ()


@cache
def calibrations(path: Path = CALIBRATION_FILE) -> dict[str, Calibration]:
    """The shipped calibrations of "sound", "picture" and "season".

    Raises:
        WeightsError: the file is missing or malformed.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: Calibration(
                offset=float(own["offset"]),
                slope=float(own["slope"]),
                low=float(own["low"]),
                high=float(own["high"]),
                pairs=int(own["things"]),
                bootstrap=tuple((float(o), float(s)) for o, s in own["bootstrap"]),
            )
            for name in ("sound", "picture", "season")
            for own in (data[name],)
        }
    except (OSError, ValueError, KeyError, TypeError):
        raise WeightsError(f"{path} is missing or damaged; restore it from the repository.") from None


def kernel(claim: Claim, grid: Grid) -> NDArray[np.float64]:
    """(cells,) k of the module's text: how far each cell is the claimed place, 0 to 1."""
    km = sphere.pairwise_km(sphere.to_xyz(claim.lat_deg, claim.lon_deg)[None], grid.xyz)[0]
    own = claim.radius_km**2
    wide = own + grid.area_km2 / np.pi / 4.0  # variance, along each axis, of a disc of the cell's area added
    k: NDArray[np.float64] = own / wide * np.exp(-0.5 * km**2 / wide)
    k[km > _REACH * np.sqrt(wide)] = 0.0
    return k


def log10_ratio(posterior: Posterior, prior: Prior, k: NDArray[np.float64]) -> float:
    """log10 of B of the module's text.

    Args:
        k: (cells,) from `kernel`, with some weight under the prior.
    """
    p, pi = posterior.mass, np.exp(prior.log_mass)
    there = max(float(k @ p) / float(k @ pi), 1e-300)
    elsewhere = max(float((1.0 - k) @ p) / float((1.0 - k) @ pi), 1e-300)
    return float(np.log10(there / elsewhere))


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
    k = kernel(claim, modalities[0].located.prior.grid) if modalities else np.zeros(0)
    factors = tuple(_factor_of(claim, s, k) for s in modalities)
    if len(factors) > 1:
        factors = (*factors, _both(factors))
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
        if place.verdict == ClaimVerdict.SUPPORTS:
            return ClaimVerdict.CANNOT_TELL, Support.NONE, "the place fits the claim, the week does not"
        if place.verdict == ClaimVerdict.CANNOT_TELL and not place.log10_factor:
            return season.verdict, season.support, ""
    return place.verdict, place.support, place.reason


def beside(now: ClaimTest, first: Sequence[ClaimTest]) -> ClaimTest:
    """The same test with the ratio that was first computed, before the analyst's edits."""
    same = next((t for t in first if t.claim == now.claim), None)
    return replace(now, before_edits=same.main.log10_factor if same and same.main else 0.0 if same else None)


def _factor_of(claim: Claim, evidence: ModalityEvidence, k: NDArray[np.float64]) -> ClaimFactor:
    x = evidence.located
    fit = calibrations()[x.modality]
    at = None if x.place is None else float(sphere.distance_km(x.place.lat_deg, x.place.lon_deg, claim.lat_deg, claim.lon_deg))
    if not float(k @ np.exp(x.prior.log_mass)) > 0.0:
        why = "the claimed place is at sea, outside the map"
        return _silent(x.modality, why, fit, at)
    if not x.spoke:
        return _silent(x.modality, f"the {x.modality} gives no usable location", fit)
    raws = [(prior.name, log10_ratio(p, prior, k)) for prior, p in evidence.under]
    weakest = min((raw for _, raw in raws), key=lambda raw: abs(fit.apply(raw)))
    reason = _reason([fit.apply(raw) for _, raw in raws], fit.interval(weakest), "the result depends on the prior")
    if not reason and evidence.without:
        others = [log10_ratio(p, prior, k) for prior, p in evidence.without]
        weaker = min((*others, weakest), key=lambda raw: abs(fit.apply(raw)))
        rests = f"without {_listed(evidence.doubted)}, a known false alarm of BirdNET, the sound does not support this"
        reason = _reason([fit.apply(weakest), *(fit.apply(r) for r in others)], fit.interval(weaker), rests, rests)
        weakest = weaker
    by_prior = tuple(UnderPrior(name, fit.apply(raw), words_of(10.0 ** abs(fit.apply(raw)))) for name, raw in raws)
    return _factor(x.modality, weakest, fit, reason, at, _region(claim, x), by_prior)


def _season(week_log_l: NDArray[np.float64] | None, week: int) -> ClaimFactor:
    fit = calibrations()["season"]
    if week_log_l is None:
        return _silent("season", "no species that lives there was heard, so the week cannot be tested", fit)
    raw = float(week_log_l[week - 1]) / float(np.log(10.0))
    reason = _reason([fit.apply(raw)], fit.interval(raw), "")
    why = "the species heard are as likely in this week as in most others" if reason else ""
    return _factor("season", raw, fit, why, None, 1.0, ())


def _both(factors: Sequence[ClaimFactor]) -> ClaimFactor:
    """The product of the ratios of both modalities, which are independent given the place."""
    spoke = [f for f in factors if f.verdict != ClaimVerdict.CANNOT_TELL]
    sums = [sum(getattr(f, name) for f in spoke) for name in ("log10_raw", "log10_factor", "log10_low", "log10_high")]
    fits = calibrations()
    low, high = min(fits[f.modality].low for f in factors), max(fits[f.modality].high for f in factors)
    raw, factor, least, most = sums[0], *(float(np.clip(v, low, high)) for v in sums[1:])
    reason = ""
    if not spoke:
        same = {f.reason for f in factors}
        reason = same.pop() if len(same) == 1 else "neither sound nor picture decides: " + "; ".join(f.reason for f in factors)
    elif len({f.verdict for f in spoke}) > 1:
        one, other = sorted(spoke, key=lambda f: f.verdict != ClaimVerdict.SUPPORTS)
        reason = f"the {one.modality} supports the claim, the {other.modality} contradicts it"
        factor = least = most = 0.0
    at_bound = any(f.at_bound for f in spoke) or not low < sums[1] < high
    verdict = ClaimVerdict.CANNOT_TELL if reason else ClaimVerdict.SUPPORTS if factor > 0 else ClaimVerdict.AGAINST
    return ClaimFactor(
        modality="both",
        verdict=verdict,
        support=Support.NONE if reason else words_of(10.0 ** abs(factor)),
        log10_raw=raw,
        log10_factor=factor,
        log10_low=least,
        log10_high=most,
        at_bound=at_bound and not reason,
        things=sum(f.things for f in spoke or factors),
        reason=reason,
    )


def _factor(
    modality: str,
    raw: float,
    fit: Calibration,
    reason: str,
    distance_km: float | None,
    region: float,
    by_prior: tuple[UnderPrior, ...],
) -> ClaimFactor:
    factor, (low, high) = fit.apply(raw), fit.interval(raw)
    return ClaimFactor(
        modality=modality,
        verdict=ClaimVerdict.CANNOT_TELL if reason else ClaimVerdict.SUPPORTS if factor > 0 else ClaimVerdict.AGAINST,
        support=Support.NONE if reason else words_of(10.0 ** abs(factor)),
        log10_raw=raw,
        log10_factor=factor,
        log10_low=low,
        log10_high=high,
        at_bound=fit.at_bound(raw),
        things=fit.pairs,
        distance_km=distance_km,
        region=region,
        by_prior=by_prior,
        reason=reason,
    )


def _silent(modality: str, reason: str, fit: Calibration, distance_km: float | None = None) -> ClaimFactor:
    return ClaimFactor(
        modality,
        ClaimVerdict.CANNOT_TELL,
        Support.NONE,
        0.0,
        0.0,
        0.0,
        0.0,
        False,
        fit.pairs,
        distance_km=distance_km,
        reason=reason,
    )


def _reason(factors: Sequence[float], interval: tuple[float, float], divided: str, weak: str = "") -> str:
    """Why no ratio is reported, or ""."""
    if len({np.sign(f) for f in factors}) > 1:
        return divided
    if interval[0] <= 0.0 <= interval[1]:
        return weak or "the ratio's interval includes 1"
    if min(abs(f) for f in factors) < LEAST_FACTOR:
        return weak or "the evidence is about as likely there as elsewhere"
    return ""


def _region(claim: Claim, x: Located) -> float:
    at = int(x.posterior.grid.locate(np.array([claim.lat_deg]), np.array([claim.lon_deg]))[0])
    if at < 0:
        return 1.0
    return next((share for share in sorted(REGION_SHARES) if x.posterior.region(share)[at]), 1.0)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(f"the {n}" for n in names[:-1]), f"the {names[-1]}" if names else ""]))
