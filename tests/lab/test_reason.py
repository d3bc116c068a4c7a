"""Tuning a language model: GeoReasoner's two stages and its table, on a tiny model of the class made on the spot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import cli
from engine.core.errors import DataError, WeightsError
from engine.lab.bench import reason
from engine.lab.data import tiny
from engine.lab.train import reason_tune
from engine.models.qwen import Reasoner


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.vision_model(tmp_path_factory.mktemp("tiny-vl"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = []
    for k, (code, city) in enumerate((("BR", "Manaus"), ("GB", "Bristol"))):
        Image.fromarray(rng.integers(0, 255, (56, 56, 3), dtype=np.uint8)).save(tmp_path / f"{k}.png")
        rows.append({"image": f"{k}.png", "country": code, "city": city, "reasoning": f"The sign names {city}."})
    (tmp_path / "data.jsonl").write_text("\n".join(json.dumps(r) for r in rows) + "\n", encoding="utf-8")
    lines = ["image,country,city", *(f"{r['image']},{r['country']},{r['city']}" for r in rows)]
    (tmp_path / "photos.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_two_stages_lower_the_loss_and_leave_one_adapter(model: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stage one, stage two on top of it, then the table: from the command line, as a person does it."""
    first, second = data / "first", data / "second"
    words = ["lab", "reason-tune", str(data / "data.jsonl"), "--model", str(model), "--epochs", "12", "--rate", "0.02"]
    assert cli.main([*words, "--stage", "reasoning", "--out", str(first)]) == 0
    assert cli.main([*words, "--stage", "location", "--adapter", str(first), "--out", str(second)]) == 0
    losses = [float(x.split()[2]) for x in capsys.readouterr().out.splitlines() if "%  loss" in x]
    assert len(losses) == 10 and losses[4] < losses[0] and losses[9] < losses[5]
    assert (second / "adapter_config.json").is_file()
    assert cli.main(["bench", "reason", str(data / "photos.csv"), "--model", str(model), "--adapter", str(second),
                     "--json", str(data / "r.json")]) == 0  # fmt: skip
    told = json.loads((data / "r.json").read_text("utf-8"))
    (row,) = told["rows"].values()
    assert row["n"] == 2 and 0 <= row["country"] <= 100 and row["city"] is not None
    assert any("StreetCLIP is not installed" in x for x in told["missing"])


def test_only_the_answer_is_learnt(model: Path, data: Path) -> None:
    _, processor, _ = Reasoner(folder=model, device="cpu")._parts
    given = reason_tune.encode(processor, reason_tune.picture(data / "0.png"), "Where?", "Brazil", "cpu")
    learnt = given["labels"][0][given["labels"][0] != -100]
    assert processor.tokenizer.decode(learnt) == "Brazil<|im_end|>"


@pytest.mark.parametrize(
    ("line", "said"),
    [("{}", "is no example"), ('{"image": "../x.png", "country": "BR", "city": "a"}', "not below"), ("not json", "is no example"),
     ('{"image": "0.png", "country": "XX", "city": "a"}', "no country"),
     ('{"image": "0.png", "country": "BR", "city": " "}', "empty city")],
)  # fmt: skip
def test_lines_that_are_no_examples(line: str, said: str, data: Path) -> None:
    (data / "bad.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=said):
        reason_tune.read(data / "bad.jsonl", "location")


def test_a_picture_that_is_none(data: Path) -> None:
    (data / "0.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read"):
        reason_tune.picture(data / "0.png")


def test_a_perfect_and_a_wrong_model_score_100_and_0(data: Path) -> None:
    photos = reason.read(data / "photos.csv")
    right = reason.score("right", photos, [reason.Named(p.country, p.city) for p in photos])
    assert (right.country, right.city) == (100.0, 100.0) and right.country_interval == (100.0, 100.0)
    wrong = reason.score("wrong", photos, [reason.Named("", "")] * len(photos))
    assert (wrong.country, wrong.city) == (0.0, 0.0)


@pytest.mark.parametrize(("a", "b", "code", "same"), [("São Paulo", "sao paulo", "BR", True), ("Bristol", "Bath", "GB", True),
                                                      ("Bristol", "London", "GB", False), ("", "", "GB", False),
                                                      ("Nowhereville", "Bristol", "GB", False)])  # fmt: skip
def test_cities_alike(a: str, b: str, code: str, same: bool) -> None:
    assert reason.same_city(a, b, code) is same


@pytest.mark.parametrize(
    ("text", "country"), [('{"country": "br", "city": "x"}', "BR"), ("Brazil", ""), ('{"country": "ZZ"}', "")]
)
def test_what_a_model_names(text: str, country: str) -> None:
    assert reason.named(text).country == country


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="earwitness models pull"):
        reason_tune.model_folder(str(tmp_path))
