"""Posteriors and ranges on a map: flat or globe, over our own land, one colour scale with the same stops everywhere.

Nothing is fetched: there is no map provider, and the land is served by this program itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pydeck as pdk
from numpy.typing import NDArray
from pydeck.bindings.json_tools import default_serialize

import engine
from app.outline import edge_paths
from engine import Affinity, Claim, ClaimTest, FlowMap, Grid, Located, Match, Place, Posterior, great_circle
from engine.report import MASS_COLOURS, MODALITY_COLOURS
from engine.report.view import claim as claim_words
from engine.report.view import words
from engine.world import land_outlines

# Share of the belief per 10,000 km². A place drawn at random on land has 0.007% of it: the first two steps are "no news".
MASS_STOPS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
LEAST_DRAWN = 2e-5
# Chance that a species is recorded in a place, for range maps.
RANGE_STOPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
LEAST_RANGE = 0.005
# Share of the land with at least as much affinity, for affinity maps; the rest is left out.
AFFINITY_STOPS = (0.5, 0.35, 0.25, 0.15, 0.1, 0.05, 0.02, 0.01)
REGION_WIDTHS = ((0.9, 1.2), (0.5, 2.2))  # px
FINE_OUTLINE_KM2 = 60_000.0
GLOBE_ZOOM = 1.0  # the whole globe in the map's height
_ALPHA = (95, 120, 145, 160, 172, 182, 192, 202, 212)

_WORLD_RING = [[-180, 90], [-90, 90], [0, 90], [90, 90], [180, 90], [180, -90], [90, -90], [0, -90], [-90, -90], [-180, -90]]


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera stands, and what a globe turns towards; `turn` counts deliberate moves, so that one can be repeated."""

    lat_deg: float = 20.0
    lon_deg: float = 10.0
    zoom: float = 0.7
    turn: int = 0
    globe_lat_lon: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """Colours of what lies under the belief."""

    sea: tuple[int, int, int]
    land: tuple[int, int, int]
    coast: tuple[int, int, int]
    border: tuple[int, int, int]
    ink: tuple[int, int, int]
    halo: tuple[int, int, int]


LIGHT = Ground((246, 249, 251), (233, 232, 227), (150, 148, 140), (198, 196, 188), (30, 34, 38), (255, 255, 255))
DARK = Ground((14, 17, 23), (44, 49, 57), (104, 112, 124), (72, 79, 90), (236, 238, 240), (14, 17, 23))


def palette(dark: bool) -> tuple[tuple[int, int, int], ...]:
    """The scale from least to most; on a dark ground it runs the other way, so that most is always what stands out."""
    colours = tuple(rgb(c) for c in MASS_COLOURS)
    return colours[::-1] if dark else colours


def rgb(colour: str) -> tuple[int, int, int]:
    """(red, green, blue) of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def modality_rgb(modality: str, dark: bool) -> tuple[int, int, int]:
    """A modality's colour, lightened where the ground is dark."""
    colour = rgb(MODALITY_COLOURS.get(modality, "#5b6670"))
    if not dark:
        return colour
    red, green, blue = (round(c + (255 - c) * 0.28) for c in colour)
    return red, green, blue


# --- layers -------------------------------------------------------------------------------------------------------------


def mass_layer(located: Located, dark: bool) -> pdk.Layer:
    """Cells coloured by how dense the belief is; cells with next to none are left out."""
    return belief_layer(located.posterior, located.modality, dark)


def belief_layer(posterior: Posterior, modality: str, dark: bool) -> pdk.Layer:
    """The same of a belief alone."""
    share = np.exp(posterior.log_density) * 1e4
    drawn = np.flatnonzero(share >= LEAST_DRAWN)
    step = np.searchsorted(MASS_STOPS, share[drawn], side="right")
    told = [f"{_per_cent(m)} of the belief" for m in posterior.mass[drawn]]
    return _cells(f"mass-{modality}", posterior.grid.cells[drawn], step, told, dark)


def range_layer(grid: Grid, chance: NDArray[np.floating], dark: bool) -> pdk.Layer:
    """Cells coloured by the chance, 0 to 1, that a species is recorded there (cells,)."""
    drawn = np.flatnonzero(chance >= LEAST_RANGE)
    step = np.searchsorted(RANGE_STOPS, chance[drawn], side="right")
    told = [f"recorded here: {_per_cent(c)}" for c in chance[drawn]]
    return _cells("range", grid.cells[drawn], step, told, dark)


def affinity_layer(affinity: Affinity, dark: bool) -> pdk.Layer:
    """Cells coloured by the share of land that has at least as much affinity; the lesser half is left out."""
    above = affinity.land_above
    drawn = np.flatnonzero(above <= AFFINITY_STOPS[0])
    step = (above[drawn][:, None] <= np.array(AFFINITY_STOPS)).sum(axis=1)
    told = [f"among the {_per_cent(max(a, 0.001))} of land most alike" for a in above[drawn]]
    return _cells("affinity", affinity.grid.cells[drawn], step, told, dark)


def spot_layers(spots: Sequence[Match], dark: bool, globe: bool) -> list[pdk.Layer]:
    """Numbered marks, the best place first."""
    ground = DARK if dark else LIGHT
    height = 250_000.0 if globe else 0.0
    rows = [
        {"p": [s.lon_deg, s.lat_deg, height], "n": str(number), "m": "●", "t": f"{number}. {_short_place(s.name)}"}
        for number, s in enumerate(spots, 1)
    ]
    if not rows:
        return []
    colour = modality_rgb("sound", dark)
    text = {
        "data": rows,
        "get_position": "p",
        "billboard": True,
        "character_set": pdk.types.String("auto"),
        "font_settings": {"sdf": True, "fontSize": 64, "buffer": 8},
        "outline_color": [*ground.halo, 255],
        "parameters": {"cullMode": "none"} if globe else {},
        "pickable": True,
    }
    font = pdk.types.String("Source Sans, Source Sans Pro, sans-serif")
    return [
        pdk.Layer("TextLayer", id="dots", get_text="m", get_color=[*colour, 255], get_size=15,
                  outline_width=5, **text),
        pdk.Layer("TextLayer", id="spots", get_text="n", get_color=[*ground.ink, 255], get_size=14, font_family=font,
                  font_weight=700, outline_width=6, get_pixel_offset=[0, -15], **text),
    ]  # fmt: skip


def flow_layer(flow: FlowMap, dark: bool, globe: bool) -> pdk.Layer:
    """Places drawn from the flow, as points."""
    height = 60_000.0 if globe else 0.0
    told = f"{len(flow.lat_deg)} places drawn by the flow ({flow.label})"
    places = zip(flow.lat_deg.tolist(), flow.lon_deg.tolist(), strict=True)
    return pdk.Layer(
        "ScatterplotLayer",
        id=f"samples-{flow.located.modality}",
        data=[{"p": [round(lon, 4), round(lat, 4), height], "t": told} for lat, lon in places],
        get_position="p",
        get_fill_color=[*modality_rgb(flow.located.modality, dark), 190],
        get_line_color=[*(DARK if dark else LIGHT).halo, 220],
        stroked=True,
        get_radius=3.2,
        radius_units=pdk.types.String("pixels"),
        line_width_min_pixels=1,
        billboard=True,
        pickable=True,
        parameters={"cullMode": "none"} if globe else {},
    )


def _cells(layer_id: str, cells: NDArray[np.uint64], step: NDArray[np.int64], told: Sequence[str], dark: bool) -> pdk.Layer:
    fills = [[*c, a] for c, a in zip(palette(dark), _ALPHA, strict=True)]
    rows = [{"h": f"{c:x}", "f": fills[s], "t": t} for c, s, t in zip(cells.tolist(), step.tolist(), told, strict=True)]
    return pdk.Layer(
        "H3HexagonLayer",
        id=layer_id,
        data=rows,
        get_hexagon="h",
        get_fill_color="f",
        stroked=False,
        filled=True,
        extruded=False,
        high_precision=True,
        pickable=True,
        auto_highlight=True,
        highlight_color=[255, 255, 255, 60],
    )


def outline_layers(located: Located, dark: bool, globe: bool) -> list[pdk.Layer]:
    """The edges of the 90% (thin) and 50% (thick) regions in the modality's colour, each on a halo."""
    ground = DARK if dark else LIGHT
    colour = modality_rgb(located.modality, dark)
    layers = []
    whole = _at_world_resolution(located.posterior)
    for share, width in REGION_WIDTHS:
        told = f"{words.modality(located.modality)}: edge of the {share:.0%} region"
        fine = located.regions_km2.get(share, 0.0) < FINE_OUTLINE_KM2
        posterior = located.posterior if fine else whole
        runs = edge_paths(posterior.grid, posterior.region(share))
        paths = [{"p": _lifted(run, globe), "t": told} for run in runs]
        name = f"{located.modality}-{share:.0%}"
        if not globe:  # two lines at one height flicker on a sphere
            layers.append(_path_layer(f"halo-{name}", paths, [*ground.halo, 130], width + 1.4))
        layers.append(_path_layer(f"edge-{name}", paths, [*colour, 255], width, pickable=True))
    return layers


def _at_world_resolution(posterior: Posterior) -> Posterior:
    """The same belief on cells of one size: the outline of a wide region would else break up into specks around towns."""
    cells, log_mass = posterior.at_resolution()
    return Posterior(Grid(cells), log_mass)


def _lifted(run: Iterable[Sequence[float]], globe: bool, height_m: float = 12_000.0) -> list[list[float]]:
    """Points held above a globe, whose facets would else swallow lines."""
    return [[*p[:2], height_m] for p in run] if globe else [list(p) for p in run]


def _path_layer(
    layer_id: str, paths: list[dict[str, Any]], colour: list[int], width_px: float, pickable: bool = False
) -> pdk.Layer:
    return pdk.Layer(
        "PathLayer",
        id=layer_id,
        data=paths,
        get_path="p",
        get_color=colour,
        get_width=width_px,
        width_units=pdk.types.String("pixels"),
        joint_rounded=True,
        cap_rounded=True,
        pickable=pickable,
    )


CLOSE_KM = 1_800.0
_MARKS = {"sound": "●", "picture": "■", "both": "◆", "claim": "✚"}


def place_layers(located: Iterable[Located], dark: bool, globe: bool) -> list[pdk.Layer]:
    """A mark and a name for each place reported: round for sound, square for picture, a diamond for both."""
    ground = DARK if dark else LIGHT
    placed = [(x, x.place) for x in located if x.place is not None]
    rows: list[dict[str, Any]] = [
        {
            "p": [place.lon_deg, place.lat_deg, 250_000.0 if globe else 0.0],
            "m": _MARKS.get(x.modality, "▲"),
            "c": [*modality_rgb(x.modality, dark), 255],
            "n": _short_place(place.name),
            "t": f"{words.modality(x.modality)}: {place.name or words.place(place.lat_deg, place.lon_deg)}",
        }
        for x, place in placed
    ]
    if not rows:
        return []
    # Names stand above their marks; where places lie close, that of the southernmost stands below.
    lats = [place.lat_deg for _, place in placed]
    for row, lat in zip(rows, lats, strict=True):
        close = any(_near(place, row["p"]) for _, place in placed)
        row["o"] = [0, 24] if close and lat == min(lats) else [0, -20]
    text = {
        "data": rows,
        "get_position": "p",
        "billboard": True,
        "outline_color": [*ground.halo, 255],
        "font_settings": {"sdf": True, "fontSize": 64, "buffer": 8},
        "character_set": pdk.types.String("auto"),
        # A globe hides faces turned away, and letters count as such.
        "parameters": {"cullMode": "none"} if globe else {},
    }
    return [
        pdk.Layer("TextLayer", id="marks", get_text="m", get_color="c", get_size=24, outline_width=5, pickable=True, **text),
        pdk.Layer(
            "TextLayer",
            id="names",
            get_text="n",
            get_color=[*ground.ink, 255],
            get_size=13,
            get_pixel_offset="o",
            font_family=pdk.types.String("Source Sans, Source Sans Pro, sans-serif"),
            font_weight=600,
            outline_width=4,
            **text,
        ),
    ]


def _near(place: Place, lon_lat: list[float]) -> bool:
    """Whether another place is so near to this one that both names would stand on each other on a map of the world."""
    km = float(engine.distance_km(place.lat_deg, place.lon_deg, lon_lat[1], lon_lat[0]))
    return 0.0 < km < CLOSE_KM


def arrow_layers(start: Place, end: Place, distance_km: float, dark: bool, globe: bool) -> list[pdk.Layer]:
    """The great circle between two places, with its length."""
    a, b = ((x.lat_deg, x.lon_deg) for x in (start, end))
    return way_layers(a, b, distance_km, dark, globe)


def way_layers(
    start: tuple[float, float], end: tuple[float, float], distance_km: float, dark: bool, globe: bool, name: str = "way"
) -> list[pdk.Layer]:
    """The great circle between two places given as (lat, lon) in degrees, with its length; each on a map has a name."""
    ground = DARK if dark else LIGHT
    lat, lon = great_circle(*start, *end, 96)
    jumps = np.flatnonzero(np.abs(np.diff(lon)) > 180.0) + 1
    runs = [np.column_stack([o, a]).round(3).tolist() for o, a in zip(np.split(lon, jumps), np.split(lat, jumps), strict=True)]
    told = f"{words.km(distance_km)} apart"
    paths = [{"p": _lifted(run, globe, 20_000.0), "t": told} for run in runs if len(run) > 1]
    middle = [{"p": [float(lon[48]), float(lat[48]), 250_000.0 if globe else 0.0], "n": words.km(distance_km)}]
    return [
        _path_layer(f"{name}-halo", paths, [*ground.halo, 200], 4.0),
        _path_layer(name, paths, [*ground.ink, 235], 1.8, pickable=True),
        pdk.Layer(
            "TextLayer",
            id=f"{name}-km",
            data=middle,
            get_position="p",
            get_text="n",
            get_color=[*ground.ink, 255],
            get_size=14,
            get_pixel_offset=[0, -12] if distance_km >= CLOSE_KM else [44, 4],  # beside names that stand above and below
            outline_width=5,
            outline_color=[*ground.halo, 255],
            font_settings={"sdf": True, "fontSize": 64, "buffer": 8},
            font_family=pdk.types.String("Source Sans, Source Sans Pro, sans-serif"),
            font_weight=700,
            parameters={"cullMode": "none"} if globe else {},
        ),
    ]


def claim_layers(claims: Sequence[ClaimTest], dark: bool, globe: bool) -> list[pdk.Layer]:
    """A black cross (white on a dark ground) and the name of each claimed place, with a ring of the claim's radius."""
    if not claims:
        return []
    ground = DARK if dark else LIGHT
    ink = [*ground.ink, 255]
    rings = [
        {"p": _lifted(_ring_of(t.claim), globe), "t": f"{words.km(t.claim.radius_km)} around the claimed place"} for t in claims
    ]
    rows = [
        {
            "p": [t.claim.lon_deg, t.claim.lat_deg, 260_000.0 if globe else 0.0],
            "m": _MARKS["claim"],
            "n": _short_place(f"claimed: {t.place}"),
            "t": f"{claim_words.who(t.claim)}: {claim_words.stated(t)}",
        }
        for t in claims
    ]
    text = {
        "data": rows,
        "get_position": "p",
        "get_color": ink,
        "billboard": True,
        "outline_color": [*ground.halo, 255],
        "font_settings": {"sdf": True, "fontSize": 64, "buffer": 8},
        "character_set": pdk.types.String("auto"),
        "parameters": {"cullMode": "none"} if globe else {},
    }
    names = {
        "get_size": 13,
        "get_pixel_offset": [0, 22],
        "font_family": pdk.types.String("Source Sans, Source Sans Pro, sans-serif"),
        "font_weight": 600,
        "outline_width": 4,
    }
    return [
        _path_layer("claim-ring", rings, ink, 1.6, pickable=True),
        pdk.Layer("TextLayer", id="claim-marks", get_text="m", get_size=26, outline_width=6, pickable=True, **text),
        pdk.Layer("TextLayer", id="claim-names", get_text="n", **names, **text),
    ]


def _ring_of(claim: Claim) -> list[list[float]]:
    """A circle around a claimed place, [lon, lat] in degrees; where it crosses the antimeridian it runs on beyond 180."""
    centre = math.radians(claim.lat_deg)
    r = claim.radius_km / 6371.0
    turn = np.linspace(0.0, 2 * np.pi, 73)
    lat = np.arcsin(np.clip(math.sin(centre) * math.cos(r) + math.cos(centre) * math.sin(r) * np.cos(turn), -1, 1))
    lon = np.arctan2(np.sin(turn) * math.sin(r) * math.cos(centre), math.cos(r) - math.sin(centre) * np.sin(lat))
    return np.column_stack([claim.lon_deg + np.degrees(lon), np.degrees(lat)]).round(4).tolist()


def _short_place(name: str) -> str:
    return name if len(name) <= 44 else name[:43] + "…"


# --- ground -------------------------------------------------------------------------------------------------------------


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
    """Coasts or borders, drawn above the belief so that they stay readable."""
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


# --- deck and view ------------------------------------------------------------------------------------------------------


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
    points += [_xyz(np.array([p[::-1] for p in _ring_of(replace(c, radius_km=4 * c.radius_km))])) for c in claims]
    if not points:
        return replace(world_view(width_px, height_px), turn=turn, globe_lat_lon=towards)
    return _fit(np.concatenate(points), width_px, height_px, turn, towards)


def fit_points(lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], width_px: int, height_px: int, turn: int = 0) -> View:
    """A view that holds these places with room around them; the whole world when they are all over it."""
    around = [(a + da, o + do) for a, o in zip(lat_deg, lon_deg, strict=True) for da, do in ((-2, -3), (2, 3))]
    return _fit(_xyz(np.clip(np.array(around), [-85, -540], [85, 540])), width_px, height_px, turn, None)


def fit_beliefs(beliefs: Sequence[Posterior], width_px: int, height_px: int) -> View:
    """A view that holds the 90% regions of these; the whole world when they are wide."""
    if not beliefs:
        return world_view(width_px, height_px)
    return _fit(np.concatenate([x.grid.xyz[x.region(0.9)] for x in beliefs]), width_px, height_px, 0, None)


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


def _per_cent(share: float) -> str:
    percent = 100 * share
    return (
        f"{percent:.0f}%"
        if percent >= 10
        else f"{percent:.1f}%"
        if percent >= 0.1
        else f"{percent:.2g}%"
        if percent >= 0.01
        else "<0.01%"
    )


def legend_ticks(stops: Sequence[float]) -> list[str]:
    """The stops of a scale in per cent."""
    return [f"{100 * s:g}%" for s in stops]
