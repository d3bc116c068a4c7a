"""A case as tables: what DuckDB, pandas and a reader of GeoParquet (QGIS reads it as geopandas does) see in them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import geopandas
import pandas
import pyarrow.parquet as parquet
import pytest

from engine.case import batch
from engine.case.store import Case
from engine.case.verify import verify
from engine.core.clip import Clip
from engine.report import to_json

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "report"))
from made import finding

ALONE = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}  # or it may fetch what it lacks


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """Of a clip that points somewhere, and one that cannot be examined."""
    with Case.create(tmp_path / "case") as case:
        film = Clip("/films/suva.mp4", "a" * 64, 1, "mov", 24.0)
        case.add_finding(film, "0" * 64, "{}", to_json(finding()), "cannot tell", None)
        case.add_clip(Clip("/films/torn.mp4", "b" * 64, 1, "mov", None), "It is damaged.")
        written = batch.tables(case, tmp_path / "case")
        assert verify(case).well
    return written


def test_a_row_a_clip_with_its_place(tables: tuple[Path, Path]) -> None:
    frame = geopandas.read_parquet(tables[0])
    assert frame.crs.to_epsg() == 4326 and frame["path"].tolist() == ["/films/suva.mp4", "/films/torn.mp4"]
    point = frame.geometry[0]
    assert (point.y, point.x) == (frame["lat_deg"][0], frame["lon_deg"][0]) == pytest.approx((-17.0, 179.5), abs=2.0)
    assert frame.geometry[1] is None and frame["problem"][1] == "It is damaged."
    assert bool(frame["sound_spoke"][0]) and frame["sound_place"][0] == "Suva, Fiji" and not frame["picture_spoke"][0]
    said = json.loads(parquet.read_schema(tables[0]).metadata[b"geo"])
    assert said["primary_column"] == "geometry" and said["columns"]["geometry"]["encoding"] == "WKB"


def test_duckdb_and_pandas_read_both_and_join_them(tables: tuple[Path, Path]) -> None:
    query = f"""
        SELECT c.path, c.lat_deg, count(*) AS heard, max(w.score) AS best
        FROM '{tables[0]}' c JOIN '{tables[1]}' w USING (sha256, scene) WHERE w.kind = 'species' GROUP BY ALL
    """
    with duckdb.connect(config=ALONE) as connection:
        ((path, lat_deg, heard, best),) = connection.execute(query).fetchall()
        (kinds,) = connection.execute(f"SELECT count(DISTINCT kind) FROM '{tables[1]}'").fetchone() or (0,)
    windows = pandas.read_parquet(tables[1])
    species = windows[windows["kind"] == "species"]
    assert (path, heard) == ("/films/suva.mp4", len(species)) and best == pytest.approx(species["score"].max())
    assert -19 < lat_deg < -15 and kinds == windows["kind"].nunique() > 1
    assert (windows["end_s"] >= windows["start_s"]).all()


def test_empty_and_full_tables_have_the_same_columns(tables: tuple[Path, Path], tmp_path: Path) -> None:
    """So that the tables of many cases can be read as one."""
    with Case.create(tmp_path / "empty") as case:
        empty = batch.tables(case, tmp_path / "empty")
    for full, none in zip(tables, empty, strict=True):
        assert parquet.read_schema(full).types == parquet.read_schema(none).types
        assert parquet.read_schema(full).names == parquet.read_schema(none).names
    with duckdb.connect(config=ALONE) as connection:
        both = f"SELECT count(*) FROM read_parquet(['{tables[0]}', '{empty[0]}'])"
        assert connection.execute(both).fetchone() == (2,)
