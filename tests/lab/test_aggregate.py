"""Averaging distributions of recordings of one spot."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from engine.core.errors import SettingError
from engine.lab.bench.aggregate import aggregated

LAT, LON = np.array([10.0, 10.001, 50.0, 10.0]), np.array([20.0, 20.001, 20.0, 20.0])
DAYS = [date(2020, 5, 1), date(2021, 5, 2), date(2020, 5, 1), date(2020, 9, 1)]
with np.errstate(divide="ignore"):
    MASS = np.log(np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))


def test_space_alone():
    groups = aggregated(MASS, LAT, LON, resolution=5)
    assert sorted(tuple(g.rows) for g in groups) == [(0, 1, 3), (2,)]
    together = next(g for g in groups if len(g.rows) == 3)
    assert np.exp(together.log_mass) == pytest.approx([1 / 6, 1 / 3, 1 / 2])


def test_space_and_month_whatever_the_year():
    groups = aggregated(MASS, LAT, LON, DAYS, 5, "month")
    assert sorted(tuple(g.rows) for g in groups) == [(0, 1), (2,), (3,)]


def test_a_recording_without_a_day_stands_alone():
    groups = aggregated(MASS, LAT, LON, [None, *DAYS[1:]], 5, "month")
    assert sorted(tuple(g.rows) for g in groups) == [(0,), (1,), (2,), (3,)]


def test_what_is_missing_is_said():
    with pytest.raises(SettingError):
        aggregated(MASS, LAT, LON, span="month")
    with pytest.raises(SettingError):
        aggregated(MASS, LAT, LON, DAYS, 5, "decade")
