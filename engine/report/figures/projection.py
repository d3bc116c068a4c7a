"""Map projections in kilometres: Equal Earth for the world, Lambert azimuthal equal-area for the surroundings of a place.

Both keep areas true, so that equal ink means equal probability. Source of the second: Snyder 1987, "Map projections: a working
manual", USGS Professional Paper 1395, p. 185.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.core.sphere import EARTH_RADIUS_KM
from engine.world import projection as world

Array = NDArray[np.float64]


class Projection(Protocol):
    """From degrees to kilometres on the plane, x to the east and y to the north."""

    def __call__(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[Array, Array]: ...


def equal_earth(lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[Array, Array]:
    """Equal Earth: x, y in km, each (...,), for latitudes -90 to 90 and longitudes -180 to 180."""
    x, y = world.equal_earth(lat_deg, lon_deg)
    return EARTH_RADIUS_KM * x, EARTH_RADIUS_KM * y


def azimuthal(lat0_deg: float, lon0_deg: float) -> Projection:
    """Lambert azimuthal equal-area centred on a place; x, y in km. The antipode has no image and lands far outside."""
    lat0, lon0 = np.radians(lat0_deg), np.radians(lon0_deg)

    def project(lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[Array, Array]:
        lat, lon = np.radians(np.asarray(lat_deg, dtype=np.float64)), np.radians(np.asarray(lon_deg, dtype=np.float64))
        cos_c = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(lon - lon0)
        k = EARTH_RADIUS_KM * np.sqrt(2.0 / np.maximum(1.0 + cos_c, 1e-9))
        x = k * np.cos(lat) * np.sin(lon - lon0)
        y = k * (np.cos(lat0) * np.sin(lat) - np.sin(lat0) * np.cos(lat) * np.cos(lon - lon0))
        return x, y

    return project
