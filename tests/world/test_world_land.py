"""Outlines for maps: cut at the antimeridian, true to area, and made again by the script."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import shapely

from engine.core.errors import DataError, SettingError
from engine.core.paths import ASSETS, ROOT
from engine.world import assets, land, projection, tables


@cache
def shapes(detail: str) -> np.ndarray:
    made = np.array([shapely.Polygon(p[0], list(p[1:])) for p in land.polygons(detail)], dtype=object)
    bad = ~shapely.is_valid(made)
    made[bad] = shapely.make_valid(made[bad])
    return made


def on_land(detail: str, lat: float, lon: float) -> bool:
    return bool(shapely.contains(shapes(detail), shapely.Point(lon, lat)).any())


@pytest.fixture(scope="module")
def make_world() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_world", ROOT / "scripts" / "make_world.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("detail", land.DETAILS)
def test_no_outline_jumps_over_the_map(detail: str) -> None:
    rings = [ring for polygon in land.polygons(detail) for ring in polygon]
    for line in [*rings, *land.coasts(detail), *land.borders(detail)]:
        assert np.abs(line[:, 0]).max() <= 180.0 and np.abs(line[:, 1]).max() <= 90.0
        # Only the foot of Antarctica, along the pole, runs across the map.
        step = np.abs(np.diff(line[:, 0]))
        at_pole = (line[:-1, 1] == -90.0) & (line[1:, 1] == -90.0)
        assert step[~at_pole].max(initial=0.0) < 20.0


@pytest.mark.parametrize("detail", land.DETAILS)
def test_land_is_where_it_should_be(detail: str) -> None:
    for lat, lon in ((66.5, 179.0), (66.0, -175.0), (71.2, 179.5), (-89.9, 10.0), (-89.9, -170.0), (48.0, 10.0), (-25.0, 135.0)):
        assert on_land(detail, lat, lon), (lat, lon)
    for lat, lon in ((0.0, -150.0), (35.0, -40.0), (89.0, 0.0), (0.0, 90.0), (-50.0, 0.0), (42.0, 51.0)):  # the last: Caspian
        assert not on_land(detail, lat, lon), (lat, lon)


def test_fiji_and_the_aleutians_lie_on_both_sides() -> None:
    for lat, lon in ((-16.6, 179.2), (-16.85, 179.97), (-16.85, -179.97), (52.9, 173.0), (51.85, -176.65)):
        assert on_land("fine", lat, lon), (lat, lon)


def test_land_has_its_area() -> None:
    for detail in land.DETAILS:
        flat = shapely.transform(shapes(detail), lambda c: np.column_stack([np.radians(c[:, 0]), np.sin(np.radians(c[:, 1]))]))
        assert shapely.area(flat).sum() * 6371.0088**2 == pytest.approx(147e6, rel=0.01)


def test_coasts_and_borders_leave_out_the_seam() -> None:
    for detail in land.DETAILS:
        for line in [*land.coasts(detail), *land.borders(detail)]:
            along = (np.abs(line[:-1, 0]) == 180.0) & (np.abs(line[1:, 0]) == 180.0)
            assert not along.any()
            assert line[:, 1].min() > -90.0


def test_outlines_are_geojson() -> None:
    found = land.land_outlines("coarse", least_lat_deg=-85.0)
    assert [f["properties"]["kind"] for f in found["features"]] == ["land", "coast", "border"]
    assert [f["geometry"]["type"] for f in found["features"]] == ["MultiPolygon", "MultiLineString", "MultiLineString"]
    for feature in found["features"]:
        assert shapely.from_geojson(json.dumps(feature["geometry"])).bounds[1] >= -85.0
    with pytest.raises(SettingError, match="coarse, medium, fine"):
        land.land_outlines("exact")


def test_equal_earth_is_equal_area_and_as_published() -> None:
    # Half-width and half-height of the projection on the unit sphere, Šavrič et al. 2019.
    assert pytest.approx(2.70663, abs=1e-5) == projection.WIDTH / 2
    assert pytest.approx(1.31737, abs=1e-5) == projection.HEIGHT / 2
    assert [float(v) for v in projection.equal_earth(0.0, 0.0)] == [0.0, 0.0]
    rng = np.random.default_rng(0)
    lat, lon, h = rng.uniform(-89, 89, 200), rng.uniform(-179, 179, 200), 1e-4
    x_e, y_e = projection.equal_earth(lat, lon + h)
    x_w, y_w = projection.equal_earth(lat, lon - h)
    x_n, y_n = projection.equal_earth(lat + h, lon)
    x_s, y_s = projection.equal_earth(lat - h, lon)
    area = (x_e - x_w) * (y_n - y_s) - (x_n - x_s) * (y_e - y_w)
    true = (2 * np.radians(h)) ** 2 * np.cos(np.radians(lat))
    # The polynomial is fitted: areas are true to the projection's own design everywhere.
    np.testing.assert_allclose(area / true, 1.0, rtol=1e-4)


def test_svg_paths() -> None:
    square = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 0.0]])
    path = projection.svg_path([square], 1000.0, closed=True)
    assert path.startswith("M500.0,243.4L") and path.endswith("Z")
    assert projection.svg_path([np.array([[0.0, 0.0], [0.001, 0.0]])], 500.0) == ""
    x, y = projection.to_page([90, -90], [0, 0], 1000.0)
    assert (float(y[0]), float(x[0])) == pytest.approx((0.0, 500.0))


def test_assets_stay_small_and_are_the_scripts() -> None:
    files = sorted((ASSETS / "world").glob("*"))
    assert sum(f.stat().st_size for f in files) < 12.5e6  # of which landscape.npz 2.4


@pytest.mark.slow
def test_points_are_made_again_byte_by_byte(make_world: ModuleType, tmp_path: Path) -> None:
    points = make_world.gallery_points()
    cities, _ = make_world.geonames()
    assert make_world.make_points(tmp_path, points, cities) == 100_000
    for name in ("gallery.npz", "people.npz"):
        made, kept = ((folder / name).read_bytes() for folder in (tmp_path, assets.WORLD))
        assert hashlib.sha256(made).hexdigest() == hashlib.sha256(kept).hexdigest(), name


@pytest.mark.slow
def test_all_is_made_again_byte_by_byte(make_world: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetches the atlas with npm; skipped where npm or the registry is not there."""
    try:
        make_world.atlas_files(None)
    except Exception as error:
        pytest.skip(f"the atlas cannot be fetched with npm: {error}")
    monkeypatch.setattr("sys.argv", ["make_world.py", "--out", str(tmp_path)])
    make_world.main()
    for made in tmp_path.iterdir():
        assert made.read_bytes() == (assets.WORLD / made.name).read_bytes(), made.name


def test_a_ring_over_the_antimeridian_is_cut_in_two(make_world: ModuleType) -> None:
    ring = np.array([[170.0, 0], [-170, 0], [-170, 10], [170, 10], [170, 0]])
    area = make_world.cut_area(ring)
    assert area.area == pytest.approx(200.0)
    assert area.bounds == (-180.0, 0.0, 180.0, 10.0)
    assert not area.contains(shapely.Point(0, 5))
    lines = make_world.cut_line(ring)
    assert sum(np.abs(np.diff(line[:, 0])).sum() for line in lines) == pytest.approx(40.0)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_ring_around_a_pole_holds_the_pole(make_world: ModuleType, sign: int) -> None:
    lon = np.arange(0.0, 361.0, 10.0)
    ring = np.column_stack([(lon + 180) % 360 - 180, np.full(len(lon), 70.0 * sign)])
    area = make_world.cut_area(ring)
    assert area.area == pytest.approx(360.0 * 20.0)
    assert area.contains(shapely.Point(12, 89.9 * sign)) and not area.contains(shapely.Point(12, 60 * sign))


def test_tables_name_their_source_and_have_whole_rows() -> None:
    for path in sorted((ASSETS / "world").glob("*.csv")):
        assert len(tables.source(path.stem)) > 20, path.name
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert len({len(row) for row in csv.reader(lines)}) == 1, path.name
        assert len(lines) == len(set(lines)), path.name


def test_a_missing_asset_says_how_to_get_it() -> None:
    with pytest.raises(DataError, match=r"make_world\.py"):
        assets.arrays("atlantis")
