"""How good likelihood ratios are: cost, calibration, discrimination, and the bounds that the trials behind them support.

All ratios are log10 and speak for the first proposition ("same") where positive. Every function takes weights, by which trials
within a proposition count; each proposition always counts as much as the other. With equal weights the numbers are those of the
Netherlands Forensic Institute's package `lir`; a slow test holds them to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_STEP = 0.01  # log10, to which bounds are found
_LEAST_SLOPE = 1e-3


def cllr(log10_lr: Array, same: Mask, weight: Array | None = None) -> float:
    """Log-likelihood-ratio cost: 0 for an oracle, 1 for a system that always answers 1. Brümmer & du Preez 2006."""
    w = _within(same, weight)
    z = np.log(10.0) * log10_lr
    return float((w * np.logaddexp(0.0, np.where(same, -z, z))).sum() / (2.0 * np.log(2.0)))


def pav(score: Array, same: Mask, weight: Array | None = None) -> Array:
    """log10 ratios after the best monotone calibration of the same scores (pool adjacent violators); may be infinite."""
    w = _within(same, weight)
    p = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(score, same.astype(float), sample_weight=w)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(p) - np.log10(1.0 - p))


def cllr_min(score: Array, same: Mask, weight: Array | None = None) -> float:
    """Cllr after the best monotone calibration: what discrimination alone costs."""
    return cllr(np.clip(pav(score, same, weight), -300.0, 300.0), same, weight)


def dev_pav(log10_lr: Array, same: Mask, weight: Array | None = None) -> float:
    """Mean distance between the ratios and what PAV makes of them, over the range of ratios: 0 is perfectly calibrated.

    Vergeer et al. 2021, "Measuring calibration of likelihood-ratio systems", Forensic Science International 321. NaN where no
    ratio is finite after PAV.
    """
    y = pav(log10_lr, same, weight)
    finite = np.isfinite(y)
    x, first = np.unique(log10_lr[finite], return_index=True)
    if len(x) < 2:
        return float(abs(y[finite][first[0]] - x[0])) if len(x) else float("nan")
    off, width = y[finite][first] - x, np.diff(x)
    a, b = off[:-1], off[1:]
    total = np.maximum(np.abs(a) + np.abs(b), 1e-300)
    area = np.where(a * b >= 0.0, 0.5 * total, 0.5 * (a**2 + b**2) / total)
    return float((area * width).sum() / (x[-1] - x[0]))


def elub(log10_lr: Array, same: Mask, weight: Array | None, n_same: float, n_different: float) -> tuple[float, float]:
    """Empirical lower and upper bounds: (low, high) log10 ratios beyond which the system does worse than one that knows nothing.

    Vergeer et al. 2016, "Numerical likelihood ratios outputted by LR systems are often based on extrapolation: when to stop
    extrapolating?", Science & Justice 56: one misleading trial is added to each proposition, and a ratio is allowed only where
    the expected cost of acting on it stays below the cost of acting on none.

    Args:
        n_same, n_different: how many independent trials stand behind each proposition; one more is added to so many.
    """
    w = _within(same, weight)
    z = np.clip(log10_lr, -9.0, 9.0)
    least = max(float(z.min()), -np.log10(n_same + 1.0))
    most = min(float(z.max()), np.log10(n_different + 1.0))
    first, last = min(0, int(least // _STEP)), max(0, int(most // _STEP) + 1)
    t = np.linspace(first * _STEP, last * _STEP, last - first + 1)
    missed = (_share_to(z[same], w[same], 10.0**t) * n_same + 1.0) / (n_same + 1.0)
    misled = ((1.0 - _share_to(z[~same], w[~same], 10.0**t)) * n_different + 1.0) / (n_different + 1.0)
    worse = np.minimum(1.0, 10.0**t) / (missed + 10.0**t * misled) < 1.0
    low = float(np.max(t[(t <= 0) & worse] + _STEP, initial=t.min()))
    high = float(np.min(t[(t >= 0) & worse] - _STEP, initial=t.max()))
    return min(low, 0.0), max(high, 0.0)


def _share_to(z: Array, weight: Array, ratio: Array) -> Array:
    """Share of the weight with a ratio of at most each of those given."""
    order = np.argsort(z, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(weight[order])])
    return np.asarray(total[np.searchsorted(10.0 ** z[order], ratio, side="right")] / total[-1])


def effective(value: Array, weight: Array, clusters: Sequence[NDArray[np.int64]]) -> float:
    """How many independent trials some trials are worth: (Σ w)² / (Σ w² + Σ_c ρ_c Σ_{i≠j in one cluster} w_i w_j).

    ρ_c is the correlation of the value (n,) between trials of one cluster, at least 0: the design effect of a crossed design
    (Kish 1965, Survey Sampling, section 8.2, once for each way of clustering), with unequal weights.
    """
    z = value - np.average(value, weights=weight)
    z = z / max(float(np.sqrt(np.average(z**2, weights=weight))), 1e-9)
    shared = float((weight**2).sum())
    for key in clusters:
        _, at = np.unique(key, return_inverse=True)
        couples = float((np.bincount(at, weight) ** 2).sum() - (weight**2).sum())
        if couples > 0:
            together = float((np.bincount(at, weight * z) ** 2).sum() - (weight**2 * z**2).sum())
            shared += float(np.clip(together / couples, 0.0, 1.0)) * couples
    return float(weight.sum() ** 2 / shared)


def fit(
    raw: Array, same: Mask, weight: Array | None = None, start: tuple[float, float] = (0.0, 1.0), most_slope: float = np.inf
) -> tuple[float, float]:
    """(offset, slope) of log10 ratio = offset + slope · raw by logistic regression, both propositions weighing the same.

    A small penalty keeps both finite where few trials are told apart without error. The slope is never negative.

    Args:
        most_slope: the slope is no steeper; the offset is then fitted for this one.
    """
    w = _within(same, weight)
    x = np.stack([np.ones(len(raw)), np.clip(raw, -6.0, 6.0)], axis=1) * np.log(10.0)
    beta = _newton(x, np.zeros(len(raw)), same, w, np.array(start))
    slope = float(np.clip(beta[1], _LEAST_SLOPE, most_slope))
    if slope != beta[1]:
        beta = _newton(x[:, :1], slope * x[:, 1], same, w, beta[:1])
    return float(beta[0]), slope


def _newton(x: Array, fixed: Array, same: Mask, weight: Array, start: Array) -> Array:
    """(k,) coefficients that minimise the logistic loss of fixed + x · beta, (n,) and (n, k), with a small penalty."""
    sign, beta, penalty = np.where(same, 1.0, -1.0), start, 1e-3 * np.eye(len(start))
    for _ in range(50):
        # The probability given to the other proposition.
        wrong = 1.0 / (1.0 + np.exp(np.clip(sign * (fixed + x @ beta), -500.0, 500.0)))
        gradient = penalty @ beta - x.T @ (weight * sign * wrong)
        step = np.linalg.solve((x.T * (weight * wrong * (1.0 - wrong))) @ x + penalty, gradient)
        beta = beta - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-8:
            break
    return beta


def _within(same: Mask, weight: Array | None) -> Array:
    """(n,) weights that sum to 1 within each proposition."""
    w = np.ones(len(same)) if weight is None else weight
    return np.where(same, w / max(float(w[same].sum()), 1e-300), w / max(float(w[~same].sum()), 1e-300))
