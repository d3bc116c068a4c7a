"""What two modalities say of each other: same place, different places, or cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.core.modality import Modality


class Verdict(StrEnum):
    """What two modalities say of each other."""

    SAME = "same place"
    REGION = "same region"  # for one place against two, but places 500 to 1,000 km apart fit as well
    DIFFERENT = "different places"
    CANNOT_TELL = "cannot tell"


class Support(StrEnum):
    """The words of VERBAL_SCALE for how strongly evidence supports a proposition."""

    NONE = "no support"
    WEAK = "weak support"
    MODERATE = "moderate support"
    MODERATELY_STRONG = "moderately strong support"
    STRONG = "strong support"
    VERY_STRONG = "very strong support"
    EXTREMELY_STRONG = "extremely strong support"


# The steps of the ENFSI Guideline for Evaluative Reporting in Forensic Science (approved version 3.0, 2015), its example of
# a verbal scale:
# likelihood ratios of at least these support a proposition in these words.
VERBAL_SCALE = (
    (1.0, Support.NONE),
    (2.0, Support.WEAK),
    (10.0, Support.MODERATE),
    (100.0, Support.MODERATELY_STRONG),
    (1_000.0, Support.STRONG),
    (10_000.0, Support.VERY_STRONG),
    (1_000_000.0, Support.EXTREMELY_STRONG),
)


def words_of(factor: float) -> Support:
    """Words for a likelihood ratio of at least 1.

    Raises:
        ValueError: the ratio is below 1; turn the propositions round first.
    """
    if not factor >= 1.0:
        raise ValueError("support is worded for ratios of at least 1")
    return next(words for least, words in reversed(VERBAL_SCALE) if factor >= least)


def odds_of(log10_factor: float) -> str:
    """A factor as "about 90 : 1", towards whichever proposition it speaks for, two digits.

    One at the bound is worded alike: its interval reaches below it, so that "at least" would claim more than is known.
    """
    factor = 10.0 ** abs(log10_factor)
    digits = f"{factor:.2g}" if factor < 10 else f"{float(f'{factor:.2g}'):,.0f}"
    return f"about {digits} : 1"


@dataclass(frozen=True, slots=True)
class UnderPrior:
    """The calibrated factor under one prior; log10_factor > 0 speaks for one place."""

    prior: str
    log10_factor: float
    words: Support


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two modalities compared.

    Attributes:
        a, b: the modalities.
        verdict: what they say of each other.
        support: of VERBAL_SCALE, for the headline, the weakest under all priors.
        distance_km: between the two places reported.
        expected_km: mean distance between a place drawn from each posterior.
        overlap: Bhattacharyya coefficient, 0 to 1.
        shared_region_km2: area that lies in both 90% regions.
        log10_raw: log10 of the Bayes factor before calibration.
        log10_factor: calibrated and bounded; > 0 speaks for one place, < 0 for different places.
        log10_low, log10_high: 95% interval of the calibrated factor, from the bootstrap of its validation.
        at_bound: the factor would be more extreme if more validation pairs supported it.
        pairs: trials behind the calibration: a recording of known place held against a place.
        same_place_km: radius of the same-place kernel.
        by_prior: under every prior.
        reason: why there is no result, or "".
        before_edits: the calibrated log10 factor as first computed, or None when nothing was edited or nothing was compared.
        before_words: the verdict and its support as first computed, or why there was none; "" when nothing was edited.
        after_edits: the calibrated log10 factor with the edits, before the weaker of both became the headline; None when nothing
            was edited.
        after_words: the verdict and its support with the edits alone; "" when nothing was edited.
        rests_on: what the finding rests on alone ("one species: Wrentit"), which limits it to weak support, or "".
    """

    a: Modality
    b: Modality
    verdict: Verdict
    support: Support
    distance_km: float | None
    expected_km: float | None
    overlap: float | None
    shared_region_km2: float | None
    log10_raw: float
    log10_factor: float
    log10_low: float
    log10_high: float
    at_bound: bool
    pairs: int
    same_place_km: float
    by_prior: tuple[UnderPrior, ...] = ()
    reason: str = ""
    before_edits: float | None = None
    before_words: str = ""
    after_edits: float | None = None
    after_words: str = ""
    rests_on: str = ""

    @property
    def said(self) -> str:
        """Verdict and support in one phrase."""
        return str(self.verdict) if self.verdict == Verdict.CANNOT_TELL else f"{self.verdict}, {self.support}"

    @property
    def odds(self) -> str:
        """The factor as "about 90 : 1", towards whichever proposition it speaks for, two digits."""
        return odds_of(self.log10_factor)
