"""What can be done with the selected evidence: drop, confirm, relabel, add a note."""

from __future__ import annotations

import hashlib

import streamlit as st

import engine
from app.components.evidence.component import is_scored
from app.panels.edits import RULE, SURE, confidence_field, name_field, sign_meaning, species_search
from app.panels.style import clean
from app.session import editing, selecting, widgets
from app.session.session import Session, current
from engine import Finding, Perceived
from engine.analysis import edits
from engine.report.view import edits as edit_words


def evidence_buttons(session: Session, found: Finding, p: Perceived) -> None:
    """Drop, confirm, relabel and note."""
    if not is_scored(p.best.kind, found.registry):
        return
    tag = hashlib.md5(p.key.encode(), usedforsecurity=False).hexdigest()[:8]  # a widget's key must not hold a file's text
    st.button(
        "Include again" if p.dropped else "Drop",
        key="drop",
        icon=":material/undo:" if p.dropped else ":material/block:",
        help="Leave it out of the scoring: foley or a false detection (D)",
        **widgets.callback(editing.drop, p.key, p.title),
    )
    if p.best.kind not in ("species", "text"):
        return
    own = p.observations
    if not p.dropped and not p.added:
        with st.popover("Confirm", icon=":material/check:"):
            name_field(f"confirm-{tag}")
            sure = confidence_field(f"confirm-sure-{tag}")
            note = st.text_input("Note", key=f"confirm-note-{tag}", max_chars=300)
            st.caption(RULE)
            st.button("Confirm it", key="confirm-go", type="primary", **widgets.callback(_confirm, own, SURE[sure], note))
    if not p.dropped:
        with st.popover("Relabel", icon=":material/edit:"):
            name_field(f"relabel-{tag}")
            place = None
            if p.best.kind == "text":
                text = st.text_input("What it says", p.best.label[:80], key=f"relabel-text-{tag}", max_chars=80)
                name: str | None = text
                place = sign_meaning(text, f"relabel-{tag}")
            else:
                name = species_search(f"relabel-{tag}", "What it is")
            sure = confidence_field(f"relabel-sure-{tag}")
            note = st.text_input("Note", key=f"relabel-note-{tag}", max_chars=300)
            st.button(
                "Relabel it", key="relabel-go", type="primary", disabled=not name,
                **widgets.callback(_relabel, own, name, SURE[sure], note, place),
            )  # fmt: skip
    with st.popover("Note", icon=":material/sticky_note_2:"):
        name_field(f"note-{tag}")
        text = st.text_area("What you noticed", key=f"note-text-{tag}", max_chars=1000, help="A note changes no result.")
        st.button("Save note", key="note-go", type="primary", **widgets.callback(_remark, p, text, f"note-text-{tag}"))


def _confirm(own: tuple[engine.Observation, ...], chance: float, note: str) -> None:
    editing.do(lambda: edits.confirm(own, chance, editing.analyst(), note))


def _relabel(own: tuple[engine.Observation, ...], name: str, chance: float, note: str, place: tuple[float, float] | None) -> None:
    session = current()
    before = len(session.settings.edits)
    if editing.do(lambda: edits.relabel(own, name, chance, editing.analyst(), note, place)):
        made = session.settings.edits[before].replacement
        selecting.select(made[0].key, made[0].start_s)


def _remark(p: Perceived, text: str, key: str) -> None:
    if editing.do(lambda: edits.remark(p.key, text, editing.analyst(), p.title)):
        widgets.put(key, "")


def evidence_remarks(session: Session, p: Perceived) -> None:
    """What the analyst wrote of it, and how it stands: confirmed, added, relabelled."""
    remarks = [edit_words.said(e) for e in session.settings.edits if p.key in (e.target, *(o.key for o in e.replacement[:1]))]
    if remarks:
        st.html(f"<div class='ew-edits'>{' · '.join(clean(t, 300) for t in remarks[-4:])}</div>")
