"""AG-CLIP: where such a soundscape as a whole is likely, learned from simulated soundscapes.

It does not listen a second time: it reads the scores that the species clue took down, each species with its best score of the
interval, so that dropping or adding a species changes both. Because both hear through BirdNET their news is not independent;
`verdict` fuses them as one voice.

With z(x) the network's logit of a place, T and e fitted on recordings of known place (clean and degraded),

    L(x) = (1 - e) exp(z(x) / T) / mean + e,

the mean taken over the land by area: e says how often the network is led astray altogether.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from engine.clues.agclip.spec import SPEC
from engine.clues.species.ranges import ranges
from engine.clues.species.score import heard_in, why_silent
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.models import agclip, birdnet
from engine.models.geoclip_location import grid_embeddings
from engine.world.grid import handed_down

CONFIRMED_SCORE = 0.99


def log_likelihood(observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
    """Where the soundscape is likely, (cells,); abstains when no animal is heard, or none that can be relied on.

    Args:
        observations: those of the species clue; others are passed over.
    """
    own = tuple(o for o in observations if o.clue == SPEC.reads)
    scores = scores_of(own)
    why = why_silent(own, heard_in(own))
    if not why and not (scores[birdnet.is_species()] >= agclip.LEAST_SCORE).any():
        why = "no animal known to BirdNET was detected"
    if why:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, why, own)
    week = birdnet.week_of(when.month, when.day) if when else None
    log_l = handed_down(grid, lambda world: log_likelihood_from_scores(scores, world, week))
    return Evidence(SPEC.name, SPEC.modality, grid, log_l, own, models=SPEC.model_ids, joined=SPEC.joined)


def scores_of(observations: tuple[Observation, ...]) -> NDArray[np.float32]:
    """(6522,) best score of each class among observations; an analyst's word with the confidence stated."""
    scores = np.zeros(len(birdnet.labels()), dtype=np.float32)
    for o in observations:
        if o.kind not in ("species", "sound"):
            continue
        try:
            at = birdnet.index_of(o.label)
        except KeyError:
            continue  # an analyst may name what BirdNET doesn't know: listed, never scored
        scores[at] = max(scores[at], min(1.0 if not o.by_analyst else CONFIRMED_SCORE, max(0.0, o.score)))
    return scores


def log_likelihood_from_scores(
    scores: NDArray[np.floating],
    grid: Grid,
    week: int | None = None,
    calibration: agclip.Calibration | None = None,
) -> NDArray[np.float64]:
    """Calibrated log-likelihood of one soundscape for every cell, (cells,), area-weighted mean of the likelihood 1.

    Args:
        scores: (6522,) best score of each class in the interval.
        week: BirdNET's week 1 to 48, or None.
        calibration: None takes the shipped one.

    Raises:
        ValueError: wrong shape, or a score that is not a number from 0 to 1.
        WeightsError: the network is missing.
    """
    net = agclip.agclip()
    f = net.embed(scores, week)[0]
    logits = net.logits(f, grid_embeddings(grid), ranges().hidden(grid, None))
    return calibrated(logits, grid.area_km2, calibration or net.calibration)


def calibrated(
    logits: NDArray[np.floating], area_km2: NDArray[np.float64], calibration: agclip.Calibration
) -> NDArray[np.float64]:
    """Logits (cells,) to a log-likelihood with area-weighted mean 1, tempered and floored."""
    z = np.asarray(logits, dtype=np.float64) / calibration.temperature
    z -= logsumexp(z, b=area_km2 / area_km2.sum())
    if calibration.floor <= 0.0:
        return z
    out: NDArray[np.float64] = np.logaddexp(np.log1p(-calibration.floor) + z, np.log(calibration.floor))
    return out
