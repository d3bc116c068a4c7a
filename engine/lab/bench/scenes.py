"""`earwitness bench scenes`: whether the scene clue helps to place photos, by itself and beside the text read in them."""

from __future__ import annotations

import argparse
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np
from PIL import Image, ImageOps

from engine.clues.scene import score as scene_score
from engine.clues.scene.observe import MAX_SIDE_PX, SceneObserver
from engine.clues.text import score as text_score
from engine.core.clip import Frame
from engine.core.paths import data_dir
from engine.core.posterior import Posterior
from engine.core.settings import PRIORS, Settings
from engine.lab.bench import photos
from engine.lab.bench.metrics import outcome, to_json_text
from engine.lab.data.manifest import Sample, read_manifest
from engine.world import priors
from engine.world.grid import world_grid

_GROUP_RESOLUTION = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench scenes`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/photos)")
    parser.add_argument("--prior", choices=PRIORS, default=Settings().prior)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench scenes` and print its table."""
    rows = [_row(s, args.prior) for s in read_manifest(args.data or data_dir() / "photos")]
    spoke = [r for r in rows if r[1]]
    alone = np.array([r[2] for r in rows])
    beside = np.array([r[3] for r in rows])
    groups = np.array([r[0] for r in rows])
    print(f"scene speaks on {len(spoke)} of {len(rows)} photos")
    for _, seen, change, with_text, name in spoke:
        print(f"  {name}: {seen}: nll {change:+.2f} against the prior, {with_text:+.2f} beside text")
    data: dict[str, object] = {"photos": len(rows), "spoke": len(spoke), "seed": args.seed}
    for key, title, changes in (("alone", "against the prior", alone), ("beside_text", "beside text", beside)):
        low, high = _interval(changes, groups, args.seed)
        print(f"nll {title}: {changes.mean():+.4f} nats a photo ({low:+.4f} to {high:+.4f}); less is better")
        data[key] = {"mean": float(changes.mean()), "low": low, "high": high}
    if args.json:
        args.json.write_text(to_json_text(data))
    return 0


def _row(sample: Sample, prior_name: str) -> tuple[int, str, float, float, str]:
    """(place's group, what was seen where it speaks, change of nll against the prior, and beside text, file name)."""
    with Image.open(sample.path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
    seen = SceneObserver().observe_frame(Frame(0.0, np.asarray(upright)))
    grid = world_grid()
    prior = priors.prior(prior_name, grid)
    scene = scene_score.log_likelihood(seen, grid)
    text = text_score.log_likelihood(photos.read_photo(sample.path), grid)
    truth = (sample.lat_deg, sample.lon_deg)

    def nll(log_l: np.ndarray) -> float:
        return outcome(Posterior.of(prior, log_l), *truth).nll

    zero = np.zeros(len(grid))
    names = ", ".join(f"{o.label} {o.score:.2f}" for o in seen) if scene.abstained is None else ""
    return (
        int(h3.latlng_to_cell(*truth, _GROUP_RESOLUTION)),
        names,
        nll(scene.log_likelihood) - nll(zero),
        nll(text.log_likelihood + scene.log_likelihood) - nll(text.log_likelihood),
        sample.path.name,
    )


def _interval(change: np.ndarray, groups: np.ndarray, seed: int) -> tuple[float, float]:
    """95% bootstrap interval of the mean, places drawn whole."""
    rng = np.random.default_rng(seed)
    names, inverse = np.unique(groups, return_inverse=True)
    totals = np.bincount(inverse, weights=change)
    sizes = np.bincount(inverse)
    drawn = rng.integers(0, len(names), (2000, len(names)))
    means = totals[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
