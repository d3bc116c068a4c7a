"""`earwitness bench photos`: the picture's own table, in the form of `bench recordings`; with `--cues`, that of cues noted by a
person (`lab.bench.cues`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.core.errors import SettingError
from engine.core.paths import data_dir
from engine.core.settings import PRIORS, Settings
from engine.lab.bench import photos
from engine.lab.bench.metrics import table, to_json_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench photos`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/photos)")
    parser.add_argument(
        "--cues",
        type=Path,
        default=None,
        metavar="CSV",
        help="score cues noted by a person instead of text: columns id, cue, sure, perhaps marker; `earwitness cues` lists them",
    )
    parser.add_argument(
        "--held-out", action="store_true", help="with --cues: by numbers fitted on pictures of other places and authors"
    )
    parser.add_argument("--prior", choices=PRIORS, default=Settings().prior)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Print the table: all photos first, then those of signs, and each where the text speaks."""
    if args.held_out and not args.cues:
        raise SettingError("--held-out is for noted cues; give their table with --cues.")
    if args.cues:
        return _cues(args)
    found = photos.run(args.data or data_dir() / "photos", Settings(prior=args.prior), args.seed)
    whole = next(s for s in found.scores if s.name == "all photos")
    print(table(found.scores))
    print(f"text spoke on {whole.spoke} of {whole.n}; the others are scored at the prior.")
    for score in found.scores:
        if score.intervals:
            i = score.intervals
            print(
                f"{score.name}: 95% median {i['median_km'].low:,.0f} to {i['median_km'].high:,.0f} km, "
                f"within 25 km {i['within_km.25'].low:.0f} to {i['within_km.25'].high:.0f}%"
            )
    print(f"ln(cells) = {found.ln_cells:.2f}; prior {args.prior}; seed {args.seed}; intervals by place.")
    if args.json:
        args.json.write_text(to_json_text({**whole.to_json(), "rows": {s.name: s for s in found.scores}, "seed": args.seed}))
    return 0


def _cues(args: argparse.Namespace) -> int:
    """Cues noted on pictures: all that were worked through, each marker's, those on which the cues speak, and the prior."""
    from engine.clues.cues.score import calibration
    from engine.lab.bench import cues
    from engine.lab.train import calibrate_cues

    folders = [args.data] if args.data else [data_dir() / name for name in cues.FOLDERS]
    pictures = cues.read_marks(args.cues, folders)
    scorer = cues.Scorer(args.prior)
    if args.held_out:
        by_fold, fold, _ = calibrate_cues.held_out(pictures, scorer, args.seed)
        fitted = [by_fold[k] for k in fold]
    else:
        fitted = [calibration()] * len(pictures)
    found = calibrate_cues.report(pictures, scorer, fitted, args.seed)
    calibrate_cues.show(found)
    how = "numbers of other folds" if args.held_out else "the program's numbers"
    print(f"{how}; prior {args.prior}; seed {args.seed}; intervals by place.")
    if args.json:
        args.json.write_text(to_json_text({**found, "seed": args.seed, "held_out": args.held_out}))
    return 0
