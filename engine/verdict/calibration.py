"""From a modality's posterior to a factor for a place: what `earwitness lab calibrate-mismatch` wrote, and how it is applied.

A trial holds a recording (or a photo) of known place against a place: its own, or another. With B(i) the factor that the
modality's posterior gives to a clip from cell i (`agreement.spread`), logistic regression over trials gives

    log10 F(i) = offset + slope · log10 B(i),

and the trials bound it from `low` to `high` (empirical bounds of Vergeer et al. 2016, Science & Justice 56, on as many trials as
there are regions behind them). What the map is applied to is never one cell for sure. With q(i) the share of cell i (the place
claimed; or the other modality's posterior, with its own spread) and m the rate at which such a posterior misses the place
altogether,

    factor = (1 - m) · Σ_i q(i) · min(F(i), high) + m,        no smaller than low and no larger than high:

where the picture is misread, the sound is as likely as anywhere. Numbers are kept for a few radii of the kernel and interpolated
between them over the logarithm of the radius.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.core.paths import ASSETS

CALIBRATION_FILE = ASSETS / "models" / "mismatch.json"
RADII_KM = (1.0, 50.0, 150.0, 500.0)
LEAST_FACTOR = float(np.log10(2.0))  # below it the verbal scale has no support for either side
_BINS = 50.0  # per unit of log10 B: cells whose factors differ by less are taken together
_MOST_LOG10 = 12.0
_LN10 = float(np.log(10.0))
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """log10 factor = offset + slope · log10 B, clipped to [low, high]; bootstrap holds (offset, slope) of each resample.

    Attributes:
        pairs: trials behind it.
        things: recordings or photos behind these.
    """

    offset: float
    slope: float
    low: float
    high: float
    pairs: int
    bootstrap: tuple[tuple[float, float], ...]
    things: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One factor.

    Attributes:
        log10_raw: before calibration.
        log10_factor: calibrated and bounded.
        low, high: 95% interval of log10_factor, from the bootstrap of its validation.
        at_bound: it would be more extreme if more validation supported it.
        free: log10_factor without bounds, to be compared with another of its kind.
    """

    log10_raw: float
    log10_factor: float
    low: float
    high: float
    at_bound: bool
    free: float = 0.0


NEUTRAL = Answer(0.0, 0.0, 0.0, 0.0, False)
"""What a modality without a usable location gives."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What a modality is held against.

    Attributes:
        share: (cells,) how far the clip may be from each cell, sum 1.
        misread: the rate at which that is wrong altogether.
    """

    share: Array
    misread: float = 0.0


def answer(fit: Calibration, raw: Array, target: Target) -> Answer:
    """The factor of the module's text.

    Args:
        raw: (cells,) log10 of B.
    """
    value, share = _binned(raw, target.share)
    high = 10.0**fit.high
    every = np.array([(fit.offset, fit.slope), *fit.bootstrap])
    factor = np.exp(_LN10 * np.clip(every[:, :1] + every[:, 1:] * value, -_MOST_LOG10, _MOST_LOG10))
    mean = float(factor[0] @ share)
    mixed = np.log10((1.0 - target.misread) * (np.minimum(factor, high) @ share) + target.misread)
    mixed = np.clip(mixed, fit.low, fit.high)
    low, most = np.percentile(mixed[1:], [2.5, 97.5]) if len(mixed) > 1 else (mixed[0], mixed[0])
    before = float(np.log10(max(float(10.0**value @ share), 1e-300)))
    free = float(np.log10((1.0 - target.misread) * mean + target.misread))
    return Answer(before, float(mixed[0]), float(low), float(most), not fit.low < np.log10(mean) < fit.high, free)


def _binned(raw: Array, share: Array) -> tuple[Array, Array]:
    """(values, shares) of the cells, those that hardly differ in raw taken together."""
    raw = np.clip(raw, -_MOST_LOG10, _MOST_LOG10)
    at = np.rint((raw + _MOST_LOG10) * _BINS).astype(np.int64)
    total = np.bincount(at, share)
    used = total > 0.0
    return np.bincount(at, share * raw)[used] / total[used], total[used] / total.sum()


@dataclass(frozen=True, slots=True)
class Maps:
    """Every calibration of a modality against a place.

    Attributes:
        fits: modality to its fits at RADII_KM.
        misread: kind of reading to the rate at which a picture's 90% region misses.
    """

    fits: Mapping[str, tuple[Calibration, ...]]
    misread: Mapping[str, float]

    def fit(self, modality: str, radius_km: float) -> Calibration:
        """The calibration of "sound" or "picture" at a radius."""
        fits = self.fits[modality]
        at = float(np.interp(np.log(radius_km), np.log(RADII_KM), np.arange(len(RADII_KM))))
        below = min(int(at), len(fits) - 2)
        return _between(fits[below], fits[below + 1], at - below)

    def misread_rate(self, kind: str) -> float:
        """How often a picture read in this way points elsewhere; the worst rate known for a kind without one."""
        return self.misread.get(kind, max(self.misread.values()))


def _between(a: Calibration, b: Calibration, part: float) -> Calibration:
    """The calibration between two, `part` of the way from a to b; resample by resample, for both used the same ones."""

    def mean(x: float, y: float) -> float:
        return (1.0 - part) * x + part * y

    return Calibration(
        offset=mean(a.offset, b.offset),
        slope=mean(a.slope, b.slope),
        low=mean(a.low, b.low),
        high=mean(a.high, b.high),
        pairs=b.pairs if part >= 0.5 else a.pairs,
        bootstrap=tuple((mean(o, p), mean(s, t)) for (o, s), (p, t) in zip(a.bootstrap, b.bootstrap, strict=True)),
        things=b.things if part >= 0.5 else a.things,
    )


def calibration_of(own: Mapping[str, Any]) -> Calibration:
    """A calibration as it is written.

    Raises:
        KeyError, TypeError, ValueError: something is missing or no number.
    """
    return Calibration(
        offset=float(own["offset"]),
        slope=float(own["slope"]),
        low=float(own["low"]),
        high=float(own["high"]),
        pairs=int(own["pairs"]),
        bootstrap=tuple((float(o), float(s)) for o, s in own["bootstrap"]),
        things=int(own["things"]),
    )


def maps_of(data: Mapping[str, Any]) -> Maps:
    """The maps as they are written; errors as for `calibration_of`."""
    fits: dict[str, Sequence[Mapping[str, Any]]] = {name: data[name]["by_radius"] for name in ("sound", "picture")}
    if any(tuple(own["radius_km"] for own in rows) != RADII_KM for rows in fits.values()):
        raise ValueError("other radii")
    return Maps(
        {name: tuple(calibration_of(own) for own in rows) for name, rows in fits.items()},
        {kind: float(own["rate"]) for kind, own in data["misread"].items()},
    )


@cache
def maps(path: Path = CALIBRATION_FILE) -> Maps:
    """The shipped calibrations.

    Raises:
        WeightsError: the file is missing or malformed.
    """
    try:
        return maps_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        raise WeightsError(f"{path} is missing or damaged; restore it from the repository.") from None
