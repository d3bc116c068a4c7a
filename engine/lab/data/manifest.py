"""A folder of files of known place: manifest.csv with id, file, lat, lon and perhaps date, kind, license, source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from engine.core.errors import DataError
from engine.core.file import read_csv


@dataclass(frozen=True, slots=True)
class Sample:
    """One file and what is known of it.

    Attributes:
        precision_km: how well its place is known, 0 when the manifest does not say.
        date: day of the recording, or None.
        extra: all columns of the manifest as (name, text).
    """

    id: str
    path: Path
    lat_deg: float
    lon_deg: float
    precision_km: float = 0.0
    date: date | None = None
    extra: tuple[tuple[str, str], ...] = ()

    def column(self, name: str) -> str:
        """Text of a further column, "" when there is none."""
        return dict(self.extra).get(name, "")


def read_manifest(folder: Path) -> tuple[Sample, ...]:
    """The files of a folder whose place is known, in the manifest's order.

    Raises:
        DataError: folder, manifest, column or file is missing, a place is no place, or a path leaves the folder.
    """
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        raise DataError(f"{manifest} is missing; give a folder with one (columns id, file, lat, lon), or set EARWITNESS_DATA.")
    rows = read_csv(manifest, what="manifest")
    wanted = {"file", "lat", "lon"}
    if not rows or not wanted <= set(rows[0]):
        raise DataError(f"{manifest} needs the columns file, lat and lon, and at least one row.")
    return tuple(_sample(folder, number, row) for number, row in enumerate(rows, 2) if row["lat"] and row["lon"])


def _sample(folder: Path, line: int, row: dict[str, str]) -> Sample:
    where = f"Line {line} of the manifest"
    path = path_in(folder, row["file"], where)
    if not path.is_file():
        raise DataError(f"{where} names {row['file']!r}, which is missing.")
    lat, lon = degrees_of(row["lat"], row["lon"], where)
    try:
        precision = float(row.get("precision_km") or 0.0)
    except ValueError:
        raise DataError(f"{where} has a precision that is no number; write km.") from None
    extra = tuple((k, v or "") for k, v in row.items() if isinstance(k, str) and isinstance(v, str | None))
    return Sample(row.get("id") or path.stem, path, lat, lon, precision, _date(row.get("date")), extra)


def path_in(folder: Path, name: str, where: str) -> Path:
    """The path of a file that a table names, which may be missing.

    Args:
        where: the row in words, such as "Line 3 of the manifest".

    Raises:
        DataError: it leaves the folder.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{where} points outside its folder; keep the files beside it.")
    return path


def degrees_of(lat: str, lon: str, where: str) -> tuple[float, float]:
    """A place (lat_deg, lon_deg) that a table names.

    Args:
        where: as for `path_in`.

    Raises:
        DataError: it is no number, or no place.
    """
    try:
        place = float(lat), float(lon)
    except ValueError:
        raise DataError(f"{where} has a place that is no number; write degrees.") from None
    if not (np.isfinite(place).all() and abs(place[0]) <= 90 and abs(place[1]) <= 360):
        raise DataError(f"{where} has a place beyond the Earth; write degrees, latitude first.")
    return place


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None  # xeno-canto writes 2019-00-00 where nobody knows
