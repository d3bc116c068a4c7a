"""Data sets in their published forms, and predictions in the scorer's."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.core.errors import DataError
from engine.lab.bench import metrics
from engine.lab.data import dataset


def test_inatsounds(tmp_path):
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "abc.wav").write_bytes(b"RIFF")
    held = {
        "audio": [
            {"id": 1, "file_name": "test/abc.wav", "latitude": 1.5, "longitude": -2.5, "date": "2021-05-03T05:00:00"},
            {"id": 2, "file_name": "test/gone.wav", "latitude": None, "longitude": None},
            {"id": 3, "file_name": "test/gone.wav", "latitude": 3.0, "longitude": 4.0},
        ],
        "annotations": [{"audio_id": 1, "category_id": 7}],
        "categories": [{"id": 7, "name": "Parus major", "supercategory": "Aves"}],
    }
    (tmp_path / "test.json").write_text(json.dumps(held))
    found = dataset.read("inatsounds", tmp_path)
    assert [r.id for r in found] == ["abc", "gone"]
    assert found[0].species == ("Parus major",) and found[0].date == "2021-05-03" and found[0].group == "Aves"
    assert [r.id for r in dataset.with_sound(found, "inatsounds")] == ["abc"]
    with pytest.raises(DataError, match=r"train\.json is missing; get it from github"):
        dataset.read("inatsounds", tmp_path, "train")
    (tmp_path / "val.json").write_text("{}")
    with pytest.raises(DataError, match="form"):
        dataset.read("inatsounds", tmp_path, "val")


def test_paths_stay_inside(tmp_path):
    held = {
        "audio": [{"id": 1, "file_name": "../../etc/passwd", "latitude": 0, "longitude": 0}],
        "annotations": [],
        "categories": [],
    }
    (tmp_path / "test.json").write_text(json.dumps(held))
    with pytest.raises(DataError, match="outside"):
        dataset.read("inatsounds", tmp_path)


def test_xcdc_and_agl1k(tmp_path):
    (tmp_path / "xcdc_recordings.csv").write_text(
        "audio_id,latitude,longitude,date,main_scientific,all_scientific\n"
        "12,52.75,0.46,2018-05-01,Turdus merula,\"['Turdus merula', 'Parus major']\"\n"
    )
    (tmp_path / "12.mp3").write_bytes(b"x")
    (one,) = dataset.read("xcdc", tmp_path)
    assert one.species == ("Turdus merula", "Parus major") and one.path.name == "12.mp3"
    other = tmp_path / "agl1k"
    other.mkdir()
    (other / "agl1k.csv").write_text("filename,Lat,Lng\nx.wav,10,20\n")
    (two,) = dataset.read("agl1k", other)
    assert (two.lat_deg, two.lon_deg) == (10.0, 20.0)
    with pytest.raises(DataError, match="zenodo"):
        dataset.read("xcdc", tmp_path / "nowhere")
    with pytest.raises(DataError, match="choose one of"):
        dataset.read("other", tmp_path)
    with pytest.raises(DataError, match="No sound file"):
        dataset.with_sound([two], "agl1k")


def test_predictions_go_round(tmp_path):
    path = tmp_path / "p.csv"
    dataset.write_predictions(path, ["a", "b"], np.array([90.0, -12.3456789]), np.array([190.0, -180.0]))
    back = dataset.read_predictions(path)
    assert back.id == ("a", "b") and back.lon_deg == pytest.approx([-170.0, -180.0])
    gold = dataset.Predictions(("b", "a"), np.array([-12.3456789, 90.0]), np.array([180.0, 0.0]))
    assert metrics.errors_km(*dataset.aligned(back, gold)) == pytest.approx([0.0, 0.0], abs=1e-4)
    with pytest.raises(DataError, match="different recordings"):
        dataset.aligned(back, dataset.Predictions(("a", "c"), np.zeros(2), np.zeros(2)))


@pytest.mark.parametrize("place", ["nan,0", "91,0", "x,0"])
def test_a_prediction_that_is_no_place_raises(tmp_path, place):
    path = tmp_path / "p.csv"
    path.write_text(f"audio_id,latitude,longitude\na,{place}\n")
    with pytest.raises(DataError):
        dataset.read_predictions(path)
    with pytest.raises(DataError):
        dataset.write_predictions(path, ["a"], np.array([np.nan]), np.array([0.0]))
