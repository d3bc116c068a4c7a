"""Coordinates as people write them."""

from __future__ import annotations

import pytest

from engine.core import coordinate
from engine.core.claim import Claim
from engine.core.errors import SettingError


@pytest.mark.parametrize(
    "text",
    [
        "33.4708, -81.975",
        "33.4708 -81.975",
        "33.4708 N, 81.975 W",
        "N33.4708 W81.975",
        "81.975 W 33.4708 N",
        "33°28'14.9\"N 81°58'30\"W",
        "33° 28′ 14.9″ N, 81° 58′ 30″ W",
        "N 33 28.248 W 81 58.5",
        "+33.4708-081.9750/",
        "+332814.9-0815830/",
        "33.4708, −81.975",
        "33.4708 –81.975",
        "３３．４７０８，－８１．９７５",
        "٣٣٫٤٧٠٨، -٨١٫٩٧٥",
        "33,4708 -81,975",
        "33,4708; -81,975",
        "33,4708, -81,975",
        "33,4708 N, 81,975 W",
        "33º28’14.9”N 81º58’30”W",
        "33˚28ʹ14.9ʺN 81˚58ʹ30ʺW",
        "\u200e33.4708,\u00a0\u200e-81.975",
        "geo:33.4708,-81.975;u=35",
        "GEO:33.4708,-81.975,42?z=14",
        "33.4708/-81.975",
    ],
)
def test_one_place_in_many_forms(text: str) -> None:
    found = coordinate.parse(text)
    assert found is not None
    assert found == pytest.approx((33.4708, -81.975), abs=2e-4)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("S33 W70", (-33.0, -70.0)),
        ("33°28′24″S 70°38′54″W", (-33.4733, -70.6483)),
        ("33,47", (33.0, 47.0)),
        ("33, 47", (33.0, 47.0)),
        ("6FG22222+22", (0.0000625, 0.0000625)),
        ("8FVC9G8F+6X", (47.3655625, 8.5249375)),
        ("−33.45 −70.67", (-33.45, -70.67)),
    ],
)
def test_what_stands_for_which_place(text: str, place: tuple[float, float]) -> None:
    assert coordinate.parse(text) == pytest.approx(place, abs=1e-4)


def test_the_letter_o_is_east_or_west_and_is_not_guessed() -> None:
    assert coordinate.parse("48°12'N 16°22'O") is None
    west, east = coordinate.readings("48°12'N 16°22'O")
    assert west == pytest.approx((48.2, -16.3667), abs=1e-4) and east == pytest.approx((48.2, 16.3667), abs=1e-4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "33,4,5",
        "1,2 3,4 5,6",
        "6FG22222+2",
        "Augusta",
        "91, 0",
        "0, 181",
        "10",
        "33.5°28'N 2°E",
        "33°61'N 2°E",
        "nan, nan",
        "1, 2, 3",
        "9" * 200,
    ],
)
def test_what_is_no_coordinate_is_none(text: str) -> None:
    assert coordinate.parse(text) is None


def test_poles_and_the_antimeridian_are_places() -> None:
    assert coordinate.parse("90 S 0 E") == (-90.0, 0.0)
    assert coordinate.parse("-17.8, 180") == (-17.8, 180.0)


@pytest.mark.parametrize("wrong", [{"lat_deg": 91.0}, {"lon_deg": float("nan")}, {"lon_deg": -181.0}, {"radius_km": 0.5}])
def test_a_claim_beyond_the_earth_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        Claim(**{"lat_deg": 0.0, "lon_deg": 0.0, **wrong})


@pytest.mark.parametrize(
    ("text", "letters", "reference", "degrees"),
    [
        ("48,51.504N", "NS", "", 48.8584), ("2,17,40.2E", "EW", "", 2.2945), ("48,8584", "NS", "", 48.8584),
        ("33 deg 28' 15.2\" S", "NS", "", -33.47089), ("33/1 28/1 152/10", "NS", "S", -33.47089), ("−33.47", "NS", "", -33.47),
        ("-33.47", "NS", "S", -33.47), ("81.97", "EW", "West", -81.97), ("N 48.5", "NS", "", 48.5),
    ],
)  # fmt: skip
def test_one_angle_by_itself(text: str, letters: str, reference: str, degrees: float) -> None:
    assert coordinate.angle(text, letters, reference) == pytest.approx(degrees, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "letters", "reference"),
    [("-33.47 N", "NS", ""), ("33.47 E", "NS", ""), ("33.47 N", "NS", "S"), ("nan", "NS", ""), ("91", "NS", ""),
     ("1/0", "NS", ""), ("48 70 1", "NS", ""), ("48.5 30", "NS", ""),
     ("", "NS", ""), ("9" * 500, "EW", ""), ("8,2 O", "EW", "")],
)  # fmt: skip
def test_an_angle_that_contradicts_itself_is_none(text: str, letters: str, reference: str) -> None:
    assert coordinate.angle(text, letters, reference) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [("geo:-33.85,151.21,35;u=10", (-33.85, 151.21, 35.0)), ("(48.85, 2.29)", (48.85, 2.29, None)),
     ("48.85, 2.29, 35 m", (48.85, 2.29, 35.0)),
     ("lat=48.85 lon=-2.29", (48.85, -2.29, None)), ("151.21, -33.85", (-33.85, 151.21, None)),
     ("48,85; 2,29", (48.85, 2.29, None)),
     ("-33.47 S, -70.65 W", (-33.47, -70.65, None)), ("1 2 3", None), ("91.5, 95.5", None)],
)  # fmt: skip
def test_places_as_tags_state_them(text: str, place: tuple[float, float, float | None] | None) -> None:
    assert coordinate.stated(text) == place
