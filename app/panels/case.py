"""The popover in which a clip is added to a case: which case, what was written to it, and how to stop."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.panels.edits import name_field
from app.panels.style import clean, plain
from app.session import case, editing, jobs, navigation, widgets
from app.session.session import Session, current
from engine import Finding
from engine.case import CaseClip
from engine.case.record import archive as records
from engine.core import without_password

WIDTH = 380  # px; what is said would make it as wide as the page
_ABOUT = (
    "A case records the first result, each of your decisions with the factor before and after it, and every document you "
    "export, in a log in which each entry contains the hash of the previous one."
)
_WHOSE = "Name recorded in the log; your user name on this system if you give none."
_ANOTHER = "another case, or a new one"
_UPLOADED = (
    "This clip was uploaded: its copy is deleted when it leaves the list, and the case can then no longer verify the file. "
    "Open it by its path instead."
)


def case_popover(session: Session, found: Finding) -> None:
    """Which case the clip is in, and how to add it or stop."""
    session.case.who = editing.analyst()
    link = session.case
    with st.container(width=WIDTH):
        if link.work is not None and link.work.running:
            _writing()
        elif link.case_clip is not None:
            _kept(session, link.case_clip, found)
        else:
            _choose(session)


def case_label(session: Session) -> str:
    """What the button says."""
    return "In case" if session.case.case_clip is not None else "Case"


def _choose(session: Session) -> None:
    if session.case.error:
        st.error(plain(session.case.error, 500), icon=":material/error:")
    st.caption(_ABOUT)
    name_field("keep", _WHOSE)
    known = records.recent()
    place = ""
    if known:
        place = st.selectbox("Case", [*known, _ANOTHER], format_func=_called, key="keep-known")
    if place in ("", _ANOTHER):
        place = st.text_input(
            "Folder of a case; created if it does not exist", key="keep-place", placeholder="/home/me/cases/golf",
            help="Or the address of a team's database: postgresql://…",
        )  # fmt: skip
    if session.path is not None and jobs.queue().uploads.holds(session.path):
        st.caption(_UPLOADED)
    st.button(
        "Add to this case", key="keep-go", type="primary", width="stretch", disabled=not place.strip(),
        **widgets.callback(case.begin, session, place),
    )  # fmt: skip


def _called(place: str) -> str:
    return place if place == _ANOTHER else f"{Path(place).name} · {place}"


@st.fragment(run_every=0.4)
def _writing() -> None:
    work = current().case.work
    if work is None or not work.running:
        st.rerun(scope="app")
        return
    now = work.progress
    st.progress((now.fraction or 0.0) if now else 0.0, text=plain(now.stage if now else "starting"))
    st.button("Stop", key="keep-stop", icon=":material/close:", **widgets.callback(work.cancel))


def _kept(session: Session, case_clip: CaseClip, found: Finding) -> None:
    waiting = len(session.moves) - session.case.entered
    where = clean(without_password(case_clip.place), 200)
    if session.case.error:
        st.error(plain(session.case.error, 500), icon=":material/error:")
    st.html(
        f"<div class='ew-edits'><b>{clean(case_clip.title, 60)}</b><br><span class='ew-dim'>{where}</span><br>"
        f"{_many(session.case.entered)} of yours in its log{f', {waiting} waiting to be written' if waiting else ''}. "
        f"Head <span title='{clean(case_clip.head)}'>{clean(case_clip.head[:16])}…</span></div>"
    )
    st.caption("Every change is recorded at once. Exported documents contain the head of the log and are recorded too.")
    name_field("keep", _WHOSE)
    if waiting:
        st.button("Try to write again", key="keep-again", icon=":material/refresh:", width="stretch")
    st.button(
        "Save the current result", key="keep-result", icon=":material/bookmark_add:", width="stretch",
        help="With your edits, beside the first result", **widgets.callback(case.keep, session, found),
    )  # fmt: skip
    st.button(
        "Open in Archive",
        key="keep-show",
        icon=":material/map:",
        width="stretch",
        **widgets.callback(navigation.open_case, case_clip.place),
    )
    st.button(
        "Stop recording", key="keep-leave", icon=":material/link_off:", width="stretch",
        help="What is written stays in the case; the rest is written when you add the clip again",
        **widgets.callback(case.leave, session),
    )  # fmt: skip


def _many(count: int) -> str:
    return "No decision" if not count else f"{count} decision{'s' if count > 1 else ''}"
