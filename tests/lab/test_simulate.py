"""Simulated soundscapes: reproducible, of the place, and erring the way BirdNET errs."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import WeightsError
from engine.lab.data import simulate
from engine.models import birdnet
from engine.world.grid import world_grid

pytestmark = pytest.mark.slow  # BirdNET listens to every species it knows


@pytest.fixture(scope="module")
def errors() -> simulate.Errors:
    """A few draws of all species, without the cache."""
    return simulate.Errors._draw(simulate.Sounds.load(), np.random.default_rng(0), draws=2, quiet=400)


@pytest.fixture
def world(errors, monkeypatch) -> simulate.Simulation:
    grid = world_grid()
    made = simulate.Simulation(grid, np.ones(len(grid)), seed=3, pairs=150)
    monkeypatch.setitem(made.__dict__, "errors", errors)
    return made


@pytest.mark.slow
def test_same_seed_same_soundscapes(world):
    first, second = next(world.batches(50, seed=1)), next(world.batches(50, seed=1))
    assert (first.index == second.index).all() and (first.logit == second.logit).all()
    assert (next(world.batches(50, seed=2)).index != first.index).any()


def test_scores_are_scores_and_sorted(world):
    batch = next(world.batches(200))
    scores = batch.scores()
    assert scores.shape == (200, 6522) and scores.min() == 0.0 and scores.max() <= 1.0
    assert ((scores == 0) | (scores >= 0.0199)).all()
    assert (np.diff(batch.logit, axis=1) <= 0).all()


def test_loud_species_live_there(world):
    batch = next(world.batches(400))
    lat, lon = world.grid.lat_lon_deg
    species = birdnet.is_species()
    sure, expected = 0, 0
    model = birdnet.RangeModel()
    for i in range(150):
        row = batch.scores()[i]
        loud = np.flatnonzero((row > 0.9) & species)
        chance = model.occurrence(lat[[batch.cell[i]]], lon[[batch.cell[i]]], int(batch.week[i]))[0]
        sure += len(loud)
        expected += (chance[loud] >= 0.01).sum()
    assert sure > 30 and expected / sure > 0.7


def test_confusions_are_of_the_kind(errors):
    """What is named beside a species is of its own genus far more often than by chance."""
    genus = np.array([label.latin.split()[0] for label in birdnet.labels()])
    same, named, chance = 0, 0, 0.0
    for a in np.flatnonzero(birdnet.is_species()):
        beside = errors.index[errors.start[a * 2] : errors.start[a * 2 + 2]]
        same += (genus[beside] == genus[a]).sum()
        named += len(beside)
        chance += len(beside) * (genus == genus[a]).mean()
    assert named > 1000 and same > 10 * chance


def test_statistics_go_round(tmp_path):
    rng = np.random.default_rng(0)
    x = [rng.standard_normal((3, 1024)).astype(np.float32) for _ in range(40)]
    simulate.Sounds.of(x, rank=8).save(tmp_path / "s.npz")
    back = simulate.Sounds.load(tmp_path / "s.npz")
    assert back.factor.shape == (1024, 8)
    assert np.abs(back.mean - np.concatenate(x).mean(axis=0)).max() < 1e-2
    with pytest.raises(WeightsError):
        simulate.Sounds.load(tmp_path / "none.npz")
