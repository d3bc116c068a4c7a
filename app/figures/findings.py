"""The findings of a case on one map: a mark for each modality, lines from sound to picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pydeck as pdk

from app.figures.ground import DARK, LIGHT
from app.figures.layers import modality_rgb
from app.figures.placename import spot_place
from app.figures.view import View, fit_points, world_view
from engine.case import ArchiveEntry
from engine.report.view import words

MARKS = {"sound": "●", "picture": "■", "both": "◆"}
MOST_LINES = 400


def finding_layers(
    entries: Sequence[ArchiveEntry], modalities: Sequence[str], chosen: Sequence[str], dark: bool
) -> list[pdk.Layer]:
    """Marks of all findings, the chosen ones larger, with a line from sound to picture where they lie apart."""
    ground = DARK if dark else LIGHT
    layers = _between(entries, chosen, dark) if {"sound", "picture"} <= set(modalities) else []
    for modality in modalities:
        rows = [
            {
                "p": [s.lon_deg, s.lat_deg],
                "id": e.id,
                "s": 26 if e.id in chosen else 15,
                "t": f"{e.title}\n{words.modality(modality)}: {spot_place(s)}",
            }
            for e in entries
            if (s := e.spot(modality)) is not None
        ]
        if rows:
            layers.append(
                pdk.Layer(
                    "TextLayer",
                    id=f"findings-{modality}",
                    data=[{**r, "m": MARKS[modality]} for r in rows],
                    get_position="p",
                    get_text="m",
                    get_color=[*modality_rgb(modality, dark), 255],
                    get_size="s",
                    outline_width=4,
                    outline_color=[*ground.halo, 255],
                    font_settings={"sdf": True, "fontSize": 64, "buffer": 8},
                    character_set=pdk.types.String("auto"),
                    pickable=True,
                    auto_highlight=True,
                )
            )
    return layers


def _between(entries: Sequence[ArchiveEntry], chosen: Sequence[str], dark: bool) -> list[pdk.Layer]:
    ground = DARK if dark else LIGHT
    rows = [
        {
            "a": [a.lon_deg, a.lat_deg],
            "b": [b.lon_deg, b.lat_deg],
            "c": [*ground.ink, 200 if e.id in chosen else 55],
            "t": f"{e.title}: {words.km(e.distance_km or 0.0)} between sound and picture",
        }
        for e in entries[:MOST_LINES]
        if (a := e.spot("sound")) and (b := e.spot("picture")) and e.distance_km
    ]
    if not rows:
        return []
    return [
        pdk.Layer(
            "GreatCircleLayer", id="apart", data=rows, get_source_position="a", get_target_position="b",
            get_source_color="c", get_target_color="c", get_width=1.5, pickable=True,
        )
    ]  # fmt: skip


def findings_view(entries: Sequence[ArchiveEntry], modalities: Sequence[str], width_px: int, height_px: int, turn: int) -> View:
    """A view that holds the places of these; the whole world when they are all over it."""
    spots = [s for e in entries for s in e.spots if s.modality in modalities]
    if not spots:
        return world_view(width_px, height_px)
    lat, lon = np.array([s.lat_deg for s in spots]), np.array([s.lon_deg for s in spots])
    return fit_points(lat, lon, width_px, height_px, turn)
