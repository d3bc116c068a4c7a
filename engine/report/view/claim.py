"""A claim tested, in words: title, sentence and tables for terminal, page and report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.claim import NOT_THEN, NOT_THERE, Claim, ClaimFactor, ClaimTest, ClaimVerdict, Resident
from engine.core.finding import Finding
from engine.report.view import words

_TITLES = {
    ClaimVerdict.SUPPORTS: "The evidence supports the claim",
    ClaimVerdict.REGION: "The evidence supports the region of the claim, not its place",
    ClaimVerdict.AGAINST: "The evidence contradicts the claim",
    ClaimVerdict.CANNOT_TELL: "The evidence neither supports nor contradicts the claim",
}
_COLOURS = {
    ClaimVerdict.SUPPORTS: "same",
    ClaimVerdict.REGION: "region",
    ClaimVerdict.AGAINST: "different",
    ClaimVerdict.CANNOT_TELL: "cannot_tell",
}
_FITS = {ClaimVerdict.SUPPORTS, ClaimVerdict.REGION}
_NAMES = {"season": "Week", "both": "Sound and picture"}
ABSENCE = (
    "Weak evidence, not part of the ratio: most species are silent most of the time. On 167 recordings of known place, 96% of "
    "such species were not heard at the true place, and 99% at a distant one."
)
STRANGERS = (
    "“Does not live there” means that the range model's probability of recording the species stays below 3% in every week, "
    "within the claim's radius. Misidentified relatives, vagrants and caged birds also fall under it: one in six species "
    "detected with confidence at the true place, seven in eight at places more than 2,500 km away. The ratio allows for that."
)


@dataclass(frozen=True, slots=True)
class ClaimHeadline:
    """What is said of a claim.

    Attributes:
        tone: "same" (supports), "region" (supports no more than the region),
            "different" (speaks against) or "cannot_tell", as `report.verdict.Headline`.
    """

    tone: str
    title: str
    sentence: str


def claimed(finding: Finding) -> tuple[ClaimTest, ...]:
    """The claims tested, the analyst's own first."""
    return finding.claims


def who(claim: Claim) -> str:
    """Whose claim it is."""
    return "Stated in the file" if claim.source == "container" else "Claimed"


def stated(test: ClaimTest) -> str:
    """The claim: "Augusta, Georgia, USA, 10 April 2021"."""
    when, minute = test.claim.when, test.claim.minute
    clock = f", {minute // 60:02d}:{minute % 60:02d}" if minute is not None else ""
    return test.place + (f", {when.day} {when:%B %Y}" if when else "") + clock


def sun_words(test: ClaimTest) -> str:
    """The sun at the claimed time: "at that time the sun is 41° below the horizon: night; a blue sky is seen in 5 frames, …"; ""
    where no day is claimed.
    """
    s = test.sun
    if s is None:
        return ""
    degrees = f"{abs(s.elevation_deg):.0f}°" if abs(s.elevation_deg) >= 1.0 else "less than 1°"
    stands = f"{degrees} {'above' if s.elevation_deg >= 0 else 'below'} the horizon"
    if s.whole_day:
        rises = "" if s.light == "day" else ": it does not rise"
        said = f"on that day the sun is at most {stands}{rises}"
    else:
        said = f"at that time the sun is {stands}: {s.light}"
    frames = f"{s.daylight_frames} frame{'s' if s.daylight_frames != 1 else ''}"
    if s.contradicted:
        return f"{said}; a blue sky is seen in {frames}, which no sun could have lit then"
    return said + (f"; a blue sky is seen in {frames}" if s.daylight_frames else "")


def headline(test: ClaimTest) -> ClaimHeadline:
    """Title and sentence of a test."""
    untold = ClaimVerdict.CANNOT_TELL
    spoke = {f.modality: f.verdict for f in test.factors if f.modality in ("sound", "picture")}
    title = _TITLES[test.verdict]
    season = test.by("season")
    said = set(spoke.values())
    if test.verdict == ClaimVerdict.CANNOT_TELL and said & _FITS and ClaimVerdict.AGAINST in said:
        fits, other = ("sound", "picture") if spoke["sound"] in _FITS else ("picture", "sound")
        title = f"The {fits} fits the claim, the {other} does not"
    elif test.verdict == ClaimVerdict.CANNOT_TELL and season and season.verdict == ClaimVerdict.AGAINST:
        title = "The place fits the claim, the week does not"
    parts = [odds(f) for f in test.factors if f.modality != "both" and f.verdict != untold]
    both = test.by("both")
    if both and both.verdict != untold and len([v for v in spoke.values() if v != untold]) > 1:
        parts.insert(0, odds(both))
    silent = [
        f"{_name(f).lower()}: {f.reason}" for f in test.factors if f.modality != "both" and f.verdict == ClaimVerdict.CANNOT_TELL
    ]
    sentence = "; ".join(dict.fromkeys(parts)) or "; ".join(silent) or test.reason
    return ClaimHeadline(_COLOURS[test.verdict], title, f"{sentence[:1].upper()}{sentence[1:]}.")


def odds(f: ClaimFactor) -> str:
    """A ratio in words: "sound: moderate support, about 23 : 1 against the claim"."""
    towards = "against the claim"
    if f.log10_factor > 0:
        towards = "for the region of the claim" if f.verdict == ClaimVerdict.REGION else "for the claim"
    if f.modality == "season":
        towards = "for the week" if f.log10_factor > 0 else "against the week"
    bound = f", the maximum that {f.things:,} {_things(f)} of known place support" if f.at_bound else ""
    rests = f", rests on {f.rests_on}" if f.rests_on else ""
    return f"{_name(f).lower()}: {f.support}, {f.odds} {towards}{bound}{rests}"


def _name(f: ClaimFactor) -> str:
    return _NAMES.get(f.modality) or words.modality(f.modality)


def _things(f: ClaimFactor) -> str:
    return {"picture": "photos", "both": "recordings and photos"}.get(f.modality, "recordings")


def factor_rows(test: ClaimTest) -> list[tuple[str, str]]:
    """A test in numbers as (name, value) to be tabled."""
    c = test.claim
    out = [
        (who(c), stated(test)),
        ("Where", f"{words.place(c.lat_deg, c.lon_deg)}, within about {words.km(c.radius_km)}"),
        ("Verdict", test.verdict + (f": {test.reason}" if test.reason else f", {test.support}")),
    ]
    if test.sun is not None:
        out.append(("Sun", f"{sun_words(test)} (in no ratio)"))
    for f in test.factors:
        name = _name(f)
        if f.modality == "both" and f.reason and f.reason == test.reason:
            continue
        if f.verdict == ClaimVerdict.CANNOT_TELL:
            out.append((name, f"no result: {f.reason}"))
        else:
            interval = words.interval(f.log10_low, f.log10_high, f.log10_factor)
            numbers = f"{interval}; log₁₀ {f.log10_factor:+.2f}, before calibration {f.log10_raw:+.2f}"
            out.append((name, f"{odds(f).partition(': ')[2]} ({numbers})"))
        if f.distance_km is not None:
            out.append((f"{name}: place reported", f"{words.km(f.distance_km)} from the claimed one; {inside(f)}"))
    if test.before_edits is not None:
        before = "no result" if test.before_edits == 0.0 else f"log₁₀ {test.before_edits:+.2f}"
        out.append(("Before the analyst's edits", before))
    return out


def inside(f: ClaimFactor) -> str:
    """Where the claimed place lies in this modality's posterior."""
    if f.region >= 1.0:
        return "the claimed place lies outside its 95% region"
    return f"the claimed place lies in its {f.region:.0%} region"


def home_words(r: Resident, dated: bool) -> str:
    """Whether it lives there, with the chance behind it: "lives there (recorded with 98%), 93% in that week"."""
    best = f"best week {_chance(r.best_week)}"
    if r.home == NOT_THERE:
        return f"does not live there ({best})"
    then = f", {_chance(r.then)} in that week" if dated and r.then is not None else ""
    return f"{'not there in that week' if r.home == NOT_THEN else 'lives there'} ({best}{then})"


def _chance(share: float | None) -> str:
    value = 100.0 * (share or 0.0)
    return "under 0.1%" if value < 0.1 else f"{value:.1f}%" if value < 3 else f"{value:.0f}%"


def absent_words(test: ClaimTest) -> str:
    """The expected species that were not heard, in one sentence, with what that is worth; "" when none is expected."""
    if not test.expected:
        return ""
    names = ", ".join(r.name for r in test.absent[:8]) + (f" and {len(test.absent) - 8} more" if len(test.absent) > 8 else "")
    if not test.absent:
        return f"All {test.expected} easily heard species expected there were heard."
    return f"Expected there but not heard, {len(test.absent)} of {test.expected}: {names}. {ABSENCE}"


def week_bars(weeks: Sequence[float], week: int | None) -> str:
    """48 bars, January to December, full height 1, the claimed week black, as SVG."""
    bars = []
    for i, chance in enumerate(weeks):
        high = max(0.6, 22.0 * min(1.0, max(0.0, chance)))
        now = week == i + 1
        kind, wide = ("now", 3) if now else ("wk", 2.2)
        bars.append(f'<rect x="{3 * i}" y="{24 - high:.1f}" width="{wide}" height="{high:.1f}" class="{kind}"/>')
        if now:
            bars.append(f'<path d="M{3 * i + 1.5} 0v24" class="now-line"/>')
    said = f"chance of being recorded in each week; highest {max(weeks, default=0.0):.0%}"
    return f'<svg class="weeks" viewBox="0 0 144 24" role="img" aria-label="{said}">{"".join(bars)}</svg>'
