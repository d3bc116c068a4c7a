"""How likely a marked shadow is at every place of a map: where the sun stood, over all the times it may have been.

The draws of `geometry` become a table over the sun's elevation (and azimuth, where the camera's direction is known). For each
time in question the sun is a unit vector, and its elevation over all places one product of vectors; the likelihood of a place
is the mean of the table over the times. With L its mean over the map by area and c the chance that the marking is right, the
evidence is

    l(x) = log((1 - c) + c * L(x) / L).

So a place that does not fit is at most 1 / (1 - c) times less likely than a place of which nothing is known. Several shadows
share the camera and what was assumed of it: the second counts half, the third a third, as cues of one group do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.clues.sun.geometry import Directions, directions
from engine.clues.sun.mark import DAY_MIN, Mark, When
from engine.clues.sun.spec import SHADOW, SPEC
from engine.core.errors import SettingError
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.world import sun

MOST_MARKS = 8
MOST_SURE = 0.98  # an analyst errs too: the shadow of something else, or a clock that was wrong
MOST_TIMES, MOST_TIMES_TURNED = 256, 96
STEP_MIN = 3.0
_GOLDEN = 0.6180339887498949
_ELEVATION_BINS, _AZIMUTH_BINS = 360, 360  # of 0.25 and 1 degree
_SINE_BINS = 4096
_LEAST_SMOOTH_DEG, _AZIMUTH_SMOOTH_DEG = 0.6, 2.0


Axes = tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """p(marks | sun), up to a constant, by the sun's elevation as the air shows it, or by elevation and azimuth.

    Attributes:
        by_elevation: (360,) in steps of 0.25 degrees from 0.125.
        by_both: (360, 360) with azimuths from north in steps of 1 degree from 0.5, or None.
        by_sine: (4096,) the same as by_elevation over the sine of the true elevation from -1 to 1, for fast look-up.
        high: (4096,) row of by_both for each of these sines, -1 where the sun is down.
    """

    by_elevation: NDArray[np.float64] = field(repr=False)
    by_both: NDArray[np.float32] | None = field(repr=False)
    by_sine: NDArray[np.float32] = field(repr=False)
    high: NDArray[np.int16] = field(repr=False)


def table_of(found: Directions) -> Table:
    """The draws as a table, smoothed as Silverman's rule has it (1986, Density Estimation, equation 3.31), a little less."""
    from scipy.ndimage import gaussian_filter, gaussian_filter1d

    w, e = found.weight, found.elevation_deg
    mean = float(w @ e)
    spread = float(np.sqrt(w @ (e - mean) ** 2))
    enough = 1.0 / float((w**2).sum())
    smooth = max(_LEAST_SMOOTH_DEG, 0.7 * spread * enough**-0.2) * 4.0  # in bins
    counts = np.histogram(e, bins=_ELEVATION_BINS, range=(0.0, 90.0), weights=w)[0]
    flat = gaussian_filter1d(counts, smooth, mode="nearest")
    both = None
    if found.from_north:
        cells = np.histogram2d(e, found.azimuth_deg % 360.0, bins=(_ELEVATION_BINS, _AZIMUTH_BINS),
                               range=((0.0, 90.0), (0.0, 360.0)), weights=w)[0]  # fmt: skip
        both = gaussian_filter(cells, (smooth, _AZIMUTH_SMOOTH_DEG), mode=("nearest", "wrap")).astype(np.float32)
    sine = (np.arange(_SINE_BINS) + 0.5) / _SINE_BINS * 2.0 - 1.0
    true = np.degrees(np.arcsin(sine))
    seen = true + sun.refraction_deg(true)
    row = np.where(seen > 0.0, np.clip((seen * 4.0).astype(np.int64), 0, _ELEVATION_BINS - 1), -1).astype(np.int16)
    fine = np.where(seen > 0.0, np.interp(seen, (np.arange(_ELEVATION_BINS) + 0.5) / 4.0, flat), 0.0)
    return Table(flat, both, fine.astype(np.float32), row)


def table(mark: Mark, seed: int = 0) -> Table:
    """The table of a marking; when it was changes nothing.

    Raises:
        SettingError: no sun throws such a shadow.
    """
    return _table(mark.but(_ANY_DAY).text, seed)


@lru_cache(maxsize=64)
def _table(text: str, seed: int) -> Table:
    return table_of(directions(Mark.parse(text), seed=seed))


_ANY_DAY = When(date(2000, 1, 1), date(2000, 1, 1))


def times_of(when: When, most: int) -> tuple[list[date], NDArray[np.float64]]:
    """(days, minutes after midnight (n,)) that stand for a span of times: evenly over it, at most so many."""
    days = (when.last - when.first).days + 1
    length = when.end_min - when.start_min
    if days == 1:
        n = int(np.clip(np.ceil(length / STEP_MIN), 5, most))
        return [when.first] * n, when.start_min + length * (np.arange(n) + 0.5) / n
    share = np.mod(np.arange(most) * _GOLDEN + 0.5, 1.0)
    at = ((np.arange(most) + 0.5) / most * days).astype(int)
    return [when.first + timedelta(days=int(i)) for i in at], when.start_min + share * length


def likelihood(mark: Mark, grid: Grid, seed: int = 0) -> NDArray[np.float64]:
    """(cells,) p(marks | place), up to a constant, the time being anywhere in the marking's span.

    Raises:
        SettingError: no sun throws such a shadow.
    """
    held = _likelihoods.get(key := (mark.text, grid.key, seed))
    if held is None:
        lat, lon = grid.lat_lon_deg
        zones = sun.zones_of(grid) if mark.when.offset_min is None else None
        held = likelihood_at(mark, lat, lon, zones, seed)
        held.setflags(write=False)
        while len(_likelihoods) >= 16:
            _likelihoods.pop(next(iter(_likelihoods)))
        _likelihoods[key] = held
    return held


_likelihoods: dict[tuple[str, str, int], NDArray[np.float64]] = {}


def likelihood_at(
    mark: Mark,
    lat_deg: NDArray[np.float64],
    lon_deg: NDArray[np.float64],
    zones: tuple[tuple[str, ...], NDArray[np.int64]] | None = None,
    seed: int = 0,
) -> NDArray[np.float64]:
    """The same at any places, (n,).

    Args:
        zones: names of time zones and the number of each place's among them, where the clock is the place's own.
    """
    held = table(mark, seed)
    axes: Axes = tuple(a.astype(np.float32) for a in sun.axes(lat_deg, lon_deg))
    days, minutes = times_of(mark.when, MOST_TIMES if held.by_both is None else MOST_TIMES_TURNED)
    if zones is None:
        ahead = np.full(len(days), mark.when.offset_min or 0, dtype=np.float64)
        return _mean(held, axes, _unix(days, minutes, ahead))
    out = np.zeros(len(lat_deg))
    names, number = zones
    by_shift: dict[tuple[int, ...], list[int]] = {}
    for i, name in enumerate(names):
        shift = tuple(sun.offset_min(name, d, int(m)) for d, m in zip(days, minutes, strict=True))
        by_shift.setdefault(shift, []).append(i)
    for shift, members in by_shift.items():
        own = np.isin(number, members)
        if own.any():
            out[own] = _mean(held, tuple(a[own] for a in axes), _unix(days, minutes, np.array(shift, dtype=np.float64)))
    return out


def of_marks(marks: Sequence[tuple[Mark, float]], grid: Grid, seed: int = 0) -> NDArray[np.float64] | None:
    """(cells,) the evidence of marked shadows, each with the chance that it is right; None where none fits any place.

    Raises:
        SettingError: no sun throws one of the shadows.
    """
    found = []
    for mark, chance in marks:
        values = likelihood(mark, grid, seed)
        mean = float(values @ grid.area_km2) / float(grid.area_km2.sum())
        if mean > 0.0:
            c = min(MOST_SURE, chance)
            found.append(np.log1p(c * (values / mean - 1.0)))
    if not found:
        return None
    found.sort(key=lambda one: -float(one.max()))
    return np.asarray(sum(one / rank for rank, one in enumerate(found, 1)))


def log_likelihood(observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
    """The places where the sun threw the marked shadows, (cells,); abstains where none is marked."""
    own = tuple(o for o in observations if o.kind == SHADOW)
    if not own:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, "no shadow is marked", expected=False)
    try:
        log_l = of_marks([(mark_of(o), o.score) for o in own[:MOST_MARKS]], grid)
    except SettingError as error:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, str(error).rstrip("."), own)
    if log_l is None:
        why = "at the time given, the sun stands nowhere where the marked shadow puts it"
        return Evidence.silent(SPEC.name, SPEC.modality, grid, why, own)
    return Evidence(SPEC.name, SPEC.modality, grid, log_l, own, models=SPEC.model_ids)


def mark_of(o: Observation) -> Mark:
    """The marking that a shadow's observation is.

    Raises:
        SettingError: its label is none.
    """
    return Mark.parse(o.label)


def fit_by_time(
    mark: Mark, lat_deg: float, lon_deg: float, year: int, step_min: int = 15, seed: int = 0
) -> tuple[list[date], NDArray[np.float64], NDArray[np.float64]]:
    """How well each time of a year fits at one place.

    Returns:
        (days, hours of the place's own clock (m,), (days, m) p(marks | time) by its highest: 1 where it fits best; NaN where the
        sun is down).
    """
    held = table(mark, seed)
    first = date(year, 1, 1)
    days = [first + timedelta(days=i) for i in range((date(year + 1, 1, 1) - first).days)]
    minutes = np.arange(step_min / 2, DAY_MIN, step_min)
    zone = sun.zone_at(lat_deg, lon_deg)
    shift = np.array([[sun.offset_min(zone, d, int(m)) for m in minutes] for d in days], dtype=np.float64)
    unix = _unix([d for d in days for _ in minutes], np.tile(minutes, len(days)), shift.ravel())
    elevation, azimuth = sun.positions(lat_deg, lon_deg, unix)
    row = np.clip((elevation * 4.0).astype(int), 0, _ELEVATION_BINS - 1)
    if held.by_both is None:
        fit = held.by_elevation[row] / held.by_elevation.max()
    else:
        fit = held.by_both[row, azimuth.astype(int) % 360].astype(np.float64) / float(held.by_both.max())
    return days, minutes / 60.0, np.where(elevation > 0.0, fit, np.nan).reshape(len(days), len(minutes))


def _unix(days: Sequence[date], minutes: NDArray[np.float64], ahead_min: NDArray[np.float64]) -> NDArray[np.float64]:
    midnight = np.array([datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp() for d in days])
    return np.asarray(midnight + 60.0 * (minutes - ahead_min))


def _mean(held: Table, axes: Axes, unix_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) mean of the table over times, at places given by their axes."""
    up, east, north = axes
    vectors = sun.sun_vectors(unix_s).astype(np.float32)
    total = np.zeros(len(up))
    for part in np.array_split(vectors, max(1, len(vectors) // 32)):  # so that what is worked on stays in the cache
        at = ((up @ part.T + np.float32(1.0)) * np.float32(_SINE_BINS / 2)).astype(np.int32)
        np.clip(at, 0, _SINE_BINS - 1, out=at)
        if held.by_both is None:
            total += held.by_sine[at].sum(axis=1, dtype=np.float64)
            continue
        row = held.high[at]
        there = row >= 0
        cell, time = np.nonzero(there)
        azimuth = np.degrees(np.arctan2((east[cell] * part[time]).sum(1), (north[cell] * part[time]).sum(1)))
        column = azimuth.astype(np.int32) % _AZIMUTH_BINS
        total += np.bincount(cell, held.by_both[row[there], column], minlength=len(up))
    return total / len(vectors)
