"""Whether a case is as its log says: every row, every file, every entry, and the tables and guards themselves."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

from engine.case.record import chain
from engine.case.record.store import Case, path_of
from engine.core import file
from engine.core.errors import DataError, InputError
from engine.core.progress import Progress, ProgressCallback, silent

CANNOT = (
    "This check cannot detect that somebody with write access rewrote the log from some entry on, or cut off its end, unless "
    "you have a head printed before that (verify --head). It cannot show whether a clock was wrong, whether a name in an "
    "entry is the person's own, whether a clip was manipulated before it was added, or what happened to files that are no "
    "longer in place."
)


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and what is wrong: a sentence each, none when all is well.

    Attributes:
        head: hash of the last entry, as it is stored.
        known_at: number of the entry whose hash is the head that was given; None when none was, or it is nowhere.
        absent: files that could not be looked at, a sentence each.
    """

    entries: int
    rows: int
    files: int
    head: str
    faults: tuple[str, ...]
    absent: tuple[str, ...] = ()
    known_at: int | None = None

    @property
    def well(self) -> bool:
        return not self.faults


def verify(case: Case, head: str = "", files: bool = True, progress: ProgressCallback = silent) -> Verification:
    """Go through a case.

    Args:
        head: a hash the log is known to have had as its head; "" when none is at hand.
        files: hash the clips and exported files again, those that are where they were.

    Raises:
        InputError: head is not 64 hexadecimal digits.
        DataError: the database cannot be read at all.
    """
    wanted = head.strip().lower()
    if wanted and (len(wanted) != 64 or set(wanted) - set("0123456789abcdef")):
        raise InputError("A head is 64 hexadecimal digits, as printed in reports; copy it whole.")
    progress(Progress("reading the case"))
    snapshot = case.snapshot()
    faults = [f"Table: {x}" for x in snapshot.broken]
    faults += chain.faults(snapshot.entries)
    known_at = next((e.seq for e in snapshot.entries if e.hash == wanted), None) if wanted else None
    if wanted and known_at is None:
        faults.append("Log: the head given was never a head of this log as it is now; the log was rewritten or cut short since.")
    facts = tuple(_facts(e) for e in snapshot.entries)
    faults += _row_faults(snapshot.rows, facts)
    counted, absent = 0, []
    named = _files(snapshot.clips, facts) if files else {}
    for number, (path, (digest, what, size)) in enumerate(named.items()):
        progress(Progress("hashing files", number, len(named), "files"))
        try:
            same = _is(path_of(path), digest, size, progress)
        except DataError as error:
            gone = not os.path.lexists(path_of(path))
            why = "is no longer there and was not checked." if gone else f"was not checked: {error}"
            absent.append(f"{what} {path} {why}")
            continue
        counted += 1
        if not same:
            faults.append(f"File: {what} {path} is not the one the log names (sha256 {digest[:16]}…).")
    last = snapshot.entries[-1].hash if snapshot.entries else chain.START
    return Verification(len(snapshot.entries), len(snapshot.rows), counted, str(last), tuple(faults), tuple(absent), known_at)


def _facts(entry: chain.Entry) -> dict[str, str]:
    """What an entry says, as far as it is texts; nothing where it can't be read (the chain has said so)."""
    try:
        found = json.loads(entry.facts)
    except (ValueError, TypeError, RecursionError):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}


def _row_faults(rows: tuple[tuple[str, str, str], ...], facts: tuple[dict[str, str], ...]) -> Iterator[str]:
    vouched = {(f["table"], f["row"]): f["sha256"] for f in facts if {"table", "row", "sha256"} <= f.keys()}
    seen = set()
    for table, row, digest in rows:
        seen.add((table, row))
        if (table, row) not in vouched:
            yield f"Row: {table} {row} is not in the log; it was not added by this program."
        elif vouched[table, row] != digest:
            yield f"Row: {table} {row} was altered after it was logged."
    for table, row in sorted(vouched.keys() - seen):
        yield f"Row: {table} {row} was removed."


_LARGE_BYTES = 1_000_000_000
_Named = dict[str, tuple[str, str, int | None]]


def _files(clips: tuple[tuple[str, str, int | None], ...], facts: tuple[dict[str, str], ...]) -> _Named:
    """Hash, kind and length of every file by its path; of a file that was exported again the last export counts."""
    named: _Named = {path: (sha256, "the clip", size) for sha256, path, size in clips}
    exported = [f for f in facts if {"file", "file_sha256"} <= f.keys()]
    return named | {f["file"]: (f["file_sha256"], "the exported file", None) for f in exported}


def _is(path: str, digest: str, size: int | None, progress: ProgressCallback) -> bool:
    """Whether a file is the one of this hash; a large one of another length is not, and is not read.

    Raises:
        DataError: there is no regular file that can be read.
    """
    if size is not None:
        with file.opened(path) as there:
            length = os.fstat(there.fileno()).st_size
        if length != size and length > _LARGE_BYTES:
            return False
    return file.digest(path, lambda done: progress(Progress("hashing files", done / 1e6, None, "MB"))) == digest
