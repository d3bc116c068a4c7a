"""Names for points: offline reverse geocoding on GeoNames' cities of at least 500 people (CC BY 4.0)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from engine.core import sphere
from engine.core.grid import cells_at
from engine.world import assets, borders, countries, disputed, seas
from engine.world.tables import rows

_COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
_NEIGHBOURS = 400
_FAR_KM = 900.0
_MIN_PEOPLE_AT_SEA = 20_000
_ISLETS_KM = 60.0
# A city reaches as far as its number of people says: a village 1.7 km, a million 10 km, ten millions 30 km.
_REACH_KM, _REACH_PER_ROOT = 1.5, 0.009


@dataclass(frozen=True, slots=True)
class City:
    """A city, town or village.

    Attributes:
        geoname: its number at GeoNames.
        name: its name there.
        division: name of the state or province where the country's is known, else "".
        country: two-letter code.
        people: inhabitants.
        disputed: name of the disputed area it lies in, or "".
    """

    geoname: int
    name: str
    division: str
    country: str
    people: int
    lat_deg: float
    lon_deg: float
    disputed: str = ""

    @property
    def label(self) -> str:
        """Name, state and country: "Augusta, Georgia, USA", "Sevastopol, Crimea, Russia (disputed)"."""
        parts = [self.name]
        # A city that gives its name to its state, or is its country, is not named twice.
        if self.division and self.division != self.name:
            parts.append(self.division)
        area, country = self.disputed.removeprefix("the "), countries.by_code(self.country).name
        if area and not any(area in part for part in parts):  # Jammu and Kashmir, Kashmir
            parts.append(area)
        if country not in parts:
            parts.append(country)
        return ", ".join(parts) + (" (disputed)" if area else "")


@dataclass(frozen=True, slots=True, eq=False)
class Cities:
    """All cities as arrays, each (n,), in the order of their GeoNames numbers.

    `country` is GeoNames', but in disputed areas Natural Earth's, as of `countries.at`.
    """

    geoname: NDArray[np.int64]
    names: tuple[str, ...]
    people: NDArray[np.int64]
    country: NDArray[np.int64]
    division: NDArray[np.int64]
    divisions: tuple[str, ...]
    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.names)

    def row(self, at: int) -> City:
        """City number `at`."""
        listed, code = self.divisions[self.division[at]].split(".", 1)
        country = countries.table()[self.country[at]].code
        lat_deg, lon_deg = float(self.lat_deg[at]), float(self.lon_deg[at])
        area = disputed.at(lat_deg, lon_deg, country)
        return City(
            int(self.geoname[at]),
            self.names[at],
            _division_names().get((listed, code), "") if listed == country else "",
            country,
            int(self.people[at]),
            lat_deg,
            lon_deg,
            area.name if area else "",
        )


@cache
def cities() -> Cities:
    """The cities that places are named by."""
    held = assets.arrays("places")
    country = held["country"].astype(np.int64)
    rows_elsewhere, drawn = borders.drawn_elsewhere()
    country[rows_elsewhere] = drawn
    return Cities(
        held["geoname"].astype(np.int64),
        tuple(assets.text(held["names"])),
        held["people"].astype(np.int64),
        country,
        held["division"].astype(np.int64),
        tuple(assets.text(held["divisions"])),
        held["lat_udeg"].astype(np.float64) / 1e6,
        held["lon_udeg"].astype(np.float64) / 1e6,
    )


@cache
def cells(resolution: int = 7) -> NDArray[np.uint64]:
    """(n,) the H3 cell of each city; takes a third of a second when first asked."""
    return cells_at(cities().lat_deg, cities().lon_deg, resolution)


@cache
def _division_names() -> dict[tuple[str, str], str]:
    return {(country, code): name for country, code, name in rows("divisions")}


@cache
def _tree() -> cKDTree:
    return cKDTree(sphere.to_xyz(cities().lat_deg, cities().lon_deg), balanced_tree=False, compact_nodes=False)


@cache
def _big_tree() -> tuple[cKDTree, NDArray[np.int64]]:
    big = np.flatnonzero(cities().people >= _MIN_PEOPLE_AT_SEA)
    return cKDTree(sphere.to_xyz(cities().lat_deg[big], cities().lon_deg[big])), big


def divisions_at(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], country: int) -> NDArray[np.int64]:
    """(n,) the state or province at points of a country, by its number in `cities().divisions`: that of the nearest town of the
    country, or -1 where no town near is of it.
    """
    _, near = _tree().query(sphere.to_xyz(lat_deg, lon_deg), k=8)
    own = cities().country[near] == country
    first = near[np.arange(len(near)), own.argmax(axis=1)]
    out: NDArray[np.int64] = np.where(own.any(axis=1), cities().division[first], -1)
    return out


def division_name(division: int) -> str:
    """The name of a state or province by its number in `cities().divisions`, or "" where it is not known."""
    listed, code = cities().divisions[division].split(".", 1)
    return _division_names().get((listed, code), "")


def describe(lat_deg: float, lon_deg: float) -> str:
    """A place in words: "in Augusta, Georgia, USA", "about 40 km NW of Cusco, Peru", "in the North Sea, about …".

    First the country that the place lies in, then the nearest town within that country; a town that is larger is preferred to
    one that is a little nearer.

    Raises:
        ValueError: a coordinate is NaN or infinite, or the latitude is beyond a pole.
    """
    point = sphere.to_xyz(lat_deg, lon_deg)
    country = countries.at(lat_deg, lon_deg)
    if country is None:
        return _at_sea(lat_deg, lon_deg, point)
    area = disputed.at(lat_deg, lon_deg, country.code)
    near, km = _around(_tree(), np.arange(len(cities())), point)
    own = cities().country[near] == countries.number_of(country.code)
    inside = _reached(near[own], km[own])
    if inside is not None:
        return "in " + _disputed(cities().row(inside).label, area)
    if not own.any():
        # In the empty middle of a large country the nearest of all towns may be a neighbour's.
        near, km = _of_country(countries.number_of(country.code), point)
        own = np.ones(len(near), dtype=bool)
    best = _best(near[own], km[own]) if own.any() else None
    if best is None or best[1] > _FAR_KM:
        return _disputed(f"in {country.in_text}", area) + f", far from any town ({coordinates(lat_deg, lon_deg)})"
    return _disputed(f"about {_from(best, lat_deg, lon_deg)}", area)


def _disputed(words: str, area: disputed.Area | None) -> str:
    """Words for a place, with the disputed area it lies in where they do not name it."""
    if area is None or words.endswith("(disputed)"):
        return words
    named = area.name.removeprefix("the ") in words
    return f"{words} (disputed)" if named else f"{words}, in {area.name} (disputed)"


def _at_sea(lat_deg: float, lon_deg: float, point: NDArray[np.float64]) -> str:
    near, km = _around(_tree(), np.arange(len(cities())), point)
    inside = _reached(near, km)
    if inside is not None:  # an islet that the coast lines leave out
        return f"in {cities().row(inside).label}"
    best = _best(near, km) if km.min() < _ISLETS_KM else _best(*_around(*_big_tree(), point))
    return f"in {seas.name_at(lat_deg, lon_deg)}, about {_from(best, lat_deg, lon_deg)}"


def _around(
    tree: cKDTree, members: NDArray[np.int64], point: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    chord, at = tree.query(point, k=_NEIGHBOURS)
    return members[at], 2.0 * sphere.EARTH_RADIUS_KM * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0))


def _of_country(number: int, point: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    own = np.flatnonzero(cities().country == number)
    if not len(own):
        return own, np.zeros(0)
    xyz = sphere.to_xyz(cities().lat_deg[own], cities().lon_deg[own])
    return own, sphere.pairwise_km(point[None], xyz)[0]


def _reached(near: NDArray[np.int64], km: NDArray[np.float64]) -> int | None:
    """The largest city whose reach holds the place, or None."""
    held = near[km <= _REACH_KM + _REACH_PER_ROOT * np.sqrt(cities().people[near])]
    return int(held[np.argmax(cities().people[held])]) if len(held) else None


def _best(near: NDArray[np.int64], km: NDArray[np.float64]) -> tuple[int, float]:
    at = int(np.argmin((km + 5.0) / np.maximum(cities().people[near], 500) ** 0.3))
    return int(near[at]), float(km[at])


def _from(best: tuple[int, float], lat_deg: float, lon_deg: float) -> str:
    city = cities().row(best[0])
    bearing = sphere.bearing_deg(city.lat_deg, city.lon_deg, lat_deg, lon_deg)
    return f"{rounded_km(best[1])} km {_COMPASS[int((bearing + 22.5) // 45.0) % 8]} of {city.label}"


def rounded_km(km: float) -> str:
    """A distance with as many digits as needed: 7, 35, 240, 1,300."""
    step = 1 if km < 20 else 5 if km < 100 else 10 if km < 1000 else 100
    return f"{max(1, step * round(km / step)):,}"


def coordinates(lat_deg: float, lon_deg: float) -> str:
    """Degrees to a tenth with their hemispheres: "76.2° N, 41.0° W"."""
    lon = (lon_deg + 180.0) % 360.0 - 180.0
    return f"{abs(lat_deg):.1f}° {'N' if lat_deg >= 0 else 'S'}, {abs(lon):.1f}° {'E' if lon >= 0 else 'W'}"


describe_place = describe

# What areas are compared with: countries that people know. Areas are GeoNames' own.
_KNOWN = [
    "MC",
    "SM",
    "LI",
    "MT",
    "SG",
    "LU",
    "QA",
    "CY",
    "SI",
    "BE",
    "CH",
    "NL",
    "DK",
    "IE",
    "AT",
    "PT",
    "IS",
    "GR",
    "NP",
    "GB",
    "IT",
    "DE",
    "JP",
    "ES",
    "FR",
    "TR",
    "EG",
    "ZA",
    "CO",
    "PE",
    "MX",
    "SA",
    "DZ",
    "AR",
    "IN",
    "AU",
    "BR",
    "US",
    "CA",
    "RU",
]
_LAND_KM2 = 148_900_000.0


def describe_area(area_km2: float) -> str:
    """How large an area is, by a country that people know: "about the size of France", "about 3 times the size of Brazil".

    Raises:
        ValueError: the area is negative or not finite.
    """
    if not np.isfinite(area_km2) or area_km2 < 0:
        raise ValueError("an area must be a finite number of km² that is not negative")
    known = [countries.by_code(code) for code in _KNOWN]
    if area_km2 < 1.0:
        return "less than a square kilometre"
    if area_km2 > 0.9 * _LAND_KM2:
        return "about all the land of the Earth"
    ratios = np.log(np.array([c.area_km2 for c in known]) / area_km2)
    nearest = known[int(np.argmin(np.abs(ratios)))]
    times = area_km2 / nearest.area_km2
    if 1.35 <= times < 1.75:
        return f"about one and a half times the size of {nearest.in_text}"
    if 1.75 <= times < 2.5:
        return f"about twice the size of {nearest.in_text}"
    if times >= 2.5:
        return f"about {times:.0f} times the size of {nearest.in_text}"
    if times <= 0.6:
        return f"smaller than {nearest.in_text}"
    return f"about the size of {nearest.in_text}"
