"""Sea, land, coasts and borders under every map, and their colours. The program serves the land itself."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pydeck as pdk

from engine.world import land_outlines

_WORLD_RING = [[-180, 90], [-90, 90], [0, 90], [90, 90], [180, 90], [180, -90], [90, -90], [0, -90], [-90, -90], [-180, -90]]


@dataclass(frozen=True, slots=True)
class Ground:
    """Colours of what lies under the posterior."""

    sea: tuple[int, int, int]
    land: tuple[int, int, int]
    coast: tuple[int, int, int]
    border: tuple[int, int, int]
    ink: tuple[int, int, int]
    halo: tuple[int, int, int]


LIGHT = Ground((246, 249, 251), (233, 232, 227), (150, 148, 140), (198, 196, 188), (30, 34, 38), (255, 255, 255))
DARK = Ground((14, 17, 23), (44, 49, 57), (104, 112, 124), (72, 79, 90), (236, 238, 240), (14, 17, 23))


@lru_cache(maxsize=4)
def ground_json(detail: str) -> dict[str, bytes]:
    """Land, coasts and borders ("land", "coast", "border") as GeoJSON documents, to be served to the browser once."""
    documents = {}
    for f in land_outlines(detail, -85.05)["features"]:
        feature = {"type": "Feature", "properties": {}, "geometry": _rounded(f["geometry"])}
        document = {"type": "FeatureCollection", "features": [feature]}
        documents[f["properties"]["kind"]] = json.dumps(document, separators=(",", ":")).encode()
    return documents


def _rounded(geometry: dict[str, Any]) -> dict[str, Any]:
    def walk(x: Any) -> Any:
        return round(x, 3) if isinstance(x, float) else [walk(y) for y in x] if isinstance(x, list | tuple) else x

    return {"type": geometry["type"], "coordinates": walk(geometry["coordinates"])}


def sea_layer(dark: bool, beyond_deg: float = 0.0) -> pdk.Layer:
    """The sea; on a globe it also hides what lies behind.

    Args:
        beyond_deg: how far it goes on east and west of the antimeridian, to fill the frame of a flat map.
    """
    ground = DARK if dark else LIGHT
    ring = [[lon + math.copysign(beyond_deg, lon) if abs(lon) == 180 else lon, lat] for lon, lat in _WORLD_RING]
    return pdk.Layer("SolidPolygonLayer", id="sea", data=[{"g": ring}], get_polygon="g", get_fill_color=[*ground.sea, 255])


def land_layer(url: str, dark: bool) -> pdk.Layer:
    """Land, filled."""
    ground = DARK if dark else LIGHT
    return pdk.Layer("GeoJsonLayer", id="land", data=url, filled=True, stroked=False, get_fill_color=[*ground.land, 255])


def line_layer(kind: str, url: str, dark: bool) -> pdk.Layer:
    """Coasts or borders, drawn above the posterior so that they stay readable."""
    ground = DARK if dark else LIGHT
    return pdk.Layer(
        "GeoJsonLayer",
        id=kind,
        data=url,
        filled=False,
        stroked=True,
        get_line_color=[*(ground.coast if kind == "coast" else ground.border), 200],
        get_line_width=0.9,
        line_width_units=pdk.types.String("pixels"),
    )
