"""GeoCLIP's gallery: 100,000 places where people took pictures (Vivanco Cepeda et al., NeurIPS 2023; from MP-16).

Its points stand for observers, and a cell that holds some may be scored by the mean over them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.core.grid import Grid, parents_of, resolutions_of
from engine.world import assets

POINT_RESOLUTION = 7


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Which points lie in which cells of a grid.

    Attributes:
        order: (k,) indices of the points that lie in the grid, those of one cell together, cells in the grid's order.
        starts: (cells + 1,) the points of cell i are order[starts[i]:starts[i + 1]].
    """

    order: NDArray[np.int64] = field(repr=False)
    starts: NDArray[np.int64] = field(repr=False)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(cells,) how many points each cell holds."""
        return np.diff(self.starts)

    def of(self, cell: int) -> NDArray[np.int64]:
        """Indices of the points in the grid's cell number `cell`."""
        return self.order[self.starts[cell] : self.starts[cell + 1]]

    def mean(self, values: NDArray[np.float64], fallback: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean over the points of each cell, never the sum; cells without a point keep the fallback.

        Args:
            values: (points,) one value a point.
            fallback: (cells,) what a cell without points is given, such as the value at its centre.
        """
        held = np.concatenate([[0.0], np.cumsum(values[self.order])])
        counts = self.counts
        total = held[self.starts[1:]] - held[self.starts[:-1]]
        return np.where(counts > 0, total / np.maximum(counts, 1), fallback)

    def log_mean(self, log_values: NDArray[np.float64], fallback: NDArray[np.float64]) -> NDArray[np.float64]:
        """Natural log of the mean of exp(log_values) over the points of each cell, safe against underflow."""
        out = np.array(fallback, dtype=np.float64, copy=True)
        held = np.flatnonzero(self.counts)
        if len(held):
            taken = log_values[self.order]
            starts = self.starts[held]
            peak = np.maximum.reduceat(taken, starts)
            counts = self.counts[held]
            total = np.add.reduceat(np.exp(taken - np.repeat(peak, counts)), starts)
            out[held] = peak + np.log(total / counts)
        return out


@cache
def _held() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint64]]:
    held = assets.arrays("gallery")
    return held["lat_udeg"].astype(np.float64) / 1e6, held["lon_udeg"].astype(np.float64) / 1e6, held["cells"].astype(np.uint64)


def gallery() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitudes and longitudes of the gallery in degrees, each (100000,), in GeoCLIP's own order."""
    lat, lon, _ = _held()
    return lat, lon


def cells() -> NDArray[np.uint64]:
    """(100000,) the H3 cell of each gallery point at resolution 7."""
    return _held()[2]


def members(grid: Grid) -> Members:
    """Which gallery points lie in which cell of a grid no finer than resolution 7."""
    return members_of(grid, cells())


def members_of(grid: Grid, point_cells: NDArray[np.uint64]) -> Members:
    """Which points, given by their fine H3 cells (points,), lie in which cell of a grid.

    Raises:
        ValueError: the grid is finer than the points' cells.
    """
    if len(point_cells) and grid.resolution.max() > resolutions_of(point_cells).min():
        raise ValueError("the grid is finer than the cells that the points are known by")
    at = grid.holding(point_cells)
    order = np.argsort(at, kind="stable")
    starts = np.searchsorted(at[order], np.arange(len(grid) + 1))
    return Members(order, starts)


@cache
def counts_at(resolution: int) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Cells of one resolution, 7 or coarser, that hold gallery points, sorted, and how many each holds."""
    found, counts = np.unique(parents_of(cells(), resolution), return_counts=True)
    return found, counts.astype(np.float64)
