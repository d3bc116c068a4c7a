"""`earwitness bench locatability`: with a few frames to read, how often is the sign among them?

Films are put together from photos of known kind: shots of two to eight seconds, each a slow pan over an outdoor photo, one title
card, one black shot, and two shots in which a photographed sign comes into view for two seconds. The frames chosen by
locatability and as many evenly spread ones are compared by how many of the signs they show.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.clues.locatability import Watch, choose
from engine.core.clip import Frame, Shot
from engine.core.errors import DataError
from engine.core.file import read_csv
from engine.core.paths import data_dir
from engine.models.opencv import cv2

SIZE = (480, 270)
SHOTS, SIGNS = 22, 2
IN_VIEW_S = 2.0
BUDGETS = (6, 12, 24)


@dataclass(frozen=True, slots=True)
class Result:
    """Signs found with one budget, by frames chosen and by frames evenly spread; one entry per film, 0 to SIGNS."""

    budget: int
    chosen: tuple[int, ...]
    evenly: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Film:
    shots: tuple[Shot, ...]
    frames: tuple[Frame, ...]  # one a second
    signs: tuple[tuple[float, float], ...]  # when each is in view


def measure(photos: Path, films: int, seed: int) -> tuple[Result, ...]:
    """Put films together and choose.

    Raises:
        DataError: the folder has no manifest, or too few photos.
    """
    views, signs = _photos(photos)
    rng = np.random.default_rng(seed)
    found: dict[int, list[tuple[int, int]]] = {b: [] for b in BUDGETS}
    for _ in range(films):
        film = _film(rng, views, signs)
        watch = Watch()
        for frame in film.frames:
            watch.see(frame, False)
        length_s = film.shots[-1].end_s
        for budget in BUDGETS:
            times = choose(film.shots, watch.sights, budget, text_alone=True)
            even = (np.arange(budget) + 0.5) * length_s / budget
            found[budget].append((_shown(film, times), _shown(film, even)))
    return tuple(Result(b, tuple(x for x, _ in own), tuple(y for _, y in own)) for b, own in found.items())


def _shown(film: _Film, times_s: Sequence[float] | NDArray[np.float64]) -> int:
    return sum(any(a <= t < b for t in times_s) for a, b in film.signs)


def _photos(folder: Path) -> tuple[list[Path], list[Path]]:
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        raise DataError(f"There is no {manifest}; give the folder of photos with its manifest, or set EARWITNESS_DATA.")
    rows = read_csv(manifest, what="manifest")
    there = [(folder / Path(r["file"]).name, "sign" in (r.get("scene") or "")) for r in rows]
    views, signs = ([p for p, is_sign in there if is_sign == wanted and p.is_file()] for wanted in (False, True))
    if len(views) < SHOTS or len(signs) < SIGNS:
        raise DataError(f"{folder} holds {len(views)} views and {len(signs)} signs; at least {SHOTS} and {SIGNS} are needed.")
    return views, signs


def _film(rng: np.random.Generator, views: list[Path], signs: list[Path]) -> _Film:
    width, height = SIZE
    order = rng.permutation(len(views))[:SHOTS]
    with_sign = rng.choice(np.arange(2, SHOTS), SIGNS, replace=False)
    boards = rng.choice(len(signs), SIGNS, replace=False)
    at_s, shots, frames, seen = 0.0, [], [], []
    for number, index in enumerate(order):
        length_s = float(rng.uniform(2.0, 8.0)) if number not in with_sign else float(rng.uniform(4.0, 8.0))
        view = _fitted(views[index], (width + 160, height + 90))
        if number == 0:
            view = _card(rng, view.shape)
        if number == 1:
            view = np.zeros_like(view)
        start_s = at_s + float(rng.uniform(0.0, length_s - IN_VIEW_S))
        board = None
        if number in with_sign:
            which = int(np.flatnonzero(with_sign == number)[0])
            board = _fitted(signs[boards[which]], (150, 110))
            seen.append((start_s, start_s + IN_VIEW_S))
        for time_s in np.arange(np.ceil(at_s), at_s + length_s):
            x = round(160 * (time_s - at_s) / length_s)
            rgb = view[45 : 45 + height, x : x + width].copy()
            if board is not None and start_s <= time_s < start_s + IN_VIEW_S:
                rgb[90:200, 180:330] = board
            frames.append(Frame(float(time_s), rgb))
        shots.append(Shot(at_s, at_s + length_s, (at_s,)))
        at_s += length_s
    return _Film(tuple(shots), tuple(frames), tuple(seen))


def _fitted(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(cv2.resize(np.asarray(image.convert("RGB")), size, interpolation=cv2.INTER_AREA))


def _card(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    card = np.full(shape, rng.integers(0, 60), np.uint8)
    cv2.putText(card, "A FILM IN PARTS", (140, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (240, 240, 240), 3)
    return card


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench locatability`."""
    parser.add_argument("--photos", type=Path, default=data_dir() / "photos", metavar="DIR", help="photos with their manifest")
    parser.add_argument("--films", type=int, default=20, help="films put together (default: 20)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench locatability` and print its table."""
    rng = np.random.default_rng(args.seed)
    rows = []
    print(f"{'frames':>6} {'signs shown, chosen':>24} {'evenly spread':>24} {'difference':>24}")
    for r in measure(args.photos, args.films, args.seed):
        chosen, evenly = np.array(r.chosen) / SIGNS, np.array(r.evenly) / SIGNS
        drawn = rng.integers(0, len(chosen), (2000, len(chosen)))
        shares = [(x.mean(), *np.quantile(x[drawn].mean(axis=1), (0.025, 0.975))) for x in (chosen, evenly, chosen - evenly)]
        print(f"{r.budget:>6} " + " ".join(f"{m:10.0%} ({a:5.0%} to {b:4.0%})" for m, a, b in shares))
        names = ("chosen", "evenly", "difference")
        found = {n: {"share": m, "low": a, "high": b} for n, (m, a, b) in zip(names, shares, strict=True)}
        rows.append({"frames": r.budget, **found})
    if args.json:
        head = {"films": args.films, "signs_per_film": SIGNS, "seed": args.seed}
        args.json.write_text(json.dumps({**head, "budgets": rows}, indent=2))
    return 0
