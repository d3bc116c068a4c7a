"""Same place or not: what the sound says of the place where the picture is, calibrated and guarded, in words.

The factor is the sound's, averaged over the picture's posterior and mixed with the rate at which such a picture is misread
(`calibration`). A picture that is sharply at a place thus says of the sound what a claim of that place says (`claim`): map,
guards and words are the same. Both are compared on the world grid, whose cells are as wide as the range model tells places
apart.
"""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from engine.core.comparison import Comparison, Support, Verdict
from engine.core.posterior import Posterior, Prior
from engine.verdict import agreement, calibration, guards
from engine.verdict.calibration import NEUTRAL, Answer, Target
from engine.verdict.guards import ModalityEvidence, Under, Weighed

_SILENT = "usable location"  # how the reasons of a modality without a location end


def compare(sound: ModalityEvidence, picture: ModalityEvidence, same_place_km: float) -> Comparison:
    """Compare sound and picture.

    Args:
        same_place_km: radius of the same-place kernel.
    """
    a, b = sound.located, picture.located
    # What a silent modality would be compared by is the prior's: there is no distance, overlap or region then.
    both = a.place is not None and b.place is not None
    measured = agreement.measure(a.posterior, b.posterior, a.place, b.place) if a.place and b.place else None
    found = weigh(sound, picture, same_place_km) if both else Weighed(NEUTRAL, (), _silent(a.spoke, b.spoke))
    x = found.answer
    return Comparison(
        a=a.modality,
        b=b.modality,
        verdict=_verdict(found),
        support=found.support,
        distance_km=measured.distance_km if measured else None,
        expected_km=measured.expected_km if measured else None,
        overlap=measured.overlap if measured else None,
        shared_region_km2=measured.shared_region_km2 if measured else None,
        log10_raw=x.log10_raw,
        log10_factor=x.log10_factor,
        log10_low=x.low,
        log10_high=x.high,
        at_bound=x.at_bound,
        pairs=calibration.maps().fit("sound", same_place_km).pairs,
        same_place_km=same_place_km,
        by_prior=found.by_prior,
        reason=found.reason,
        rests_on=found.rests_on,
    )


def weigh(
    sound: ModalityEvidence,
    picture: ModalityEvidence,
    same_place_km: float,
    applied: frozenset[str] = guards.ALL,
    maps: calibration.Maps | None = None,
) -> Weighed:
    """The factor for one place against two, every guard applied.

    Args:
        applied: names of the guards that are.
        maps: the calibrations; None takes those that are shipped.
    """
    maps = maps or calibration.maps()
    fit, misread = maps.fit("sound", same_place_km), maps.misread_rate(picture.reading)

    def ask(part: ModalityEvidence, under: Under) -> list[Answer]:
        pairs = zip(under, picture.under, strict=True) if part is sound else zip(sound.under, under, strict=True)
        return [
            calibration.answer(fit, log10_spread(heard, prior, same_place_km), Target(seen.mass, misread))
            for (prior, heard), (_, seen) in pairs
        ]

    def near() -> list[Answer]:
        return [
            calibration.answer(fit, log10_spread(heard, prior, same_place_km), Target(agreement.moved(seen.mass, prior), misread))
            for (prior, heard), (_, seen) in zip(sound.under, picture.under, strict=True)
        ]

    def overlap() -> str:
        heard, seen = sound.under[0][1], picture.under[0][1]
        inside = float(seen.mass[heard.region(guards.REGION)].sum()) >= guards.MOST
        return "the picture's place lies within the sound's 90% region" if inside else ""

    return guards.weigh(ask(sound, sound.under), near, (sound, picture), ask, applied, overlap)


def _verdict(found: Weighed) -> Verdict:
    if found.reason:
        return Verdict.CANNOT_TELL
    if found.answer.log10_factor < 0.0:
        return Verdict.DIFFERENT
    return Verdict.REGION if found.region else Verdict.SAME


_SPREADS: WeakKeyDictionary[Posterior, dict[float, calibration.Array]] = WeakKeyDictionary()


def log10_spread(heard: Posterior, prior: Prior, same_place_km: float) -> calibration.Array:
    """(cells,) log10 of the factor that a posterior gives to a clip from each cell; kept as long as the posterior.

    Args:
        prior: the one behind the posterior.
    """
    known = _SPREADS.setdefault(heard, {})
    if same_place_km not in known:
        known[same_place_km] = np.log10(np.maximum(agreement.spread(heard.mass, prior, same_place_km), 1e-300))
    return known[same_place_km]


def unbounded(heard: Posterior, seen: Posterior, prior: Prior, same_place_km: float, reading: str) -> float:
    """The log10 factor without bounds and guards: for differences between two of them, never for a verdict."""
    maps = calibration.maps()
    target = Target(seen.mass, maps.misread_rate(reading))
    return calibration.answer(maps.fit("sound", same_place_km), log10_spread(heard, prior, same_place_km), target).free


def _silent(sound: bool, picture: bool) -> str:
    if not sound and not picture:
        return f"neither sound nor picture gives a {_SILENT}"
    return f"the {'picture' if sound else 'sound'} gives no {_SILENT}"


def guarded(now: Comparison, first: Comparison | None, why_none: str = "") -> Comparison:
    """A comparison after edits, held to what was first computed: where the verbal step differs, the weaker is the headline.

    Edits may weaken what the machine said, and may find what it could not; they cannot make its own finding stronger. Where
    both speak and point opposite ways, there is no result; where one says one place and the other one region, it is the region.
    Where nothing could be compared at first because a modality was silent, there is no step to be held to: the finding stands
    and says that it rests on the analyst.

    Args:
        now: with the edits.
        first: as first computed, or None when nothing was compared.
        why_none: why nothing was compared at first.
    """
    if first is None or (first.verdict == Verdict.CANNOT_TELL and first.reason.endswith(_SILENT)):
        why = why_none or (first.reason if first else "")
        words = f"cannot tell: {why}" if why else str(Verdict.CANNOT_TELL)
        return replace(now, before_words=words, after_edits=now.log10_factor, after_words=now.said)
    held = replace(
        now,
        before_edits=first.log10_factor,
        before_words=first.said,
        after_edits=now.log10_factor,
        after_words=now.said,
    )
    if now.verdict == Verdict.CANNOT_TELL or first.said == now.said:
        return held
    if first.verdict == Verdict.CANNOT_TELL:
        reason = f"there was no result before the edits ({first.reason}); with them: {now.said}"
        return _weaker(held, first, Verdict.CANNOT_TELL, Support.NONE, reason)
    if {first.verdict, now.verdict} == {Verdict.SAME, Verdict.REGION}:
        # Both speak for one place against two: what is said is the weaker of both, in verdict and in support.
        weaker = min(now, first, key=lambda c: abs(c.log10_factor))
        return _weaker(held, weaker, Verdict.REGION, weaker.support, "")
    if first.verdict != now.verdict:
        reason = f"the result depends on the analyst's edits: {first.said} before them, {now.said} with them"
        return _weaker(held, min(now, first, key=lambda c: abs(c.log10_factor)), Verdict.CANNOT_TELL, Support.NONE, reason)
    if abs(first.log10_factor) < abs(now.log10_factor):
        return _weaker(held, first, first.verdict, first.support, "")
    return held


def _weaker(held: Comparison, taken: Comparison, verdict: Verdict, support: Support, reason: str) -> Comparison:
    """The comparison with another's factor, and a verdict."""
    return replace(
        held,
        verdict=verdict,
        support=support,
        reason=reason,
        log10_raw=taken.log10_raw,
        log10_factor=taken.log10_factor,
        log10_low=taken.log10_low,
        log10_high=taken.log10_high,
        at_bound=taken.at_bound,
        rests_on=taken.rests_on,
    )
