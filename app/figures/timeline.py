"""Where each modality points as time goes by."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from engine import Moment, Timeline
from engine.report import MODALITY_COLOURS
from engine.report.view import words

_AWAY_TICKS_KM = (0, 250, 1000, 2500, 5000, 10_000, 20_000)
_MOST_CUTS = 400
_SYMBOLS = {"sound": "circle", "picture": "square"}


def timeline(line: Timeline, moment_s: float, dark: bool, height_px: int = 176) -> go.Figure:
    """How far each modality points from the timeline's reference, over time; a point per moment, to be clicked.

    Distances are drawn by their square root, so that 100 and 10,000 km can both be read. A point's customdata is the moment's
    time to look at. Names come from files and models: Plotly is given them escaped.

    Args:
        moment_s: where the player is, drawn as a line.
    """
    figure = go.Figure()
    ink = "rgba(255,255,255,.55)" if dark else "rgba(0,0,0,.45)"
    lines = [_vertical(t, {"color": ink, "width": 0.4}) for t in _apart(line.cuts_s)]
    lines += [_vertical(t, {"color": ink, "width": 1.4, "dash": "dot"}) for t in _apart(line.scenes_s)]
    lines.append(_vertical(moment_s, {"color": "#b3261e", "width": 1.2}))
    for modality in ("sound", "picture"):
        spoke = [m for m in line.of(modality) if m.spoke]
        quiet = [m for m in line.of(modality) if not m.spoke]
        figure.add_trace(_spans(spoke, modality))
        figure.add_trace(_points(spoke, modality, [float(np.sqrt(max(0.0, m.away_km))) for m in spoke]))
        low = -6.0 if modality == "sound" else -13.0
        figure.add_trace(_points(quiet, modality, [low] * len(quiet)))
    axis = {"zeroline": False, "ticks": "outside", "ticklen": 3, "fixedrange": True}
    ends = [m.end_s for m in line.moments] or [1.0]
    starts = [m.start_s for m in line.moments] or [0.0]
    ticks = _clock_ticks(min(starts), max(ends))
    figure.update_xaxes(
        range=[min(starts), max(ends)], tickvals=ticks, ticktext=[words.clock(t) for t in ticks], showgrid=False, **axis
    )
    figure.update_yaxes(
        range=[-18, float(np.sqrt(_AWAY_TICKS_KM[-1])) + 3],
        tickvals=[float(np.sqrt(t)) for t in _AWAY_TICKS_KM],
        ticktext=[f"{t:,} km" for t in _AWAY_TICKS_KM],
        gridcolor="rgba(128,128,128,.18)",
        **axis,
    )
    figure.update_layout(
        shapes=lines,  # all at once: one by one, hundreds of them take seconds
        height=height_px,
        margin={"l": 62, "r": 8, "t": 4, "b": 24},
        showlegend=False,
        clickmode="event+select",
        dragmode=False,
        hovermode="closest",
        font={"size": 11},
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    return figure


def _vertical(time_s: float, line: dict[str, object]) -> dict[str, object]:
    return {"type": "line", "xref": "x", "yref": "y domain", "x0": time_s, "x1": time_s, "y0": 0, "y1": 1, "line": line}


def _apart(times_s: Sequence[float]) -> Sequence[float]:
    """Times that can be distinguished on a line: of too many, those evenly spread."""
    if len(times_s) <= _MOST_CUTS:
        return times_s
    edges = np.linspace(min(times_s), max(times_s), _MOST_CUTS)
    at = np.unique(np.searchsorted(np.array(times_s), edges))
    return [times_s[i] for i in at if i < len(times_s)]


def _spans(moments: list[Moment], modality: str) -> go.Scatter:
    """A line as long as each moment lasts, joined to the next of its modality by nothing."""
    x: list[float | None] = []
    y: list[float | None] = []
    for m in moments:
        away = float(np.sqrt(max(0.0, m.away_km)))
        x += [m.start_s, m.end_s, None]
        y += [away, away, None]
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": MODALITY_COLOURS[modality], "width": 3}, opacity=0.6, hoverinfo="skip"
    )


def _points(moments: list[Moment], modality: str, y: list[float]) -> go.Scatter:
    spoke = bool(moments) and moments[0].spoke
    return go.Scatter(
        x=[(m.start_s + m.end_s) / 2 for m in moments],
        y=y,
        mode="markers",
        customdata=[m.look_s for m in moments],
        marker={
            "color": MODALITY_COLOURS[modality] if spoke else "#9aa1a8",
            "symbol": _SYMBOLS[modality],
            "size": [5.0 + min(6.0, 1.2 * m.gain_nats) if m.spoke else 4.0 for m in moments],
            "opacity": [0.45 + 0.55 * min(1.0, m.gain_nats / 5.0) if m.spoke else 0.6 for m in moments],
            "line": {"width": 0},
        },
        text=[_hover(m) for m in moments],
        hovertemplate="%{text}<extra></extra>",
        selected={"marker": {"opacity": 1.0}},
        unselected={"marker": {"opacity": 0.8}},
    )


def _hover(m: Moment) -> str:
    names = ", ".join(escape(x[:40]) for x in m.labels)
    head = f"<b>{words.modality(m.modality)}</b> {words.span(round(m.start_s, 1), round(m.end_s, 1))}"
    said = "no usable location"
    if m.spoke:
        said = f"{escape(m.place[:80])}<br>{words.km(m.away_km)} away, gain {m.gain_nats:.1f} nats"
    return f"{head}<br>{said}" + (f"<br>{names}" if names else "")


def _clock_ticks(start_s: float, end_s: float) -> list[float]:
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((s for s in steps if (end_s - start_s) / s <= 8), 7200)
    return [float(t) for t in range(int(-(-start_s // step)) * step, int(end_s) + 1, step)]
