"""A case as tables: what DuckDB, pandas and a reader of GeoParquet (QGIS reads it as geopandas does) see in them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import geopandas
import pandas
import pyarrow.parquet as parquet
import pytest

from engine.case.jobs import batch
from engine.case.record import table
from engine.case.record.store import Case, Scene
from engine.case.record.verify import verify
from engine.core.clip import Clip, Interval
from engine.core.errors import InputError
from engine.core.finding import Finding
from engine.report import to_json
from tests.case.casework import compared
from tests.report.made import finding

ALONE = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}  # or it may fetch what it lacks


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Of a clip that points somewhere, and one that cannot be examined."""
    with Case.create(tmp_path / "case") as case:
        film = Clip("/films/suva.mp4", "a" * 64, 1, "mov", 24.0)
        case.add_finding(film, "0" * 64, "{}", to_json(finding()), "cannot tell", None)
        case.add_clip(Clip("/films/torn.mp4", "b" * 64, 1, "mov", None), "It is damaged.")
        written = batch.tables(case, tmp_path / "case")
        assert verify(case).well
    return written


def test_a_row_a_clip_with_its_place(tables: tuple[Path, Path, Path]) -> None:
    frame = geopandas.read_parquet(tables[0])
    assert frame.crs.to_epsg() == 4326 and frame["path"].tolist() == ["/films/suva.mp4", "/films/torn.mp4"]
    point = frame.geometry[0]
    assert (point.y, point.x) == (frame["lat_deg"][0], frame["lon_deg"][0]) == pytest.approx((-17.0, 179.5), abs=2.0)
    assert frame.geometry[1] is None and frame["problem"][1] == "It is damaged."
    assert bool(frame["sound_spoke"][0]) and frame["sound_place"][0] == "Suva, Fiji" and not frame["picture_spoke"][0]
    said = json.loads(parquet.read_schema(tables[0]).metadata[b"geo"])
    assert said["primary_column"] == "geometry" and said["columns"]["geometry"]["encoding"] == "WKB"


def test_duckdb_and_pandas_read_them_and_join_them(tables: tuple[Path, Path, Path]) -> None:
    clips, scenes, windows_path = tables
    query = f"""
        SELECT c.path, s.lat_deg, count(*) AS heard, max(w.score) AS best
        FROM '{clips}' c JOIN '{scenes}' s USING (sha256) JOIN '{windows_path}' w ON w.sha256 = s.sha256 AND w.scene = s.scene
        WHERE w.kind = 'species' GROUP BY ALL
    """
    with duckdb.connect(config=ALONE) as connection:
        ((path, lat_deg, heard, best),) = connection.execute(query).fetchall()
        (kinds,) = connection.execute(f"SELECT count(DISTINCT kind) FROM '{windows_path}'").fetchone() or (0,)
    windows = pandas.read_parquet(windows_path)
    species = windows[windows["kind"] == "species"]
    assert (path, heard) == ("/films/suva.mp4", len(species)) and best == pytest.approx(species["score"].max())
    assert -19 < lat_deg < -15 and kinds == windows["kind"].nunique() > 1
    assert (windows["end_s"] >= windows["start_s"]).all()


def test_empty_and_full_tables_have_the_same_columns(tables: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """So that the tables of many cases can be read as one."""
    with Case.create(tmp_path / "empty") as case:
        empty = batch.tables(case, tmp_path / "empty")
    for full, none in zip(tables, empty, strict=True):
        assert parquet.read_schema(full).types == parquet.read_schema(none).types
        assert parquet.read_schema(full).names == parquet.read_schema(none).names
    with duckdb.connect(config=ALONE) as connection:
        both = f"SELECT count(*) FROM read_parquet(['{tables[0]}', '{empty[0]}'])"
        assert connection.execute(both).fetchone() == (2,)


# --- films, copies, edits -----------------------------------------------------------------------------------------------


def scene_of(number: int, of: int, verdict: str, log10: float | None) -> Scene:
    """A scene of six seconds, with the numbers of its comparison."""
    made = finding(two_speak=True)
    made = replace(made, scene=number, scenes=of, interval=Interval(6.0 * (number - 1), 6.0 * number))
    made = replace(made, comparisons=(compared(verdict, log10),) if log10 is not None else ())
    return said(made, number, verdict, log10, f'{{"scene": {number}}}')


def said(made: Finding, number: int, verdict: str, log10: float | None, settings: str) -> Scene:
    return Scene(number, settings, to_json(made), verdict, log10, ())


def clip(digit: str, name: str) -> Clip:
    return Clip(f"/films/{name}", digit * 64, 1000, "mov", 24.0)


def film(case: Case, digit: str, *verdicts: tuple[str, float | None], key: str = "0") -> None:
    scenes = [scene_of(n, len(verdicts), v, log10) for n, (v, log10) in enumerate(verdicts, 1)]
    case.add_findings(clip(digit, f"{digit}.mp4"), key * 64, scenes)


def test_a_clip_has_one_row_whatever_is_in_it_and_a_scene_has_one(tmp_path: Path) -> None:
    different, same, untold = "different places", "same place", "cannot tell"
    with Case.create(tmp_path / "case") as case:
        film(case, "a", (same, 1.4), (different, -0.6), (untold, None), (different, -1.2))
        film(case, "b", (untold, 0.2), (same, 0.7), (same, 1.1))
        film(case, "c", (untold, None), (untold, -0.1))
        case.add_clip(clip("d", "torn.mp4"), "It is damaged.")
        case.add_clip(clip("a", "copy of a.mp4"))
        case.add_clip(clip("a", "copy of a.mp4"))
        paths = batch.tables(case, tmp_path / "case")
        assert verify(case).well
        assert len(case.results()) == 2 * 4 + 3 + 2, "a copy has the results of its clip"
    assert [p.name for p in paths] == ["clips.parquet", "scenes.parquet", "windows.parquet"]
    with duckdb.connect(config=ALONE) as connection:
        counts = [connection.execute(f"SELECT count(*), count(DISTINCT sha256) FROM '{p}'").fetchone() for p in paths[:2]]
        assert counts == [(4, 4), (9, 3)]
        asked = f"SELECT verdict, count(*) FROM '{paths[1]}' GROUP BY verdict ORDER BY verdict"
        assert connection.execute(asked).fetchall() == [(untold, 4), (different, 2), (same, 3)]
    clips = geopandas.read_parquet(paths[0]).set_index(geopandas.read_parquet(paths[0])["sha256"].str[0])
    assert clips["verdict"].to_dict() == {"a": different, "b": same, "c": untold, "d": untold}
    assert clips["scene"].fillna(0).astype(int).to_dict() == {"a": 4, "b": 3, "c": 1, "d": 0}
    assert (clips["log10_factor"]["a"], clips["log10_factor"]["b"]) == (-1.2, 1.1)
    counted = clips[["scenes", "different_places", "same_place", "cannot_tell"]].astype(int).to_numpy().tolist()
    assert counted == [[4, 2, 1, 1], [3, 0, 2, 1], [2, 0, 0, 2], [0, 0, 0, 0]]
    assert (clips["start_s"]["a"], clips["end_s"]["a"]) == (18.0, 24.0), "it says where in the film"
    assert clips["files"]["a"] == 2 and json.loads(clips["paths"]["a"]) == ["/films/a.mp4", "/films/copy of a.mp4"]
    assert clips["problem"]["d"] == "It is damaged." and clips.geometry["d"] is None and clips.geometry["a"] is not None
    assert clips["picture_place"]["a"] == "Augusta, Georgia" and clips["sound_region90_km2"]["a"] > 0


def test_the_newest_finding_of_a_scene_counts(tmp_path: Path) -> None:
    """An edit is kept beside what was first found; a later cutting may find fewer scenes."""
    with Case.create(tmp_path / "case") as case:
        film(case, "a", ("same place", 1.4), ("different places", -1.2))
        edited = replace(finding(two_speak=True), scene=2, scenes=2, comparisons=(compared("cannot tell", -0.1),))
        case.add_findings(clip("a", "a.mp4"), "0" * 64, [said(edited, 2, "cannot tell", -0.1, '{"dropped": 1}')])
        whole = replace(finding(two_speak=True), scene=0, scenes=2)
        case.add_findings(clip("a", "a.mp4"), "0" * 64, [said(whole, 0, "different places", -3.0, '{"whole": 1}')])
        clips, scenes, windows = (pandas.read_parquet(p) for p in batch.tables(case, tmp_path / "case"))
        assert scenes["verdict"].tolist() == ["same place", "cannot tell"] and scenes["log10_factor"].tolist() == [1.4, -0.1]
        assert clips["verdict"].tolist() == ["same place"] and clips["different_places"].tolist() == [0]
        assert set(windows["scene"]) == {1, 2}, "a film as one place is no scene of it"
        film(case, "a", ("same place", 0.9), key="1")
        clips, scenes, _ = (pandas.read_parquet(p) for p in batch.tables(case, tmp_path / "case"))
        assert len(case.findings()) == 5 and clips["scenes"].tolist() == [1] and scenes["log10_factor"].tolist() == [0.9]


def test_a_stretch_stands_for_a_clip_of_which_nothing_else_is_known(tmp_path: Path) -> None:
    stretch = replace(finding(two_speak=True, interval=Interval(0.0, 6.0)), comparisons=(compared("same place", 1.0),))
    with Case.create(tmp_path / "case") as case:
        case.add_findings(clip("a", "a.mp4"), "0" * 64, [said(stretch, 1, "same place", 1.0, '{"stretch": 1}')])
        clips, _, _ = (pandas.read_parquet(p) for p in batch.tables(case, tmp_path / "case"))
        assert (clips["verdict"][0], clips["scene"][0]) == ("same place", 0)
        film(case, "a", ("cannot tell", 0.1), ("cannot tell", 0.2))
        case.add_findings(clip("a", "a.mp4"), "0" * 64, [said(stretch, 1, "same place", 1.0, '{"stretch": 2}')])
        clips, scenes, _ = (pandas.read_parquet(p) for p in batch.tables(case, tmp_path / "case"))
        assert clips["verdict"].tolist() == ["cannot tell"] and scenes["scene"].tolist() == [1, 2]


def test_a_table_that_cannot_be_written_takes_no_other_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = table._exchange

    def full(case: Case, frame: pandas.DataFrame, name: Path) -> Path:
        if name.stem == "scenes":
            raise OSError(28, "No space left on device")
        return whole(case, frame, name)

    monkeypatch.setattr(table, "_exchange", full)
    folder = tmp_path / "tables"
    says = r"cannot be written to .*: scenes\.parquet \(No space.*Written: clips\.parquet, windows\.parquet"
    with Case.create(tmp_path / "case") as case:
        film = Clip("/films/suva.mp4", "a" * 64, 1, "mov", 24.0)
        case.add_finding(film, "0" * 64, "{}", to_json(finding()), "cannot tell", None)
        with pytest.raises(InputError, match=says):
            batch.tables(case, folder)
    assert sorted(p.name for p in folder.iterdir()) == ["clips.parquet", "windows.parquet"]


def test_old_documents_give_a_silent_modality_no_distance(tmp_path: Path) -> None:
    """Before, a distance to a place of the prior was stated."""
    document = json.loads(to_json(replace(finding(), comparisons=(compared("cannot tell", 0.0),))))
    assert document["comparisons"][0]["distance_km"] is not None and not document["located"][1]["spoke"]
    with Case.create(tmp_path / "case") as case:
        film = Clip("/films/suva.mp4", "a" * 64, 1, "mov", 24.0)
        case.add_finding(film, "0" * 64, "{}", json.dumps(document), "cannot tell", None)
        _, scenes, _ = batch.tables(case, tmp_path / "case")
    row = pandas.read_parquet(scenes).iloc[0]
    assert pandas.isna(row["distance_km"]) and pandas.isna(row["picture_lat_deg"]) and pandas.isna(row["picture_place"])
