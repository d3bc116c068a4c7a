"""The map: a set of H3 cells, of one or several resolutions, that do not overlap.

A cell may carry points (gallery places, cities) it was refined to; its likelihood is then the mean over them, so that
many points in one cell don't make it likelier. Cell areas differ more than twofold within one resolution, so whatever is
uniform is uniform by area.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from engine.core import sphere

WORLD_RESOLUTION = 3


@dataclass(frozen=True, eq=False)
class Grid:
    """Disjoint H3 cells.

    Attributes:
        cells: (n,) uint64 H3 indices, sorted, none an ancestor of another.
    """

    cells: NDArray[np.uint64] = field(repr=False)

    def __post_init__(self) -> None:
        if self.cells.dtype != np.uint64 or self.cells.ndim != 1 or len(self.cells) == 0:
            raise ValueError("a grid needs a non-empty flat array of uint64 H3 cells")
        if (self.cells[1:] <= self.cells[:-1]).any():
            raise ValueError("the cells of a grid must be sorted and distinct")

    def __len__(self) -> int:
        return len(self.cells)

    @classmethod
    def of(cls, cells: Sequence[int] | NDArray[np.uint64]) -> Grid:
        """A grid of these cells, sorted and made distinct."""
        return cls(np.unique(np.asarray(cells, dtype=np.uint64)))

    @classmethod
    def known(
        cls,
        cells: NDArray[np.uint64],
        lat_deg: NDArray[np.float64],
        lon_deg: NDArray[np.float64],
        area_km2: NDArray[np.float64],
    ) -> Grid:
        """A grid whose centres and areas, each (n,) in the order of the sorted cells, need not be computed."""
        grid = cls(cells)
        if not len(cells) == len(lat_deg) == len(lon_deg) == len(area_km2):
            raise ValueError("centres and areas must be as many as the cells")
        grid.__dict__["lat_lon_deg"] = (lat_deg, lon_deg)
        grid.__dict__["area_km2"] = area_km2
        return grid

    @cached_property
    def lat_lon_deg(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Centres of the cells in degrees, each (n,)."""
        centres = cell_centres(self.cells)
        return centres[:, 0], centres[:, 1]

    @cached_property
    def xyz(self) -> NDArray[np.float64]:
        """Centres as unit vectors (n, 3)."""
        return sphere.to_xyz(*self.lat_lon_deg)

    @cached_property
    def area_km2(self) -> NDArray[np.float64]:
        """Area of each cell in km², (n,)."""
        return _areas_km2(self.cells)

    @cached_property
    def resolution(self) -> NDArray[np.int8]:
        """H3 resolution of each cell, (n,); bits 52 to 55 of the index."""
        return resolutions_of(self.cells)

    @cached_property
    def key(self) -> str:
        """Short hash of the cells, for caches."""
        return hashlib.sha256(self.cells.tobytes()).hexdigest()[:16]

    def drop_derived(self) -> None:
        """Forget what is soon worked out again: for refined grids, of which there is one a scene."""
        self.__dict__.pop("xyz", None)

    def parents(self, resolution: int) -> NDArray[np.uint64]:
        """(n,) the ancestor of each cell at this resolution; a coarser cell stays itself."""
        return parents_of(self.cells, resolution)

    def locate(self, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.int64]:
        """Index of the cell that holds each place, (m,); -1 where no cell does.

        H3's children stick out of their parent a little, so where resolutions meet a place may lie in the outline of two
        cells or of none. The place's cell at the grid's finest resolution decides: the ancestor of it that is in the
        grid holds the place; where none is, the outline of a coarser cell does.
        """
        lat = np.atleast_1d(np.asarray(lat_deg, dtype=np.float64))
        lon = np.atleast_1d(np.asarray(lon_deg, dtype=np.float64))
        levels = np.unique(self.resolution)[::-1]
        finest = cells_at(lat, lon, int(levels[0]))
        found = self.holding(finest)
        for level in levels[1:]:
            lost = np.flatnonzero(found < 0)
            if len(lost) == 0:
                break
            found[lost] = self.index_of(cells_at(lat[lost], lon[lost], int(level)))
        return found

    def index_of(self, cells: NDArray[np.uint64]) -> NDArray[np.int64]:
        """(m,) position of these very cells in the grid, -1 where the grid doesn't have them."""
        at = np.clip(np.searchsorted(self.cells, cells), 0, len(self.cells) - 1)
        return np.where(self.cells[at] == cells, at, -1)

    def holding(self, cells: NDArray[np.uint64]) -> NDArray[np.int64]:
        """(m,) position of the grid's cell that is each of these cells or an ancestor of it, -1 where none is."""
        cells = np.asarray(cells, dtype=np.uint64)
        own = resolutions_of(cells)
        found = np.full(len(cells), -1, dtype=np.int64)
        for level in np.unique(self.resolution):
            at = self.index_of(parents_of(cells, int(level)))
            hit = (at >= 0) & (own >= level)
            found[hit] = at[hit]
        return found

    def refined(self, which: NDArray[np.bool_] | NDArray[np.int64], resolution: int) -> Grid:
        """This grid with the chosen cells replaced by their descendants at `resolution`.

        Centres and areas of the cells that stay are carried over.

        Raises:
            ValueError: a chosen cell is finer than `resolution`.
        """
        chosen = np.zeros(len(self), dtype=bool)
        chosen[which] = True
        if (self.resolution[chosen] > resolution).any():
            raise ValueError(f"a cell finer than resolution {resolution} cannot be refined to it")
        if not chosen.any():
            return self
        fresh = np.concatenate([h3.cell_to_children(c, resolution) for c in self.cells[chosen]]).astype(np.uint64)
        cells = np.concatenate([self.cells[~chosen], fresh])
        order = np.argsort(cells, kind="stable")
        lat, lon = self.lat_lon_deg
        centres = cell_centres(fresh)
        return Grid.known(
            cells[order],
            np.concatenate([lat[~chosen], centres[:, 0]])[order],
            np.concatenate([lon[~chosen], centres[:, 1]])[order],
            np.concatenate([self.area_km2[~chosen], _areas_km2(fresh)])[order],
        )


def cells_at(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], resolution: int) -> NDArray[np.uint64]:
    """The H3 cell of each place, (m,), in whose outline it lies.

    Raises:
        ValueError: a coordinate is NaN or infinite, or a latitude is beyond a pole.
    """
    if not (np.isfinite(lat_deg).all() and np.isfinite(lon_deg).all()) or (np.abs(lat_deg) > 90.0).any():
        raise ValueError("a coordinate is not a finite number or lies beyond a pole")
    pairs = zip(np.asarray(lat_deg).tolist(), np.asarray(lon_deg).tolist(), strict=True)
    return np.array([h3.latlng_to_cell(a, b, resolution) for a, b in pairs], dtype=np.uint64)


def resolutions_of(cells: NDArray[np.uint64]) -> NDArray[np.int8]:
    """H3 resolution of each cell, (n,); bits 52 to 55 of the index."""
    return ((np.asarray(cells, dtype=np.uint64) >> np.uint64(52)) & np.uint64(0xF)).astype(np.int8)


def parents_of(cells: NDArray[np.uint64], resolution: int) -> NDArray[np.uint64]:
    """Ancestors at `resolution` of H3 cells (n,), by bit work: fill the digits below with ones, write the resolution.

    A cell that is coarser already stays itself. Source: the H3 index layout, h3geo.org/docs/core-library/h3Indexing.
    """
    cells = np.asarray(cells, dtype=np.uint64)
    low_digits = np.uint64((1 << (3 * (15 - resolution))) - 1)
    cleared = cells & ~(np.uint64(0xF) << np.uint64(52))
    parent = (cleared | (np.uint64(resolution) << np.uint64(52))) | low_digits
    return np.where(resolutions_of(cells) > resolution, parent, cells)


def cell_centres(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """(n, 2) latitude and longitude of the centres of H3 cells, degrees."""
    return np.array([h3.cell_to_latlng(c) for c in cells.tolist()])


def _areas_km2(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    return np.array([h3.cell_area(c, unit="km^2") for c in cells.tolist()])
