"""Detections made elsewhere: Raven selection tables, BirdNET's result tables and Audacity's labels, as observations.

Forms known, by their header (names of columns are compared without case, spaces and signs):

- Raven selection table, tab-separated: Begin Time (s), End Time (s), and a column that names the species: Scientific Name, Common
  Name, Species, Annotation, Label, …; rows of a second view of the same selection count once. BirdNET writes the same, with
  Confidence; in its combined table of several files Begin Time runs on from file to file and File Offset (s) is the time meant.
- BirdNET CSV: Start (s), End (s), Scientific name, Common name, Confidence; its "R" table: filepath, start, end, scientific_name,
  …; its Kaleidoscope table: IN FILE, OFFSET, DURATION, scientific_name, …; Kaleidoscope's own with MANUAL ID or TOP1MATCH.
- the table of the package birdnet: input, start_time, end_time, species_name ("Latin_English"), confidence; times HH:MM:SS.CC.
- Audacity labels: start, end, label and, as BirdNET writes them, the score; no header; lines with a backslash, which hold
  frequencies, are passed over.

A row with a score is taken as BirdNET's word and calibrated as such; a row without one as the word of the person who annotated.
Names that BirdNET does not know are listed and never guessed.

Sources: BirdNET-Analyzer's writers of result files; the Audacity manual, "Importing and Exporting Labels"; Raven's manual.
"""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import PurePosixPath, PureWindowsPath

from engine.clues.species.naming import folded, known, read_as
from engine.core.edit import signed
from engine.core.errors import DataError
from engine.core.file import text_of
from engine.core.observation import Observation
from engine.models import birdnet

MOST_BYTES = 20_000_000
MOST_ROWS = 200_000
MOST_COLUMNS = 200
MOST_CELL = 4_000
NO_SCORE = 0.99  # a selection drawn and named by hand, unless its author says otherwise
POINT_S = 3.0  # a label without length stands for a window of this length

_START = ("begintimes", "starts", "start", "starttimes", "starttime", "begintime", "offset", "offsets", "onset")
_END = ("endtimes", "ends", "end", "endtime", "stop", "stops", "offsettime")
_LENGTH = ("duration", "durations", "deltatimes", "length")
_NAMES = (
    "scientificname",
    "sciname",
    "latinname",
    "latin",
    "manualid",
    "commonname",
    "comname",
    "speciesname",
    "species",
    "annotation",
    "label",
    "labels",
    "class",
    "name",
    "id",
    "top1match",
    "tags",
    "speciescode",
)
_SCORE = ("confidence", "score", "probability", "conf")
_FILE = ("input", "inputfile", "beginpath", "beginfile", "filepath", "infile", "file", "filename", "path", "recording")
_WITHIN = ("fileoffsets",)
_NOTHING = ("", "nocall", "noid", "none", "nan", "na", "background", "nothing")


@dataclass(frozen=True, slots=True)
class Table:
    """What a table held.

    Attributes:
        name: of the file, fit to be shown.
        form: what kind of table it is.
        observations: its detections of what BirdNET knows, in order of time.
        unknown: (name, rows) that BirdNET does not know, most rows first.
        remarks: what was passed over, in sentences.
    """

    name: str
    form: str
    observations: tuple[Observation, ...]
    unknown: tuple[tuple[str, int], ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    start_s: float
    end_s: float
    names: tuple[str, ...]
    score: float | None
    file: str


def read(
    data: bytes,
    name: str,
    clip_name: str = "",
    duration_s: float | None = None,
    author: str = "",
    confidence: float = NO_SCORE,
) -> Table:
    """Read a table.

    Args:
        data: the file's bytes.
        name: its name, for errors and for the record.
        clip_name: file name of the clip: rows of other recordings are passed over where the table names several.
        duration_s: the clip's length; rows after its end are passed over.
        author: who annotated, for rows without a score.
        confidence: of rows without a score.

    Raises:
        DataError: the file is no such table, or a row cannot be read: one sentence with the line's number and the remedy.
    """
    shown = _plain(name, 80)
    said: list[str] = []
    lines = re.split(r"\r\n|\r|\n", _text(data, shown, said))
    form, rows = _rows(lines, shown)
    rows, remarks = _of_clip(rows, clip_name)
    if duration_s:
        late = [r for r in rows if r.start_s >= duration_s]
        if rows and len(late) == len(rows):
            raise DataError(
                f"All {len(rows):,} rows of {shown} lie after the end of the clip ({duration_s:.1f} s); "
                "give the table of this clip."
            )
        rows = [replace(r, end_s=min(r.end_s, duration_s)) for r in rows if r.start_s < duration_s]
        if late:
            remarks.append(f"{len(late):,} rows lie after the end of the clip and were passed over.")
    found: dict[tuple[object, ...], Observation] = {}
    unknown = Counter[str]()
    for row in rows:
        called, label = next(((n, x) for n in row.names if (x := known(n)) is not None), ("", None))
        if label is None:
            if row.names:
                unknown[_plain(row.names[0], 80)] += 1
            continue
        synonym = read_as(called)
        if synonym is not None and synonym.remark and synonym.remark not in said:
            said.append(synonym.remark)
        made = _observation(row, label, shown, author, confidence)
        found.setdefault(astuple(made), made)
    if not found and not unknown and not remarks:
        raise DataError(f"{shown} holds no detections; export the table again with at least one row.")
    ordered = sorted(found.values(), key=lambda o: (o.start_s, o.label))
    return Table(shown, form, tuple(ordered), tuple(unknown.most_common(200)), (*remarks, *said))


def _observation(row: _Row, label: birdnet.Label, table: str, author: str, confidence: float) -> Observation:
    kind = "species" if label.is_species else "sound"
    made_by = f"table:{table}" if row.score is not None else signed(author)
    score = row.score if row.score is not None else confidence
    note = f"line {row.line} of {table}"
    return Observation("species", kind, label.latin, score, row.start_s, row.end_s, label.common, made_by, None, note)


# --- text ---------------------------------------------------------------------------------------------------------------


def _text(data: bytes, name: str, remarks: list[str]) -> str:
    if len(data) > MOST_BYTES:
        raise DataError(f"{name} is larger than {MOST_BYTES // 1_000_000} MB; give the table of one clip.")
    if not data.strip():
        raise DataError(f"{name} is empty; export the table again.")
    return text_of(data, name, remarks.append)


def _plain(text: str, limit: int) -> str:
    """Text of a table fit to be shown: invisible characters out, bounded."""
    kept = (" " if c in "\r\n\t" else "\ufffd" if unicodedata.category(c)[0] == "C" else c for c in text)
    shown = " ".join("".join(kept).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _norm(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def _is_nothing(name: str) -> bool:
    return folded(name).replace(" ", "") in _NOTHING


def _rows(lines: Sequence[str], name: str) -> tuple[str, list[_Row]]:
    head = next((i for i, line in enumerate(lines) if line.strip()), 0)
    first = lines[head]
    if len(first) > MOST_CELL * 4:
        raise DataError(f"Line {head + 1} of {name} is {len(first):,} characters long; export the table again as plain text.")
    separator = re.fullmatch(r'"?sep=([,;\t])"?', first.strip(" "), re.I)  # a line of its own that Excel writes and reads
    if separator and head + 1 < len(lines):
        head += 1
        first = lines[head]
    tab = separator[1] if separator else "\t" if "\t" in first else ";" if first.count(";") > first.count(",") else ","
    cells = _cells(lines, head, tab, name)
    _, header = next(cells)
    if tab == "\t" and len(header) >= 2 and _number(header[0]) is not None and _number(header[1]) is not None:
        return "Audacity labels", list(_audacity(_cells(lines, head, tab, name), name))
    columns = [_norm(c) for c in header]
    return _form(columns, tab), list(_table(cells, columns, header, name))


def _cells(lines: Sequence[str], head: int, tab: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of every line that holds anything."""
    reader = csv.reader(lines[head:], delimiter=tab, quoting=csv.QUOTE_NONE if tab == "\t" else csv.QUOTE_MINIMAL)
    count = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            raise DataError(f"Line {head + reader.line_num} of {name} cannot be parted into columns; export it again.") from None
        if cells is None:
            return
        line = head + reader.line_num
        if not any(c.strip() for c in cells):
            continue
        count += 1
        if count > MOST_ROWS:
            raise DataError(f"{name} has more than {MOST_ROWS:,} rows; give the table of one clip.")
        if len(cells) > MOST_COLUMNS or any(len(c) > MOST_CELL for c in cells):
            raise DataError(f"Line {line} of {name} is too long to be a detection; export the table again as plain text.")
        yield line, [c.strip().strip('"') for c in cells]


def _form(columns: Sequence[str], tab: str) -> str:
    if "begintimes" in columns and tab == "\t":
        return "BirdNET's Raven table" if "confidence" in columns else "Raven selection table"
    if "offset" in columns and "infile" in columns:
        return "Kaleidoscope table"
    if "input" in columns and "speciesname" in columns:
        return "table of the package birdnet"
    if "filepath" in columns and "start" in columns:
        return "BirdNET's table for R"
    if "starts" in columns and "scientificname" in columns:
        return "BirdNET CSV"
    return "table of detections"


def _column(columns: Sequence[str], among: Sequence[str]) -> int | None:
    return next((columns.index(n) for n in among if n in columns), None)


def _table(cells: Iterator[tuple[int, list[str]]], columns: list[str], header: list[str], name: str) -> Iterator[_Row]:
    start, end, length = (_column(columns, x) for x in (_START, _END, _LENGTH))
    if columns[start or 0] == "offset":  # Kaleidoscope's, whose "duration" is the detection's
        end = None
    within, score, file = (_column(columns, x) for x in (_WITHIN, _SCORE, _FILE))
    names = [columns.index(n) for n in _NAMES if n in columns]
    view, selection = _column(columns, ("view",)), _column(columns, ("selection",))
    if start is None:
        have = ", ".join(_plain(h, 30) for h in header[:8] if h)
        raise DataError(
            f"Line 1 of {name} names no column of start times (it has: {have or 'nothing'}); "
            "give a Raven selection table, a BirdNET result table or Audacity labels."
        )
    if not names:
        raise DataError(
            f"Line 1 of {name} names no column of species; add one called Species, Common Name or Scientific Name to the table."
        )
    rows, seen, paths = [], set(), set()
    for line, row in cells:
        at = _time(row, start, line, name, "start")
        until = _time(row, end, line, name, "end") if end is not None else None
        if until is None:
            until = at + (_time(row, length, line, name, "length") if length is not None else POINT_S)
        if until < at:
            raise DataError(f"Line {line} of {name}: the detection ends at {until:g} s, before its start; correct the row.")
        called = tuple(row[i] for i in names if i < len(row) and row[i] and not _is_nothing(row[i]))
        if view is not None and selection is not None and max(view, selection) < len(row):
            once = (row[selection], at, until, called)
            if once in seen:  # the same selection in Raven's other view
                continue
            seen.add(once)
        path = row[file] if file is not None and file < len(row) else ""
        paths.add(path)
        inside = _time(row, within, line, name, "file offset") if within is not None and within < len(row) else None
        rows.append((_Row(line, at, until, called, _score(row, score, line, name), path), inside))
    for made, inside in rows:
        if inside is not None and len(paths) > 1:
            yield _Row(made.line, inside, inside + made.end_s - made.start_s, made.names, made.score, made.file)
        else:
            yield made


def _audacity(cells: Iterator[tuple[int, list[str]]], name: str) -> Iterator[_Row]:
    for line, row in cells:
        if row[0] == "\\":
            continue
        at, until = _time(row, 0, line, name, "start"), _time(row, 1, line, name, "end")
        label = row[2] if len(row) > 2 else ""
        score = _score(row, 3, line, name) if len(row) > 3 else None
        if until < at:
            raise DataError(f"Line {line} of {name}: the label ends at {until:g} s, before its start; correct the row.")
        yield _Row(line, at, until if until > at else at + POINT_S, () if _is_nothing(label) else (label,), score, "")


def _time(row: Sequence[str], column: int, line: int, name: str, what: str) -> float:
    text = row[column] if column < len(row) else ""
    value = _clock(text) if ":" in text else _number(text)
    if value is None or value < 0 or value > 1e7:
        said = f"“{_plain(text, 30)}”" if text else "nothing"
        raise DataError(
            f"Line {line} of {name} has {said} where the {what} should be, in seconds or as h:mm:ss; correct it or leave it out."
        )
    return value


def _clock(text: str) -> float | None:
    """Seconds of a time as h:mm:ss or m:ss, with or without hundredths."""
    said = re.fullmatch(r"(?:(\d{1,4}):)?(\d{1,4}):([0-5]?\d(?:[.,]\d{1,9})?)", text.strip())
    if said is None or (said[1] is not None and int(said[2]) > 59):
        return None
    return 3600.0 * int(said[1] or 0) + 60.0 * int(said[2]) + float(said[3].replace(",", "."))


def _score(row: Sequence[str], column: int | None, line: int, name: str) -> float | None:
    text = row[column] if column is not None and column < len(row) else ""
    if not text:
        return None
    value = _number(text)
    if value is None or not 0.0 <= value <= 1.0:
        said = _plain(text, 30)
        raise DataError(f"Line {line} of {name} has the confidence “{said}”, which is no number from 0 to 1; correct it.")
    return value


def _number(text: str) -> float | None:
    text = text.strip()
    if re.fullmatch(r"[+-]?\d{1,12}([.,]\d{1,20})?([eE][+-]?\d{1,3})?", text) is None:
        return None
    value = float(text.replace(",", "."))
    return value if math.isfinite(value) else None


def _of_clip(rows: list[_Row], clip_name: str) -> tuple[list[_Row], list[str]]:
    """The rows of this clip where the table speaks of several recordings; all of them where it speaks of one."""
    stems = {_stem(r.file) for r in rows if r.file}
    if len(stems) < 2:
        return rows, []
    own = _stem(clip_name)
    kept = [r for r in rows if _stem(r.file) == own]
    if not kept:
        raise DataError(
            f"The table speaks of {len(stems):,} recordings and none is called {_plain(clip_name, 60) or 'like the clip'}; "
            "give the table of this clip alone, or name the clip as in the table."
        )
    return kept, [f"{len(rows) - len(kept):,} rows of other recordings were passed over."]


def _stem(path: str) -> str:
    """A recording's name without folders and ending, whichever system wrote it."""
    name = PureWindowsPath(PurePosixPath(path).name).name
    return name.rsplit(".", 1)[0].casefold()
