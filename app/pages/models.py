"""Models: which ones are there, under which licence, what is missing and how to get it. Nothing here uses the network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from app.panels.style import clean, plain
from app.panels.weights import weights_card
from engine import EarwitnessError, Progress
from engine.clues import clue_registry
from engine.core import models_dir
from engine.media import decoding_protection
from engine.models import CATALOGUE, import_weights, verify_weights, weights_state
from engine.report.view import words


def page() -> None:
    """Draw the page."""
    st.title("Models", anchor=False)
    st.write("Earwitness runs on this machine alone. This page, like every other, fetches nothing.")
    st.caption(plain(decoding_protection(), 400))
    weights_card(open_at_once=True)
    st.subheader("Included", anchor=False)
    st.html(_built_in())
    st.subheader("With downloaded weights", anchor=False)
    st.caption(f"Stored in {plain(models_dir(), 300)}, a folder that can be carried on a USB stick.")
    for known in CATALOGUE:
        with st.container(border=True):
            _one(known)
    _bring()


def _built_in() -> str:
    rows = "".join(
        f"<tr><td><b>{clean(c.title, 80)}</b></td><td>{clean(c.purpose, 200)}</td><td>{clean(c.licence, 80)}"
        f"{' (non-commercial)' if c.non_commercial else ''}</td><td class='ew-dim'>{clean(c.source, 260)}</td></tr>"
        for c in clue_registry().cards
        if c.included
    )
    head = "<tr><td>model</td><td>what for</td><td>licence</td><td>source</td></tr>"
    return f"<table class='ew-stages'>{head}{rows}</table>"


def _one(known: Any) -> None:
    state = weights_state(known)
    mark = {"present": "✓ present", "incomplete": "◐ incomplete", "missing": "○ missing"}[state]
    terms = known.card.licence + (", non-commercial" if known.card.non_commercial else "")
    st.html(
        f"<span class='ew-h'>{clean(known.card.title, 80)}</span> <span class='ew-chip'>{clean(mark)}</span> "
        f"<span class='ew-dim'>{clean(known.card.purpose, 200)} · {clean(words.size(known.size_bytes))} · {clean(terms, 80)} · "
        f"{clean(known.source, 120)} at {clean(known.revision[:12])}</span>"
    )
    if known.card.figure:
        st.caption(plain(f"{known.card.figure[:1].upper()}{known.card.figure[1:]}.", 300))
    if not known.vouched:
        st.caption("The catalogue has no hashes for these: they are checked for form on import, then recorded and compared.")
    if state != "present":
        st.caption("On a machine with a network, in a terminal; a transfer that is cut goes on where it ended:")
        st.code(f"earwitness models pull {known.id}", language=None)
    elif st.button("Verify its files", key=f"verify-{known.id}"):
        _watched(lambda report: verify_weights(known, progress=report), "Every file matches the catalogue.")


def _bring() -> None:
    """Take weights from a folder; every file is checked before it is taken."""
    with st.form("bring", border=False):
        left, right = st.columns([5, 1], vertical_alignment="bottom")
        folder = left.text_input(
            "Without a network: folder with weights, such as a USB stick or a file share", placeholder="/media/me/stick/models"
        )
        go = right.form_submit_button("Import", width="stretch")
    if go and not folder.strip():
        st.error("No folder was given; paste the full path of the folder that holds the weights.")
    elif go:
        path = Path(folder.strip().strip("'\"")).expanduser()
        _watched(lambda report: import_weights(path, report), "Imported and verified.")


def _watched(work: Callable[[Callable[[Progress], None]], object], done: str) -> None:
    """Do it with a progress bar; an error is one sentence."""
    bar = st.progress(0.0)

    def report(progress: Progress) -> None:
        bar.progress(progress.fraction or 0.0, text=plain(progress.stage))

    try:
        work(report)
    except (EarwitnessError, OSError) as error:
        bar.empty()
        st.error(plain(error, 500))
    else:
        bar.empty()
        st.success(done)


page()
