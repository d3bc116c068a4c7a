"""The list of edits and settings, with the factor before and after each."""

from __future__ import annotations

import streamlit as st

import engine
from app.panels.style import clean, tip
from app.session import judging
from app.session.session import Session
from engine.core import chosen_settings, edit_steps
from engine.report.view import edits as edit_words


def edit_history(session: Session) -> None:
    """The list of edits and settings with the factor before and after each; worked out when it is opened."""
    count = len(edit_steps(session.settings)) + len(chosen_settings(session.settings))
    if not count:
        return
    box = st.expander(f"Edits and what each did ({count})", key="edits-open", on_change="rerun", icon=":material/history_edu:")
    if not box.open:
        return
    rows = []
    for number, s in enumerate(judging.steps(session), 1):
        change = edit_words.change(s)
        rows.append(
            f"<tr><td class='ew-num'>{number}</td><td>{clean(edit_words.said(s.edit), 500)}"
            f"<div class='ew-dim'>{clean(s.edit.created.replace('T', ' ').replace('+00:00', ' UTC'), 40)}"
            f"{_digest(s.edit)}</div></td><td>{clean(change, 300) or '–'}</td></tr>"
        )
    for c in judging.choices(session):
        rows.append(
            f"<tr><td></td><td>{clean(edit_words.setting(c), 300)}<div class='ew-dim'>compared with the default</div></td>"
            f"<td>{clean(edit_words.setting_change(c), 300) or '–'}</td></tr>"
        )
    what = tip("log₁₀ of the factor, before → after", "Above 0 supports one place, below 0 two places")
    head = f"<tr><th></th><th>edit</th><th>{what}</th></tr>"
    box.html(f"<table class='ew-stages ew-history'>{head}{''.join(rows)}</table>")


def _digest(edit: engine.Edit) -> str:
    return f" · of a finding with sha256 {clean(edit.digest[:16])}…" if edit.digest else ""
