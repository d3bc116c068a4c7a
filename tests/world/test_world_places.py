"""Names for points, regions and areas; countries, continents and what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core import sphere
from engine.core.errors import SettingError
from engine.core.posterior import Posterior
from engine.world import continents, countries, currencies, driving, mains, places, priors, regions, scripts, seas
from engine.world.grid import world_grid


@pytest.mark.parametrize(
    ("lat", "lon", "words"),
    [
        (33.471, -81.975, "in Augusta, Georgia, USA"),
        (44.26, -72.575, "in Montpelier, Vermont, USA"),
        (43.65, -79.38, "in Toronto, Ontario, Canada"),
        (-37.81, 144.96, "in Melbourne, Victoria, Australia"),
        (55.95, -3.19, "in Edinburgh, Scotland, UK"),
        (52.52, 13.40, "in Berlin, Germany"),
        (1.30, 103.83, "in Singapore"),
        (23.0, 10.0, "of Tamanghasset, Algeria"),
        (-89.0, 10.0, "in Antarctica, far from any town (89.0° S, 10.0° E)"),
        (56.0, 3.0, "in the North Sea, about"),
        (35.0, -40.0, "in the North Atlantic Ocean, about"),
        (0.0, -150.0, "in the Pacific Ocean, about"),
        (-27.15, -109.43, "in Hanga Roa, Chile"),
        (-16.43, 179.38, "in Labasa, Fiji"),
    ],
)
def test_places_in_words(lat: float, lon: float, words: str) -> None:
    assert words in places.describe(lat, lon)


def test_a_city_is_preferred_to_a_nearer_village_with_distance_and_direction() -> None:
    lat, lon = -13.40, -72.28  # some 30 km north-west of Cusco, among villages
    words = places.describe(lat, lon)
    assert words.endswith("NW of Cusco, Peru") and words.startswith("about ")
    named = [places.cities().row(i) for i, n in enumerate(places.cities().names) if n == "Cusco"]
    cusco = max(named, key=lambda city: city.people)
    km = float(sphere.distance_km(lat, lon, cusco.lat_deg, cusco.lon_deg))
    assert abs(int(words.split()[1]) - km) <= 2.5


def test_every_gallery_point_has_a_name() -> None:
    from engine.world.gallery import gallery

    lat, lon = gallery()
    for a, b in zip(lat[::400], lon[::400], strict=True):
        words = places.describe(float(a), float(b))
        assert words.startswith(("in ", "about ")) and len(words) < 140


@pytest.mark.parametrize(("lat", "lon"), [(90.0, 0.0), (-90.0, 0.0), (0.0, 180.0), (0.0, -180.0), (51.0, 540.0)])
def test_the_ends_of_the_earth_have_names(lat: float, lon: float) -> None:
    assert places.describe(lat, lon)


def test_nonsense_coordinates_raise() -> None:
    for bad in ((np.nan, 0.0), (91.0, 0.0), (0.0, np.inf)):
        with pytest.raises(ValueError):
            places.describe(*bad)


@pytest.mark.parametrize(("km", "words"), [(0.2, "1"), (7.4, "7"), (34.0, "35"), (238.0, "240"), (1290.0, "1,300")])
def test_rounded_distances(km: float, words: str) -> None:
    assert places.rounded_km(km) == words


@pytest.mark.parametrize(
    ("km2", "words"),
    [
        (551_500, "about the size of France"),
        (30_000, "about the size of Belgium"),
        (34_000_000, "about twice the size of Russia"),
        (148_000_000, "about all the land of the Earth"),
        (0.3, "less than a square kilometre"),
        (244_000, "about the size of the UK"),
    ],
)
def test_areas_in_words(km2: float, words: str) -> None:
    assert places.describe_area(km2) == words


def test_areas_that_are_none_raise() -> None:
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError):
            places.describe_area(bad)


@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [
        (47.37, 8.54, "CH"),
        (-16.8, 179.99, "FJ"),
        (-16.85, -179.97, "FJ"),
        (66.0, -175.0, "RU"),
        (66.0, 179.0, "RU"),
        (52.9, 173.0, "US"),
        (-89.9, 77.0, "AQ"),
        (5.0, -53.0, "GF"),
        (78.2, 15.6, "SJ"),
        (42.6, 20.9, "XK"),
        (-29.6, 28.2, "LS"),
        (43.94, 12.45, "SM"),
        (0.0, -150.0, None),
        (47.2, 371.5, "AT"),
    ],
)
def test_countries_of_places(lat: float, lon: float, code: str | None) -> None:
    country = countries.at(lat, lon)
    assert (country.code if country else None) == code


def test_cells_know_their_country_and_children_theirs() -> None:
    grid = world_grid()
    basel = grid.locate(np.array([47.56]), np.array([7.59]))
    fine = grid.refined(basel, 5)
    number = countries.of(fine)
    inside = grid.holding(fine.cells) == basel[0]
    named = {countries.table()[n].code for n in number[inside]}
    assert {"CH", "DE", "FR"} <= named  # three countries meet there
    lat, lon = fine.lat_lon_deg
    for i in np.flatnonzero(inside):
        country = countries.at(float(lat[i]), float(lon[i]))
        assert country is not None and countries.number_of(country.code) == number[i]


def test_shares_add_up_to_one_largest_first() -> None:
    prior = priors.prior("land", world_grid())
    shares = countries.shares(Posterior(world_grid(), prior.log_mass))
    assert sum(m for _, m in shares) == pytest.approx(1.0)
    assert [m for _, m in shares] == sorted((m for _, m in shares), reverse=True)
    named = dict(shares)
    assert shares[0][0] == "Russia"
    assert named["Russia"] == pytest.approx(17.1 / 146.7, rel=0.06)
    assert named["Brazil"] == pytest.approx(8.5 / 146.7, rel=0.06)


def test_facts_about_countries() -> None:
    swiss = countries.by_code("ch")
    assert (swiss.domain, swiss.currency_code, swiss.phone_codes, swiss.capital) == ("ch", "CHF", ("41",), "Bern")
    assert swiss.languages[:3] == ("de-CH", "fr-CH", "it-CH")
    assert countries.by_domain("example.co.uk") == countries.by_code("GB")
    assert countries.by_domain(".com") is None
    assert countries.by_language("sv")[0].code == "SE"
    assert countries.by_code("NL").in_text == "the Netherlands"
    with pytest.raises(SettingError):
        countries.by_code("ZZ")


@pytest.mark.parametrize(
    ("lat", "lon", "continent"),
    [
        (48.8, 2.3, "Europe"),
        (55.75, 37.6, "Europe"),
        (55.0, 82.9, "Asia"),
        (66.0, -175.0, "Asia"),
        (41.01, 28.95, "Europe"),
        (40.99, 29.05, "Asia"),
        (39.9, 32.9, "Asia"),
        (40.15, 26.41, "Asia"),
        (21.3, -157.8, "Oceania"),
        (64.1, -51.7, "North America"),
        (5.0, -53.0, "South America"),
        (28.3, -16.5, "Africa"),
        (-80.0, 0.0, "Antarctica"),
        (-27.1, -109.35, "Oceania"),
        (30.0, -60.0, "North America"),
        (-36.8, 174.7, "Oceania"),
        (-1.3, 36.8, "Africa"),
    ],
)
def test_continents(lat: float, lon: float, continent: str) -> None:
    assert continents.of(lat, lon) == continent


def test_every_country_has_a_continent_a_region_and_a_row_in_each_table() -> None:
    hz = mains._by_country()
    for i, country in enumerate(countries.table()):
        assert continents.of_country(country.code, 45.0, 10.0) in continents.CONTINENTS
        assert regions.of_country(country.code)
        assert hz[i] in (0, 50, 60)
        assert driving.side(country.code) in ("left", "right")
        assert scripts.of_country(country.code) or not country.languages


@pytest.mark.parametrize(
    ("lat", "lon", "hz"),
    [
        (35.68, 139.7, 50),  # Tokyo
        (43.06, 141.35, 50),  # Sapporo
        (37.9, 139.0, 50),  # Niigata
        (38.0, 138.4, 50),  # Sado
        (35.66, 138.57, 50),  # Kofu
        (36.65, 138.18, 60),  # Nagano
        (34.98, 138.38, 60),  # Shizuoka
        (35.10, 138.86, 50),  # Numazu
        (34.69, 135.5, 60),  # Osaka
        (26.2, 127.7, 60),  # Okinawa
        (35.02, 135.76, 60),  # Kyoto
        (36.39, 139.06, 50),  # Takasaki
        (51.5, -0.1, 50),
        (40.7, -74.0, 60),
        (-23.5, -46.6, 60),
        (-25.3, -57.6, 50),  # Asunción
        (12.15, -68.27, 50),  # Bonaire
        (17.63, -63.24, 60),  # Saba
        (0.0, -150.0, 0),
    ],
)
def test_mains_frequency(lat: float, lon: float, hz: int) -> None:
    assert mains.frequency_hz(lat, lon) == hz


def test_mains_of_the_grid() -> None:
    hz = mains.of(world_grid())
    tokyo, osaka, paris, denver = world_grid().locate(
        np.array([35.68, 34.69, 48.86, 39.74]), np.array([139.7, 135.5, 2.35, -105.0])
    )
    assert hz[[tokyo, osaka, paris, denver]].tolist() == [50, 60, 50, 60]


def test_driving_scripts_and_currencies() -> None:
    assert [driving.side(c) for c in ("GB", "JP", "TH", "WS", "US", "FR", "MM")] == ["left"] * 4 + ["right"] * 3
    assert scripts.of_country("JP") == ("Jpan",)
    assert scripts.of_country("RS")[:2] == ("Cyrl", "Latn")
    assert scripts.of_language("zh-TW") == ("Hant",) and scripts.of_language("de-AT") == ("Latn",)
    assert [c.code for c in scripts.countries_of("Geor")] == ["GE"]
    assert [c.code for c in scripts.countries_of("Thai")] == ["TH"]
    assert {"SE", "NO", "DK", "IS"} <= {c.code for c in currencies.countries_of("kr")}
    assert [c.code for c in currencies.countries_of("zł")] == ["PL"]
    assert "DE" in {c.code for c in currencies.countries_of("€")}
    assert currencies.countries_of("¤") == ()


@pytest.mark.parametrize(
    ("lat", "lon", "name"),
    [
        (56.5, 3.0, "the North Sea"),
        (38.0, 18.0, "the Mediterranean Sea"),
        (43.0, 34.0, "the Black Sea"),
        (57.0, 19.0, "the Baltic Sea"),
        (25.0, -90.0, "the Gulf of Mexico"),
        (15.0, -75.0, "the Caribbean Sea"),
        (15.0, 115.0, "the South China Sea"),
        (10.0, -100.0, "the North Pacific Ocean"),
        (-20.0, -90.0, "the South Pacific Ocean"),
        (-20.0, -20.0, "the South Atlantic Ocean"),
        (-20.0, 80.0, "the Indian Ocean"),
        (-65.0, 100.0, "the Southern Ocean"),
        (88.0, 0.0, "the Arctic Ocean"),
        (58.0, 180.0, "the Bering Sea"),
        (40.0, 135.0, "the Sea of Japan"),
        (-38.0, 160.0, "the Tasman Sea"),
    ],
)
def test_seas(lat: float, lon: float, name: str) -> None:
    assert seas.name_at(lat, lon) == name


def within(*spots: tuple[float, float, float]) -> Posterior:
    prior = priors.prior("land", world_grid())
    near = np.zeros(len(world_grid()), dtype=bool)
    for lat, lon, km in spots:
        near |= sphere.distance_km(lat, lon, *world_grid().lat_lon_deg) < km
    return Posterior.of(prior, np.where(near, 0.0, -50.0))


@pytest.mark.parametrize(
    ("spots", "name"),
    [
        ([(46.5, 2.5, 350)], "France"),
        ([(33.0, -84.0, 300)], "the south-eastern USA"),
        ([(64.0, -150.0, 500)], "Alaska, USA"),
        ([(55.0, 40.0, 400)], "western Russia"),
        ([(-25.0, 135.0, 400)], "central Australia"),
        ([(-25.0, 125.0, 300)], "western Australia"),
        ([(66.5, 178.0, 400)], "eastern Russia"),
        ([(50.0, 13.0, 400)], "Central Europe"),
        ([(48.0, 7.0, 500)], "Western and Central Europe"),
        ([(50.0, 15.0, 1500), (-10.0, 25.0, 1500), (35.0, 100.0, 1500)], "several continents"),
        ([(-80.0, 0.0, 900)], "Antarctica"),
    ],
)
def test_region_names(spots: list[tuple[float, float, float]], name: str) -> None:
    assert regions.region_name(within(*spots)) == name


@pytest.mark.parametrize(
    ("spots", "name"),
    [
        ([(51.2, -1.2, 130)], "southern England, UK"),
        ([(33.0, -83.0, 180)], "central Georgia, USA"),
        ([(30.5, -98.0, 150)], "central Texas, USA"),
        ([(46.5, 2.5, 350)], "France"),
        ([(49.9, 3.6, 200)], "France and Belgium"),
        ([(-25.0, 135.0, 300)], "Northern Territory, Australia"),
        ([(50.0, 15.0, 1500), (-10.0, 25.0, 1500), (35.0, 100.0, 1500)], "several continents"),
    ],
)
def test_half_of_the_mass_is_named_by_divisions_and_countries(spots: list[tuple[float, float, float]], name: str) -> None:
    assert regions.region_words(within(*spots), 0.95) == name
