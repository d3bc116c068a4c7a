"""The range model as matrix products against the model run in LiteRT; the listener's shapes and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from engine.models import birdnet

PLACES = ((48.1, 11.6), (-33.9, 151.2), (0.0, 0.0), (90.0, 180.0), (-90.0, -180.0), (10.0, -75.0), (65.0, 179.99))


@pytest.mark.parametrize("week", [None, 1, 24, 48])
def test_range_model_equals_litert(week: int | None) -> None:
    interpreter = birdnet._interpreter("range", 1)
    interpreter.allocate_tensors()
    lat, lon = (np.array(x) for x in zip(*PLACES, strict=True))
    ours = birdnet.RangeModel().occurrence(lat, lon, week)
    for row, (a, b) in zip(ours, PLACES, strict=True):
        interpreter.set_tensor(0, np.array([[a, b, -1 if week is None else week]], dtype=np.float32))
        interpreter.invoke()
        theirs = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
        assert np.abs(row - theirs).max() < 1e-5


def test_great_tit_lives_in_germany_and_not_in_georgia() -> None:
    tit = np.array([birdnet.index_of("Parus major")])
    munich, augusta = birdnet.RangeModel().occurrence(np.array([48.1, 33.5]), np.array([11.6, -82.0]), None, tit)[:, 0]
    assert munich > 0.5 > 0.01 > augusta


def test_a_subset_of_species_is_a_subset_of_the_columns() -> None:
    model = birdnet.RangeModel()
    lat, lon = np.array([10.0]), np.array([20.0])
    some = np.array([5, 100, 6000])
    assert np.allclose(model.occurrence(lat, lon, 12, some), model.occurrence(lat, lon, 12)[:, some], atol=1e-6)


def test_labels_know_what_is_a_species() -> None:
    labels = birdnet.labels()
    assert len(labels) == 6522
    assert sum(not label.is_species for label in labels) == 11
    assert labels[birdnet.index_of("Gryllus assimilis")].is_species
    assert not labels[birdnet.index_of("Dog")].is_species


def test_weeks() -> None:
    assert birdnet.week_of(1, 1) == 1
    assert birdnet.week_of(1, 31) == 4
    assert birdnet.week_of(2, 29) == 8
    assert birdnet.week_of(12, 31) == 48
    with pytest.raises(ValueError, match="week 49"):
        birdnet.RangeModel().hidden(np.array([0.0]), np.array([0.0]), 49)


def test_listener_is_the_same_for_one_and_for_many() -> None:
    rng = np.random.default_rng(0)
    windows = (rng.standard_normal((3, birdnet.WINDOW_SAMPLES)) * 0.1).astype(np.float32)
    listener = birdnet.Listener(workers=2)
    together = listener.scores(windows)
    assert together.shape == (3, 6522)
    assert (together >= 0).all() and (together <= 1).all()
    assert np.allclose(together[1], listener.scores(windows[1:2])[0], atol=1e-6)


@pytest.mark.parametrize("windows", [np.zeros((1, 100)), np.full((1, birdnet.WINDOW_SAMPLES), np.nan)])
def test_listener_refuses_what_is_no_window(windows: np.ndarray) -> None:
    with pytest.raises(ValueError):
        birdnet.Listener(workers=1).scores(windows)
