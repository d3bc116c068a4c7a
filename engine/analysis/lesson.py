"""Guessing games for the page Learn: clips whose place is known, in a folder with a table, and how near a guess came."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import DataError
from engine.core.file import read_text
from engine.core.finding import FUSED, Finding, Located
from engine.core.paths import EXAMPLES
from engine.core.sphere import distance_km

TABLE = "places.csv"
COLUMNS = ("file", "lat_deg", "lon_deg", "place")
MOST = 500
MOST_POINTS = 1000
_SCALE_KM = 1500.0  # a guess this far off keeps 37% of the points
_HINT_COST = 0.15
_MOST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Lesson:
    """One clip to be placed.

    Attributes:
        path: the file.
        lat_deg, lon_deg, place: where it is, and the name of that place.
        hints: sentences that help, the vaguest first.
        about: shown after the guess.
    """

    path: Path
    lat_deg: float
    lon_deg: float
    place: str
    hints: tuple[str, ...] = ()
    about: str = ""


def lessons(folder: Path | None = None) -> tuple[Lesson, ...]:
    """The clips of a folder, in the order of its table; None takes those that come with the program.

    The table is `places.csv` with the columns file, lat_deg, lon_deg, place and, if wanted, hints (parted by |) and about. Lines
    that begin with # are remarks.

    Raises:
        DataError: the folder or the table is missing, or a row of it is invalid; the sentence names the row.
    """
    folder = EXAMPLES / "learn" if folder is None else folder
    table = folder / TABLE
    if not table.is_file():
        raise DataError(f"There is no {TABLE} in {folder}; put one beside the clips with the columns {', '.join(COLUMNS)}.")
    lines = read_text(table, what="table").splitlines(keepends=True)
    try:
        reader = csv.DictReader(line for line in lines if not line.startswith("#"))
        missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{TABLE} in {folder} has no column {missing[0]}; it needs {', '.join(COLUMNS)}.")
        found = tuple(_lesson(folder, number, row) for number, row in zip(range(1, MOST + 1), reader, strict=False))
    except csv.Error as error:
        raise DataError(f"{table} cannot be read as a table ({error}); save it as CSV in UTF-8.") from None
    if not found:
        raise DataError(f"{TABLE} in {folder} lists no clips; give one row for each.")
    return found


def _lesson(folder: Path, number: int, row: dict[str, str | None]) -> Lesson:
    name = (row["file"] or "").strip()
    path = (folder / name).resolve()
    if not name or folder.resolve() not in path.parents or not path.is_file():
        raise DataError(f"Row {number} of {TABLE} names {name[:80]!r}, which is no file in {folder}; correct the name.")
    try:
        lat, lon = float(row["lat_deg"] or ""), float(row["lon_deg"] or "")
    except ValueError:
        lat = lon = math.nan
    if not (abs(lat) <= 90.0 and abs(lon) <= 180.0):
        raise DataError(f"Row {number} of {TABLE} has no place on Earth; give lat_deg and lon_deg in degrees.")
    hints = tuple(h.strip()[:_MOST_TEXT] for h in (row.get("hints") or "").split("|") if h.strip())[:5]
    return Lesson(path, lat, lon, (row["place"] or "").strip()[:_MOST_TEXT], hints, (row.get("about") or "").strip()[:_MOST_TEXT])


def points(lesson: Lesson, lat_deg: float, lon_deg: float, hints: int = 0) -> tuple[float, int]:
    """(kilometres from the truth, points 0 to MOST_POINTS) of a guess; each hint taken costs 15%."""
    km = float(distance_km(lat_deg, lon_deg, lesson.lat_deg, lesson.lon_deg))
    return km, round(MOST_POINTS * math.exp(-km / _SCALE_KM) * max(0.0, 1.0 - _HINT_COST * hints))


def answer(finding: Finding) -> Located | None:
    """The location of the clip: of sound and picture where they were fused, else the one with more information; else None."""
    spoke = [x for x in finding.located if x.spoke and x.modality != "container"]
    modalities = [x for x in spoke if x.modality != FUSED]
    if len(modalities) == 1:
        return modalities[0]
    fused = next((x for x in spoke if x.modality == FUSED), None)
    return fused or max(spoke, key=lambda x: x.gain_nats, default=None)
