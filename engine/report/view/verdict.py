"""The verdict and comparisons of a finding in words, for those findings that carry them.

A verdict is worded as support for a proposition, never as the proposition itself: how probable it is that two places differ
also depends on what is known besides the clip.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.comparison import Comparison, Verdict
from engine.core.finding import Finding
from engine.report.view import validation, words

_PAIR = {"sound", "picture"}
_VERDICTS = {
    Verdict.SAME: "same",
    Verdict.REGION: "region",
    Verdict.DIFFERENT: "different",
    Verdict.CANNOT_TELL: "cannot_tell",
}
_SAID = {
    "same": "Sound and picture come from the same place",
    "region": "Sound and picture come from the same region",
    "different": "Sound and picture come from different places",
}
_SILENT = "usable location"  # how reasons end where a modality has no location
REGION_ONLY = "Places 500 to 1,000 km apart fit as well: this does not speak for one place."
_CANNOT_TELL = "Cannot tell whether sound and picture come from the same place"


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict of a finding.

    Attributes:
        verdict: "same", "region", "different" or "cannot_tell".
        title: the support in words, and the proposition it is for.
        sentence: the factor, its interval, and what limits it.
    """

    verdict: str
    title: str
    sentence: str


def comparisons(finding: Finding) -> tuple[Comparison, ...]:
    """The comparisons between modalities, none when none were made."""
    return tuple(getattr(finding, "comparisons", ()) or ())


def compared(finding: Finding) -> Comparison | None:
    """The comparison of sound and picture, or None when they were not compared."""
    return next((c for c in comparisons(finding) if {c.a, c.b} == _PAIR), None)


def headline(finding: Finding) -> Headline | None:
    """The verdict on sound against picture, or None when they were not compared."""
    c = compared(finding)
    return None if c is None else Headline(_VERDICTS[c.verdict], title(c), sentence(c))


def title(c: Comparison) -> str:
    """A comparison's verdict in a line: “Moderate support for “Sound and picture come from different places””."""
    verdict = _VERDICTS[c.verdict]
    if verdict == "cannot_tell":
        return _CANNOT_TELL
    return f"{c.support.capitalize()} for “{_SAID[verdict]}”" + (f"; rests on {c.rests_on}" if c.rests_on else "")


def sentence(c: Comparison) -> str:
    """The strength of a comparison and what limits it, or why there is no result."""
    if c.verdict == Verdict.CANNOT_TELL:
        return f"{c.reason[:1].upper()}{c.reason[1:]}." if c.reason else "The evidence favours neither."
    apart = "" if c.distance_km is None else f" The reported places are {words.km(c.distance_km)} apart."
    near = f" {REGION_ONLY}" if c.verdict == Verdict.REGION else ""
    return f"{_strength(c)}{near}{apart}{_by_edits(c)}"


def _strength(c: Comparison) -> str:
    """The factor and what limits it: "About 18 : 1, the maximum our validation supports; the lowest of four priors."."""
    spread = "" if words.is_cut_off(c.log10_low, c.log10_high) else f" ({interval(c)})"
    bound = ", the maximum our validation supports" if c.at_bound else ""
    bound = ", as strong as a finding may be that rests on one observation" if c.rests_on else bound
    priors = f"; the lowest of {words.count(len(c.by_prior))} priors" if len(c.by_prior) > 1 else ""
    return f"{c.odds[:1].upper()}{c.odds[1:]}{spread}{bound}{priors}."


def interval(c: Comparison) -> str:
    """The factor's 95% interval in the direction of the factor: "95% interval 6.1 : 1 to 18 : 1"."""
    return words.interval(c.log10_low, c.log10_high, c.log10_factor)


def _by_edits(c: Comparison) -> str:
    """How the analyst's edits changed the headline, or ""."""
    if not c.before_words:
        return ""
    if c.before_edits is None:
        return f" The result rests on the analyst's edits; without them: {c.before_words}."
    if c.before_words == c.after_words:
        return " The analyst's edits do not change the verbal scale."
    return f" Without the analyst's edits: {c.before_words}; with them: {c.after_words}; the weaker is reported."


def comparison_rows(c: Comparison) -> list[tuple[str, str]]:
    """A comparison as rows (name, value); without numbers where a modality has no location: they would be the prior's."""
    if c.distance_km is None or (c.verdict == Verdict.CANNOT_TELL and c.reason.endswith(_SILENT)):
        return [
            ("Compared", f"{words.modality(c.a)} with {words.modality(c.b).lower()}"),
            ("Verdict", f"{c.verdict}: {c.reason}"),
            ("Numbers", "none: without a usable location there is nothing to compare"),
        ]
    one_way = "one place" if c.log10_factor > 0 else "different places"
    numbers = f"log₁₀ {c.log10_factor:+.2f}, 95% interval {c.log10_low:+.2f} to {c.log10_high:+.2f}"
    factor = (f"Factor for {one_way}", f"{c.odds}, {interval(c)} ({numbers})")
    if c.verdict == Verdict.CANNOT_TELL:
        factor = ("Factor, computed but not reported as a result", f"{c.odds} for {one_way}, {interval(c)} ({numbers})")
    bound = "; the factor is at the maximum they support" if c.at_bound else ""
    out = [
        ("Compared", f"{words.modality(c.a)} with {words.modality(c.b).lower()}"),
        ("Verdict", c.verdict + (f": {c.reason}" if c.reason else "")),
        ("Support", c.support + (f"; rests on {c.rests_on}, which allows no more than weak support" if c.rests_on else "")),
        factor,
        ("Validation", f"{validation.behind(c.pairs)}{bound}"),
        ("Before calibration", f"log₁₀ {c.log10_raw:+.2f}"),
        ("Distance of the reported places", words.km(c.distance_km)),
        ("Expected distance", "none" if c.expected_km is None else f"{words.km(c.expected_km)}, over both posteriors"),
        ("Overlap of posteriors", "none" if c.overlap is None else f"{c.overlap:.2f} of 1"),
        ("Common to both 90% regions", words.area(c.shared_region_km2) if c.shared_region_km2 else "nothing"),
        ("“The same place”", f"within about {words.km(c.same_place_km)}"),
    ]
    out += [(f"Prior “{u.prior}”", f"log₁₀ {u.log10_factor:+.2f}, {u.words}") for u in c.by_prior]
    if c.before_edits is not None or c.before_words:
        number = "" if c.before_edits is None else f"log₁₀ {c.before_edits:+.2f}"
        out.append(("Before any edit", ", ".join(x for x in (number, c.before_words) if x)))
    if c.after_edits is not None:
        out.append(("With the analyst's edits", f"log₁₀ {c.after_edits:+.2f}, {c.after_words}"))
    return out
