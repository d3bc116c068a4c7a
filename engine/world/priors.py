"""Where clips come from before one is heard or seen, on any grid that refines the world's.

land        every square kilometre of land alike (a cell's area times its share of land).
observer    where people take pictures: the 100,000 places of GeoCLIP's gallery.
population  where people live: the cities of GeoNames with at least 500 people; those outside of them are not counted.
mixture     half land, half observer; the default.

Counts are shrunk towards land at every level, as with a Dirichlet prior: SMOOTH of the world's mass is spread over land, and
below the world grid a child gets its parent's mass in proportion to count + PSEUDO × its share of the parent's area. So no
cell is ever impossible, and a refined grid's masses add up to the parents' exactly.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SettingError
from engine.core.grid import WORLD_RESOLUTION, Grid, parents_of
from engine.core.posterior import Prior
from engine.core.settings import PRIORS
from engine.world import assets, gallery
from engine.world.grid import world, world_grid

SMOOTH = 0.05
# Places that a cell's area counts for below the world grid. The gallery predicts its own other half best with 5 to 10 (LOG.md).
PSEUDO = {"observer": 10.0, "population": 2_000.0}
LEAST_LAND = 0.01  # a coastal cell counts as at least a hundredth land, so that islets are not forgotten
ELSEWHERE = 1e-9  # weight of a cell outside the world grid, before normalising
_PARTS = {"mixture": ("land", "observer")}
_COUNT_RESOLUTION = 7


def prior(name: str, grid: Grid) -> Prior:
    """The prior of this name on a grid: positive everywhere, sum 1.

    Args:
        name: one of core.settings.PRIORS.
        grid: the world grid or a refinement of it, not finer than resolution 7; cells outside get next to nothing.

    Raises:
        SettingError: there is no such prior.
        ValueError: the grid is finer than resolution 7.
    """
    if name not in PRIORS:
        raise SettingError(f"There is no prior called {name!r}; choose one of {', '.join(PRIORS)}.")
    if grid.resolution.max() > _COUNT_RESOLUTION:
        raise ValueError(f"priors are known down to resolution {_COUNT_RESOLUTION} only")
    mass = sum((_mass(part, grid) for part in _PARTS.get(name, (name,))), np.zeros(len(grid)))
    return Prior(name, grid, np.log(mass / mass.sum()))


def _mass(name: str, grid: Grid) -> NDArray[np.float64]:
    """(cells,) mass, sum 1."""
    mass = _world_mass(name)
    if grid is world_grid():
        return mass
    at = world_grid().holding(grid.cells)
    inside = at >= 0
    out = np.full(len(grid), ELSEWHERE)
    parent, area = at[inside], grid.area_km2[inside]
    share = area / _whole(parent, area, world_grid().area_km2)
    own = np.where(grid.resolution[inside] == WORLD_RESOLUTION, 1.0, share)
    if name != "land":
        own = np.where(grid.resolution[inside] == WORLD_RESOLUTION, 1.0, _blended(name, grid, inside, parent, own))
    out[inside] = mass[parent] * own
    coarse = ~inside & (grid.resolution < WORLD_RESOLUTION)
    for level in np.unique(grid.resolution[coarse]):
        # A cell coarser than the world's holds the sum of its descendants.
        own_at = grid.index_of(parents_of(world_grid().cells, int(level)))
        np.add.at(out, own_at[own_at >= 0], mass[own_at >= 0])
    return np.asarray(out / out.sum())


def _whole(parent: NDArray[np.int64], area: NDArray[np.float64], parent_area: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) area that each cell's share of its parent is taken of: all the children's where all are there, else the parent's."""
    total = np.bincount(parent, weights=area, minlength=len(parent_area))
    complete = np.abs(total / parent_area - 1.0) < 0.02  # H3's children cover their parent to within about 1%
    whole: NDArray[np.float64] = np.where(complete, total, parent_area)[parent]
    return whole


def _blended(
    name: str, grid: Grid, inside: NDArray[np.bool_], parent: NDArray[np.int64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) share of the parent's mass, by count and area."""
    held = _counts(name, grid)[inside]
    in_parent = _counts(name, world_grid())[parent]
    return np.asarray((held + PSEUDO[name] * share) / (in_parent + PSEUDO[name]))


@cache
def _world_mass(name: str) -> NDArray[np.float64]:
    land = np.maximum(world().land_share, LEAST_LAND) * world_grid().area_km2
    land = land / land.sum()
    if name == "land":
        return np.asarray(land)
    counts = _counts(name, world_grid())
    return np.asarray((1.0 - SMOOTH) * counts / counts.sum() + SMOOTH * land)


def _counts(name: str, grid: Grid) -> NDArray[np.float64]:
    """(cells,) gallery points, or people, in each cell."""
    cells, cumulative = _table(name)
    # Descendants of a cell are neighbours in the order of the finest cells: a cell's count is a difference of sums.
    low, high = _span(grid)
    first, beyond = np.searchsorted(cells, low, side="left"), np.searchsorted(cells, high, side="right")
    return np.asarray(cumulative[beyond] - cumulative[first])


@cache
def _table(name: str) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    if name == "observer":
        cells, counts = gallery.counts_at(_COUNT_RESOLUTION)
    else:
        held = assets.arrays("people")
        cells, counts = held["cells"].astype(np.uint64), held["people"].astype(np.float64)
    return cells, np.concatenate([[0.0], np.cumsum(counts)])


def _span(grid: Grid) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """(n,) least and greatest index that a descendant at resolution 7 can have: digits 0…0 and 6…6 below the cell's own."""
    res = grid.resolution.astype(np.uint64)
    bits = np.uint64(3) * (np.uint64(_COUNT_RESOLUTION) - np.minimum(res, np.uint64(_COUNT_RESOLUTION)))
    shift = np.uint64(3 * (15 - _COUNT_RESOLUTION))
    cleared = (grid.cells & ~(np.uint64(0xF) << np.uint64(52))) | (np.uint64(_COUNT_RESOLUTION) << np.uint64(52))
    free = ((np.uint64(1) << bits) - np.uint64(1)) << shift
    return cleared & ~free, cleared | free
