"""Where the animals and things seen belong: a weak witness, and mostly silent.

A cue counts once per interval, with its best frame. With p its chance there and c = p * trust, where trust is the table's chance
that such a thing stands where it belongs (there are zoos, and things travel),

    l(x) = (1 - c) + c * q(x) / mean(q),

the mean being taken over the land by area; q is the chance that any of a bird's species is recorded at x (BirdNET's range model),
or for other cues 1 in the countries of the table and ELSEWHERE outside them. Cues of one picture repeat each other's news:
with k of them, log L = sum(log l) / sqrt(k), and no two places differ by more than MOST_FACTOR.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from engine.clues.scene.spec import SPEC
from engine.clues.scene.table import LEAST_SCORE, Cue, cues
from engine.clues.species.ranges import ranges
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.models import birdnet, efficientnet
from engine.world import countries

MOST_CUES = 4
MOST_FACTOR = 10.0
ELSEWHERE = 0.03


def log_likelihood(observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
    """Where such animals and things are seen, (cells,); abstains when none of known place is."""
    own = tuple(o for o in observations if o.clue == SPEC.name)
    best: dict[str, float] = {}
    for o in own:
        best[o.label] = max(best.get(o.label, 0.0), 1.0 if o.by_analyst else min(1.0, o.score))
    known = {cue.name: cue for cue in cues()}
    scored = sorted(((p, known[n]) for n, p in best.items() if n in known and p >= LEAST_SCORE), key=lambda s: -s[0])[:MOST_CUES]
    if not scored:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, "no animal or object of known range was seen", own)
    log_l = sum((np.log(likelihood(cue, p, grid, when)) for p, cue in scored), np.zeros(len(grid))) / np.sqrt(len(scored))
    log_l = np.maximum(log_l, log_l.max() - np.log(MOST_FACTOR))
    models = (efficientnet.MODEL_ID, *((birdnet.RANGE_MODEL_ID,) if any(c.kind == "bird" for _, c in scored) else ()))
    return Evidence(SPEC.name, SPEC.modality, grid, log_l, own, models=models)


def likelihood(cue: Cue, chance: float, grid: Grid, when: date | None = None) -> NDArray[np.float64]:
    """l of the module's text, (cells,), for a cue seen with this chance."""
    if cue.species:
        week = birdnet.week_of(when.month, when.day) if when else None
        r = ranges().occurrence(grid, week, np.array(cue.species)).astype(np.float64)
        q = 1.0 - np.prod(1.0 - r, axis=1) + 1e-6
    else:
        q = np.where(np.isin(countries.of(grid), cue.countries), 1.0, ELSEWHERE)
    c = chance * cue.trust
    out: NDArray[np.float64] = (1.0 - c) + c * q / float(np.average(q, weights=grid.area_km2))
    return out
