"""The panel "Provenance": what the file tells of its own making, and what that is worth."""

from __future__ import annotations

import streamlit as st

from app.panels.style import clean
from app.session.session import Session
from engine import Finding
from engine.report.view import origin


def origin_panel(session: Session, found: Finding) -> None:
    """The facts as a table; nothing while the clip is sealed, since they may name a place or a device."""
    rows = () if session.blind else origin.rows(found)
    if not rows:
        return
    with st.expander(origin.TITLE, key="origin-open", icon=":material/fingerprint:"):
        st.caption(origin.LEAD)
        listed = "".join(
            f"<tr><td>{clean(name, 60)}</td><td><b>{clean(what, 300)}</b><div class='ew-dim'>{clean(worth, 600)}</div></td></tr>"
            for name, what, worth in rows
        )
        st.html(f"<table class='ew-stages ew-origin'>{listed}</table>")
