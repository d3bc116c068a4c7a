"""Same place or not: the agreement of two modalities, calibrated on pairs at known distance, in words.

The calibration is an affine map of log10 B, fitted by logistic regression on pairs of recordings and photos whose distance
is known, and
bounded by what those pairs support: `earwitness lab calibrate-mismatch` writes it to assets/models/mismatch.json with its
bootstrap. The
headline is the weakest of the steps under all priors; where priors disagree on the direction, or the interval includes 1,
there is no result.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from engine.core.comparison import Comparison, Support, UnderPrior, Verdict, words_of
from engine.core.errors import WeightsError
from engine.core.finding import Located
from engine.core.paths import ASSETS
from engine.core.posterior import Posterior, Prior
from engine.verdict import agreement

_SILENT = "usable location"  # how the reasons of a modality without a location end
CALIBRATION_FILE = ASSETS / "models" / "mismatch.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """log10 factor = offset + slope · log10 B, clipped to [low, high]; bootstrap holds (offset, slope) of each resample."""

    offset: float
    slope: float
    low: float
    high: float
    pairs: int
    bootstrap: tuple[tuple[float, float], ...]

    def apply(self, log10_raw: float) -> float:
        return float(np.clip(self.offset + self.slope * log10_raw, self.low, self.high))

    def interval(self, log10_raw: float) -> tuple[float, float]:
        """95% interval of the calibrated factor, within the bounds."""
        draws = [np.clip(o + s * log10_raw, self.low, self.high) for o, s in self.bootstrap]
        low, high = np.percentile(draws, [2.5, 97.5])
        return float(low), float(high)

    def at_bound(self, log10_raw: float) -> bool:
        return not self.low < self.offset + self.slope * log10_raw < self.high


@cache
def calibration(path: Path = CALIBRATION_FILE) -> Calibration:
    """The shipped calibration.

    Raises:
        WeightsError: the file is missing or malformed.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        draws = tuple((float(o), float(s)) for o, s in data["bootstrap"])
        return Calibration(data["offset"], data["slope"], data["low"], data["high"], data["pairs"], draws)
    except (OSError, ValueError, KeyError, TypeError):
        raise WeightsError(f"{path} is missing or damaged; restore it from the repository.") from None


def compare(
    a: Located,
    b: Located,
    under: Sequence[tuple[Prior, Posterior, Posterior]],
    same_place_km: float,
) -> Comparison:
    """Compare two modalities.

    Args:
        a, b: under the analyst's prior, on one grid.
        under: every prior with the posteriors of a and b under it, the analyst's own among them.
        same_place_km: radius of the same-place kernel.
    """
    k = calibration()
    # What a silent modality would be compared by is the prior's: there is no distance, overlap or region then.
    measured = (
        agreement.measure(a.posterior, b.posterior, a.prior, same_place_km, a.place, b.place) if a.place and b.place else None
    )
    factors = [(prior.name, agreement.log10_factor(pa, pb, prior, same_place_km)) for prior, pa, pb in under]
    by_prior = tuple(UnderPrior(name, k.apply(raw), words_of(10.0 ** abs(k.apply(raw)))) for name, raw in factors)
    own = factors or [("", agreement.log10_factor(a.posterior, b.posterior, a.prior, same_place_km))]
    _, weakest_raw = min(own, key=lambda f: abs(k.apply(f[1])))
    low, high = k.interval(weakest_raw)
    reason = _reason(a, b, by_prior, low, high)
    factor = k.apply(weakest_raw)
    verdict = Verdict.CANNOT_TELL if reason else (Verdict.SAME if factor > 0 else Verdict.DIFFERENT)
    return Comparison(
        a=a.modality,
        b=b.modality,
        verdict=verdict,
        support=Support.NONE if reason else words_of(10.0 ** abs(factor)),
        distance_km=measured.distance_km if measured else None,
        expected_km=measured.expected_km if measured else None,
        overlap=measured.overlap if measured else None,
        shared_region_km2=measured.shared_region_km2 if measured else None,
        log10_raw=weakest_raw,
        log10_factor=factor,
        log10_low=low,
        log10_high=high,
        at_bound=k.at_bound(weakest_raw),
        pairs=k.pairs,
        same_place_km=same_place_km,
        by_prior=by_prior,
        reason=reason,
    )


def guarded(now: Comparison, first: Comparison | None, why_none: str = "") -> Comparison:
    """A comparison after edits, held to what was first computed: where the verbal step differs, the weaker is the headline.

    Edits may weaken what the machine said, and may find what it could not; they cannot make its own finding stronger. Where
    both speak and point opposite ways, there is no result. Where nothing could be compared at first because a modality was
    silent, there is no step to be held to: the finding stands and says that it rests on the analyst.

    Args:
        now: with the edits.
        first: as first computed, or None when nothing was compared.
        why_none: why nothing was compared at first.
    """
    if first is None or (first.verdict == Verdict.CANNOT_TELL and first.reason.endswith(_SILENT)):
        why = why_none or (first.reason if first else "")
        words = f"cannot tell: {why}" if why else str(Verdict.CANNOT_TELL)
        return replace(now, before_words=words, after_edits=now.log10_factor, after_words=now.said)
    held = replace(
        now,
        before_edits=first.log10_factor,
        before_words=first.said,
        after_edits=now.log10_factor,
        after_words=now.said,
    )
    if now.verdict == Verdict.CANNOT_TELL or first.said == now.said:
        return held
    if first.verdict == Verdict.CANNOT_TELL:
        reason = f"there was no result before the edits ({first.reason}); with them: {now.said}"
        return _weaker(held, first, Verdict.CANNOT_TELL, Support.NONE, reason)
    if first.verdict != now.verdict:
        reason = f"the result depends on the analyst's edits: {first.said} before them, {now.said} with them"
        return _weaker(held, min(now, first, key=lambda c: abs(c.log10_factor)), Verdict.CANNOT_TELL, Support.NONE, reason)
    if abs(first.log10_factor) < abs(now.log10_factor):
        return _weaker(held, first, first.verdict, first.support, "")
    return held


def _weaker(held: Comparison, taken: Comparison, verdict: Verdict, support: Support, reason: str) -> Comparison:
    """The comparison with another's factor, and a verdict."""
    return replace(
        held,
        verdict=verdict,
        support=support,
        reason=reason,
        log10_raw=taken.log10_raw,
        log10_factor=taken.log10_factor,
        log10_low=taken.log10_low,
        log10_high=taken.log10_high,
        at_bound=taken.at_bound,
    )


def calibrated(log10_raw: float) -> float:
    """The calibrated log10 factor, not bounded: for differences between two of them, never for a verdict."""
    k = calibration()
    return k.offset + k.slope * log10_raw


def _reason(a: Located, b: Located, by_prior: Sequence[UnderPrior], low: float, high: float) -> str:
    silent = [x.modality for x in (a, b) if not x.spoke]
    if len(silent) == 2:
        return f"neither {a.modality} nor {b.modality} gives a {_SILENT}"
    if silent:
        return f"the {silent[0]} gives no {_SILENT}"
    if len({np.sign(u.log10_factor) for u in by_prior}) > 1:
        return "the result depends on the prior"
    if low <= 0.0 <= high:
        return "the factor's interval includes 1"
    if by_prior and min(abs(u.log10_factor) for u in by_prior) < np.log10(2.0):
        return "the factor is below 2, which supports neither"
    return ""
