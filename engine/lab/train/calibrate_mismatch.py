"""`earwitness lab calibrate-mismatch`: fit and bound the factor for one place against two; see `lab.mismatch`."""

from __future__ import annotations

import argparse
import json

import numpy as np

from engine.core.settings import PRIORS
from engine.lab.bench import mismatch
from engine.verdict import compare
from engine.world import priors
from engine.world.grid import world_grid

NEAR_KM, DRAWS = (50.0, 200.0), 500_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab calibrate-mismatch`: those of the benchmark."""
    mismatch.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Cross-validate, print the held-out table, and write the calibration (to --json, else to its place in assets)."""
    pairs = mismatch.pairs_of(args)
    data = mismatch.calibrate(pairs, args.seed)
    draws = tuple((o, s) for o, s in data["bootstrap"])
    k = compare.Calibration(data["offset"], data["slope"], data["low"], data["high"], data["pairs"], draws)
    out = mismatch.held_out(pairs, args.seed)
    mismatch.show(mismatch.report(pairs, np.where(pairs.speak, out, np.nan), k, args.seed))
    target = args.json or compare.CALIBRATION_FILE
    target.write_text(json.dumps(data, indent=1) + "\n")
    print(f"log10 factor = {k.offset:.2f} + {k.slope:.2f} · log10 B, within {k.low:.2f} … {k.high:.2f}; wrote {target}")
    low, high = data["bounds_effective"]
    n = data["effective"]
    print(
        f"counting only as many independent pairs as they are worth ({n['same']:.0f} and {n['different']:.0f}) the bounds "
        "would be "
        f"1/{10**-low:.2g} … {10**high:.2g}"
    )
    near = [(name, mismatch.drawn_near(priors.prior(name, world_grid()), NEAR_KM, DRAWS, args.seed)) for name in PRIORS]
    shares = "; ".join(f"{name} {' / '.join(f'{s:.3%}' for s in found)}" for name, found in near)
    within = " / ".join(f"{k:g}" for k in NEAR_KM)
    print(f"two places drawn apart lie within {within} km of each other ({DRAWS:,} draws): {shares}")
    return 0
