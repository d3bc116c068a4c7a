"""Where a cue is found: the small language of the column `areas` in assets/cues/cues.csv, worked out on a grid.

A row lists alternatives, separated by spaces; the likeliest holds. The conditions of one alternative are joined by `&`, and the
values of one condition by `+`:

    DE+AT&@high:500                Germany or Austria, where the land rises above 500 m
    27:35.5:-115.5:-109            a box, south:north:west:east in degrees
    @region:Southern_Europe        countries of a region of `world.regions`
    @driving:left  @script:Cyrl  @mains:50        countries by the tables of `world`
    @land:needleleaf+mixed         land cover of these kinds
    @climate:Cs+BW                 climates whose Köppen code begins so
    @coldest:6  @warmest:25        the coldest month is milder, the warmest hotter than so many °C
    @relief:600  @flat:120         heights within 30 km rise more, or less, than so many metres above the ground
    @high:1500  @below:900         the land reaches above, or lies below, so many metres
    @sea:30  @lake:15  @city:1000000      the sea or a lake within so many km; a city of so many people within 30 km
    @snow  @peaksnow               snow lies on the ground, or on the heights, in the month of the clip
    @here                          another clue decides

Countries and boxes are 0 or 1. The others are chances with a soft edge, since a raster's cell is 28 km wide and a picture shows
what is far away. Their edges are choices; how much a cue counts is fitted (`earwitness lab calibrate-cues`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import expit

from engine.core import sphere
from engine.core.errors import DataError, EarwitnessError
from engine.core.grid import Grid
from engine.world import countries, driving, landscape, mains, places, regions, scripts

HERE = "@here"
_HALF_DEG = 0.35  # a cell whose centre lies this far outside a box still holds some of it
_ENOUGH = 0.3  # share of the land from which a kind of cover is seen wherever one stands
_CITY_KM = 30.0
_EDGE_C = 2.0  # softness of a temperature's edge
_EDGE_LOG = 0.25  # of a height's, in natural logarithms

Chance = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of an area: its kind and its values; countries and boxes have the kinds "country" and "box"."""

    kind: str
    values: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The countries that a condition by country names."""
        if self.kind == "country":
            return self.values
        known = countries.table()
        if self.kind == "region":
            wanted = {v.replace("_", " ") for v in self.values}
            return tuple(c.code for c in known if regions.of_country(c.code) in wanted)
        if self.kind == "driving":
            return tuple(c.code for c in known if (c.code in driving.left()) == (self.values[0] == "left"))
        if self.kind == "script":
            return tuple(c.code for c in scripts.countries_of(self.values[0]))
        return ()


Area = tuple[Condition, ...]


@lru_cache(maxsize=1024)
def parsed(text: str) -> tuple[Area, ...]:
    """The alternatives of a row's column.

    Raises:
        DataError: a condition is unknown, or a value is no country, region, kind of land or number.
    """
    return tuple(tuple(_condition(part) for part in alternative.split("&")) for alternative in text.split())


def _condition(text: str) -> Condition:
    if not text.startswith("@"):
        found = Condition("box", tuple(text.split(":"))) if ":" in text else Condition("country", tuple(text.split("+")))
    else:
        kind, _, values = text[1:].partition(":")
        found = Condition(kind, tuple(v for v in values.split("+") if v))
    try:
        _check(found)
    except (ValueError, KeyError, IndexError, EarwitnessError) as wrong:
        raise DataError(f"The area {text!r} is not one that assets/cues/cues.csv may hold ({wrong}).") from None
    return found


def _check(condition: Condition) -> None:
    kind, values = condition.kind, condition.values
    if kind == "country":
        for code in values:
            countries.number_of(code)
    elif kind == "box":
        south, north, west, east = (float(v) for v in values)
        if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
            raise ValueError("a box is south:north:west:east")
    elif kind == "region" and not condition.codes:
        raise ValueError("no such region")
    elif kind == "land":
        landscape.cover_index(values)
    elif kind == "climate":
        landscape.climates_of(values)
    elif kind in _NUMBERED or kind == "city":
        float(values[0])
    elif kind not in ("here", "mains", "region", "driving", "script", *_SEASONAL):
        raise ValueError("no such condition")


def chance(text: str, grid: Grid, when: date | None = None) -> Chance:
    """(cells,) how well each cell fits the areas of a row, 0 to 1; 0 everywhere where another clue decides (@here)."""
    return _chance(text, grid, when.month if when else 0)


@lru_cache(maxsize=512)
def _chance(text: str, grid: Grid, month: int) -> Chance:
    """Conditions are joined at each point, and averaged over the points of a cell: a cell holds valleys and heights."""
    alternatives = parsed(text)
    if all(c.kind in _BY_CELL for a in alternatives for c in a):
        return _best(alternatives, lambda c: _by_cell(c, grid), len(grid))
    seen = landscape.of(grid)

    def fits(condition: Condition) -> Chance:
        if condition.kind in _BY_CELL:
            return _by_cell(condition, grid)[seen.cell]
        return _by_land(condition, seen.land, month)

    return seen.mean(_best(alternatives, fits, len(seen.cell)))


def _best(alternatives: tuple[Area, ...], fits: Callable[[Condition], Chance], size: int) -> Chance:
    best = np.zeros(size)
    for alternative in alternatives:
        own = np.ones(size)
        for condition in alternative:
            own = own * fits(condition)
        best = np.maximum(best, own)
    return best


_BY_COUNTRY = ("country", "region", "driving", "script")
_BY_CELL = (*_BY_COUNTRY, "box", "mains", "city", "here")


def _by_cell(condition: Condition, grid: Grid) -> Chance:
    kind, values = condition.kind, condition.values
    if kind in _BY_COUNTRY:
        return np.isin(countries.of(grid), [countries.number_of(c) for c in condition.codes]).astype(np.float64)
    if kind == "box":
        return _in_box(values, grid)
    if kind == "mains":
        return np.asarray(mains.of(grid) == int(values[0]), np.float64)
    return _city(grid, float(values[0])) if kind == "city" else np.zeros(len(grid))


def _in_box(values: tuple[str, ...], grid: Grid) -> Chance:
    south, north, west, east = (float(x) for x in values)
    lat, lon = grid.lat_lon_deg
    across = np.abs(lat - (south + north) / 2) <= (north - south) / 2 + _HALF_DEG
    along = np.abs(lon - (west + east) / 2) <= (east - west) / 2 + _HALF_DEG
    return np.asarray(across & along, np.float64)


def _city(grid: Grid, people: float) -> Chance:
    """1 where a city of so many people lies within reach of the cell's centre, or in the cell."""
    towns = places.cities()
    large = towns.people >= people
    tree = cKDTree(sphere.to_xyz(towns.lat_deg[large], towns.lon_deg[large]))
    chord, _ = tree.query(grid.xyz)
    reach_km = np.maximum(_CITY_KM, np.sqrt(grid.area_km2 / np.pi))
    near_km = 2.0 * sphere.EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.asarray(chord, np.float64) / 2.0))
    return np.asarray(near_km <= reach_km, np.float64)


def _by_land(condition: Condition, land: landscape.Landscape, month: int) -> Chance:
    kind, values = condition.kind, condition.values
    if kind == "land":
        share = np.asarray(land.cover[:, landscape.cover_index(values)].sum(axis=1), np.float64)
        return np.asarray(np.minimum(1.0, share / _ENOUGH), np.float64)
    if kind == "climate":
        return land.climate_share(values)
    return _NUMBERED[kind](land, float(values[0])) if values else _SEASONAL[kind](land, month)


def _above(value: NDArray[np.float32], threshold_m: float) -> Chance:
    """Softly 1 above a threshold, in proportion."""
    out: Chance = expit((np.log(np.maximum(value, 1.0, dtype=np.float64)) - np.log(threshold_m)) / _EDGE_LOG)
    return out


def _warmer(value: NDArray[np.float32], threshold_c: float) -> Chance:
    out: Chance = expit((value.astype(np.float64) - threshold_c) / _EDGE_C)
    return out


def _within(value_km: NDArray[np.float32], reach_km: float) -> Chance:
    """1 up to the reach, a half at twice of it, a quarter at three times."""
    out: Chance = 0.5 ** np.maximum(0.0, value_km.astype(np.float64) / reach_km - 1.0)
    return out


_NUMBERED: dict[str, Callable[[landscape.Landscape, float], Chance]] = {
    "coldest": lambda land, c: _warmer(land.coldest_c, c),
    "warmest": lambda land, c: _warmer(land.warmest_c, c),
    "relief": lambda land, m: _above(land.relief_m, m),
    "flat": lambda land, m: 1.0 - _above(land.relief_m, m),
    "high": lambda land, m: _above(land.high_m, m),
    "below": lambda land, m: 1.0 - _above(land.mean_m, m),
    "sea": lambda land, km: _within(land.sea_km, km),
    "lake": lambda land, km: _within(land.lake_km, km),
}
_SEASONAL: dict[str, Callable[[landscape.Landscape, int], Chance]] = {
    "snow": lambda land, month: land.snow(month),
    "peaksnow": lambda land, month: land.peak_snow(month),
}
