"""The flow beside the Bayes map in Examine: a switch, its samples as points, and the way they came, for teachers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import engine
from app import maps, state
from app.frame import plain, tip
from engine import Finding, FlowMap, Settings
from engine.report.view import words
from engine.world import land_outlines

BAYES, FLOW = "Bayes", "Flow"
SAMPLES = 200
MOST_KEPT = 12
_MODALITIES = ("both", "sound", "picture")
_TOLD = {
    "sound": "the species heard",
    "picture": "what the frames look like",
    "atoms": "sea and town among the sounds",
    "reasoning": "what was read and seen",
}
_HELP = (
    "Bayes: likelihoods of all clues times the prior, the default. Flow: a network that carries random places along great "
    "circles to where such a clip may be from; a second opinion, slower, never part of a verdict."
)
_PROVISIONAL = "Trained on simulated clips only. On real recordings and photos Bayes is the better guide (earwitness bench flow)."
_SHARPENED = "Guidance above 1 draws the points closer to what was told; the map and its regions stay as they are."

Key = tuple[str, Settings, str, float]


@dataclass
class Opinions:
    """The work while it runs, what it is about, and the flow's maps made so far."""

    work: state.Work | None = None
    about: Key | None = None
    made: dict[Key, FlowMap] = field(default_factory=dict)
    failed: dict[Key, str] = field(default_factory=dict)


def _held() -> Opinions:
    held = state.value("flow_opinions")
    if not isinstance(held, Opinions):
        held = Opinions()
        state.put("flow_opinions", held)
    return held


def switch(b: state.Bench, found: Finding) -> FlowMap | None:
    """Which map is shown; the flow's when it was asked for and is there. It is worked out in the background."""
    modality = b.layer if b.layer in _MODALITIES else next((m for m in _MODALITIES if found.by(m)), "")
    if not modality:
        return None
    state.default("flow_model", BAYES)
    state.default("flow_guidance", 1.0)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control("Map by", [BAYES, FLOW], key="flow_model", help=_HELP, label_visibility="collapsed", required=True)
        if state.value("flow_model") != FLOW:
            return None
        with st.popover("Samples", icon=":material/grain:"):
            st.slider("Guidance", 1.0, 3.0, step=0.5, key="flow_guidance", help=_SHARPENED)
        key = (found.clip.sha256, found.settings, modality, float(state.value("flow_guidance")))
        return _opinion(found, key)


def _opinion(found: Finding, key: Key) -> FlowMap | None:
    held = _held()
    if held.work is not None and not held.work.running and held.about is not None:
        if isinstance(held.work.made, FlowMap):
            while len(held.made) >= MOST_KEPT:
                held.made.pop(next(iter(held.made)))
            held.made[held.about] = held.work.made
        elif held.work.error:
            held.failed[held.about] = held.work.error
        held.work = held.about = None
    if key in held.made:
        return held.made[key]
    if key in held.failed:
        st.caption(plain(held.failed[key], 300))
        return None
    if held.work is not None and held.about != key:
        held.work.cancel()
    if held.work is None:
        _, _, modality, guidance = key
        held.about = key
        held.work = state.Work("the flow", lambda report: engine.opinion_by_flow(found, modality, SAMPLES, guidance, report))
    _watch()
    st.button("Stop", key="flow-stop", icon=":material/close:", **state.callback(_stop))
    return None


@st.fragment(run_every=1.0)
def _watch() -> None:
    work = _held().work
    if work is None or not work.running:
        st.rerun(scope="app")
        return
    p = work.progress
    st.caption(plain(f"{p.stage}: {p.done:,.0f} of {p.total:,.0f} {p.unit}" if p and p.total else "the flow starts"))


def _stop() -> None:
    held = _held()
    if held.work is not None:
        held.work.cancel()
    state.put("flow_model", BAYES)


def told(flow: FlowMap, dark: bool) -> None:
    """What the flow was told, what its points are, and the way they came."""
    by = ", ".join(_TOLD[s] for s in flow.inputs)
    points = "points drawn from it" if flow.label == "posterior" else f"points sharpened ({flow.guidance:g}×)"
    st.html(
        f"<div class='ew-dim'>The flow, told {by}: {len(flow.lat_deg)} {points}; {1 - min(1.0, flow.inside):.0%} of its belief "
        f"lies at sea and is left out. {tip('provisional', _PROVISIONAL)}</div>"
    )
    with st.expander("Watch it flow", icon=":material/animation:"):
        st.caption(
            "Every point starts anywhere on Earth, all places alike, and is carried over the sphere; the velocity at each place "
            "and time is what the network has learnt for such a clip, from ways along great circles."
        )
        st.plotly_chart(animation(flow, dark), key="flow-animation", config={"displayModeBar": False})


def animation(flow: FlowMap, dark: bool) -> go.Figure:
    """The samples' geodesic ways from a uniform draw, a frame a station, with a button to play and a slider."""
    ground = maps.DARK if dark else maps.LIGHT
    colour = "rgb({},{},{})".format(*maps.modality_rgb(flow.located.modality, dark))
    stations = len(flow.path_lat_deg)

    def points(k: int) -> go.Scatter:
        return go.Scatter(
            x=flow.path_lon_deg[k].round(2),
            y=flow.path_lat_deg[k].round(2),
            mode="markers",
            marker={"size": 5, "color": colour, "opacity": 0.75},
            hoverinfo="skip",
        )

    names = [f"{k / (stations - 1):.0%}" for k in range(stations)]
    figure = go.Figure(
        data=[_coast(ground), points(0)],
        frames=[go.Frame(data=[points(k)], traces=[1], name=n) for k, n in enumerate(names)],
    )
    play = {"frame": {"duration": 140, "redraw": False}, "transition": {"duration": 120}, "fromcurrent": True}
    still = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    ink = "rgb({},{},{})".format(*ground.ink)
    figure.update_layout(
        height=360,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgb({},{},{})".format(*ground.sea),
        xaxis={"range": [-180, 180], "visible": False, "fixedrange": True},
        yaxis={"range": [-88, 88], "visible": False, "fixedrange": True},
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "x": 0.0,
                "y": -0.02,
                "yanchor": "top",
                "font": {"color": ink},
                "buttons": [
                    {"label": "Play", "method": "animate", "args": [None, play]},
                    {"label": "Stop", "method": "animate", "args": [[None], still]},
                ],
            }
        ],
        sliders=[
            {
                "x": 0.22,
                "len": 0.76,
                "y": -0.02,
                "currentvalue": {"prefix": "time ", "font": {"color": ink}},
                "font": {"color": ink},
                "steps": [{"label": n, "method": "animate", "args": [[n], still]} for n in names],
            }
        ],
    )
    return figure


def _coast(ground: maps.Ground) -> go.Scatter:
    """Outlines of the land as one line with gaps."""
    lon: list[float | None] = []
    lat: list[float | None] = []
    for ring in _rings():
        lon += [*ring[:, 0].tolist(), None]
        lat += [*ring[:, 1].tolist(), None]
    line = {"color": "rgb({},{},{})".format(*ground.coast), "width": 0.8}
    return go.Scatter(x=lon, y=lat, mode="lines", line=line, hoverinfo="skip")


@st.cache_data(show_spinner=False)
def _rings() -> list[np.ndarray]:
    found: list[np.ndarray] = []

    def walk(held: object) -> None:
        if isinstance(held, list) and held and isinstance(held[0], list | tuple) and isinstance(held[0][0], int | float):
            found.append(np.asarray(held, dtype=float)[:, :2].round(2))
        elif isinstance(held, list | tuple):
            for x in held:
                walk(x)
        elif isinstance(held, dict):
            for name in ("features", "geometry", "geometries", "coordinates", "land"):
                if name in held:
                    walk(held[name])

    walk(land_outlines("coarse"))
    return found


def headline(flow: FlowMap) -> str:
    """Where the flow points, in words, for the map's alternative text."""
    x = flow.located
    return f"{words.modality(x.modality)} by the flow: {x.region or x.place.name}"
