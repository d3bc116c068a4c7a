"""Where a modality points."""

# ruff: noqa: RUF009 (the documentation of a field is data, made once)
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.core.finding import Located
from engine.report.formats.record.field import documented, text
from engine.report.view import scope

LEAST_MASS = 1e-5  # cells with less are summed up in mass_left_out
SHARES = (0.5, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class PlaceRecord:
    """The place reported: the cell centre with the most mass within radius_km."""

    lat_deg: float = documented("latitude")
    lon_deg: float = documented("longitude")
    name: str = documented("in words, from an offline gazetteer")
    mass: float = documented("posterior probability within radius_km")
    radius_km: float = documented("radius of the place rule")


@dataclass(frozen=True, slots=True)
class RegionRecord:
    """A credible region: the smallest set of cells, densest first, with this posterior probability."""

    share: float = documented("0.5, 0.9 or 0.95")
    area_km2: float = documented("area")


@dataclass(frozen=True, slots=True)
class CountryRecord:
    """A country's posterior probability."""

    name: str = documented("country")
    share: float = documented("posterior probability")


@dataclass(frozen=True, slots=True)
class CellRecord:
    """A cell of the map."""

    cell: str = documented("H3 index, hexadecimal")
    mass: float = documented("posterior probability")
    region: float = documented("smallest credible region that holds it: 0.5, 0.9, 0.95, or 1 for none of them")


@dataclass(frozen=True, slots=True)
class LocatedRecord:
    """Where one modality points."""

    modality: str = documented("sound, picture, container or both")
    spoke: bool = documented("false when no location is given")
    cannot_tell: str | None = documented("why no location is given, or null")
    place: PlaceRecord | None = documented("the place reported, or null when spoke is false: cannot_tell has the reason")
    where: str = documented("where it points, in words: the headline; empty when spoke is false")
    where_is: str = documented(
        "what the headline names: place, or region where less than 30% of the mass lies within 100 km of the place reported, "
        "which is then no more than the densest point; empty when spoke is false"
    )
    region: str = documented("where the 90% region lies, in words, or empty")
    gain_nats: float = documented("Kullback-Leibler divergence of the posterior from the prior")
    entropy_nats: float = documented("entropy of the posterior over the cells")
    prior: str = documented("prior applied")
    regions: tuple[RegionRecord, ...] = documented("credible regions; none when spoke is false")
    countries: tuple[CountryRecord, ...] = documented("countries by share, largest first; none when spoke is false")
    grid_cells: int = documented("cells of the map, of several sizes where it was refined")
    cells: tuple[CellRecord, ...] = documented(
        f"cells with a mass of at least {LEAST_MASS:g}, heaviest first; none when spoke is false"
    )
    mass_left_out: float = documented("mass of all cells not listed")


@dataclass(frozen=True, slots=True)
class BeforeRecord:
    """Where a modality points, in short: in a scene, or as first computed, before any edit."""

    modality: str = documented("modality")
    spoke: bool = documented("false when no location was given")
    place: PlaceRecord | None = documented("the place reported, or null when spoke is false")
    where: str = documented("where it pointed, in words")
    where_is: str = documented("what that names: place or region")
    region: str = documented("where the 90% region lay, in words, or empty")
    gain_nats: float = documented("gain over the prior")


def located_record(x: Located, prior: str) -> LocatedRecord:
    mass, region = x.posterior.mass, region_of(x)
    listed = np.flatnonzero(mass >= LEAST_MASS) if x.spoke else np.empty(0, dtype=np.int64)
    listed = listed[np.argsort(-mass[listed], kind="stable")]
    cells = x.posterior.grid.cells
    return LocatedRecord(
        modality=x.modality,
        spoke=x.spoke,
        cannot_tell=text(scope.homeless(x.cannot_tell)) if x.cannot_tell else None,
        place=place_record(x),
        where=text(x.where),
        where_is=x.where_is,
        region=text(x.region),
        gain_nats=x.gain_nats,
        entropy_nats=x.posterior.entropy_nats,
        prior=prior,
        regions=tuple(RegionRecord(float(s), float(a)) for s, a in sorted(x.regions_km2.items())),
        countries=tuple(CountryRecord(text(n), float(s)) for n, s in x.countries),
        grid_cells=len(cells),
        cells=tuple(CellRecord(f"{int(cells[i]):x}", float(mass[i]), float(region[i])) for i in listed),
        mass_left_out=max(0.0, 1.0 - float(mass[listed].sum())),
    )


def place_record(x: Located) -> PlaceRecord | None:
    """The place reported; none of a modality that cannot tell."""
    p = x.place
    return None if p is None else PlaceRecord(p.lat_deg, p.lon_deg, text(p.name), p.mass, p.radius_km)


def before_record(x: Located) -> BeforeRecord:
    return BeforeRecord(x.modality, x.spoke, place_record(x), text(x.where), x.where_is, text(x.region), x.gain_nats)


def region_of(located: Located) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(cells,) the smallest of SHARES whose region holds each cell; 1 where none does."""
    region = np.ones(len(located.posterior.grid))
    for share in sorted(SHARES, reverse=True):
        region[located.posterior.region(share)] = share
    return region
