"""Measuring atoms: the metrics on known answers, the split, mixtures, and the whole benchmark on sounds made here."""

from __future__ import annotations

import csv
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import DataError
from engine.lab.bench import atoms as bench
from engine.lab.data import atoms as atoms_data
from engine.lab.train import atoms as atoms_train
from engine.lab.train import atoms_rivals
from engine.models import atoms

RATE = 16_000


def sound(id: str, label: str, source: str, author: str, licence: str = "CC0-1.0") -> atoms_data.Sound:
    return atoms_data.Sound(id, Path(f"/{id}.wav"), label, source, author, licence)


def test_average_precision_has_known_answers() -> None:
    truth = np.array([[True], [False], [True], [False]])
    perfect, worst = np.array([[4.0], [2.0], [3.0], [1.0]]), np.array([[1.0], [4.0], [2.0], [3.0]])
    assert bench.average_precision(perfect, truth)[0] == 1.0
    assert bench.average_precision(worst, truth)[0] == pytest.approx((1 / 3 + 2 / 4) / 2)
    assert bench.average_precision(np.zeros((4, 1)), truth)[0] == pytest.approx((1 / 3 + 2 / 4) / 2)  # a constant gains nothing
    assert np.isnan(bench.average_precision(perfect, np.zeros((4, 1), dtype=bool)))[0]


def test_labels_that_cannot_be_named_do_not_count() -> None:
    truth = np.array([[True, True], [False, False]])
    assert bench.mean_average_precision(np.array([[1.0, np.nan], [0.0, np.nan]]), truth) == 1.0


def test_set_f1_has_known_answers() -> None:
    truth = np.array([[True, True, False]] * 4)
    named = np.array([[True, True, False], [True, False, False], [False, False, True], [False, False, False]])
    assert bench.set_f1(named, truth).tolist() == pytest.approx([1.0, 2 / 3, 0.0, 0.0])


def test_si_sdr_has_known_answers() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 10_000))
    b -= (a @ b) / (a @ a) * a
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    assert bench.si_sdr(3.0 * a, a) == 60.0
    assert bench.si_sdr(a + b, a) == pytest.approx(0.0, abs=1e-6)
    assert bench.si_sdr(-5.0 * (a + 0.1 * b), a) == pytest.approx(20.0, abs=1e-6)
    with pytest.raises(DataError, match="silent"):
        bench.si_sdr(a, np.zeros_like(a))


def test_order_counts_pairs_of_right_labels() -> None:
    m = atoms_data.Mixture(("A", "B", "C"), ("1", "2", "3"), np.zeros((3, 4), np.float32))
    assert bench.in_order([["A", "X", "B", "C"]], [m]) == 1.0
    assert bench.in_order([["C", "A", "B"]], [m]) == pytest.approx(1 / 3)


def test_only_free_licences_train() -> None:
    free = ("CC0-1.0", "CC-BY-3.0", "CC-BY", "CC-BY-SA-3.0", "ODbL-1.0 / DbCL-1.0", "Public Domain (USGS)", "CC-BY-3.0/4.0")
    other = ("CC-BY-NC-3.0", "CC-BY-NC", "CC-Sampling+-1.0", "", "CC-BY-4.0 (set); clip CC0/CC-BY/CC-BY-NC, not stated in repo")
    assert all(sound("a", "Dog", "s", "x", k).free for k in free)
    assert not any(sound("a", "Dog", "s", "x", k).free for k in other)


def test_labels_need_sources_and_authors() -> None:
    many = [sound(f"a{i}", "Dog", f"s{i}", f"x{i % 5}") for i in range(10)]
    few = [sound(f"b{i}", "Cat", f"t{i}", f"y{i % 4}") for i in range(20)]
    bound = [sound(f"c{i}", "Cow", f"u{i}", f"z{i}", "CC-BY-NC") for i in range(20)]
    assert atoms_data.trainable_labels([*many, *few, *bound]) == ("Dog",)


def test_no_author_and_no_recording_is_on_two_sides() -> None:
    rng = np.random.default_rng(1)
    sounds = [
        sound(f"a{i}", "ABC"[i % 3], f"s{rng.integers(60)}", f"x{rng.integers(40)}", ["CC0-1.0", "CC-BY-NC"][int(i % 5 == 0)])
        for i in range(300)
    ]
    parted = atoms_data.split(sounds, ("A", "B", "C"))
    sides = (parted.train, parted.validation, parted.test)
    for i, one in enumerate(sides):
        for other in sides[i + 1 :]:
            assert not {s.source for s in one} & {s.source for s in other}
            assert not {s.author for s in one} & {s.author for s in other}
    assert all(s.free for s in (*parted.train, *parted.validation))
    unseen = atoms_data.unseen(sounds, ("A",), {s.source for s in parted.train}, {s.author for s in parted.train})
    assert all(s.label == "A" and s not in parted.train for s in unseen)


def test_nobody_in_particular_is_no_author_in_common() -> None:
    assert len(set(atoms_data.groups([sound("a", "Dog", "s1", ""), sound("b", "Dog", "s2", "")]))) == 2


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five labels, each a kind of tone or noise, twelve recordings of each by six authors."""
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    rows = []
    t = np.arange(2 * RATE) / RATE
    for at, label in enumerate(("Bell", "Cat", "Dog", "Rain", "Wind")):
        for i in range(12):
            hz = 300.0 * 2**at * (1 + 0.05 * rng.normal())
            wave_ = np.sin(2 * np.pi * hz * t) * (1 + np.sin(2 * np.pi * (at + 1) * t)) + 0.05 * rng.normal(size=len(t))
            path = folder / f"{label}{i}.wav"
            with wave.open(str(path), "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(RATE)
                out.writeframes((8000 * wave_).astype("<i2").tobytes())
            rows.append((f"{label}{i}", path.name, label, f"{label}-{i}", f"{label}-by-{i % 6}", 2.0, "CC0-1.0", "made"))
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "file", "label", "source_recording", "author", "duration_s", "license", "source"])
        writer.writerows(rows)
    return folder


@pytest.mark.slow
def test_mixtures_hold_their_gains_and_are_the_same_again(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path))
    sounds = atoms_data.read_sounds(made)
    a, b = (atoms_data.mixtures(sounds, 4, 3, seed=2) for _ in range(2))
    assert all(x.ids == y.ids and np.array_equal(x.parts, y.parts) for x, y in zip(a, b, strict=True))
    for m in a:
        assert len(set(m.labels)) == 3 and m.parts.shape == (3, atoms.WINDOW_SAMPLES)
        levels = [20 * np.log10(atoms_data.sounding_rms(p)) for p in m.parts]
        assert np.diff(levels) == pytest.approx([-3.0, -3.0], abs=0.6)
    with pytest.raises(DataError, match="labels"):
        atoms_data.mixtures(sounds, 1, 6, seed=0)


def test_folders_without_a_manifest_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"manifest\.csv"):
        atoms_data.read_sounds(tmp_path)
    (tmp_path / "manifest.csv").write_text("id,file\n1,a.wav\n")
    with pytest.raises(DataError, match="label"):
        atoms_data.read_sounds(tmp_path)


@pytest.mark.slow
def test_training_and_the_benchmark_from_end_to_end(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few steps only: what is tested is that everything fits together, and that what is measured was never trained on."""
    from engine.cli import main

    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "cache"))
    model = tmp_path / "model"
    few = ["--shared-steps", "2", "--own-steps", "2", "--more-steps", "2", "--batch", "4"]
    assert main(["lab", "train-atoms", "--data", str(made), "-o", str(model), *few]) == 0
    assert main(["lab", "train-atoms-nmf", "--data", str(made), "-o", str(model), "--mixtures", "6"]) == 0
    assert main(["lab", "calibrate-atoms", "--data", str(made), "--model", str(model), "--mixtures", "4"]) == 0
    out = tmp_path / "numbers.json"
    sizes = ["--mixtures", "6", "--parts", "2", "--without-birdnet"]
    assert main(["bench", "atoms", "--data", str(made), "--model", str(model), "--json", str(out), *sizes]) == 0
    numbers = json.loads(out.read_text())
    assert {"classifier", "one_pass", "faithful", "nmf", "nmf_logistic"} == set(numbers["rivals"])
    for n in (1, 2, 3, 4):
        assert 0 <= numbers[f"map_{n}"] <= 1 and 0 <= numbers[f"f1_{n}"] <= 1
        low, high = numbers["intervals"][f"margin_map_{n}"]
        assert low <= numbers[f"margin_map_{n}"] + 0.2 and high >= low
        assert all(f"map_{n}" in block for block in numbers["rivals"].values())
    card = json.loads((model / "model.json").read_text())
    sounds = atoms_data.read_sounds(made)
    new = atoms_data.unseen(sounds, card["labels"], card["trained_sources"], card["trained_authors"])
    assert numbers["sounds"] == len(new) < len(sounds)


def test_birdnet_classes_mean_the_same_and_no_more() -> None:
    rival = atoms_rivals.BirdNet(("Dog", "Crow", "Frog", "Siren", "Cat", "Bird vocalization, bird call, bird song"))
    from engine.models import birdnet

    every = birdnet.labels()
    named = {k: {every[i].common for i in rows} for k, rows in rival.classes.items()}
    assert named["Dog"] == {"Dog"} and named["Siren"] == {"Siren"}
    assert "American Crow" in named["Crow"] and not any("Crowned" in n for n in named["Crow"])
    assert "Great Tit" in named["Bird vocalization, bird call, bird song"]
    assert not named["Frog"] & named["Bird vocalization, bird call, bird song"]
    assert "Cat" not in rival.known


@pytest.mark.slow
def test_the_mixer_gives_parts_that_make_up_the_mixture(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path))
    sounds = atoms_data.read_sounds(made)
    mixer = atoms_data.Mixer(sounds, ("Bell", "Cat", "Dog", "Rain", "Wind"), 0)
    batch = mixer.batch(8)
    assert batch.power.shape == (8, atoms.BANDS, atoms.FRAMES) and np.isfinite(batch.power).all() and (batch.power > 0).all()
    for labels, parts in zip(batch.labels, batch.parts, strict=True):
        known = labels >= 0
        assert len(set(labels[known])) == known.sum() >= 1
        assert (parts[known].sum(axis=(1, 2)) > 0).all() and not parts[~known].any()
    t = atoms_train.Tensors.of(batch, 5, "cpu")
    assert (t.loudest_left() == 0).all()
