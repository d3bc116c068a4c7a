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
        if (np.diff(self.cells.astype(object)) <= 0).any() if len(self.cells) < 2 else (self.cells[1:] <= self.cells[:-1]).any():
            raise ValueError("the cells of a grid must be sorted and distinct")

    def __len__(self) -> int:
        return len(self.cells)

    @classmethod
    def of(cls, cells: Sequence[int] | NDArray[np.uint64]) -> Grid:
        """A grid of these cells, sorted and made distinct."""
        return cls(np.unique(np.asarray(cells, dtype=np.uint64)))

    @cached_property
    def lat_lon_deg(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Centres of the cells in degrees, each (n,)."""
        centres = np.array([h3.cell_to_latlng(c) for c in self.cells])
        return centres[:, 0], centres[:, 1]

    @cached_property
    def xyz(self) -> NDArray[np.float64]:
        """Centres as unit vectors (n, 3)."""
        return sphere.to_xyz(*self.lat_lon_deg)

    @cached_property
    def area_km2(self) -> NDArray[np.float64]:
        """Area of each cell in km², (n,)."""
        return np.array([h3.cell_area(c, unit="km^2") for c in self.cells])

    @cached_property
    def resolution(self) -> NDArray[np.int8]:
        """H3 resolution of each cell, (n,); bits 52 to 55 of the index."""
        return ((self.cells >> np.uint64(52)) & np.uint64(0xF)).astype(np.int8)

    @cached_property
    def key(self) -> str:
        """Short hash of the cells, for caches."""
        return hashlib.sha256(self.cells.tobytes()).hexdigest()[:16]

    def parents(self, resolution: int) -> NDArray[np.uint64]:
        """(n,) the ancestor of each cell at this resolution; a coarser cell stays itself."""
        return parents_of(self.cells, resolution)

    def locate(self, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.int64]:
        """Index of the cell that holds each place, (m,); -1 where no cell does."""
        lat = np.atleast_1d(np.asarray(lat_deg, dtype=np.float64))
        lon = np.atleast_1d(np.asarray(lon_deg, dtype=np.float64))
        found = np.full(len(lat), -1, dtype=np.int64)
        for res in np.unique(self.resolution):
            cells = np.array([h3.latlng_to_cell(a, b, int(res)) for a, b in zip(lat, lon, strict=True)], dtype=np.uint64)
            at = np.clip(np.searchsorted(self.cells, cells), 0, len(self.cells) - 1)
            hit = self.cells[at] == cells
            found[hit] = at[hit]
        return found

    def refined(self, which: NDArray[np.bool_] | NDArray[np.int64], resolution: int) -> Grid:
        """This grid with the chosen cells replaced by their descendants at `resolution`."""
        chosen = np.zeros(len(self), dtype=bool)
        chosen[which] = True
        kept = self.cells[~chosen]
        children = [h3.cell_to_children(c, resolution) for c in self.cells[chosen]]
        return Grid.of(np.concatenate([kept, *children]) if children else kept)


def parents_of(cells: NDArray[np.uint64], resolution: int) -> NDArray[np.uint64]:
    """Ancestors at `resolution` of H3 cells (n,), by bit work: fill the digits below with ones, write the resolution.

    Source: the H3 index layout, h3geo.org/docs/core-library/h3Indexing.
    """
    cells = cells.astype(np.uint64)
    own = ((cells >> np.uint64(52)) & np.uint64(0xF)).astype(np.int64)
    low_digits = np.uint64((1 << (3 * (15 - resolution))) - 1)
    cleared = cells & ~(np.uint64(0xF) << np.uint64(52))
    parent = (cleared | (np.uint64(resolution) << np.uint64(52))) | low_digits
    return np.where(own > resolution, parent, cells)
