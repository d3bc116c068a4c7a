"""The grid: bit work against the H3 library, refinement, and places where resolutions meet."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest

from engine.core.grid import Grid, cells_at, parents_of, resolutions_of


def places(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)


def whole_earth(resolution: int) -> Grid:
    return Grid.of(np.concatenate([h3.cell_to_children(c, resolution) for c in h3.get_res0_cells()]))


@pytest.fixture(scope="module")
def mixed() -> Grid:
    grid = whole_earth(1)
    rng = np.random.default_rng(4)
    finer = grid.refined(rng.choice(len(grid), 100, replace=False), 2)
    return finer.refined(np.flatnonzero(finer.resolution == 2)[::5], 4)


def test_parents_by_bits_are_h3s_own() -> None:
    cells = cells_at(*places(500, 0), 9)
    pentagon = np.array([int(c) for c in h3.get_pentagons(9)], dtype=np.uint64)
    for cell_set in (cells, pentagon):
        for resolution in range(10):
            expected = [h3.cell_to_parent(int(c), resolution) for c in cell_set]
            assert (parents_of(cell_set, resolution) == np.array(expected, dtype=np.uint64)).all()
        assert (parents_of(cell_set, 12) == cell_set).all()
        assert (resolutions_of(cell_set) == 9).all()


def test_one_resolution_locates_as_h3_does_even_at_poles_and_antimeridian() -> None:
    grid = whole_earth(2)
    lat, lon = places(2000, 1)
    lat, lon = np.append(lat, [90, -90, 0, 0, 65]), np.append(lon, [0, 77, 180, -180, 179.9999])
    expected = np.array([h3.latlng_to_cell(a, b, 2) for a, b in zip(lat, lon, strict=True)], dtype=np.uint64)
    assert (grid.cells[grid.locate(lat, lon)] == expected).all()


def test_every_place_on_earth_is_in_some_cell_of_a_mixed_grid(mixed: Grid) -> None:
    """H3's children stick out of their parents: asking resolution by resolution loses places along the seams."""
    lat, lon = places(20_000, 2)
    found = mixed.locate(lat, lon)
    assert (found >= 0).all()
    assert set(np.unique(mixed.resolution[found])) == {1, 2, 4}


def test_cell_centres_are_located_in_their_own_cell(mixed: Grid) -> None:
    assert (mixed.locate(*mixed.lat_lon_deg) == np.arange(len(mixed))).all()


def test_places_outside_are_minus_one_and_nonsense_raises() -> None:
    grid = Grid.of(cells_at(np.array([47.0]), np.array([8.0]), 3))
    assert grid.locate(np.array([47.0, -47.0]), np.array([8.0, 8.0])).tolist() == [0, -1]
    with pytest.raises(ValueError):
        grid.locate(np.array([np.nan]), np.array([8.0]))
    with pytest.raises(ValueError):
        grid.locate(np.array([90.5]), np.array([8.0]))


def test_refining_keeps_the_area_and_carries_the_rest_over(mixed: Grid) -> None:
    assert mixed.area_km2.sum() == pytest.approx(4 * np.pi * 6371.0072**2, rel=1e-4)
    fresh = Grid(mixed.cells)
    np.testing.assert_allclose(mixed.area_km2, fresh.area_km2, rtol=1e-12)
    np.testing.assert_allclose(mixed.xyz, fresh.xyz, atol=1e-12)
    assert mixed.key == fresh.key


def test_areas_differ_more_than_twofold_within_a_resolution() -> None:
    # Nearly twofold among resolution-2 cells already, leaving the pentagons aside: why uniform means uniform by area.
    area = whole_earth(3).area_km2
    assert np.quantile(area, 0.999) / np.quantile(area, 0.001) > 1.9
    assert area.max() / area.min() > 2.0


def test_refining_what_is_finer_already_raises(mixed: Grid) -> None:
    with pytest.raises(ValueError):
        mixed.refined(mixed.resolution == 4, 3)
    assert mixed.refined(np.zeros(len(mixed), dtype=bool), 5) is mixed


def test_holding_finds_ancestors_only(mixed: Grid) -> None:
    children = h3.cell_to_children(int(mixed.cells[10]), 6)
    assert (mixed.holding(np.asarray(children, dtype=np.uint64)) == 10).all()
    coarser = parents_of(mixed.cells[mixed.resolution == 4][:3], 0)
    assert (mixed.holding(coarser) == -1).all()


def test_malformed_grids_are_refused() -> None:
    with pytest.raises(ValueError):
        Grid(np.array([], dtype=np.uint64))
    with pytest.raises(ValueError):
        Grid(np.array([5, 3], dtype=np.uint64))
    with pytest.raises(ValueError):
        Grid(np.array([3, 3], dtype=np.uint64))
    with pytest.raises(ValueError):
        Grid(np.array([3], dtype=np.int64))  # type: ignore[arg-type]
