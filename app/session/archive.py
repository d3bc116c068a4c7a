"""The state of the page Archive: which case, what of it is asked for, which findings are looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import engine
from app.session import jobs, navigation, opening, widgets
from app.session.work import Work
from engine import EarwitnessError, Settings
from engine.case import Archive, ArchiveEntry, ArchiveQuery, batch_inputs
from engine.case.record import archive as records

_KEY = "archive"
MOST_COMPARED = 2


@dataclass
class ArchiveSession:
    """What one session looks at.

    Attributes:
        chosen: ids of findings looked at, at most MOST_COMPARED of them.
        turn: grows when the table is to forget what was ticked in it.
    """

    place: str = ""
    archive: Archive | None = None
    work: Work | None = None
    error: str = ""
    note: str = ""
    query: ArchiveQuery = field(default_factory=ArchiveQuery)
    near_text: str = ""
    chosen: tuple[str, ...] = ()
    turn: int = 0
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)


def current() -> ArchiveSession:
    """This session's; the case that another page asked for is opened."""
    own = widgets.value(_KEY)
    if not isinstance(own, ArchiveSession):
        own = ArchiveSession()
        widgets.put(_KEY, own)
    asked = widgets.value(navigation.CASE)
    if asked:
        widgets.forget(navigation.CASE)
        open_case(own, asked)
    return own


def case_address(place: str) -> str:
    """Where the case is that an analyst means: a folder from the root of the disk or an address; "" for nothing."""
    text = place.strip().strip("'\"")
    return text if "://" in text or not text else str(Path(text).expanduser().absolute())


def open_case(opened: ArchiveSession, place: str) -> None:
    """Read a case in the background; quotes and ~ allowed in a path."""
    where = case_address(place)
    if not where:
        opened.error = "No case was named; give the folder of one."
        return
    if opened.work is not None:
        opened.work.cancel()
    opened.place, opened.archive, opened.error, opened.note, opened.chosen, opened.query, opened.documents = (
        where,
        None,
        "",
        "",
        (),
        ArchiveQuery(),
        {},
    )
    opened.work = Work(where, lambda report: records.read(where, report))


def take(opened: ArchiveSession) -> None:
    """Take over what was read, or why it could not be."""
    work = opened.work
    if work is None or work.running:
        return
    opened.work = None
    opened.error = work.error
    if isinstance(work.made, Archive):
        opened.archive = work.made
        records.remember(opened.place)


def close(opened: ArchiveSession) -> None:
    """Back to the list of cases."""
    if opened.work is not None:
        opened.work.cancel()
    opened.place, opened.archive, opened.work, opened.chosen, opened.documents = "", None, None, (), {}


def read_again(opened: ArchiveSession) -> None:
    """Read the case as it is by now."""
    query, near = opened.query, opened.near_text
    open_case(opened, opened.place)
    opened.query, opened.near_text = query, near


def listed(opened: ArchiveSession) -> tuple[ArchiveEntry, ...]:
    """The findings asked for."""
    return records.select(opened.archive.entries, opened.query) if opened.archive else ()


def entry(opened: ArchiveSession, finding: str) -> ArchiveEntry | None:
    """One finding of the case."""
    return next((e for e in opened.archive.entries if e.id == finding), None) if opened.archive else None


def chosen(opened: ArchiveSession) -> tuple[ArchiveEntry, ...]:
    """The findings looked at."""
    return tuple(e for i in opened.chosen if (e := entry(opened, i)) is not None)


def choose(opened: ArchiveSession, findings: tuple[str, ...]) -> None:
    """Look at these."""
    opened.chosen = findings[-MOST_COMPARED:]
    opened.turn += 1


def compare_clips(opened: ArchiveSession, one: str, other: str) -> None:
    """Look at the first findings of two clips, named by their hash."""
    found = (
        [next((e.id for e in opened.archive.entries if e.sha256 == sha), "") for sha in (one, other)] if opened.archive else []
    )
    choose(opened, tuple(x for x in found if x))


def document(opened: ArchiveSession, e: ArchiveEntry) -> dict[str, Any]:
    """The whole document of a finding; the last few are kept."""
    if e.id not in opened.documents:
        while len(opened.documents) >= 4:
            opened.documents.pop(next(iter(opened.documents)))
        opened.documents[e.id] = records.document_of(opened.place, e.id)
    return opened.documents[e.id]


def examine(opened: ArchiveSession, e: ArchiveEntry) -> None:
    """Open the clip of a finding in Examine, as it was judged there; what is decided about it goes into the case."""
    path = Path(e.path)
    if not path.is_file():
        opened.error = f"{path} is no longer there; put it back, or make the case again where the files are."
        return
    try:
        settings = records.settings_of(opened.place, e.id)
    except EarwitnessError as error:
        opened.error = str(error)
        return
    opening.examine(path, path.name, settings, blind=False, case=opened.place)
    navigation.turn_to("pages/examine.py")


def start_batch(opened: ArchiveSession, inputs: str, place: str) -> None:
    """Queue a batch: a folder, a file, a pattern or @LIST into a case."""
    source, target = (x.strip().strip("'\"") for x in (inputs, place))
    if not source or not target:
        opened.error = "A folder of clips and a folder for the case are both needed; give their paths."
        return
    folder = Path(target).expanduser().absolute()
    where = source if source.startswith("@") else str(Path(source).expanduser().absolute())
    try:
        if not (found := batch_inputs([where])):
            raise engine.InputError(f"There is no clip in {where}; choose a folder with films or recordings.")
    except EarwitnessError as error:
        opened.error = str(error)
        return
    jobs.queue().submit_batch([where], folder, Settings(), folder.name)
    opened.error = ""
    opened.note = (
        f"{len(found):,} clip{'s' if len(found) != 1 else ''} will be examined, one after another; you can go on working."
    )
