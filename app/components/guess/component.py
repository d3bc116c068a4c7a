"""A map to point at: the pin of the page Learn, set by click or key, and what is shown when the answer is known.

A component of its own: Streamlit's maps tell which thing was clicked, not which place. All text is set as text.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import streamlit as st

from app.figures.ground import DARK, LIGHT
from app.session import media, widgets
from engine import great_circle
from engine.world import land_outlines

_ASSETS = Path(__file__).parent
PIN, TRUTH = "#c2185b", "#1b7f3b"
PIN_DARK, TRUTH_DARK = "#ff7eb0", "#6fd08c"


@cache
def _component() -> Any:
    html, css, js = ((_ASSETS / f"guess.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("earwitness_guess", html=html, css=css, js=js)


@lru_cache(maxsize=2)
def land_svg(dark: bool) -> bytes:
    """The land as an SVG picture of 360 by 180 degrees, in the theme's colours."""
    ground = DARK if dark else LIGHT
    paths = {f["properties"]["kind"]: f["geometry"] for f in land_outlines("coarse")["features"]}
    land = "".join(_path(ring, True) for polygon in paths["land"]["coordinates"] for ring in polygon)
    lines = {kind: "".join(_path(line, False) for line in paths[kind]["coordinates"]) for kind in ("border", "coast")}
    return (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 360 180' width='2880' height='1440' fill='none' stroke-width='.18'>"
        f"<rect width='360' height='180' fill='rgb{ground.sea}'/><path d='{land}' fill='rgb{ground.land}' fill-rule='evenodd'/>"
        f"<path d='{lines['border']}' stroke='rgb{ground.border}'/><path d='{lines['coast']}' stroke='rgb{ground.coast}'/></svg>"
    ).encode()


def _path(points: list[list[float]], closed: bool) -> str:
    at = [f"{p[0] + 180:.2f} {90 - p[1]:.2f}" for p in points]
    return f"M{'L'.join(at)}{'Z' if closed else ''}" if len(at) > 1 else ""


def _is_number(x: object) -> TypeGuard[float]:
    return isinstance(x, int | float) and not isinstance(x, bool) and bool(np.isfinite(x))


def way(start: tuple[float, float], end: tuple[float, float], colour: str, dashed: bool = False) -> list[dict[str, Any]]:
    """The great circle between two places (lat, lon in degrees), cut where it crosses the map's edge."""
    lat, lon = great_circle(*start, *end, 64)
    jumps = np.flatnonzero(np.abs(np.diff(lon)) > 180.0) + 1
    runs = zip(np.split(lat, jumps), np.split(lon, jumps), strict=True)
    return [
        {"points": np.column_stack([a, o]).round(2).tolist(), "colour": colour, "dashed": dashed} for a, o in runs if len(a) > 1
    ]


def guess_map(
    question: str,
    done: bool,
    answer: str,
    marks: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    dark: bool,
    on_act: Callable[[str, float, float], None],
) -> None:
    """Draw it.

    Args:
        question: a new one clears the pin.
        done: whether the answer is shown; the pin then stays where it is.
        answer: the answer in a sentence, for those who do not see the map.
        on_act: called with "pin" or "guess" and the place.
    """
    key = "guess"

    def acted() -> None:
        act = widgets.reported(key)
        if act is None or act.get("do") not in ("pin", "guess"):
            return
        lat, lon = act.get("lat"), act.get("lon")
        if _is_number(lat) and _is_number(lon):
            on_act(act["do"], float(np.clip(lat, -90.0, 90.0)), float(np.clip(lon, -180.0, 180.0)))

    _component()(
        key=key,
        data={
            "land": media.served(land_svg(dark), "image/svg+xml", f"guess-{'dark' if dark else 'light'}"),
            "sea": "rgb({}, {}, {})".format(*(DARK if dark else LIGHT).sea),
            "question": question,
            "done": done,
            "answer": answer,
            "marks": marks,
            "lines": lines,
            "colour": PIN_DARK if dark else PIN,
        },
        on_act_change=acted,
    )
