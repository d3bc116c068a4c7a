"""`earwitness lab calibrate-species`: fit the numbers of the species likelihood on recordings of known place.

What is minimised is the mean −ln mass of the true cell, over clean and degraded copies, a recording weighing less where many
lie close
together. Cross-validated by H3 resolution-1 cell, so that neither a place nor a recordist is on both sides; the numbers
printed at the end, fitted on everything, are those of `clues.species.Calibration`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from engine.clues.species.ranges import ranges
from engine.clues.species.score import Calibration, Heard, chances, features, heard_in, likelihoods
from engine.core.paths import data_dir
from engine.core.posterior import Posterior
from engine.core.settings import Settings
from engine.lab.bench.metrics import Outcome, Score, outcome, table
from engine.lab.bench.recordings import GROUP_RESOLUTION, Condition, perceive
from engine.lab.data.manifest import Sample, read_manifest
from engine.world import priors
from engine.world.grid import world_grid

CONDITIONS = (Condition(), Condition("speech", 0.0), Condition("music", 0.0), Condition("aac"), Condition("lowpass"))
FOLD_RESOLUTION = 1
FOLDS = 5
STEPS = 60
PER_STEP = 30  # recordings per condition and step
RATE = 0.08


@dataclass(frozen=True, slots=True)
class Case:
    """One recording under one condition, ready to be scored.

    Attributes:
        truth: index of the true cell in the world grid.
        rows: (s,) rows of the table of ranges.
        features: (s, 4), see `clues.species.features`.
    """

    sample: Sample
    condition: str
    truth: int
    heard: tuple[Heard, ...]
    rows: NDArray[np.int64]
    features: NDArray[np.float64]


def load(samples: Sequence[Sample], seed: int) -> tuple[list[Case], NDArray[np.float32]]:
    """Hear every recording under every condition: cases, and ranges (species, cells) of all species heard."""
    grid = world_grid()
    truth = grid.locate(np.array([s.lat_deg for s in samples]), np.array([s.lon_deg for s in samples]))
    found = []
    for condition in CONDITIONS:
        for sample, cell in zip(samples, truth, strict=True):
            if cell >= 0:
                found.append(
                    (sample, condition.name, int(cell), heard_in(perceive(sample, condition, Settings(), seed).observations))
                )
        print(f"heard: {condition.name}", flush=True)
    species = np.unique([h.index for *_, heard in found for h in heard])
    rows = {int(s): i for i, s in enumerate(species)}
    cases = [Case(s, c, t, h, np.array([rows[x.index] for x in h], dtype=np.int64), features(h)) for s, c, t, h in found]
    return cases, np.ascontiguousarray(ranges().occurrence(grid, None, species).T)


def weights(cases: Sequence[Case], resolution: int = 1) -> NDArray[np.float64]:
    """(cases,) weights with mean 1, as one over the root of how many lie in the same large cell."""
    cells = [h3.latlng_to_cell(c.sample.lat_deg, c.sample.lon_deg, resolution) for c in cases]
    _, at, count = np.unique(cells, return_inverse=True, return_counts=True)
    w = 1.0 / np.sqrt(count[at])
    return w / w.mean()


def fit(cases: Sequence[Case], occurrence: NDArray[np.float32], seed: int) -> Calibration:
    """Fit by Adam on batches of cases."""
    import torch

    torch.set_num_threads(1)  # small vectors: more threads only wait for each other
    grid = world_grid()
    table_t = torch.from_numpy(occurrence)
    log_richness = torch.tensor(ranges().log_richness(grid, None), dtype=torch.float32)
    log_area = torch.tensor(np.log(grid.area_km2 / grid.area_km2.sum()), dtype=torch.float32)
    log_prior = torch.tensor(priors.prior("mixture", grid).log_mass, dtype=torch.float32)
    start = Calibration()
    w = torch.tensor([start.score, start.time, start.behind, start.bias], requires_grad=True)
    log_scale = torch.tensor(np.log([start.a, start.b, start.doubt, start.d, start.t]), dtype=torch.float32, requires_grad=True)
    optimiser = torch.optim.Adam([w, log_scale], lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    weight = weights(cases)
    rng = np.random.default_rng(seed)
    speaking = [i for i, c in enumerate(cases) if len(c.rows)]
    for _ in range(STEPS):
        optimiser.zero_grad()
        for i in rng.choice(speaking, min(len(speaking), PER_STEP * len(CONDITIONS)), replace=False):
            case = cases[i]
            a, b, doubt, d, t = torch.exp(log_scale)
            sure = torch.sigmoid(torch.tensor(case.features, dtype=torch.float32) @ w)
            chance = ((1 - doubt) * sure).clamp(1e-4, 1 - 1e-4)
            log_q = a * torch.log(table_t[case.rows] + 1e-6) - b * log_richness
            log_q = log_q - torch.logsumexp(log_q + log_area, 1, keepdim=True)
            log_l = torch.logaddexp(torch.log1p(-chance)[:, None], torch.log(chance)[:, None] + log_q).sum(0)
            log_post = log_prior + t * chance.sum().clamp(min=1.0) ** -d * log_l
            loss = torch.logsumexp(log_post, 0) - log_post[case.truth]
            (loss * float(weight[i]) / (PER_STEP * len(CONDITIONS))).backward()
        optimiser.step()
        schedule.step()
    scale = torch.exp(log_scale).detach().numpy()
    numbers = [*w.detach().numpy(), *scale]
    return Calibration(*(float(f"{x:.3g}") for x in numbers))


def outcomes(cases: Sequence[Case], occurrence: NDArray[np.float32], calibration: Calibration) -> list[Outcome]:
    """Score cases with a calibration, on cells only."""
    grid = world_grid()
    prior = priors.prior("mixture", grid)
    log_richness = ranges().log_richness(grid, None)
    found = []
    for c in cases:
        log_l = np.zeros(len(grid))
        if len(c.rows):
            log_l = likelihoods(occurrence[c.rows].T, log_richness, chances(c.heard, calibration), grid, calibration)
        found.append(outcome(Posterior.of(prior, log_l), c.sample.lat_deg, c.sample.lon_deg, spoke=bool(len(c.rows))))
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab calibrate-species`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/recordings)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Cross-validate, fit on everything, print both."""
    samples = read_manifest(args.data or data_dir() / "recordings")
    cases, occurrence = load(samples, args.seed)
    cells = [int(h3.latlng_to_cell(c.sample.lat_deg, c.sample.lon_deg, FOLD_RESOLUTION)) for c in cases]
    distinct, at = np.unique(cells, return_inverse=True)
    fold = np.random.default_rng(args.seed).permutation(len(distinct))[at] % FOLDS
    held_out: list[Outcome | None] = [None] * len(cases)
    for k in range(FOLDS):
        calibration = fit([c for c, f in zip(cases, fold, strict=True) if f != k], occurrence, args.seed)
        mine = np.flatnonzero(fold == k)
        for i, o in zip(mine, outcomes([cases[i] for i in mine], occurrence, calibration), strict=True):
            held_out[i] = o
        print(f"fold {k + 1} of {FOLDS}: {calibration}", flush=True)
    scores = []
    for condition in CONDITIONS:
        mine_of = [i for i, c in enumerate(cases) if c.condition == condition.name]
        groups = [h3.latlng_to_cell(cases[i].sample.lat_deg, cases[i].sample.lon_deg, GROUP_RESOLUTION) for i in mine_of]
        scores.append(Score.of_outcomes(condition.name, [made for i in mine_of if (made := held_out[i])], groups, args.seed))
    print(table(scores))
    final = fit(cases, occurrence, args.seed)
    print(f"fitted on everything: {final}")
    if args.json:
        data: dict[str, Any] = {"calibration": dataclasses.asdict(final), "held_out": {s.name: s.to_json() for s in scores}}
        args.json.write_text(json.dumps(data, indent=2))
    return 0
