"""`earwitness lab calibrate-cues`: what the ratios of the table of cues are worth, and the mass that regions need.

Fitted on pictures of known place that people worked through without knowing it (assets/cues/marks.csv). What is minimised is the
mean −ln mass of the true cell over the share of notes that holds, the exponent of the ratios and the temper; places weigh alike
as far as there are many pictures of them. Regions are levelled by split conformal prediction on pictures held out. Everything
is cross-validated by place and author: the held-out rows are by numbers and levels of other folds.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from engine.clues.cues import score
from engine.clues.cues.score import Calibration
from engine.core.paths import ASSETS, data_dir
from engine.core.posterior import REGION_SHARES
from engine.core.settings import Settings
from engine.lab.bench.cues import FOLDERS, Marked, Scorer, read_marks
from engine.lab.bench.metrics import NLL_CEILING, Score, outcome, paired, table, to_json_text
from engine.lab.train.sound_kinds import fold_of

MARKS = ASSETS / "cues" / "marks.csv"
FOLDS = 5
START = Calibration(trust=0.9, gain=0.7, temper=0.7)
# Whoever notes a cue errs, and cars, plants and souvenirs travel: however well a few markers did, no more of a note is believed,
# and groups of cues, which repeat each other, never count more than they say.
MOST_TRUST, MOST_GAIN = 0.97, 2.0
_ENOUGH = 6  # pictures of a group: more weigh no more together


def fit(pictures: Sequence[Marked], scorer: Scorer) -> Calibration:
    """Numbers under which the true places are likeliest, without levels."""
    weight = weights(pictures)

    def loss(x: NDArray[np.float64]) -> float:
        fitted = _of(x)
        return float(weight @ [_nll(p, scorer, fitted) for p in pictures])

    start = np.array([_log_odds(START.trust / MOST_TRUST), _log_odds(START.gain / MOST_GAIN), _log_odds(START.temper)])
    return _of(minimize(loss, start, method="Nelder-Mead", options={"xatol": 0.02, "fatol": 5e-4, "maxfev": 150}).x)


def _of(x: NDArray[np.float64]) -> Calibration:
    trust, gain, temper = (1.0 / (1.0 + np.exp(-x))) * (MOST_TRUST, MOST_GAIN, 1.0)
    return Calibration(float(trust), float(gain), float(temper))


def _log_odds(share: float) -> float:
    return float(np.log(share / (1.0 - share)))


def _nll(picture: Marked, scorer: Scorer, fitted: Calibration) -> float:
    if picture.truth < 0:
        return NLL_CEILING
    return min(NLL_CEILING, -float(scorer.posterior(picture.noted, fitted).log_mass[picture.truth]))


def weights(pictures: Sequence[Marked]) -> NDArray[np.float64]:
    """(n,) weights that sum to 1: a place counts in proportion to its pictures up to `_ENOUGH`."""
    count = Counter(p.place for p in pictures)
    own = np.array([min(1.0, _ENOUGH / count[p.place]) for p in pictures])
    return own / own.sum()


def levels_of(denser: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """(share, mass needed): the quantile of the mass on ground at least as dense as the true place, as split conformal
    prediction takes it.
    """
    n = len(denser)
    found = [float(np.quantile(denser, min(1.0, np.ceil((n + 1) * share) / n), method="higher")) for share in REGION_SHARES]
    return tuple((share, min(max(mass, 0.01), 1.0 - 1e-6)) for share, mass in zip(REGION_SHARES, found, strict=True))


def _denser(picture: Marked, scorer: Scorer, fitted: Calibration) -> float:
    posterior = scorer.posterior(picture.noted, fitted)
    rank = outcome(posterior, picture.sample.lat_deg, picture.sample.lon_deg).region_rank
    return 1.0 if rank is None else rank


def held_out(
    pictures: Sequence[Marked], scorer: Scorer, seed: int
) -> tuple[list[Calibration], NDArray[np.int64], NDArray[np.float64]]:
    """Calibrations of the folds, each fitted and levelled on the others; the fold of each picture; and the mass on ground
    denser than each true place, held out.
    """
    fold = fold_of([p.author for p in pictures], FOLDS, seed)
    fits = [fit([p for p, f in zip(pictures, fold, strict=True) if f != k], scorer) for k in range(FOLDS)]
    denser = np.array([_denser(p, scorer, fits[f]) for p, f in zip(pictures, fold, strict=True)])
    spoken = np.array([bool(p.noted) for p in pictures])
    return [replace(fits[k], levels=levels_of(denser[(fold != k) & spoken])) for k in range(FOLDS)], fold, denser


def report(pictures: Sequence[Marked], scorer: Scorer, fitted: Sequence[Calibration], seed: int) -> dict[str, Any]:
    """Rows: all pictures, those on which cues speak, each marker's, the prior; and the paired difference to the prior.

    Args:
        fitted: the numbers by which each picture is scored.
    """
    found = [scorer.outcome(p, own) for p, own in zip(pictures, fitted, strict=True)]
    prior = [scorer.outcome(replace(p, noted=()), START) for p in pictures]
    groups = np.array([p.place for p in pictures])
    parts = {"cues": list(range(len(pictures))), "cues, where they speak": [i for i, o in enumerate(found) if o.spoke]}
    for name in sorted({p.marker for p in pictures}):
        parts[f"marker {name or 'unnamed'}"] = [i for i, p in enumerate(pictures) if p.marker == name]
    rows = {t: Score.of_outcomes(t, [found[i] for i in own], groups[own], seed) for t, own in parts.items() if own}
    rows["prior"] = Score.of_outcomes("prior", prior, groups, seed)
    gain = paired([min(NLL_CEILING, o.nll) for o in prior], [min(NLL_CEILING, o.nll) for o in found], "nll", groups, seed)
    return {"rows": rows, "gain": gain}


def show(found: dict[str, Any]) -> None:
    """Print what `report` found."""
    print(table(tuple(found["rows"].values())))
    whole, gain = found["rows"]["cues"], found["gain"]
    print(f"cues speak on {whole.spoke} of {whole.n}; the others are scored at the prior.")
    print(f"nll below the prior's by {gain.difference:.2f} (95% {gain.interval.low:.2f} to {gain.interval.high:.2f})")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab calibrate-cues`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with views and photos (default: EARWITNESS_DATA)")
    parser.add_argument("--marks", type=Path, default=MARKS, help="table of marks: id, cue, sure, marker")
    parser.add_argument("--out", type=Path, default=score.FILE, help="write the numbers to this file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the held-out rows to this file")


def run(args: argparse.Namespace) -> int:
    """Cross-validate, fit on everything, print and write both."""
    data = args.data or data_dir()
    pictures = read_marks(args.marks, [data / name for name in FOLDERS])
    scorer = Scorer(Settings().prior)
    by_fold, fold, denser = held_out(pictures, scorer, args.seed)
    for k, own in enumerate(by_fold, 1):
        print(f"fold {k} of {FOLDS}: {own}", flush=True)
    found = report(pictures, scorer, [by_fold[k] for k in fold], args.seed)
    show(found)
    spoken = np.array([bool(p.noted) for p in pictures])
    final = replace(fit(pictures, scorer), levels=levels_of(denser[spoken]))
    print(f"fitted on everything: {final}")
    numbers = {"trust": round(final.trust, 4), "gain": round(final.gain, 4), "temper": round(final.temper, 4)}
    levels = {str(share): round(mass, 6) for share, mass in final.levels}
    args.out.write_text(json.dumps({**numbers, "levels": levels}, indent=1) + "\n", encoding="utf-8")
    if args.json:
        args.json.write_text(to_json_text({**numbers, "levels": levels, **found, "seed": args.seed}))
    return 0
