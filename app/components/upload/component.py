"""Dropping files: they are sent in pieces and written to disk as they come, so that a film of many gigabytes passes through no
memory. Its own component, since Streamlit's uploader holds the whole file in the server's memory."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from app.server import route
from app.session import opening, widgets

_ASSETS = Path(__file__).parent
TYPES = (
    "mp4 mov m4v mkv webm avi ts mts m2ts mpg mpeg mxf flv wmv 3gp ogv vob",
    "wav mp3 m4a aac flac ogg opus aif aiff wma amr",
    " ".join(opening.PICTURES),
)


@cache
def _component() -> Any:
    html, css, js = ((_ASSETS / f"upload.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("earwitness_upload", html=html, css=css, js=js)


def upload_field(where: str) -> None:
    """Draw the place to drop files on; says how to get it where only the pages were started."""
    if not route.installed():
        st.caption("Give files by their path: uploads need the program's own server, which `earwitness app` starts.")
        return
    key = f"upload-{where}"

    def came() -> None:
        act = widgets.reported(key, "arrived")
        if act and isinstance(act.get("id"), str):
            number = act.get("number")
            opening.arrived(act["id"], act.get("more") is True, number if type(number) is int else 1)

    accept = ",".join(f".{suffix}" for line in TYPES for suffix in line.split())
    _component()(
        key=key,
        data={"door": opening.upload_address(), "piece": route.PIECE_BYTES, "accept": accept},
        on_arrived_change=came,
    )
