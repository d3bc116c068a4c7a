"""In which country a place lies, and how it is named there: every town, both sides of borders, disputed areas."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.grid import Grid, cells_at
from engine.world import continents, countries, disputed, places

# GeoNames puts Sarupathar (Assam) a hundred kilometres inside Myanmar; its coordinates are wrong, not the border.
WRONG_COORDINATES = {7302858}


def test_every_town_lies_in_its_own_country() -> None:
    towns = places.cities()
    found = countries.numbers_at(towns.lat_deg, towns.lon_deg)
    wrong = np.flatnonzero(found != towns.country)
    named = {int(towns.geoname[i]): (towns.names[i], countries.table()[found[i]].code) for i in wrong}
    assert set(named) <= WRONG_COORDINATES, named


def test_a_towns_own_centre_is_named_with_its_own_country() -> None:
    """Of all towns those within some km of a border, where it was wrong, and a sample of the others."""
    towns = places.cities()
    listed = countries.by_lines(towns.lat_deg, towns.lon_deg)
    rng = np.random.default_rng(0)
    large = np.flatnonzero(towns.people >= 300_000)
    chosen = np.concatenate([np.flatnonzero(listed != towns.country), large, rng.choice(len(towns), 300, replace=False)])
    wrong = []
    for i in np.unique(chosen).tolist():
        own = countries.table()[towns.country[i]].name
        words = places.describe(float(towns.lat_deg[i]), float(towns.lon_deg[i])).removesuffix(" (disputed)")
        if not words.endswith(own) and f"in {own}" not in words and int(towns.geoname[i]) not in WRONG_COORDINATES:
            wrong.append((towns.names[i], own, words))
    assert not wrong


TWINS = [
    ("El Paso, Texas, USA", 31.7587, -106.4869),
    ("Ciudad Juárez, Chihuahua, Mexico", 31.7333, -106.4833),
    ("San Diego, California, USA", 32.7157, -117.1647),
    ("Tijuana, Baja California, Mexico", 32.5027, -117.0037),
    ("Hong Kong", 22.282, 114.158),
    ("Shenzhen, China", 22.5455, 114.0683),
    ("Macau", 22.2006, 113.5461),
    ("Zhuhai, China", 22.2769, 113.5678),
    ("Basel, Switzerland", 47.5584, 7.5733),
    ("Weil am Rhein, Baden-Württemberg, Germany", 47.5933, 7.6208),
    ("Saint-Louis, France", 47.5921, 7.5592),
    ("Strasbourg, France", 48.5839, 7.7455),
    ("Kehl, Baden-Württemberg, Germany", 48.573, 7.8087),
    ("Singapore", 1.44, 103.785),
    ("Johor Bahru, Malaysia", 1.4655, 103.7578),
    ("Kinshasa, DR Congo", -4.3276, 15.3136),
    ("Brazzaville, Republic of the Congo", -4.2661, 15.2832),
    ("Gorizia, Italy", 45.9409, 13.6217),
    ("Nova Gorica, Slovenia", 45.956, 13.6484),
    ("Geneva, Switzerland", 46.2022, 6.1457),
    ("Annemasse, France", 46.1944, 6.2378),
    ("Detroit, Michigan, USA", 42.3314, -83.0458),
    ("Windsor, Ontario, Canada", 42.3001, -83.0165),
    ("Copenhagen, Denmark", 55.6759, 12.5655),
    ("Malmö, Sweden", 55.6059, 13.0007),
    ("Lomé, Togo", 6.1287, 1.2215),
    ("Aflao, Ghana", 6.119, 1.1956),
    ("Ceuta, Spain", 35.8903, -5.3075),
    ("La Línea de la Concepción, Spain", 36.1681, -5.3478),
    ("Goma, DR Congo", -1.6741, 29.2285),
    ("Gisenyi, Rwanda", -1.7028, 29.2564),
    ("Vatican City", 41.9024, 12.4533),
    ("Rome, Italy", 41.889, 12.47),
    ("Monaco", 43.7384, 7.4246),
    ("San Juan, Puerto Rico", 18.466, -66.106),
    ("Nuuk, Greenland", 64.18, -51.72),
    ("Pointe-à-Pitre, Guadeloupe", 16.24, -61.53),
    ("Nukunonu, Tokelau", -9.2, -171.85),
    ("Megísti, Greece", 36.15, 29.59),
    ("Gorizia, Italy", 45.9409, 373.6217),
]


@pytest.mark.parametrize(("name", "lat", "lon"), TWINS)
def test_both_sides_of_a_border(name: str, lat: float, lon: float) -> None:
    assert places.describe(lat, lon) == f"in {name}"


DISPUTED = [
    (44.6, 33.53, "RU", "Crimea", "Europe"),
    (45.3, 34.4, "RU", "Crimea", "Europe"),
    (27.14, -13.2, "MA", "Western Sahara", "Africa"),
    (34.08, 74.8, "IN", "Kashmir", "Asia"),
    (34.37, 73.47, "PK", "Kashmir", "Asia"),
    (33.0, 35.8, "IL", "Golan", "Asia"),
    (9.56, 44.07, "SO", "Somaliland", "Africa"),
    (35.34, 33.32, "CY", "Northern Cyprus", "Asia"),
    (42.67, 21.17, "XK", "Kosovo", "Europe"),
    (31.9, 35.2, "PS", "Palestine", "Asia"),
]


@pytest.mark.parametrize(("lat", "lon", "code", "area", "continent"), DISPUTED)
def test_disputed_areas_say_so_in_one_country(lat: float, lon: float, code: str, area: str, continent: str) -> None:
    words = places.describe(lat, lon)
    country = countries.at(lat, lon)
    assert country is not None and country.code == code
    assert words.count("disputed") == 1 and area in words and country.name in words
    cell = Grid.of(cells_at(np.array([lat]), np.array([lon]), 7))
    assert countries.table()[countries.of(cell)[0]].code == code
    if code != "CY":
        assert continents.of(lat, lon) == continent


@pytest.mark.parametrize(
    ("lat", "lon"), [(25.04, 121.53), (50.45, 30.52), (45.04, 38.97), (35.17, 33.36), (28.6, 77.2), (33.2, 35.57)]
)
def test_what_is_not_disputed_is_not_called_so(lat: float, lon: float) -> None:
    assert "disputed" not in places.describe(lat, lon)


def test_outlines_of_disputed_areas_are_sound() -> None:
    for area in disputed.areas():
        assert area.outline is None or area.outline.is_valid, area.name
        assert all(countries.by_code(c) for c in (*area.drawn, *area.claimed))


def test_sea_lakes_and_the_ice() -> None:
    assert places.describe(36.0, -9.5).startswith("in the North Atlantic Ocean, about")
    assert "Uganda" in places.describe(0.0, 32.9) and "Tanzania" in places.describe(-2.3, 32.9)
    for lat in (-77.85, -89.9):
        assert places.describe(lat, 166.7).startswith("in Antarctica, far from any town")
