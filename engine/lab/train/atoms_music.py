"""`earwitness lab calibrate-music`: fit how tones that last, and a tuned scale, tell music from other sounds.

A logistic regression on `soundtrack.tonal_features` of 4 s from the middle of each clip: free clips labelled Music against free
clips of the labels that atoms are trained on, their training side. Tried on instruments by others, and on the atoms' test side.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.clues.atoms import soundtrack
from engine.core.errors import DataError
from engine.core.paths import data_dir
from engine.lab.data import atoms as atoms_data
from engine.models import atoms

_MUSIC = "Music"
_INSTRUMENTS = ("Acoustic guitar", "Cello", "Clarinet", "Double bass", "Flute", "Saxophone", "Violin, fiddle")
_SAID = 0.7  # the clue speaks of music from this chance on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/sounds)")
    parser.add_argument("-o", "--output", type=Path, default=atoms.FOLDER / "music.json")
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> int:
    """Fit, say how good it is on sounds not fitted on, write."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.preprocessing import StandardScaler

    sounds = atoms_data.read_sounds(args.data or data_dir() / "sounds")
    parted = atoms_data.split(sounds, atoms_data.trainable_labels(sounds), args.seed)
    rng = np.random.default_rng(args.seed)
    music = [s for s in sounds if s.label == _MUSIC and s.free]
    if not music:
        raise DataError(f"No free clip is labelled {_MUSIC}; add some to the manifest.")
    other = _some(parted.train, 160, rng)
    yes, no = _features(music), _features(other)
    x, y = np.concatenate([yes, no]), np.r_[np.ones(len(yes)), np.zeros(len(no))]
    scale = StandardScaler().fit(x)
    fit = LogisticRegression(C=1.0, class_weight="balanced").fit(scale.transform(x), y)
    weights = fit.coef_[0] / scale.scale_
    bias = float(fit.intercept_[0] - weights @ scale.mean_)
    new_yes = _features(_some([s for s in sounds if s.label in _INSTRUMENTS], 60, rng))
    new_no = _features(_some(parted.test, 100, rng))
    score = [1.0 / (1.0 + np.exp(-(f @ weights + bias))) for f in (new_yes, new_no)]
    summary = {
        "weights": [round(float(v), 6) for v in (*weights, bias)],
        "fitted_on": {"music": len(music), "other": len(other)},
        "instruments_not_fitted_on": {
            "auc": round(float(roc_auc_score(np.r_[np.ones(len(score[0])), np.zeros(len(score[1]))], np.concatenate(score))), 4),
            "found": round(float((score[0] > _SAID).mean()), 4),
            "others_taken_for_music": round(float((score[1] > _SAID).mean()), 4),
            "clips": [len(score[0]), len(score[1])],
        },
        "seed": args.seed,
    }
    args.output.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(summary["instruments_not_fitted_on"]))
    return 0


def _some(sounds: Sequence[atoms_data.Sound], count: int, rng: np.random.Generator) -> list[atoms_data.Sound]:
    return [sounds[i] for i in rng.permutation(len(sounds))[:count]]


def _features(sounds: Sequence[atoms_data.Sound]) -> NDArray[np.float64]:
    out = []
    for s in sounds:
        wave = atoms_data.read_wave(s.path)
        first = max(0, (len(wave) - atoms.WINDOW_SAMPLES) // 2)
        out.append(soundtrack.tonal_features(wave[first : first + atoms.WINDOW_SAMPLES], atoms.RATE_HZ))
    return np.array(out)
