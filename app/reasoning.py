"""The Reasoning panel of Examine: the argument, sentence by sentence, with its links, its alternatives and who spoke.

The list is a component of its own, so that all text of files is set as text and a click on a link selects, seeks and plays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

import engine
from app import state
from app.frame import clean, plain, tip
from engine import Finding, Rationale, Settings
from engine.analysis import ask, cue_groups, language_models, note_cue
from engine.core import CONFIDENCES
from engine.models import Reasoner
from engine.report.view import words

_ASSETS = Path(__file__).parent / "reasoning_assets"
_KEY = "reasoning"
_SURE = dict(CONFIDENCES)
_RULES = "A table of cues, each with its source, and rules that quote what was perceived; no language model."
_SCORES = "The argument scores nothing by itself: what a clue has scored is never counted again."


@cache
def _component() -> Any:
    html, css, js = ((_ASSETS / f"reasoning.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("earwitness_reasoning", html=html, css=css, js=js)


def panel(b: state.Bench, found: Finding) -> None:
    """Draw it."""
    asked = _asked(b, found)
    argued = asked or engine.rationale(found)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f"<span class='ew-h'>Reasoning</span> <span class='ew-dim ew-edits'>{_author(argued)}</span>")
            st.space("stretch")
            if not b.blind:
                _asking(b, found, asked is not None)
                with st.popover("Note a cue", icon=":material/visibility:", help="Something you see or hear that no model reads"):
                    _note(b, found)
        if argued.sentences:
            _component()(key=_KEY, data=_data(argued, b.selected), on_act_change=_acted)
        else:
            st.caption("Nothing was perceived that could be argued with.")


# --- the language model ---------------------------------------------------------------------------------------------------


@dataclass
class Asked:
    """What a language model was asked: the work while it runs, and its argument for each finding."""

    work: state.Work | None = None
    about: tuple[str, Settings] | None = None
    made: dict[tuple[str, Settings], Rationale] = field(default_factory=dict)
    error: str = ""


def _held() -> Asked:
    held = state.value("asked")
    if not isinstance(held, Asked):
        held = Asked()
        state.put("asked", held)
    return held


def _asked(b: state.Bench, found: Finding) -> Rationale | None:
    """The language model's argument about this very finding, once it has spoken."""
    held = _held()
    if held.work is not None and not held.work.running:
        if isinstance(held.work.made, Rationale) and held.about is not None:
            held.made[held.about] = held.work.made
        held.error = held.work.error
        held.work = None
    return held.made.get((found.clip.sha256, b.settings))


def _asking(b: state.Bench, found: Finding, spoke: bool) -> None:
    """A button for each model that is installed; nothing where none is: the panel says why."""
    held = _held()
    if held.work is not None:
        _watch()
        st.button("Stop", key="ask-stop", icon=":material/close:", **state.callback(held.work.cancel))
        return
    for size in () if spoke else language_models():
        st.button(
            f"Ask the {size} model", key=f"ask-{size}", icon=":material/psychology:", **state.callback(_ask, b, found, size)
        )
    if held.error:
        st.error(plain(held.error, 400))


@st.fragment(run_every=1.0)
def _watch() -> None:
    work = _held().work
    if work is None or not work.running:
        st.rerun(scope="app")
        return
    progress = work.progress
    st.caption(plain(f"{progress.stage} {progress.done:.0f}/{progress.total:.0f}" if progress and progress.total else "thinking"))


def _ask(b: state.Bench, found: Finding, size: str) -> None:
    held = _held()
    held.error, held.about = "", (found.clip.sha256, b.settings)
    reader = b.reader
    held.work = state.Work("asking the language model", lambda report: ask(found, reader, _model(size), report))


@st.cache_resource(show_spinner=False)
def _model(size: str) -> Reasoner:
    """One of each size for the whole program: loading takes long, and memory."""
    return Reasoner(size)


# --- who spoke, and the list ----------------------------------------------------------------------------------------------


def _author(argued: Rationale) -> str:
    who = tip("rules", _RULES) if argued.author == "rules" else clean(argued.author, 60)
    first, _, remedy = argued.stands_in.partition(" (")
    why = f"; {tip(first, remedy.rstrip(')')) if remedy else clean(first, 200)}" if first else ""
    return f"argued by {who}{why} · {tip('scores nothing', _SCORES)}"


def _data(argued: Rationale, selected: str | None) -> dict[str, Any]:
    parts = []
    for modality in dict.fromkeys(s.modality for s in argued.sentences):
        said = [
            {
                "text": s.text[:700],
                "kind": s.kind,
                "keys": list(s.keys[:20]),
                "at": s.start_s,
                "others": [str(a)[:400] for a in s.alternatives],
                "source": s.source,
            }
            for s in argued.of(modality)
        ]
        odds = [[c.name, f"{c.log_odds:+.1f}", f"{c.weight:+.1f}"] for c in argued.candidates if c.modality == modality]
        parts.append({"sense": modality, "name": words.modality(modality), "sentences": said, "odds": odds})
    return {"parts": parts, "selected": selected or ""}


def _acted() -> None:
    """A link was clicked: look at that evidence, and let the player go there and play."""
    act = state.told(_KEY)
    b = state.bench()
    if act and act.get("do") == "select" and b.perception is not None:
        state.act({"do": "select", "key": act.get("key"), "at": act.get("at")})
        b.seek += 1
        b.play = True


def _note(b: state.Bench, found: Finding) -> None:
    """A cue of the table, noted by the analyst: it counts where no clue has scored the same thing."""
    groups = dict(cue_groups())
    group = st.selectbox("Kind of cue", list(groups), key="cue-group")
    cue = st.selectbox("What you see or hear", groups[group], key=f"cue-{group}", format_func=lambda c: c.what)
    st.caption(f"Taken as {cue.ratio:g} times likelier there than elsewhere. Source: {cue.source}.")
    sure = st.selectbox("How sure", list(_SURE), key="cue-sure")
    whole = found.interval
    at = float(min(max(b.moment_s, whole.start_s), whole.end_s))
    st.button("Note it", key="cue-note", type="primary", **state.callback(_noted, cue.id, at, _SURE[sure]))


def _noted(cue_id: str, at_s: float, confidence: float) -> None:
    state.do(lambda: note_cue(cue_id, at_s, at_s, confidence, state.analyst()))
