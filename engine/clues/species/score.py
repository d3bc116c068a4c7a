"""Where such a set of species is heard.

A species counts once per interval, however often it calls. A detection is
right with a calibrated chance c, and when it is wrong it says nothing. With r the chance that the species is recorded at a
place, and N how many species are to be expected there, one species contributes

    l(x) = (1 - c) + c * q(x) / mean(q),        q(x) = r(x)^a / N(x)^b,

the mean being taken over the land by area: a species that lives everywhere says nothing, one that lives in a single valley says
where. N^b undoes that any given species is a small share of what is heard in a rich or well-watched place. Species heard
together repeat each other's news, so with k = sum(c) the sum of the logarithms is tempered:

    log L(x) = t * max(1, k)^-d * sum(log l).

c is a logistic function of the best score's log-odds, of how many windows' worth of time the species is heard (score at least
0.1), and of how far another species is ahead of it in its own best window, which is how confusions look; it never exceeds
1 - doubt, which leaves room for vagrants, cages, zoos and playback. All numbers are in `Calibration`; they were fitted on
recordings of known place, clean and degraded, by `earwitness lab calibrate-species` (see LOG.md).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from engine.clues.species import tones
from engine.clues.species.ranges import ranges
from engine.clues.species.spec import SPEC
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.models import birdnet

MODELS = (birdnet.MODEL_ID, birdnet.RANGE_MODEL_ID)
MOST_SPECIES = 15  # the best of an interval; the rest is noise and costs time
HEARD_SCORE = 0.1
_LEAST_OCCURRENCE = 1e-6  # keeps the logarithm finite


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted numbers of the likelihood; see the module's text for their meaning."""

    score: float = 0.947
    time: float = 1.63
    behind: float = -0.0837
    bias: float = -1.28
    a: float = 1.41
    b: float = 1.69
    doubt: float = 0.00298
    d: float = 0.326
    t: float = 0.716


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
    """Where such a set of species is heard, (cells,); abstains when no species is."""
    own = tuple(o for o in observations if o.clue == SPEC.name)
    heard = heard_in(own)
    if not heard:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, _why_silent(own), own)
    week = birdnet.week_of(when.month, when.day) if when else None
    index = np.array([h.index for h in heard])
    log_l = likelihoods(ranges().occurrence(grid, week, index), ranges().log_richness(grid, week), chances(heard), grid)
    listened = any(not o.by_analyst for o in own)
    return Evidence(SPEC.name, SPEC.modality, grid, log_l, own, models=MODELS if listened else MODELS[1:])


def _why_silent(own: tuple[Observation, ...]) -> str:
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
    """The likelihood of the module's text.

    Args:
        occurrence: (cells, s) r.
        log_richness: (cells,) ln(N + 1).
        chance: (s,) c.
    """
    k = calibration
    log_q = k.a * np.log(occurrence.astype(np.float64) + _LEAST_OCCURRENCE) - k.b * log_richness[:, None]
    log_area = np.log(grid.area_km2 / grid.area_km2.sum())[:, None]
    shifted = log_q + log_area
    peak = shifted.max(axis=0)
    log_mean = peak + np.log(np.exp(shifted - peak).sum(axis=0))
    log_l = np.logaddexp(np.log1p(-chance), np.log(chance) + log_q - log_mean).sum(axis=1)
    out: NDArray[np.float64] = k.t * max(1.0, float(chance.sum())) ** -k.d * log_l
    return out


def heard_in(observations: tuple[Observation, ...]) -> tuple[Heard, ...]:
    """The species of an interval, each once, best first, at most MOST_SPECIES."""
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
    return tuple(sorted(heard, key=lambda h: (-max(h.score, h.said), h.index))[:MOST_SPECIES])


def _logit(p: float) -> float:
    p = min(max(p, 1e-4), 1 - 1e-4)
    return float(np.log(p / (1 - p)))
