"""Ordinary material: what is counted as placed, by whom the intervals are drawn, and that damage stops nothing."""

from __future__ import annotations

import csv
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from engine.cli.parser import parser_for
from engine.core.clip import Clip, Interval
from engine.core.errors import DataError
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings
from engine.lab.bench import ordinary, perceived
from engine.lab.bench.metrics import Outcome
from engine.lab.bench.recordings import Row
from engine.lab.data.manifest import Sample


def placed(lat: float, lon: float, modality: str = "sound") -> ordinary.Placed:
    return ordinary.Placed(modality, "somewhere", lat, lon, 1.0, ("Great Tit 0.30",))


def row(name: str, lat: float, lon: float, continent: str, nll: float, group: int = 0) -> Row:
    sample = Sample(name, Path(name), lat, lon)
    return Row(sample, continent, group, Outcome(10.0, nll, {}), Outcome(20.0, 7.0, {}, spoke=False), {})


def test_the_numbers_of_made_up_files() -> None:
    clips = [
        ordinary.Heard("film", placed=(placed(50, 8), placed(50, 8, "picture"))),
        ordinary.Heard("elsewhere", placed=(placed(-30, 140),), row=row("elsewhere", 40.7, -74.0, "North America", 9.0)),
        ordinary.Heard("quiet"),
        ordinary.Heard("damaged", problem="The file cannot be read."),
    ]
    sounds = [
        ordinary.Heard("c1", "Clarinet", "ann", (placed(0, 0),)),
        ordinary.Heard("c2", "Clarinet", "bob"),
        ordinary.Heard("t1", "Toothbrush", "cid", silent="the sound lasts 0.5 s; at least 1 s is needed"),
        ordinary.Heard("t2", "Toothbrush", "cid"),
        ordinary.Heard("i1", "Cricket", "dan", (placed(0, 0),)),
    ]
    minutes = [
        ordinary.Heard("a", row=row("a", 48.9, 2.4, "Europe", 7.5, 1), placed=(placed(48, 2),)),
        ordinary.Heard("b", row=row("b", 35.7, 139.7, "Asia", 6.5, 2)),
    ]
    found = ordinary.report(clips, sounds, minutes)
    assert (found["clips"], found["sound_spoke"], found["picture_spoke"], found["both_spoke"]) == (4, 2, 1, 1)
    assert found["placed_without_animal"] == 0.25 and found["sounds"]["groups"] == 3 and found["sounds"]["too_short"] == 1
    assert found["by_label"]["Clarinet"]["fraction"] == 0.5 and found["by_label"]["Toothbrush"]["placed"] == 0
    assert found["insects"]["fraction"] == 1.0 and list(found["insects"]["by_label"]) == ["Cricket"]
    assert found["wrong_continent"] == 1 and found["on_a_wrong_continent"][0]["id"] == "elsewhere"
    assert found["known_places"] == 3
    assert found["nll_minus_prior"] == pytest.approx(0.0) and found["recordings"] == 2
    low, high = found["nll_minus_prior_interval"]
    assert (low, high) == pytest.approx((-0.5, 0.5))
    assert [d["id"] for d in found["damaged"]] == ["damaged"]
    text = "\n".join(ordinary.said(found))
    assert "1 of 4 (25.0%" in text and "Great Tit 0.30" in text and "damaged: The file cannot be read." in text


def test_where_nothing_is_placed_the_bound_is_exact() -> None:
    """With no hit among n, the upper end of the two-sided 95% interval is 1 - 0.025^(1/n); groups are the trials."""
    none = ordinary.share([False] * 30, [i // 3 for i in range(30)])
    assert none["interval"] == pytest.approx([0.0, 1.0 - 0.025**0.1])
    every = ordinary.share([True] * 10, list(range(10)))
    assert every["interval"] == pytest.approx([0.025**0.1, 1.0])
    assert ordinary.share([], [])["fraction"] is None


def test_sounds_of_one_author_stay_together() -> None:
    """One author with half of the sounds, all placed: the interval reaches nearly none and nearly all."""
    hits = [True] * 10 + [False] * 10
    together = ordinary.share(hits, ["ann"] * 10 + ["bob"] * 10)["interval"]
    apart = ordinary.share(hits, list(range(20)))["interval"]
    assert together == [0.0, 1.0] and apart[0] > 0.2 and apart[1] < 0.8


def tone(path: Path, seconds: float = 3.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(int(seconds * 48_000)) / 48_000
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes((3000 * np.sin(2 * np.pi * 440 * t)).astype("<i2").tobytes())


def folder(place: Path, rows: list[dict[str, str]]) -> Path:
    place.mkdir(exist_ok=True)
    with (place / "manifest.csv").open("w", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    return place


def test_the_command_goes_on_past_damage_and_keeps_what_it_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "cache"))
    tone(tmp_path / "sounds" / "Clarinet" / "a.wav")
    tone(tmp_path / "sounds" / "Dog" / "b.wav")
    sounds = folder(
        tmp_path / "sounds",
        [
            {"id": "a", "file": "Clarinet/a.wav", "label": "Clarinet", "author": "ann"},
            {"id": "b", "file": "Dog/b.wav", "label": "Dog", "author": "ann"},
        ],
    )
    clips = folder(tmp_path / "clips", [{"id": "bad", "file": "bad.mp4", "lat": "", "lon": ""}])
    (clips / "bad.mp4").write_bytes(b"no film at all")
    tone(tmp_path / "ordinary" / "m.wav")
    minutes = folder(tmp_path / "ordinary", [{"id": "m", "file": "m.wav", "lat": "48.9", "lon": "2.4"}])
    words = ["bench", "ordinary", "--clips", str(clips), "--sounds", str(sounds), "--ordinary", str(minutes)]
    arguments = parser_for(words, "0").parse_args([*words, "--json", str(tmp_path / "out.json")])
    assert ordinary.run(arguments) == 0
    first = json.loads((tmp_path / "out.json").read_text())
    assert first["sounds"]["n"] == 1, "a dog is an animal"
    assert first["placed_without_animal"] == 0.0 and first["nll_minus_prior"] == 0.0 and first["clips"] == 1
    assert [d["id"] for d in first["damaged"]] == ["bad"] and "bad: " in capsys.readouterr().out

    def heard_again(*_: object) -> Perception:
        raise AssertionError("what was perceived is kept")

    monkeypatch.setattr(perceived, "perceive", heard_again)
    assert ordinary.run(arguments) == 0
    assert json.loads((tmp_path / "out.json").read_text()) == first


def test_what_decided_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = (
        Observation("species", "species", "Dacelo novaeguineae", 0.9, 0.0, 3.0, name="Kookaburra"),
        Observation("species", "kind of sound", "bird", 0.9, 0.0, 3.0, name="birds"),
    )
    perception = Perception(Clip("a.wav", "0" * 64, 1, "wav", 3.0), Interval(0.0, 3.0), heard)
    monkeypatch.setattr(ordinary, "perceive_kept", lambda *_: perception)
    truth = Sample("a", Path("a.wav"), 51.5, -0.1)
    found = ordinary.examine(Path("a.wav"), "a", "", "", truth, Settings())
    sound = found.by("sound")
    assert sound is not None and sound.decided == ("Kookaburra 0.90",) and sound.continent == "Oceania"
    assert found.wrong_continent and found.row is not None and found.row.found.spoke


def test_a_folder_without_a_manifest_is_taken_as_it_is(tmp_path: Path) -> None:
    tone(tmp_path / "Wind" / "w.wav")
    (found,) = ordinary.files_of(tmp_path, "sounds")
    assert found[0].name == "w.wav" and found[1]["label"] == "Wind"
    with pytest.raises(DataError, match="holds no clips"):
        ordinary.files_of(tmp_path / "none", "clips")
    folder(tmp_path, [{"id": "x", "file": "../x.wav"}])
    with pytest.raises(DataError, match="outside its folder"):
        ordinary.files_of(tmp_path, "sounds")


def test_real_labels_are_animals_insects_or_neither(data_dir: Path) -> None:
    if not (data_dir / "sounds").is_dir():
        pytest.skip("needs sounds/ in the folder of real material")
    labels = {r["label"] for _, r in ordinary.files_of(data_dir / "sounds", "sounds")}
    assert labels >= ordinary.ANIMALS | ordinary.INSECTS, "a name that no sound has is misspelt"
    assert {"Clarinet", "Toothbrush", "Fire"} <= labels - ordinary.ANIMALS - ordinary.INSECTS
