"""The list of clips: what waits, what is being examined, what was examined before and can be opened again at once."""

from __future__ import annotations

import time

import streamlit as st

from app.panels.style import clean, plain
from app.session import jobs, navigation, opening, widgets
from app.session.session import current
from engine.case import JobStatus, JobTicket
from engine.report.view import words

MOST_SHOWN = 12
_ICONS = {
    "waiting": ":material/schedule:",
    "running": ":material/progress_activity:",
    "done": ":material/check:",
    "failed": ":material/error:",
    "cancelled": ":material/do_not_disturb_on:",
    "interrupted": ":material/power_off:",
}


def clip_queue() -> None:
    """Draw it, and again every second as long as something is going on; nothing where there is nothing to list."""
    found = [(t, jobs.queue().status(t.id)) for t in jobs.queue().listed()]
    if not found:
        return
    st.html("<div class='ew-h' style='margin-top:.8rem'>Your clips</div>")
    if any(not s.ended for _, s in found):
        _moving()
    else:
        job_rows(found)
    _about(found)


@st.fragment(run_every=1.0)
def _moving() -> None:
    found = [(t, jobs.queue().status(t.id)) for t in jobs.queue().listed()]
    if current().job is not None or all(s.ended for _, s in found):
        st.rerun(scope="app")
    job_rows(found)


def job_rows(found: list[tuple[JobTicket, JobStatus]]) -> None:
    """Jobs, each with what can be done about it."""
    with st.container(border=True, gap="small"):
        for ticket, status in found[:MOST_SHOWN]:
            _row(ticket, status)
        if len(found) > MOST_SHOWN:
            with st.popover(f"{len(found) - MOST_SHOWN} older clips"):
                for ticket, status in found[MOST_SHOWN:]:
                    _row(ticket, status)


def _row(ticket: JobTicket, status: JobStatus) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"clip-row-{ticket.id}"):
        st.html(
            f"<div class='ew-clip'><b title='{_hover(ticket)}'>{_named(ticket)}</b> "
            f"<small>{status_words(ticket, status)}</small></div>"
        )
        st.space("stretch")
        state_ = status.state
        if state_ in ("done", "running", "waiting"):
            label = "Open" if state_ == "done" else "Watch"
            st.button(label, key=f"open-{ticket.id}", icon=_ICONS[state_], **widgets.callback(_open, ticket))
        if state_ in ("failed", "cancelled", "interrupted"):
            st.button("Resume", key=f"resume-{ticket.id}", icon=_ICONS[state_], **widgets.callback(_resume, ticket))
        if status.ended:
            st.button("", key=f"forget-{ticket.id}", icon=":material/delete:", help=_forget_help(ticket),
                      **widgets.callback(opening.forget_job, ticket.id))  # fmt: skip
        else:
            st.button("", key=f"cancel-{ticket.id}", icon=":material/close:", help="Stop",
                      **widgets.callback(jobs.queue().cancel, ticket.id))  # fmt: skip


def _open(ticket: JobTicket) -> None:
    if ticket.inputs:
        navigation.open_case(ticket.path)
    else:
        opening.reopen(ticket.id)


def _resume(ticket: JobTicket) -> None:
    jobs.queue().resume(ticket.id)
    if not ticket.inputs:
        opening.reopen(ticket.id)


def _hidden(ticket: JobTicket) -> bool:
    return ticket.sealed and not ticket.shown


def _named(ticket: JobTicket) -> str:
    if _hidden(ticket):
        return "Sealed clip"
    return clean(f"Case {ticket.title}" if ticket.inputs else ticket.title or "clip", 60)


def _hover(ticket: JobTicket) -> str:
    return "" if _hidden(ticket) else clean(ticket.path, 400)


def _forget_help(ticket: JobTicket) -> str:
    if jobs.queue().uploads.holds(ticket.path):
        return "Remove from the list and delete the uploaded copy"
    return "Remove from the list; the file stays where it is"


def status_words(ticket: JobTicket, status: JobStatus) -> str:
    """How a job stands, in a few words, escaped."""
    if status.state == "waiting":
        return f"waiting for {status.ahead} other{'s' if status.ahead != 1 else ''}" if status.ahead else "starting"
    if status.state == "running":
        now = [s for s in status.stages if s.ended is None]
        return clean("; ".join(_stage(s.name, s.done, s.total) for s in now) or "being examined", 120)
    if status.state == "failed":
        return clean(status.error, 200)
    if status.state == "cancelled":
        return "stopped"
    if status.state == "interrupted":
        return "interrupted: the process that examined it ended"
    ended = max((s.ended or s.began for s in status.stages), default=ticket.created)
    return clean(status.said + " · " if status.said else "", 200) + f"examined {_ago(time.time() - ended)}"


def _stage(name: str, done: float, total: float | None) -> str:
    return f"{name} {min(1.0, done / total):.0%}" if total else name


def _ago(seconds: float) -> str:
    for unit, length in (("day", 86_400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count != 1 else ''} ago"
    return "just now"


def _about(found: list[tuple[JobTicket, JobStatus]]) -> None:
    """Where what is kept lies, and a way to remove all of it."""
    queue = jobs.queue()
    uploaded = [t for t, _ in found if queue.uploads.holds(t.path)]
    copies = f", with {words.size(queue.uploads.size_bytes())} of uploaded copies" if uploaded else ""
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.caption(
        f"Results are cached on this machine{copies}, in {plain(str(queue.folder.parent), 200)}. Clips "
        "leave the list after 30 days."
    )
    with right.popover("Remove all…", width="stretch"):
        st.write("Removes every finished clip from the list, with uploaded copies and cached results.")
        st.button("Remove all", key="forget-all", type="primary", **widgets.callback(opening.forget_all))
