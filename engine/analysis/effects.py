"""What each clue and each observation does to a result: it is worked out again without them, one at a time.

Everything is scored on the map of the whole finding, so that a difference is the evidence's and not the map's. The factor is the
calibrated one under the analyst's own prior before it is bounded: at the bound, all differences would vanish.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from engine.analysis import weighing
from engine.analysis.judge import judge
from engine.analysis.rationale.facts import rationale
from engine.clues import registry
from engine.clues.species.spec import MADE_OF
from engine.core import edit, sphere
from engine.core.comparison import Comparison
from engine.core.edit import Choice, Effect, Step
from engine.core.evidence import Clue, Evidence
from engine.core.finding import FUSED, Finding, apart_km
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.posterior import Place, Posterior, Prior
from engine.core.settings import Settings
from engine.core.spec import ClueSpec
from engine.verdict import compare, fuse

MOST_PER_CLUE = 15  # observations; the strongest, the rest moves next to nothing


def effects(perception: Perception, settings: Settings | None = None, finding: Finding | None = None) -> tuple[Effect, ...]:
    """What each clue that speaks, and each species, sign or other thing behind it, does to the result.

    Args:
        finding: the judgement of these settings, when it is at hand.

    Returns:
        Clues first, each followed by its observations, strongest first by what they do.
    """
    settings = settings or Settings()
    found = finding or judge(perception, settings)
    speaking = tuple(e for e in found.evidence if e.abstained is None)
    if not speaking:
        return ()
    whole = _Result.of(found, found.evidence)
    clues = {c.name: c for c in registry.clues(settings)}
    out: list[Effect] = []
    for e in speaking:
        rest = tuple(x for x in found.evidence if e.clue not in (x.clue, x.joined))
        out.append(_effect(whole, _Result.of(found, rest), e, "", e.clue))
        if e.clue not in clues or clues[e.clue].reads != e.clue:
            continue  # its observations are another clue's, and stand there
        each = [_without(whole, found, clues, e, own) for own in _things(e)]
        out += sorted(each, key=lambda x: (not x.alone, -abs(x.log10_change or 0.0), -x.moved_km))
    return tuple(out)


def history(perception: Perception, settings: Settings) -> tuple[Step, ...]:
    """Every edit with the factor before and after it, in the order in which they were made."""
    first = judge(perception, edit.untouched(settings))
    at, out = first, []
    for made, _, after in edit.edit_steps(settings):
        then = judge(perception, after, first=first) if made.scores else at
        out.append(edit_step(made, at, then))
        at = then
    return tuple(out)


def edit_step(made: edit.Edit, before: Finding, after: Finding) -> Step:
    """What one edit did, from the findings before and after it."""
    return Step(made, *_between(before, after))


def _between(before: Finding, after: Finding) -> tuple[float | None, float | None, str, str, tuple[tuple[str, float], ...], bool]:
    """What differs between two findings, as the fields of `Step` and of `Choice` have it: factors, words, places, the bound."""
    a, b = factor(before), factor(after)
    moved = tuple((x.modality, km) for x in before.located if (km := apart_km(x, after.by(x.modality))) is not None)
    bounded = all(any(c.at_bound for c in f.comparisons) for f in (before, after))
    return a[0], b[0], a[1], b[1], moved, bounded


def choices(finding: Finding) -> tuple[Choice, ...]:
    """What each setting of scoring that the analyst chose does to the result: a judgement for each."""
    return tuple(
        setting_choice(name, chosen, default, judge(finding.perception, without), finding)
        for name, chosen, default, without in edit.chosen_settings(finding.settings)
    )


def setting_choice(name: str, chosen: str, default: str, without: Finding, finding: Finding) -> Choice:
    """What one setting does, from the finding with the default in its place and the finding as it is."""
    return Choice(name, chosen, default, *_between(without, finding))


def with_history(finding: Finding) -> Finding:
    """The finding with what each edit and each setting chosen did; what is there already is not computed again."""
    s = finding.settings
    steps = finding.history or (history(finding.perception, s) if s.edits or edit.edited(s) else ())
    return replace(finding, history=steps, choices=finding.choices or choices(finding))


def explained(finding: Finding) -> Finding:
    """The finding with what each edit, setting, clue and observation did, as reports show it."""
    film = tuple(replace(f, rationale=rationale(f)) for f in finding.film)
    done = effects(finding.perception, finding.settings, finding)
    return replace(with_history(finding), effects=done, film=film, rationale=rationale(finding))


def factor(finding: Finding) -> tuple[float | None, str]:
    """The calibrated log10 factor for one place against two, or None where nothing was compared, and the verdict in words: the
    factor with the edits so far as they are, not held to what was first computed, and its words."""
    c: Comparison | None = next((c for c in finding.comparisons if {c.a, c.b} == {"sound", "picture"}), None)
    if c is None:
        return None, ""
    silent = [x for x in (finding.by(c.a), finding.by(c.b)) if x is None or not x.spoke]
    words = c.after_words or c.said
    return (None if silent else c.log10_factor if c.after_edits is None else c.after_edits), words


@dataclass(frozen=True, slots=True)
class ClueSwitch:
    """A clue as the analyst may set it.

    Attributes:
        name: the clue.
        modality: the modality it belongs to.
        optional: off unless asked for.
        on: whether it counts now.
        why: why it is off by default, or "".
        weight: of its log-likelihood.
        reason: why the weight is 1 by default.
        label: what its switch says: the clue's title, or what the analyst states with it.
        help: why it is off, what it means to switch it on, or why its weight is what it is.
    """

    name: str
    modality: Modality
    optional: bool
    on: bool
    why: str
    weight: float
    reason: str
    label: str
    help: str


def clue_switches(settings: Settings | None = None) -> tuple[ClueSwitch, ...]:
    """Every clue there is, with its switch and weight, in the order in which they are shown."""
    s = settings or Settings()
    weights = dict(s.weights)
    return tuple(
        ClueSwitch(
            name=c.name,
            modality=c.modality,
            optional=not c.votes,
            on=c.name not in s.left_out if c.votes else c.name in s.included,
            why=c.idle,
            weight=weights.get(c.name, 1.0),
            reason=c.weight_reason,
            label=c.condition[:1].upper() + c.condition[1:] or c.title,
            help=_help(c),
        )
        for c in registry.SPECS
    )


def _help(spec: ClueSpec) -> str:
    if not spec.condition:
        return spec.idle or spec.weight_reason
    return f"Switch it on only if you know that {spec.condition}; the {spec.title} then counts. It is {spec.idle}."


def modality_weights(settings: Settings | None = None) -> tuple[tuple[str, float, str], ...]:
    """(modality, weight, reason) with which each modality joins "both"."""
    weights = dict((settings or Settings()).weights)
    return tuple((m, weights.get(f"modality:{m}", 1.0), fuse.MODALITY_WEIGHT) for m in (Modality.SOUND, Modality.PICTURE))


@dataclass(frozen=True, slots=True, eq=False)
class _Result:
    """What is read off one set of evidence: posterior, place and gain of each modality, and the factor."""

    posteriors: dict[Modality, Posterior]
    places: dict[Modality, Place]
    gains: dict[Modality, float]
    log10_factor: float | None

    @classmethod
    def of(cls, found: Finding, evidence: Iterable[Evidence]) -> _Result:
        evidence = tuple(evidence)
        s = found.settings
        prior: Prior = found.located[0].prior
        posteriors, places, gains = {}, {}, {}
        for x in found.located:
            held = tuple(e for e in evidence if _joins(e, x.modality, s) and e.abstained is None)
            posterior = fuse.posterior_of(held, prior, fuse.effective(s.weights, held, x.modality == FUSED))
            gain = posterior.gain_nats(prior)
            if held and gain >= fuse.LEAST_GAIN_NATS:
                posteriors[x.modality], gains[x.modality] = posterior, gain
                places[x.modality] = posterior.place(s.radius_km)
        factor = None
        if {Modality.SOUND, Modality.PICTURE} <= posteriors.keys():
            observations = tuple(o for e in evidence for o in e.observations)
            seen = tuple(e for e in evidence if e.modality == Modality.PICTURE and e.abstained is None)
            factor = compare.unbounded(
                posteriors[Modality.SOUND],
                posteriors[Modality.PICTURE],
                prior,
                s.same_place_km,
                weighing.reading_of(observations, seen),
            )
        return cls(posteriors, places, gains, factor)


def _joins(e: Evidence, modality: str, settings: Settings) -> bool:
    if modality == FUSED:
        return e.modality != "container" or e.clue in settings.included
    return e.modality == modality


def _things(e: Evidence) -> list[tuple[Observation, ...]]:
    """The observations of each thing behind a clue, strongest first; sounds, and tags without a place, say nothing."""
    by_key: dict[str, list[Observation]] = {}
    for o in e.observations:
        if o.kind not in ("sound", MADE_OF) and (o.kind != "tag" or o.vector is not None):
            by_key.setdefault(o.key, []).append(o)
    ordered = sorted(by_key.values(), key=lambda own: -max(o.score for o in own))
    return [tuple(own) for own in ordered[:MOST_PER_CLUE]]


def _without(whole: _Result, found: Finding, clues: dict[str, Clue], e: Evidence, own: tuple[Observation, ...]) -> Effect:
    """The effect of one thing: every clue that reads it is scored again without it."""
    key = own[0].key
    again = []
    for x in found.evidence:
        if x.abstained is None and any(o.key == key for o in x.observations):
            left = tuple(o for o in x.observations if o.key != key)
            x = clues[x.clue].log_likelihood(left, x.grid, found.settings.when)
        again.append(x)
    best = max(own, key=lambda o: o.score)
    return _effect(whole, _Result.of(found, again), e, key, best.name or best.label)


def _effect(whole: _Result, rest: _Result, e: Evidence, key: str, title: str) -> Effect:
    change = None
    if whole.log10_factor is not None and rest.log10_factor is not None:
        change = whole.log10_factor - rest.log10_factor
    modality = e.modality
    return Effect(
        clue=e.clue,
        key=key,
        title=title,
        modality=modality,
        log10_change=change,
        moved_km=_moved(whole, rest, modality) or 0.0,
        moved_both_km=_moved(whole, rest, FUSED),
        gain_change=whole.gains.get(modality, 0.0) - rest.gains.get(modality, 0.0),
        alone=modality in whole.posteriors and modality not in rest.posteriors,
    )


def _moved(whole: _Result, rest: _Result, modality: Modality) -> float | None:
    a, b = whole.places.get(modality), rest.places.get(modality)
    return None if a is None or b is None else float(np.round(sphere.distance_km(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg), 3))
