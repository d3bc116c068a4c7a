"""What edits may do to a comparison, by verdict."""

from __future__ import annotations

import pytest

from engine.core.comparison import Comparison, Verdict, words_of
from engine.verdict.compare import guarded


def compared(verdict: Verdict, log10_factor: float) -> Comparison:
    return Comparison(
        a="sound",
        b="picture",
        verdict=verdict,
        support=words_of(10.0 ** abs(log10_factor)),
        distance_km=10.0,
        expected_km=100.0,
        overlap=0.5,
        shared_region_km2=1.0,
        log10_raw=log10_factor,
        log10_factor=log10_factor,
        log10_low=log10_factor - 0.1,
        log10_high=log10_factor + 0.1,
        at_bound=False,
        pairs=1,
        same_place_km=50.0,
        by_prior=(),
    )


@pytest.mark.parametrize(
    ("first", "now"), [((Verdict.SAME, 1.2), (Verdict.REGION, 0.5)), ((Verdict.REGION, 0.5), (Verdict.SAME, 1.2))]
)
def test_one_place_and_one_region_are_the_region_with_the_weaker_factor(
    first: tuple[Verdict, float], now: tuple[Verdict, float]
) -> None:
    found = guarded(compared(*now), compared(*first))
    assert found.verdict == Verdict.REGION and found.log10_factor == 0.5 and found.reason == ""
    assert (found.before_edits, found.after_edits) == (first[1], now[1])


def test_the_region_is_kept_where_its_factor_is_the_stronger() -> None:
    found = guarded(compared(Verdict.SAME, 0.5), compared(Verdict.REGION, 1.2))
    assert found.verdict == Verdict.REGION and found.log10_factor == 0.5


def test_opposite_verdicts_are_none() -> None:
    found = guarded(compared(Verdict.DIFFERENT, -0.5), compared(Verdict.REGION, 0.5))
    assert found.verdict == Verdict.CANNOT_TELL and "depends on the analyst's edits" in found.reason
