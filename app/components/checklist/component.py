"""The checklist of things seen: kinds of cues, a picture of each, what it does to the map, and what was noted.

A component of its own: two hundred Streamlit buttons with pictures would be slow. All text is set as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from app.session import widgets

_ASSETS = Path(__file__).parent


@cache
def _component() -> Any:
    html, css, js = ((_ASSETS / f"checklist.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("earwitness_checklist", html=html, css=css, js=js)


def checklist(
    cues: Sequence[Mapping[str, Any]],
    noted: Mapping[str, float],
    sure: Sequence[tuple[str, float]],
    usual: float,
    pictures: Mapping[str, Any],
    maps: Mapping[str, Any],
    frame: str,
    on_note: Callable[[str, float | None], None],
) -> None:
    """Draw it.

    Args:
        cues: what can be noted: id, group, what, meaning, where, most, doubt, source, judged, and `at`, its place on the sheets.
        noted: cue to the confidence with which it was noted.
        sure: names and values of confidences; `usual` is that of a tick.
        pictures, maps: sheets of pictures: url, columns, rows.
        frame: address of the frame that is looked at, or "".
        on_note: called with a cue's id and the confidence, None to take it back, as a callback.
    """
    key = "checklist"
    known = {str(cue["id"]) for cue in cues}
    chances = [value for _, value in sure]

    def acted() -> None:
        act = widgets.reported(key)
        cue, chance = (act.get("id"), act.get("sure")) if act else (None, None)
        if act is None or not isinstance(cue, str) or cue not in known:  # nothing that a browser says is trusted
            return
        if act.get("do") == "drop":
            on_note(cue, None)
        elif act.get("do") == "note" and isinstance(chance, int | float) and chance in chances:
            on_note(cue, float(chance))

    data = {
        "cues": list(cues),
        "noted": dict(noted),
        "sure": [list(pair) for pair in sure],
        "usual": usual,
        "pictures": dict(pictures),
        "maps": dict(maps),
        "frame": frame,
    }
    _component()(key=key, data=data, on_act_change=acted)
