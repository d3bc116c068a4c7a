"""The Bayes factor for one place against two, against known answers."""

from __future__ import annotations

from functools import cache

import h3.api.numpy_int as h3
import numpy as np
import pytest

from engine.core import sphere
from engine.core.grid import Grid
from engine.core.posterior import Posterior, Prior
from engine.verdict.agreement import REACH, measure, moved, spread


@cache
def globe(resolution: int) -> Grid:
    cells = [c for base in h3.get_res0_cells() for c in h3.cell_to_children(base, resolution)]
    return Grid.of(cells)


def uniform(grid: Grid) -> Prior:
    return Prior("land", grid, np.log(grid.area_km2 / grid.area_km2.sum()))


def bump(grid: Grid, lat_deg: float, lon_deg: float, sd_km: float) -> Posterior:
    km = sphere.pairwise_km(grid.xyz, sphere.to_xyz(lat_deg, lon_deg)[None])[:, 0]
    return Posterior.of(uniform(grid), -0.5 * (km / sd_km) ** 2)


def log10_factor(a: Posterior, b: Posterior, prior: Prior, same_place_km: float) -> float:
    """log10 of B of the module's text."""
    return float(np.log10(max(float(a.mass @ spread(b.mass, prior, same_place_km)), 1e-300)))


def test_two_senses_that_know_nothing_leave_the_factor_at_one() -> None:
    prior = uniform(globe(2))
    nothing = Posterior(prior.grid, prior.log_mass)
    assert abs(log10_factor(nothing, nothing, prior, 100.0)) < 0.01
    assert abs(log10_factor(nothing, bump(globe(2), 10, 20, 500.0), prior, 100.0)) < 0.02


def test_two_equal_gaussians_give_the_factor_of_the_plane() -> None:
    grid = globe(3)
    a = bump(grid, 20.0, 40.0, 300.0)
    # two Gaussians of variance s² and a kernel of variance r² overlap with density 1 / (2π (2 s² + r²))
    expected = np.log10(4 * np.pi * sphere.EARTH_RADIUS_KM**2 / (2 * np.pi * (2 * 300.0**2 + 200.0**2)))
    assert log10_factor(a, a, uniform(grid), 200.0) == pytest.approx(expected, abs=0.03)


def test_far_apart_is_strong_evidence_for_two_places() -> None:
    grid = globe(2)
    a, b = bump(grid, 50.0, 10.0, 300.0), bump(grid, -33.0, 150.0, 300.0)
    assert log10_factor(a, b, uniform(grid), 100.0) < -20


def test_halving_the_cells_leaves_the_factor() -> None:
    coarse, fine = globe(2), globe(3)
    for apart in (0.0, 6.0, 12.0):
        factors = [
            log10_factor(bump(g, 10.0, 179.0, 500.0), bump(g, 10.0 + apart, -179.0, 700.0), uniform(g), 300.0)
            for g in (coarse, fine)
        ]
        assert factors[0] == pytest.approx(factors[1], abs=0.05)


def uneven(grid: Grid, seed: int) -> Prior:
    """A prior that differs from cell to cell, as the observers' does."""
    mass = grid.area_km2 * np.exp(2.0 * np.random.default_rng(seed).normal(size=len(grid)))
    return Prior("uneven", grid, np.log(mass / mass.sum()))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_which_modality_comes_first_does_not_matter_under_any_prior(seed: int) -> None:
    grid = globe(2)
    prior = uneven(grid, seed)
    likelihoods = np.random.default_rng(seed + 9).normal(size=(2, len(grid))) * 3.0
    a, b = (Posterior.of(prior, x) for x in likelihoods)
    assert log10_factor(a, b, prior, 150.0) == pytest.approx(log10_factor(b, a, prior, 150.0), abs=1e-6)


def test_two_places_asked_for_as_one_lie_as_the_prior_says() -> None:
    grid = globe(1)
    prior = uneven(grid, 3)
    pi = np.exp(prior.log_mass)
    s = pi[:, None] * spread(np.eye(len(grid)), prior, 500.0) * pi
    assert abs(s - s.T).max() < 1e-12
    assert s.sum(axis=1) == pytest.approx(pi, rel=1e-5)


def test_against_brute_force_on_a_small_grid() -> None:
    """The kernel written out cell by cell, scaled by rows and columns in turn, and the double sum of the module's text."""
    grid = globe(0)
    prior = uneven(grid, 4)
    pi, r, n = np.exp(prior.log_mass), 500.0, len(globe(0))
    rng = np.random.default_rng(5)
    a, b = (Posterior.of(prior, rng.normal(size=n)) for _ in range(2))
    s = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            v = r**2 + (grid.area_km2[i] + grid.area_km2[j]) / (4 * np.pi)
            angle = np.arctan2(np.linalg.norm(np.cross(grid.xyz[i], grid.xyz[j])), grid.xyz[i] @ grid.xyz[j])
            d = sphere.EARTH_RADIUS_KM * angle
            s[i, j] = pi[i] * pi[j] * r**2 / v * np.exp(-(d**2) / (2 * v)) * (d <= REACH * np.sqrt(v))
    for _ in range(3000):
        s *= (pi / s.sum(axis=1))[:, None]
        s *= (pi / s.sum(axis=0))[None, :]
    expected = sum(a.mass[i] / pi[i] * b.mass[j] / pi[j] * s[i, j] for i in range(n) for j in range(n))
    assert log10_factor(a, b, prior, r) == pytest.approx(np.log10(expected), abs=1e-5)


def test_moved_places_lie_500_to_1000_km_away() -> None:
    grid = globe(2)
    prior = uniform(grid)
    one = np.zeros(len(grid))
    one[1234] = 1.0
    there = moved(one, prior)
    km = sphere.pairwise_km(grid.xyz, grid.xyz[1234][None])[:, 0]
    assert there.sum() == pytest.approx(1.0) and km[there > 0].min() >= 499.0 and km[there > 0].max() <= 1001.0
    assert float(there @ km) == pytest.approx(778.0, abs=30.0)  # of a ring, by area: 2/3 (R³ - r³) / (R² - r²)


def test_measures() -> None:
    grid = globe(3)
    a, b = bump(grid, 0.0, 0.0, 200.0), bump(grid, 0.0, 90.0, 200.0)
    apart = measure(a, b, a.place(), b.place())
    assert apart.distance_km == pytest.approx(10007.5, abs=150)
    assert apart.expected_km == pytest.approx(10007.5, abs=100)
    assert apart.overlap < 1e-6 and apart.shared_region_km2 == 0
    same = measure(a, a, a.place(), a.place())
    assert same.distance_km == 0 and same.overlap == pytest.approx(1.0)
    assert same.shared_region_km2 == pytest.approx(a.region_area_km2(0.9))
    with pytest.raises(ValueError, match="common grid"):
        measure(a, bump(globe(2), 0, 0, 200.0), a.place(), a.place())
