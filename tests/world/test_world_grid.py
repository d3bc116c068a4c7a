"""The world grid, its points and its priors."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest

from engine.core.errors import SettingError
from engine.core.grid import Grid, cells_at
from engine.core.posterior import Posterior
from engine.core.settings import PRIORS
from engine.world import gallery, places, priors, refine
from engine.world.grid import world, world_grid


def test_the_grid_is_what_it_says() -> None:
    grid = world_grid()
    assert len(grid) == 14_433
    assert (grid.resolution == 3).all()
    assert world_grid() is grid
    assert (world().land_share > 0).sum() == 14_369
    # Natural Earth's land, without the Antarctic ice shelves, which it draws apart.
    assert (world().land_share * grid.area_km2).sum() == pytest.approx(146.7e6, rel=5e-3)


def test_stored_centres_and_areas_are_h3s() -> None:
    grid = world_grid()
    fresh = Grid(grid.cells)
    np.testing.assert_allclose(grid.area_km2, fresh.area_km2, rtol=1e-12)
    np.testing.assert_allclose(grid.xyz, fresh.xyz, atol=1e-12)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (-89.99, 0),
        (-16.8, 179.99),
        (-16.8, -179.99),
        (66.0, 179.9),
        (66.0, -175.0),
        (52.9, 173.0),
        (51.88, -176.65),
        (-77.85, 166.7),
    ],
)
def test_land_at_pole_and_antimeridian_is_in_the_grid(lat: float, lon: float) -> None:
    at = world_grid().locate(np.array([lat]), np.array([lon]))[0]
    assert at >= 0 and world().land_share[at] > 0


def test_open_sea_is_not() -> None:
    at = world_grid().locate(np.array([0.0, 89.9, 35.0]), np.array([-150.0, 0.0, -40.0]))
    assert (at == -1).all()


def test_all_gallery_points_and_cities_are_in_the_grid() -> None:
    lat, lon = gallery.gallery()
    assert lat.shape == lon.shape == (100_000,)
    assert (world_grid().locate(lat, lon) >= 0).all()
    assert (world_grid().holding(places.cells(7)) >= 0).all()
    assert (world_grid().locate(places.cities().lat_deg, places.cities().lon_deg) >= 0).all()


def test_the_gallery_is_geoclips_own_in_its_order() -> None:
    lat, lon = gallery.gallery()
    assert (lat[0], lon[0]) == (-50.943392, -72.935664)
    assert (lat[1], lon[1]) == (34.201047, -118.599931)


def mixed() -> Grid:
    rng = np.random.default_rng(0)
    finer = world_grid().refined(rng.choice(len(world_grid()), 500, replace=False), 4)
    return finer.refined(np.flatnonzero(finer.resolution == 4)[::9], 5)


@pytest.mark.parametrize("name", PRIORS)
def test_a_prior_is_positive_everywhere_and_refines_to_the_same_masses(name: str) -> None:
    whole = priors.prior(name, world_grid())
    assert np.isfinite(whole.log_mass).all()
    assert np.exp(whole.log_mass).sum() == pytest.approx(1.0)
    grid = mixed()
    fine = priors.prior(name, grid)
    assert np.isfinite(fine.log_mass).all()
    summed = np.bincount(world_grid().holding(grid.cells), weights=np.exp(fine.log_mass))
    np.testing.assert_allclose(summed, np.exp(whole.log_mass), rtol=1e-9)


def test_land_is_uniform_by_area() -> None:
    density = np.exp(priors.prior("land", world_grid()).log_mass) / world_grid().area_km2
    inland = world().land_share > 0.999
    assert density[inland].max() / density[inland].min() == pytest.approx(1.0, abs=2e-3)
    at = world_grid().locate(np.array([-80.0, 25.0]), np.array([60.0, 10.0]))  # Antarctica and the Sahara alike
    assert density[at[0]] == pytest.approx(density[at[1]], rel=1e-3)


def test_the_mixture_is_half_and_half() -> None:
    mass = {name: np.exp(priors.prior(name, mixed()).log_mass) for name in PRIORS}
    np.testing.assert_allclose(mass["mixture"], (mass["land"] + mass["observer"]) / 2, rtol=1e-9)


def test_observers_are_where_the_gallery_is_and_people_where_cities_are() -> None:
    grid = world_grid()
    paris, sahara, dhaka = grid.locate(np.array([48.86, 23.0, 23.8]), np.array([2.35, 10.0, 90.4]))
    observer, population = (priors.prior(n, grid).log_mass for n in ("observer", "population"))
    assert observer[paris] > observer[sahara] + 5
    assert population[dhaka] > population[sahara] + 5
    members = gallery.members(grid)
    assert np.argmax(observer) == np.argmax(members.counts)


def test_a_child_without_a_gallery_point_keeps_some_mass() -> None:
    paris = world_grid().locate(np.array([48.86]), np.array([2.35]))
    grid = world_grid().refined(paris, 5)
    fine = priors.prior("observer", grid)
    empty = (grid.resolution == 5) & (gallery.members(grid).counts == 0)
    busiest = np.argmax(np.where(grid.resolution == 5, gallery.members(grid).counts, 0))
    assert empty.any()
    assert (fine.log_mass[busiest] - fine.log_mass[empty] > 3).all()


def test_cells_outside_the_world_grid_get_next_to_nothing() -> None:
    sea = cells_at(np.array([0.0]), np.array([-150.0]), 3)
    grid = Grid.of(np.concatenate([world_grid().cells, sea]))
    mass = np.exp(priors.prior("mixture", grid).log_mass)
    assert 0 < mass[grid.index_of(sea)[0]] < 1e-8


def test_a_lone_child_gets_no_more_than_its_share() -> None:
    children = h3.cell_to_children(int(world_grid().cells[100]), 5)
    grid = Grid.of(np.concatenate([np.delete(world_grid().cells, 100), np.asarray(children[:1], dtype=np.uint64)]))
    alone = np.exp(priors.prior("land", grid).log_mass)[grid.index_of(np.asarray(children[:1], dtype=np.uint64))[0]]
    whole = np.exp(priors.prior("land", world_grid()).log_mass[100])
    assert alone == pytest.approx(whole / 49, rel=0.25)


def test_unknown_priors_are_refused_by_name() -> None:
    with pytest.raises(SettingError, match="choose one of mixture"):
        priors.prior("moon", world_grid())
    with pytest.raises(ValueError):
        priors.prior("land", Grid.of(cells_at(np.array([47.0]), np.array([8.0]), 8)))


def test_members_are_the_points_in_each_cell_and_means_don_t_grow_with_their_number() -> None:
    grid = mixed()
    members = gallery.members(grid)
    assert members.counts.sum() == 100_000
    lat, _ = gallery.gallery()
    busy = int(np.argmax(members.counts))
    held = members.of(busy)
    assert (grid.holding(gallery.cells()[held]) == busy).all()
    values = np.sin(np.radians(lat)) + 2
    mean = members.mean(values, np.full(len(grid), -7.0))
    assert mean[busy] == pytest.approx(values[held].mean())
    assert (mean[members.counts == 0] == -7.0).all()
    far_below = np.log(values) - 3000.0
    log_mean = members.log_mean(far_below, np.full(len(grid), -9.0))
    np.testing.assert_allclose(log_mean[members.counts > 0], np.log(mean[members.counts > 0]) - 3000.0)
    assert (log_mean[members.counts == 0] == -9.0).all()


def posterior(log_likelihood: np.ndarray) -> Posterior:
    return Posterior.of(priors.prior("land", world_grid()), log_likelihood)


def around(lat: float, lon: float, km: float) -> Posterior:
    from engine.core import sphere

    return posterior(-((sphere.distance_km(lat, lon, *world_grid().lat_lon_deg) / km) ** 2))


def test_refining_is_bounded_and_finest_where_the_mass_is() -> None:
    sure = around(47.4, 8.5, 80.0)
    grid = refine.refined(sure)
    top = int(np.argmax(sure.mass))
    inside = world_grid().holding(grid.cells) == top
    assert (grid.resolution[inside] == 5).all() and inside.sum() == 49
    assert grid.area_km2[inside].max() < np.pi * 25**2
    assert len(grid) < len(world_grid()) + 1500  # a sure posterior costs little
    vague = posterior(np.zeros(len(world_grid())))
    wide = refine.refined(vague, sure)
    assert len(world_grid()) < len(wide) <= len(world_grid()) + refine.MOST_CELLS
    assert set(np.unique(wide.resolution)) == {3, 4, 5}
    lat, lon = gallery.gallery()
    assert (wide.locate(lat[::50], lon[::50]) >= 0).all()


def test_two_posteriors_are_both_refined() -> None:
    here, there = around(47.4, 8.5, 80.0), around(-33.9, 18.4, 80.0)
    grid = refine.refined(here, there)
    for p in (here, there):
        top = int(np.argmax(p.mass))
        assert (grid.resolution[world_grid().holding(grid.cells) == top] == 5).all()


def test_refining_needs_posteriors_on_one_grid() -> None:
    with pytest.raises(ValueError):
        refine.refined()
    other = priors.prior("land", mixed())
    with pytest.raises(ValueError):
        refine.refined(posterior(np.zeros(len(world_grid()))), Posterior(other.grid, other.log_mass))
