"""Recordings of known place, from the forms in which they are handed around, and predictions in the benchmark's form.

    iNatSounds   train.json, val.json, test.json in COCO's style, sound files below the same folder
                 (github.com/visipedia/inat_sounds)
    XCDC         xcdc_recordings.csv, sound files named by audio_id (zenodo.org/records/15420487)
    AGL1K        one CSV with a column for the file and for latitude and longitude (the benchmark's own release)
    folder       manifest.csv with file, lat, lon (what `bench recordings` reads)

A missing or wrong file is an error that says which, and where to get it. Nothing is fetched.
"""

from __future__ import annotations

import ast
import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import DataError
from engine.core.file import DATA_BYTES, read_csv, read_text

SOUND_SUFFIXES = (".wav", ".ogg", ".mp3", ".flac", ".m4a", ".opus", ".npy")
WHERE = {
    "inatsounds": "get it from github.com/visipedia/inat_sounds",
    "xcdc": "get it from zenodo.org/records/15420487",
    "agl1k": "get it from the AGL1K release (arXiv 2601.03227)",
    "folder": "write a manifest.csv with the columns file, lat, lon",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of a data set.

    Attributes:
        id: the data set's own.
        path: sound file; may be missing when only places are needed.
        species: Latin names annotated, the main one first.
        date: "2021-05-03" as written, or "".
        group: broad group of the main species ("Aves"), or "".
    """

    id: str
    path: Path
    lat_deg: float
    lon_deg: float
    species: tuple[str, ...] = ()
    date: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Places by id: (n,) degrees. `read_predictions` and `write_predictions` are the benchmark's own format."""

    id: tuple[str, ...]
    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]


def read(kind: str, path: Path, split: str = "test") -> tuple[Recording, ...]:
    """Recordings of a data set.

    Args:
        kind: "inatsounds", "xcdc", "agl1k" or "folder".
        path: its folder; for agl1k and xcdc the CSV itself will do.
        split: of iNatSounds: train, val or test.

    Raises:
        DataError: no such kind; a file or column is missing; a place is no place.
    """
    readers = {
        "inatsounds": lambda: _inatsounds(path, split),
        "xcdc": lambda: _xcdc(path),
        "agl1k": lambda: _agl1k(path),
    }
    if kind == "folder":
        from engine.lab.data.manifest import read_manifest

        return tuple(
            Recording(s.id, s.path, s.lat_deg, s.lon_deg, tuple(filter(None, [s.column("species")])), str(s.date or ""))
            for s in read_manifest(path)
        )
    if kind not in readers:
        raise DataError(f"There is no data set called {kind!r}; choose one of {', '.join(WHERE)}.")
    found = readers[kind]()
    if not found:
        raise DataError(f"{path} lists no recording; {WHERE[kind]}.")
    return found


def with_sound(recordings: Iterable[Recording], kind: str) -> tuple[Recording, ...]:
    """Those whose sound file is there.

    Raises:
        DataError: none is.
    """
    every = tuple(recordings)
    there = tuple(r for r in every if r.path.is_file())
    if not there:
        example = every[0].path if every else "the sound files"
        raise DataError(f"No sound file of the data set is there (looked for {example}); {WHERE[kind]}.")
    return there


def _inatsounds(folder: Path, split: str) -> tuple[Recording, ...]:
    file = folder / f"{split}.json"
    if not file.is_file():
        raise DataError(f"{file} is missing; {WHERE['inatsounds']}.")
    try:
        held = json.loads(read_text(file, DATA_BYTES, "data set"))
        categories = {c["id"]: c for c in held["categories"]}
        annotated: dict[object, list[object]] = {}
        for a in held["annotations"]:
            annotated.setdefault(a["audio_id"], []).append(a["category_id"])
        out = []
        for audio in held["audio"]:
            if audio.get("latitude") is None or audio.get("longitude") is None:
                continue
            kinds = [categories[c] for c in annotated.get(audio["id"], [])]
            out.append(
                Recording(
                    Path(audio["file_name"]).stem,
                    _inside(folder, audio["file_name"]),
                    *_place(audio["latitude"], audio["longitude"], file),
                    tuple(str(k.get("name", "")) for k in kinds),
                    str(audio.get("date") or "")[:10],
                    str(kinds[0].get("supercategory", "")) if kinds else "",
                )
            )
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as wrong:
        raise DataError(f"{file} is not in iNatSounds's form ({wrong}); {WHERE['inatsounds']}.") from wrong
    return tuple(out)


def _xcdc(path: Path) -> tuple[Recording, ...]:
    file = path / "xcdc_recordings.csv" if path.is_dir() else path
    rows = _rows(file, {"audio_id", "latitude", "longitude"}, "xcdc")
    out = []
    for row in rows:
        names = _list_of(row.get("all_scientific", ""))
        main = row.get("main_scientific", "")
        species = tuple(dict.fromkeys([n for n in (main, *names) if n]))
        place = _place(row["latitude"], row["longitude"], file)
        out.append(Recording(row["audio_id"], _sound(file.parent, row["audio_id"]), *place, species, row.get("date", ""), "Aves"))
    return tuple(out)


def _agl1k(path: Path) -> tuple[Recording, ...]:
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} holds no CSV; {WHERE['agl1k']}.")
    file = files[0]
    rows = _rows(file, set(), "agl1k")
    lower = {k.lower(): k for k in rows[0]} if rows else {}
    lat, lon = (
        next((lower[n] for n in names if n in lower), None) for names in (("latitude", "lat"), ("longitude", "lon", "lng"))
    )
    name = next(
        (lower[n] for n in ("file", "filename", "file_name", "audio", "audio_path", "audio_id", "id") if n in lower),
        None,
    )
    if not (lat and lon and name):
        raise DataError(f"{file} needs columns for the file, latitude and longitude; {WHERE['agl1k']}.")
    return tuple(
        Recording(Path(row[name]).stem, _sound(file.parent, row[name]), *_place(row[lat], row[lon], file)) for row in rows
    )


def _rows(table: Path, wanted: set[str], kind: str) -> list[dict[str, str]]:
    if not table.is_file():
        raise DataError(f"{table} is missing; {WHERE[kind]}.")
    rows = read_csv(table, DATA_BYTES)
    if not rows or not wanted <= set(rows[0]):
        raise DataError(f"{table} needs the columns {', '.join(sorted(wanted))} and a row; {WHERE[kind]}.")
    return rows


def _place(lat: Any, lon: Any, file: Path) -> tuple[float, float]:
    try:
        place = float(lat), float(lon)
    except (TypeError, ValueError):
        raise DataError(f"{file.name} has a place that is no number ({lat!r}, {lon!r}); correct or leave out the row.") from None
    if not (np.isfinite(place).all() and abs(place[0]) <= 90 and abs(place[1]) <= 360):
        raise DataError(f"{file.name} has a place beyond the Earth ({lat}, {lon}); correct or leave out the row.")
    return place


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"A data set names {name!r}, outside its own folder; correct or leave out the row.")
    return path


def _sound(folder: Path, name: str) -> Path:
    """The sound file of this name, whatever its suffix and whether it lies beside the list or in a folder of sounds."""
    given = _inside(folder, name)
    if given.suffix.lower() in SOUND_SUFFIXES and given.is_file():
        return given
    for base in (folder, folder / "audio", folder / "sounds", folder / "recordings"):
        for suffix in SOUND_SUFFIXES:
            candidate = base / f"{Path(name).name}{suffix}"
            if candidate.is_file():
                return candidate
    return given


def _list_of(text: str) -> list[str]:
    """A list written as Python or JSON writes it, or with separators."""
    try:
        held = ast.literal_eval(text)
        if isinstance(held, list | tuple):
            return [str(x) for x in held]
    except (ValueError, SyntaxError):
        pass
    return [x.strip() for x in text.replace("|", ",").replace(";", ",").split(",") if x.strip()]


def read_predictions(path: Path) -> Predictions:
    """Places from a CSV with audio_id, latitude, longitude.

    Raises:
        DataError: missing, malformed, an id twice, or a place that is NaN or beyond the Earth.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing; give a CSV with audio_id, latitude, longitude.")
    rows = read_csv(path, DATA_BYTES)
    if not rows or not {"audio_id", "latitude", "longitude"} <= set(rows[0]):
        raise DataError(f"{path} needs the columns audio_id, latitude, longitude and a row.")
    places = np.array([_place(r["latitude"], r["longitude"], path) for r in rows])
    ids = tuple(r["audio_id"] for r in rows)
    if len(set(ids)) != len(ids):
        raise DataError(f"{path} names a recording twice; keep one place for each.")
    return Predictions(ids, places[:, 0], places[:, 1])


def write_predictions(path: Path, ids: Sequence[str], lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> None:
    """Write audio_id, latitude, longitude; longitudes in −180..180, as the published scorer demands.

    Raises:
        DataError: a place is NaN or beyond a pole.
    """
    if not (np.isfinite(lat_deg).all() and np.isfinite(lon_deg).all() and (np.abs(lat_deg) <= 90).all()):
        raise DataError("A prediction is no place on Earth; predict a place for every recording.")
    turned = (np.asarray(lon_deg) + 180.0) % 360.0 - 180.0
    with path.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(["audio_id", "latitude", "longitude"])
        writer.writerows([i, f"{a:.7f}", f"{b:.7f}"] for i, a, b in zip(ids, lat_deg, turned, strict=True))


def aligned(predicted: Predictions, gold: Predictions) -> tuple[NDArray[np.float64], ...]:
    """Predicted lat, lon and true lat, lon, each (n,), in gold's order.

    Raises:
        DataError: the ids of the two files differ.
    """
    at = {i: k for k, i in enumerate(predicted.id)}
    if set(at) != set(gold.id):
        missing = next(iter(set(gold.id) ^ set(at)))
        raise DataError(f"Predictions and true places name different recordings ({missing!r} is in one only).")
    order = np.array([at[i] for i in gold.id])
    return predicted.lat_deg[order], predicted.lon_deg[order], gold.lat_deg, gold.lon_deg
