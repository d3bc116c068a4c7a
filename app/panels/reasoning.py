"""The Reasoning panel of Examine: the argument, sentence by sentence, with its links, its alternatives and who spoke.

The list is a component of its own, so that all text of files is set as text and a click on a link selects, seeks and plays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

import engine
from app.components.reasoning.component import _component
from app.panels.style import clean, plain, tip
from app.session import caches, selecting, widgets
from app.session.session import Session, current
from app.session.work import Work
from engine import Finding, Rationale, Settings
from engine.analysis import ask, language_models
from engine.report.view import words

_KEY = "reasoning"
_RULES = "A table of cues, each with its source, and rules that quote what was perceived; no language model."
_SCORES = "The reasoning adds no score: what a clue has scored is not counted again."


def reasoning_panel(session: Session, found: Finding) -> None:
    """Draw it."""
    asked = _answered(session, found)
    argued = asked or engine.rationale(found)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f"<span class='ew-h'>Reasoning</span> <span class='ew-dim ew-edits'>{_author(argued)}</span>")
            st.space("stretch")
            if not session.blind:
                _asking(session, found, asked is not None)
        if argued.sentences:
            _component()(key=_KEY, data=_data(argued, session.selected), on_act_change=_acted)
        else:
            st.caption("Nothing was perceived to reason from.")


@dataclass
class Asked:
    """What a language model was asked: the work while it runs, and its argument for each finding."""

    work: Work | None = None
    about: tuple[str, Settings] | None = None
    made: dict[tuple[str, Settings], Rationale] = field(default_factory=dict)
    error: str = ""


def _asked_models() -> Asked:
    asked_ = widgets.value("asked")
    if not isinstance(asked_, Asked):
        asked_ = Asked()
        widgets.put("asked", asked_)
    return asked_


def _answered(session: Session, found: Finding) -> Rationale | None:
    """The language model's argument about this very finding, once it has spoken."""
    asked_ = _asked_models()
    if asked_.work is not None and not asked_.work.running:
        if isinstance(asked_.work.made, Rationale) and asked_.about is not None:
            asked_.made[asked_.about] = asked_.work.made
        asked_.error = asked_.work.error
        asked_.work = None
    return asked_.made.get((found.clip.sha256, session.settings))


def _asking(session: Session, found: Finding, spoke: bool) -> None:
    """A button for each model that is installed; nothing where none is: the panel says why."""
    asked_ = _asked_models()
    if asked_.work is not None:
        _watch()
        st.button("Stop", key="ask-stop", icon=":material/close:", **widgets.callback(asked_.work.cancel))
        return
    for size in () if spoke else language_models():
        st.button(
            f"Ask the {size} model",
            key=f"ask-{size}",
            icon=":material/psychology:",
            **widgets.callback(_ask, session, found, size),
        )
    if asked_.error:
        st.error(plain(asked_.error, 400))


@st.fragment(run_every=1.0)
def _watch() -> None:
    work = _asked_models().work
    if work is None or not work.running:
        st.rerun(scope="app")
        return
    progress = work.progress
    st.caption(plain(f"{progress.stage} {progress.done:.0f}/{progress.total:.0f}" if progress and progress.total else "thinking"))


def _ask(session: Session, found: Finding, size: str) -> None:
    asked_ = _asked_models()
    asked_.error, asked_.about = "", (found.clip.sha256, session.settings)
    reader = session.reader
    asked_.work = Work("asking the language model", lambda report: ask(found, reader, caches.reasoner(size), report))


def _author(argued: Rationale) -> str:
    who = tip("rules", _RULES) if argued.author == "rules" else clean(argued.author, 60)
    first, _, remedy = argued.stands_in.partition(" (")
    why = f"; {tip(first, remedy.rstrip(')')) if remedy else clean(first, 200)}" if first else ""
    return f"by {who}{why} · {tip('adds no score', _SCORES)}"


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
        parts.append({"modality": modality, "name": words.modality(modality), "sentences": said, "odds": odds})
    return {"parts": parts, "selected": selected or ""}


def _acted() -> None:
    """A link was clicked: look at that evidence, and let the player go there and play."""
    act = widgets.reported(_KEY)
    session = current()
    if act and act.get("do") == "select" and session.perception is not None:
        selecting.act({"do": "select", "key": act.get("key"), "at": act.get("at")})
        session.seek += 1
        session.play = True
