"""Opening a file that somebody named, the one way to do it: a regular file, no larger than it may be, and text decoded alike.

A path may lead to a device that never ends, to a pipe that nobody writes to, or to a folder, and what was a file when it was
looked at may be something else when it is opened. So the kind is asked before opening and again of what was opened, opening
never waits, and no more is read than the caller can use.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from engine.core.errors import DataError

TABLE_BYTES = 20_000_000  # of tables and lists that people write
DATA_BYTES = 1_000_000_000  # of lists of whole data sets
_CHUNK_BYTES = 4 * 1024 * 1024
_MARKS = (  # those of UTF-32 before those of UTF-16, which they begin with
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_SAMPLE = 4096  # bytes that tell UTF-16 without a mark
_ZEROS = 0.05  # share of zero bytes, at every other place, that only UTF-16 has


@contextmanager
def opened(path: str | os.PathLike[str], most_bytes: int | None = None, what: str = "file") -> Iterator[BinaryIO]:
    """A regular file, open for reading; never waits for a pipe, never touches a device.

    Args:
        most_bytes: larger files are refused; None for any size.
        what: what it is to the user, for the sentence: "list", "table", "bundle".

    Raises:
        DataError: there is no such file, it is a folder, device, pipe or socket, too large, or may not be read.
    """
    with os.fdopen(_descriptor(path, most_bytes, what), "rb") as file:
        yield file


def read_bytes(path: str | os.PathLike[str], most_bytes: int = TABLE_BYTES, what: str = "file") -> bytes:
    """All bytes of a file; errors as for `opened`, also when it grows beyond `most_bytes` meanwhile."""
    try:
        with opened(path, most_bytes, what) as file:
            data = file.read(most_bytes + 1)
    except OSError as error:  # a bad disk, a share that went away
        raise _unread(path, what, error) from None
    if len(data) > most_bytes:
        raise _too_large(most_bytes, what, shown(Path(path).name))
    return data


def read_text(path: str | os.PathLike[str], most_bytes: int = TABLE_BYTES, what: str = "file") -> str:
    """The text of a file, decoded as `text_of` does; errors as for `read_bytes` and `text_of`."""
    return text_of(read_bytes(path, most_bytes, what), Path(path).name)


def text_of(data: bytes, name: str, remark: Callable[[str], None] | None = None) -> str:
    """Text of any of the encodings in which tables and lists are saved: UTF-8, UTF-16 and UTF-32 with or without a mark at their
    beginning (UTF-32 only with one), and, where it is none of them, Windows-1252, which is said.

    Args:
        name: of the file, for the sentences.
        remark: is called with a sentence when the encoding is a guess.

    Raises:
        DataError: it is no text in any of them.
    """
    encoding = _encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise DataError(f"{shown(name)} is damaged: it is no text in {encoding.upper()}; save it again as UTF-8.") from None
        text = _western(data, name, remark)
    if "\0" in text or "\ufffe" in text:
        raise DataError(f"{shown(name)} is no text; save it as text in UTF-8.")
    return text


def read_paths(path: str | os.PathLike[str], base: Path) -> tuple[str, ...]:
    """The paths of a list, one a line; empty lines and those that begin with # are passed over.

    A path may hold bytes that are no text, since a file's name may: in a list that is not in UTF-8 or UTF-16, a line is taken
    byte for byte where that names a file, else as Windows-1252 where that does.

    Args:
        base: what relative paths are relative to.

    Raises:
        DataError: as for `read_bytes`, and when the list is no text.
    """
    data = read_bytes(path, what="list")
    try:
        lines = data.decode(_encoding(data)).splitlines()
    except UnicodeDecodeError:
        text_of(data, Path(path).name)  # raises where it is no text at all
        lines = [_path_of(line, base) for line in re.split(rb"[\r\n]+", data)]
    else:
        if any("\0" in line for line in lines):
            raise DataError(f"The list {shown(Path(path).name)} is no text; save it as text in UTF-8.")
    return tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _path_of(line: bytes, base: Path) -> str:
    exact = os.fsdecode(line.strip())
    western = line.decode("cp1252", "replace").strip()
    return western if not (base / exact).exists() and (base / western).exists() else exact


def read_csv(path: str | os.PathLike[str], most_bytes: int = TABLE_BYTES, what: str = "table") -> list[dict[str, str]]:
    """Rows of a table with commas, by the names of its first line; cells that are not there are "".

    Raises:
        DataError: as for `read_text`, and when a line cannot be parted into columns or has more of them than the first.
    """
    reader = csv.DictReader(io.StringIO(read_text(path, most_bytes, what), newline=""), restval="")
    name = shown(Path(path).name)
    try:
        rows = list(reader)
    except csv.Error:
        raise DataError(f"Line {reader.line_num} of {name} cannot be parted into columns; save it again as CSV.") from None
    for number, row in enumerate(rows, 2):
        if any(c.strip() for c in row.pop(None, ())):
            raise DataError(f"Row {number} of {name} has more cells than its first line; put texts with commas in quotes.")
    return rows


def json_of(text: str | bytes, name: str) -> Any:
    """What a JSON text holds.

    Raises:
        DataError: it is no JSON, or nests deeper than anything this program reads.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(f"{shown(name)} is damaged or malicious; get it again from its source.") from None


def digest(path: str | os.PathLike[str], progress: Callable[[int], None] | None = None) -> str:
    """sha256 of a regular file, in hex.

    Args:
        progress: is called with the bytes read so far; it may raise to stop.

    Raises:
        DataError: as for `opened`.
    """
    found, done = hashlib.sha256(), 0
    try:
        with opened(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                found.update(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done)
    except OSError as error:
        raise _unread(path, "file", error) from None
    return found.hexdigest()


def shown(text: str, limit: int = 80) -> str:
    """A name made fit for a sentence: control and direction-changing characters out, bounded."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _descriptor(path: str | os.PathLike[str], most_bytes: int | None, what: str) -> int:
    name = shown(Path(path).name or os.fspath(path))
    try:
        _check(os.stat(path), most_bytes, what, name)  # noqa: PTH116
        # Without a controlling terminal, without waiting: it may have been exchanged since.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _unread(path, what, error) from None
    try:
        _check(os.fstat(descriptor), most_bytes, what, name)
    except DataError:
        os.close(descriptor)
        raise
    return descriptor


def _unread(path: str | os.PathLike[str], what: str, error: Exception) -> DataError:
    reason = (getattr(error, "strerror", None) or "its name is not valid").lower()
    return DataError(f"The {what} {shown(Path(path).name or os.fspath(path))} cannot be read ({reason}); check its path.")


def _check(status: os.stat_result, most_bytes: int | None, what: str, name: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise DataError(f"{name} is a folder; give the {what} itself.")
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{name} is a device, pipe or socket, not a file; copy its content to a file and give that.")
    if most_bytes is not None and status.st_size > most_bytes:
        raise _too_large(most_bytes, what, name)


def _too_large(most_bytes: int, what: str, name: str) -> DataError:
    most = f"{most_bytes // 1_000_000:,} MB" if most_bytes >= 1_000_000 else f"{most_bytes:,} bytes"
    return DataError(f"The {what} {name} is larger than {most}, which no {what} of this kind is; give a smaller one.")


def _encoding(data: bytes) -> str:
    """By the mark at the beginning; without one, UTF-16 shows in the zeros beside its letters, digits and commas."""
    marked = next((kind for mark, kind in _MARKS if data.startswith(mark)), None)
    if marked is not None:
        return marked
    sample = data[: _SAMPLE - _SAMPLE % 2]
    if len(data) >= 2 and not len(data) % 2 and b"\0" in sample:
        even, odd = sample[::2].count(0) / len(sample[::2]), sample[1::2].count(0) / len(sample[1::2])
        if odd >= _ZEROS and even < odd / 10:
            return "utf-16-le"
        if even >= _ZEROS and odd < even / 10:
            return "utf-16-be"
    return "utf-8"


def _western(data: bytes, name: str, remark: Callable[[str], None] | None) -> str:
    if b"\0" in data or re.search(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]", data):
        raise DataError(f"{shown(name)} is no text; save it as text in UTF-8.")
    try:
        text, kind = data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        text, kind = data.decode("latin-1"), "Latin-1"
    if remark is not None:
        remark(f"{shown(name)} is not in UTF-8; it was read as {kind}: check its accents, or save it as UTF-8.")
    return text
