"""How far two modalities agree on the place: distances, shared regions, and the Bayes factor for one place against two.

With cell prior π, likelihoods L of both modalities on one common grid, and a same-place kernel K, the factor for "one place"
against "two independent places" is

    B = Σ_ij π_i K_ij L_A(i) L_V(j) / (Σ_i π_i L_A(i) · Σ_j π_j L_V(j)),        K_ij = k(d_ij) π_j / Σ_m k(d_im) π_m,

k falling off as a Gaussian of great-circle distance whose standard deviation is the same-place radius. Written with the
posteriors p of
both modalities it is Σ_ij p_A(i) p_V(j) k(d_ij) / Σ_m k(d_im) π_m, which is how it is computed: only pairs of cells closer than
four radii count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.spatial import cKDTree

from engine.core import sphere
from engine.core.grid import Grid
from engine.core.posterior import Place, Posterior, Prior

REACH = 4.0  # radii beyond which the kernel, at most e^-8, is nothing


@dataclass(frozen=True, slots=True)
class Agreement:
    """What can be measured between two posteriors on one grid, before any calibration.

    Attributes:
        distance_km: between the two places reported.
        expected_km: mean distance between a place drawn from each.
        overlap: Bhattacharyya coefficient of the two posteriors, 0 (nothing shared) to 1 (the same).
        shared_region_km2: area that lies in both 90% regions.
        log10_factor: log10 of B.
    """

    distance_km: float
    expected_km: float
    overlap: float
    shared_region_km2: float
    log10_factor: float


def measure(a: Posterior, b: Posterior, prior: Prior, same_place_km: float, place_a: Place, place_b: Place) -> Agreement:
    """Measure the agreement of two posteriors.

    Args:
        a, b: on the prior's grid.
        same_place_km: standard deviation of the same-place kernel.
        place_a, place_b: the places reported.

    Raises:
        ValueError: they are on different grids.
    """
    if not (a.grid.key == b.grid.key == prior.grid.key):
        raise ValueError("two modalities can be compared on one common grid only")
    both = a.region(0.9) & b.region(0.9)
    return Agreement(
        distance_km=float(sphere.distance_km(place_a.lat_deg, place_a.lon_deg, place_b.lat_deg, place_b.lon_deg)),
        expected_km=a.expected_distance_km(b),
        overlap=float(np.sqrt(a.mass * b.mass).sum()),
        shared_region_km2=float(a.grid.area_km2[both].sum()),
        log10_factor=log10_factor(a, b, prior, same_place_km),
    )


def log10_factor(a: Posterior, b: Posterior, prior: Prior, same_place_km: float) -> float:
    """log10 of the Bayes factor of the module's text."""
    return float(np.log10(max(float(a.mass @ spread(b, prior, same_place_km)), 1e-300)))


def spread(b: Posterior, prior: Prior, same_place_km: float) -> NDArray[np.float64]:
    """(cells,) Σ_j k(d_ij) p_B(j) / Σ_m k(d_im) π_m: the factor that modality B gives to a place that is known to be cell i."""
    kernel = _kernel(b.grid, same_place_km)
    both = np.stack([b.mass, np.exp(prior.log_mass)], axis=1)
    near_b, near_prior = (both + kernel @ both + kernel.T @ both).T  # a cell is at no distance from itself
    return np.asarray(near_b / near_prior)


@lru_cache(maxsize=4)
def _kernel_of(key: str, same_place_km: float, held: _Held) -> coo_array:
    xyz = held.grid.xyz
    reach = 2.0 * np.sin(min(REACH * same_place_km / sphere.EARTH_RADIUS_KM, np.pi) / 2.0)
    near = cKDTree(xyz).query_pairs(reach, output_type="ndarray")
    apart = xyz[near[:, 0]] - xyz[near[:, 1]]
    chord = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    km = 2.0 * sphere.EARTH_RADIUS_KM * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0))
    return coo_array((np.exp(-0.5 * (km / same_place_km) ** 2), (near[:, 0], near[:, 1])), shape=(len(xyz), len(xyz)))


@dataclass(frozen=True, eq=False)
class _Held:
    """A grid beside its key: the key alone decides what is kept."""

    grid: Grid

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)


def _kernel(grid: Grid, same_place_km: float) -> coo_array:
    """(cells, cells) kernel of pairs closer than REACH radii, each pair once; kept for the last few grids."""
    return _kernel_of(grid.key, same_place_km, _Held(grid))
