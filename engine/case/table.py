"""A case as tables: Parquet with a row a finding (GeoParquet) and a row an observation, for DuckDB, pandas and QGIS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.case.store import Case
from engine.core.errors import InputError

_SENSES = ("sound", "picture", "both")
_TEXT, _NUMBER, _COUNT, _YES_OR_NO = "string", "Float64", "Int64", "boolean"
_COLUMNS = {
    "sha256": _TEXT, "path": _TEXT, "scene": _COUNT, "scenes": _COUNT, "start_s": _NUMBER, "end_s": _NUMBER, "verdict": _TEXT,
    "log10_factor": _NUMBER, "support": _TEXT, "distance_km": _NUMBER, "problem": _TEXT,
    **{
        f"{s}_{what}": kind
        for s in _SENSES
        for what, kind in (("spoke", _YES_OR_NO), ("place", _TEXT), ("lat_deg", _NUMBER), ("lon_deg", _NUMBER),
                           ("region90_km2", _NUMBER))
    },
    "lat_deg": _NUMBER, "lon_deg": _NUMBER,
}  # fmt: skip
_WINDOW_COLUMNS = {
    "sha256": _TEXT, "scene": _COUNT, "clue": _TEXT, "kind": _TEXT, "label": _TEXT, "name": _TEXT, "start_s": _NUMBER,
    "end_s": _NUMBER, "score": _NUMBER,
}  # fmt: skip
"""Columns and their types: the same whether a table is empty or not, so that tables of several cases can be read as one."""


def write(case: Case, folder: Path) -> tuple[Path, Path]:
    """Write clips.parquet (GeoParquet, a row a finding) and windows.parquet (a row an observation) of a case, and enter them
    into its log with their hashes; what is there already is left as it is.

    Raises:
        InputError: the folder cannot be written.
    """
    import geopandas
    import pandas
    from shapely.geometry import Point

    rows: list[dict[str, Any]] = []
    windows: list[dict[str, Any]] = []
    for f in case.each_finding():
        document = json.loads(f.document)
        rows.append(_row(f.clip_sha256, f.path, f.scene, f.verdict, f.log10_factor, document))
        windows += _windows(f.clip_sha256, f.scene, document)
    for clip in case.clips():
        if clip.problem:
            rows.append({"sha256": clip.sha256, "path": clip.path, "problem": clip.problem, "verdict": "cannot tell"})
    points = [Point(r["lon_deg"], r["lat_deg"]) if r.get("lat_deg") is not None else None for r in rows]
    frame = pandas.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    of_windows = pandas.DataFrame(windows, columns=list(_WINDOW_COLUMNS)).astype(_WINDOW_COLUMNS)
    names = folder / "clips.parquet", folder / "windows.parquet"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in zip(names, (geopandas.GeoDataFrame(frame, geometry=points, crs="EPSG:4326"), of_windows), strict=True):
            part = name.with_suffix(".part")
            table.to_parquet(part, index=False)
            _exchange(case, part, name)
    except OSError as error:
        raise InputError(f"The tables cannot be written to {folder} ({error.strerror}); choose another folder.") from None
    return names


def _exchange(case: Case, part: Path, name: Path) -> None:
    """Put a new table in the place of the old one, after its hash is in the log: killed in between, `verify` says so and the
    next batch puts it right."""
    digest = _sha256(part)
    if name.is_file() and _sha256(name) == digest:
        part.unlink()
        return
    case.note("table written", file=str(name.absolute()), file_sha256=digest)
    part.replace(name)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _row(
    sha256: str, path: str, scene: int, verdict: str, log10_factor: float | None, document: dict[str, Any]
) -> dict[str, Any]:
    compared = document["comparisons"][0] if document["comparisons"] else {}
    row: dict[str, Any] = {
        "sha256": sha256,
        "path": path,
        "scene": scene,
        "scenes": document["scenes"],
        "start_s": document["interval"]["start_s"],
        "end_s": document["interval"]["end_s"],
        "verdict": verdict,
        "log10_factor": log10_factor,
        "support": compared.get("support", ""),
        "distance_km": compared.get("distance_km"),
        "problem": "",
    }
    for x in document["located"]:
        if x["modality"] not in _SENSES:
            continue
        spoke = x["cannot_tell"] is None
        at = x["place"]
        row[f"{x['modality']}_spoke"] = spoke
        if spoke:
            row |= {f"{x['modality']}_{k}": at[k] for k in ("lat_deg", "lon_deg")}
            row[f"{x['modality']}_place"] = at["name"]
            row[f"{x['modality']}_region90_km2"] = next((r["area_km2"] for r in x["regions"] if r["share"] == 0.9), None)
            row |= {"lat_deg": at["lat_deg"], "lon_deg": at["lon_deg"]}  # the last that speaks: both, where there is one
    return row


def _windows(sha256: str, scene: int, document: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for p in document["perceived"]:
        facts = {"sha256": sha256, "scene": scene, **{k: p[k] for k in ("clue", "kind", "label", "name")}}
        for m in p["moments"]:
            yield facts | {"start_s": m["start_s"], "end_s": m["end_s"], "score": m["score"]}
