"""`earwitness lab calibrate-atoms`: how steps are chosen, stopped and scored, on validation mixtures; thresholds of the rivals
too.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from engine.core.paths import data_dir
from engine.lab.bench.atoms import SIZES, _first, mean_average_precision, set_f1, truth_of
from engine.lab.data import atoms as atoms_data
from engine.lab.train import atoms_rivals
from engine.models import atoms

_PRESENCE = (0.0, 0.5, 1.0, 1.5, 2.0)
_CHOICE = (0.0, 0.15, 0.3, 0.6, 1.0, 2.0)
_STOP = tuple(np.arange(-3.0, 3.01, 0.25).tolist())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/sounds)")
    parser.add_argument("--model", type=Path, default=atoms.FOLDER)
    parser.add_argument("--mixtures", type=int, default=150, help="of each size (default: 150)")
    parser.add_argument("--seed", type=int, default=11)


def fit_rule(net: atoms.Decomposer, by_size: dict[int, tuple[atoms_data.Mixture, ...]]) -> atoms.Rule:
    """Presence and choice by the mean mAP over all sizes, then the stop by the mean F1 of the sets."""
    truth = {n: truth_of(m, net.labels) for n, m in by_size.items()}
    grids = {n: atoms.power_grid(np.stack([m.wave for m in own])) for n, own in by_size.items()}
    best, found = (-1.0, -1.0), atoms.Rule()
    has_presence = "present.weight" in net.net.state_dict()
    for presence in _PRESENCE if has_presence else (0.0,):
        net.rule = atoms.Rule(presence=presence)
        traces = {n: net.trace(g, atoms.MOST_STEPS, None)[0] for n, g in grids.items()}
        stops = {
            stop: float(np.mean([_f1(net, traces[n], truth[n], replace(net.rule, stop=stop)) for n in SIZES])) for stop in _STOP
        }
        stop = max(stops, key=lambda s: stops[s])
        for choice in _CHOICE if has_presence else (1.0,):
            rule = atoms.Rule(presence, stop, choice)
            value = float(np.mean([mean_average_precision(atoms.scores_of(_first(traces[n], 4), rule), truth[n]) for n in SIZES]))
            print(
                f"presence {presence:g}  stop {stop:+.2f}  choice {choice:g}: mAP {value:.4f}  F1 {stops[stop]:.4f}", flush=True
            )
            if (value + stops[stop], value) > best:
                best, found = (value + stops[stop], value), rule
    net.rule = found
    return found


def _f1(net: atoms.Decomposer, trace: atoms.Trace, truth: np.ndarray, rule: atoms.Rule) -> float:
    named = np.zeros_like(truth)
    for i, count in enumerate(atoms.counts_of(trace, rule)):
        for k in range(count):
            named[i, trace.chosen[k][i]] = True
    return float(set_f1(named, truth).mean())


def run(args: argparse.Namespace) -> int:
    """Fit on the validation sounds and write into model.json."""
    card_file = args.model / "model.json"
    net = atoms.Decomposer(args.model)
    labels = net.labels
    sounds = atoms_data.read_sounds(args.data or data_dir() / "sounds")
    own = atoms_data.split(sounds, labels, int(net.card["setting"]["seed"])).validation
    by_size = {n: atoms_data.mixtures(own, args.mixtures, n, args.seed) for n in SIZES}
    truth = {n: truth_of(m, labels) for n, m in by_size.items()}
    rules, thresholds = {"weights.safetensors": asdict(fit_rule(net, by_size))}, {}
    for rival in atoms_rivals.rivals(args.model, labels, False):
        if isinstance(rival, atoms_rivals.Autoregressive):
            rules[rival.net.file] = asdict(fit_rule(rival.net, by_size))
            continue
        scores = {n: rival.scores(np.stack([m.wave for m in m_n])) for n, m_n in by_size.items()}
        tried = np.unique(np.quantile(np.concatenate([s.ravel() for s in scores.values()]), np.linspace(0.5, 0.995, 120)))
        f1 = [float(np.mean([set_f1(scores[n] > t, truth[n]).mean() for n in SIZES])) for t in tried]
        thresholds[rival.name] = round(float(tried[int(np.argmax(f1))]), 6)
        maps = "  ".join(f"{mean_average_precision(scores[n], truth[n]):.4f}" for n in SIZES)
        print(f"{rival.name}: threshold {thresholds[rival.name]:g}, F1 {max(f1):.4f}, mAP {maps}", flush=True)
    card = json.loads(card_file.read_text(encoding="utf-8"))
    card |= {"rules": rules, "thresholds": thresholds}
    card_file.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{net.rule}")
    return 0
