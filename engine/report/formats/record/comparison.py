"""Two modalities compared."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from engine.core.comparison import Comparison
from engine.report.formats.record.field import documented, text


@dataclass(frozen=True, slots=True)
class UnderPriorRecord:
    """The factor under one prior."""

    prior: str = documented("name of the prior")
    log10_factor: float = documented("calibrated and bounded; above 0 speaks for one place")
    words: str = documented("the same in the guideline's words")


@dataclass(frozen=True, slots=True)
class ComparisonRecord:
    """Two modalities compared."""

    a: str = documented("first modality")
    b: str = documented("second modality")
    verdict: str = documented("same place, same region, different places, or cannot tell")
    reason: str = documented("why there is no result, or empty")
    support: str = documented("words of the ENFSI scale for the weakest factor under all priors")
    odds: str = documented("the factor in words, towards whichever proposition it speaks for")
    distance_km: float | None = documented("between the two places reported, or null when one of them does not speak")
    expected_km: float | None = documented("mean distance between a place drawn from each posterior, or null likewise")
    overlap: float | None = documented("Bhattacharyya coefficient, 0 to 1, or null likewise")
    shared_region_km2: float | None = documented("area that lies in both 90% regions, or null likewise")
    log10_raw: float = documented("log10 of the Bayes factor before calibration")
    log10_factor: float = documented("calibrated and bounded; above 0 speaks for one place, below for different places")
    log10_low: float = documented("lower end of the factor's 95% interval")
    log10_high: float = documented("upper end of the factor's 95% interval")
    at_bound: bool = documented("more validation pairs could support a more extreme factor")
    pairs: int = documented("validation trials behind the calibration, each a recording compared with a place")
    same_place_km: float = documented("radius of the same-place kernel")
    by_prior: tuple[UnderPriorRecord, ...] = documented("the factor under every prior")
    before_edits: float | None = documented("log10 factor as first computed, or null when nothing was edited or compared then")
    before_words: str = documented("verdict and support as first computed, or empty when nothing was edited")
    after_edits: float | None = documented("log10 factor with the edits; log10_factor is the weaker of both; null: not edited")
    after_words: str = documented("verdict and support with the edits alone, or empty")
    rests_on: str = documented("what the finding rests on alone, which allows no more than weak support, or empty")


def comparison_record(c: Comparison) -> ComparisonRecord:
    texts: dict[str, Any] = {name: text(getattr(c, name)) for name in ("reason", "before_words", "rests_on")}
    given = {f.name: getattr(c, f.name) for f in fields(ComparisonRecord) if f.name not in (*texts, "by_prior")}
    by_prior = tuple(UnderPriorRecord(u.prior, u.log10_factor, u.words) for u in c.by_prior)
    return ComparisonRecord(**given, by_prior=by_prior, **texts)
