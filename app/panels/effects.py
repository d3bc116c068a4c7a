"""What each clue and observation does to factor and place, as bars and as a table."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.figures.layers import modality_rgb
from app.panels.style import clean, dark
from app.session import judging
from app.session.session import Session
from engine.core import Effect
from engine.report.view import edits as edit_words


def effects_panel(session: Session) -> None:
    """What each clue and observation does to factor and place, as bars and as a table to be sorted."""
    box = st.expander("Effect of each piece of evidence", key="effects-open", on_change="rerun", icon=":material/balance:")
    if not box.open:
        return
    with box:
        with st.spinner("Recomputing without each…"):
            found = judging.effects(session)
        if not found:
            st.caption("No clue gives evidence, so nothing can be left out.")
            return
        compared = [e for e in found if e.log10_change is not None and abs(e.log10_change) >= edit_words.SMALL]
        if compared:
            st.plotly_chart(_bars(compared), key="effects-bars", config={"displayModeBar": False})
        st.dataframe(_sheet(found), key="effects-table", hide_index=True, height=min(330, 38 + 35 * len(found)))
        st.caption(
            "The result with it minus the result without it, one at a time, on the same map. The factor is the calibrated one "
            "before bounding; above 0 supports one place."
        )


def _bars(found: list[Effect]) -> go.Figure:
    shown = sorted(found, key=lambda e: abs(e.log10_change or 0.0))[-12:]
    night = dark()
    colours = ["rgb({}, {}, {})".format(*modality_rgb(e.modality, night)) for e in shown]
    names = [_short(e) for e in shown]
    figure = go.Figure(
        go.Bar(
            x=[e.log10_change for e in shown], y=list(range(len(shown))), orientation="h", marker_color=colours,
            text=[edit_words.factor(e.log10_change) for e in shown], textposition="outside", cliponaxis=False,
            hovertext=[clean(edit_words.effect(e), 200) for e in shown], hoverinfo="text",
        )
    )  # fmt: skip
    most = max(abs(e.log10_change or 0.0) for e in shown) * 1.25
    ink = "#e6e8ea" if night else "#30363c"
    figure.update_yaxes(tickmode="array", tickvals=list(range(len(shown))), ticktext=names, fixedrange=True, showgrid=False)
    figure.update_xaxes(
        range=[-most, most], fixedrange=True, zeroline=True, zerolinecolor=ink, zerolinewidth=1, title_standoff=6,
        title="◀ different places    change of log₁₀ factor    one place ▶",
    )  # fmt: skip
    figure.update_layout(
        height=70 + 24 * len(shown), margin={"l": 8, "r": 8, "t": 6, "b": 40}, bargap=0.35, font={"size": 12, "color": ink},
        plot_bgcolor="rgba(0,0,0,0)", paper_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    return figure


def _short(e: Effect) -> str:
    name = "".join(c for c in e.title if c.isprintable())[:28]
    return clean(f"clue {name}" if not e.key else name, 40)


def _sheet(found: tuple[Effect, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "evidence": [f"clue: {e.title}" if not e.key else "".join(c for c in e.title if c.isprintable())[:80] for e in found],
            "modality": [e.modality for e in found],
            "log₁₀ factor": [None if e.log10_change is None else round(e.log10_change, 2) for e in found],
            "place moves, km": [round(e.moved_km) for e in found],
            "both move, km": [None if e.moved_both_km is None else round(e.moved_both_km) for e in found],
            "gain, nats": [round(e.gain_change, 2) for e in found],
            "remark": ["its modality gives no location without it" if e.alone else "" for e in found],
        }
    )
