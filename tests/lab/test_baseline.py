"""Each baseline learns what can be learnt: places that stand in the input."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core import sphere
from engine.core.errors import DataError, SettingError
from engine.lab.bench.gallery_choice import gallery_of
from engine.lab.train import baseline
from engine.models.location_encoders import GeoClip


def _rows(n: int, seed: int, checklist: bool = True) -> baseline.Rows:
    """Inputs that say the place: its unit vector, turned."""
    rng = np.random.default_rng(seed)
    xyz = rng.standard_normal((n, 3))
    lat, lon = sphere.to_lat_lon(xyz / np.linalg.norm(xyz, axis=1, keepdims=True))
    x = np.tanh(sphere.to_xyz(lat, lon) @ np.random.default_rng(0).standard_normal((3, 24)))
    listed = (sphere.to_xyz(lat, lon)[:, :1] > 0).astype(np.float32).repeat(5, axis=1)
    return baseline.Rows(x.astype(np.float32), lat, lon, listed if checklist else None)


@pytest.mark.parametrize(
    ("name", "median_km"),
    [
        ("regression-euclidean", 3000),
        ("regression-haversine", 3000),
        ("classification-0", 2000),
        ("hierarchical", 4000),
        ("retrieval-geoclip", 4000),
        ("agclip", 4000),
    ],
)
def test_learns(name: str, median_km: float):
    schedule = baseline.Schedule(epochs=12, rate=0.05)
    errors = baseline.measure(name, _rows(2000, 1), _rows(300, 2), gallery_of("land"), schedule)
    chance = baseline.measure("random", _rows(2000, 1), _rows(300, 2), gallery_of("land"), schedule)
    assert np.median(errors) < median_km < np.median(chance)


def test_schedule_is_the_papers():
    s = baseline.Schedule(rate=1e-2)
    assert s.at(0) == pytest.approx(1e-3) and s.at(5) == pytest.approx(1e-2)
    assert max(s.at(e) for e in range(50)) == pytest.approx(1e-2)
    assert s.at(49) < 1.1e-3 and s.at(27) == pytest.approx(5.8e-3, rel=0.05)


def test_cells():
    assert [len(baseline.h3_cells(r)) for r in (0, 1, 2)] == [122, 842, 5882]


def test_a_perfect_regression_scores_zero_and_beyond_the_pole_lies_the_other_side():
    rows = _rows(50, 3)
    for name in ("regression-euclidean", "regression-haversine"):
        t = baseline.task(name, rows, gallery_of("land"))
        lat, lon = t.decode(np.stack([rows.lat_deg / 90, rows.lon_deg / 180], axis=1))
        assert sphere.distance_km(lat, lon, rows.lat_deg, rows.lon_deg).max() < 1e-3
    lat, lon = t.decode(np.array([[100 / 90, 0.0]]))
    assert sphere.distance_km(lat, lon, 80.0, 180.0)[0] < 1e-3


def test_hierarchy_stays_inside_the_parent():
    rows = _rows(60, 4)
    t = baseline.task("hierarchical", rows, gallery_of("land"))
    out = np.random.default_rng(0).standard_normal((60, t.outputs)).astype(np.float32)
    import h3.api.numpy_int as h3

    lat, lon = t.decode(out)
    for row, a, b in zip(out, lat, lon, strict=True):
        first = int(baseline.h3_cells(0)[row[:122].argmax()])
        assert int(h3.cell_to_parent(h3.latlng_to_cell(a, b, 2), 0)) == first


def test_a_perfect_vector_retrieves_the_place():
    rows = _rows(5, 5)
    gallery = gallery_of("land")
    t = baseline.task("retrieval-geoclip", rows, gallery)
    lat, lon = t.decode(GeoClip().embed(gallery.lat_deg[[7, 4000]], gallery.lon_deg[[7, 4000]]))
    assert lat == pytest.approx(gallery.lat_deg[[7, 4000]]) and lon == pytest.approx(gallery.lon_deg[[7, 4000]])


def test_what_is_missing_is_said():
    with pytest.raises(DataError):
        baseline.Rows(np.zeros((0, 3), np.float32), np.zeros(0), np.zeros(0))
    with pytest.raises(DataError, match="finite"):
        baseline.Rows(np.full((1, 3), np.nan, np.float32), np.zeros(1), np.zeros(1))
    with pytest.raises(SettingError, match="--encoder"):
        baseline.task("retrieval-sinr", _rows(3, 0), gallery_of("land"))
    with pytest.raises(SettingError, match="checklists"):
        baseline.task("agclip", _rows(3, 0, checklist=False), gallery_of("land"))


def test_galleries(tmp_path):
    one = gallery_of("uniform1")
    assert len(one.lat_deg) == 179 * 360 + 2
    assert len(gallery_of("uniform0.5").lat_deg) == 359 * 720 + 2
    (tmp_path / "mine.csv").write_text("audio_id,latitude,longitude\na,1.0,2.0\nb,1.0,2.0\n")
    assert len(gallery_of(str(tmp_path / "mine.csv")).lat_deg) == 1
    from engine.lab.data.dataset import Recording

    test = [Recording("a", tmp_path / "a.wav", 1.0, 2.0)]
    assert "answers" in gallery_of("xcdc", test=test).note
    near = gallery_of("train-neighbours", train=test)
    assert len(near.lat_deg) == 7
    with pytest.raises(SettingError, match="were not given"):
        gallery_of("train")
    with pytest.raises(SettingError, match="choose one of"):
        gallery_of("nowhere")
