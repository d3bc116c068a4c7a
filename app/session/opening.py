"""Opening and closing clips: by path, upload, from the queue or a case; and taking over what a finished job perceived."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.server import route
from app.session import jobs, judging, widgets
from app.session.session import SHOWN, Session, Undoable, current
from engine import EarwitnessError, Settings
from engine.analysis import edits as engine_edits
from engine.case import JobTicket
from engine.core import edit_steps
from engine.report.view import edits as edit_words

_OPENED = "opened_with"
PICTURES = ("jpg", "jpeg", "png", "webp", "heic", "heif", "tif", "tiff")
_SOUNDS = ("wav", "mp3", "m4a", "aac", "flac", "ogg", "opus", "aif", "aiff", "wma", "amr")


def _typed(text: str) -> Path:
    """A path typed or pasted, quotes and ~ allowed."""
    return Path(text.strip().strip("'\"").removeprefix("file://")).expanduser()


def open_path(text: str, still: str = "") -> None:
    """Examine the file at a path typed or pasted.

    Args:
        still: path of a still picture beside a sound, or "".
    """
    session = current()
    path, picture = _typed(text), _typed(still)
    if not text.strip():
        session.error = "No path was given; paste the full path of a film, a broadcast, a recording or a still picture."
    elif not path.is_file():
        session.error = f"There is no file at {path}; check the path, or drop the file onto the page."
    elif still.strip() and not picture.is_file():
        session.error = f"There is no file at {picture}; check the path of the still picture, or leave it out."
    else:
        examine(path, path.name, Settings(still=str(picture.absolute())) if still.strip() else None)


def opened_with(path: str) -> None:
    """Examine the clip that the program was started with, once in a session."""
    if _OPENED not in st.session_state:
        st.session_state[_OPENED] = True
        open_path(path)


def upload_address() -> str:
    """Where this session's page sends its uploads."""
    session = current()
    session.door = session.door or route.door(jobs.queue().uploads)
    return session.door


def arrived(upload: str, more: bool, number: int = 1) -> None:
    """A file came in whole: examine it, or queue it when others follow. It stays as long as its job is listed.

    A sound and a picture that are dropped together, and nothing else, are examined as one clip.

    Args:
        more: others follow.
        number: its number among those dropped together, from 1.
    """
    session = current()
    try:
        path = route.arrived(upload_address(), upload)
    except EarwitnessError as error:
        session.error = str(error)
        return
    first, session.waiting = session.waiting, None
    if first is not None:
        pair = _pair(first, path) if number == 2 and not more and session.job is None else None
        if pair is not None:
            sound, picture = pair
            examine(sound, sound.name, Settings(still=str(picture)))
            return
        jobs.queue().submit(first, Settings(), first.name, _asked_blind())
    if more and number == 1 and session.job is None and _kind(path) is not None:
        session.waiting = path
        return
    if more or session.job is not None:
        jobs.queue().submit(path, Settings(), path.name, _asked_blind())
    else:
        examine(path, path.name)


def _kind(path: Path) -> bool | None:
    """By its name, whether a file is a picture (True) or a sound alone (False); None for others."""
    suffix = path.suffix[1:].lower()
    return True if suffix in PICTURES else False if suffix in _SOUNDS else None


def _pair(first: Path, second: Path) -> tuple[Path, Path] | None:
    """(sound, picture) of two files in whatever order; None when they are not one of each."""
    by_kind = {_kind(first): first, _kind(second): second}
    return (by_kind[False], by_kind[True]) if by_kind.keys() == {True, False} else None


def _asked_blind() -> bool:
    return bool(widgets.value("blind-first") or widgets.value("blind-again"))


def examine(path: Path, title: str, settings: Settings | None = None, blind: bool | None = None, case: str = "") -> None:
    """Open a clip and start the job.

    Args:
        blind: judge the sound before anything else is shown; None asks the switch on the first page.
        case: the case it is kept in, or "".
    """
    judged, blind = settings or Settings(), _asked_blind() if blind is None else blind
    settings = judged.but(interval=None)  # the whole clip is perceived, whatever is looked at first
    own = settings.track, settings.programme, settings.still
    same = [
        t
        for t in jobs.queue().listed()
        if t.path == str(path.absolute()) and (t.settings.track, t.settings.programme, t.settings.still) == own
    ]
    job = jobs.queue().submit(path, settings, title, blind)
    for old in same:
        if old.sealed == blind and jobs.queue().status(old.id).ended:
            if old.shown:
                jobs.queue().note_shown(job, jobs.queue().shown_sha256(old.id))
            jobs.queue().forget(old.id)
    wait_for(jobs.queue().ticket(job), blind)
    session = current()
    session.settings, session.case.place = judged, case
    steps_ = [step for step in edit_steps(judged) if step[0].what != "judgement"]  # what was judged blind stays judged
    session.edits = [Undoable(edit_words.brief(made), before, after) for made, before, after in steps_]


def examine_again() -> None:
    """Put the open clip into the queue once more: what failed is tried again, and nothing else; the edits stay."""
    session = current()
    if session.path is not None:
        examine(session.path, session.title, session.settings, session.blind, session.case.place)


def reopen(job: str) -> None:
    """Open a listed clip again; cached results are used."""
    try:
        ticket = jobs.queue().ticket(job)
    except EarwitnessError as error:
        current().error = str(error)
        return
    wait_for(ticket, _asked_blind() or (ticket.sealed and not ticket.shown))


def wait_for(ticket: JobTicket, blind: bool) -> None:
    """Wait for a listed job."""
    session = current()
    clear(session)
    session.path, session.title, session.settings, session.blind = Path(ticket.path), ticket.title, ticket.settings, blind
    session.job = jobs.Job(ticket)


def forget_job(job: str) -> None:
    """Take an ended job off the list, and its uploaded copy off the disk."""
    jobs.queue().forget(job)


def forget_all() -> None:
    """Take every ended job off the list, and remove uploaded copies and all kept results."""
    for ticket in jobs.queue().tickets():
        jobs.queue().forget(ticket.id)
    jobs.queue().results.clear()


def leave_running(session: Session) -> None:
    """Go back to the first page; the worker goes on with the clip."""
    clear(session)


def clear(session: Session) -> None:
    """Close the clip and forget the edits. The worker goes on with its jobs; all other work is stopped."""
    if session.job is not None:
        session.job.leave()
    if session.preview is not None:
        session.preview.cancel()
    if session.reel is not None:
        session.reel.cancel()
    for _, work in session.reports.values():
        work.cancel()
    if session.case.work is not None:
        session.case.work.cancel()
    if session.reader is not None:
        session.reader.close()
    for address in session.shared.values():
        route.withdraw(address)
    for name, made in vars(Session(scratch=session.scratch, door=session.door)).items():
        setattr(session, name, made)
    for key in [k for k in st.session_state if isinstance(k, str) and k.startswith("set_")]:
        del st.session_state[key]


def take(session: Session) -> None:
    """Take over what a finished job found, or its error."""
    job = session.job
    if job is None or job.running:
        return
    session.job, session.job_id = None, job.ticket.id
    if job.perception is None:
        session.error = job.error
        session.note = "Stopped. The file is untouched." if job.cancelled else ""
        return
    session.perception, session.reader, session.error, session.note = job.perception, job.reader, "", ""
    session.judged, session.peaks = {}, job.peaks
    if job.found is not None and not session.blind:
        session.judged = {f.settings: f for f in (job.found, *job.found.film)}
    if session.blind and not job.perception.clip.audio_tracks:
        session.blind, session.note = False, "There is no sound to be judged blind; everything is shown."
    shown = st.session_state.setdefault(SHOWN, set())
    sha256 = job.perception.clip.sha256
    if session.blind and (sha256 in shown or jobs.queue().was_shown(sha256)):
        session.blind = False
        session.note = "This clip was shown before, so it can no longer be judged blind; everything is shown."
    if not session.blind:
        shown.add(sha256)
        jobs.queue().note_shown(session.job_id, sha256)
    session.sealed = engine_edits.sound_alone(job.perception) if session.blind else None
    spoke = [x.modality for x in judging.finding(session).located if x.spoke]
    session.layer = str(("both" if "both" in spoke else spoke[0]) if spoke else judging.finding(session).located[0].modality)
