"""What an opinion comes to: countries with log-odds, and where it lies in the space of GeoCLIP's location embeddings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from engine.core.finding import Located
from engine.core.grid import Grid
from engine.core.posterior import Posterior
from engine.core.rationale import Candidate
from engine.world import countries

MOST = 6
LEAST_SHARE = 0.005


def candidates(located: Located) -> tuple[Candidate, ...]:
    """Countries by their share of the probability, at least LEAST_SHARE and at most MOST of them, with what moved them there."""
    number = countries.of(located.posterior.grid)
    after, before = (log_odds(x.log_mass, number) for x in (located.posterior, located.prior))
    share = 1.0 / (1.0 + np.exp(-after))
    best = [i for i in np.argsort(-share, kind="stable")[:MOST] if share[i] >= LEAST_SHARE]
    known = countries.table()
    return tuple(
        Candidate(located.modality, known[i].name, known[i].code, float(share[i]), float(after[i]), float(after[i] - before[i]))
        for i in best
    )


def log_odds(log_mass: NDArray[np.float64], number: NDArray[np.int64]) -> NDArray[np.float64]:
    """(countries,) ln(p / (1 − p)) of each country's mass, within ±60, so that neither 0 nor 1 is infinite."""
    mass = np.exp(log_mass - log_mass.max())
    inside = np.bincount(number + 1, weights=mass, minlength=len(countries.table()) + 1)[1:]
    outside = mass.sum() - inside
    for i in np.flatnonzero(outside < 1e-3 * mass.sum()):  # a difference of nearly equal sums keeps no digits
        outside[i] = mass[number != i].sum()
    least = np.exp(-60.0)
    out: NDArray[np.float64] = np.clip(np.log(np.maximum(inside, least)) - np.log(np.maximum(outside, least)), -60.0, 60.0)
    return out


def expected_embedding(posterior: Posterior) -> NDArray[np.float32]:
    """The GeoCLIP location embedding expected under a posterior, (512,).

    The mean of unit vectors by mass: its direction says where, its length (0 to 1) how much of one mind the posterior is.

    Raises:
        WeightsError: GeoCLIP's location encoder is missing.
    """
    from engine.models.geoclip_location import grid_embeddings

    cells, log_mass = posterior.at_resolution()
    mass = np.exp(log_mass)
    return np.asarray(mass.astype(np.float32) @ grid_embeddings(Grid(cells)), dtype=np.float32)


def of_shares(shares: dict[str, float], grid: Grid) -> Posterior:
    """A posterior that gives each country (by code) its share, spread over its land by area; what is missing lies everywhere.

    Raises:
        ValueError: a share is negative or not finite, or they add up to more than 1.
    """
    values = np.array(list(shares.values()))
    if not np.isfinite(values).all() or (values < 0).any() or values.sum() > 1.0 + 1e-9:
        raise ValueError("shares must be finite, none negative, and add up to at most 1")
    number, area = countries.of(grid), grid.area_km2
    mass = max(1.0 - float(values.sum()), 1e-9) * area / area.sum()
    for code, share in shares.items():
        own = number == countries.number_of(code)
        if own.any():
            mass[own] += share * area[own] / area[own].sum()
    log_mass = np.log(mass)
    return Posterior(grid, log_mass - logsumexp(log_mass))
