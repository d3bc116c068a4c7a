"""The propositions that a finding weighs against each other, what its factor means, and the scale of words it is put in."""

from __future__ import annotations

from itertools import pairwise

from engine.core.comparison import VERBAL_SCALE
from engine.core.finding import Finding
from engine.report import words
from engine.report.verdict import comparisons

SCALE_SOURCE = "ENFSI Guideline for Evaluative Reporting in Forensic Science, 2015, example of a verbal scale."


def propositions(finding: Finding) -> tuple[tuple[str, str], ...]:
    """(name, sentence): the two propositions and how the factor reads; empty when sound and picture were not compared."""
    c = next((c for c in comparisons(finding) if {c.a, c.b} == {"sound", "picture"}), None)
    if c is None:
        return ()
    prior = words.PRIOR_NAMES.get(finding.settings.prior, finding.settings.prior)
    rows = [
        ("Proposition 1", f"Sound and picture come from the same place, within about {words.km(c.same_place_km)} of each other."),
        ("Proposition 2", f"They come from different places, drawn one by one from the prior ({prior})."),
    ]
    if c.verdict == "cannot tell":
        rows.append(("The factor", f"No factor is stated: {c.reason or 'nothing speaks for either'}."))
    else:
        one, other = ("1", "2") if c.log10_factor > 0 else ("2", "1")
        rows.append(("The factor", f"{_odds(c.odds)} as probable if proposition {one} is true as if proposition {other} is."))
    if c.at_bound:
        limit = (
            f"More extreme factors are not stated: {c.pairs:,} pairs of recordings and photos at known distance cannot support "
            "them, however clear this clip may look."
        )
        rows.append(("Bound", limit))
    rows.append(
        (
            "What it is not",
            "How probable either proposition is. That also needs what is known besides the clip, which is for whoever decides.",
        )
    )
    return tuple(rows)


def scale() -> tuple[tuple[str, str], ...]:
    """(factors, words) of the verbal scale, weakest first."""
    steps = [(f"{a:,.0f} to {b:,.0f}", said) for (a, said), (b, _) in pairwise(VERBAL_SCALE)]
    least, said = VERBAL_SCALE[-1]
    return (*steps, (f"{least:,.0f} and more", said))


def _odds(odds: str) -> str:
    """ "at least 18 : 1" as the beginning of a sentence: "What was heard and seen is at least 18 times"."""
    return f"What was heard and seen is {odds.removesuffix(' : 1')} times"
