"""Which page is shown next, when a button or a callback asks for another one."""

from __future__ import annotations

import streamlit as st

_TURN_TO = "turn_to"
CASE = "case_place"


def open_case(place: str) -> None:
    """Show a case on the page Archive."""
    st.session_state[CASE] = place
    turn_to("pages/archive.py")


def turn_to(page: str) -> None:
    """Show this page next; called from callbacks, which may not turn pages themselves."""
    st.session_state[_TURN_TO] = page


def turn() -> None:
    """Turn to the page that a callback asked for."""
    page = st.session_state.pop(_TURN_TO, None)
    if page:
        st.switch_page(page)
