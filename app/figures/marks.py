"""Places, distances and claims as marks and names on a map, flat or globe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pydeck as pdk

import engine
from app.figures.ground import DARK, LIGHT
from app.figures.layers import lifted, modality_rgb, path_layer
from app.figures.view import ring_of
from engine import ClaimTest, Located, Match, Place, great_circle
from engine.report.view import claim as claim_words
from engine.report.view import words


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
            "n": _short_place(place.name) + (" (densest point)" if x.where_is == "region" else ""),
            "t": f"{words.modality(x.modality)}: {_point(x)}",
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
    tip = f"{words.km(distance_km)} apart"
    paths = [{"p": lifted(run, globe, 20_000.0), "t": tip} for run in runs if len(run) > 1]
    middle = [{"p": [float(lon[48]), float(lat[48]), 250_000.0 if globe else 0.0], "n": words.km(distance_km)}]
    return [
        path_layer(f"{name}-halo", paths, [*ground.halo, 200], 4.0),
        path_layer(name, paths, [*ground.ink, 235], 1.8, pickable=True),
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
        {"p": lifted(ring_of(t.claim), globe), "t": f"{words.km(t.claim.radius_km)} around the claimed place"} for t in claims
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
        path_layer("claim-ring", rings, ink, 1.6, pickable=True),
        pdk.Layer("TextLayer", id="claim-marks", get_text="m", get_size=26, outline_width=6, pickable=True, **text),
        pdk.Layer("TextLayer", id="claim-names", get_text="n", **names, **text),
    ]


def _point(x: Located) -> str:
    """The place reported, called the densest point where the location is a region."""
    assert x.place is not None
    name = x.place.name or words.place(x.place.lat_deg, x.place.lon_deg)
    return f"{words.point(x.where_is)} {name}" if x.where_is == "region" else name


def _short_place(name: str) -> str:
    return name if len(name) <= 44 else name[:43] + "…"
