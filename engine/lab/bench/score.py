"""`earwitness bench score PREDICTIONS`: score places predicted by any program, in the benchmark's own file format.

Both files are CSV with audio_id, latitude, longitude. The numbers are those of the benchmark's published scorer (median and mean
great-circle error, per cent within 1, 25, 200, 750 and 2,500 km), except that a place that is no number is an error here, where
that scorer counts it as a perfect hit. `earwitness lab train-baseline --predictions FILE` writes such files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.core.paths import data_dir
from engine.lab.bench import metrics
from engine.lab.data.dataset import aligned, read_predictions

GOLD = {"inat": "inat_test_gold.csv", "xcdc": "xcdc_gold.csv"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("predictions", type=Path, help="CSV with audio_id, latitude, longitude")
    parser.add_argument("--dataset", choices=tuple(GOLD), default="inat", help="whose true places (default: inat)")
    parser.add_argument(
        "--gold", type=Path, default=None, help="file of true places (default: the data set's, in the data folder)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Score, print, write."""
    gold = read_predictions(args.gold or data_dir() / GOLD[args.dataset])
    errors = metrics.errors_km(*aligned(read_predictions(args.predictions), gold))
    resamples = 1000 if len(errors) <= 5000 else 200
    score = metrics.Score.of_errors(args.predictions.stem, errors, seed=args.seed, resamples=resamples)
    print(metrics.table([score]))
    if args.json:
        args.json.write_text(metrics.to_json_text(score.to_json()) + "\n", encoding="utf-8")
    return 0
