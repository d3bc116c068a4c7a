"""Where a map's camera stands, and the deck that draws its layers. Nothing is fetched: there is no map provider."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pydeck as pdk
from numpy.typing import NDArray
from pydeck.bindings.json_tools import default_serialize

from engine import Claim, Located, Posterior

GLOBE_ZOOM = 1.0  # the whole globe in the map's height


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera stands, and what a globe turns towards; `turn` counts deliberate moves, so that one can be repeated."""

    lat_deg: float = 20.0
    lon_deg: float = 10.0
    zoom: float = 0.7
    turn: int = 0
    globe_lat_lon: tuple[float, float] | None = None


def ring_of(claim: Claim, times: float = 1.0) -> list[list[float]]:
    """A circle around a claimed place, of so many times its radius, [lon, lat] in degrees; where it crosses the antimeridian it
    runs on beyond 180.
    """
    centre = math.radians(claim.lat_deg)
    r = times * claim.radius_km / 6371.0
    turn = np.linspace(0.0, 2 * np.pi, 73)
    lat = np.arcsin(np.clip(math.sin(centre) * math.cos(r) + math.cos(centre) * math.sin(r) * np.cos(turn), -1, 1))
    lon = np.arctan2(np.sin(turn) * math.sin(r) * math.cos(centre), math.cos(r) - math.sin(centre) * np.sin(lat))
    return np.column_stack([claim.lon_deg + np.degrees(lon), np.degrees(lat)]).round(4).tolist()


class Deck(pdk.Deck):
    """A deck whose JSON is written without the indentation that would double it and take most of the time."""

    def to_json(self) -> str:
        return json.dumps(self, default=default_serialize, separators=(",", ":"))


def deck(layers: Sequence[pdk.Layer], view: View, globe: bool) -> pdk.Deck:
    """A deck of these layers; the camera moves only when `view` changes."""
    kind = (
        pdk.View(type="_GlobeView", controller=True, resolution=3)
        if globe
        else pdk.View(type="MapView", controller=True, repeat=False)
    )
    for layer in layers:  # the browser would keep shapes that it cut up for the other projection
        layer.id = f"{layer.id}-{'globe' if globe else 'flat'}"
    nudge = 1e-7 * view.turn  # the browser moves only to a view that differs from the last one asked for
    lat, lon = (view.globe_lat_lon if globe else None) or (view.lat_deg, view.lon_deg)
    state = pdk.ViewState(
        latitude=lat + nudge,
        longitude=lon + nudge,
        zoom=(min(view.zoom, GLOBE_ZOOM) if globe else view.zoom) + nudge,
        min_zoom=-0.5 if globe else 0.0,
        max_zoom=9,
    )
    tooltip = {"text": "{t}", "style": {"fontSize": "12px", "padding": "4px 8px", "maxWidth": "320px"}}
    return Deck(layers=list(layers), views=[kind], initial_view_state=state, map_provider=None, tooltip=tooltip)


NAME_PX = 140


def fit(located: Sequence[Located], width_px: int, height_px: int, turn: int = 0, claims: Sequence[Claim] = ()) -> View:
    """A view that holds the 90% regions of these and the claimed places; the whole world when they are wider than half of it or
    there are none.
    """
    first = located[0].place if located else None
    towards = (first.lat_deg, first.lon_deg) if first else None
    if claims and not located:
        towards = (claims[0].lat_deg, claims[0].lon_deg)
    points = [x.posterior.grid.xyz[x.posterior.region(0.9)] for x in located]
    points += [_xyz(np.array([p[::-1] for p in ring_of(c, 4.0)])) for c in claims]
    if not points:
        return replace(world_view(width_px, height_px), turn=turn, globe_lat_lon=towards)
    return _fit(np.concatenate(points), width_px, height_px, turn, towards)


def fit_points(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], width_px: int, height_px: int, turn: int = 0) -> View:
    """A view that holds these places with room around them; the whole world when they are all over it."""
    around = [(a + da, o + do) for a, o in zip(lat_deg, lon_deg, strict=True) for da, do in ((-2, -3), (2, 3))]
    return _fit(_xyz(np.clip(np.array(around), [-85, -540], [85, 540])), width_px, height_px, turn, None)


def fit_posteriors(posteriors: Sequence[Posterior], width_px: int, height_px: int) -> View:
    """A view that holds the 90% regions of these; the whole world when they are wide."""
    if not posteriors:
        return world_view(width_px, height_px)
    return _fit(np.concatenate([x.grid.xyz[x.region(0.9)] for x in posteriors]), width_px, height_px, 0, None)


def _fit(xyz: NDArray[np.float64], width_px: int, height_px: int, turn: int, towards: tuple[float, float] | None) -> View:
    centre = xyz.mean(axis=0)
    if np.linalg.norm(centre) < 0.35:
        return replace(world_view(width_px, height_px), turn=turn, globe_lat_lon=towards)
    centre /= np.linalg.norm(centre)
    lon0 = math.degrees(math.atan2(centre[1], centre[0]))
    lat = np.degrees(np.arcsin(np.clip(xyz[:, 2], -1, 1)))
    lon = (np.degrees(np.arctan2(xyz[:, 1], xyz[:, 0])) - lon0 + 180.0) % 360.0 - 180.0
    south, north = (float(_mercator(np.clip(v, -80, 80))) for v in (lat.min() - 0.6, lat.max() + 0.6))
    west, east = float(lon.min()) - 0.6, float(lon.max()) + 0.6
    wide = max(width_px / 2, width_px - NAME_PX)  # names stand over their marks, and those at the edge are to be read too
    zoom = min(math.log2(wide / 512 * 360 / (east - west)), math.log2(height_px / 512 * 2 * math.pi / (north - south))) - 0.25
    if zoom < 0.3:
        return replace(world_view(width_px, height_px), turn=turn, globe_lat_lon=towards)
    middle = math.degrees(2 * math.atan(math.exp((south + north) / 2)) - math.pi / 2)
    lon_mid = (lon0 + (west + east) / 2 + 180.0) % 360.0 - 180.0
    return View(middle, lon_mid, min(zoom, 7.5), turn, towards)


def world_view(width_px: int, height_px: int) -> View:
    """All inhabited latitudes."""
    zoom = min(math.log2(width_px / 512), math.log2(height_px / 330))
    return View(24.0, 8.0, max(0.0, zoom))


def _xyz(lat_lon_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) unit vectors of places (n, 2)."""
    lat, lon = np.radians(lat_lon_deg).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _mercator(lat_deg: float) -> float:
    return math.asinh(math.tan(math.radians(float(lat_deg))))
