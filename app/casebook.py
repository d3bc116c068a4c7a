"""The state of the page Archive: which case, what of it is asked for, which findings are looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import engine
from app import state
from engine import EarwitnessError, Settings
from engine.case import Archive, ArchiveEntry, ArchiveQuery, batch_inputs
from engine.case.record import archive

_KEY = "casebook"
MOST_COMPARED = 2


@dataclass
class Book:
    """What one session looks at.

    Attributes:
        chosen: ids of findings looked at, at most MOST_COMPARED of them.
        turn: grows when the table is to forget what was ticked in it.
    """

    place: str = ""
    archive: Archive | None = None
    work: state.Work | None = None
    error: str = ""
    note: str = ""
    query: ArchiveQuery = field(default_factory=ArchiveQuery)
    near_text: str = ""
    chosen: tuple[str, ...] = ()
    turn: int = 0
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)


def book() -> Book:
    """This session's; the case that another page asked for is opened."""
    held = state.value(_KEY)
    if not isinstance(held, Book):
        held = Book()
        state.put(_KEY, held)
    asked = state.value(state.CASE)
    if asked:
        state.forget(state.CASE)
        open_case(held, asked)
    return held


def whereabouts(place: str) -> str:
    """Where the case is that an analyst means: a folder from the root of the disk or an address; "" for nothing."""
    text = place.strip().strip("'\"")
    return text if "://" in text or not text else str(Path(text).expanduser().absolute())


def open_case(b: Book, place: str) -> None:
    """Read a case in the background; quotes and ~ allowed in a path."""
    where = whereabouts(place)
    if not where:
        b.error = "No case was named; give the folder of one."
        return
    if b.work is not None:
        b.work.cancel()
    b.place, b.archive, b.error, b.note, b.chosen, b.query, b.documents = where, None, "", "", (), ArchiveQuery(), {}
    b.work = state.Work(where, lambda report: archive.read(where, report))


def take(b: Book) -> None:
    """Take over what was read, or why it could not be."""
    work = b.work
    if work is None or work.running:
        return
    b.work = None
    b.error = work.error
    if isinstance(work.made, Archive):
        b.archive = work.made
        archive.remember(b.place)


def close(b: Book) -> None:
    """Back to the list of cases."""
    if b.work is not None:
        b.work.cancel()
    b.place, b.archive, b.work, b.chosen, b.documents = "", None, None, (), {}


def read_again(b: Book) -> None:
    """Read the case as it is by now."""
    query, near = b.query, b.near_text
    open_case(b, b.place)
    b.query, b.near_text = query, near


def listed(b: Book) -> tuple[ArchiveEntry, ...]:
    """The findings asked for."""
    return archive.select(b.archive.entries, b.query) if b.archive else ()


def entry(b: Book, finding: str) -> ArchiveEntry | None:
    """One finding of the case."""
    return next((e for e in b.archive.entries if e.id == finding), None) if b.archive else None


def chosen(b: Book) -> tuple[ArchiveEntry, ...]:
    """The findings looked at."""
    return tuple(e for i in b.chosen if (e := entry(b, i)) is not None)


def choose(b: Book, findings: tuple[str, ...]) -> None:
    """Look at these."""
    b.chosen = findings[-MOST_COMPARED:]
    b.turn += 1


def compare_clips(b: Book, one: str, other: str) -> None:
    """Look at the first findings of two clips, named by their hash."""
    found = [next((e.id for e in b.archive.entries if e.sha256 == sha), "") for sha in (one, other)] if b.archive else []
    choose(b, tuple(x for x in found if x))


def document(b: Book, e: ArchiveEntry) -> dict[str, Any]:
    """The whole document of a finding; the last few are kept."""
    if e.id not in b.documents:
        while len(b.documents) >= 4:
            b.documents.pop(next(iter(b.documents)))
        b.documents[e.id] = archive.document_of(b.place, e.id)
    return b.documents[e.id]


def examine(b: Book, e: ArchiveEntry) -> None:
    """Open the clip of a finding in Examine, as it was judged there; what is decided about it goes into the case."""
    path = Path(e.path)
    if not path.is_file():
        b.error = f"{path} is no longer there; put it back, or make the case again where the files are."
        return
    try:
        settings = archive.settings_of(b.place, e.id)
    except EarwitnessError as error:
        b.error = str(error)
        return
    state.examine(path, path.name, settings, blind=False, case=b.place)
    state.turn_to("pages/examine.py")


def start_batch(b: Book, inputs: str, place: str) -> None:
    """Queue a batch: a folder, a file, a pattern or @LIST into a case."""
    source, target = (x.strip().strip("'\"") for x in (inputs, place))
    if not source or not target:
        b.error = "A folder of clips and a folder for the case are both needed; give their paths."
        return
    folder = Path(target).expanduser().absolute()
    where = source if source.startswith("@") else str(Path(source).expanduser().absolute())
    try:
        if not (found := batch_inputs([where])):
            raise engine.InputError(f"There is no clip in {where}; choose a folder with films or recordings.")
    except EarwitnessError as error:
        b.error = str(error)
        return
    state.queue().submit_batch([where], folder, Settings(), folder.name)
    b.error = ""
    b.note = f"{len(found):,} clip{'s' if len(found) != 1 else ''} will be examined, one after another; you can go on working."
