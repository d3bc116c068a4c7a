"""Geometry on the sphere: degrees at the edges, unit vectors inside.

Distances use atan2 of cross and dot, which keeps full precision at 0 km and at the antipode where acos of an inner
product loses it. The Earth is a sphere of radius 6,371.0088 km (the mean radius of IUGG's GRS80), the one H3 uses too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_KM = 6371.0088
Array = NDArray[np.float64]


def to_xyz(lat_deg: ArrayLike, lon_deg: ArrayLike) -> Array:
    """Unit vectors of places.

    Args:
        lat_deg: (...,) latitude in degrees, -90 to 90.
        lon_deg: (...,) longitude in degrees, any turn.

    Returns:
        (..., 3) unit vectors, x towards 0°N 0°E, z towards the north pole.

    Raises:
        ValueError: a coordinate is NaN or infinite, or a latitude is beyond a pole.
    """
    lat = np.asarray(lat_deg, dtype=np.float64)
    lon = np.asarray(lon_deg, dtype=np.float64)
    if not (np.isfinite(lat).all() and np.isfinite(lon).all()):
        raise ValueError("a coordinate is not a finite number")
    if (np.abs(lat) > 90.0).any():
        raise ValueError("a latitude lies beyond a pole")
    lat_rad, lon_rad = np.radians(lat), np.radians(lon)
    cos_lat = np.cos(lat_rad)
    return np.stack([cos_lat * np.cos(lon_rad), cos_lat * np.sin(lon_rad), np.sin(lat_rad)], axis=-1)


def to_lat_lon(xyz: ArrayLike) -> tuple[Array, Array]:
    """Latitude and longitude in degrees (each (...,), longitude in (-180, 180]) of vectors (..., 3) of any length."""
    v = np.asarray(xyz, dtype=np.float64)
    lat = np.degrees(np.arctan2(v[..., 2], np.hypot(v[..., 0], v[..., 1])))
    lon = np.degrees(np.arctan2(v[..., 1], v[..., 0]))
    return lat, np.where(lon <= -180.0, lon + 360.0, lon)


def angle_rad(a_xyz: ArrayLike, b_xyz: ArrayLike) -> Array:
    """Angle between unit vectors (..., 3), broadcast against each other, in radians, 0 to pi."""
    a = np.asarray(a_xyz, dtype=np.float64)
    b = np.asarray(b_xyz, dtype=np.float64)
    cross = np.linalg.norm(np.cross(a, b), axis=-1)
    out: Array = np.arctan2(cross, np.sum(a * b, axis=-1))
    return out


def distance_km(lat_a_deg: ArrayLike, lon_a_deg: ArrayLike, lat_b_deg: ArrayLike, lon_b_deg: ArrayLike) -> Array:
    """Great-circle distance in km between places given in degrees, broadcast against each other.

    Raises:
        ValueError: a coordinate is NaN or infinite, or a latitude is beyond a pole.
    """
    return EARTH_RADIUS_KM * angle_rad(to_xyz(lat_a_deg, lon_a_deg), to_xyz(lat_b_deg, lon_b_deg))


def pairwise_km(a_xyz: ArrayLike, b_xyz: ArrayLike) -> Array:
    """All distances in km between (n, 3) and (m, 3) unit vectors: (n, m).

    Uses the chord, 2 asin(|a - b| / 2), computed from differences for near pairs' sake: exact at 0 and within a metre
    elsewhere, and a matrix product fast.
    """
    a = np.atleast_2d(np.asarray(a_xyz, dtype=np.float64))
    b = np.atleast_2d(np.asarray(b_xyz, dtype=np.float64))
    dot = a @ b.T
    chord = np.sqrt(np.clip(2.0 - 2.0 * dot, 0.0, 4.0))
    near = chord < 1e-4  # below 600 m the subtraction above has lost too many digits
    if near.any():
        i, j = np.nonzero(near)
        chord[i, j] = np.linalg.norm(a[i] - b[j], axis=-1)
    return 2.0 * EARTH_RADIUS_KM * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0))


def bearing_deg(lat_a_deg: float, lon_a_deg: float, lat_b_deg: float, lon_b_deg: float) -> float:
    """Initial bearing from a to b, clockwise from north, 0 to 360; 0 where a and b coincide."""
    la, lb = np.radians(lat_a_deg), np.radians(lat_b_deg)
    d_lon = np.radians(lon_b_deg - lon_a_deg)
    y = np.sin(d_lon) * np.cos(lb)
    x = np.cos(la) * np.sin(lb) - np.sin(la) * np.cos(lb) * np.cos(d_lon)
    return float(np.degrees(np.arctan2(y, x)) % 360.0)


def great_circle(lat_a_deg: float, lon_a_deg: float, lat_b_deg: float, lon_b_deg: float, steps: int = 64) -> tuple[Array, Array]:
    """Latitudes and longitudes, each (steps,), along the shortest way from a to b.

    At the antipode every way is shortest; the one through the north pole (from a pole: along 0°E) is drawn.
    """
    a, b = to_xyz(lat_a_deg, lon_a_deg), to_xyz(lat_b_deg, lon_b_deg)
    omega = float(angle_rad(a, b))
    t = np.linspace(0.0, 1.0, steps)[:, None]
    if omega < 1e-12:
        return to_lat_lon(np.repeat(a[None], steps, axis=0))
    tangent = b - np.dot(a, b) * a
    if np.linalg.norm(tangent) < 1e-9:
        towards = np.array([0.0, 0.0, 1.0]) if abs(a[2]) < 1.0 - 1e-9 else np.array([1.0, 0.0, 0.0])
        tangent = towards - np.dot(a, towards) * a
    tangent = tangent / np.linalg.norm(tangent)
    return to_lat_lon(np.cos(omega * t) * a + np.sin(omega * t) * tangent)
