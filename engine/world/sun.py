"""Where the sun stands, and which time a clock shows at a place.

The sun's apparent declination and hour angle come from pvlib's implementation of NREL's algorithm (Reda & Andreas 2004, Solar
Energy 76(5), 577-589); how high it stands over many places at many times is then a product of unit vectors, so that a whole map
takes milliseconds. Time zones come from tzfpy's outlines and the IANA database that Python reads. Nothing is asked of a network.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from engine.core.grid import Grid

PRESSURE_MBAR, TEMPERATURE_C = 1010.0, 10.0  # for which the almanacs print refraction
PARALLAX_DEG = 8.794 / 3600.0  # of the sun at its mean distance, on the horizon
RISE_DEG = -50.0 / 60.0  # of the sun's centre, true, when its upper edge rises: half its width and refraction
CIVIL_DEG, NAUTICAL_DEG, ASTRONOMICAL_DEG = -6.0, -12.0, -18.0

Angles = NDArray[np.float64]


def ephemeris(unix_s: NDArray[np.float64]) -> tuple[Angles, Angles]:
    """(declination, hour angle at Greenwich) of the sun in degrees, each (n,), apparent, at times in seconds since 1970 UTC."""
    from pvlib import spa

    at = np.atleast_1d(np.asarray(unix_s, dtype=np.float64))
    mid = datetime.fromtimestamp(float(np.median(at)), UTC)
    delta_t_s = float(spa.calculate_deltat(mid.year, mid.month))
    sidereal, ascension, declination = spa.solar_position_numpy(
        at, 0.0, 0.0, 0.0, PRESSURE_MBAR, TEMPERATURE_C, delta_t_s, 0.5667, 1, sst=True
    )
    return np.asarray(declination), (np.asarray(sidereal) - np.asarray(ascension)) % 360.0


def sun_vectors(unix_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) unit vectors from the Earth to the sun, in the axes of `core.sphere`: the place below it is its latitude and
    longitude."""
    from engine.core import sphere

    declination, hour_angle = ephemeris(unix_s)
    return sphere.to_xyz(declination, (-hour_angle + 180.0) % 360.0 - 180.0)


def axes(lat_deg: Angles, lon_deg: Angles) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors (n, 3) up, to the east and to the north at places; at a pole north is where longitude 180 (or 0) lies."""
    from engine.core import sphere

    lat, lon = np.radians(np.atleast_1d(lat_deg)), np.radians(np.atleast_1d(lon_deg))
    up = sphere.to_xyz(np.degrees(lat), np.degrees(lon))
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], axis=-1)
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)], axis=-1)
    return up, east, north


def refraction_deg(elevation_deg: Angles, pressure_mbar: float = PRESSURE_MBAR, temperature_c: float = TEMPERATURE_C) -> Angles:
    """By how much the air lifts the sun, degrees, at a true elevation; 0 where its upper edge is below the horizon.

    Reda & Andreas 2004, equation 42, after Saemundsson 1986 (Sky and Telescope 72, 70).
    """
    true = np.asarray(elevation_deg, dtype=np.float64)
    seen = np.maximum(true, -1.0)
    lifted = 1.02 / (60.0 * np.tan(np.radians(seen + 10.3 / (seen + 5.11))))
    scaled = (pressure_mbar / 1010.0) * (283.0 / (273.0 + temperature_c)) * lifted
    return np.where(true >= RISE_DEG, scaled, 0.0)


def position(
    lat_deg: float, lon_deg: float, when: datetime, pressure_mbar: float = PRESSURE_MBAR, temperature_c: float = TEMPERATURE_C
) -> tuple[float, float]:
    """(elevation as seen through the air, azimuth from north over east) of the sun's centre in degrees.

    Args:
        when: an aware time.

    Raises:
        ValueError: the time states no offset from UTC.
    """
    if when.tzinfo is None:
        raise ValueError("a time without an offset from UTC says nothing of the sun")
    elevation, azimuth = positions(lat_deg, lon_deg, np.array([when.timestamp()]), pressure_mbar, temperature_c)
    return float(elevation[0]), float(azimuth[0])


def positions(
    lat_deg: float,
    lon_deg: float,
    unix_s: NDArray[np.float64],
    pressure_mbar: float = PRESSURE_MBAR,
    temperature_c: float = TEMPERATURE_C,
) -> tuple[Angles, Angles]:
    """The same at many times of one place, each (n,)."""
    up, east, north = axes(np.array([lat_deg]), np.array([lon_deg]))
    sun = sun_vectors(unix_s)
    true = np.degrees(np.arcsin(np.clip(sun @ up[0], -1.0, 1.0)))
    true = true - PARALLAX_DEG * np.cos(np.radians(true))
    azimuth = np.degrees(np.arctan2(sun @ east[0], sun @ north[0])) % 360.0
    return true + refraction_deg(true, pressure_mbar, temperature_c), azimuth


# --- clocks ----------------------------------------------------------------------------------------------------------------


def zone_at(lat_deg: float, lon_deg: float) -> str:
    """IANA name of the time zone of a place; at sea the nautical one."""
    import tzfpy

    return _known(tzfpy.get_tz(lon_deg, lat_deg), lon_deg)


def zones_of(grid: Grid) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """(names, number of each cell's zone among them (cells,))."""
    held = _ZONES.get(grid.key)
    if held is None:
        lat, lon = grid.lat_lon_deg
        held = _named([zone_at(float(a), float(b)) for a, b in zip(lat, lon, strict=True)])
        while len(_ZONES) >= 8:
            _ZONES.pop(next(iter(_ZONES)))
        _ZONES[grid.key] = held
    return held


_ZONES: dict[str, tuple[tuple[str, ...], NDArray[np.int64]]] = {}


def _named(zones: list[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    names, number = np.unique(np.array(zones), return_inverse=True)
    return tuple(str(n) for n in names), number.astype(np.int64)


@lru_cache(maxsize=4096)
def _known(name: str, lon_deg: float) -> str:
    """The zone's name, or the nautical zone's where Python's database does not have it."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hours = round(lon_deg / 15.0)
        return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"
    return name


@cache
def offset_min(zone: str, day: date, minute: int) -> int:
    """Minutes by which a zone's clocks are ahead of UTC when they show so many minutes after midnight of a day."""
    local = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    offset = local.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() / 60.0)


def light_of(elevation_deg: float) -> str:
    """What the sun's elevation makes of the hour: "day", "civil twilight", "nautical twilight", "astronomical twilight" or
    "night" (Explanatory Supplement to the Astronomical Almanac, 2013, chapter 12)."""
    for least, name in (
        (RISE_DEG, "day"),
        (CIVIL_DEG, "civil twilight"),
        (NAUTICAL_DEG, "nautical twilight"),
        (ASTRONOMICAL_DEG, "astronomical twilight"),
    ):
        if elevation_deg >= least:
            return name
    return "night"
