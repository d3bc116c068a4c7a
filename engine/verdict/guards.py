"""What keeps a factor from being reported, or limits it: the same for sound against picture and for a claim.

In this order, for whatever a factor rests on:

- under every prior; the one nearest to 1 counts, and where priors disagree on the direction there is no result;
- no result either where the interval includes 1, or the factor is below 2;
- no result either where it speaks against a place that lies within the 90% region drawn for the other;
- without BirdNET's known false alarms that no analyst confirmed: the weaker counts, and where nothing is left there is no result;
- against places 500 to 1,000 km away instead of any place: where a factor for one place is not at least twice theirs under every
  prior, it speaks for the region, and not for the place;
- without any one species heard, or any one line read: support is worded no higher than the factor that remains would be; where
  nothing remains, the finding rests on that one observation, says so, and is weak support at most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.core.comparison import VERBAL_SCALE, Support, UnderPrior, words_of
from engine.core.finding import Located
from engine.core.posterior import Posterior, Prior
from engine.core.wording import listed
from engine.verdict.calibration import LEAST_FACTOR, NEUTRAL, Answer

WEAK_MOST = float(np.log10(0.99 * 10.0))  # just below the scale's step to moderate support
REGION, MOST = 0.9, 0.5  # the region that is meant, and the share of a picture's mass from which its place lies in it
ALL = frozenset({"priors", "interval", "false alarms", "overlap", "near", "species", "signs"})
"""Names of the guards; the benchmark tells the price of each."""

Under = tuple[tuple[Prior, Posterior], ...]
"""A modality's posterior under every prior, on one grid; empty where it gives no usable location."""


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """A modality without one observation.

    Attributes:
        what: which, in words ("Wrentit").
        kind: "species", "sign" or another kind of evidence ("mains hum").
        under: what remains.
    """

    what: str
    kind: str
    under: Under


def _nothing() -> tuple[LeftOut, ...]:
    return ()


@dataclass(frozen=True, slots=True, eq=False)
class ModalityEvidence:
    """One modality: what it says, and what remains of it without the observations that must not decide alone.

    Attributes:
        located: under the analyst's prior.
        under: on the world grid.
        without: without BirdNET's known false alarms; None where there are none among what was heard.
        doubted: their names.
        left_out: works out, when called, the modality without each of its observations.
        reading: how a picture was read (`clues.text.kinds`), or "".
    """

    located: Located
    under: Under
    without: Under | None = None
    doubted: tuple[str, ...] = ()
    left_out: Callable[[], tuple[LeftOut, ...]] = _nothing
    reading: str = ""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A factor with every guard applied.

    Attributes:
        answer: what is reported.
        by_prior: under every prior, before the other guards.
        reason: why there is no result, or "".
        rests_on: what the finding rests on alone ("one species: Wrentit"), or "".
        region: it speaks for the region, and not for the place.
    """

    answer: Answer
    by_prior: tuple[UnderPrior, ...]
    reason: str = ""
    rests_on: str = ""
    region: bool = False

    @property
    def support(self) -> Support:
        """Words for its strength."""
        return Support.NONE if self.reason else words_of(10.0 ** abs(self.answer.log10_factor))


Ask = Callable[[ModalityEvidence, Under], Sequence[Answer]]
"""The answers under every prior with a modality's posteriors in place of its own."""


def weigh(
    answers: Sequence[Answer],
    near: Callable[[], Sequence[Answer]],
    parts: Sequence[ModalityEvidence],
    ask: Ask,
    guards: frozenset[str] = ALL,
    overlap: Callable[[], str] = str,
) -> Weighed:
    """Apply every guard.

    Args:
        answers: under every prior of the first part's `under`.
        near: works out, when called, the same for a place 500 to 1,000 km away (`agreement.moved`).
        parts: the modalities the factor rests on.
        ask: see Ask.
        guards: those that are applied.
        overlap: says, when called, which place lies within which 90% region, a clause; "" where none does.
    """
    names = [prior.name for prior, _ in parts[0].under]
    by_prior = tuple(
        UnderPrior(name, a.log10_factor, words_of(10.0 ** abs(a.log10_factor))) for name, a in zip(names, answers, strict=True)
    )
    found = _weakest(answers) if "priors" in guards else answers[0]
    divided = "priors" in guards and _sides(answers) > 1
    reason = why_none(found, "the result depends on the prior" if divided else "", "interval" in guards)
    if not reason and found.log10_factor < 0.0 and "overlap" in guards:
        reason = overlap()
    if not reason and "false alarms" in guards:
        found, reason = _without_false_alarms(found, parts, ask)
    rests_on = ""
    if not reason:
        found, rests_on = _without_any_one(found, parts, ask, guards)
    region = not reason and found.log10_factor > 0.0 and "near" in guards and not _tells_apart(answers, near())
    return Weighed(found, by_prior, reason, rests_on, region)


def _tells_apart(answers: Sequence[Answer], near: Sequence[Answer]) -> bool:
    """Whether a place is told from those 500 to 1,000 km away, under every prior."""
    return all(a.free - n.free >= LEAST_FACTOR for a, n in zip(answers, near, strict=True))


def why_none(found: Answer, divided: str = "", interval: bool = True) -> str:
    """Why a factor is not reported, or "".

    Args:
        divided: why there is none in any case.
        interval: one whose interval includes 1 is not.
    """
    if divided:
        return divided
    if interval and found.low <= 0.0 <= found.high:
        return "the factor's interval includes 1"
    if abs(found.log10_factor) < LEAST_FACTOR:
        return "the factor is below 2, which supports neither"
    return ""


def _without_false_alarms(found: Answer, parts: Sequence[ModalityEvidence], ask: Ask) -> tuple[Answer, str]:
    for part in parts:
        if part.without is None:
            continue
        others = _remaining(part, part.without, ask)
        weakest = _weakest((*others, found))
        if _sides((*others, found)) > 1 or why_none(weakest):
            which = "a known false alarm" if len(part.doubted) == 1 else "known false alarms"
            doubted = listed([f"the {name}" for name in part.doubted])
            why = f"without {doubted}, {which} of BirdNET, the {part.located.modality} does not support this"
            return weakest, why
        found = weakest
    return found, ""


def _without_any_one(whole: Answer, parts: Sequence[ModalityEvidence], ask: Ask, guards: frozenset[str]) -> tuple[Answer, str]:
    """The factor in the words that the weakest factor without any one observation is put in, and what it rests on alone."""
    least, alone = abs(whole.log10_factor), []
    for part in parts:
        sound = part.located.modality == "sound"
        # Lines are read anew, which takes a while; a finding that is weak with all of them is no stronger without one.
        if ("species" if sound else "signs") not in guards or (not sound and abs(whole.log10_factor) <= WEAK_MOST):
            continue
        for left in part.left_out():
            others = (*_remaining(part, left.under, ask), whole)
            weakest = abs(_weakest(others).log10_factor)
            if _sides(others) > 1 or weakest < LEAST_FACTOR:
                alone.append(left)
            least = min(least, max(weakest, LEAST_FACTOR))
    return _worded_no_higher(whole, least), " and ".join(f"one {x.kind}: {x.what}" for x in _one_of_a_kind(alone))


def _one_of_a_kind(alone: Sequence[LeftOut]) -> list[LeftOut]:
    first: dict[str, LeftOut] = {}
    for x in alone:
        first.setdefault(x.kind, x)
    return list(first.values())


def _worded_no_higher(found: Answer, log10_factor: float) -> Answer:
    """The answer, no stronger than the strongest that is put in the words of a weaker factor."""
    most = next((np.log10(0.99 * step) for step, _ in VERBAL_SCALE if np.log10(step) > log10_factor), np.inf)
    if abs(found.log10_factor) <= most:
        return found
    factor, low, high = (float(np.clip(v, -most, most)) for v in (found.log10_factor, found.low, found.high))
    return replace(found, log10_factor=factor, low=low, high=high, at_bound=False)


def _remaining(part: ModalityEvidence, under: Under, ask: Ask) -> tuple[Answer, ...]:
    return tuple(ask(part, under)) if under else (NEUTRAL,)


def _weakest(answers: Sequence[Answer]) -> Answer:
    return min(answers, key=lambda a: abs(a.log10_factor))


def _sides(answers: Sequence[Answer]) -> int:
    return len({np.sign(a.log10_factor) for a in answers})
