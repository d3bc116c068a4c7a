"""The analyst's edits below the evidence list: add a species or a sign, read a table, undo and redo.

Nothing here decides anything: it collects what the analyst enters and passes it to `app.session.editing`.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

import engine
from app.panels.clues import clue_switches_form
from app.panels.style import plain
from app.session import editing, selecting, widgets
from app.session.session import Session
from engine import Finding
from engine.analysis import edits
from engine.core import CONFIDENCES
from engine.report.view import words

SURE = {name: chance for name, chance in CONFIDENCES}
_CONFIDENCE = "The probability that you are right: " + ", ".join(f"{n} {p:g}" for n, p in CONFIDENCES) + "."
RULE = (
    "A species counts with the model's calibrated probability or with your confidence, whichever is higher, up to a limit that "
    "allows for vagrants, caged birds and playback. Edits can weaken the first result, never strengthen it."
)
_TABLES = ["txt", "csv", "tsv"]


def edit_bar(session: Session, found: Finding) -> None:
    """The row under the list: what can be added, undo and redo."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        with st.popover("Add", icon=":material/add:"):
            name_field("add")
            kinds = ["Species", "Sign"]
            kind = st.segmented_control("What", kinds, default="Species", key="add-kind", label_visibility="collapsed")
            if kind == "Sign" and not session.blind:
                _sign(session, found)
            elif kind == "Sign":
                st.caption("Signs are hidden until the sound is judged.")
            else:
                _species(session, found)
        with st.popover("Table", icon=":material/table_rows:"):
            _table(session)
        with st.popover("Clues", icon=":material/tune:"):
            clue_switches_form(session)
        st.space("stretch")
        with st.container(horizontal=True, gap="small", width="content"):  # both stay in one line on a narrow screen
            st.button(
                "Undo", key="undo", icon=":material/undo:", help="Undo the last edit (U)", disabled=not session.edits,
                **widgets.callback(editing.undo),
            )  # fmt: skip
            st.button(
                "Redo", key="redo", icon=":material/redo:", help="Redo it (R)", disabled=not session.undone,
                **widgets.callback(editing.redo),
            )  # fmt: skip
    if session.message:
        st.info(plain(session.message, 1200), icon=":material/table_rows:")


def name_field(where: str, about: str | None = None) -> None:
    """The analyst's name, the same one everywhere; `about` explains it on hover."""
    key = f"name-{where}"
    widgets.put(key, editing.analyst())
    st.text_input(
        "Your name", key=key, max_chars=80, placeholder="recorded in the log", help=about, on_change=_named, args=(key,)
    )


def _named(key: str) -> None:
    widgets.put(editing.NAME, str(widgets.value(key) or "").strip())


def confidence_field(key: str) -> str:
    return str(st.selectbox("Confidence", list(SURE), key=key, help=_CONFIDENCE))


def _interval_fields(session: Session, key: str, length_s: float) -> tuple[float, float]:
    """Start and end in s, beginning at the moment looked at."""
    whole = session.perception.interval if session.perception else engine.Interval(0.0, 3.0)
    at = float(min(max(session.moment_s, whole.start_s), whole.end_s))
    left, right = st.columns(2)
    tag = f"{key}-{at:.1f}"  # the moment looked at is where it starts, until the analyst says otherwise
    start = left.number_input("From, s", whole.start_s, whole.end_s, at, 0.5, key=f"{tag}-from")
    end = right.number_input("To, s", whole.start_s, whole.end_s, min(whole.end_s, at + length_s), 0.5, key=f"{tag}-to")
    return float(start), float(max(start, end))


def _species(session: Session, found: Finding) -> None:
    name = species_search("add-species")
    start_s, end_s = _interval_fields(session, "add-species", 3.0)
    sure = confidence_field("add-species-sure")
    note = st.text_input("Note", key="add-species-note", max_chars=300)
    st.caption(RULE)
    st.button(
        "Add it", key="add-species-go", type="primary", disabled=name is None,
        **widgets.callback(_add_species, name, start_s, end_s, SURE[sure], note),
    )  # fmt: skip


def species_search(key: str, label: str = "Species, Latin or English") -> str | None:
    """A species of BirdNET's, found by part of its name; its Latin name."""
    query = st.text_input(label, key=f"{key}-query", max_chars=80, placeholder="great tit, Parus…")
    hits = edits.find_species(query) if query.strip() else ()
    if query.strip() and not hits:
        st.caption("BirdNET knows no species of that name; try another part of it.")
    if not hits:
        return None
    names = {latin: f"{common} ({latin})" if common != latin else latin for latin, common in hits}
    return st.selectbox("Which", list(names), key=f"{key}-which", format_func=lambda n: names[n], label_visibility="collapsed")


def _add_species(name: str, start_s: float, end_s: float, chance: float, note: str) -> None:
    if editing.do(lambda: edits.add_species(name, start_s, end_s, chance, editing.analyst(), note)):
        selecting.select(f"species/species/{name}", start_s)


def _sign(session: Session, found: Finding) -> None:
    text = st.text_input("What the sign says", key="add-sign-text", max_chars=80, placeholder="AUGUSTA, GA 30904")
    place = sign_meaning(text, "add-sign")
    start_s, end_s = _interval_fields(session, "add-sign", 0.0)
    sure = confidence_field("add-sign-sure")
    note = st.text_input("Note", key="add-sign-note", max_chars=300)
    st.button(
        "Add it", key="add-sign-go", type="primary", disabled=not text.strip(),
        **widgets.callback(_add_sign, text, start_s, end_s, SURE[sure], note, place),
    )  # fmt: skip


def sign_meaning(text: str, key: str) -> tuple[float, float] | None:
    """What a sign reads as, and the place it means where the analyst chooses one."""
    if not text.strip():
        return None
    notes, places = edits.sign_meanings(text)
    said = "; ".join(plain(n, 160) for n in notes[:4])
    st.caption(said[:1].upper() + said[1:] if said else "No known place or language in this text.")
    if len(places) < 2:
        return None
    names = ["all of them, weighted", *(f"{p.name} ({words.share(p.share)})" for p in places)]
    chosen = st.selectbox("Which of them", range(len(names)), key=f"{key}-place", format_func=lambda i: names[i])
    return None if not chosen else (places[chosen - 1].lat_deg, places[chosen - 1].lon_deg)


def _add_sign(text: str, start_s: float, end_s: float, chance: float, note: str, place: tuple[float, float] | None) -> None:
    if editing.do(lambda: edits.add_sign(text, start_s, end_s, chance, editing.analyst(), note, place)):
        selecting.select(f"text/text/{' '.join(text.split())}", start_s)


def _table(session: Session) -> None:
    name_field("table")
    file = st.file_uploader("Raven selection table, BirdNET result table or Audacity labels", type=_TABLES, key="table-file")
    alone = st.checkbox("Use these instead of BirdNET's detections here", key="table-alone")
    st.caption("Rows with a score count as BirdNET's detections, rows without one as yours. Unknown names are listed.")
    st.button(
        "Read table", key="table-go", type="primary", disabled=file is None, **widgets.callback(_read, session, file, alone)
    )


def _read(session: Session, file: Any, alone: bool) -> None:
    said = []

    def make() -> engine.Edit:
        assert session.perception is not None
        edit, table = edits.read_table(file.getvalue(), file.name, session.perception, editing.analyst(), alone=alone)
        said.append(edits.said_of(table))
        return edit

    if editing.do(make):
        session.message = f"{file.name}. {said[0]}"
