"""The analyst's edits and changes of settings, with undo and redo; each one is noted for the log of a case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

import engine
from app.session import jobs, judging
from app.session.session import SHOWN, LoggedChange, Undoable, current
from engine import EarwitnessError, Interval, Settings
from engine.analysis import edits as engine_edits
from engine.report.view import edits as edit_words
from engine.report.view import words

LEAST_INTERVAL_S = 1.0
NAME = "analyst_name"


def change(said: str, **changes: Any) -> None:
    """An edit: the settings change, and undo knows how they were. An impossible setting changes nothing."""
    session = current()
    try:
        after = session.settings.but(**changes)
    except EarwitnessError as error:
        session.error = str(error)
        return
    session.error = ""
    if after == session.settings:
        return
    session.edits.append(Undoable(said, session.settings, after))
    session.moves.append(LoggedChange(said, session.settings, after))
    session.undone.clear()
    session.settings = after


def do(make: Callable[[], engine.Edit]) -> bool:
    """Make one of the analyst's edits and let it count; an impossible one changes nothing and leaves a sentence."""
    session = current()
    try:
        made = make()
        after = engine.apply_edit(session.settings, made)
    except EarwitnessError as error:
        session.error = str(error)
        return False
    session.error, session.message = "", ""
    said = edit_words.brief(made)
    session.edits.append(Undoable(said, session.settings, after))
    session.moves.append(LoggedChange(said, session.settings, after, made.note, made.author, made.scores))
    session.undone.clear()
    session.settings = after
    return True


def analyst() -> str:
    """The name that the analyst gave, or ""; it lasts as long as the session."""
    return str(st.session_state.get(NAME, ""))


def drop(key: str, title: str) -> None:
    """Leave a species or sign out of the scoring, or include it again."""
    session = current()
    own = {o.key for o in session.settings.added}
    if key in session.settings.dropped and key not in own:
        do(lambda: engine_edits.restore(key, analyst(), title))
    else:
        do(lambda: engine_edits.drop(key, analyst(), title=title))


def undo() -> None:
    """Undo the last edit; what was judged blind stays judged."""
    session = current()
    if session.edits:
        session.undone.append(session.edits.pop())
        session.settings = session.undone[-1].before
        session.moves.append(LoggedChange(f"undone: {session.undone[-1].said}", session.undone[-1].after, session.settings))
        session.error = ""
        show_settings(session.settings)


def redo() -> None:
    """Redo what was undone last."""
    session = current()
    if session.undone:
        session.edits.append(session.undone.pop())
        session.settings = session.edits[-1].after
        session.moves.append(LoggedChange(f"redone: {session.edits[-1].said}", session.edits[-1].before, session.settings))
        session.error = ""
        show_settings(session.settings)


def reveal(opinion: str, confidence: float) -> None:
    """Record the judgement of the sound and show everything; there is no way back for this clip in this session."""
    session = current()
    if not session.blind:
        return
    sealed = judging.finding(session)
    if not do(lambda: engine_edits.judgement(sealed, opinion, confidence, analyst())):
        return
    session.blind, session.sealed, session.preview = False, None, None
    st.session_state.setdefault(SHOWN, set()).add(sealed.clip.sha256)
    jobs.queue().note_shown(session.job_id, sealed.clip.sha256)
    session.judged, session.effects, session.edits, session.undone = {}, {}, [], []
    session.selected, session.view = None, None
    spoke = [x.modality for x in judging.finding(session).located if x.spoke]
    session.layer = str("both" if "both" in spoke else spoke[0] if spoke else "sound")
    st.session_state.pop("set_layer", None)


def show_settings(settings: Settings) -> None:
    """Let the widgets show these settings; called from callbacks, before the widgets are drawn."""
    st.session_state["set_prior"] = settings.prior
    st.session_state["set_when"] = settings.when
    st.session_state["set_radius"] = round(settings.radius_km)
    if "set_interval" in st.session_state:
        perception = current().perception
        interval = settings.interval or (perception.interval if perception else None)
        if interval is not None:
            st.session_state["set_interval"] = (interval.start_s, interval.end_s)


def draw_interval(start_s: float, end: object) -> None:
    """Analyse the interval selected on the timeline; none, or one as long as the clip, is all of it."""
    session = current()
    whole = session.perception.interval if session.perception else None
    if whole is None:
        return
    end_s = float(end) if isinstance(end, int | float) and not isinstance(end, bool) and np.isfinite(end) else 0.0
    start_s, end_s = max(whole.start_s, round(start_s, 1)), min(whole.end_s, round(end_s, 1))
    everything = end_s - start_s < LEAST_INTERVAL_S or (start_s <= whole.start_s + 0.1 and end_s >= whole.end_s - 0.1)
    interval = None if everything else Interval(start_s, end_s)
    change("interval: all of it" if everything else f"interval: {words.span(start_s, end_s)}", interval=interval)
    show_settings(session.settings)
