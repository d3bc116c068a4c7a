"""Land, coasts and borders for drawing: Natural Earth in three details, cut at the antimeridian."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SettingError
from engine.world import assets, shapes

DETAILS = ("coarse", "medium", "fine")


@cache
def _held(detail: str) -> dict[str, NDArray[np.generic]]:
    if detail not in DETAILS:
        raise SettingError(f"There is no detail called {detail!r}; choose one of {', '.join(DETAILS)}.")
    return assets.arrays(f"land_{detail}")


@cache
def polygons(detail: str = "medium") -> tuple[tuple[NDArray[np.float64], ...], ...]:
    """Land as polygons of rings (n, 2) of longitude and latitude: the outer one first, then lakes' and seas' holes.

    Raises:
        SettingError: there is no such detail.
    """
    held = _held(detail)
    rings = shapes.lines(held, "land_")
    found: list[list[NDArray[np.float64]]] = []
    for first, ring in zip(held["land_starts"].astype(bool), rings, strict=True):
        if first:
            found.append([ring])
        else:
            found[-1].append(ring)
    return tuple(tuple(p) for p in found)


@cache
def coasts(detail: str = "medium") -> tuple[NDArray[np.float64], ...]:
    """Coast lines (n, 2) of longitude and latitude, without the seams at the antimeridian and the pole."""
    return tuple(shapes.lines(_held(detail), "coast_"))


@cache
def borders(detail: str = "medium") -> tuple[NDArray[np.float64], ...]:
    """Borders between countries, (n, 2) of longitude and latitude, each drawn once."""
    return tuple(shapes.lines(_held(detail), "border_"))


def land_outlines(detail: str = "medium", least_lat_deg: float = -90.0) -> dict[str, Any]:
    """A GeoJSON feature collection of three features, distinguished by the property "kind".

    "land" is a MultiPolygon to fill, "coast" and "border" are MultiLineStrings to stroke: filling and stroking the
    same polygons would draw a line along the antimeridian.

    Args:
        detail: one of DETAILS.
        least_lat_deg: latitudes below are raised to it; a web Mercator map needs -85.05, where the pole is at infinity.

    Raises:
        SettingError: there is no such detail.
    """
    return {
        "type": "FeatureCollection",
        "features": [
            _feature("land", "MultiPolygon", [[_listed(r, least_lat_deg) for r in p] for p in polygons(detail)]),
            _feature("coast", "MultiLineString", [_listed(line, least_lat_deg) for line in coasts(detail)]),
            _feature("border", "MultiLineString", [_listed(line, least_lat_deg) for line in borders(detail)]),
        ],
    }


def _listed(line: NDArray[np.float64], least_lat_deg: float) -> list[list[float]]:
    if line[:, 1].min() < least_lat_deg:
        line = np.column_stack([line[:, 0], np.maximum(line[:, 1], least_lat_deg)])
    listed: list[list[float]] = line.tolist()
    return listed


def _feature(kind: str, geometry: str, coordinates: list[Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"kind": kind}, "geometry": {"type": geometry, "coordinates": coordinates}}
