"""`earwitness bench hum`: how often the hum clue speaks on recordings of known place, and how often it names the right supply."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from engine.clues.hum.observe import LEAST_LENGTH_S, RATE_HZ, HumObserver, hum_in
from engine.core.paths import data_dir
from engine.lab.bench.metrics import to_json_text
from engine.lab.data.manifest import read_manifest
from engine.media import open_clip
from engine.world import mains


@dataclass(frozen=True, slots=True)
class Share:
    """A count of a whole, with the exact 95% interval of the share (Clopper and Pearson)."""

    count: int
    of: int
    low: float
    high: float

    @classmethod
    def make(cls, count: int, of: int) -> Share:
        if of == 0:
            return cls(0, 0, 0.0, 1.0)
        i = binomtest(count, of).proportion_ci(0.95)
        return cls(count, of, float(i.low), float(i.high))

    def __str__(self) -> str:
        return f"{self.count} of {self.of} ({self.low:.0%} to {self.high:.0%})"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench hum`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/recordings)")
    parser.add_argument("--noise", type=int, default=500, help="intervals of 60 s of white noise tried (default: 500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench hum` and print its table."""
    short = silent = right = 0
    spoken: list[str] = []
    for sample in read_manifest(args.data or data_dir() / "recordings"):
        with open_clip(sample.path) as reader:
            length_s = reader.clip.duration_s
            found = {o.label for o in HumObserver().observe(reader.clip, reader)}
        truth = mains.frequency_hz(sample.lat_deg, sample.lon_deg)
        if len(found) == 1 and truth != mains.UNKNOWN:
            right += f"{truth} Hz" in found
            spoken.append(f"{sample.id}: {', '.join(found)} heard, {truth} Hz there")
        elif length_s is not None and length_s < LEAST_LENGTH_S:
            short += 1
        else:
            silent += 1
    rng = np.random.default_rng(args.seed)
    alarms = sum(hum_in(rng.normal(size=60 * RATE_HZ)) is not None for _ in range(args.noise))
    speaks = Share.make(len(spoken), len(spoken) + silent)
    correct = Share.make(right, len(spoken))
    false = Share.make(alarms, args.noise)
    print(f"spoke on     {speaks} recordings of at least {LEAST_LENGTH_S:g} s; {short} are shorter")
    print(f"right        {correct} where it spoke")
    print(f"false alarms {false} intervals of white noise")
    print("\n".join(spoken))
    if args.json:
        shares = {"spoke": asdict(speaks), "right": asdict(correct), "false_alarms": asdict(false)}
        args.json.write_text(to_json_text({**shares, "short": short, "seed": args.seed}))
    return 0
