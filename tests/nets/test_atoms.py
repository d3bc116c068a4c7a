"""Acoustic atoms: the transform, the steps, the scores; on weights made here, and on those shipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import WeightsError
from engine.models import atoms

LABELS = ("Bell", "Cat", "Dog", "Rain", "Wind")


def written(folder: Path, presence: bool = True, decoder: bool = True) -> atoms.Decomposer:
    """A network of the shipped shape with random weights, as files."""
    import torch

    from engine.lab.train.atoms import save

    torch.manual_seed(0)
    net = atoms.Network(len(LABELS), presence, decoder, residual_only=not presence)
    digest = save(net, folder / "weights.safetensors")
    (folder / "model.json").write_text(json.dumps({"labels": LABELS, "sha256": {"weights.safetensors": digest}}))
    return atoms.Decomposer(folder)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> atoms.Decomposer:
    return written(tmp_path_factory.mktemp("atoms"))


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (count, atoms.WINDOW_SAMPLES)).astype(np.float32)


@pytest.mark.parametrize("length", [1, 511, 512, 1024, 32_001])
def test_the_transform_is_undone_exactly(length: int) -> None:
    wave = np.random.default_rng(length).normal(size=(2, length)).astype(np.float32)
    assert np.allclose(atoms.inverse(atoms.transform(wave), length), wave, atol=1e-5)


@pytest.mark.parametrize("hz", [300.0, 1000.0, 8000.0])
def test_a_tone_lies_in_its_band(hz: float) -> None:
    t = np.arange(atoms.WINDOW_SAMPLES) / atoms.RATE_HZ
    grid = atoms.power_grid(np.sin(2 * np.pi * hz * t).astype(np.float32))
    assert grid.shape == (atoms.BANDS, atoms.FRAMES)
    bins = np.fft.rfftfreq(atoms.FFT, 1 / atoms.RATE_HZ)
    centre = (atoms.filters() * bins).sum(axis=1)
    assert abs(centre[grid.mean(axis=1).argmax()] - hz) < 0.1 * hz + 32


def test_a_whole_mask_keeps_everything_and_none_nothing() -> None:
    whole = atoms.spread(np.ones((1, atoms.BANDS, 5), np.float32), 11)
    assert whole.shape == (1, 11, atoms.FFT // 2 + 1) and np.allclose(whole, 1.0, atol=1e-5)
    assert not atoms.spread(np.zeros((1, atoms.BANDS, 5), np.float32), 10).any()


def test_parts_and_residual_add_up_and_no_label_is_taken_twice(net: atoms.Decomposer) -> None:
    waves = noise(3)
    for wave, taken in zip(waves, net.decompose(waves, [LABELS[:4]] * 3), strict=True):
        assert [s.label for s in taken.steps] == list(LABELS[:4])
        assert np.allclose(sum(s.wave for s in taken.steps) + taken.residual, wave, atol=1e-5)
        assert (sum(s.mask for s in taken.steps) <= 1.0 + 1e-5).all()
        assert all(s.kernel // atoms.KERNELS == LABELS.index(s.label) for s in taken.steps)
        assert ((taken.scores >= 0) & (taken.scores <= 1)).all()
    free = net.decompose(waves)
    assert all(len({s.label for s in d.steps}) == len(d.steps) <= atoms.MOST_STEPS for d in free)


def test_a_window_is_heard_alike_alone_and_among_others(net: atoms.Decomposer) -> None:
    waves = noise(4)
    assert np.allclose(net.scores(waves)[2], net.scores(waves[2:3])[0], atol=1e-4)


def test_loudness_changes_nothing(net: atoms.Decomposer) -> None:
    waves = noise(2)
    assert np.allclose(net.scores(waves), net.scores(0.01 * waves), atol=1e-3)


def test_a_window_of_which_nothing_is_taken_is_all_residual(net: atoms.Decomposer) -> None:
    waves = noise(1)
    taken = net.decompose(waves, [[]])[0]
    assert taken.steps == () and np.array_equal(taken.residual, waves[0])


def test_silence_has_no_atoms(net: atoms.Decomposer) -> None:
    taken = net.decompose(np.zeros((1, atoms.WINDOW_SAMPLES), np.float32))[0]
    assert taken.steps == () and not taken.scores.any()


def test_the_faithful_variant_has_neither_decoder_nor_presence_head(tmp_path: Path) -> None:
    taken = written(tmp_path, presence=False, decoder=False).decompose(noise(1), [LABELS[:2]])[0]
    assert [s.label for s in taken.steps] == list(LABELS[:2])


def test_kernels_are_never_negative(net: atoms.Decomposer) -> None:
    assert net.kernels.shape == (len(LABELS), atoms.KERNELS, atoms.BANDS, atoms.KERNEL_FRAMES)
    assert (net.kernels >= 0).all()


def test_wrong_input_and_wrong_files_are_refused(net: atoms.Decomposer, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="windows must be"):
        net.decompose(np.zeros((1, 100), np.float32))
    with pytest.raises(ValueError, match="finite"):
        net.decompose(np.full((1, atoms.WINDOW_SAMPLES), np.nan, np.float32))
    with pytest.raises(WeightsError, match="train-atoms"):
        _ = atoms.Decomposer(tmp_path / "nowhere").labels
    other = written(tmp_path)
    (tmp_path / "weights.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(WeightsError, match="not the file"):
        _ = other.net


def trace_of(label: list[list[float]], stop: list[float], present: list[list[float]]) -> atoms.Trace:
    """One window's trace; the likeliest label of each step is taken."""
    trace, taken = atoms.Trace(), np.zeros((1, len(label[0])), dtype=bool)
    for row, s, p in zip(label, stop, present, strict=True):
        trace.label.append(np.array([row]))
        trace.stop.append(np.array([s]))
        trace.present.append(np.array([p]))
        trace.taken.append(taken.copy())
        chosen = np.where(taken, -np.inf, trace.label[-1]).argmax(axis=1)
        trace.chosen.append(chosen)
        taken = taken.copy()
        taken[0, chosen] = True
    return trace


def test_steps_end_where_stop_is_likeliest_and_scores_follow_them() -> None:
    trace = trace_of([[9.0, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 0.0]], [0.0, 0.0, 9.0], [[0.0] * 3] * 3)
    assert atoms.counts_of(trace, atoms.Rule()) == [2]
    scores = atoms.scores_of(trace, atoms.Rule())[0]
    assert scores[0] > 0.9 and scores[1] > 0.9 and scores[2] < 0.2
    assert atoms.counts_of(trace, atoms.Rule(stop=20.0)) == [0]


def test_the_presence_head_is_heard_until_a_label_is_taken() -> None:
    # the first label is taken at once: what is said of it afterwards does not count
    trace = trace_of([[9.0, 0.0], [0.0, 0.0]], [-9.0, -9.0], [[2.0, -2.0], [-50.0, 2.0]])
    scores = atoms.scores_of(trace, atoms.Rule(choice=0.0))[0]
    assert scores[0] == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-4)
    assert scores[1] == pytest.approx(0.5, abs=1e-3)


SHIPPED = (atoms.FOLDER / "weights.safetensors").is_file()


@pytest.mark.skipif(not SHIPPED, reason="the model is not there: earwitness lab train-atoms")
def test_the_shipped_model_loads_and_is_small() -> None:
    net = atoms.Decomposer()
    assert len(net.labels) >= 20 and net.kernels.max() > 0
    assert sum(f.stat().st_size for f in atoms.FOLDER.iterdir()) < 25_000_000
    licences = net.card["clips_by_licence"]
    assert all(k.startswith(("CC0", "Public", "CC-BY", "ODbL")) and "NC" not in k for k in licences)
    taken = net.decompose(noise(1))[0]
    assert np.isfinite(taken.scores).all()
