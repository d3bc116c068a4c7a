"""`earwitness lab calibrate-agclip`: fit AG-CLIP's temperature and floor on recordings of known place.

What is minimised is the mean −ln mass of the true cell under the default prior, over clean and degraded copies. The table is
cross-validated: each fold of H3 resolution-1 cells is scored with numbers fitted on the others, so that neither a place nor a
recordist is on both sides. The numbers written are fitted on everything.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from engine.clues.agclip.score import calibrated, scores_of
from engine.clues.species.ranges import ranges
from engine.core.grid import Grid
from engine.core.paths import data_dir
from engine.core.posterior import Posterior
from engine.core.settings import Settings
from engine.lab.bench.metrics import Outcome, Score, outcome, table
from engine.lab.bench.recordings import GROUP_RESOLUTION, Condition, perceive
from engine.lab.data.manifest import Sample, read_manifest
from engine.lab.train.calibrate_species import CONDITIONS, FOLDS
from engine.models import agclip
from engine.models.geoclip_location import grid_embeddings
from engine.world import priors
from engine.world.grid import world_grid

FOLD_RESOLUTION = 1
TEMPERATURES = np.exp(np.linspace(np.log(0.7), np.log(3.0), 30))
FLOORS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05)


def logits_of(samples: Sequence[Sample], condition: Condition, seed: int, net: agclip.AgClip, grid: Grid) -> NDArray[np.float32]:
    """(n, cells) logits of recordings under one condition."""
    scores = np.stack([scores_of(perceive(s, condition, Settings(), seed).observations) for s in samples])
    g, hidden = np.asarray(grid_embeddings(grid)), ranges().hidden(grid, None)
    return np.stack([net.logits(f, g, hidden) for f in net.embed(scores)])


def losses(
    logits: NDArray[np.float32], truth: NDArray[np.int64], log_prior: NDArray[np.float64], area_km2: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(temperatures, floors, n): −ln mass of the true cell under every pair of numbers."""
    out = np.empty((len(TEMPERATURES), len(FLOORS), len(logits)))
    for i, t in enumerate(TEMPERATURES):
        for k in range(len(logits)):
            sharp = calibrated(logits[k], area_km2, agclip.Calibration(float(t)))
            # with a floor e the posterior's sum is (1 - e) sum(prior · L) + e: no need to go through all cells again
            log_sum, at_truth = logsumexp(sharp + log_prior), sharp[truth[k]] + log_prior[truth[k]]
            for j, e in enumerate(FLOORS):
                if e == 0.0:
                    out[i, j, k] = log_sum - at_truth
                else:
                    here = np.logaddexp(np.log1p(-e) + at_truth, np.log(e) + log_prior[truth[k]])
                    out[i, j, k] = np.logaddexp(np.log1p(-e) + log_sum, np.log(e)) - here
    return out


def best(loss: NDArray[np.float64], weight: NDArray[np.float64]) -> agclip.Calibration:
    """The pair with the least weighted mean loss of (temperatures, floors, n)."""
    mean = loss @ (weight / weight.sum())
    i, j = np.unravel_index(mean.argmin(), mean.shape)
    return agclip.Calibration(round(float(TEMPERATURES[i]), 3), FLOORS[j])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("folder", type=Path, nargs="?", default=None, help="recordings (default: those of the data folder)")
    parser.add_argument("--model", type=Path, default=agclip.FOLDER, help="folder of the network")
    parser.add_argument("--clean", action="store_true", help="clean recordings only")
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> int:
    """Fit, print the cross-validated table, write calibration.json beside the weights."""
    samples = read_manifest(args.folder or data_dir() / "recordings")
    grid = world_grid()
    net = agclip.AgClip(args.model)
    prior = priors.prior("mixture", grid)
    lat, lon = (np.array([getattr(s, f) for s in samples]) for f in ("lat_deg", "lon_deg"))
    truth = grid.locate(lat, lon)
    group = np.array([int(h3.latlng_to_cell(a, b, GROUP_RESOLUTION)) for a, b in zip(lat, lon, strict=True)])
    coarse = np.array([int(h3.latlng_to_cell(a, b, FOLD_RESOLUTION)) for a, b in zip(lat, lon, strict=True)])
    fold = np.random.default_rng(args.seed).permutation(len(np.unique(coarse)))[np.unique(coarse, return_inverse=True)[1]] % FOLDS
    # many recordings of one place are one lesson, not many
    weight = 1.0 / np.sqrt(np.bincount(np.unique(group, return_inverse=True)[1])[np.unique(group, return_inverse=True)[1]])
    usable = truth >= 0
    conditions = CONDITIONS[:1] if args.clean else CONDITIONS
    held = {c.name: logits_of(samples, c, args.seed, net, grid) for c in conditions}
    loss = {c: losses(x, np.where(usable, truth, 0), prior.log_mass, grid.area_km2) for c, x in held.items()}

    def fitted(rows: NDArray[np.bool_]) -> agclip.Calibration:
        mean = np.mean([x[:, :, rows] for x in loss.values()], axis=0)
        return best(mean, weight[rows])

    by_fold = [fitted(usable & (fold != f)) for f in range(FOLDS)]
    rows = []
    for name, x in held.items():
        outcomes: list[Outcome] = []
        for k in range(len(samples)):
            log_l = calibrated(x[k], grid.area_km2, by_fold[fold[k]])
            outcomes.append(outcome(Posterior.of(prior, log_l), lat[k], lon[k]))
        rows.append(Score.of_outcomes(f"AG-CLIP, {name}", outcomes, group, args.seed))
    print(table(rows))
    final = fitted(usable)
    (args.model / "calibration.json").write_text(json.dumps(dataclasses.asdict(final), indent=2) + "\n", encoding="utf-8")
    folds = ", ".join(f"{c.temperature}/{c.floor}" for c in by_fold)
    print(f"temperature {final.temperature}, floor {final.floor} (folds: {folds})")
    return 0
