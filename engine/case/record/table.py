"""A case as tables for DuckDB, pandas and QGIS: Parquet with a row a clip, a row a scene (both GeoParquet) and a row an
observation in its window.

Of each scene the newest finding counts: a case keeps how a clip was first judged, and every edit of the analyst beside it. A
finding about an interval that is no scene, or about a whole film as if it were one place (scene 0), counts only for a clip
that has no other; scenes of an earlier cutting that are more than there are now count no more.

A clip's own row says what the scene says that decides:

1. Where any scene's sound and picture come from different places, so does the clip: the scene with the strongest factor against
   one place decides.
2. Else, where any scene's come from the same place, that is the verdict, of the scene with the strongest factor for one place.
3. Else there is no verdict, and the row shows the first of the scenes in which the most modalities speak.

The more scenes a clip has, the likelier one of them errs: the counts of scenes by verdict stand beside the verdict.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.case.jobs.results import write_whole
from engine.case.record.store import Case, Kept, storable
from engine.core import file
from engine.core.comparison import Verdict
from engine.core.errors import DataError, InputError
from engine.core.file import json_of, shown

if TYPE_CHECKING:
    from pandas import DataFrame

    from engine.case.record.schema import ClipRow

_SENSES = ("sound", "picture", "both")
_DIFFERENT, _SAME, _UNTOLD = str(Verdict.DIFFERENT), str(Verdict.SAME), str(Verdict.CANNOT_TELL)
_REGION = str(Verdict.REGION)
_TEXT, _NUMBER, _COUNT, _YES_OR_NO = "string", "Float64", "Int64", "boolean"
_WHERE = {
    "start_s": _NUMBER, "end_s": _NUMBER, "verdict": _TEXT, "log10_factor": _NUMBER, "support": _TEXT, "distance_km": _NUMBER,
    **{
        f"{s}_{what}": kind
        for s in _SENSES
        for what, kind in (("spoke", _YES_OR_NO), ("place", _TEXT), ("lat_deg", _NUMBER), ("lon_deg", _NUMBER),
                           ("region90_km2", _NUMBER))
    },
    "lat_deg": _NUMBER, "lon_deg": _NUMBER,
}  # fmt: skip
_SCENE_COLUMNS = {
    "sha256": _TEXT, "path": _TEXT, "scene": _COUNT, "scenes": _COUNT, "finding": _TEXT, "created": _TEXT, **_WHERE,
}  # fmt: skip
_CLIP_COLUMNS = {
    "sha256": _TEXT, "path": _TEXT, "files": _COUNT, "paths": _TEXT, "size_bytes": _COUNT, "container": _TEXT,
    "duration_s": _NUMBER, "problem": _TEXT, "scenes": _COUNT, "different_places": _COUNT, "same_place": _COUNT,
    "same_region": _COUNT, "cannot_tell": _COUNT, "scene": _COUNT, **_WHERE,
}  # fmt: skip
_WINDOW_COLUMNS = {
    "sha256": _TEXT, "scene": _COUNT, "clue": _TEXT, "kind": _TEXT, "label": _TEXT, "name": _TEXT, "start_s": _NUMBER,
    "end_s": _NUMBER, "score": _NUMBER,
}  # fmt: skip
"""Columns and their types: the same whether a table is empty or not, so that tables of several cases can be read as one."""

_Row = dict[str, Any]


def write(case: Case, folder: Path) -> tuple[Path, Path, Path]:
    """Write clips.parquet (a row a clip, whatever it is called and however many copies there are), scenes.parquet (a row a scene)
    and windows.parquet (a row an observation) of a case, and enter them into its log with their hashes; what is there already is
    left as it is. Which findings count, and what is said of a clip, is stated at the top of this file.

    Returns:
        The paths of the three. `sha256` joins all of them, `sha256` and `scene` the last two.

    Raises:
        InputError: the folder, or one of the tables, cannot be written; the others are.
    """
    found: dict[str, dict[int, tuple[_Row, list[_Row]]]] = {}
    for kept in case.each_finding():  # oldest first: a newer one takes the place of an older one
        document = json_of(kept.document, f"The document of the finding {kept.id}")
        try:
            row = _row(kept, document)
            windows = list(_windows(row, document))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise DataError(f"The finding {shown(kept.id)} is of no known form; run: earwitness verify CASE") from None
        own = found.setdefault(kept.clip_sha256, {})
        own.pop(row["scene"], None)
        own[row["scene"]] = row, windows
    clips, paths = case.clips(), case.paths()
    scenes = {clip.sha256: _counting(found.get(clip.sha256, {})) for clip in clips}
    of_clips = [_clip_row(clip, paths[clip.sha256], [row for row, _ in scenes[clip.sha256]]) for clip in clips]
    of_scenes = [row for own in scenes.values() for row, _ in own]
    of_windows = [w for own in scenes.values() for _, windows in own for w in windows]
    tables = {
        "clips": _on_the_map(of_clips, _CLIP_COLUMNS),
        "scenes": _on_the_map(of_scenes, _SCENE_COLUMNS),
        "windows": _table(of_windows, _WINDOW_COLUMNS),
    }
    written: list[Path] = []
    failed: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The tables cannot be written to {folder} ({error.strerror}); choose another folder.") from None
    for name, table in tables.items():
        try:
            written.append(_exchange(case, table, folder / f"{name}.parquet"))
        except OSError as error:
            failed.append(f"{name}.parquet ({error.strerror or error})")
    if failed:
        there = f" Written: {', '.join(p.name for p in written)}." if written else ""
        raise InputError(f"Of the tables these cannot be written to {folder}: {', '.join(failed)}; choose another folder.{there}")
    clips_at, scenes_at, windows_at = written
    return clips_at, scenes_at, windows_at


def _counting(found: Mapping[int, tuple[_Row, list[_Row]]]) -> list[tuple[_Row, list[_Row]]]:
    """The scenes of a clip that count, in order, each with its windows.

    Args:
        found: by number of the scene, the one found last standing last.
    """
    numbered = [number for number in found if number]
    if not numbered:
        return list(found.values())
    newest, _ = found[numbered[-1]]
    return [found[number] for number in sorted(numbered) if number <= max(newest["scenes"], 1)]


def _clip_row(clip: ClipRow, paths: Sequence[str], scenes: Sequence[_Row]) -> _Row:
    """What is said of a clip as a whole."""
    said = [r["verdict"] for r in scenes]
    decides = _deciding(scenes)
    return {
        "verdict": _UNTOLD,
        **{k: v for k, v in decides.items() if k in _CLIP_COLUMNS},
        "sha256": clip.sha256,
        "path": clip.path,
        "files": len(paths),
        "paths": json.dumps([storable(p) for p in paths], ensure_ascii=False),
        "size_bytes": clip.size_bytes,
        "container": clip.container,
        "duration_s": clip.duration_s,
        "problem": clip.problem,
        "scenes": len(scenes),
        "different_places": said.count(_DIFFERENT),
        "same_place": said.count(_SAME),
        "same_region": said.count(_REGION),
        "cannot_tell": said.count(_UNTOLD),
    }


def _deciding(scenes: Sequence[_Row]) -> _Row:
    """The scene that speaks for its clip; an empty row when there is none."""
    for verdict, sign in ((_DIFFERENT, 1.0), (_SAME, -1.0), (_REGION, -1.0)):
        own = [r for r in scenes if r["verdict"] == verdict]
        if own:
            return min(own, key=lambda r: sign * (r["log10_factor"] or 0.0))
    return max(scenes, key=lambda r: sum(bool(r.get(f"{s}_spoke")) for s in _SENSES), default={})


def _on_the_map(rows: Sequence[_Row], columns: Mapping[str, str]) -> DataFrame:
    import geopandas
    from shapely.geometry import Point

    points = [Point(r["lon_deg"], r["lat_deg"]) if r.get("lat_deg") is not None else None for r in rows]
    return geopandas.GeoDataFrame(_table(rows, columns), geometry=points, crs="EPSG:4326")


def _table(rows: Sequence[_Row], columns: Mapping[str, str]) -> DataFrame:
    import pandas

    return pandas.DataFrame(rows, columns=list(columns)).astype(dict(columns))


def _exchange(case: Case, table: DataFrame, name: Path) -> Path:
    """Put a new table in the place of the old one, after its hash is in the log: killed in between, `verify` says so and the
    next batch puts it right."""
    made = io.BytesIO()
    table.to_parquet(made, index=False)
    data = made.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    if name.is_file() and file.digest(name) == digest:
        return name
    case.note("table written", file=storable(str(name.absolute())), file_sha256=digest)
    write_whole(name, data)
    return name


def _both_speak(document: Mapping[str, Any], compared: Mapping[str, Any]) -> bool:
    """Whether both modalities compared have a place: documents of older versions state a distance where one has none."""
    spoke = {x["modality"] for x in document["located"] if x["cannot_tell"] is None}
    return bool(compared) and {compared["a"], compared["b"]} <= spoke


def _row(kept: Kept, document: Mapping[str, Any]) -> _Row:
    compared = document["comparisons"][0] if document["comparisons"] else {}
    alone = document["scenes"] <= 1 and document["settings"]["interval"] is not None  # nothing else of the clip was looked at
    row: _Row = {
        "sha256": kept.clip_sha256,
        "path": storable(kept.path),
        "scene": 0 if alone else kept.scene,
        "scenes": document["scenes"],
        "finding": kept.id,
        "created": kept.created,
        "start_s": document["interval"]["start_s"],
        "end_s": document["interval"]["end_s"],
        "verdict": kept.verdict,
        "log10_factor": kept.log10_factor,
        "support": compared.get("support", ""),
        "distance_km": compared.get("distance_km") if _both_speak(document, compared) else None,
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


def _windows(row: _Row, document: Mapping[str, Any]) -> Iterable[_Row]:
    for p in document["perceived"]:
        facts = {"sha256": row["sha256"], "scene": row["scene"], **{k: p[k] for k in ("clue", "kind", "label", "name")}}
        for m in p["moments"]:
            yield facts | {"start_s": m["start_s"], "end_s": m["end_s"], "score": m["score"]}
