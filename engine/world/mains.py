"""The frequency of the electricity supply: a hum of 50 or 60 Hz narrows down where a recording was made."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.core.grid import Grid
from engine.world import assets, countries
from engine.world.tables import rows

UNKNOWN = 0
# Japan's two supplies meet along the Fuji river, the western edges of Kanagawa, Yamanashi and Niigata: (lat, lon) from
# south to north, straight between. East of it 50 Hz (Tokyo, Tohoku, Hokkaido), west 60 Hz (Chubu, Kansai and beyond).
# Source: Agency for Natural Resources and Energy of Japan, service areas of the power companies.
_JAPAN = (
    (34.0, 138.9),
    (35.1, 138.64),
    (35.8, 138.2),
    (36.1, 138.65),
    (36.5, 138.65),
    (36.75, 138.3),
    (37.0, 137.7),
    (38.5, 137.7),
)


@cache
def _by_country() -> NDArray[np.int64]:
    hz = {row[0]: int(row[1]) for row in rows("mains")}
    return np.array([hz[code] for code in assets.codes()])


def frequency_hz(lat_deg: float, lon_deg: float) -> int:
    """50 or 60 at a place, or UNKNOWN at sea and where there is no one supply."""
    country = countries.at(lat_deg, lon_deg)
    if country is None:
        return UNKNOWN
    return _with_splits(country.code, int(_by_country()[countries.number_of(country.code)]), lat_deg, lon_deg)


def of(grid: Grid) -> NDArray[np.int64]:
    """(cells,) 50 or 60, or UNKNOWN."""
    number = countries.of(grid)
    hz = np.where(number >= 0, _by_country()[number], UNKNOWN)
    lat, lon = grid.lat_lon_deg
    for code in ("JP", "BQ"):
        for i in np.flatnonzero(number == countries.number_of(code)):
            hz[i] = _with_splits(code, UNKNOWN, float(lat[i]), float(lon[i]))
    return hz


def _with_splits(code: str, hz: int, lat: float, lon: float) -> int:
    if code == "JP":
        line = np.array(_JAPAN)
        return 50 if lon > np.interp(lat, line[:, 0], line[:, 1]) and lat > 33.0 else 60
    if code == "BQ":
        return 50 if lat < 15.0 else 60
    return hz
