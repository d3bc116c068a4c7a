"""Posterior algebra with known answers."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest

from engine.core import sphere
from engine.core.grid import Grid
from engine.core.posterior import Posterior, Prior


@pytest.fixture(scope="module")
def grid() -> Grid:
    return Grid.of(np.concatenate([h3.cell_to_children(c, 2) for c in h3.get_res0_cells()]))


def uniform(grid: Grid) -> Prior:
    return Prior("land", grid, np.log(grid.area_km2 / grid.area_km2.sum()))


def at(grid: Grid, mass: dict[int, float]) -> Posterior:
    held = np.full(len(grid), -np.inf)
    for cell, m in mass.items():
        held[cell] = np.log(m)
    return Posterior(grid, held)


def cell(grid: Grid, lat: float, lon: float) -> int:
    return int(grid.locate(np.array([lat]), np.array([lon]))[0])


def test_bayes_rule(grid: Grid) -> None:
    prior = uniform(grid)
    likelihood = np.random.default_rng(0).uniform(0.1, 2.0, len(grid))
    expected = np.exp(prior.log_mass) * likelihood
    found = Posterior.of(prior, np.log(likelihood))
    np.testing.assert_allclose(found.mass, expected / expected.sum(), rtol=1e-12)
    shifted = Posterior.of(prior, np.log(likelihood) - 5000.0)
    np.testing.assert_allclose(shifted.mass, found.mass, rtol=1e-9)


def test_a_flat_likelihood_teaches_nothing(grid: Grid) -> None:
    prior = uniform(grid)
    posterior = Posterior.of(prior, np.full(len(grid), -3.0))
    np.testing.assert_allclose(posterior.log_mass, prior.log_mass, atol=1e-12)
    assert posterior.gain_nats(prior) == pytest.approx(0.0, abs=1e-12)


def test_entropy_and_gain_of_known_distributions(grid: Grid) -> None:
    n = len(grid)
    alike = Posterior(grid, np.full(n, -np.log(n)))
    assert alike.entropy_nats == pytest.approx(np.log(n))
    sure = at(grid, {7: 1.0})
    assert sure.entropy_nats == pytest.approx(0.0)
    assert sure.gain_nats(Prior("land", grid, alike.log_mass)) == pytest.approx(np.log(n))
    two = at(grid, {7: 0.25, 9: 0.75})
    assert two.entropy_nats == pytest.approx(-(0.25 * np.log(0.25) + 0.75 * np.log(0.75)))


@pytest.mark.parametrize("bad", ["nan", "sum", "shape"])
def test_mass_that_is_no_distribution_is_refused(grid: Grid, bad: str) -> None:
    mass = uniform(grid).log_mass.copy()
    if bad == "nan":
        mass[0] = np.nan
    elif bad == "sum":
        mass += 0.01
    else:
        mass = mass[1:]
    with pytest.raises(ValueError):
        Posterior(grid, mass)


def test_nan_and_impossible_likelihoods_raise(grid: Grid) -> None:
    prior = uniform(grid)
    with pytest.raises(ValueError):
        Posterior.of(prior, np.full(len(grid), np.nan))
    with pytest.raises(ValueError):
        Posterior.of(prior, np.full(len(grid), -np.inf))
    with pytest.raises(ValueError):
        Posterior.of(prior, np.zeros(3))


def test_regions_hold_what_they_say_nest_and_take_the_densest_first(grid: Grid) -> None:
    posterior = Posterior.of(uniform(grid), np.random.default_rng(1).normal(0, 2, len(grid)))
    regions = {share: posterior.region(share) for share in (0.5, 0.9, 0.95)}
    for share, region in regions.items():
        held = posterior.mass[region].sum()
        assert held >= share - 1e-9
        thinnest = np.flatnonzero(region)[np.argmin(posterior.log_density[region])]
        assert held - posterior.mass[thinnest] < share
        assert posterior.log_density[region].min() >= posterior.log_density[~region].max() - 1e-12
        assert posterior.region_area_km2(share) == pytest.approx(grid.area_km2[region].sum())
    assert (regions[0.5] <= regions[0.9]).all()
    assert (regions[0.9] <= regions[0.95]).all()


def test_regions_rank_by_density_not_by_mass(grid: Grid) -> None:
    large, small = int(np.argmax(grid.area_km2)), int(np.argmin(grid.area_km2))
    posterior = at(grid, {large: 0.55, small: 0.45})
    assert np.flatnonzero(posterior.region(0.4)).tolist() == [small]


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5])
def test_regions_of_no_share_raise(grid: Grid, share: float) -> None:
    with pytest.raises(ValueError):
        at(grid, {0: 1.0}).region(share)


def test_regions_of_a_calibrated_posterior_cover_as_often_as_they_say(grid: Grid) -> None:
    posterior = Posterior.of(uniform(grid), np.random.default_rng(2).normal(0, 1.5, len(grid)))
    truths = posterior.sample(4000, seed=3)
    for share in (0.5, 0.9, 0.95):
        assert posterior.region(share)[truths].mean() == pytest.approx(share, abs=0.025)


def test_the_place_is_the_centre_of_the_only_cell_with_mass(grid: Grid) -> None:
    for lat, lon in ((52.0, 13.0), (90.0, 0.0), (-90.0, 0.0), (-17.0, 179.9)):
        here = cell(grid, lat, lon)
        place = at(grid, {here: 1.0}).place()
        centre = tuple(float(v[here]) for v in grid.lat_lon_deg)
        assert sphere.distance_km(place.lat_deg, place.lon_deg, *centre) == pytest.approx(0.0, abs=1e-6)
        assert place.mass == pytest.approx(1.0, abs=1e-5)


def test_the_place_has_the_most_mass_around_it_not_the_heaviest_cell(grid: Grid) -> None:
    """Three cells together beat a heavier one that stands alone, when the radius holds them."""
    centre = cell(grid, 10.0, 20.0)
    ring = [int(np.searchsorted(grid.cells, np.uint64(c))) for c in h3.grid_disk(int(grid.cells[centre]), 1)]
    alone = cell(grid, -40.0, 170.0)
    shares = {c: 0.6 / len(ring) for c in ring} | {alone: 0.4}
    wide = at(grid, shares).place(radius_km=500.0)
    assert sphere.distance_km(wide.lat_deg, wide.lon_deg, 10.0, 20.0) < 200.0
    assert wide.mass == pytest.approx(0.6, abs=1e-5)
    narrow = at(grid, shares).place(radius_km=50.0)
    assert sphere.distance_km(narrow.lat_deg, narrow.lon_deg, -40.0, 170.0) < 200.0


def test_the_place_gathers_mass_across_the_antimeridian(grid: Grid) -> None:
    west, east, far = cell(grid, 0.0, 179.0), cell(grid, 0.0, -179.0), cell(grid, 0.0, 0.0)
    place = at(grid, {west: 0.3, east: 0.3, far: 0.4}).place(radius_km=500.0)
    assert abs(place.lon_deg) > 170.0
    assert place.mass == pytest.approx(0.6, abs=1e-5)


def test_expected_distance(grid: Grid) -> None:
    a, b = cell(grid, 0.0, 0.0), cell(grid, 0.0, 90.0)
    lat, lon = grid.lat_lon_deg
    km = float(sphere.distance_km(lat[a], lon[a], lat[b], lon[b]))
    one, other = at(grid, {a: 1.0}), at(grid, {b: 1.0})
    assert one.expected_distance_km(other) == pytest.approx(km, abs=0.01)
    assert one.expected_distance_km(one) == pytest.approx(0.0, abs=1e-9)
    assert one.expected_distance_km(to=(float(lat[b]), float(lon[b]))) == pytest.approx(km, abs=0.01)
    half = at(grid, {a: 0.5, b: 0.5})
    assert half.expected_distance_km(half) == pytest.approx(km / 2, abs=0.01)
    with pytest.raises(ValueError):
        one.expected_distance_km()


def test_the_expected_distance_from_a_uniform_sphere_is_a_quarter_turn(grid: Grid) -> None:
    alike = Posterior(grid, uniform(grid).log_mass)
    assert alike.expected_distance_km(to=(40.0, -3.0)) == pytest.approx(np.pi * sphere.EARTH_RADIUS_KM / 2, rel=2e-3)


def test_sampling_is_seeded_and_follows_the_mass(grid: Grid) -> None:
    posterior = at(grid, {3: 0.2, 50: 0.8})
    drawn = posterior.sample(10_000, seed=5)
    assert (drawn == posterior.sample(10_000, seed=5)).all()
    assert set(np.unique(drawn)) == {3, 50}
    assert (drawn == 50).mean() == pytest.approx(0.8, abs=0.02)


def test_refined_mass_sums_to_the_parent(grid: Grid) -> None:
    finer = grid.refined(np.arange(0, len(grid), 7), 3)
    posterior = Posterior.of(Prior("land", finer, np.log(finer.area_km2 / finer.area_km2.sum())), np.zeros(len(finer)))
    cells, log_mass = posterior.at_resolution(2)
    assert (cells == grid.cells).all()
    assert np.exp(log_mass).sum() == pytest.approx(1.0)
    np.testing.assert_allclose(np.exp(log_mass), np.exp(uniform(grid).log_mass), rtol=0.03)
