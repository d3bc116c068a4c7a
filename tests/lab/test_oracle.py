"""Lists are corrupted as published, and a place is found again from its whole list."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest
from scipy import sparse

from engine.core import sphere
from engine.core.grid import Grid
from engine.lab.bench import oracle


def test_corruption_is_exact():
    rng = np.random.default_rng(0)
    for n in (0, 1, 9, 10, 11, 250, 251):
        listed = np.arange(n) * 3
        assert (oracle.corrupted(listed, "full", rng) == listed).all()
        half = oracle.corrupted(listed, "half", rng)
        assert len(half) == n - n // 2 and set(half) <= set(listed) and len(set(half)) == len(half)
        assert len(oracle.corrupted(listed, "keep10", rng)) == min(10, n)


def test_removal_is_fair():
    """Every species is left out about as often as any other."""
    rng = np.random.default_rng(1)
    count = np.zeros(20)
    for _ in range(2000):
        count[oracle.corrupted(np.arange(20), "half", rng)] += 1
    assert np.abs(count / 2000 - 0.5).max() < 0.06


@pytest.fixture(scope="module")
def bayes() -> oracle.Bayes:
    """A small world: the cells of central Europe."""
    centre = h3.latlng_to_cell(48.0, 9.0, 3)
    grid = Grid.of([int(c) for c in h3.grid_disk(centre, 5)])
    lat, lon = grid.lat_lon_deg
    return oracle.Bayes(oracle.Lists(grid), oracle.Atoms.of(grid, lat, lon))


def test_a_place_is_found_from_its_list(bayes):
    lat, lon = np.array([48.3, 46.5, 49.9]), np.array([9.4, 11.0, 7.2])
    test = oracle.Test(("a", "b", "c"), lat, lon)
    errors = oracle.measure(test, bayes, say=lambda _: None)
    assert errors["full"].max() < 40 and errors["half"].max() < 120
    assert np.isfinite(errors["keep10"]).all()
    again = oracle.measure(test, bayes, say=lambda _: None)
    assert all((errors[c] == again[c]).all() for c in oracle.CONDITIONS)


def test_mass_within_a_radius_counts_neighbours(bayes):
    """Two cells side by side outweigh a heavier one that stands alone."""
    grid = bayes.lists.grid
    alone = len(grid) - 1
    others = np.argsort(sphere.pairwise_km(grid.xyz[:1], grid.xyz)[0])[:4]
    mass = np.full(len(grid), 1e-9)
    mass[alone], mass[others] = 0.3, 0.175
    lat, lon = bayes.most_mass(np.log(mass)[None].astype(np.float32))
    assert sphere.distance_km(lat, lon, *(x[0] for x in grid.lat_lon_deg))[0] < 200


def test_no_test_place_is_in_the_prior():
    from engine.core.paths import data_dir
    from engine.world.gallery import gallery

    path = data_dir() / "inat_test_gold.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    test = oracle.Test.read(path)
    assert len(test.id) == 49527
    places = {(round(a, 6), round(b, 6)) for a, b in zip(*gallery(), strict=True)}
    shared = sum((round(a, 6), round(b, 6)) in places for a, b in zip(test.lat_deg, test.lon_deg, strict=True))
    assert shared == 0


def test_linear_map_learns(bayes):
    grid = bayes.lists.grid
    lat, lon = grid.lat_lon_deg
    own = oracle.LinearRetrieval(bayes.lists, lat, lon, "full")
    own.STEPS, own.BATCH = 20, 64
    logit = bayes.lists.logit(lat[:20], lon[:20])
    kept = sparse.csr_matrix((logit >= oracle.LEVEL).astype(np.float32))
    found = own.places(kept)
    error = sphere.distance_km(*found, lat[:20], lon[:20])
    chance = sphere.distance_km(lat[40:60], lon[40:60], lat[:20], lon[:20])
    assert np.median(error) < np.median(chance)
