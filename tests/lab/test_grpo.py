"""Rewards with known answers, and GRPO on a tiny model: it runs, and the held-out distance reward rises."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from engine import cli
from engine.core.errors import DataError
from engine.core.paths import ROOT
from engine.lab.data import tiny
from engine.lab.train import grpo, grpo_demo, reward

BRISTOL, MANAUS = (51.45, -2.59), (-3.10, -60.02)


def short(code: str, continent: str = "Europe", rests: str = "Parus major") -> str:
    return json.dumps({"continent": continent, "country": code, "rests_on": rests})


def long(code: str, odds: float = 1.0, rests: tuple[int, ...] = (1,), text: str = "The sign names a city of England.") -> str:
    sentence = {"text": text, "rests_on": list(rests), "alternatives": []}
    return json.dumps({"sentences": [sentence], "candidates": [{"country": code, "log_odds": odds}]})


def test_a_perfect_answer_is_0_km_away_and_earns_everything() -> None:
    assert reward.km_to_country("GB", *BRISTOL) == 0.0
    for text, held in ((short("GB"), ["Parus major"]), (long("GB"), ["1"])):
        assert reward.distance_reward([text], [BRISTOL[0]], [BRISTOL[1]]) == [1.0]
        assert reward.hierarchy_reward([text], [BRISTOL[0]], [BRISTOL[1]]) == [1.0]
        assert reward.format_reward([text]) == [1.0]
        assert reward.grounding_reward([text], [held]) == [1.0]
        assert reward.length_reward([text]) == [1.0]


def test_distance_is_smooth_and_falls() -> None:
    texts = [short(c) for c in ("GB", "FR", "TR", "JP", "NZ")]
    earned = reward.distance_reward(texts, [BRISTOL[0]] * 5, [BRISTOL[1]] * 5)
    assert earned == sorted(earned, reverse=True) and len(set(earned)) == 5
    assert earned[1] > 0.8 and earned[-1] < 0.001


def test_the_hierarchy() -> None:
    lat, lon = [BRISTOL[0]] * 4, [BRISTOL[1]] * 4
    texts = [short("GB"), short("FR"), short("BR", "South America"), short("GB", "Asia")]
    assert reward.hierarchy_reward(texts, lat, lon) == [1.0, 0.4, 0.0, 0.0]


@pytest.mark.parametrize(
    "text", ["", "GB", "{", "[]", '{"country": "ZZ"}', '{"candidates": [{"country": "GB", "log_odds": "x"}]}', "\x00" * 99]
)
def test_garbage_earns_nothing(text: str) -> None:
    assert reward.distance_reward([text], [0.0], [0.0])[0] <= 1.0
    assert reward.grounding_reward([text], [["1"]]) == [0.0]
    if text != '{"candidates": [{"country": "GB", "log_odds": "x"}]}':
        assert reward.distance_reward([text], [0.0], [0.0]) == [0.0]


def test_grounding_pays_for_what_is_there() -> None:
    assert reward.grounding_reward([long("GB", rests=(1, 7))], [["1", "2"]]) == [0.5]
    assert reward.grounding_reward([long("GB", rests=())], [["1"]]) == [0.0]


def test_length_costs_at_both_ends() -> None:
    earned = reward.length_reward([long("GB", text="Short."), long("GB", text="x" * 300), long("GB", text="x" * 1300)])
    assert 0 < earned[0] < earned[1] == 1.0 and earned[2] == 0.0


def test_the_likeliest_candidate_counts() -> None:
    both = {"sentences": [{"text": "x" * 30, "rests_on": [1]}],
            "candidates": [{"country": "NZ", "log_odds": -1}, {"country": "GB", "log_odds": 2}]}  # fmt: skip
    assert reward.distance_reward([json.dumps(both)], [BRISTOL[0]], [BRISTOL[1]]) == [1.0]


def test_rows_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file"):
        grpo.read_rows(tmp_path / "none.jsonl")
    (tmp_path / "bad.jsonl").write_text('{"prompt": "x", "lat_deg": 95, "lon_deg": 0, "evidence": []}\n', encoding="utf-8")
    with pytest.raises(DataError, match="Line 1"):
        grpo.read_rows(tmp_path / "bad.jsonl")


def test_places_held_out_are_not_trained_on() -> None:
    train, test = grpo_demo.simulate(150, 0, False), grpo_demo.simulate(150, 0, True)
    assert not {(r.lat_deg, r.lon_deg) for r in train} & {(r.lat_deg, r.lon_deg) for r in test}
    assert len({r.country for r in test}) > 8 and all(len(set(r.species)) == grpo_demo.HEARD for r in train)


@pytest.mark.slow
def test_grpo_tunes_a_model_of_the_class_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tiny.vision_model(tmp_path / "model")
    row = {"prompt": "Facts: F1 Great Tit heard. Where?", "lat_deg": 51.45, "lon_deg": -2.59, "evidence": ["1"]}
    (tmp_path / "rows.jsonl").write_text((json.dumps(row) + "\n") * 4, encoding="utf-8")
    words = ["lab", "grpo", str(tmp_path / "rows.jsonl"), "--model", str(model), "--out", str(tmp_path / "a"), "--steps", "2",
             "--group", "4", "--tokens", "12"]  # fmt: skip
    assert cli.main(words) == 0
    assert (tmp_path / "a" / "adapter_config.json").is_file()
    assert "reward" in capsys.readouterr().out


@pytest.mark.slow
def test_grpo_raises_the_held_out_distance_reward(tmp_path: Path) -> None:
    points = grpo_demo.demonstrate(steps=120, every=60, tests=80)
    assert points[0].form > 0.9, "the model knows the form before it begins"
    assert points[-1].low > points[0].high, f"{points[0].distance:.3f} to {points[-1].distance:.3f}"
    grpo_demo.write(points, tmp_path)
    assert (tmp_path / "grpo_curve.svg").stat().st_size > 2000


def test_the_curve_that_is_shown_rises() -> None:
    with (ROOT / "docs" / "grpo_curve.csv").open(encoding="utf-8") as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    assert rows[0]["step"] == 0 and rows[-1]["step"] >= 200
    assert rows[-1]["low"] > rows[0]["high"]
