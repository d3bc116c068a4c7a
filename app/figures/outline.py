"""The edge of a set of map cells, fast enough to follow every edit: an edge shared by two cells of the set is inside it.

Cells of one size share their edges exactly, so shared edges cancel. Where sizes meet they don't: there, what lies across an
edge is looked up in the grid.
"""

from __future__ import annotations

from functools import lru_cache

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from engine import Grid

_ACROSS = 1.25  # how far from the centre, in units of centre to edge, one looks for what lies across


def edge_paths(grid: Grid, inside: NDArray[np.bool_]) -> list[list[list[float]]]:
    """The outline of the cells with inside (cells,) true, as runs of [lon, lat]; runs end at the antimeridian."""
    starts, ends, owner = _loose_edges(grid.cells, np.flatnonzero(inside))
    if len(owner) == 0:
        return []
    if len(np.unique(grid.resolution)) > 1:
        kept = ~_inside_across(grid, inside, starts, ends, owner)
        starts, ends = starts[kept], ends[kept]
    return _chained(starts, ends)


@lru_cache(maxsize=60_000)
def _boundary(cell: int) -> NDArray[np.float64]:
    return np.array(h3.cell_to_boundary(np.uint64(cell)))


def _loose_edges(
    cells: NDArray[np.uint64], which: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Edges that only one of these cells has: starts (e, 2) and ends (e, 2) as lat, lon, and whose they are (e,)."""
    if len(which) == 0:
        return np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.int64)
    rings = [_boundary(c) for c in cells[which].tolist()]
    sizes = np.array([len(r) for r in rings])
    starts = np.concatenate(rings)
    after = np.arange(1, len(starts) + 1)
    last = np.cumsum(sizes)
    after[last - 1] = last - sizes
    ends = starts[after]
    a, b = _corner_keys(starts), _corner_keys(ends)
    pair = np.minimum(a, b) * np.int64(31) + np.maximum(a, b)  # wraps around: a hash, not a number
    order = np.argsort(pair, kind="stable")
    same = pair[order][1:] == pair[order][:-1]
    loose = np.ones(len(pair), dtype=bool)
    loose[order[1:][same]] = loose[order[:-1][same]] = False
    return starts[loose], ends[loose], np.repeat(which, sizes)[loose]


def _corner_keys(corners: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) one number per corner, to a millionth of a degree (10 cm)."""
    micro = np.round(corners * 1e6).astype(np.int64)
    return (micro[:, 0] << 32) + micro[:, 1]


def _inside_across(
    grid: Grid, inside: NDArray[np.bool_], starts: NDArray[np.float64], ends: NDArray[np.float64], owner: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(e,) whether the cell across each edge belongs to the set, though it is of another size."""
    centre = np.column_stack(grid.lat_lon_deg)[owner]
    middle_lon = starts[:, 1] + _turn(ends[:, 1] - starts[:, 1]) / 2
    lat = centre[:, 0] + _ACROSS * ((starts[:, 0] + ends[:, 0]) / 2 - centre[:, 0])
    lon = centre[:, 1] + _ACROSS * _turn(middle_lon - centre[:, 1])
    lat, lon = np.clip(lat, -90.0, 90.0), _turn(lon)
    own = grid.resolution[owner]
    found = np.full(len(owner), -1)
    for resolution in sorted(set(grid.resolution.tolist())):
        # Only another size than the edge's own can have been missed. Children do not quite fill their parent, so whose
        # child lies across is asked of the index, not of the point.
        look = np.flatnonzero((own != resolution) & (found < 0))
        cells = np.array([_holder(lat[i], lon[i], int(own[i]), resolution) for i in look], dtype=np.uint64)
        at = np.clip(np.searchsorted(grid.cells, cells), 0, len(grid) - 1)
        hit = grid.cells[at] == cells
        found[look[hit]] = at[hit]
    return (found >= 0) & inside[found]


def _holder(lat_deg: float, lon_deg: float, own: int, resolution: int) -> int:
    if resolution > own:
        return int(h3.latlng_to_cell(lat_deg, lon_deg, resolution))
    return int(h3.cell_to_parent(h3.latlng_to_cell(lat_deg, lon_deg, own), resolution))


def _turn(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    return (degrees + 180.0) % 360.0 - 180.0


def _chained(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> list[list[list[float]]]:
    whole = np.abs(starts[:, 1] - ends[:, 1]) < 180.0
    a = [tuple(p) for p in np.round(starts[whole][:, ::-1], 4).tolist()]
    b = [tuple(p) for p in np.round(ends[whole][:, ::-1], 4).tolist()]
    following: dict[tuple[float, ...], list[int]] = {}
    for i, p in enumerate(a):
        following.setdefault(p, []).append(i)
    into = set(b)
    unused = [True] * len(a)
    # Runs that begin nowhere else's end come first, so that a run cut by the antimeridian is not cut twice.
    order = sorted(range(len(a)), key=lambda i: a[i] in into)
    paths = []
    for first in order:
        if not unused[first]:
            continue
        run, at = [list(a[first])], first
        while True:
            unused[at] = False
            run.append(list(b[at]))
            at = next((j for j in following.get(b[at], ()) if unused[j]), -1)
            if at < 0:
                break
        paths.append(run)
    return paths
