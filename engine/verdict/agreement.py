"""How far two modalities agree on the place: distances, shared regions, and the Bayes factor for one place against two.

With cell prior π, likelihoods L of both modalities on one common grid and a same-place kernel, let S_ij be the probability that
one place lies in cell i and another, the same for all that the question asks, in cell j:

    S_ij = π_i u_i k_ij u_j π_j,        u such that Σ_j S_ij = π_i.

Whichever of the two places is asked for, it is distributed as the prior says, and S_ij = S_ji: the factor for "one place" against
"two places drawn independently",

    B = Σ_ij L_A(i) S_ij L_V(j) / (Σ_i π_i L_A(i) · Σ_j π_j L_V(j)) = Σ_ij p_A(i) u_i k_ij u_j p_V(j),

does not depend on which modality comes first. p are the posteriors; u is found by scaling rows and columns alike (Knight, Ruiz &
Uçar 2014, "A symmetry preserving algorithm for matrix scaling", SIAM J. Matrix Anal. Appl. 35). k falls off as a Gaussian of
great-circle distance whose standard deviation is the same-place radius r. A cell is no point: with a disc of the cell's area A
around each of both centres,

    k_ij = r² / v_ij · exp(-d_ij² / (2 v_ij)),        v_ij = r² + (A_i + A_j) / 4π,

so that large and small cells ask the same question. Pairs of cells farther apart than REACH standard deviations do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.spatial import cKDTree

from engine.core import sphere
from engine.core.grid import Grid
from engine.core.posterior import Place, Posterior, Prior

REACH = 3.5  # standard deviations beyond which the kernel, at most 0.2% of its peak, is taken as nothing
NEAR_KM = (500.0, 1000.0)  # from here a place is no longer the same, however the radius is chosen, and still much like it
_ROUNDS, _EXACT = 200, 1e-7
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What can be measured between two posteriors on one grid, before any calibration.

    Attributes:
        distance_km: between the two places reported.
        expected_km: mean distance between a place drawn from each.
        overlap: Bhattacharyya coefficient of the two posteriors, 0 (nothing shared) to 1 (the same).
        shared_region_km2: area that lies in both 90% regions.
    """

    distance_km: float
    expected_km: float
    overlap: float
    shared_region_km2: float


def measure(a: Posterior, b: Posterior, place_a: Place, place_b: Place) -> Agreement:
    """Measure the agreement of two posteriors.

    Args:
        a, b: on one grid.
        place_a, place_b: the places reported.

    Raises:
        ValueError: they are on different grids.
    """
    if a.grid.key != b.grid.key:
        raise ValueError("two modalities can be compared on one common grid only")
    both = a.region(0.9) & b.region(0.9)
    return Agreement(
        distance_km=float(sphere.distance_km(place_a.lat_deg, place_a.lon_deg, place_b.lat_deg, place_b.lon_deg)),
        expected_km=a.expected_distance_km(b),
        overlap=float(np.sqrt(a.mass * b.mass).sum()),
        shared_region_km2=float(a.grid.area_km2[both].sum()),
    )


def spread(mass: Array, prior: Prior, same_place_km: float) -> Array:
    """(cells,) u_i Σ_j k_ij u_j p(j): the factor that a posterior gives to a place that is known to be cell i.

    B of the module's text is its mean over the other posterior.

    Args:
        mass: (cells,) or (cells, n), posteriors that each sum to 1.
    """
    kernel = _kernel(prior.grid, same_place_km)
    u = _scale(prior, same_place_km)
    wide = u if mass.ndim == 1 else u[:, None]
    out: Array = wide * (kernel @ (wide * mass))
    return out


def moved(mass: Array, prior: Prior) -> Array:
    """(cells,) where a place is that lies NEAR_KM from one drawn from a posterior (cells,), elsewhere as the prior says."""
    ring, pi = _ring(prior.grid), np.exp(prior.log_mass)
    total = ring @ pi
    out = pi * (ring @ np.divide(mass, total, out=np.zeros(len(mass)), where=total > 0.0))
    return np.asarray(out / out.sum()) if out.sum() > 0.0 else mass


@dataclass(frozen=True, eq=False)
class _Beside:
    """What a cache needs to compute, and does not tell results apart by: the other arguments do."""

    grid: Grid
    mass: Array | None = None

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Beside)


def _kernel(grid: Grid, same_place_km: float) -> csr_array:
    return _kernel_of(grid.key, same_place_km, _Beside(grid))


def _scale(prior: Prior, same_place_km: float) -> Array:
    """(cells,) u; kept for the last few priors, by their very numbers."""
    return _scale_of(prior.grid.key, prior.log_mass.tobytes(), same_place_km, _Beside(prior.grid, np.exp(prior.log_mass)))


def _ring(grid: Grid) -> csr_array:
    return _ring_of(grid.key, _Beside(grid))


@lru_cache(maxsize=2)
def _ring_of(key: str, beside: _Beside) -> csr_array:
    """(cells, cells) 1 where cells are NEAR_KM apart."""
    xyz = beside.grid.xyz
    inner, outer = (2.0 * np.sin(km / sphere.EARTH_RADIUS_KM / 2.0) for km in NEAR_KM)
    near = cKDTree(xyz).query_pairs(outer, output_type="ndarray")
    near = near[((xyz[near[:, 0]] - xyz[near[:, 1]]) ** 2).sum(axis=1) >= inner**2]
    i, j = np.concatenate([near, near[:, ::-1]]).T
    return coo_array((np.ones(len(i), dtype=np.float32), (i, j)), shape=(len(xyz), len(xyz))).tocsr()


@lru_cache(maxsize=3)
def _kernel_of(key: str, same_place_km: float, beside: _Beside) -> csr_array:
    """(cells, cells) k, symmetrical."""
    grid = beside.grid
    disc = grid.area_km2 / (4.0 * np.pi)  # variance along each axis of a disc of the cell's area
    own = same_place_km**2
    farthest = REACH * float(np.sqrt(own + 2.0 * disc.max()))
    reach = 2.0 * np.sin(min(farthest / sphere.EARTH_RADIUS_KM, np.pi) / 2.0)
    near = cKDTree(grid.xyz).query_pairs(reach, output_type="ndarray")
    i, j = near[:, 0], near[:, 1]
    chord = np.sqrt(np.maximum(((grid.xyz[i] - grid.xyz[j]) ** 2).sum(axis=1), 0.0))
    km = 2.0 * sphere.EARTH_RADIUS_KM * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0))
    variance = own + disc[i] + disc[j]
    counts = km <= REACH * np.sqrt(variance)
    i, j, km, variance = i[counts], j[counts], km[counts], variance[counts]
    value = own / variance * np.exp(-0.5 * km**2 / variance)
    every = np.arange(len(grid))
    itself = own / (own + 2.0 * disc)
    return coo_array(
        (np.concatenate([value, value, itself]), (np.concatenate([i, j, every]), np.concatenate([j, i, every]))),
        shape=(len(grid), len(grid)),
    ).tocsr()


@lru_cache(maxsize=16)
def _scale_of(key: str, log_mass: bytes, same_place_km: float, beside: _Beside) -> Array:
    kernel, mass = _kernel(beside.grid, same_place_km), beside.mass
    assert mass is not None
    u = np.ones(len(mass))
    for _ in range(_ROUNDS):
        reached = u * (kernel @ (u * mass))  # 1 where the row sums to the prior
        u /= np.sqrt(reached)
        if np.abs(reached - 1.0).max() < _EXACT:
            break
    return u
