"""The samples of the flow on their way from a uniform draw."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.figures.ground import DARK, LIGHT, Ground
from app.figures.layers import modality_rgb
from engine import FlowMap
from engine.world import land_outlines


def animation(flow: FlowMap, dark: bool) -> go.Figure:
    """The samples' geodesic ways from a uniform draw, a frame a station, with a button to play and a slider."""
    ground = DARK if dark else LIGHT
    colour = "rgb({},{},{})".format(*modality_rgb(flow.located.modality, dark))
    stations = len(flow.path_lat_deg)

    def points(k: int) -> go.Scatter:
        return go.Scatter(
            x=flow.path_lon_deg[k].round(2),
            y=flow.path_lat_deg[k].round(2),
            mode="markers",
            marker={"size": 5, "color": colour, "opacity": 0.75},
            hoverinfo="skip",
        )

    names = [f"{k / (stations - 1):.0%}" for k in range(stations)]
    figure = go.Figure(
        data=[_coast(ground), points(0)],
        frames=[go.Frame(data=[points(k)], traces=[1], name=n) for k, n in enumerate(names)],
    )
    play = {"frame": {"duration": 140, "redraw": False}, "transition": {"duration": 120}, "fromcurrent": True}
    still = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    ink = "rgb({},{},{})".format(*ground.ink)
    figure.update_layout(
        height=360,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgb({},{},{})".format(*ground.sea),
        xaxis={"range": [-180, 180], "visible": False, "fixedrange": True},
        yaxis={"range": [-88, 88], "visible": False, "fixedrange": True},
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "x": 0.0,
                "y": -0.02,
                "yanchor": "top",
                "font": {"color": ink},
                "buttons": [
                    {"label": "Play", "method": "animate", "args": [None, play]},
                    {"label": "Stop", "method": "animate", "args": [[None], still]},
                ],
            }
        ],
        sliders=[
            {
                "x": 0.22,
                "len": 0.76,
                "y": -0.02,
                "currentvalue": {"prefix": "time ", "font": {"color": ink}},
                "font": {"color": ink},
                "steps": [{"label": n, "method": "animate", "args": [[n], still]} for n in names],
            }
        ],
    )
    return figure


def _coast(ground: Ground) -> go.Scatter:
    """Outlines of the land as one line with gaps."""
    lon: list[float | None] = []
    lat: list[float | None] = []
    for ring in _coastline():
        lon += [*ring[:, 0].tolist(), None]
        lat += [*ring[:, 1].tolist(), None]
    line = {"color": "rgb({},{},{})".format(*ground.coast), "width": 0.8}
    return go.Scatter(x=lon, y=lat, mode="lines", line=line, hoverinfo="skip")


@lru_cache(maxsize=1)
def _coastline() -> tuple[NDArray[np.float64], ...]:
    """Outlines of the land, each (n, 2) as lon, lat in degrees."""
    found: list[NDArray[np.float64]] = []

    def walk(geometry: object) -> None:
        if (
            isinstance(geometry, list)
            and geometry
            and isinstance(geometry[0], list | tuple)
            and isinstance(geometry[0][0], int | float)
        ):
            found.append(np.asarray(geometry, dtype=float)[:, :2].round(2))
        elif isinstance(geometry, list | tuple):
            for x in geometry:
                walk(x)
        elif isinstance(geometry, dict):
            for name in ("features", "geometry", "geometries", "coordinates", "land"):
                if name in geometry:
                    walk(geometry[name])

    walk(land_outlines("coarse"))
    return tuple(found)
