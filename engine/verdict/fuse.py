"""From likelihoods to posteriors: priors are applied here, once, and nowhere else.

Clues are added as log-likelihoods, each with its weight; a weight below one says that a clue repeats what others say.
Species ranges and AG-CLIP rest on the same detections of BirdNET, so they are not added but pooled into one likelihood, the
logarithms weighed:

    (1 - w) * log s + w * log g,        w = AGCLIP_WEIGHT.

The weight is fitted in nested folds by `earwitness lab calibrate-species` (see LOG.md). Regions that rest on sound alone are
drawn by the levels that the species bring, those that rest on one clue alone by its own. A modality whose information gain over
the prior is too small gives no location.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from engine.core import sphere
from engine.core.evidence import Evidence
from engine.core.finding import FUSED, NEAR_KM, Located
from engine.core.grid import Grid
from engine.core.modality import Modality
from engine.core.posterior import REGION_SHARES, Place, Posterior, Prior
from engine.world import countries, places, regions

# A posterior that gained less than this over its prior gives no location. Chosen on recordings of known place and on
# sounds of no place (LOG.md): below it the place reported is no better than the prior's own.
LEAST_GAIN_NATS = 0.5

AGCLIP_WEIGHT = 0.25

MODALITY_WEIGHT = "1: sound and picture are analysed separately, and nothing is counted twice"
"""Why a modality's weight is what it is before anyone changes it."""


def effective(weights: Iterable[tuple[str, float]], evidence: Iterable[Evidence], fused: bool) -> dict[str, float]:
    """Clue to the weight of its log-likelihood; in "both" a modality's weight multiplies those of its clues."""
    given = dict(weights)
    out = {}
    for e in evidence:
        weight = given.get(e.clue, 1.0) * (given.get(f"modality:{e.modality}", 1.0) if fused else 1.0)
        if weight != 1.0:
            out[e.clue] = weight
    return out


def modality_log_likelihood(evidence: Iterable[Evidence], grid: Grid, weights: Mapping[str, float]) -> NDArray[np.float64]:
    """The joint log-likelihood of all clues that do not abstain, (cells,); zeros when all do."""
    speaking = {e.clue: e for e in evidence if e.abstained is None}
    total = np.zeros(len(grid))
    for joining in [e for e in speaking.values() if e.joined in speaking]:
        partner = speaking.pop(joining.joined)
        del speaking[joining.clue]
        total += weights.get(partner.clue, 1.0) * pooled(partner.log_likelihood, joining.log_likelihood, grid)
    for e in speaking.values():
        total += weights.get(e.clue, 1.0) * e.log_likelihood
    return total


def pooled(species: NDArray[np.floating[Any]], soundscape: NDArray[np.floating[Any]], grid: Grid) -> NDArray[np.float64]:
    """One log-likelihood (cells,) of two that are not independent; see the module's text."""
    return (1.0 - AGCLIP_WEIGHT) * _relative(species, grid) + AGCLIP_WEIGHT * _relative(soundscape, grid)


def _relative(log_l: NDArray[np.floating[Any]], grid: Grid) -> NDArray[np.float64]:
    """A log-likelihood less the logarithm of its mean over the land by area."""
    out: NDArray[np.float64] = log_l - logsumexp(log_l, b=grid.area_km2 / grid.area_km2.sum())
    return out


def locate_modality(
    modality: Modality,
    evidence: tuple[Evidence, ...],
    prior: Prior,
    radius_km: float,
    weights: Mapping[str, float] | None = None,
) -> Located:
    """Where the clues of one modality (or, for "both", all of them) point.

    Args:
        evidence: the clues to be fused, all on the prior's grid.
        radius_km: the place reported has the most mass within this radius.
        weights: clue to the weight of its log-likelihood, 1 where it is not named.
    """
    speaking = tuple(e for e in evidence if e.abstained is None)
    posterior = posterior_of(speaking, prior, weights)
    named = tuple(place for e in speaking for place in e.named)
    return describe(modality, posterior, prior, radius_km, _why_silent(modality, evidence, speaking, posterior, prior), named)


def posterior_of(evidence: Iterable[Evidence], prior: Prior, weights: Mapping[str, float] | None = None) -> Posterior:
    """The prior times all likelihoods that speak."""
    speaking = tuple(e for e in evidence if e.abstained is None)
    heard = all(e.modality == Modality.SOUND for e in speaking)
    levels = next((e.levels for e in speaking if e.levels), ()) if heard or len(speaking) == 1 else ()
    return Posterior.of(prior, modality_log_likelihood(speaking, prior.grid, weights or {}), levels)


def describe(
    modality: Modality,
    posterior: Posterior,
    prior: Prior,
    radius_km: float,
    cannot_tell: str | None,
    named: tuple[tuple[float, float], ...] = (),
) -> Located:
    """A posterior with its place, regions and countries; without them where no location can be given.

    Args:
        named: places (lat_deg, lon_deg) that the evidence names; the place reported lies in the country of the nearest.
    """
    if cannot_tell is not None:
        return Located(modality, posterior, prior, None, posterior.gain_nats(prior), cannot_tell, {})
    spot = _on_its_side(posterior.place(radius_km), posterior, named)
    return Located(
        modality=modality,
        posterior=posterior,
        prior=prior,
        place=Place(spot.lat_deg, spot.lon_deg, spot.mass, spot.radius_km, places.describe(spot.lat_deg, spot.lon_deg)),
        gain_nats=posterior.gain_nats(prior),
        cannot_tell=None,
        regions_km2={share: posterior.region_area_km2(share) for share in REGION_SHARES},
        countries=countries.shares(posterior),
        region=regions.region_name(posterior),
        half=regions.region_words(posterior),
        near=posterior.mass_within(spot.lat_deg, spot.lon_deg, NEAR_KM),
    )


def _on_its_side(spot: Place, posterior: Posterior, named: tuple[tuple[float, float], ...]) -> Place:
    """The place, or one that the evidence names within two radii of its cell where a border parts the two.

    A cell's centre stands for the cell, and may lie in another country than the town whose sign was read: Windsor, Ontario, is
    not Detroit.
    """
    if not named:
        return spot
    lat, lon = (
        np.array([first, *rest]) for first, rest in zip((spot.lat_deg, spot.lon_deg), zip(*named, strict=True), strict=True)
    )
    at = int(posterior.grid.locate(lat[:1], lon[:1])[0])
    reach_km = 2.0 * float(np.sqrt(posterior.grid.area_km2[at] / np.pi))
    km = sphere.distance_km(lat[0], lon[0], lat[1:], lon[1:])
    if km.min() > reach_km:
        return spot
    number = countries.numbers_at(lat, lon)
    first = int(np.flatnonzero(km <= reach_km)[0]) + 1  # the likeliest of those in reach
    if number[first] == number[0]:
        return spot
    return Place(float(lat[first]), float(lon[first]), spot.mass, spot.radius_km, spot.name)


def _why_silent(
    modality: Modality, evidence: tuple[Evidence, ...], speaking: tuple[Evidence, ...], posterior: Posterior, prior: Prior
) -> str | None:
    what = "Sound and picture give" if modality == FUSED else f"The {modality} gives"
    if not speaking:
        reasons = "; ".join(dict.fromkeys(e.abstained for e in evidence if e.abstained and e.expected))
        return f"{what} no usable location: {reasons or 'nothing was detected'}."
    if posterior.gain_nats(prior) < LEAST_GAIN_NATS:
        return f"{what} no usable location: the evidence fits almost anywhere. A longer or cleaner interval may help."
    return None
