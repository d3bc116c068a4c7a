"""Strata of how much was heard: what the coverage of regions is shown by."""

from __future__ import annotations

import numpy as np

from engine.clues.species.score import chances, heard_in
from engine.core.observation import Observation

NAMES = ("less than 1", "1 to 3", "3 or more")
"""Of the strata, by the sum of the chances that the detections are right; at most three."""

_EDGES = (1.0, 3.0)


def amount(observations: tuple[Observation, ...]) -> float:
    """How much was heard: the sum of the calibrated chances that each species is there, 0 where none was detected."""
    heard = heard_in(tuple(o for o in observations if o.clue == "species"))
    return float(chances(heard).sum()) if heard else 0.0


def stratum(observations: tuple[Observation, ...]) -> str:
    """The stratum of what was heard, one of NAMES."""
    return NAMES[int(np.searchsorted(_EDGES, amount(observations), side="right"))]
