"""The clues that count and their weights, each with its switch."""

from __future__ import annotations

from typing import Any

import streamlit as st

import engine
from app.session import editing, widgets
from app.session.session import Session
from engine.analysis import clue_switches, edits, modality_weights
from engine.clues import clue_registry
from engine.core import MOST_WEIGHT
from engine.report.view import words


def clue_switches_form(session: Session) -> None:
    """Every clue with its switch and weight, and why they are as they are."""
    st.html("<div class='ew-h'>Clues that count, and their weights</div>")
    st.caption("A weight multiplies the log-likelihood: 1 is as calibrated, 0 leaves the clue out. Each change is an edit.")
    registry = clue_registry()
    for c in clue_switches(session.settings):
        spec = registry.clue(c.name)
        if session.blind and c.modality != "sound":
            continue
        left, right = st.columns([1.5, 1], vertical_alignment="center")
        widgets.put(f"clue-{c.name}", c.on)
        left.toggle(c.label, key=f"clue-{c.name}", help=c.help, on_change=_switch, args=(c.name,))
        _weight(right, c.name, c.weight, c.reason, not c.on or bool(spec and spec.joined))
    if not session.blind:
        st.html("<div class='ew-h'>Weight of each modality in “both”</div>")
        for name, weight, reason in modality_weights(session.settings):
            left, right = st.columns([1.5, 1], vertical_alignment="center")
            left.markdown(words.modality(name), help=reason)
            _weight(right, f"modality:{name}", weight, reason, False)


def _weight(place: Any, name: str, weight: float, reason: str, disabled: bool) -> None:
    key = f"weight-{name}"
    widgets.put(key, float(weight))
    place.number_input(
        f"Weight of {name.replace('modality:', '')}", 0.0, MOST_WEIGHT, step=0.1, key=key, format="%.1f", help=reason,
        label_visibility="collapsed", disabled=disabled, on_change=_weigh, args=(name,),
    )  # fmt: skip


def _switch(name: str) -> None:
    author = editing.analyst() or "analyst"
    if widgets.value(f"clue-{name}"):
        editing.do(lambda: edits.include(name, author))
    else:
        editing.do(lambda: engine.Edit("leave out", name, author=author, created=edits.stamp()))


def _weigh(name: str) -> None:
    weight = float(widgets.value(f"weight-{name}"))
    author = editing.analyst() or "analyst"
    editing.do(lambda: engine.Edit("weight", name, author=author, created=edits.stamp(), weight=weight))
