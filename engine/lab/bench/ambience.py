"""`earwitness bench ambience`: whether the same recording is found again after coding, trimming, gain and other sounds on top,
and whether different recordings, of one place too, are kept apart.

Each recording of known place is fingerprinted as it is and as copies of it; all are compared with all, as in a case. A pair of
copies of different recordings that is taken for one recording is a false alarm.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from engine.core.errors import DataError
from engine.core.file import read_csv
from engine.core.paths import data_dir
from engine.core.progress import Progress, ProgressCallback
from engine.core.sphere import distance_km
from engine.lab.data import degrade
from engine.media import open_clip
from engine.media.fingerprint import RATE_HZ, Fingerprint, of_samples, same_recordings

Samples = NDArray[np.float32]
NEAR_KM = 25.0
LEAST_S = 12.0  # shorter recordings are left out: there would be nothing to trim
SOURCE_HZ = 48_000


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of copy: how many were made, and how many found their recording again."""

    kind: str
    made: int
    found: int


@dataclass(frozen=True, slots=True)
class Table:
    """What came out.

    Attributes:
        rows: by kind of copy.
        pairs, alarms: of different recordings, and how many of them were taken for one.
        near, near_alarms: the same of those within NEAR_KM.
        named: the false alarms, by name.
    """

    rows: tuple[Row, ...]
    pairs: int
    alarms: int
    near: int
    near_alarms: int
    named: tuple[tuple[str, str], ...]


def _copies() -> dict[str, Callable[[Samples, np.random.Generator], Samples]]:
    """How copies are made, of samples at SOURCE_HZ."""

    def trimmed(x: Samples, rng: np.random.Generator, length_s: float) -> Samples:
        n = int(length_s * SOURCE_HZ)
        start = int(rng.integers(0, max(1, len(x) - n)))
        return x[start : start + n]

    def speech(x: Samples, rng: np.random.Generator, snr_db: float) -> Samples:
        # a speaker of its own for each recording: the same words in two clips would rightly be found
        return degrade.mix(x, degrade.speech(len(x), SOURCE_HZ, int(rng.integers(2**31))), snr_db)

    def short(x: Samples, rng: np.random.Generator) -> Samples:
        return degrade.through_aac(trimmed(x, rng, 10.0) * 0.25, SOURCE_HZ)

    return {
        "AAC, 64 kbit/s": lambda x, rng: degrade.through_aac(x, SOURCE_HZ),
        "12 dB quieter": lambda x, rng: x * 0.25,
        "10 s of it": lambda x, rng: trimmed(x, rng, 10.0),
        "5 s of it": lambda x, rng: trimmed(x, rng, 5.0),
        "10 s of it, 12 dB quieter, AAC": short,
        "low-pass, 6 kHz": lambda x, rng: degrade.lowpass(x, SOURCE_HZ),
        "speech over it, as loud": lambda x, rng: speech(x, rng, 0.0),
        "speech over it, 10 dB louder": lambda x, rng: speech(x, rng, -10.0),
    }


def recordings(folder: Path, progress: ProgressCallback) -> Iterator[tuple[str, float, float, Samples]]:
    """(file, latitude, longitude, samples) of every recording that is long enough."""
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        raise DataError(f"There are no recordings of known place in {folder}; set EARWITNESS_DATA to the folder that holds them.")
    rows = read_csv(manifest, what="manifest")
    for number, row in enumerate(rows):
        progress(Progress("taking fingerprints", number, len(rows), "recordings"))
        with open_clip(folder / row["file"]) as reader:
            parts = [b.samples for b in reader.audio(SOURCE_HZ)]
        samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        if len(samples) >= LEAST_S * SOURCE_HZ:
            yield row["file"], float(row["lat"]), float(row["lon"]), samples


def measure(folder: Path, seed: int, most: int | None, progress: ProgressCallback) -> Table:
    """Make the copies, compare all with all, count."""
    prints: list[Fingerprint] = []
    kinds: list[str] = []
    owners: list[int] = []
    names: list[str] = []
    places: list[tuple[float, float]] = []
    for name, lat, lon, samples in recordings(folder, progress):
        if most is not None and len(names) >= most:
            break
        rng = np.random.default_rng(degrade.seed_of(name, seed))
        made = {"as it is": samples, **{k: make(samples, rng) for k, make in _copies().items()}}
        for kind, x in made.items():
            prints.append(of_samples(resample_poly(x, 1, SOURCE_HZ // RATE_HZ).astype(np.float32)))
            kinds.append(kind)
            owners.append(len(names))
        names.append(name)
        places.append((lat, lon))
    progress(Progress("comparing all with all"))
    return _counted(prints, kinds, owners, names, np.array(places))


def _counted(
    prints: list[Fingerprint], kinds: list[str], owners: list[int], names: list[str], places: NDArray[np.float64]
) -> Table:
    found = same_recordings(prints)
    again = {kind: set[int]() for kind in kinds}
    alarms: set[tuple[int, int]] = set()
    for s in found:
        i, j = owners[s.a], owners[s.b]
        if i != j:
            alarms.add((min(i, j), max(i, j)))
        elif "as it is" in (kinds[s.a], kinds[s.b]):
            again[kinds[s.b] if kinds[s.a] == "as it is" else kinds[s.a]].add(i)
    a, b = np.triu_indices(len(names), 1)
    near = distance_km(places[a, 0], places[a, 1], places[b, 0], places[b, 1]) <= NEAR_KM
    close = {(int(x), int(y)) for x, y in zip(a[near], b[near], strict=True)}
    rows = tuple(Row(kind, kinds.count(kind), len(own)) for kind, own in again.items() if kind != "as it is")
    pairs = tuple(sorted((names[i], names[j]) for i, j in alarms))
    return Table(rows, len(a), len(alarms), len(close), len(alarms & close), pairs)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench ambience`."""
    parser.add_argument("--recordings", type=Path, default=None, metavar="DIR", help="recordings with a manifest.csv")
    parser.add_argument("--most", type=int, default=None, metavar="N", help="only the first N recordings")
    parser.add_argument("--seed", type=int, default=0)


def _say(progress: Progress) -> None:
    count = f" {progress.done:.0f} of {progress.total:.0f}" if progress.total else ""
    print(f"{progress.stage}{count}   ", end="\r", file=sys.stderr, flush=True)


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench ambience` and print its table."""
    table = measure(args.recordings or data_dir() / "recordings", args.seed, args.most, _say)
    print(f"{'copy':34} {'made':>5} {'found':>6}")
    for row in table.rows:
        print(f"{row.kind:34} {row.made:>5} {row.found / row.made:>6.0%}")
    kinds = len(table.rows) + 1
    print(f"{table.pairs:,} pairs of different recordings, {kinds * kinds} pairs of copies each: {table.alarms:,} taken for one;")
    print(f"of the {table.near:,} within {NEAR_KM:g} km of each other: {table.near_alarms:,}.")
    for a, b in table.named[:20]:
        print(f"  {a}  {b}")
    return 0
