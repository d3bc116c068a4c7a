"""A frame on which a shadow is marked, and the map of where it can fall, which follows while a point is moved.

A component of its own: Streamlit's pictures tell where one was clicked, not what is dragged. All text is set as text.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from app.components.guess.component import land_svg
from app.session import media, widgets

_ASSETS = Path(__file__).parent
POINTS = ("foot", "top", "tip", "left", "right")
START = {"foot": (0.45, 0.72), "top": (0.45, 0.4), "tip": (0.62, 0.76), "left": (0.1, 0.4), "right": (0.9, 0.4)}
_LIKELY, _LIKELY_DARK = (0, 98, 190), (99, 170, 235)

Points = dict[str, tuple[float, float]]


@cache
def _component() -> Any:
    html, css, js = ((_ASSETS / f"shadow.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("earwitness_shadow", html=html, css=css, js=js)


def read_points(given: object) -> Points | None:
    """Points as the browser reported them; None where they are none. Nothing of it is trusted."""
    if not isinstance(given, dict):
        return None
    found: Points = {}
    for name in POINTS:
        pair = given.get(name)
        if pair is None:
            continue
        good = isinstance(pair, list | tuple) and len(pair) == 2
        if not good or not all(isinstance(v, int | float) and not isinstance(v, bool) and 0.0 <= v <= 1.0 for v in pair):
            return None
        found[name] = (float(pair[0]), float(pair[1]))
    return found if {"foot", "top", "tip"} <= found.keys() else None


@lru_cache(maxsize=4)
def _jpeg(data: bytes, shape: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", shape, data).save(out, "JPEG", quality=90)
    return out.getvalue()


def likely_png(picture: NDArray[np.uint8], dark: bool) -> str:
    """(150, 360) likelihood, 0 to 255, as a data URI of a picture that is laid over the land."""
    rgba = np.empty((*picture.shape, 4), np.uint8)
    rgba[..., :3] = _LIKELY_DARK if dark else _LIKELY
    rgba[..., 3] = (0.88 * picture.astype(np.float32)).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(rgba).save(out, "PNG", compress_level=3)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def shadow_marker(
    frame: NDArray[np.uint8],
    about: str,
    points: Points,
    likely: NDArray[np.uint8] | None,
    said: str,
    wrong: bool,
    marks: list[dict[str, Any]],
    dark: bool,
    on_mark: Callable[[Points], None],
) -> None:
    """Draw it.

    Args:
        frame: (height, width, 3).
        about: which frame of which clip; another one has its points set anew.
        points: where they start; the horizon's alone may come and go.
        likely: (150, 360) where the shadow can fall, or None.
        said: the same in a sentence, `wrong` where it says what is wrong with the points.
        marks: places to be shown: lat, lon and colour.
        on_mark: called with the points, as a callback.
    """
    key = "shadow"

    def acted() -> None:
        act = widgets.reported(key)
        moved = read_points(act.get("points")) if act and act.get("do") == "mark" else None
        if moved is not None:
            on_mark(moved)

    height, width = frame.shape[:2]
    image = _jpeg(np.ascontiguousarray(frame).tobytes(), (width, height))
    _component()(
        key=key,
        data={
            "image": media.served(image, "image/jpeg", "shadow-frame"),
            "land": media.served(land_svg(dark), "image/svg+xml", f"guess-{'dark' if dark else 'light'}"),
            "aspect": width / height,
            "about": about,
            "points": {name: list(p) for name, p in points.items()},
            "likely": likely_png(likely, dark) if likely is not None else "",
            "said": said,
            "wrong": wrong,
            "marks": marks,
        },
        on_act_change=acted,
    )
