"""What the land looks like: cover, heights, waters and climate, from assets/world/landscape.npz (scripts/make_landscape.py).

Land cover is MODIS's of 2019 in IGBP classes, heights are those of pvlib, climates Köppen and Geiger's by Rubel et al. 2016,
temperature and precipitation ERA5's monthly means of 2000 to 2025. The raster's cell is 0.25°, 28 km at the equator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from engine.core.grid import Grid, cell_centres
from engine.world import assets
from engine.world.grid import world_grid

COVERS = (
    "water",
    "needleleaf",
    "evergreen-broadleaf",
    "deciduous-broadleaf",
    "mixed",
    "shrub",
    "savanna",
    "grass",
    "wetland",
    "crop",
    "urban",
    "snow",
    "barren",
)
CLIMATES = (
    *("Af", "Am", "As", "Aw", "BSh", "BSk", "BWh", "BWk", "Cfa", "Cfb", "Cfc", "Csa", "Csb", "Csc", "Cwa", "Cwb", "Cwc"),
    *("Dfa", "Dfb", "Dfc", "Dfd", "Dsa", "Dsb", "Dsc", "Dsd", "Dwa", "Dwb", "Dwc", "Dwd", "EF", "ET"),
)
"""Köppen and Geiger's codes in the raster's order; a cell without land has none."""

LAPSE_C_PER_M = 0.0065  # ICAO standard atmosphere
_STEP_M, _LOWEST_M = 28.0, -450.0  # of pvlib's heights
_KM = 2.0
_PIXELS = 25
_ROWS, _COLUMNS = 720, 1440
_SNOW_C, _SNOW_EDGE_C = 0.0, 2.0  # a month with a mean of 0 °C has snow on the ground half of the time, if anything falls
_SNOW_MM = 5.0  # precipitation of the month and those before, below which snow hardly lies


@dataclass(frozen=True, eq=False)
class Landscape:
    """The land at n points, all arrays (n, …) float32.

    Attributes:
        cover: (n, 13) shares of COVERS, sum 1.
        mean_m, low_m, high_m: heights of the raster cell, metres, in steps of 28.
        relief_m: highest ground within 30 km less the lowest of the raster cell, as seen from a valley.
        sea_km, lake_km: from the middle of the raster cell to the nearest sea and lake, at most 508.
        months_c: (n, 12) monthly mean temperature, °C.
        rain_mm: (n, 12) monthly precipitation.
        climate: (n, 9) int8 index into CLIMATES of the raster cell and the eight around it, -1 where there is no land.
    """

    cover: NDArray[np.float32]
    mean_m: NDArray[np.float32]
    low_m: NDArray[np.float32]
    high_m: NDArray[np.float32]
    relief_m: NDArray[np.float32]
    sea_km: NDArray[np.float32]
    lake_km: NDArray[np.float32]
    months_c: NDArray[np.float32]
    rain_mm: NDArray[np.float32]
    climate: NDArray[np.int8]

    @cached_property
    def coldest_c(self) -> NDArray[np.float32]:
        """(n,) mean of the coldest month."""
        return self.months_c.min(axis=1)

    @cached_property
    def warmest_c(self) -> NDArray[np.float32]:
        """(n,) mean of the warmest month."""
        return self.months_c.max(axis=1)

    def climate_share(self, prefixes: Sequence[str]) -> NDArray[np.float64]:
        """(n,) share of the land around, three raster cells wide, whose code begins with one of these; 0 where no land is.

        Raises:
            ValueError: no code begins so.
        """
        land = (self.climate >= 0).sum(axis=1)
        return np.isin(self.climate, climates_of(prefixes)).sum(axis=1) / np.maximum(land, 1)

    def snow(self, month: int = 0) -> NDArray[np.float64]:
        """(n,) chance of snow on the ground in a month (1 to 12), or the mean over the year (0)."""
        return self._snow(self.months_c, month)

    def peak_snow(self, month: int = 0) -> NDArray[np.float64]:
        """The same on the highest ground within 30 km."""
        above = np.maximum(0.0, self.low_m + self.relief_m - self.mean_m)[:, None] * LAPSE_C_PER_M
        return self._snow(self.months_c - above, month)

    def _snow(self, celsius: NDArray[np.floating[Any]], month: int) -> NDArray[np.float64]:
        """A choice, not a fit: cold enough, and anything that falls. It stays where no month thaws it."""
        cold = 1.0 / (1.0 + np.exp((celsius - _SNOW_C) / _SNOW_EDGE_C))
        fallen = self.rain_mm + np.roll(self.rain_mm, 1, axis=1) + np.roll(self.rain_mm, 2, axis=1)
        chance = cold * (1.0 - np.exp(-fallen / _SNOW_MM))
        out: NDArray[np.float64] = (chance.mean(axis=1) if month == 0 else chance[:, month - 1]).astype(np.float64)
        return out


@dataclass(frozen=True, eq=False)
class Sampled:
    """A grid's land at several points of each cell.

    Attributes:
        land: at m points.
        cell: (m,) the cell of each point.
    """

    land: Landscape
    cell: NDArray[np.int64]

    def mean(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """(cells,) mean over the points of each cell of values (m,)."""
        return np.bincount(self.cell, values) / np.bincount(self.cell)


def cover_index(names: Sequence[str]) -> list[int]:
    """Columns of `Landscape.cover`.

    Raises:
        ValueError: there is no such kind of land.
    """
    unknown = [n for n in names if n not in COVERS]
    if unknown or not names:
        raise ValueError(f"no land cover is called {', '.join(unknown) or 'nothing'}; there are {', '.join(COVERS)}")
    return [COVERS.index(n) for n in names]


def climates_of(prefixes: Sequence[str]) -> list[int]:
    """Indices into CLIMATES of the codes that begin so.

    Raises:
        ValueError: no code begins with one of them.
    """
    if not prefixes or any(not any(code.startswith(p) for code in CLIMATES) for p in prefixes):
        raise ValueError(f"no climate begins with {' or '.join(prefixes) or 'nothing'}; codes are those of Köppen and Geiger")
    return [i for i, code in enumerate(CLIMATES) if code.startswith(tuple(prefixes))]


def at(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> Landscape:
    """The land at points, (n,) each, degrees; at sea what the raster has there.

    Raises:
        ValueError: a coordinate is NaN or infinite, or a latitude is beyond a pole.
        DataError: the raster is missing.
    """
    lat, lon = (np.atleast_1d(np.asarray(x, np.float64)) for x in (lat_deg, lon_deg))
    if not (np.isfinite(lat).all() and np.isfinite(lon).all() and (np.abs(lat) <= 90.0).all()):
        raise ValueError("latitudes and longitudes must be finite, latitudes at most 90°")
    held = _raster()
    row = np.clip(((90.0 - lat) * 4.0).astype(np.int64), 0, _ROWS - 1)
    column = ((lon + 180.0) * 4.0).astype(np.int64) % _COLUMNS
    height = {name: held[name][row, column] * np.float32(_STEP_M) + np.float32(_LOWEST_M) for name in _HEIGHTS}
    around = [(np.clip(row + i, 0, _ROWS - 1), (column + j) % _COLUMNS) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return Landscape(
        cover=held["cover"][:, row, column].T.astype(np.float32) / np.float32(_PIXELS),
        mean_m=height["mean"],
        low_m=height["low"],
        high_m=height["high"],
        relief_m=height["top"] - height["low"],
        sea_km=held["sea"][row, column] * np.float32(_KM),
        lake_km=held["lake"][row, column] * np.float32(_KM),
        months_c=held["celsius"][:, row // 2, column // 2].T.astype(np.float32),
        rain_mm=held["rain"][:, row // 4, column // 4].T.astype(np.float32) ** 2 / 4.0,
        climate=np.stack([held["climate"][r, c] for r, c in around], axis=1),
    )


_HEIGHTS = ("mean", "low", "high", "top")


@cache
def _raster() -> dict[str, NDArray[Any]]:
    held: dict[str, NDArray[Any]] = dict(assets.arrays("landscape"))
    held["celsius"] = np.cumsum(held["celsius"], axis=0, dtype=np.int8)
    held["climate"] = np.where(held["climate"] <= len(CLIMATES), held["climate"].astype(np.int8) - 1, -1).astype(np.int8)
    return held


@lru_cache(maxsize=4)
def of(grid: Grid) -> Sampled:
    """The land of a grid: a cell as large as the world's, 120 km wide, is seen at the centres of its seven children."""
    known = world_grid().index_of(grid.cells)
    coarse, others = np.flatnonzero(known >= 0), np.flatnonzero(known < 0)
    within = _children()[known[coarse]]
    lat, lon = grid.lat_lon_deg
    return Sampled(
        at(np.concatenate([within[..., 0].ravel(), lat[others]]), np.concatenate([within[..., 1].ravel(), lon[others]])),
        np.concatenate([np.repeat(coarse, within.shape[1]), others]),
    )


@cache
def _children() -> NDArray[np.float64]:
    """(cells, 7, 2) degrees, the centres of the children of the world's cells; a pentagon's first is named twice."""
    rows = [list(h3.cell_to_children(c)) for c in world_grid().cells.tolist()]
    full = np.array([row if len(row) == 7 else [row[0], *row] for row in rows], dtype=np.uint64)
    return cell_centres(full.ravel()).reshape(*full.shape, 2)
