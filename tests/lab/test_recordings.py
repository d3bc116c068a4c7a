"""Recordings of known place: strata, a row for each in the JSON, and two versions compared in pairs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.cli.parser import parser_for
from engine.core.clip import Clip, Interval
from engine.core.errors import DataError
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.lab.bench import recordings, strata
from engine.lab.bench.metrics import NLL_CEILING, Outcome
from engine.lab.bench.recordings import Row
from engine.lab.data.manifest import Sample


def row(number: int, km: float, nll: float) -> Row:
    sample = Sample(str(number), Path("x"), 1.0 * number, 2.0)
    covered = {0.5: nll < 3, 0.9: nll < 6, 0.95: nll < 7}
    return Row(sample, "Africa", number // 2, Outcome(km, nll, covered, True, 0.25), Outcome(9e3, 9.0, covered, False), {})


def test_strata_follow_the_sum_of_the_chances() -> None:
    assert strata.stratum(()) == "less than 1" and strata.amount(()) == 0.0
    names = ("Parus major", "Turdus merula", "Cyanistes caeruleus", "Erithacus rubecula")
    sure = tuple(Observation("species", "species", n, 0.99, 0.0, 3.0, author="analyst") for n in names)
    assert strata.amount(sure) == pytest.approx(4 * 0.99, abs=0.05)
    assert [strata.stratum(sure[:n]) for n in (1, 2, 4)] == ["less than 1", "1 to 3", "3 or more"]


def test_the_same_run_against_itself_differs_by_nothing() -> None:
    rows = [row(i, 100.0 * i, 4.0 + i) for i in range(6)]
    _, _, data = recordings.block(rows, "sound", 0)
    same = recordings.compared(rows, data["recordings"], 0)
    assert same["n"] == 6 and same["places"] == 3
    assert same["nll"].difference == same["median_km"].difference == 0.0


def test_a_steady_gain_is_found_in_pairs() -> None:
    before = recordings.block([row(i, 1000.0 + 50 * i, 5.0 + i % 3) for i in range(20)], "sound", 0)[2]["recordings"]
    now = [row(i, 900.0 + 50 * i, 4.5 + i % 3) for i in reversed(range(20))]  # pairs go by id, not by order
    found = recordings.compared(now, before, 0)
    assert found["nll"].difference == pytest.approx(-0.5) and found["nll"].interval.high == pytest.approx(-0.5)
    assert found["median_km"].difference == pytest.approx(-100.0) and found["median_km"].interval.high < 0.0
    assert "nll: -0.500 nats" in recordings._difference("old.json", found)


def test_each_recording_has_a_row() -> None:
    _, shown, data = recordings.block([row(0, 10.0, 2.0), row(1, 20.0, 5.0), row(2, 30.0, np.inf)], "sound", 0)
    assert [r["regions"] for r in data["recordings"]] == ["50", "90", None]
    assert data["recordings"][0]["region_rank"] == 0.25 and data["recordings"][2]["nll"] == NLL_CEILING
    assert not data["by_stratum"], "no stratum without a recording"
    assert shown[0].coverage is not None and set(shown[0].coverage) == {"50", "90", "95"}


def test_rows_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    rows = [row(i, 10.0, 2.0) for i in range(3)]
    with pytest.raises(DataError, match="fewer than two"):
        recordings.compared(rows, [{"id": "other", "km": 1, "nll": 1, "spoke": True}], 0)
    with pytest.raises(DataError, match="write it with --json"):
        recordings.compared(rows, [{"name": "0"}], 0)
    (tmp_path / "old.json").write_text("{}")
    with pytest.raises(DataError, match="lists no recordings"):
        recordings._other(tmp_path / "old.json")


def test_the_command_compares_two_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {
        "a": (51.5, -0.1, "Parus major"),
        "b": (-33.9, 151.2, "Gymnorhina tibicen"),
        "c": (44.0, -72.7, "Poecile atricapillus"),
    }
    lines = [f"{n},{n}.wav,{lat},{lon}" for n, (lat, lon, _) in places.items()]
    (tmp_path / "manifest.csv").write_text("\n".join(["id,file,lat,lon", *lines]))
    for name in places:
        (tmp_path / f"{name}.wav").write_bytes(b"")

    def heard(sample: Sample, *_: object) -> Perception:
        score = 0.02 if sample.id == "c" else 0.95  # one is too faint to give a location
        bird = Observation("species", "species", places[sample.id][2], score, 0.0, 3.0)
        return Perception(Clip("", "0" * 64, 1, "", 3.0), Interval(0.0, 3.0), (bird,))

    monkeypatch.setattr(recordings, "perceive", heard)
    words = ["bench", "recordings", "--data", str(tmp_path), "--json", str(tmp_path / "one.json")]
    assert recordings.run(parser_for(words, "0").parse_args(words)) == 0
    one = json.loads((tmp_path / "one.json").read_text())
    assert [r["id"] for r in one["recordings"]] == ["a", "b", "c"] and "against" not in one
    assert [r["spoke"] for r in one["recordings"]] == [True, True, False]
    assert all(0.0 < r["region_rank"] <= 1.0 for r in one["recordings"])
    assert sum(s["n"] for s in one["by_stratum"].values()) == 3
    again = [*words[:-1], str(tmp_path / "two.json"), "--against", str(tmp_path / "one.json")]
    assert recordings.run(parser_for(again, "0").parse_args(again)) == 0
    against = json.loads((tmp_path / "two.json").read_text())["against"]
    assert against["n"] == 3 and abs(against["nll"]["difference"]) < 1e-6 and against["file"] == "one.json"
    assert "against one.json, 3 recordings of 3 places" in capsys.readouterr().out


def test_what_was_heard_is_kept_whole(tmp_path: Path) -> None:
    box, vector = (0.1, 0.2, 0.3, 0.4), np.array([0.25, -1.5], dtype=np.float32)
    before = Observation("agclip", "vector", "sound", 1.0, 0.0, 3.0, box=box, vector=vector)
    after = recordings._observation(json.loads(json.dumps(recordings._plain(before))))
    assert after.value == before.value and after.vector is not None and after.vector.dtype == np.float32
