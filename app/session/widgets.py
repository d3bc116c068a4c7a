"""What widgets and components hold, by their keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def value(key: str) -> Any:
    """What the widget of this key holds."""
    return st.session_state.get(key)


def put(key: str, content: Any) -> None:
    """Set what a widget holds, from a callback or before the widget is drawn."""
    st.session_state[key] = content


def reported(key: str, name: str = "act") -> dict[str, Any] | None:
    """What a component of our own reported under a name, from its callback; None when it was nothing of ours."""
    content = st.session_state.get(key)
    act = content.get(name) if content is not None and hasattr(content, "get") else getattr(content, name, None)
    return act if isinstance(act, dict) else None


def forget(key: str) -> None:
    """Drop what a widget or page content under this key."""
    st.session_state.pop(key, None)


def callback(what: Callable[..., None], *given: Any) -> dict[str, Any]:
    """Keyword arguments that make a button call something."""
    return {"on_click": what, "args": given}


def default(key: str, content: Any) -> None:
    """What a widget shows when it is drawn for the first time."""
    if key not in st.session_state:
        st.session_state[key] = content
