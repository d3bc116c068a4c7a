"""`earwitness lab calibrate-claims`: fit and bound the ratio for a claimed week; see `lab.bench.claims`."""

from __future__ import annotations

import argparse
import json

from engine.core.paths import data_dir
from engine.core.settings import Settings
from engine.lab.bench import claims, trials
from engine.lab.bench import likelihood_ratio as lr
from engine.lab.bench.recordings import Condition, perceive
from engine.lab.data.manifest import read_manifest
from engine.verdict import claim


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab calibrate-claims`: those of the benchmark."""
    claims.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Fit the map of the week, print it with its held-out cost, and write it (to --json, else to its place in assets).

    The maps of the place are those of `earwitness lab calibrate-mismatch`.
    """
    recordings = read_manifest((args.data or data_dir()) / "recordings")
    heard = [perceive(s, Condition(), Settings(), args.seed).observations for s in recordings]
    season = claims.seasons(recordings, heard, args.radius)
    data = claims.calibrate(season, args.seed)
    own = data["season"]
    out, _ = trials.held_out(season, args.seed)
    known = out == out
    own["held_out_cllr"] = lr.cllr(out[known], season.same[known])
    target = args.json or claim.CALIBRATION_FILE
    target.write_text(json.dumps(data, indent=1) + "\n")
    print(
        f"week: {own['pairs']:,} trials of {own['things']} recordings; log10 ratio = {own['offset']:.2f} + {own['slope']:.2f} · "
        f"log10 B, within {own['low']:.2f} … {own['high']:.2f}; held out: Cllr {own['held_out_cllr']:.2f}; wrote {target}"
    )
    return 0
