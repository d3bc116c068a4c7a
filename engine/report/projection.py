"""Map projections: Equal Earth for the world, Lambert azimuthal equal-area for the surroundings of a place.

Both keep areas true, so that equal ink means equal belief. Sources: Šavrič, Patterson, Jenny 2019, "The Equal Earth map
projection", International Journal of Geographical Information Science 33(3); Snyder 1987, USGS Professional Paper 1395, p. 185.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.core.sphere import EARTH_RADIUS_KM

Array = NDArray[np.float64]
_A1, _A2, _A3, _A4 = 1.340264, -0.081106, 0.000893, 0.003796


class Projection(Protocol):
    """From degrees to kilometres on the plane, x to the east and y to the north."""

    def __call__(self, lon_deg: ArrayLike, lat_deg: ArrayLike) -> tuple[Array, Array]: ...


def equal_earth(lon_deg: ArrayLike, lat_deg: ArrayLike) -> tuple[Array, Array]:
    """Equal Earth on the sphere: x, y in km, each (...,), for longitudes -180 to 180 and latitudes -90 to 90."""
    lon, lat = np.radians(np.asarray(lon_deg, dtype=np.float64)), np.radians(np.asarray(lat_deg, dtype=np.float64))
    theta = np.arcsin(np.sqrt(3.0) / 2.0 * np.sin(lat))
    t2 = theta * theta
    t6 = t2**3
    x = 2.0 * np.sqrt(3.0) * lon * np.cos(theta) / (3.0 * (9 * _A4 * t2 * t6 + 7 * _A3 * t6 + 3 * _A2 * t2 + _A1))
    y = theta * (_A4 * t2 * t6 + _A3 * t6 + _A2 * t2 + _A1)
    return EARTH_RADIUS_KM * x, EARTH_RADIUS_KM * y


def azimuthal(lat0_deg: float, lon0_deg: float) -> Projection:
    """Lambert azimuthal equal-area centred on a place; x, y in km. The antipode has no image and lands far outside."""
    lat0, lon0 = np.radians(lat0_deg), np.radians(lon0_deg)

    def project(lon_deg: ArrayLike, lat_deg: ArrayLike) -> tuple[Array, Array]:
        lon, lat = np.radians(np.asarray(lon_deg, dtype=np.float64)), np.radians(np.asarray(lat_deg, dtype=np.float64))
        cos_c = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(lon - lon0)
        k = EARTH_RADIUS_KM * np.sqrt(2.0 / np.maximum(1.0 + cos_c, 1e-9))
        x = k * np.cos(lat) * np.sin(lon - lon0)
        y = k * (np.cos(lat0) * np.sin(lat) - np.sin(lat0) * np.cos(lat) * np.cos(lon - lon0))
        return x, y

    return project
