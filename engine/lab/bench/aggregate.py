"""Recordings of one neighbourhood and season put together: their distributions over places are averaged.

Grouped by H3 cell of resolution 5 or 6, alone or with the month or week. Groups are known from the true places, as in the
paper: the question is what many recordings of one spot are worth together, not how to find the spot.

Source: Chasmai et al. 2025, arXiv 2505.18726, section 5 (aggregation over space and time).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from engine.core.errors import SettingError

RESOLUTIONS = (5, 6)
SPANS = ("", "month", "week")


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Recordings put together: their indices (m,), and the log of their mean distribution (cells,)."""

    rows: NDArray[np.int64]
    log_mass: NDArray[np.float64]


def aggregated(
    log_mass: NDArray[np.float64],
    lat_deg: NDArray[np.float64],
    lon_deg: NDArray[np.float64],
    days: Sequence[date | None] = (),
    resolution: int = 5,
    span: str = "",
) -> tuple[Group, ...]:
    """Groups of recordings with the average of their distributions.

    Args:
        log_mass: (n, cells), each row with logsumexp 0.
        days: (n,) day of each; needed with a span. A recording without a day stands alone.
        span: "", "month" or "week" of the year.

    Raises:
        SettingError: no such span, or days are missing.
        ValueError: lengths differ, or a row is NaN.
    """
    n = len(log_mass)
    if span not in SPANS or (span and len(days) != n):
        raise SettingError(f"Recordings can be grouped by {', '.join(s for s in SPANS if s)}, with a day for each; give both.")
    if len(lat_deg) != n or len(lon_deg) != n or np.isnan(log_mass).any():
        raise ValueError("each recording needs a distribution and a place")
    keys: dict[tuple[object, ...], list[int]] = {}
    for i in range(n):
        cell = int(h3.latlng_to_cell(lat_deg[i], lon_deg[i], resolution))
        key: tuple[object, ...] = (cell,)
        if span:
            day = days[i]
            key = (cell, "alone", i) if day is None else (cell, day.month if span == "month" else day.isocalendar().week)
        keys.setdefault(key, []).append(i)
    groups = []
    for members in keys.values():
        rows = np.array(members)
        groups.append(Group(rows, logsumexp(log_mass[rows], axis=0) - np.log(len(rows))))
    return tuple(groups)
