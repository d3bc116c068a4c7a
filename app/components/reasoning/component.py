"""The argument as a list, sentence by sentence. All text of files is set as text, never as HTML."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_ASSETS = Path(__file__).parent


@cache
def _component() -> Any:
    html, css, js = ((_ASSETS / f"reasoning.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("earwitness_reasoning", html=html, css=css, js=js)
