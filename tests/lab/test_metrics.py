"""Metrics against known answers, and against the published scorer's arithmetic."""

from __future__ import annotations

import json
import math

import h3.api.numpy_int as h3
import numpy as np
import pytest

from engine.core.errors import DataError
from engine.core.grid import Grid
from engine.core.posterior import Posterior
from engine.lab.bench import metrics


def test_perfect_predictor_scores_zero_km():
    lat, lon = np.array([90.0, -90.0, 0.0, 12.5]), np.array([0.0, 13.0, 180.0, -7.0])
    score = metrics.Score.of_errors("perfect", metrics.errors_km(lat, lon, lat, lon))
    assert score.median_km == 0.0 and score.mean_km == 0.0
    assert score.within_km == {"1": 100.0, "25": 100.0, "200": 100.0, "750": 100.0, "2500": 100.0}
    assert score.geoscore == 5000.0


def test_antimeridian_is_one_place_and_antipode_is_half_the_circumference():
    e = metrics.errors_km([0.0, 0.0], [180.0, 0.0], [0.0, 0.0], [-180.0, 180.0])
    assert e[0] == pytest.approx(0.0, abs=1e-6)
    assert e[1] == pytest.approx(math.pi * 6371.0088)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 91.0])
def test_a_prediction_that_is_no_place_raises(bad: float):
    with pytest.raises(DataError):
        metrics.errors_km([0.0, bad], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0])


def test_nothing_to_score_raises():
    with pytest.raises(DataError):
        metrics.Score.of_errors("none", [])
    with pytest.raises(DataError):
        metrics.Score.of_errors("nan", [1.0, float("nan")])


def test_equals_the_published_scorer():
    """Haversine with a radius of 6,371 km, shares with ≤, as the benchmark's own scorer computes them."""
    rng = np.random.default_rng(0)
    lat, lat2 = rng.uniform(-90, 90, (2, 500))
    lon, lon2 = rng.uniform(-180, 180, (2, 500))
    lat2[:100], lon2[:100] = lat[:100] + rng.normal(0, 0.2, 100).clip(-0.5, 0.5) * (np.abs(lat[:100]) < 89), lon[:100]
    ours = metrics.Score.of_errors("x", metrics.errors_km(lat, lon, lat2, lon2), resamples=0)
    p1, p2 = np.deg2rad(lat), np.deg2rad(lat2)
    a = np.sin((p2 - p1) / 2) ** 2 + np.cos(p1) * np.cos(p2) * np.sin(np.deg2rad(lon2 - lon) / 2) ** 2
    theirs = 2 * 6371 * np.arcsin(np.sqrt(a))
    assert ours.median_km == pytest.approx(np.median(theirs), rel=2e-6)
    assert ours.mean_km == pytest.approx(np.mean(theirs), rel=2e-6)
    for r in (1, 25, 200, 750, 2500):
        assert ours.within_km[str(r)] == pytest.approx(100 * np.mean(theirs <= r))


def test_outcome_of_a_uniform_and_of_a_certain_posterior():
    cells = np.unique(np.array([h3.latlng_to_cell(a, 10.0, 3) for a in np.arange(-40, 40, 2.0)], dtype=np.uint64))
    grid = Grid.of(cells)
    n = len(grid)
    lat, lon = grid.lat_lon_deg
    uniform = Posterior(grid, np.full(n, -np.log(n)))
    assert metrics.outcome(uniform, lat[3], lon[3]).nll == pytest.approx(np.log(n))
    with np.errstate(divide="ignore"):
        sure = Posterior(grid, np.log(np.eye(n)[3]))
    hit = metrics.outcome(sure, lat[3], lon[3])
    assert hit.nll == pytest.approx(0.0) and hit.error_km == pytest.approx(0.0, abs=1e-9)
    assert hit.covered == {0.5: True, 0.9: True}
    miss = metrics.outcome(sure, 60.0, -120.0)  # outside the grid
    assert miss.nll == math.inf and not any(miss.covered.values())


def test_nll_sums_refined_mass_to_the_parent():
    cell = h3.latlng_to_cell(10.0, 10.0, 3)
    other = h3.latlng_to_cell(-10.0, 10.0, 3)
    grid = Grid.of([*h3.cell_to_children(cell, 5), other])
    children = len(grid) - 1
    mass = np.where(grid.cells == np.uint64(other), 0.5, 0.5 / children)
    got = metrics.outcome(Posterior(grid, np.log(mass)), 10.0, 10.0)
    assert got.nll == pytest.approx(np.log(2))


def test_bootstrap_keeps_groups_together():
    """Two groups that agree within: an interval over groups reaches both means, one over items does not."""
    errors = np.r_[np.zeros(50), np.full(50, 1000.0)]
    grouped = metrics.Score.of_errors("g", errors, groups=np.r_[np.zeros(50), np.ones(50)]).intervals["mean_km"]
    single = metrics.Score.of_errors("s", errors).intervals["mean_km"]
    assert (grouped.low, grouped.high) == (0.0, 1000.0)
    assert 350 < single.low < 500 < single.high < 650


def test_paired_bootstrap_finds_a_small_but_steady_gain():
    rng = np.random.default_rng(1)
    b = rng.uniform(0, 5000, 200)
    better = metrics.paired(b * 0.9, b, "mean_km")
    assert better.interval.high < 0 and better.share_lower == 1.0
    same = metrics.paired(b, b, "median_km")
    assert same.difference == 0.0


def test_json_and_table():
    score = metrics.Score.of_errors("row", [10.0, 100.0, 3000.0], note="said beside")
    row = json.loads(metrics.to_json_text({"rows": [score]}))["rows"][0]
    assert row["n"] == 3 and row["spoke"] == 3 and row["median_km"] == 100.0
    assert row["within_km"]["25"] == pytest.approx(100 / 3)
    text = metrics.table([score])
    assert "row" in text and "33.3" in text and "said beside" in text
