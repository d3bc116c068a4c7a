"""Pairs made by hand: what the table says of each distance, and bounds that shrink when fewer pairs are independent."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.grid import Grid, cells_at
from engine.core.posterior import Prior
from engine.lab.bench import mismatch
from engine.verdict import compare

K = compare.Calibration(0.0, 1.0, -1.5, 1.5, 40, ((0.0, 1.0),))


def pairs() -> mismatch.Pairs:
    """Ten recordings and four photos: one photo lies where the recordings are, the others 300, 3,000 and 9,000 km away."""
    recording, photo = (x.ravel() for x in np.indices((10, 4)))
    km = np.array([50.0, 300.0, 3000.0, 9000.0])[photo]
    raw = np.array([1.2, 1.2, -0.2, -2.0])[photo]
    raw[0] = -1.2  # one pair from one place misleads
    return mismatch.Pairs(recording, photo, km, {"land": raw}, np.arange(10) % 5, np.arange(4))


def test_every_distance_says_how_often_it_is_called_what() -> None:
    found = mismatch.report(pairs(), pairs().raw["land"], K, 0)
    bands = {(b["from_km"], b["to_km"]): b for b in found["bands"]}
    here, near = bands[0, 200], bands[200, 500]
    assert (here["pairs"], here["recordings"], here["photos"]) == (10, 10, 1)
    assert here["different_moderate"] == pytest.approx(0.1) and here["same_moderate"] == pytest.approx(0.9)
    assert near["same_moderate"] == 1.0 and bands[5000, 10000]["different_moderate"] == 1.0
    assert bands[2500, 5000]["different_moderate"] == bands[2500, 5000]["same_moderate"] == 0.0


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    mismatch.show(mismatch.report(pairs(), pairs().raw["land"], K, 0))
    out = capsys.readouterr().out
    assert "called, moderate or more" in out and "10.0%" in out and "90.0%" in out


def test_fewer_independent_pairs_bound_the_factor_more() -> None:
    found = pairs()
    same = found.km < mismatch.SAME_KM
    every = mismatch.bounds(found.raw["land"], same, np.ones(40), 69, 4143)
    few = mismatch.bounds(found.raw["land"], same, np.ones(40), 16, 107)
    assert every[0] <= few[0] < 0.0 < few[1] <= every[1]


def test_places_drawn_apart_from_two_far_cells_are_near_half_of_the_time() -> None:
    grid = Grid.of(cells_at(np.array([48.0, -48.0]), np.array([2.0, -178.0]), 3))
    prior = Prior("two", grid, np.log([0.5, 0.5]))
    near = mismatch.drawn_near(prior, (1.0, 250.0, 19_000.0, 20_100.0), 20_000, 0)
    assert near[0] < 0.01 and near[1] == pytest.approx(0.5, abs=0.02) and near[2] == near[1] and near[3] == 1.0
    assert list(mismatch.drawn_near(prior, (250.0,), 20_000, 0)) == [near[1]], "the same seed draws the same places"
