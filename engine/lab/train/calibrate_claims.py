"""`earwitness lab calibrate-claims`: fit and bound the ratio for a claimed place and week; see `lab.claims`."""

from __future__ import annotations

import argparse
import json

from engine.lab.bench import claims, mismatch
from engine.verdict import claim
from engine.verdict.compare import Calibration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab calibrate-claims`: those of the benchmark."""
    claims.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Cross-validate, print the held-out table, and write the calibration (to --json, else to its place in assets)."""
    trials = claims.trials_of(args)
    data = claims.calibrate(trials, args.seed)
    fits = {
        kind: Calibration(d["offset"], d["slope"], d["low"], d["high"], d["trials"], tuple((o, s) for o, s in d["bootstrap"]))
        for kind in claims.KINDS
        for d in (data[kind],)
    }
    out = {kind: mismatch.held_out(trials.by_kind[kind], args.seed) for kind in claims.KINDS}
    claims.show(claims.report(trials, fits, args.seed, out))
    target = args.json or claim.CALIBRATION_FILE
    target.write_text(json.dumps(data, indent=1) + "\n")
    for kind, k in fits.items():
        print(f"{kind}: log10 ratio = {k.offset:.2f} + {k.slope:.2f} · log10 B, within {k.low:.2f} … {k.high:.2f}")
    print(f"wrote {target}")
    return 0
