"""Cues as evidence: only what no clue has scored becomes a likelihood here.

An observation scores once. What a clue was given to judge (a sign, a species, a hum), whether it spoke or abstained, is argued
about in the rationale and never scored again; so is a cue noted by hand that repeats it (the script of a sign that was read).
What is left are cues that an analyst noted, and scenes and sounds that the table names and no clue reads. With c the chance that
the observation is right and q = ratio inside the cue's area and 1 outside it, one cue contributes

    l(x) = (1 - c) + c * q(x) / mean(q),

the mean being taken over the land by area. Cues of one group repeat each other's news: the second strongest counts half, the
third a third. The ratios are judgement (see the table), and c of a model's score is at most MOST_TRUST: nobody calibrated it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from engine.analysis.rationale import cues
from engine.analysis.rationale.cues import Cue
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.modality import Modality
from engine.core.observation import Observation

MOST_TRUST = 0.5
LEAST_SCORE = 0.3
SURE = 0.98  # an analyst errs too, and cars, plants and souvenirs travel
NAMES = {Modality.PICTURE: "cues", Modality.SOUND: "cues heard"}


def spoken_for(evidence: Iterable[Evidence]) -> frozenset[str]:
    """Keys of observations that a clue was given to judge; named sounds among BirdNET's classes are nobody's."""
    return frozenset(
        o.key for e in evidence for o in e.observations if o.clue != cues.CLUE and (o.kind != "sound" or e.clue != "species")
    )


def unscored(observations: Sequence[Observation], evidence: Sequence[Evidence]) -> tuple[tuple[Cue, Observation], ...]:
    """Cues among the observations that no clue has scored: each once, with the surest observation of it."""
    taken = spoken_for(evidence)
    owners = {e.clue for e in evidence}  # a clue's own observations are its own, even where nobody asked it to score
    judged = {e.clue for e in evidence if e.abstained is None}
    best: dict[str, tuple[Cue, Observation]] = {}
    for o in observations:
        if o.key in taken or (o.clue in owners and o.kind != "sound"):
            continue
        if o.kind not in ("scene", "sound") and o.clue != cues.CLUE:
            continue
        cue = cues.of_observation(o)
        if cue is None or not cue.notable or (not o.by_analyst and o.score < LEAST_SCORE):
            continue
        if cues.SCORED_BY.get(cue.group) in judged:
            continue
        if cue.id not in best or _chance(o) > _chance(best[cue.id][1]):
            best[cue.id] = (cue, o)
    return tuple(best.values())


def evidence(
    observations: Sequence[Observation], scored: Sequence[Evidence], left_out: AbstractSet[str], grid: Grid
) -> tuple[Evidence, ...]:
    """Evidence of the cues that no clue has scored, one for each modality that has any; empty where there are none.

    Args:
        scored: what the clues made of the same observations.
        left_out: clues that the analyst leaves out.
    """
    found = unscored(observations, scored)
    out = []
    for modality, name in NAMES.items():
        own = [(c, o) for c, o in found if c.modality == modality]
        if not own:
            continue
        behind = tuple(o for o in observations if any(o.key == x.key for _, x in own))
        if name in left_out:
            out.append(Evidence.silent(name, modality, grid, "left out by the analyst", behind))
        else:
            models = tuple(dict.fromkeys(o.author for _, o in own if not o.by_analyst))
            out.append(Evidence(name, modality, grid, _log_likelihood(own, grid), behind, models=(*models, "cue-table")))
    return tuple(out)


def _log_likelihood(own: Sequence[tuple[Cue, Observation]], grid: Grid) -> np.ndarray:
    total = np.zeros(len(grid))
    by_group: dict[str, list[tuple[Cue, Observation]]] = {}
    for cue, o in own:
        by_group.setdefault(cue.group, []).append((cue, o))
    for members in by_group.values():
        members.sort(key=lambda m: -_chance(m[1]) * m[0].ratio)
        for rank, (cue, o) in enumerate(members, 1):
            total += log_factor(cue, _chance(o), grid) / rank
    return total


def log_factor(cue: Cue, chance: float, grid: Grid) -> np.ndarray:
    """(cells,) natural log of one cue's factor, 1 on average over the land by area; see the module's text."""
    at_home = cues.inside(cue, grid)
    share = float(grid.area_km2[at_home].sum() / grid.area_km2.sum())
    mean = 1.0 + (cue.ratio - 1.0) * share
    return np.log1p(chance * (np.where(at_home, cue.ratio, 1.0) / mean - 1.0))


def _chance(o: Observation) -> float:
    return min(SURE, o.score) if o.by_analyst else MOST_TRUST * min(1.0, o.score)
