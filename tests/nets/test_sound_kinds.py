"""Kinds of sound: chances from BirdNET's logits, the embedding in them, and what a damaged file says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import WeightsError
from engine.lab.data.listening import to_embedding
from engine.models import birdnet, sound_kinds


def test_chances_sum_to_one_and_are_linear_in_the_logits() -> None:
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((5, len(birdnet.labels()))).astype(np.float32) - 8.0
    found = sound_kinds.sound_kinds().chances(logits)
    assert found.shape == (5, len(sound_kinds.KINDS)) and np.allclose(found.sum(axis=1), 1.0, atol=1e-5)


def test_the_embedding_is_in_the_logits() -> None:
    weights, bias = birdnet.class_layer()
    embedding = np.random.default_rng(1).uniform(0.0, 2.0, (3, weights.shape[1])).astype(np.float32)
    logits = embedding @ weights.T + bias
    assert np.allclose((logits - bias) @ to_embedding().T, embedding, atol=2e-2)


@pytest.mark.parametrize(
    ("latin", "kind"),
    [("Parus major", "bird"), ("Gryllus fultoni", "insect"), ("Anaxyrus americanus", "frog"), ("Canis latrans", "mammal")],
)
def test_the_kind_of_a_species(latin: str, kind: str) -> None:
    assert sound_kinds.kind_of(birdnet.index_of(latin)) == kind


def test_a_tone_is_no_animal() -> None:
    seconds = np.arange(birdnet.WINDOW_SAMPLES) / birdnet.RATE_HZ
    chord = sum(np.sin(2 * np.pi * hz * seconds) for hz in (220.0, 277.2, 329.6, 440.0)).astype(np.float32) * 0.1
    found = sound_kinds.sound_kinds().chances(birdnet.Listener(1).logits(chord[None]))[0]
    assert found[: len(sound_kinds.ANIMALS)].sum() < 0.5


def test_a_damaged_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (None, b"not a file of arrays"):
        file = tmp_path / f"{content is None}.npz"
        if content is not None:
            file.write_bytes(content)
        monkeypatch.setattr(sound_kinds, "FILE", file)
        sound_kinds.sound_kinds.cache_clear()
        with pytest.raises(WeightsError, match="restore it from the repository"):
            sound_kinds.sound_kinds()
    sound_kinds.sound_kinds.cache_clear()
