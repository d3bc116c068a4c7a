"""The world grid: every H3 cell of resolution 3 that overlaps land, and the cells of all gallery points and cities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.core.grid import WORLD_RESOLUTION, Grid
from engine.world import assets


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """The world grid and what is known of its cells.

    Attributes:
        grid: the cells, all of resolution 3.
        land_share: (cells,) share of the cell that is land in Natural Earth's 10 m data, 0 to 1.
        country: (cells,) country with most land in it, an index into assets.codes(); -1 for none.
        mixed: (cells,) whether more than one country has land in it.
    """

    grid: Grid
    land_share: NDArray[np.float64] = field(repr=False)
    country: NDArray[np.int64] = field(repr=False)
    mixed: NDArray[np.bool_] = field(repr=False)


@cache
def world() -> World:
    """The world grid with its tables."""
    held = assets.arrays("grid")
    grid = Grid.known(
        held["cells"].astype(np.uint64),
        held["lat_deg"].astype(np.float64),
        held["lon_deg"].astype(np.float64),
        held["area_km2"].astype(np.float64),
    )
    return World(grid, held["land_share"].astype(np.float64), held["country"].astype(np.int64), held["mixed"].astype(np.bool_))


def world_grid() -> Grid:
    """The world grid; the same object on every call."""
    return world().grid


def handed_down(grid: Grid, values_of: Callable[[Grid], NDArray[np.float64]]) -> NDArray[np.float64]:
    """(cells,) values that know nothing finer than the world grid: each finer cell has its world cell's.

    Args:
        grid: any grid; one with coarser cells than the world's is worked out as it is.
        values_of: works out (cells,) values; called with the world grid, to which world cells that it lacks (islets) are added.
    """
    own = world_grid()
    if grid is own or int(grid.resolution.min()) < WORLD_RESOLUTION:
        return values_of(grid)
    parents = grid.parents(WORLD_RESOLUTION)
    lacking = np.setdiff1d(parents, own.cells)
    wide = Grid.of(np.concatenate([own.cells, lacking])) if len(lacking) else own
    return values_of(wide)[np.searchsorted(wide.cells, parents)]
