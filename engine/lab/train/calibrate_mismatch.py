"""`earwitness lab calibrate-mismatch`: fit and bound what sound and picture say of a place; see `lab.bench.trials`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from engine.clues.text import kinds
from engine.core.settings import PRIORS
from engine.lab.bench import likelihood_ratio as lr
from engine.lab.bench import mismatch
from engine.lab.bench import trials as sharp
from engine.verdict import calibration
from engine.world import priors
from engine.world.grid import world_grid

NEAR_KM, DRAWS = (50.0, 200.0), 500_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab calibrate-mismatch`."""
    mismatch.add_material(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the calibration here (default: its place in assets)")


def run(args: argparse.Namespace) -> int:
    """Fit the maps at every radius, print them with their held-out cost, and write them."""
    heard, seen = mismatch.material(args)
    places = sharp.distinct_places([s.sample for s in (*heard, *seen)])
    sound, picture = (sharp.try_places(x, places, calibration.RADII_KM) for x in (heard, seen))
    data = sharp.maps_from(sound, picture, kinds.KINDS, args.seed)
    rate = {kind: float(own["rate"]) for kind, own in data["misread"].items()}
    for name, trials in (("sound", sound), ("picture", picture)):
        for own in data[name]["by_radius"]:
            scored = sharp.scored(trials, own["radius_km"], lambda k: rate.get(k, 0.0))
            own["held_out"] = held_out(scored, args.seed)
            n, out = own["effective"], own["held_out"]
            print(
                f"{name} within {own['radius_km']:g} km: {own['pairs']:,} trials of {own['things']}, {own['same_pairs']} at "
                f"their own places, worth {n['same']:.0f} and {n['different']:.0f}; log10 factor = {own['offset']:+.2f} + "
                f"{own['slope']:.2f} · log10 B, within 1/{10 ** -own['low']:.3g} … {10 ** own['high']:.3g}; held out: Cllr "
                f"{out['cllr_weighted']:.2f} (least possible {out['cllr_min_weighted']:.2f}), without bounds "
                f"{out['unbounded_weighted']:.2f}"
            )
    for kind, own in data["misread"].items():
        print(f"{kind}: {own['missed']} of {own['n']} photos outside their 90% region; rate {own['rate']:.1%}")
    target = args.json or calibration.CALIBRATION_FILE
    target.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {target}")
    near = [(name, mismatch.drawn_near(priors.prior(name, world_grid()), NEAR_KM, DRAWS, args.seed)) for name in PRIORS]
    shares = "; ".join(f"{name} {' / '.join(f'{s:.3%}' for s in found)}" for name, found in near)
    within = " / ".join(f"{k:g}" for k in NEAR_KM)
    print(f"two places drawn apart lie within {within} km of each other ({DRAWS:,} draws): {shares}")
    return 0


def held_out(data: sharp.Scored, seed: int) -> dict[str, float]:
    """What maps are worth on trials whose thing and place they did not see."""
    out, free = sharp.held_out(data, seed)
    known = np.isfinite(out)
    z, s, w = out[known], data.same[known], data.weight[known]
    return {
        "cllr": lr.cllr(z, s),
        "cllr_weighted": lr.cllr(z, s, w),
        "unbounded_weighted": lr.cllr(free[known], s, w),
        "cllr_min_weighted": lr.cllr_min(free[known], s, w),
        "dev_pav_weighted": lr.dev_pav(z, s, w),
    }
