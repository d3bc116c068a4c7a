"""Where the sun stands: published positions, pvlib's own for one place, poles and antimeridian, clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from engine.core import sphere
from engine.world import sun
from engine.world.grid import world_grid


def stamp(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[misc]


def test_the_published_example_of_the_algorithm() -> None:
    """Reda & Andreas 2004, table A5.1: topocentric zenith 50.11162°, azimuth 194.34024°."""
    when = datetime(2003, 10, 17, 12, 30, 30, tzinfo=timezone(timedelta(hours=-7)))
    elevation, azimuth = sun.position(39.742476, -105.1786, when, 820.0, 11.0)
    assert 90.0 - elevation == pytest.approx(50.11162, abs=0.002)
    assert azimuth == pytest.approx(194.34024, abs=0.002)


def test_the_declination_in_meeus() -> None:
    """Meeus 1998, Astronomical Algorithms, example 25.b: δ = -7°47'01.74" on 1992 October 13, 0h TD, 59 s ahead of UT."""
    declination, _ = sun.ephemeris(np.array([stamp(1992, 10, 13) - 59.0]))
    assert declination[0] == pytest.approx(-(7 + 47 / 60 + 1.74 / 3600), abs=0.0005)


def test_solstice_and_equinox_of_the_almanacs() -> None:
    """June solstice 2020-06-20 21:44 UTC, declination the obliquity of 23.4365°; March equinox 2020-03-20 03:50 UTC, 0°."""
    declination, _ = sun.ephemeris(np.array([stamp(2020, 6, 20, 21, 44), stamp(2020, 3, 20, 3, 50)]))
    assert declination[0] == pytest.approx(23.4365, abs=0.002)
    assert declination[1] == pytest.approx(0.0, abs=0.002)


def test_vectors_agree_with_pvlib_for_one_place_at_a_time() -> None:
    from pvlib import spa

    rng = np.random.default_rng(5)
    for _ in range(60):
        lat, lon = float(rng.uniform(-89.9, 89.9)), float(rng.uniform(-180, 180))
        at = np.array([rng.uniform(stamp(1955, 1, 1), stamp(2045, 1, 1))])
        day = datetime.fromtimestamp(float(at[0]), UTC)
        delta_t_s = float(spa.calculate_deltat(day.year, day.month))
        theirs = spa.solar_position_numpy(at, lat, lon, 0.0, 1010.0, 10.0, delta_t_s, 0.5667, 1)
        elevation, azimuth = sun.positions(lat, lon, at)
        if theirs[2][0] > -0.5:
            assert elevation[0] == pytest.approx(theirs[2][0], abs=0.01)
        turned = (azimuth[0] - theirs[4][0] + 180) % 360 - 180
        assert abs(turned) * np.cos(np.radians(theirs[2][0])) < 0.01


def test_places_below_the_sun_poles_and_antimeridian() -> None:
    at = np.array([stamp(2024, 6, 1, 0, 30)])
    lat, lon = sphere.to_lat_lon(sun.sun_vectors(at))
    assert sun.positions(float(lat[0]), float(lon[0]), at)[0][0] == pytest.approx(90.0, abs=0.05)
    declination = float(sun.ephemeris(at)[0][0])
    pole = sun.positions(90.0, 0.0, at)[0][0]
    assert pole == pytest.approx(declination, abs=0.05)
    west, east = (sun.positions(10.0, x, at) for x in (-180.0, 180.0))
    assert west[0][0] == pytest.approx(east[0][0], abs=1e-9) and west[1][0] == pytest.approx(east[1][0], abs=1e-6)


def test_refraction_lifts_most_at_the_horizon_and_nothing_in_the_zenith() -> None:
    lifted = sun.refraction_deg(np.array([0.0, 10.0, 45.0, 90.0, -5.0]))
    assert 0.4 < lifted[0] < 0.55 and lifted[1] == pytest.approx(0.09, abs=0.01)
    assert lifted[2] == pytest.approx(0.0167, abs=0.002) and abs(lifted[3]) < 0.001 and lifted[4] == 0.0


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        sun.position(0.0, 0.0, datetime(2024, 1, 1))


def test_time_zones_and_summer_time() -> None:
    assert sun.zone_at(59.91, 10.75) == "Europe/Oslo"
    assert sun.zone_at(27.7, 85.32) == "Asia/Kathmandu"
    assert sun.offset_min("Europe/Oslo", date(2024, 7, 1), 600) == 120
    assert sun.offset_min("Europe/Oslo", date(2024, 12, 1), 600) == 60
    assert sun.offset_min("Asia/Kathmandu", date(2024, 12, 1), 0) == 345
    assert sun.zone_at(0.0, -150.0).startswith("Etc/GMT") or "/" in sun.zone_at(0.0, -150.0)


def test_every_cell_of_the_world_has_a_zone_that_python_knows() -> None:
    names, number = sun.zones_of(world_grid())
    assert number.shape == (len(world_grid()),) and number.max() == len(names) - 1
    assert all(-720 <= sun.offset_min(n, date(2024, 6, 1), 720) <= 840 for n in names)


@pytest.mark.parametrize(
    ("elevation_deg", "light"),
    [(40.0, "day"), (-0.5, "day"), (-3.0, "civil twilight"), (-8.0, "nautical twilight"), (-15.0, "astronomical twilight"),
     (-41.0, "night")],
)  # fmt: skip
def test_light(elevation_deg: float, light: str) -> None:
    assert sun.light_of(elevation_deg) == light
