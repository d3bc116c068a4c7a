"""Keeping the clip on the bench in a case: the popover, and what goes into the case while the analyst works.

The first writing takes seconds (every scene is judged, the sound's fingerprint taken) and runs in a thread. After that each
change of mind is written as it is made, with the factor before and after it, and each document bears the head of the log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

import engine
from app import by_hand, casebook, state
from app.frame import clean, plain
from engine import EarwitnessError, Finding, Progress
from engine.analysis import factor
from engine.case import CaseClip, Ruling
from engine.case.record import archive
from engine.case.record import decisions as filing
from engine.core import without_password

WIDTH = 380  # px; what is said would make it as wide as the page
_ABOUT = (
    "A case keeps what was first found, each of your decisions with the factor before and after it, and the documents you make, "
    "in a log whose every entry holds the hash of the one before."
)
_WHOSE = "Whose name the log bears; the system's user when you give none."
_ANOTHER = "another case, or a new one"
_UPLOADED = (
    "This clip was dropped onto the page: its copy goes when it is taken off the list, and the case can then no longer check the "
    "file. Open it by its path to have it checked."
)


def popover(b: state.Bench, found: Finding) -> None:
    """Which case the clip is kept in, and the ways in and out of it."""
    b.filing.who = state.analyst()
    held = b.filing
    with st.container(width=WIDTH):
        if held.work is not None and held.work.running:
            _writing()
        elif held.filed is not None:
            _kept(b, held.filed, found)
        else:
            _choose(b)


def label(b: state.Bench) -> str:
    """What the button says."""
    return "In case" if b.filing.filed is not None else "Case"


def _choose(b: state.Bench) -> None:
    if b.filing.error:
        st.error(plain(b.filing.error, 500), icon=":material/error:")
    st.caption(_ABOUT)
    by_hand.who("filing", _WHOSE)
    known = archive.recent()
    place = ""
    if known:
        place = st.selectbox("Case", [*known, _ANOTHER], format_func=_called, key="filing-known")
    if place in ("", _ANOTHER):
        place = st.text_input(
            "Folder of a case, made when it is not there", key="filing-place", placeholder="/home/me/cases/golf",
            help="Or the address of a team's database: postgresql://…",
        )  # fmt: skip
    if b.path is not None and state.queue().uploads.holds(b.path):
        st.caption(_UPLOADED)
    st.button(
        "Keep in this case", key="filing-go", type="primary", width="stretch", disabled=not place.strip(),
        **state.callback(begin, b, place),
    )  # fmt: skip


def _called(place: str) -> str:
    return place if place == _ANOTHER else f"{Path(place).name} · {place}"


@st.fragment(run_every=0.4)
def _writing() -> None:
    work = state.bench().filing.work
    if work is None or not work.running:
        st.rerun(scope="app")
        return
    now = work.progress
    st.progress((now.fraction or 0.0) if now else 0.0, text=plain(now.stage if now else "starting"))
    st.button("Stop", key="filing-stop", icon=":material/close:", **state.callback(work.cancel))


def _kept(b: state.Bench, filed: CaseClip, found: Finding) -> None:
    waiting = len(b.moves) - b.filing.entered
    where = clean(without_password(filed.place), 200)
    if b.filing.error:
        st.error(plain(b.filing.error, 500), icon=":material/error:")
    st.html(
        f"<div class='ew-edits'><b>{clean(filed.title, 60)}</b><br><span class='ew-dim'>{where}</span><br>"
        f"{_many(b.filing.entered)} of yours in its log{f', {waiting} waiting to be written' if waiting else ''}. "
        f"Head <span title='{clean(filed.head)}'>{clean(filed.head[:16])}…</span></div>"
    )
    st.caption("Every change you make is written as you make it. Documents from Export bear the head, and are entered too.")
    by_hand.who("filing", _WHOSE)
    if waiting:
        st.button("Try again to write", key="filing-again", icon=":material/refresh:", width="stretch")
    st.button(
        "Keep the result as it stands", key="filing-keep", icon=":material/bookmark_add:", width="stretch",
        help="The result with your edits, beside the first one", **state.callback(keep, b, found),
    )  # fmt: skip
    st.button(
        "Show the case", key="filing-show", icon=":material/map:", width="stretch", **state.callback(state.open_case, filed.place)
    )
    st.button(
        "Keep no longer", key="filing-leave", icon=":material/link_off:", width="stretch",
        help="What is written stays in the case; the rest is written when you keep the clip in it again",
        **state.callback(leave, b),
    )  # fmt: skip


def _many(count: int) -> str:
    return "No decision" if not count else f"{count} decision{'s' if count > 1 else ''}"


# --- doing --------------------------------------------------------------------------------------------------------------


def begin(b: state.Bench, place: str) -> None:
    """Keep the clip in this case; quotes and ~ allowed in a path."""
    held, where = b.filing, casebook.whereabouts(place)
    held.entered = held.entered if where == held.left else 0  # another case knows nothing yet
    held.place, held.left, held.error = where, "", ""
    start(b)


def start(b: state.Bench) -> None:
    """Write the clip into the case that was asked for, in a thread."""
    perception, reader, place, who = b.perception, b.reader, b.filing.place, b.filing.who
    if perception is None or b.blind or not place:
        return
    settings, known = b.settings, dict(b.judged)

    def write(report: Callable[[Progress], None]) -> CaseClip:
        return filing.add_clip(place, filing.first_findings(perception, settings, report, known), reader, who, report)

    b.filing.work = state.Work("keeping the clip in a case", write)


def enter(b: state.Bench) -> None:
    """Take over what was written, and write what the analyst did since. A case that cannot be written loses nothing: it is
    tried again with the next change."""
    held = b.filing
    if held.work is not None and not held.work.running:
        work, held.work = held.work, None
        held.error = "Stopped; the case is as it was." if work.cancelled else work.error
        held.filed = work.made
        if held.filed is None:
            held.place = ""
        else:
            archive.remember(held.filed.place)
    elif held.place and held.filed is None and held.work is None:
        start(b)
    if held.filed is None or b.blind:
        return
    while held.entered < len(b.moves):
        try:
            held.filed = filing.decide(held.filed, [_ruling(b, b.moves[held.entered])], held.who)
        except EarwitnessError as error:
            held.error = str(error)
            return
        held.entered += 1
        held.error = ""


def _ruling(b: state.Bench, move: state.Move) -> Ruling:
    first = state.judged(b, filing.first_settings(move.after))
    if not move.scores:
        return Ruling(move.what, first, why=move.why, who=move.who)
    elsewhere = move.before.interval != move.after.interval  # another stretch: there is no before to compare with
    before = None if elsewhere else factor(state.judged(b, move.before))[0]
    return Ruling(move.what, first, before, factor(state.judged(b, move.after))[0], move.why, move.who)


def keep(b: state.Bench, found: Finding) -> None:
    """Keep the result as it stands."""
    held = b.filing
    if held.filed is None:
        return
    try:
        held.filed, _ = filing.keep(held.filed, found, held.who)
        held.error = ""
    except EarwitnessError as error:
        held.error = str(error)


def leave(b: state.Bench) -> None:
    """Write nothing more, unless it is kept in this case again."""
    b.filing.left, b.filing.place, b.filing.filed = b.filing.place, "", None


def handed_out(
    b: state.Bench, found: Finding, form: str, stem: str, make: Callable[[engine.Custody | None], str | bytes]
) -> str | bytes:
    """A document, made with the head of the case's log in it and entered into the log; outside a case just made.

    Raises:
        EarwitnessError: it cannot be made, or the case cannot be written: a document that says nothing of its case is not
            handed out in its place.
    """
    held = b.filing
    if held.filed is None:
        return make(None)
    held.filed, custody = filing.keep(held.filed, replace(found, film=(), timeline=None), held.who)
    made = make(custody)
    data = made if isinstance(made, bytes) else made.encode("utf-8", "replace")
    held.filed = filing.issue_report(held.filed, custody, form, f"{stem}.{form}", data, held.who)
    return data
