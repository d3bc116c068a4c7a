"""Places that tags state by themselves or in pairs."""

from __future__ import annotations

import random

import pytest

from engine.media.stated_place import places


@pytest.mark.parametrize(
    ("tags", "lat", "lon", "alt"),
    [
        ((("GEO_LOCATION", "geo:48.8584,2.2945,35"),), 48.8584, 2.2945, 35.0),
        ((("location", "48° 51' 30.24\" N, 2° 17' 40.2\" E"),), 48.8584, 2.2945, None),
        ((("GPSCoordinates", "48,8584; 2,2945"),), 48.8584, 2.2945, None),
        ((("LATLNG", "151.2153, -33.8568"),), -33.8568, 151.2153, None),
        ((("latitude", "-33.8568"), ("longitude", "151.2153")), -33.8568, 151.2153, None),
        ((("LAT", "33.8568 S"), ("LON", "151.2153 E")), -33.8568, 151.2153, None),
        ((("GPSLatitude", "33.8568"), ("GPSLatitudeRef", "South"), ("GPSLongitude", "151.2153"), ("GPSLongitudeRef", "E"),
          ("GPSAltitude", "125/10")), -33.8568, 151.2153, 12.5),
        ((("GPS_LATITUDE", "−33.8568"), ("GPS_LONGITUDE", "151.2153")), -33.8568, 151.2153, None),
        ((("geo_lat", "-33.8568"), ("geo_lng", "151.2153")), -33.8568, 151.2153, None),
        ((("LOCATION-eng", "+4851.504+00217.670/"),), 48.8584, 2.2945, None),
    ],
)  # fmt: skip
def test_forms(tags: tuple[tuple[str, str], ...], lat: float, lon: float, alt: float | None) -> None:
    (fix,), unclear = places(tags)
    assert (fix.lat_deg, fix.lon_deg) == pytest.approx((lat, lon), abs=1e-4) and fix.alt_m == alt and not unclear


@pytest.mark.parametrize(
    "tags",
    [
        (("location", "95.123, 200.5"),),
        (("gps", "-33.8568 N, 151.2153 E"),),
        (("latitude", "-33.85 N"), ("longitude", "151.2")),
        (("GPSLatitude", "33.85"), ("GPSLatitudeRef", "E"), ("GPSLongitude", "151.2")),
        (("latitude", "99.1"), ("longitude", "12.0")),
    ],
)
def test_what_contradicts_itself_is_listed_and_not_drawn(tags: tuple[tuple[str, str], ...]) -> None:
    fixes, unclear = places(tags)
    assert not fixes and len(unclear) == 1 and "no place on Earth" in unclear[0].why


@pytest.mark.parametrize(
    "tags",
    [
        (("location", "0.0, 0.0"),), (("latitude", "0.0"), ("longitude", "0.0")), (("latitude", "nan"), ("longitude", "nan")),
        (("latitude", "48.1"),), (("location", "Paris"),), (("geology", "1 2"),), (("flat", "1.5"), ("plon", "2.5")),
        (("location", "12, 13"),), (("gps_version", "2.3.0.0"),), (("gps_speed", "12.5, 95.25"),), (("title", "48.1, 2.2"),),
    ],
)  # fmt: skip
def test_no_fix_and_no_place(tags: tuple[tuple[str, str], ...]) -> None:
    assert places(tags) == ((), ())


def test_two_places_of_one_name_are_both_listed() -> None:
    fixes, _ = places((("LOCATION", "48.85, 2.29;-33.85, 151.21"), ("latitude", "10.5"), ("longitude", "20.5")))
    assert [(f.lat_deg, f.lon_deg) for f in fixes] == [(48.85, 2.29), (-33.85, 151.21), (10.5, 20.5)]


def test_any_text_is_a_place_on_earth_or_none() -> None:
    rng = random.Random(0)
    letters = "0123456789.,;:+-−°'\"NSEW /degONa\0é"
    for _ in range(3_000):
        value, other = ("".join(rng.choices(letters, k=rng.randrange(1, 24))) for _ in range(2))
        for fix in places((("location", value), ("latitude", value), ("longitude", other)))[0]:
            assert abs(fix.lat_deg) <= 90 and abs(fix.lon_deg) <= 180
    for value in ("9" * 5_000, "1." * 500, "lat=" * 60, "[" * 1_000, "1, " * 400, "48.1" + " " * 900 + "2.2"):
        assert places((("location", value), ("latitude", value), ("longitude", value)))[0] == ()
