"""The scenes of a film: a table of their verdicts, and their names in the chooser."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.panels.style import clean
from engine import Finding, Interval
from engine.report import scene_row
from engine.report import scenes_summary as scenes_said
from engine.report.view import words


def scene_table(scenes: Sequence[Finding], chosen: int) -> None:
    """The scenes of a film with their verdicts, folded away behind how many there are of each."""
    if len(scenes) < 2:
        return
    rows = [scene_row(x) for x in scenes]
    lines = "".join(
        f"<tr{' class=ew-now' if r.number == chosen else ''}><td class='ew-num'>{r.number}</td><td>{clean(r.when, 20)}</td>"
        f"<td>{clean(r.verdict, 60)}</td><td>{clean(r.sound, 60)}</td><td>{clean(r.picture, 60)}</td></tr>"
        for r in rows
    )
    head = "<tr><th></th><th>when</th><th>sound and picture</th><th>sound</th><th>picture</th></tr>"
    with st.expander(scenes_said(scenes), icon=":material/movie:"):
        st.html(f"<table class='ew-stages'>{head}{lines}</table>")


def scene_label(number: int, parts: Sequence[Interval], judged: Sequence[Finding]) -> str:
    """A scene in the chooser: its number, its time and, when it has been judged, its verdict."""
    if number == 0:
        return f"All {len(parts)} scenes as one"
    if number < 0:
        return "An interval of your own"
    part = parts[number - 1]
    said = next((scene_row(x).verdict for x in judged if x.scene == number), "")
    when = words.span(round(part.start_s), round(part.end_s))
    return f"Scene {number} of {len(parts)} · {when}" + (f" · {said}" if said else "")
