"""The form in which the sound is judged before anything else is shown."""

from __future__ import annotations

import streamlit as st

from app.panels.edits import SURE, confidence_field, name_field
from app.session import editing, widgets
from app.session.session import Session


def blind_form(session: Session) -> None:
    """The form in which the sound is judged before anything else is shown."""
    with st.container(border=True):
        st.html(
            "<span class='ew-h'>Judge the sound first</span> <span class='ew-dim'>Picture, signs, verdict, name and tags of the "
            "file are hidden until you record your judgement. This cannot be undone.</span>"
        )
        opinion = st.text_area(
            "Where do you place the sound, and why?", key="blind-opinion", max_chars=1500, height=90,
            placeholder="Europe: Great Tit and Cuckoo together, in spring",
        )  # fmt: skip
        left, right = st.columns(2)
        with left:
            sure = confidence_field("blind-sure")
        with right:
            name_field("blind")
        st.button(
            "Record and reveal", key="blind-go", type="primary", icon=":material/visibility:",
            **widgets.callback(editing.reveal, opinion, SURE[sure]),
        )  # fmt: skip
