"""Continents for tables: of the country a place lies in, with the exceptions that geography makes."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from engine.core import sphere
from engine.world import countries
from engine.world.grid import world, world_grid

CONTINENTS = ("Africa", "Antarctica", "Asia", "Europe", "North America", "Oceania", "South America")
_NAMES = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}
DIVIDED = frozenset({"RU", "TR", "US", "CL", "ES", "PT"})  # countries on two continents, see `of_country`
# The Dardanelles, the Sea of Marmara and the Bosphorus: (latitude, longitude), Europe to the west.
_STRAITS = np.array([[39.9, 25.0], [40.03, 26.17], [40.2, 26.4], [40.45, 26.75], [40.85, 28.4], [41.0, 29.0], [41.22, 29.11]])


def of(lat_deg: float, lon_deg: float) -> str:
    """The continent of a place, one of CONTINENTS; at sea that of the nearest land.

    Russia is Asia east of 60°E (the Urals), Turkey is Europe in Thrace, Hawaii and Easter Island are Oceania, the Canary
    Islands and Madeira Africa; all else goes by its country (GeoNames).

    Raises:
        ValueError: a coordinate is NaN or infinite, or the latitude is beyond a pole.
    """
    country = countries.at(lat_deg, lon_deg)
    lon = (lon_deg + 180.0) % 360.0 - 180.0
    if country is None:
        cell = _nearest_land(lat_deg, lon)
        country = countries.table()[int(world().country[cell])]
        lat_deg, lon = (float(v[cell]) for v in world_grid().lat_lon_deg)
    return of_country(country.code, lat_deg, lon)


def of_country(code: str, lat_deg: float, lon_deg: float) -> str:
    """The continent of a place in a country known by its code; longitude within -180..180. The place matters in DIVIDED alone."""
    if code == "RU":
        return "Asia" if lon_deg > 60.0 or lon_deg < 0.0 else "Europe"
    if code == "TR":
        return "Europe" if lon_deg < np.interp(lat_deg, _STRAITS[:, 0], _STRAITS[:, 1]) else "Asia"
    if code == "US" and lat_deg < 30.0 and lon_deg < -150.0:
        return "Oceania"
    if code == "CL" and lon_deg < -90.0:
        return "Oceania"
    if code in ("ES", "PT") and lat_deg < 34.0:
        return "Africa"
    return _NAMES[countries.by_code(code).continent]


@cache
def _tree() -> tuple[cKDTree, NDArray[np.int64]]:
    on_land = np.flatnonzero(world().country >= 0)
    return cKDTree(world_grid().xyz[on_land]), on_land


def _nearest_land(lat_deg: float, lon_deg: float) -> int:
    tree, on_land = _tree()
    return int(on_land[tree.query(sphere.to_xyz(lat_deg, lon_deg))[1]])
