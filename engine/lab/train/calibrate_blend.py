"""`earwitness lab calibrate-blend`: fit how species ranges and AG-CLIP are blended into one voice.

On recordings of known place, clean and degraded, folds as in `calibrate_species`; beside the blend stand each clue alone,
their geometric mean and their mixture, all on the same held-out recordings and on cells only.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from engine.clues.agclip import score as agclip_score
from engine.clues.species import score as species_score
from engine.core.paths import data_dir
from engine.core.posterior import Posterior, Prior
from engine.core.settings import Settings
from engine.lab.bench.metrics import Outcome, Score, outcome, paired, table
from engine.lab.bench.recordings import GROUP_RESOLUTION, perceive
from engine.lab.data.manifest import Sample, read_manifest
from engine.lab.train.calibrate_species import CONDITIONS, FOLD_RESOLUTION, FOLDS
from engine.verdict.fuse import Blend, blend
from engine.world import priors
from engine.world.grid import world_grid

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Both clues' log-likelihoods (cells,) of one recording under one condition."""

    sample: Sample
    condition: str
    truth: int
    species: NDArray[np.float32]
    soundscape: NDArray[np.float32]


def load(samples: Sequence[Sample], seed: int) -> list[Case]:
    """Both likelihoods of every recording and condition in which both clues speak."""
    grid = world_grid()
    truth = grid.locate(np.array([s.lat_deg for s in samples]), np.array([s.lon_deg for s in samples]))
    cases = []
    for condition in CONDITIONS:
        for sample, cell in zip(samples, truth, strict=True):
            observations = perceive(sample, condition, Settings(), seed).observations
            a, b = species_score.log_likelihood(observations, grid), agclip_score.log_likelihood(observations, grid)
            if cell >= 0 and a.abstained is None and b.abstained is None:
                both = (x.log_likelihood.astype(np.float32) for x in (a, b))
                cases.append(Case(sample, condition.name, int(cell), *both))
        print(f"scored: {condition.name}", flush=True)
    return cases


def nll(case: Case, log_l: Array, prior: Prior) -> float:
    """−ln mass of the true cell."""
    return -float(Posterior.of(prior, log_l).log_mass[case.truth])


def fit(cases: Sequence[Case], weight: Array, prior: Prior) -> Blend:
    """Nelder-Mead on (ln a, ln b, logit m)."""

    def numbers(x: Array) -> Blend:
        return Blend(float(np.exp(x[0])), float(np.exp(x[1])), float(1 / (1 + np.exp(-x[2]))))

    def loss(x: Array) -> float:
        k = numbers(x)
        total = [w * nll(c, blend(c.species, c.soundscape, prior.grid, k), prior) for c, w in zip(cases, weight, strict=True)]
        return float(np.mean(total))

    start = np.array([np.log(0.6), np.log(0.6), -0.8])
    best = minimize(loss, start, method="Nelder-Mead", options={"maxfev": 36, "xatol": 0.02, "fatol": 1e-3})
    k = numbers(best.x)
    return Blend(*(float(f"{x:.3g}") for x in dataclasses.astuple(k)))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab calibrate-blend`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/recordings)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Cross-validate, fit on everything, print both."""
    cases = load(read_manifest(args.data or data_dir() / "recordings"), args.seed)
    grid = world_grid()
    prior = priors.prior("mixture", grid)
    cells = [int(h3.latlng_to_cell(c.sample.lat_deg, c.sample.lon_deg, FOLD_RESOLUTION)) for c in cases]
    distinct, at, count = np.unique(cells, return_inverse=True, return_counts=True)
    weight = 1.0 / np.sqrt(count[at])
    weight /= weight.mean()
    fold = np.random.default_rng(args.seed).permutation(len(distinct))[at] % FOLDS
    fitted = []
    for k in range(FOLDS):
        inside = np.flatnonzero(fold != k)
        fitted.append(fit([cases[i] for i in inside], weight[inside], prior))
        print(f"fold {k + 1} of {FOLDS}: {fitted[-1]}", flush=True)
    rows: dict[str, Callable[[int], Array]] = {
        "species": lambda i: cases[i].species.astype(np.float64),
        "agclip": lambda i: cases[i].soundscape.astype(np.float64),
        "geometric mean": lambda i: 0.5 * (cases[i].species.astype(np.float64) + cases[i].soundscape),
        "mixture": lambda i: blend(cases[i].species, cases[i].soundscape, grid, Blend(1.0, 1.0, 1 - 1e-12)),
        "blend (held out)": lambda i: blend(cases[i].species, cases[i].soundscape, grid, fitted[fold[i]]),
    }
    scores: dict[str, dict[str, Score]] = {}
    for condition in CONDITIONS:
        mine = [i for i, c in enumerate(cases) if c.condition == condition.name]
        groups = [int(h3.latlng_to_cell(cases[i].sample.lat_deg, cases[i].sample.lon_deg, GROUP_RESOLUTION)) for i in mine]
        found: dict[str, list[Outcome]] = {
            name: [outcome(Posterior.of(prior, row(i)), cases[i].sample.lat_deg, cases[i].sample.lon_deg) for i in mine]
            for name, row in rows.items()
        }
        scores[condition.name] = {
            n: Score.of_outcomes(f"{condition.name}: {n}", o, groups, args.seed, 300) for n, o in found.items()
        }
        print(table(list(scores[condition.name].values())))
        ours = [o.error_km for o in found["blend (held out)"]]
        for name in ("species", "agclip", "geometric mean", "mixture"):
            d = paired(ours, [o.error_km for o in found[name]], "median_km", groups, args.seed)
            better = d.interval.high < 0
            words = "better" if better else "no difference shown"
            span = f"{d.interval.low:+,.0f} to {d.interval.high:+,.0f}"
            print(f"  median against {name}: {d.difference:+,.0f} km (95% {span}): {words}")
    final = fit(cases, weight, prior)
    print(f"fitted on everything: {final}")
    if args.json:
        data = {
            "blend": dataclasses.asdict(final),
            "held_out": {c: {n: s.to_json() for n, s in r.items()} for c, r in scores.items()},
        }
        args.json.write_text(json.dumps(data, indent=2))
    return 0
