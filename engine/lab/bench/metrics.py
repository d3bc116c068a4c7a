"""How well places are found: errors in km, shares within a radius, and what a distribution over the map is worth.

One set of metrics for every benchmark and every table. Shares within a radius are percent, as the papers print them;
coverage is a fraction. A prediction that is NaN raises: it never counts as 0 km.

Sources: Chasmai et al. 2025, "Audio Geolocation: A Natural Sounds Benchmark", section 3 (median and percent within 25,
200, 750 and 2,500 km); the GeoGuessr score of up to 5,000 points, 5,000 · exp(−km / 1,492.7), as in Astruc et al.
2024, "OpenStreetView-5M", section 4.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.core import sphere
from engine.core.errors import DataError
from engine.core.grid import WORLD_RESOLUTION
from engine.core.posterior import Posterior

RADII_KM = (1, 25, 200, 750, 2500)
GEOSCORE_SCALE_KM = 1492.7
# A mean of −ln(mass) with one true place outside the map would be infinite and say nothing of the others: no recording
# counts for more than this.
NLL_CEILING = 25.0
_SHOWN = ("50", "90")
Array = NDArray[np.float64]


def errors_km(lat_deg: ArrayLike, lon_deg: ArrayLike, true_lat_deg: ArrayLike, true_lon_deg: ArrayLike) -> Array:
    """Great-circle error of each prediction in km, (n,).

    Raises:
        DataError: nothing to score, the lengths differ, or a coordinate is NaN, infinite or beyond a pole.
    """
    columns = [np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (lat_deg, lon_deg, true_lat_deg, true_lon_deg)]
    if len({c.shape for c in columns}) != 1 or columns[0].ndim != 1:
        raise DataError("Predictions and true places differ in number; give one prediction per recording.")
    if len(columns[0]) == 0:
        raise DataError("There is no prediction to score; give at least one.")
    for c in columns:
        if not np.isfinite(c).all():
            at = int(np.flatnonzero(~np.isfinite(c))[0])
            raise DataError(f"Prediction {at + 1} is not a place on Earth; leave the recording out or predict a place.")
    try:
        return sphere.distance_km(*columns)
    except ValueError as wrong:
        raise DataError(f"A place cannot be scored ({wrong}); give degrees, latitude first.") from wrong


def geoscore(error_km: ArrayLike) -> Array:
    """GeoGuessr points of each error, 5,000 at 0 km."""
    return 5000.0 * np.exp(-np.asarray(error_km, dtype=np.float64) / GEOSCORE_SCALE_KM)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one posterior was worth for one recording whose place is known.

    Attributes:
        error_km: from the place reported to the true one.
        nll: −ln of the mass in the truth's resolution-3 cell; infinite when that cell has none.
        covered: share → whether the region that holds that share of the mass holds the true place.
        spoke: whether the system gave an answer of its own (else the prior was scored).
        region_rank: share of the mass in all cells at least as dense as the truth's, or None when no map was given: over many
            recordings it is even between 0 and 1 where regions hold what they say.
    """

    error_km: float
    nll: float
    covered: Mapping[float, bool]
    spoke: bool = True
    region_rank: float | None = None


def outcome(
    posterior: Posterior,
    true_lat_deg: float,
    true_lon_deg: float,
    place: tuple[float, float] | None = None,
    shares: Sequence[float] = (0.5, 0.9),
    spoke: bool = True,
) -> Outcome:
    """Score one posterior against the true place.

    Args:
        posterior: on any grid; refined mass is summed to resolution 3 for nll. A true place outside the grid is missed:
            not covered, and its nll infinite.
        place: (lat, lon) in degrees of the answer scored; None takes `posterior.place()`.

    Raises:
        DataError: a coordinate is NaN or beyond a pole.
    """
    if place is None:
        best = posterior.place()
        place = (best.lat_deg, best.lon_deg)
    error = float(errors_km([place[0]], [place[1]], [true_lat_deg], [true_lon_deg])[0])
    at = int(posterior.grid.locate(np.array([true_lat_deg]), np.array([true_lon_deg]))[0])
    if at < 0:
        return Outcome(error, float("inf"), {s: False for s in shares}, spoke, 1.0)
    cells, log_mass = posterior.at_resolution(WORLD_RESOLUTION)
    parent = posterior.grid.parents(WORLD_RESOLUTION)[at]
    nll = -float(log_mass[np.searchsorted(cells, parent)])
    covered = {s: bool(posterior.region(s)[at]) for s in shares}
    return Outcome(error, nll, covered, spoke, min(1.0, float(posterior.region_rank[at])))


@dataclass(frozen=True, slots=True)
class Interval95:
    """A bootstrap 95% interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """One row of a benchmark table.

    Attributes:
        name: the row.
        n: recordings scored.
        spoke: of these, how many got an answer of the system's own.
        within_km: "1", "25", … → percent of recordings with an error of at most that many km.
        geoscore: mean GeoGuessr points, 0 to 5,000.
        nll: mean −ln mass of the true resolution-3 cell, each at most NLL_CEILING, or None when no distribution was given.
        coverage: "50", "90" → fraction of recordings whose region of that share holds the truth, or None.
        intervals: metric → 95% interval (grouped bootstrap), for whichever were asked for.
        note: what must be said beside the row ("gallery holds the answers").
    """

    name: str
    n: int
    spoke: int
    median_km: float
    mean_km: float
    within_km: Mapping[str, float]
    geoscore: float
    nll: float | None = None
    coverage: Mapping[str, float] | None = None
    intervals: Mapping[str, Interval95] = field(default_factory=dict)
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, lists and strings under the same names."""
        row: dict[str, Any] = {
            "name": self.name,
            "n": self.n,
            "spoke": self.spoke,
            "median_km": self.median_km,
            "mean_km": self.mean_km,
            "within_km": dict(self.within_km),
            "geoscore": self.geoscore,
            "nll": self.nll,
            "coverage": None if self.coverage is None else dict(self.coverage),
            "intervals": {k: [v.low, v.high] for k, v in self.intervals.items()},
        }
        if self.note:
            row["note"] = self.note
        return row

    @classmethod
    def of_errors(
        cls,
        name: str,
        error_km: ArrayLike,
        groups: ArrayLike | None = None,
        seed: int = 0,
        resamples: int = 1000,
        note: str = "",
    ) -> Score:
        """Score of errors alone (n,), with 95% intervals from a bootstrap over groups (n,) when resamples > 0.

        Raises:
            DataError: no error, or one that is NaN or negative.
        """
        errors = _checked(error_km)
        return cls._built(name, errors, len(errors), None, None, groups, seed, resamples, note)

    @classmethod
    def of_outcomes(
        cls,
        name: str,
        outcomes: Sequence[Outcome],
        groups: ArrayLike | None = None,
        seed: int = 0,
        resamples: int = 1000,
        note: str = "",
    ) -> Score:
        """Score of posteriors: errors, nll and coverage, with 95% intervals.

        Raises:
            DataError: there is no outcome, or an error or nll is NaN.
        """
        errors = _checked([o.error_km for o in outcomes])
        nll = np.minimum([o.nll for o in outcomes], NLL_CEILING)
        if np.isnan(nll).any():
            raise DataError("An outcome has no likelihood for the true cell; score a posterior that sums to one.")
        shares = sorted({s for o in outcomes for s in o.covered})
        covered = {f"{100 * s:g}": np.array([float(o.covered[s]) for o in outcomes]) for s in shares}
        return cls._built(name, errors, sum(o.spoke for o in outcomes), nll, covered, groups, seed, resamples, note)

    @classmethod
    def _built(
        cls,
        name: str,
        errors: Array,
        spoke: int,
        nll: Array | None,
        covered: Mapping[str, Array] | None,
        groups: ArrayLike | None,
        seed: int,
        resamples: int,
        note: str,
    ) -> Score:
        measured: dict[str, Callable[[NDArray[np.int64]], float]] = {
            "median_km": lambda i: float(np.median(errors[i])),
            "mean_km": lambda i: float(errors[i].mean()),
            **{f"within_km.{r}": partial(_within, errors, r) for r in RADII_KM},
        }
        if nll is not None:
            measured["nll"] = lambda i: float(nll[i].mean())
        for share, hit in (covered or {}).items():
            measured[f"coverage.{share}"] = partial(_mean_of, hit)
        intervals = bootstrap(measured, len(errors), groups, seed, resamples) if resamples and len(errors) > 1 else {}
        return cls(
            name=name,
            n=len(errors),
            spoke=spoke,
            median_km=float(np.median(errors)),
            mean_km=float(errors.mean()),
            within_km={str(r): within_percent(errors, r) for r in RADII_KM},
            geoscore=float(geoscore(errors).mean()),
            nll=None if nll is None else float(nll.mean()),
            coverage=None if covered is None else {s: float(h.mean()) for s, h in covered.items()},
            intervals=intervals,
            note=note,
        )


def _mean_of(hit: Array, which: NDArray[np.int64]) -> float:
    return float(hit[which].mean())


def _within(errors: Array, radius_km: float, which: NDArray[np.int64]) -> float:
    return within_percent(errors[which], radius_km)


def within_percent(error_km: Array, radius_km: float) -> float:
    """Percent of errors of at most radius_km."""
    return 100.0 * float((error_km <= radius_km).mean())


def bootstrap(
    measured: Mapping[str, Callable[[NDArray[np.int64]], float]],
    n: int,
    groups: ArrayLike | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Interval95]:
    """95% percentile intervals of statistics of n items, whole groups drawn with replacement.

    Args:
        measured: name → statistic of an index array (m,).
        groups: (n,) label of the group of each item (a place, a recordist); None: each its own.
    """
    if groups is None:
        members = [np.array([i]) for i in range(n)]
    else:
        _, at = np.unique(np.asarray(groups), return_inverse=True)
        order = np.argsort(at, kind="stable")
        members = np.split(order, np.cumsum(np.bincount(at))[:-1])
    rng = np.random.default_rng(seed)
    draws: dict[str, list[float]] = {k: [] for k in measured}
    flat = groups is None
    for _ in range(resamples):
        chosen = rng.integers(0, len(members), len(members))
        index = chosen if flat else np.concatenate([members[c] for c in chosen])
        for name, statistic in measured.items():
            draws[name].append(statistic(index))
    return {k: Interval95(*(float(q) for q in np.nanpercentile(v, [2.5, 97.5]))) for k, v in draws.items()}


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Statistic of a minus that of b on the same recordings.

    Attributes:
        interval: 95% interval of the difference.
        share_lower: share of the resamples in which a's statistic is the lower one.
    """

    metric: str
    difference: float
    interval: Interval95
    share_lower: float


def paired(
    a_scores: ArrayLike,
    b_scores: ArrayLike,
    metric: str = "median_km",
    groups: ArrayLike | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> PairedDifference:
    """Paired bootstrap over groups (places) of two systems on the same recordings.

    Args:
        a_scores, b_scores: (n,) errors in km, or, for "nll", −ln of the mass at the truth; of that no more than NLL_CEILING
            counts.
        metric: "median_km", "mean_km", "within_km.R", or "nll" (its mean).

    Raises:
        DataError: lengths differ, or a score is NaN or negative.
        ValueError: no such metric.
    """
    a, b = _checked(a_scores), _checked(b_scores)
    if len(a) != len(b):
        raise DataError("Two systems can be compared on the same recordings only; their errors differ in number.")
    statistic = _statistic(metric)
    draws: list[float] = []

    def difference(i: NDArray[np.int64]) -> float:
        draws.append(statistic(a[i]) - statistic(b[i]))
        return draws[-1]

    interval = bootstrap({metric: difference}, len(a), groups, seed, resamples)[metric]
    return PairedDifference(metric, statistic(a) - statistic(b), interval, float((np.array(draws) < 0).mean()))


def _statistic(metric: str) -> Callable[[Array], float]:
    if metric == "median_km":
        return lambda e: float(np.median(e))
    if metric == "mean_km":
        return lambda e: float(e.mean())
    if metric == "nll":
        return lambda e: float(np.minimum(e, NLL_CEILING).mean())
    if metric.startswith("within_km."):
        radius = float(metric.removeprefix("within_km."))
        return lambda e: within_percent(e, radius)
    raise ValueError(f"no metric {metric!r}; use median_km, mean_km, within_km.R or nll")


def _checked(error_km: ArrayLike) -> Array:
    errors = np.asarray(error_km, dtype=np.float64)
    if errors.ndim != 1 or len(errors) == 0:
        raise DataError("There is no error to score; give at least one prediction.")
    if np.isnan(errors).any() or (errors < 0).any():
        raise DataError("An error is not a distance; a prediction that is not a number is no prediction.")
    return errors


def table(scores: Sequence[Score], reference: Sequence[Score] = ()) -> str:
    """A plain-text table of rows, published rows (`reference`) beneath; numbers as in the papers."""
    with_nll = any(s.nll is not None for s in (*scores, *reference))
    head = ["", "n", "median km", *(f"≤{r}" for r in RADII_KM), *(["50/90 %", "nll"] if with_nll else [])]
    lines = [head]
    for s in (*scores, *reference):
        shares = [_percent(s.within_km.get(str(r))) for r in RADII_KM]
        row = [s.name, str(s.n) if s.n else "", f"{s.median_km:,.0f}", *shares]
        if with_nll:
            row.append("" if s.coverage is None else "/".join(f"{100 * s.coverage[k]:.0f}" for k in _SHOWN if k in s.coverage))
            row.append("" if s.nll is None else f"{s.nll:.2f}")
        lines.append(row)
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = [
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]).rstrip()
        for line in lines
    ]
    text.insert(1, "─" * max(map(len, text)))
    notes = [f"{s.name}: {s.note}" for s in (*scores, *reference) if s.note]
    return "\n".join([*text, *notes])


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def to_json_text(blocks: Mapping[str, Any]) -> str:
    """JSON text of nested mappings that hold Scores."""

    def plain(x: Any) -> Any:
        if isinstance(x, Score):
            return x.to_json()
        if isinstance(x, PairedDifference):
            ends = [x.interval.low, x.interval.high]
            return {"metric": x.metric, "difference": x.difference, "interval": ends, "share_lower": x.share_lower}
        if isinstance(x, Mapping):
            return {k: plain(v) for k, v in x.items()}
        if isinstance(x, list | tuple):
            return [plain(v) for v in x]
        return x

    return json.dumps(plain(blocks), indent=2, ensure_ascii=False)
