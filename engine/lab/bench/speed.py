"""`earwitness bench speed`: this program beside what a user would use instead, in turn, in one run, as ratios with their spread.

Then whole films of growing length and growing numbers of clips: time, memory, clips an hour. Everything is drawn or synthesised
here; the picture row runs on weights of the real shape with random numbers in them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from engine.core.errors import InputError
from engine.lab.bench import speed_rows
from engine.lab.bench.film import write_film
from engine.lab.bench.speed_rows import Row, Run

PARTS = ("species", "picture", "ranges", "decoding", "length", "clips")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench speed`."""
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="leave the other parts out")
    parser.add_argument("--runs", type=int, default=3, help="of each side of a ratio, in turn (default: 3)")
    parser.add_argument("--minutes", type=float, default=5.0, help="of sound for the species row (default: 5)")
    parser.add_argument("--frames", type=int, default=4, help="pictures for the picture row (default: 4)")
    parser.add_argument("--lengths", default="1,10", help="minutes of film, for example 1,10,60,180 (default: 1,10)")
    parser.add_argument("--clips", default="4,8", help="numbers of clips of 20 s (default: 4,8)")
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Measure what was asked for and print the tables."""
    lengths, counts = _numbers(args.lengths, "--lengths"), [int(n) for n in _numbers(args.clips, "--clips")]
    runs = max(1, args.runs)
    rows: list[Row] = []
    grown: list[Run] = []
    clips: list[Run] = []

    def say(text: str) -> None:
        if sys.stderr.isatty():
            print(f"{text:60}", end="\r", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="earwitness-") as name:
        folder = Path(name)
        if "species" in args.only:
            say("species detection")
            rows.append(speed_rows.detection(folder, args.minutes, runs))
        if "picture" in args.only:
            say("picture location")
            rows.append(speed_rows.picture(folder, args.frames, runs))
        if "ranges" in args.only:
            rows.append(speed_rows.ranges(runs))
        if "decoding" in args.only:
            film = folder / "decoding.mp4"
            write_film(film, 0.5, say=say)
            say("decoding")
            rows.extend(speed_rows.decoding(film, runs))
        if "length" in args.only:
            grown = speed_rows.growth(folder, lengths, say)
        if "clips" in args.only:
            clips = speed_rows.throughput(folder, counts, say)
    print(text := _text(rows, grown, clips))
    if args.json:
        args.json.write_text(json.dumps(_data(rows, grown, clips), indent=2), encoding="utf-8")
    return 0 if text else 1


def _numbers(text: str, option: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) <= 0:
        raise InputError(f"{option} takes numbers above zero with commas between them, for example 1,10; not {text}.")
    return found


def _text(rows: list[Row], grown: list[Run], clips: list[Run]) -> str:
    lines = []
    if rows:
        lines.append(f"{'':20} {'here, s':>9} {'there, s':>9} {'times as fast':>14}   beside")
    for row in rows:
        a, b = sorted(row.ours)[len(row.ours) // 2], sorted(row.theirs)[len(row.theirs) // 2]
        spread = f"{row.ratio:.2f} ({min(row.ratios):.2f} to {max(row.ratios):.2f})"
        lines.append(f"{row.name:20} {a:9.3g} {b:9.3g} {spread:>22}   {row.beside}: {row.what}")
    if grown:
        lines += ["", f"{'film, minutes':>14} {'s':>8} {'times real time':>16} {'peak MB':>8}"]
        lines += [f"{r.amount:14g} {r.seconds:8.1f} {60 * r.amount / r.seconds:16.1f} {r.peak_mb:8,.0f}" for r in grown]
    if clips:
        lines += ["", f"{'clips of 20 s':26} {'s':>8} {'clips an hour':>14} {'peak MB':>8}"]
        lines += [f"{r.name:26} {r.seconds:8.1f} {3600 * r.amount / r.seconds:14,.0f} {r.peak_mb:8,.0f}" for r in clips]
    return "\n".join(lines)


def _data(rows: list[Row], grown: list[Run], clips: list[Run]) -> dict[str, object]:
    return {
        "rows": {r.name: {**asdict(r), "ratio": r.ratio, "ratio_spread": [min(r.ratios), max(r.ratios)]} for r in rows},
        "length": [{**asdict(r), "times_real_time": 60 * r.amount / r.seconds} for r in grown],
        "clips": [{**asdict(r), "clips_per_hour": 3600 * r.amount / r.seconds} for r in clips],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "machine": platform.machine(),
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }
