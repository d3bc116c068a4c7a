"""Where such a set of species is heard.

A species counts once per interval, however often it calls. A detection is right with a calibrated chance c, and when it is wrong
it says nothing. With r the chance that the species is recorded at a place, N how many species are to be expected there, and I the
information of the range in nats (the Kullback-Leibler divergence of r by area from the land by area), one species contributes

    l(x) = (1 - c) + c * q(x) / mean(q),        q(x) = r(x)^a / N(x)^(1 - exp(-I)),

the mean being taken over the land by area: a species that lives everywhere says nothing, one that lives in a single valley says
where. Dividing by N undoes that any given species is a small share of what is heard in a rich or well-watched place; a species
that lives everywhere is no news of richness either, hence the exponent. Species heard together repeat each other's news, so the
sum of the logarithms is tempered by how much information they bring, K = sum(c * I):

    log L(x) = t * (1 + K / kappa)^-d * sum(log l).

What is left is floored, for everything may be mistaken at once (a recording that was played back, fauna that no model knows):
with L divided by its mean, (1 - floor) * L + floor.

c is a logistic function of the best score's log-odds, of how many windows' worth of time the species is heard (score at least
0.1), and of how far another species is ahead of it in its own best window, which is how confusions look; it never exceeds
1 - doubt, which leaves room for vagrants, cages, zoos and playback. All numbers are in `Calibration`; they were fitted together
on recordings of known place, clean and degraded, on lists of species that people wrote, and on ordinary sound and labelled
sounds, in which most detections are mistaken, by `earwitness lab calibrate-species` (see LOG.md). The range model knows nothing
finer than the world grid's cells, so that cells within one of these are all alike to it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, xlogy

from engine.clues.species import tones
from engine.clues.species.levels import levels_at, source_of
from engine.clues.species.ranges import ranges
from engine.clues.species.spec import MADE_OF, SPEC
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.models import birdnet
from engine.models.sound_kinds import MODEL_ID as KINDS_ID
from engine.models.sound_kinds import kind_of
from engine.world.grid import handed_down, world_grid

MOST_SPECIES = 15  # the best that a model detects in an interval; the rest is noise and costs time
HEARD_SCORE = 0.1
LIKELY = 0.4  # the least chance of being right with which a detection counts by itself (LOG.md)
MOSTLY = 0.75  # animals of a detection's kind through three quarters of the sound (LOG.md)
_LEAST_OCCURRENCE = 5e-5  # keeps the logarithm finite


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted numbers of the likelihood; see the module's text for their meaning."""

    score: float = 0.629
    time: float = 1.43
    behind: float = -0.0903
    bias: float = -2.64
    a: float = 0.8
    doubt: float = 0.00737
    d: float = 0.489
    t: float = 1.37
    kappa: float = 6.4
    floor: float = 4.82e-05


FITTED = Calibration()


@dataclass(frozen=True, slots=True)
class Heard:
    """One species of an interval, all its windows taken together.

    Attributes:
        index: into birdnet.labels().
        score: best score.
        windows: time it is heard with at least HEARD_SCORE, in windows of 3 s.
        behind: log-odds by which another class is ahead in its best window; 0 when it leads.
        said: the confidence with which an analyst says that it is there, 0 when nobody does.
        alone: nothing but the analyst's word stands for it.
    """

    index: int
    score: float
    windows: float
    behind: float
    said: float = 0.0
    alone: bool = False


def log_likelihood(observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
    """Where such a set of species is heard, (cells,); abstains when no species is, or none that can be relied on."""
    own = tuple(o for o in observations if o.clue == SPEC.name)
    heard = heard_in(own)
    why = why_silent(own, heard)
    if why:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, why, own)
    week = birdnet.week_of(when.month, when.day) if when else None
    index, chance = np.array([h.index for h in heard]), chances(heard)

    def on(world: Grid) -> NDArray[np.float64]:
        return likelihoods(ranges().occurrence(world, week, index), ranges().log_richness(world, week), chance, world)

    amount = float(chance @ information(index, week))
    levels = levels_at(source_of(np.array([h.said > 0 for h in heard]), chance), amount)
    models = () if all(o.by_analyst for o in own) else (birdnet.MODEL_ID, KINDS_ID)
    return Evidence(
        SPEC.name,
        SPEC.modality,
        grid,
        handed_down(grid, on),
        own,
        models=(*models, birdnet.RANGE_MODEL_ID),
        levels=levels,
    )


def why_silent(own: tuple[Observation, ...], heard: tuple[Heard, ...]) -> str:
    """Why the animals give no location, a clause; "" where they do.

    In ordinary sound most detections are mistaken. They count where one is sure enough, or where animals of its kind are what is
    heard through most of the sound, or where a person vouches for one.
    """
    if not heard:
        return _nothing_detected(own)
    chance, best = max(zip(chances(heard), heard, strict=True), key=lambda x: float(x[0]))
    if any(h.said for h in heard) or chance >= LIKELY or share_of(kind_of(best.index), own) >= MOSTLY:
        return ""
    name = birdnet.labels()[best.index].common
    return f"no detection of an animal is sure enough (the best, {name}, is right with a chance of {chance:.0%})"


def share_of(kind: str, own: tuple[Observation, ...]) -> float:
    """The share of the sound through which a kind of sound ("bird") is what is likeliest heard, 0 where nobody knows."""
    parts = [(o.end_s - o.start_s, o.label == kind) for o in own if o.kind == MADE_OF]
    whole = sum(length_s for length_s, _ in parts)
    return sum(length_s for length_s, same in parts if same) / whole if whole > 0 else 0.0


def _nothing_detected(own: tuple[Observation, ...]) -> str:
    own = tuple(o for o in own if o.kind != MADE_OF)
    why = "no animal known to BirdNET was detected" if own else "no sound was recognised"
    machines = len({o.start_s for o in own if o.label == tones.TONE})
    if machines:
        why += f"; {machines} window{'s' if machines > 1 else ''} of {birdnet.WINDOW_S:g} s"
        why += f" hold{'' if machines > 1 else 's'} a machine's tone, which is not heard as an animal"
    return why


def chances(heard: tuple[Heard, ...], calibration: Calibration = FITTED) -> NDArray[np.float64]:
    """(s,) chance that each detection is right.

    Calibrated for a model's; the stated confidence for an analyst's own; the higher of both where an analyst confirms what
    a model heard. Never more than 1 - doubt.
    """
    k = calibration
    z = features(heard) @ np.array([k.score, k.time, k.behind, k.bias])
    fitted = (1.0 - k.doubt) / (1.0 + np.exp(-z))
    said = np.minimum([h.said for h in heard], 1.0 - k.doubt)
    return np.maximum(np.where([h.alone for h in heard], said, np.maximum(fitted, said)), 1e-4)


def features(heard: tuple[Heard, ...]) -> NDArray[np.float64]:
    """(s, 4) what the chance of being right depends on: log-odds of the score, ln(1 + windows), log-odds behind, 1."""
    rows = [(_logit(h.score), np.log1p(h.windows), h.behind, 1.0) for h in heard]
    return np.array(rows, dtype=np.float64).reshape(len(heard), 4)


def likelihoods(
    occurrence: NDArray[np.float32],
    log_richness: NDArray[np.float64],
    chance: NDArray[np.float64],
    grid: Grid,
    calibration: Calibration = FITTED,
) -> NDArray[np.float64]:
    """The likelihood of the module's text, (cells,).

    Args:
        occurrence: (cells, s) r.
        log_richness: (cells,) ln(N + 1).
        chance: (s,) c.
    """
    k = calibration
    share = grid.area_km2 / grid.area_km2.sum()
    r = occurrence.astype(np.float64)
    narrows = information_of(r, share)
    log_q = k.a * np.log(r + _LEAST_OCCURRENCE) - log_richness[:, None] * (1.0 - np.exp(-narrows))
    log_l = np.logaddexp(np.log1p(-chance), np.log(chance) + log_q - logsumexp(log_q, axis=0, b=share[:, None])).sum(axis=1)
    log_l *= k.t * (1.0 + float(chance @ narrows) / k.kappa) ** -k.d
    log_l -= logsumexp(log_l, b=share)
    out: NDArray[np.float64] = np.logaddexp(np.log1p(-k.floor) + log_l, np.log(k.floor)) if k.floor > 0 else log_l
    return out


def information(species: NDArray[np.int64], week: int | None = None) -> NDArray[np.float64]:
    """(s,) nats by which the range of each species, by its class in BirdNET, narrows the land of the world."""
    world = world_grid()
    return information_of(ranges().occurrence(world, week, species).astype(np.float64), world.area_km2 / world.area_km2.sum())


def information_of(occurrence: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """(s,) nats by which each range narrows the land: the divergence of r by area from the land by area.

    Args:
        occurrence: (cells, s) r.
        share: (cells,) of the land by area, sum 1.
    """
    density = occurrence / np.maximum(share @ occurrence, 1e-9)
    out: NDArray[np.float64] = np.maximum(share @ xlogy(density, density), 0.0)
    return out


def heard_in(observations: tuple[Observation, ...]) -> tuple[Heard, ...]:
    """The species of an interval, each once, best first: at most MOST_SPECIES that a model detected, and all that people name."""
    windows: dict[float, list[Observation]] = defaultdict(list)
    by_label: dict[str, list[Observation]] = defaultdict(list)
    for o in observations:
        if o.kind == "species":
            if not o.by_analyst:  # a person's word is no rival in a window, nor a window of its own
                windows[o.start_s].append(o)
            by_label[o.label].append(o)
    starts = sorted(windows)
    stride_s = float(np.median(np.diff(starts))) if len(starts) > 1 else birdnet.WINDOW_S
    per_window = min(1.0, stride_s / birdnet.WINDOW_S)
    heard = []
    for label, every in by_label.items():
        try:
            index = birdnet.index_of(label)
        except KeyError:
            continue  # an analyst may name a species that BirdNET doesn't know: listed, never scored
        own = [o for o in every if not o.by_analyst] or every
        best = max(own, key=lambda o: o.score)
        rival = max((o.score for o in windows.get(best.start_s, ()) if o.label != label), default=0.0)
        heard.append(
            Heard(
                index,
                best.score,
                per_window * sum(o.score >= HEARD_SCORE for o in own),
                max(0.0, _logit(rival) - _logit(best.score)),
                max((o.score for o in every if o.by_analyst), default=0.0),
                own[0].by_analyst,
            )
        )
    heard.sort(key=lambda h: (-max(h.score, h.said), h.index))
    detected = [h for h in heard if not h.said][:MOST_SPECIES]
    return tuple(h for h in heard if h.said or h in detected)


def _logit(p: float) -> float:
    p = min(max(p, 1e-4), 1 - 1e-4)
    return float(np.log(p / (1 - p)))
