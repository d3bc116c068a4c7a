"""Labelled single sounds for acoustic atoms: which may be trained on, how they are split, and mixtures made of them.

A folder holds manifest.csv with columns id, file, label, source_recording, author, license. Clips are split by who recorded them:
all clips of an author, and all clips cut from one recording, are on one side. Only clips under CC0, public domain, CC BY, CC
BY-SA or ODbL may train a model that is shipped; clips under other terms serve measuring alone, where neither their author nor
their recording was trained on.

Training mixes levels, not waves: the power of a sum of unrelated sounds is the sum of their powers, give or take what
interference adds, which is drawn at random. That is a hundred times cheaper than mixing waves and analysing them again.
Measuring mixes waves.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import DataError
from engine.core.file import read_csv
from engine.core.paths import cache_dir
from engine.models import atoms

LEAST_SOURCES, LEAST_AUTHORS = 10, 5
GAINS_DB = (0.0, -3.0, -6.0, -9.0)  # of the sounds of a mixture that is measured, loudest first
_FREE = re.compile(r"^(CC0|Public Domain|PD\b|CC-BY-\d|CC-BY$|CC-BY-SA|ODbL)", re.IGNORECASE)
_LEAST_PEAK = 1e-4


@dataclass(frozen=True, slots=True)
class Sound:
    """One labelled clip: file, label, and who recorded it in which recording ("" where nobody says)."""

    id: str
    path: Path
    label: str
    source: str
    author: str
    licence: str

    @property
    def free(self) -> bool:
        """Whether a shipped model may be trained on it."""
        return bool(_FREE.match(self.licence)) and "not stated" not in self.licence


def read_sounds(folder: Path) -> tuple[Sound, ...]:
    """The clips of a folder's manifest, in its order.

    Raises:
        DataError: there is no manifest, it lacks a column, or names no clip.
    """
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        raise DataError(f"There is no manifest.csv in {folder}; give a folder of labelled sounds with --data.")
    held = read_csv(manifest, what="manifest")
    if not held:
        raise DataError(f"{manifest} names no clip; add some.")
    missing = {"id", "file", "label", "source_recording"} - held[0].keys()
    if missing:
        raise DataError(f"{manifest} lacks the columns {', '.join(sorted(missing))}; add them.")
    return tuple(
        Sound(
            row["id"],
            folder / row["file"],
            row["label"],
            row["source_recording"] or f"clip:{row['id']}",
            (row.get("author") or "").strip(),
            row.get("license") or "",
        )
        for row in held
    )


def trainable_labels(sounds: Iterable[Sound]) -> tuple[str, ...]:
    """Labels whose free clips come from LEAST_SOURCES recordings by LEAST_AUTHORS authors or more, in alphabetical order."""
    sources: dict[str, set[str]] = defaultdict(set)
    authors: dict[str, set[str]] = defaultdict(set)
    for s in sounds:
        if s.free:
            sources[s.label].add(s.source)
            if s.author:
                authors[s.label].add(s.author)
    return tuple(sorted(k for k in sources if len(sources[k]) >= LEAST_SOURCES and len(authors[k]) >= LEAST_AUTHORS))


def groups(sounds: Sequence[Sound]) -> NDArray[np.int64]:
    """(n,) a number for each clip: clips that share a recording or an author, directly or through others, share a number."""
    parent = list(range(len(sounds)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    seen: dict[tuple[str, str], int] = {}
    for i, s in enumerate(sounds):
        for key in (("source", s.source), ("author", s.author)):
            if key[1]:
                parent[root(i)] = root(seen.setdefault(key, i))
    return np.array([root(i) for i in range(len(sounds))])


@dataclass(frozen=True, slots=True)
class Split:
    """Clips to train on, to choose numbers by (validation) and to measure on; no author or recording on two sides."""

    train: tuple[Sound, ...]
    validation: tuple[Sound, ...]
    test: tuple[Sound, ...]


def split(sounds: Sequence[Sound], labels: Sequence[str], seed: int = 0, validation: float = 0.1, test: float = 0.2) -> Split:
    """Split the clips of these labels by author and recording, label by label as near to the shares as whole groups allow.

    Clips that are not free go to `test` where their group is not trained on, and nowhere else.
    """
    own = [s for s in sounds if s.label in labels]
    number = groups(own)
    rng = np.random.default_rng(seed)
    members: dict[int, list[Sound]] = defaultdict(list)
    for g, s in zip(number, own, strict=True):
        members[int(g)].append(s)
    free = {g: [s for s in m if s.free] for g, m in members.items()}
    total = {k: sum(s.label == k for m in free.values() for s in m) for k in labels}
    wanted = {"test": test, "validation": validation}
    held = {side: dict.fromkeys(labels, 0) for side in wanted}
    side_of: dict[int, str] = {}
    order = [g for g in rng.permutation(sorted(free)).tolist() if free[g]]
    for g in order:
        counts = {k: sum(s.label == k for s in free[g]) for k in {s.label for s in free[g]}}
        side_of[g] = "train"
        for side, share in wanted.items():
            # a group goes where every one of its labels still lacks clips, so that none of them is overdrawn
            if all(held[side][k] + n <= np.ceil(share * total[k]) for k, n in counts.items()):
                side_of[g] = side
                for k, n in counts.items():
                    held[side][k] += n
                break
    chosen: dict[str, list[Sound]] = {"train": [], "validation": [], "test": []}
    for g, side in side_of.items():
        chosen[side].extend(free[g])
    for g, m in members.items():
        if side_of.get(g, "test") == "test":
            chosen["test"].extend(s for s in m if not s.free)
    return Split(*(tuple(sorted(chosen[k], key=lambda s: s.id)) for k in ("train", "validation", "test")))


def unseen(sounds: Sequence[Sound], labels: Sequence[str], sources: Iterable[str], authors: Iterable[str]) -> tuple[Sound, ...]:
    """Clips of these labels of which neither recording nor author is among those given."""
    known_sources, known_authors = set(sources), set(authors)
    return tuple(s for s in sounds if s.label in labels and s.source not in known_sources and s.author not in known_authors)


def read_wave(path: Path) -> NDArray[np.float32]:
    """Mono samples (n,) at atoms.RATE_HZ.

    Raises:
        MediaError: the file cannot be read as sound.
    """
    from engine.media import open_clip

    with open_clip(path) as reader:
        blocks = [b.samples for b in reader.audio(atoms.RATE_HZ)]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def loudest(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """The loudest stretch of one window, at an RMS of 1 where it sounds; shorter sounds stay as short as they are."""
    size = atoms.WINDOW_SAMPLES
    if len(wave) > size:
        step = atoms.RATE_HZ // 10
        energy = np.concatenate([[0.0], np.cumsum(wave.astype(np.float64) ** 2)])
        starts = np.arange(0, len(wave) - size + 1, step)
        best = int(starts[np.argmax(energy[starts + size] - energy[starts])])
        wave = wave[best : best + size]
    return (wave / max(sounding_rms(wave), 1e-9)).astype(np.float32)


def sounding_rms(wave: NDArray[np.float32]) -> float:
    """RMS over the blocks of 32 ms that are within 30 dB of the loudest: how loud a sound is while it sounds."""
    block = 1024
    whole = np.pad(wave, (0, -len(wave) % block)).reshape(-1, block)
    power = (whole.astype(np.float64) ** 2).mean(axis=1)
    if not len(power) or power.max() <= 0:
        return 0.0
    return float(np.sqrt(power[power > 1e-3 * power.max()].mean()))


def waves(sounds: Sequence[Sound]) -> dict[str, NDArray[np.float32]]:
    """Loudest stretch of each clip by id, kept on disk; clips that hold nothing but silence are left out."""
    return _cached(sounds, "waves", np.float16)


def powers(sounds: Sequence[Sound]) -> dict[str, NDArray[np.float32]]:
    """Level grids (atoms.BANDS, frames) of power of whole clips by id, at an RMS of 1 where they sound, kept on disk."""
    return _cached(sounds, "powers", np.float32)


def _cached(sounds: Sequence[Sound], kind: str, dtype: type) -> dict[str, NDArray[np.float32]]:
    key = hashlib.sha256("\n".join([*(f"{s.path.resolve()} {s.path.stat().st_size}" for s in sounds), "1"]).encode()).hexdigest()
    folder = cache_dir() / "atoms"
    folder.mkdir(exist_ok=True)
    file = folder / f"{kind}-{key[:16]}.npz"
    if not file.is_file():
        made: dict[str, Any] = {}
        for s in sounds:
            wave = read_wave(s.path)
            if not len(wave) or np.abs(wave).max() < _LEAST_PEAK:
                continue
            held = loudest(wave) if kind == "waves" else atoms.power_grid(wave / sounding_rms(wave))
            made[s.id] = held.astype(dtype)
        temporary = file.with_suffix(".part.npz")
        np.savez(temporary, **made)
        temporary.replace(file)
    with np.load(file, allow_pickle=False) as data:
        return {k: data[k].astype(np.float32) for k in data.files}


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A mixture to be measured: labels loudest first, and the sounds in it, parts (n, WINDOW_SAMPLES), whose sum it is."""

    labels: tuple[str, ...]
    ids: tuple[str, ...]
    parts: NDArray[np.float32]

    @property
    def wave(self) -> NDArray[np.float32]:
        return self.parts.sum(axis=0)


def mixtures(
    sounds: Sequence[Sound], count: int, size: int, seed: int, gains_db: Sequence[float] = GAINS_DB
) -> tuple[Mixture, ...]:
    """Mixtures of `size` sounds of different labels, at gains_db, every label as often as any other.

    Raises:
        DataError: there are fewer labels than sounds in a mixture.
    """
    held = waves(sounds)
    by_label: dict[str, list[Sound]] = defaultdict(list)
    for s in sounds:
        if s.id in held:
            by_label[s.label].append(s)
    labels = sorted(by_label)
    if len(labels) < size:
        raise DataError(f"Mixtures of {size} need sounds of {size} labels, but there are {len(labels)}; add sounds.")
    rng = np.random.default_rng([seed, size])
    queue: list[str] = []
    made = []
    for _ in range(count):
        chosen: list[str] = []
        while len(chosen) < size:
            if not queue:
                queue = rng.permutation(labels).tolist()
            at = next((i for i, k in enumerate(queue) if k not in chosen), None)
            chosen.append(queue.pop(at) if at is not None else rng.choice([k for k in labels if k not in chosen]))
        rng.shuffle(chosen)
        picked = [by_label[k][rng.integers(len(by_label[k]))] for k in chosen]
        parts = np.zeros((size, atoms.WINDOW_SAMPLES), np.float32)
        for row, sound, gain in zip(parts, picked, gains_db, strict=False):
            wave = held[sound.id]
            at = int(rng.integers(atoms.WINDOW_SAMPLES - len(wave) + 1))
            row[at : at + len(wave)] = wave * 10.0 ** (gain / 20.0)
        made.append(Mixture(tuple(chosen), tuple(s.id for s in picked), parts * np.float32(0.1)))
    return tuple(made)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Mixtures to train on, as levels.

    Attributes:
        power: (batch, bands, frames) of the mixture.
        parts: (batch, most, bands, frames) power of each sound, loudest first; zeros where there are fewer.
        labels: (batch, most) index of each sound's label, -1 where there are fewer.
    """

    power: NDArray[np.float32]
    parts: NDArray[np.float32]
    labels: NDArray[np.int64]


class Mixer:
    """Makes mixtures to train on, each with sounds changed in pitch, tempo, colour and place."""

    MOST = 4

    def __init__(self, sounds: Sequence[Sound], labels: Sequence[str], seed: int) -> None:
        held = powers(sounds)
        self.grids: list[list[NDArray[np.float32]]] = [
            [held[s.id] for s in sounds if s.label == k and s.id in held] for k in labels
        ]
        if any(not g for g in self.grids):
            raise DataError("A label has no sound to train on; add sounds or leave the label out.")
        self.rng = np.random.default_rng(seed)

    def batch(self, size: int) -> Batch:
        """Mixtures of 1 to 4 sounds of different labels with random, falling gains (steps of 0 to 6 dB)."""
        rng = self.rng
        parts = np.zeros((size, self.MOST, atoms.BANDS, atoms.FRAMES), np.float32)
        labels = np.full((size, self.MOST), -1)
        for b in range(size):
            n = int(rng.choice([1, 2, 3, 4], p=[0.16, 0.24, 0.3, 0.3]))
            labels[b, :n] = rng.choice(len(self.grids), n, replace=False)
            gain_db = -np.concatenate([[0.0], rng.uniform(0.0, 6.0, n - 1)]).cumsum()
            for i in range(n):
                own = self.grids[labels[b, i]]
                parts[b, i] = self._varied(own[rng.integers(len(own))]) * 10.0 ** (gain_db[i] / 10.0)
        noise = 10.0 ** rng.uniform(-6.5, -3.0, (size, 1, 1)) * _tilts(rng, size)[:, :, None]
        power = parts.sum(axis=1) + noise.astype(np.float32)
        # interference: the mean over two frames and a band's bins of what crosses between the two loudest sounds of a point
        order = np.sort(parts, axis=1)
        crossing = 2.0 * np.sqrt(order[:, -1] * order[:, -2]) * rng.normal(0.0, 0.35, power.shape)
        return Batch(np.maximum(power + crossing, 0.02 * power).astype(np.float32), parts, labels)

    def _varied(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        rng = self.rng
        frames = atoms.FRAMES
        stretch = float(np.exp(rng.uniform(-0.22, 0.22)))
        shift = rng.uniform(-2.5, 2.5)
        size = max(1, round(grid.shape[1] * stretch))
        start = rng.integers(size - frames + 1) if size > frames else 0
        want = min(size, frames)
        at = np.clip((np.arange(start, start + want) / stretch).astype(int), 0, grid.shape[1] - 1)
        rows = np.clip(np.arange(atoms.BANDS) + shift, 0, atoms.BANDS - 1)
        low = rows.astype(int)
        part = (rows - low)[:, None].astype(np.float32)
        cut = grid[:, at]
        moved = cut[low] * (1 - part) + cut[np.minimum(low + 1, atoms.BANDS - 1)] * part
        moved *= _tilts(rng, 1)[0][:, None].astype(np.float32)
        out = np.zeros((atoms.BANDS, frames), np.float32)
        if want < frames and rng.random() < 0.3:  # short sounds recur
            gap = int(rng.integers(0, frames // 2))
            period = np.pad(moved, ((0, 0), (0, gap)))
            moved = np.tile(period, frames // period.shape[1] + 1)[:, :frames]
            want = moved.shape[1]
        where = rng.integers(frames - want + 1)
        out[:, where : where + want] = moved
        level = out.sum(axis=0)
        return out / max(float(level[level > 1e-3 * level.max()].mean()) if level.max() > 0 else 1.0, 1e-9) * _MEAN_LEVEL


def _tilts(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """(count, bands) random smooth colourings, about 4 dB."""
    x = np.linspace(-1.0, 1.0, atoms.BANDS)
    a = rng.normal(0.0, 1.0, (count, 3))
    db = 3.0 * a[:, :1] * x + 2.0 * a[:, 1:2] * np.cos(np.pi * x) + 1.5 * a[:, 2:] * np.sin(2 * np.pi * x)
    return 10.0 ** (db / 10.0)


_MEAN_LEVEL = np.float32(100.0)  # sum over bands of a sound's power while it sounds; only ratios matter
