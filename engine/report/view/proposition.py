"""The propositions that a finding weighs against each other, what its factor means, and the scale of words it is put in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from engine.core.claim import ClaimTest, ClaimVerdict
from engine.core.comparison import VERBAL_SCALE, Comparison, Verdict
from engine.core.finding import Finding
from engine.media.source import shown
from engine.report.view import validation, verdict, words

SCALE_SOURCE = "ENFSI Guideline for Evaluative Reporting in Forensic Science, 2015, example of a verbal scale."
NOT_A_CHANCE = (
    "The probability of either proposition. That also depends on information besides the clip, and is for the decision maker "
    "to assess."
)


def propositions(finding: Finding) -> tuple[tuple[str, str], ...]:
    """(name, sentence): the two propositions and how the factor reads; empty when sound and picture were not compared."""
    c = verdict.compared(finding)
    return () if c is None else tuple(_rows(finding, c))


def _rows(finding: Finding, c: Comparison) -> Iterator[tuple[str, str]]:
    yield (
        "Proposition 1",
        f"Sound and picture were recorded at one place, within about {words.km(c.same_place_km)} of each other.",
    )
    yield (
        "Proposition 2",
        "They were recorded at two unrelated places, each drawn independently from the places where clips are made.",
    )
    yield "Where clips are made", _population(finding, c)
    f = validation.factor()
    yield (
        "What neither proposition covers",
        f"Places that are near each other or similar. Where places 500 to 1,000 km apart fit as well, the finding speaks for one "
        f"region, not for one place; in validation, {f.near} were still reported as one place. Two independently drawn places "
        f"fall {f.drawn}; apart from that the propositions exclude each other.",
    )
    if c.verdict == Verdict.CANNOT_TELL:
        yield "The factor", f"No factor is reported: {shown(c.reason, 300) or 'the evidence favours neither'}."
    else:
        one, other = ("1", "2") if c.log10_factor > 0 else ("2", "1")
        yield (
            "The factor",
            f"The evidence is {c.odds.removesuffix(' : 1')} times as probable under proposition {one} as under proposition "
            f"{other} ({verdict.interval(c)}).",
        )
    yield from validation.bound_rows(c)
    odds = c.odds.removeprefix("about ")
    stated = "" if c.verdict == Verdict.CANNOT_TELL else f" A factor of {odds} does not mean odds of {odds}."
    yield "What the factor is not", NOT_A_CHANCE + stated


def _population(finding: Finding, c: Comparison) -> str:
    """The relevant population, and that the headline does not depend on one choice of it."""
    used = " / ".join(words.PRIOR_NAMES.get(u.prior, u.prior) for u in c.by_prior)
    own = words.PRIOR_NAMES.get(finding.settings.prior, finding.settings.prior)
    if not used:
        return f"Anywhere on land: {own}."
    return f"Anywhere on land, under {len(c.by_prior)} priors ({used}). The lowest factor is reported; maps use: {own}."


def claim_propositions(test: ClaimTest) -> tuple[tuple[str, str], ...]:
    """(name, sentence): the propositions of a claim, and what its ratio is not."""
    c = test.claim
    when = f", around {c.when.day} {c.when:%B %Y}" if c.when else ""
    rows = [
        (
            "If the claim is true",
            f"The clip was recorded within about {words.km(c.radius_km)} of {shown(test.place, 160).removeprefix('in ')}{when}.",
        ),
        (
            "If it is not",
            "It was recorded somewhere else, drawn from the places where clips are made (the lowest ratio of all priors is "
            "reported).",
        ),
    ]
    if test.verdict != ClaimVerdict.CANNOT_TELL:
        rows.append(("The ratio is not", "The probability that the claim is true, nor a judgement of anybody's honesty."))
    return tuple(rows)


def scale() -> tuple[tuple[str, str], ...]:
    """(factors, words) of the verbal scale, weakest first."""
    steps = [(f"{a:,.0f} to {b:,.0f}", said) for (a, said), (b, _) in pairwise(VERBAL_SCALE)]
    least, said = VERBAL_SCALE[-1]
    return (*steps, (f"{least:,.0f} and more", said))
