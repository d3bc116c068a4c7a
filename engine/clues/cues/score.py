"""Cues as evidence: only what no clue has scored becomes a likelihood here.

An observation scores once. What a clue was given to judge (a sign, a species, a hum), whether it spoke or abstained, is argued
about in the rationale and never scored again; so is a cue noted by hand that repeats it (the script of a sign that was read).
What is left are cues that an analyst noted, and scenes and sounds that the table names and no clue reads. With a(x) how well a
place fits the cue's areas, 0 to 1, and c the chance that the observation is right and its rule holds, one cue contributes

    l(x) = (1 - c) + c * q(x) / mean(q),        q(x) = 1 + (ratio^gain - 1) * a(x),

the mean being taken over the land by area. Cues of one group repeat each other's news: the second strongest counts half, the
third a third. The sum is tempered, since groups repeat each other too, and bounded: no place is more than MOST_FACTOR times
likelier than another.

The ratios are judgement in round steps (see the table). What they are worth is fitted on pictures of known place that were worked
through without knowing it: gain, temper, the share of notes that hold, and the mass that regions need (`earwitness lab
calibrate-cues`; docs/benchmarks.md). A model's scenes and sounds count at most MOST_TRUST: nobody calibrated them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.clues import registry
from engine.clues.cues import areas, table
from engine.clues.cues.spec import HEARD, SEEN
from engine.clues.cues.table import Cue
from engine.core.errors import DataError
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.paths import ASSETS

FILE = ASSETS / "cues" / "calibration.json"
MOST_TRUST = 0.5
MOST_FACTOR = 1000.0
LEAST_SCORE = 0.3
SPECS = (SEEN, HEARD)
# Groups that another clue scores: where that clue has judged the clip, a cue of the group is argued and not scored again.
SCORED_BY = {group: spec.name for spec in registry.SPECS for group in spec.groups}

Noted = tuple[Cue, Observation]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the table's ratios are worth.

    Attributes:
        trust: share of the analyst's surest notes that hold, 0 to 1.
        gain: exponent of the ratios.
        temper: weight of the sum of all groups.
        levels: (share, share of the mass) by which regions are drawn where cues alone speak, see `core.posterior.Posterior`.
    """

    trust: float
    gain: float
    temper: float
    levels: tuple[tuple[float, float], ...] = ()


@cache
def calibration() -> Calibration:
    """The fitted numbers that come with the program.

    Raises:
        DataError: their file is missing or damaged.
    """
    try:
        held = json.loads(FILE.read_text(encoding="utf-8"))
        levels = tuple(sorted((float(share), float(mass)) for share, mass in held["levels"].items()))
        return Calibration(float(held["trust"]), float(held["gain"]), float(held["temper"]), levels)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{FILE} cannot be read ({error}); get the program's assets again.") from None


def spoken_for(evidence: Iterable[Evidence]) -> frozenset[str]:
    """Keys of observations that a clue was given to judge; named sounds among BirdNET's classes are nobody's."""
    return frozenset(
        o.key for e in evidence for o in e.observations if o.clue != table.CLUE and (o.kind != "sound" or e.clue != "species")
    )


def unscored(observations: Sequence[Observation], evidence: Sequence[Evidence]) -> tuple[Noted, ...]:
    """Cues among the observations that no clue has scored: each once, with the surest observation of it."""
    taken = spoken_for(evidence)
    owners = {e.clue for e in evidence}  # a clue's own observations are its own, even where nobody asked it to score
    judged = {e.clue for e in evidence if e.abstained is None}
    best: dict[str, Noted] = {}
    for o in observations:
        if o.key in taken or (o.clue in owners and o.kind != "sound"):
            continue
        if o.kind not in ("scene", "sound") and o.clue != table.CLUE:
            continue
        cue = table.of_observation(o)
        if cue is None or not cue.notable or (not o.by_analyst and o.score < LEAST_SCORE):
            continue
        if SCORED_BY.get(cue.group) in judged:
            continue
        if cue.id not in best or _sure(o) > _sure(best[cue.id][1]):
            best[cue.id] = (cue, o)
    return tuple(best.values())


def evidence(
    observations: Sequence[Observation],
    scored: Sequence[Evidence],
    left_out: AbstractSet[str],
    grid: Grid,
    when: date | None = None,
) -> tuple[Evidence, ...]:
    """Evidence of the cues that no clue has scored, one for each modality that has any; empty where there are none.

    Args:
        scored: what the clues made of the same observations.
        left_out: clues that the analyst leaves out.
        when: the day of the clip, for what depends on the season.
    """
    found = unscored(observations, scored)
    out = []
    for spec in SPECS:
        own = [(c, o) for c, o in found if c.modality == spec.modality]
        if not own:
            continue
        behind = tuple(o for o in observations if any(o.key == x.key for _, x in own))
        if spec.name in left_out:
            out.append(Evidence.silent(spec.name, spec.modality, grid, "left out by the analyst", behind))
        else:
            models = (*dict.fromkeys(o.author for _, o in own if not o.by_analyst), "cue-table")
            levels = calibration().levels if spec is SEEN else ()
            log_l = log_likelihood(own, grid, when)
            out.append(Evidence(spec.name, spec.modality, grid, log_l, behind, models=models, levels=levels))
    return tuple(out)


def log_likelihood(own: Sequence[Noted], grid: Grid, when: date | None = None) -> NDArray[np.float64]:
    """(cells,) natural log-likelihood of cues noted together, up to a constant; see the module's text."""
    fitted = calibration()
    return combined(own, lambda cue, chance: log_factor(cue, chance, grid, when, fitted.gain), fitted)


def combined(
    own: Sequence[Noted], factor: Callable[[Cue, float], NDArray[np.float64]], fitted: Calibration
) -> NDArray[np.float64]:
    """(cells,) one log-likelihood of cues noted together, at least one.

    Args:
        factor: a cue and the chance that it holds, to its log-factor (cells,).
    """
    by_group: dict[str, list[Noted]] = {}
    for cue, o in own:
        by_group.setdefault(cue.group, []).append((cue, o))
    parts = []
    for members in by_group.values():
        members.sort(key=lambda m: -_sure(m[1]) * m[0].ratio)
        parts += [factor(cue, fitted.trust * _sure(o)) / rank for rank, (cue, o) in enumerate(members, 1)]
    total = fitted.temper * np.sum(parts, axis=0)
    bounded: NDArray[np.float64] = np.maximum(total, total.max() - np.log(MOST_FACTOR))
    return bounded


def log_factor(cue: Cue, chance: float, grid: Grid, when: date | None = None, gain: float = 1.0) -> NDArray[np.float64]:
    """(cells,) natural log of one cue's factor, 1 on average over the land by area; see the module's text."""
    fits = areas.chance(cue.areas, grid, when)
    return factor_of(fits, float(np.average(fits, weights=grid.area_km2)), cue.ratio**gain, chance)


def factor_of(fits: NDArray[np.floating[Any]], mean: float, ratio: float, chance: float) -> NDArray[np.float64]:
    """(cells,) natural log of the factor of a cue that fits the cells so well, and the land on average so well."""
    more = ratio - 1.0
    out: NDArray[np.float64] = np.log1p(chance * ((1.0 + more * fits) / (1.0 + more * mean) - 1.0))
    return out


def _sure(o: Observation) -> float:
    return min(1.0, o.score) if o.by_analyst else MOST_TRUST * min(1.0, o.score)
