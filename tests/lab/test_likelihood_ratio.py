"""Measures of likelihood ratios: known answers, and the numbers of the Netherlands Forensic Institute's package."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.lab.bench import likelihood_ratio as lr


def drawn(seed: int, n_same: int = 60, n_different: int = 400) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Ratios of a system that is right more often than not, and overconfident."""
    rng = np.random.default_rng(seed)
    z = np.concatenate([rng.normal(0.8, 1.0, n_same), rng.normal(-0.8, 1.0, n_different)])
    return z, np.arange(len(z)) < n_same


def test_known_costs() -> None:
    same = np.array([True, False, False])
    assert lr.cllr(np.zeros(3), same) == pytest.approx(1.0)
    assert lr.cllr(np.array([9.0, -9.0, -9.0]), same) < 1e-6
    assert lr.cllr(np.array([1.0, -1.0, 0.0]), same) == pytest.approx((np.log2(1.1) + (np.log2(1.1) + 1.0) / 2) / 2)
    assert lr.cllr(np.array([1.0, -1.0, 0.0]), same, np.array([1.0, 1.0, 0.0])) == pytest.approx(np.log2(1.1))


def test_weights_count_like_copies() -> None:
    z, same = drawn(1)
    times = np.random.default_rng(2).integers(1, 4, len(z))
    copies, whose = np.repeat(z, times), np.repeat(same, times)
    for measure in (lr.cllr, lr.cllr_min, lr.dev_pav):
        assert measure(z, same, times.astype(float)) == pytest.approx(measure(copies, whose), abs=1e-9)
    n_same, n_different = whose.sum(), (~whose).sum()
    assert lr.elub(z, same, times.astype(float), n_same, n_different) == lr.elub(copies, whose, None, n_same, n_different)


def test_the_best_map_costs_no_more() -> None:
    z, same = drawn(3)
    assert lr.cllr_min(z, same) <= lr.cllr(z, same)
    assert lr.cllr_min(z, same) == pytest.approx(lr.cllr_min(7.0 * z - 2.0, same)), "it depends on the order alone"


def test_ratios_that_pav_leaves_alone_are_calibrated() -> None:
    """9 of 10 and 1 of 10: log10 9 and its reverse."""
    same = np.array([True] * 9 + [False] + [True] + [False] * 9)
    z = np.where(np.arange(20) < 10, np.log10(9.0), -np.log10(9.0))
    assert lr.dev_pav(z, same) == pytest.approx(0.0, abs=1e-9)
    assert lr.dev_pav(z + 0.5, same) == pytest.approx(0.5)


def test_fewer_independent_trials_bound_ratios_more() -> None:
    z, same = drawn(4)
    every, few = lr.elub(z, same, None, 60, 400), lr.elub(z, same, None, 8, 30)
    assert every[0] <= few[0] < 0.0 < few[1] <= every[1]
    assert -np.log10(9.0) <= few[0] and few[1] <= np.log10(31.0)


def test_effective_counts() -> None:
    z = np.random.default_rng(5).normal(size=200)
    alone = np.arange(200)
    assert lr.effective(z, np.ones(200), (alone,)) == pytest.approx(200.0)
    alike = np.repeat(z[:20], 10)
    assert lr.effective(alike, np.ones(200), (np.repeat(np.arange(20), 10),)) == pytest.approx(20.0)


def test_a_fit_finds_the_map_it_was_made_by() -> None:
    """Scores of two normals d apart with equal variance: log LR is affine, its slope d / variance."""
    rng = np.random.default_rng(6)
    raw = np.concatenate([rng.normal(0.5, 0.5, 40_000), rng.normal(-0.5, 0.5, 40_000)])
    same = np.arange(80_000) < 40_000
    offset, slope = lr.fit(raw, same)
    assert slope == pytest.approx(4.0 / np.log(10.0), rel=0.03) and offset == pytest.approx(0.0, abs=0.03)
    offset, slope = lr.fit(raw, same, most_slope=1.0)
    assert slope == 1.0 and offset == pytest.approx(0.0, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_netherlands_forensic_institutes_package_computes_the_same(seed: int) -> None:
    lir = pytest.importorskip("lir.metrics", reason="needs lir 1.3.1: pip install lir==1.3.1")
    from lir.algorithms.bayeserror import elub
    from lir.data.models import LLRData
    from lir.metrics.devpav import devpav

    z, same = drawn(seed, 40 + 20 * seed, 300)
    data = LLRData(features=z.copy(), labels=same.astype(int))
    assert lr.cllr(z, same) == pytest.approx(lir.cllr(data), abs=1e-9)
    assert lr.cllr_min(z, same) == pytest.approx(lir.cllr_min(data), abs=1e-6)
    assert lr.dev_pav(z, same) == pytest.approx(devpav(z.copy(), same.astype(int)), abs=1e-6)
    assert lr.elub(z, same, None, same.sum(), (~same).sum()) == pytest.approx(elub(z.copy(), same.astype(int)), abs=1e-9)
