"""Evidence against a finding, taken from the finding itself, so that whoever presents it knows it in advance."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.comparison import Comparison, Verdict, odds_of
from engine.core.edit import Effect
from engine.core.finding import Finding, apart_km
from engine.core.perceived import gather, species_behind
from engine.media.source import shown
from engine.report.view import edits, validation, words
from engine.report.view.verdict import REGION_ONLY, comparisons

_MOST = 6  # of one kind
_WORTH = 0.05  # of a log10 factor: what weighs less is not worth a sentence; the table of effects has it
_OVERLAP = 0.05  # Bhattacharyya coefficient below which two posteriors hardly share anything


def speaks_against(finding: Finding) -> tuple[str, ...]:
    """Sentences, weightiest first; empty when nothing perceived does. Hostile text is made fit to be shown, not escaped."""
    compared = next((c for c in comparisons(finding) if {c.a, c.b} == {"sound", "picture"}), None)
    parts = [*_of_comparison(finding, compared)] if compared else []
    parts += _of_modalities(finding)
    parts += _of_species(finding)
    parts += _of_claims(finding)
    return tuple(parts)


def _of_comparison(finding: Finding, c: Comparison) -> Iterator[str]:
    if c.verdict == Verdict.CANNOT_TELL:
        return
    sign = 1.0 if c.log10_factor > 0 else -1.0
    weakest = min(sign * c.log10_low, sign * c.log10_high)
    if weakest <= 0:
        yield "The 95% interval of the factor includes 1: the evidence may favour neither proposition."
    elif weakest < abs(c.log10_factor) - edits.SMALL:
        yield f"The lower end of the factor's 95% interval is {odds_of(weakest)}."
    yield from _of_priors(c)
    yield from _of_distance(c, sign)
    if c.verdict == Verdict.SAME:
        yield f"In validation, {validation.factor().near} were also reported as one place."
    if c.verdict == Verdict.REGION:
        yield REGION_ONLY
    if c.rests_on:
        yield f"The finding rests on {c.rests_on}: without it, there is no result."
    if c.after_words and c.after_words != c.before_words:
        yield f"The analyst's edits change the verbal scale: {c.before_words} before, {c.after_words} after."
    opposed = [e for e in finding.effects if e.key and (e.log10_change or 0.0) * sign < -_WORTH]
    for e in sorted(opposed, key=_strength)[:_MOST]:
        yield f"{_title(e)} points the other way: {edits.factor(e.log10_change)} on log₁₀."


def _of_priors(c: Comparison) -> Iterator[str]:
    for under in c.by_prior:
        if under.words != c.support:
            yield f"Under the prior “{under.prior}” the factor is log₁₀ {edits.factor(under.log10_factor)} ({under.words})."


def _of_distance(c: Comparison, sign: float) -> Iterator[str]:
    if sign > 0 and c.distance_km is not None and c.expected_km is not None and c.distance_km > c.same_place_km:
        yield (
            f"The reported places are {words.km(c.distance_km)} apart, more than the {words.km(c.same_place_km)} within which "
            f"they count as the same place; the mean distance under both posteriors is {words.km(c.expected_km)}."
        )
    if sign < 0 and c.shared_region_km2:
        yield f"The two 90% regions overlap by {words.area(c.shared_region_km2)}: one place for both is not excluded."
    if sign < 0 and c.overlap is not None and c.overlap > _OVERLAP:
        yield f"The posteriors of sound and picture overlap by {c.overlap:.2f} of 1."


def _of_modalities(finding: Finding) -> Iterator[str]:
    for e in [e for e in finding.effects if e.key and e.alone][:_MOST]:
        yield f"{_title(e)} is the only evidence: without it the {e.modality} gives no location."
    fused, container = finding.by("both"), finding.by("container")
    apart = apart_km(fused, container)
    if apart is not None and container and container.place and apart > container.place.radius_km:
        yield f"The container's tags state a place {words.km(apart)} from the place that sound and picture indicate together."


def _of_species(finding: Finding) -> Iterator[str]:
    counted = [p for p in species_behind(finding, gather(finding)) if not p.dropped and not p.added]
    once = [shown(p.title, 80) for p in counted if p.windows == 1]
    if once:
        more = f" and {len(once) - _MOST} more" if len(once) > _MOST else ""
        yield f"Detected in one window only, and therefore more likely wrong: {', '.join(once[:_MOST])}{more}."
    if len(counted) == 1 and (sound := finding.by("sound")) is not None and sound.spoke:
        yield (
            "The sound rests on one species only; a caged bird, a zoo, a mimic or a played-back recording would explain it as "
            "well."
        )


def _of_claims(finding: Finding) -> Iterator[str]:
    for test in finding.claims:
        doubted = [f"{shown(r.name or r.latin, 80)} ({shown(r.doubt, 160)})" for r in test.heard if r.doubt]
        if doubted:
            yield f"The claim test rests in part on doubtful species: {'; '.join(doubted[:_MOST])}."


def _strength(e: Effect) -> float:
    return -abs(e.log10_change or 0.0)


def _title(e: Effect) -> str:
    return shown(e.title, 120)
