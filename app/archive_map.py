"""Maps of the page Archive: a mark for each sense of each finding, and the belief of one finding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pydeck as pdk

from app import maps, panels
from engine.case import ArchiveEntry, ArchiveSpot
from engine.report.view import words

MARKS = {"sound": "●", "picture": "■", "both": "◆"}
MOST_LINES = 400


def where(spot: ArchiveSpot) -> str:
    """The place where it is pinned down, the region where it is not, as on the page Examine."""
    if spot.region and spot.area_km2 > panels.PINNED_KM2:
        return spot.region
    return spot.name or words.place(spot.lat_deg, spot.lon_deg)


def finding_layers(entries: Sequence[ArchiveEntry], senses: Sequence[str], chosen: Sequence[str], dark: bool) -> list[pdk.Layer]:
    """Marks of all findings, the chosen ones larger, with a line from sound to picture where they lie apart."""
    ground = maps.DARK if dark else maps.LIGHT
    layers = _between(entries, chosen, dark) if {"sound", "picture"} <= set(senses) else []
    for sense in senses:
        rows = [
            {
                "p": [s.lon_deg, s.lat_deg],
                "id": e.id,
                "s": 26 if e.id in chosen else 15,
                "t": f"{e.title}\n{words.modality(sense)}: {where(s)}",
            }
            for e in entries
            if (s := e.spot(sense)) is not None
        ]
        if rows:
            layers.append(
                pdk.Layer(
                    "TextLayer",
                    id=f"findings-{sense}",
                    data=[{**r, "m": MARKS[sense]} for r in rows],
                    get_position="p",
                    get_text="m",
                    get_color=[*maps.modality_rgb(sense, dark), 255],
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
    ground = maps.DARK if dark else maps.LIGHT
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


def view_of(entries: Sequence[ArchiveEntry], senses: Sequence[str], width_px: int, height_px: int, turn: int) -> maps.View:
    """A view that holds the places of these; the whole world when they are all over it."""
    spots = [s for e in entries for s in e.spots if s.modality in senses]
    if not spots:
        return maps.world_view(width_px, height_px)
    lat, lon = np.array([s.lat_deg for s in spots]), np.array([s.lon_deg for s in spots])
    return maps.fit_points(lat, lon, width_px, height_px, turn)
