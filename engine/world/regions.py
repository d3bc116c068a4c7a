"""Names for large regions: "southern Germany" is said of a country, "Western and Central Europe" of several.

`region_words` is more exact, for a region that holds half of the mass: states and provinces of a country, or a few countries.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.core.posterior import Posterior
from engine.core.wording import listed
from engine.world import continents, countries, places
from engine.world.grid import world, world_grid
from engine.world.tables import rows

COUNTRY_SHARE = 0.8
REGION_SHARE = 0.75
PAIR_SHARE = 0.85
_PART_OF_COUNTRY = 0.35  # a region that covers less of a large country than this is given its side of it
_LARGE_KM2 = 450_000.0
_SIDE = 0.22  # offset from the middle, as a share of the half-width, from which a side is named
_DIVISIONS_SHARE = 0.75  # of the mass in a country: two of its divisions that hold it are named
_NAMED_COUNTRIES = 3
_LEAST_NAMED = 0.1  # a country with less of the mass is not named beside others
_LARGE_DIVISION_KM = 200.0  # from the middle of its towns to their outermost
_NARROW = 0.7  # a region is on one side of a division where it spreads over less than this of its half-width
_FAR_MORE = 1.6  # an offset so many times the other's is the only one named
_WORDS = {(1, 0): "northern", (-1, 0): "southern", (0, 1): "eastern", (0, -1): "western", (0, 0): "central"} | {
    (1, 1): "north-eastern",
    (1, -1): "north-western",
    (-1, 1): "south-eastern",
    (-1, -1): "south-western",
}


@cache
def _region_of() -> dict[str, str]:
    return dict((code, region) for code, region in rows("regions"))


def of_country(code: str) -> str:
    """The region a country belongs to ("Central Europe").

    Raises:
        SettingError: there is no such country.
    """
    return _region_of()[countries.by_code(code).code]


def region_name(posterior: Posterior, share: float = 0.9) -> str:
    """Where the region that holds `share` of the mass lies, in words that fit after "in".

    One country that holds 80% of it is named, with its side if it is large; else the region that holds 75%, or the two
    that hold 85%; else continents in the same way.
    """
    inside = posterior.region(share)
    mass = np.where(inside, posterior.mass, 0.0)
    number = countries.of(posterior.grid)
    on_land = number >= 0
    if mass[on_land].sum() < 0.5 * mass.sum():
        return "places at sea or on small islands"
    mass = np.where(on_land, mass, 0.0)
    mass = mass / mass.sum()
    held = np.bincount(number[on_land], weights=mass[on_land], minlength=len(countries.table()))
    top = int(np.argmax(held))
    if held[top] >= COUNTRY_SHARE:
        return _country_words(posterior, inside, number, top)
    by_region: dict[str, float] = {}
    for i in np.flatnonzero(held):
        name = of_country(countries.table()[i].code)
        by_region[name] = by_region.get(name, 0.0) + float(held[i])
    words = _most(by_region)
    if words:
        return words
    lat, lon = posterior.grid.lat_lon_deg
    by_continent: dict[str, float] = {}
    for i in np.flatnonzero(held):
        code = countries.table()[i].code
        own = np.flatnonzero((number == i) & (mass > 0))
        weights = mass[own]
        if code not in continents.DIVIDED:  # weighed as a whole
            own, weights = own[:1], weights.sum(keepdims=True)
        for at, weight in zip(own.tolist(), weights.tolist(), strict=True):
            name = continents.of_country(code, float(lat[at]), float(lon[at]))
            by_continent[name] = by_continent.get(name, 0.0) + weight
    return _most(by_continent) or "several continents"


def region_words(posterior: Posterior, share: float = 0.5) -> str:
    """Which divisions or countries hold most of the region with `share` of the mass, in words that fit after "in": "southern
    England, UK", "Georgia and South Carolina, USA", "France and Belgium"; else as `region_name` has it.
    """
    inside = posterior.region(share)
    number = countries.of(posterior.grid)
    on_land = inside & (number >= 0)
    mass = np.where(on_land, posterior.mass, 0.0)
    if mass.sum() < 0.5 * posterior.mass[inside].sum():
        return region_name(posterior, share)
    held = np.bincount(number[on_land], weights=mass[on_land], minlength=len(countries.table())) / mass.sum()
    ranked = np.argsort(-held, kind="stable")
    top = int(ranked[0])
    if held[top] >= COUNTRY_SHARE:
        return _division_words(posterior, on_land & (number == top), top) or _country_words(posterior, inside, number, top)
    for count in range(2, _NAMED_COUNTRIES + 1):
        named = [int(i) for i in ranked[:count]]
        if held[named].sum() >= COUNTRY_SHARE and held[named[-1]] >= _LEAST_NAMED:
            return listed([countries.table()[i].in_text for i in named])
    return region_name(posterior, share)


def _division_words(posterior: Posterior, own: NDArray[np.bool_], country: int) -> str:
    """One or two states or provinces that hold most of the mass in cells (cells,) of a country, or ""."""
    lat, lon = (v[own] for v in posterior.grid.lat_lon_deg)
    mass = posterior.mass[own] / posterior.mass[own].sum()
    division = places.divisions_at(lat, lon, country)
    known = division >= 0
    if mass[known].sum() < _DIVISIONS_SHARE:
        return ""
    held = np.bincount(division[known], weights=mass[known])
    ranked = [int(i) for i in np.argsort(-held, kind="stable")[:2]]
    count = 1 if held[ranked[0]] >= _DIVISIONS_SHARE else 2
    names = [places.division_name(i) for i in ranked[:count]]
    if held[ranked[:count]].sum() < _DIVISIONS_SHARE or not all(names):
        return ""
    if count == 1:
        there = division == ranked[0]
        has_a_side = any(word in names[0].lower() for word in ("north", "south", "east", "west", "central"))
        side = "" if has_a_side else _side_of_division(lat[there], lon[there], mass[there], ranked[0])
        names[0] = f"{side} {names[0]}".strip()
    name = countries.table()[country].name
    return name if names == [name] else f"{listed(names)}, {name}"


def _side_of_division(lat: NDArray[np.float64], lon: NDArray[np.float64], mass: NDArray[np.float64], division: int) -> str:
    """Which side of a division's towns the mass lies on, or "" where the division is small or the mass spreads over it."""
    every = places.cities()
    towns = every.division == division
    if towns.sum() < 20:
        return ""
    middle = float(np.median(every.lon_deg[towns]))
    offsets = (every.lon_deg[towns] - middle + 180.0) % 360.0 - 180.0
    own = (lon - middle + 180.0) % 360.0 - 180.0
    ends = (np.quantile(every.lat_deg[towns], [0.02, 0.98]), np.quantile(offsets, [0.02, 0.98]))
    half = [max(float(high - low) / 2, 1e-6) for low, high in ends]
    if 111.2 * max(half[0], half[1] * np.cos(np.radians(float(lat.mean())))) < _LARGE_DIVISION_KM:
        return ""
    at = []
    for x, (low, high), width in zip((lat, own), ends, half, strict=True):
        mean = float(np.average(x, weights=mass))
        spread = float(np.sqrt(np.average((x - mean) ** 2, weights=mass)))
        at.append((mean - float(low + high) / 2) / width if spread < _NARROW * width else 0.0)
    return _WORDS[_sign(at[0], at[1]), _sign(at[1], at[0])] if any(at) else ""


def _most(shares: Mapping[str, float]) -> str | None:
    ranked = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0]))
    if ranked[0][1] >= REGION_SHARE:
        return ranked[0][0]
    if len(ranked) > 1 and ranked[0][1] + ranked[1][1] >= PAIR_SHARE:
        return _joined(ranked[0][0], ranked[1][0])
    return None


def _joined(first: str, second: str) -> str:
    a, b = first.rsplit(" ", 1), second.rsplit(" ", 1)
    if len(a) == len(b) == 2 and a[1] == b[1]:
        return f"{a[0]} and {b[0]} {a[1]}"
    return f"{first} and {second}"


def _country_words(posterior: Posterior, inside: NDArray[np.bool_], number: NDArray[np.int64], top: int) -> str:
    country = countries.table()[top]
    own = inside & (number == top)
    lat, lon = posterior.grid.lat_lon_deg
    if country.code == "US":
        outlying = _outlying_state(lat[own], lon[own], posterior.mass[own])
        if outlying:
            return outlying
    if (
        country.code == "AQ"
        or country.area_km2 < _LARGE_KM2
        or posterior.grid.area_km2[own].sum() > _PART_OF_COUNTRY * country.area_km2
    ):
        return country.in_text
    side = _side(lat[own], lon[own], posterior.mass[own], top)
    return f"the {side} {country.name}" if country.in_text.startswith("the ") else f"{side} {country.name}"


def _outlying_state(lat: NDArray[np.float64], lon: NDArray[np.float64], mass: NDArray[np.float64]) -> str | None:
    alaska, hawaii = (lat > 50.0), (lat < 25.0) & (lon < -140.0)
    for name, there in (("Alaska, USA", alaska), ("Hawaii, USA", hawaii)):
        if mass[there].sum() > COUNTRY_SHARE * mass.sum():
            return name
    return None


def _side(lat: NDArray[np.float64], lon: NDArray[np.float64], mass: NDArray[np.float64], country: int) -> str:
    """Which side of a country's main land the mass lies on; longitudes are counted from the country's middle."""
    whole_lat, whole_lon = (v[world().country == country] for v in world_grid().lat_lon_deg)
    angle = np.radians(whole_lon)
    middle = float(np.degrees(np.arctan2(np.sin(angle).mean(), np.cos(angle).mean())))
    offsets = (whole_lon - middle + 180.0) % 360.0 - 180.0
    own = (lon - middle + 180.0) % 360.0 - 180.0
    if countries.table()[country].code == "US":
        main = (whole_lat < 50.0) & (whole_lat > 24.0)
        whole_lat, offsets = whole_lat[main], offsets[main]
    # The outer 4% are islands and panhandles that would shift the middle.
    south, north = np.quantile(whole_lat, [0.02, 0.98])
    west, east = np.quantile(offsets, [0.02, 0.98])
    y = (np.average(lat, weights=mass) - (south + north) / 2) / ((north - south) / 2)
    x = (np.average(own, weights=mass) - (west + east) / 2) / ((east - west) / 2)
    return _WORDS[_sign(float(y), float(x)), _sign(float(x), float(y))]


def _sign(offset: float, other: float) -> int:
    """-1, 0 or 1: which way an offset points, 0 where it is small, in itself or beside the other."""
    return 0 if abs(offset) < max(_SIDE, abs(other) / _FAR_MORE) else (1 if offset > 0 else -1)
