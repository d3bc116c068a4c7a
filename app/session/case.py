"""Keeping the open clip in a case: what is written to it while the analyst works.

The first writing takes seconds (every scene is judged, the fingerprint of the sound is taken) and runs in a thread. After that
each change is written as it is made, with the factor before and after it, and each exported document names the head of the log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import engine
from app.session import archive, judging
from app.session.session import LoggedChange, Session
from app.session.work import Work
from engine import EarwitnessError, Finding, Progress
from engine.analysis import factor
from engine.case import CaseClip, Ruling
from engine.case.record import archive as records
from engine.case.record import decisions


def begin(session: Session, place: str) -> None:
    """Keep the clip in this case; quotes and ~ allowed in a path."""
    link, where = session.case, archive.case_address(place)
    link.entered = link.entered if where == link.left else 0  # another case knows nothing yet
    link.place, link.left, link.error = where, "", ""
    start(session)


def start(session: Session) -> None:
    """Write the clip into the case that was asked for, in a thread."""
    perception, reader, place, who = session.perception, session.reader, session.case.place, session.case.who
    if perception is None or session.blind or not place:
        return
    settings, known = session.settings, dict(session.judged)

    def write(report: Callable[[Progress], None]) -> CaseClip:
        return decisions.add_clip(place, decisions.first_findings(perception, settings, report, known), reader, who, report)

    session.case.work = Work("keeping the clip in a case", write)


def enter(session: Session) -> None:
    """Take over what was written, and write what the analyst did since. A case that cannot be written loses nothing: it is
    tried again with the next change."""
    link = session.case
    if link.work is not None and not link.work.running:
        work, link.work = link.work, None
        link.error = "Stopped; the case is unchanged." if work.cancelled else work.error
        link.case_clip = work.made
        if link.case_clip is None:
            link.place = ""
        else:
            records.remember(link.case_clip.place)
    elif link.place and link.case_clip is None and link.work is None:
        start(session)
    if link.case_clip is None or session.blind:
        return
    while link.entered < len(session.moves):
        try:
            link.case_clip = decisions.decide(link.case_clip, [_ruling(session, session.moves[link.entered])], link.who)
        except EarwitnessError as error:
            link.error = str(error)
            return
        link.entered += 1
        link.error = ""


def _ruling(session: Session, move: LoggedChange) -> Ruling:
    first = judging.judged(session, decisions.first_settings(move.after))
    if not move.scores:
        return Ruling(move.what, first, why=move.why, who=move.who)
    elsewhere = move.before.interval != move.after.interval  # another interval: there is no before to compare with
    before = None if elsewhere else factor(judging.judged(session, move.before))[0]
    return Ruling(move.what, first, before, factor(judging.judged(session, move.after))[0], move.why, move.who)


def keep(session: Session, found: Finding) -> None:
    """Keep the result as it stands."""
    link = session.case
    if link.case_clip is None:
        return
    try:
        link.case_clip, _ = decisions.keep(link.case_clip, found, link.who)
        link.error = ""
    except EarwitnessError as error:
        link.error = str(error)


def leave(session: Session) -> None:
    """Write nothing more, unless it is kept in this case again."""
    session.case.left, session.case.place, session.case.case_clip = session.case.place, "", None


def exported(
    session: Session, found: Finding, form: str, stem: str, make: Callable[[engine.Custody | None], str | bytes]
) -> str | bytes:
    """A document, made with the head of the case's log in it and entered into the log; outside a case just made.

    Raises:
        EarwitnessError: it cannot be made, or the case cannot be written: a document that says nothing of its case is not
            handed out in its place.
    """
    link = session.case
    if link.case_clip is None:
        return make(None)
    link.case_clip, custody = decisions.keep(link.case_clip, replace(found, film=(), timeline=None), link.who)
    made = make(custody)
    data = made if isinstance(made, bytes) else made.encode("utf-8", "replace")
    link.case_clip = decisions.issue_report(link.case_clip, custody, form, f"{stem}.{form}", data, link.who)
    return data
