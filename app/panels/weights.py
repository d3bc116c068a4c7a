"""What is off for want of weights, what they would bring, and how they get here; and the offer to look again once they are there.

Nothing here uses the network: weights are fetched by a command, in a terminal.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.panels.style import clean, plain
from engine import Finding
from engine.clues import clue_registry
from engine.core import Card
from engine.models import CATALOGUE, weights_state
from engine.report.view import lead, words

_MAIN = "clip-vit-large-patch14"


def weights_card(open_at_once: bool = False) -> None:
    """Clues that are off for want of weights; nothing where all are there."""
    states = {known.id: weights_state(known) for known in CATALOGUE}
    wanted = [s for s in clue_registry().clues if s.wants is not None and states.get(s.wants.id) != "present"]
    if not wanted:
        return
    wanted.sort(key=lambda s: not s.votes)
    many = "One clue is" if len(wanted) == 1 else f"{len(wanted)} clues are"
    with st.expander(f"{many} off for want of weights", icon=":material/download:", expanded=open_at_once):
        rows = "".join(_row(s.title, s.wants, s.votes) for s in wanted if s.wants is not None)
        st.html(f"<ul class='ew-weights'>{rows}</ul>")
        st.caption("The figures are those of the models' authors, on other pictures than yours; here nothing was measured.")
        if any(s.wants is not None and s.wants.id == _MAIN for s in wanted):
            st.caption("The first of them, in a terminal where the program is:")
            st.code("make weights        # or: make weights FROM=/media/me/stick", language=None)
            st.caption(
                "A transfer that is cut goes on where it ended, and every file is checked. The other ways are on the page Models."
            )


def _row(title: str, card: Card, votes: bool) -> str:
    size = next((words.size(e.size_bytes) for e in CATALOGUE if e.id == card.id), "")
    terms = card.licence + (", non-commercial" if card.non_commercial else "")
    figure = f" {clean(card.figure[:1].upper() + card.figure[1:], 240)}." if card.figure else ""
    optional = "" if votes else " It counts only when asked for."
    return (
        f"<li><b>{clean(title[:1].upper() + title[1:], 80)}</b>: {clean(card.title, 60)} would bring {clean(card.brings, 120)}."
        f"{figure}{optional} <span class='ew-dim'>{clean(size)} · {clean(terms, 60)}</span></li>"
    )


def look_again(found: Finding, again: Callable[[], None]) -> None:
    """Where weights have come since the clip was perceived: the offer to look with them."""
    states = {known.id: weights_state(known) for known in CATALOGUE}
    come = [card.title for card in lead.missing_models(found) if states.get(card.id) == "present"]
    if not come:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.info(
            plain(f"{' and '.join(come)} {'is' if len(come) == 1 else 'are'} installed now; this result was made without.", 300),
            icon=":material/download_done:",
            width="stretch",
        )
        st.button(
            "Look again",
            key="look-again",
            icon=":material/refresh:",
            help="Examines the clip once more, with these models; your edits are kept.",
            on_click=again,
        )
