"""What speaks against a finding, from the finding itself: so that whoever defends it has met it before the other side does."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.comparison import Comparison, odds_of
from engine.core.edit import Effect
from engine.core.finding import Finding
from engine.core.perceived import gather, species_behind
from engine.media.source import shown
from engine.report.view import edits, validation, words
from engine.report.view.verdict import comparisons

_MOST = 6  # of one kind
_WORTH = 0.05  # of a log10 factor: what weighs less is not worth a sentence; the table of effects has it
_OVERLAP = 0.05  # Bhattacharyya coefficient below which two beliefs hardly share anything


def speaks_against(finding: Finding) -> tuple[str, ...]:
    """Sentences, weightiest first; empty when nothing perceived does. Hostile text is made fit to be shown, not escaped."""
    compared = next((c for c in comparisons(finding) if {c.a, c.b} == {"sound", "picture"}), None)
    parts = [*_of_comparison(finding, compared)] if compared else []
    parts += _of_senses(finding)
    parts += _of_species(finding)
    parts += _of_claims(finding)
    return tuple(parts)


def _of_comparison(finding: Finding, c: Comparison) -> Iterator[str]:
    if c.verdict == "cannot tell":
        return
    sign = 1.0 if c.log10_factor > 0 else -1.0
    weakest = min(sign * c.log10_low, sign * c.log10_high)
    if weakest <= 0:
        yield "The 95% interval of the factor includes 1: it may say nothing."
    elif weakest < abs(c.log10_factor) - edits.SMALL:
        yield f"The weak end of the factor's 95% interval is {odds_of(weakest)}."
    for under in c.by_prior:
        if under.words != c.support:
            yield f"Under the prior “{under.prior}” the factor is log₁₀ {edits.factor(under.log10_factor)} ({under.words})."
    if sign > 0 and c.distance_km > c.same_place_km:
        yield (
            f"The places reported lie {words.km(c.distance_km)} apart, more than the {words.km(c.same_place_km)} that “the same "
            f"place” means here; {words.km(c.expected_km)} are to be expected under both beliefs."
        )
    if sign < 0 and c.shared_region_km2 > 0:
        yield f"The two 90% regions share {words.area(c.shared_region_km2)}: one place for both is not ruled out."
    if sign < 0 and c.overlap > _OVERLAP:
        yield f"The beliefs of sound and picture overlap by {c.overlap:.2f} of 1."
    if sign > 0:
        yield f"In the tests {validation.factor().near} were called one place too: near places are not told from one."
    if c.at_bound and (fewer := validation.bound_counted_once(c)):
        yield fewer
    if c.after_words and c.after_words != c.before_words:
        yield f"The analyst's edits change the step: as first computed {c.before_words}; with them {c.after_words}."
    opposed = [e for e in finding.effects if e.key and (e.log10_change or 0.0) * sign < -_WORTH]
    for e in sorted(opposed, key=_strength)[:_MOST]:
        yield f"{_title(e)} speaks the other way: {edits.factor(e.log10_change)} on log₁₀."


def _of_senses(finding: Finding) -> Iterator[str]:
    for e in [e for e in finding.effects if e.key and e.alone][:_MOST]:
        yield f"{_title(e)} stands alone: without it the {e.modality} says nothing."
    fused, container = finding.by("both"), finding.by("container")
    if fused and container and fused.spoke and container.spoke:
        from engine.core.sphere import distance_km

        a, b = fused.place, container.place
        apart = float(distance_km(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg))
        if apart > container.place.radius_km:
            yield f"The container's own tags name a place {words.km(apart)} from where sound and picture together point."


def _of_species(finding: Finding) -> Iterator[str]:
    counted = [p for p in species_behind(finding, gather(finding)) if not p.dropped and not p.added]
    once = [shown(p.title, 80) for p in counted if p.windows == 1]
    if once:
        more = f" and {len(once) - _MOST} more" if len(once) > _MOST else ""
        yield f"Heard in one window only, and so most easily a mistake: {', '.join(once[:_MOST])}{more}."
    if len(counted) == 1 and (sound := finding.by("sound")) is not None and sound.spoke:
        yield "One species alone stands behind the sound; a cage, a zoo, a mimic or a played-back recording would explain it too."


def _of_claims(finding: Finding) -> Iterator[str]:
    for test in finding.claims:
        doubted = [f"{shown(r.name or r.latin, 80)} ({shown(r.doubt, 160)})" for r in test.heard if r.doubt]
        if doubted:
            yield f"Of the species that the claim was tested on, these must not decide: {'; '.join(doubted[:_MOST])}."


def _strength(e: Effect) -> float:
    return -abs(e.log10_change or 0.0)


def _title(e: Effect) -> str:
    return shown(e.title, 120)
