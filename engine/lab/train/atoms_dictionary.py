"""`earwitness lab atoms-dictionary`: what excites each kernel, and in which field recordings of known place each label was heard.

Of the sounds trained on, the three recordings whose drive of a kernel is the highest, each recording once. Of field recordings,
the first minute in windows of 4 s; a label counts where a step chose it with a chance of at least LEAST_CHANCE.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from engine.clues.atoms.observe import LEAST_CHANCE, windows_of
from engine.core.clip import Interval
from engine.core.errors import EarwitnessError
from engine.core.paths import data_dir
from engine.lab.data import atoms as atoms_data
from engine.lab.data.manifest import read_manifest
from engine.media import open_clip
from engine.models import atoms

_TOLD = 3
_LISTENED_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--data", type=Path, default=None, help="folder with sounds and recordings (default: EARWITNESS_DATA)")
    parser.add_argument("--model", type=Path, default=atoms.FOLDER)


def run(args: argparse.Namespace) -> int:
    """Write dictionary.json beside the weights."""
    folder = args.data or data_dir()
    net = atoms.Decomposer(args.model)
    samples = read_manifest(folder / "recordings")
    summary: dict[str, Any] = {"excited": excited(net, folder / "sounds"), "places": {}, "recordings": len(samples)}
    places: dict[str, list[list[float]]] = defaultdict(list)
    for sample in samples:
        best: dict[str, float] = {}
        try:
            with open_clip(sample.path) as reader:
                windows = [w for _, w in windows_of(reader, atoms.WINDOW_S, Interval(0.0, _LISTENED_S))]
        except EarwitnessError:
            continue
        for taken in net.decompose(np.stack(windows)):
            for step in taken.steps:
                if step.chance >= LEAST_CHANCE:
                    best[step.label] = max(best.get(step.label, 0.0), step.chance)
        for label, chance in best.items():
            places[label].append([round(sample.lat_deg, 1), round(sample.lon_deg, 1), round(chance, 2)])
    summary["places"] = {k: sorted(rows, key=lambda r: -r[2]) for k, rows in sorted(places.items())}
    file = args.model / "dictionary.json"
    file.write_text(json.dumps(summary, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{file}: " + ", ".join(f"{k} {len(rows)}" for k, rows in summary["places"].items()))
    return 0


def excited(net: atoms.Decomposer, folder: Path) -> dict[str, list[list[list[str]]]]:
    """Per label and kernel, (recording, author, licence) of the sounds trained on that excite it most."""
    sounds = atoms_data.read_sounds(folder)
    train = atoms_data.split(sounds, net.labels, int(net.card["setting"]["seed"])).train
    held = atoms_data.waves(train)
    own = [s for s in train if s.id in held]
    padded = [np.pad(held[s.id], (0, atoms.WINDOW_SAMPLES - len(held[s.id]))) for s in own]
    drive = np.concatenate([net.drives(np.stack(padded[a : a + 32])) for a in range(0, len(padded), 32)])
    out: dict[str, list[list[list[str]]]] = {}
    for at, label in enumerate(net.labels):
        out[label] = []
        for k in range(atoms.KERNELS):
            rows: list[list[str]] = []
            for i in np.argsort(-drive[:, at, k]):
                row = [own[i].source, own[i].author, own[i].licence]
                if own[i].label == label and row not in rows:
                    rows.append(row)
                if len(rows) == _TOLD:
                    break
            out[label].append(rows)
    return out
