"""The flow beside the Bayes map in Examine: a switch, its samples as points, and the way they came, for teachers."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

import engine
from app.figures.flow import animation
from app.panels.style import plain, tip
from app.session import widgets
from app.session.session import Session
from app.session.work import Work
from engine import Finding, FlowMap, Settings
from engine.report.view import words

BAYES, FLOW = "Bayes", "Flow"
SAMPLES = 200
MOST_KEPT = 12
_MODALITIES = ("both", "sound", "picture")
_INPUTS = {
    "sound": "the species heard",
    "picture": "what the frames look like",
    "atoms": "sea and town among the sounds",
    "reasoning": "what was read and seen",
}
_HELP = (
    "Bayes (the default): the likelihoods of all clues times the prior. Flow: a generative network's second opinion; slower, "
    "and never part of a verdict."
)
_PROVISIONAL = "Trained on simulated clips only. On real recordings and photos Bayes is the better guide (earwitness bench flow)."
_SHARPENED = "Guidance above 1 concentrates the samples; the map and its regions do not change."

Key = tuple[str, Settings, str, float]


@dataclass
class Opinions:
    """The work while it runs, what it is about, and the flow's maps made so far."""

    work: Work | None = None
    about: Key | None = None
    made: dict[Key, FlowMap] = field(default_factory=dict)
    failed: dict[Key, str] = field(default_factory=dict)


def _opinions() -> Opinions:
    opinions = widgets.value("flow_opinions")
    if not isinstance(opinions, Opinions):
        opinions = Opinions()
        widgets.put("flow_opinions", opinions)
    return opinions


def flow_switch(session: Session, found: Finding) -> FlowMap | None:
    """Which map is shown; the flow's when it was asked for and is there. It is worked out in the background."""
    modality = session.layer if session.layer in _MODALITIES else next((m for m in _MODALITIES if found.by(m)), "")
    if not modality:
        return None
    widgets.default("flow_model", BAYES)
    widgets.default("flow_guidance", 1.0)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control("Map by", [BAYES, FLOW], key="flow_model", help=_HELP, label_visibility="collapsed", required=True)
        if widgets.value("flow_model") != FLOW:
            return None
        with st.popover("Samples", icon=":material/grain:"):
            st.slider("Guidance", 1.0, 3.0, step=0.5, key="flow_guidance", help=_SHARPENED)
        key = (found.clip.sha256, found.settings, modality, float(widgets.value("flow_guidance")))
        return _opinion(found, key)


def _opinion(found: Finding, key: Key) -> FlowMap | None:
    opinions = _opinions()
    if opinions.work is not None and not opinions.work.running and opinions.about is not None:
        if isinstance(opinions.work.made, FlowMap):
            while len(opinions.made) >= MOST_KEPT:
                opinions.made.pop(next(iter(opinions.made)))
            opinions.made[opinions.about] = opinions.work.made
        elif opinions.work.error:
            opinions.failed[opinions.about] = opinions.work.error
        opinions.work = opinions.about = None
    if key in opinions.made:
        return opinions.made[key]
    if key in opinions.failed:
        st.caption(plain(opinions.failed[key], 300))
        return None
    if opinions.work is not None and opinions.about != key:
        opinions.work.cancel()
    if opinions.work is None:
        _, _, modality, guidance = key
        opinions.about = key
        opinions.work = Work("the flow", lambda report: engine.opinion_by_flow(found, modality, SAMPLES, guidance, report))
    _watch()
    st.button("Stop", key="flow-stop", icon=":material/close:", **widgets.callback(_stop))
    return None


@st.fragment(run_every=1.0)
def _watch() -> None:
    work = _opinions().work
    if work is None or not work.running:
        st.rerun(scope="app")
        return
    p = work.progress
    st.caption(plain(f"{p.stage}: {p.done:,.0f} of {p.total:,.0f} {p.unit}" if p and p.total else "starting the flow"))


def _stop() -> None:
    opinions = _opinions()
    if opinions.work is not None:
        opinions.work.cancel()
    widgets.put("flow_model", BAYES)


def flow_caption(flow: FlowMap, dark: bool) -> None:
    """What the flow was given, what its samples are, and the way they came."""
    by = ", ".join(_INPUTS[s] for s in flow.inputs)
    points = "samples" if flow.label == "posterior" else f"samples with guidance {flow.guidance:g}"
    st.html(
        f"<div class='ew-dim'>The flow, given {by}: {len(flow.lat_deg)} {points}; {1 - min(1.0, flow.inside):.0%} of its "
        f"probability lies at sea and is left out. {tip('provisional', _PROVISIONAL)}</div>"
    )
    with st.expander("Animation of the flow", icon=":material/animation:"):
        st.caption(
            "Every sample starts at a random place on Earth and moves over the sphere. The velocity at each place and time comes "
            "from the network, which was trained on great-circle paths."
        )
        st.plotly_chart(animation(flow, dark), key="flow-animation", config={"displayModeBar": False})


def flow_headline(flow: FlowMap) -> str:
    """Where the flow points, in words, for the map's alternative text."""
    x = flow.located
    return f"{words.modality(x.modality)} by the flow: {x.where}"
