"""Acoustic atoms: everyday sounds a clip is made of, when each is heard, and what the soundtrack tells of how it was made.

Perceiving: windows of 4 s are taken apart by `nets.atoms`; each atom becomes an observation from the first to the last moment at
    which
its part sounds. The model knows some thirty labels and names the likest, so that below LEAST_CHANCE nothing is said; still, what
it was never taught may pass for what it was. Beside the atoms, remarks of kind "sound" on the soundtrack: digital silence,
passages copied within it, long reverberation, music, voice-over. Remarks are never scored.

Scoring: only when the analyst asks (`ClueSpec.votes`), and only for labels listed in assets/cues/atoms.csv, which
    says
where a sound is heard and where hardly, with sources and a factor of no more than 4. With c the best score of a label and f its
factor, a place where it is hardly heard gets (1 - c) + c / f, all others 1.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.clues import length
from engine.clues.atoms import soundtrack
from engine.clues.atoms.spec import SPEC
from engine.core.clip import AudioBlock, Clip, Frame, Interval, Reader
from engine.core.errors import DataError, WeightsError
from engine.core.evidence import Evidence
from engine.core.grid import WORLD_RESOLUTION, Grid
from engine.core.observation import Observation
from engine.core.paths import ASSETS
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import atoms
from engine.models.atoms import KERNELS as KERNELS
from engine.models.atoms import MODEL_ID, WINDOW_SAMPLES, Decomposition, Step, decomposer
from engine.models.atoms import RATE_HZ as RATE_HZ
from engine.models.atoms import WINDOW_S as WINDOW_S

__all__ = ["Decomposition", "Step", "decomposer"]  # what the page is handed

SHORT_CLIP_S = 60.0
LEAST_CHANCE = 0.4
LEAST_LEFT_OUT = 0.2  # chance of a step from which on an atom that is to be left out is taken out
LEAST_LEVEL_DB = -35.0  # of a part below its window's loudest, to be said to sound at all
MOST_EXAMINED_S = 1800.0  # of sound looked through for copies and remarks; it is held in memory
REMARK_MODEL = "soundtrack"
COPIED, SILENT, REVERB, MUSIC, VOICE = "copied passage", "digital silence", "long reverberation", "music", "voice-over"
_BATCH = 8  # twice as many take 85 MB more, and are next to no faster


@dataclass(frozen=True, slots=True)
class Cue:
    """A row of assets/cues/atoms.csv: where a sound is hardly heard, by how much, and who says so."""

    label: str
    where: str
    factor: float
    source: str


class AtomsClue:
    """Which everyday sounds a clip is made of."""

    spec = SPEC
    name, modality, reads = SPEC.name, SPEC.modality, SPEC.reads
    models = (MODEL_ID,)

    def __init__(self, track: int | None = None) -> None:
        self.track = track

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """Atoms in order of time, then remarks on the soundtrack.

        Raises:
            TooShortError: there is less than a second of sound.
            MediaError: the clip has no sound, or none that can be decoded.
            WeightsError: the weights are missing or damaged.
        """
        length.require(reader, interval, self.track)
        length_s = interval.length_s if interval else clip.duration_s
        start_s = interval.start_s if interval else 0.0
        hop_s = WINDOW_S / 2 if length_s is not None and length_s <= SHORT_CLIP_S else WINDOW_S
        found: list[Observation] = []
        tonal: list[tuple[float, float]] = []
        for times_s, windows in _batches(windows_of(reader, hop_s, interval, self.track)):
            for at_s, taken in zip(times_s, decomposer().decompose(windows), strict=True):
                found.extend(observations_of(taken, at_s))
            tonal.extend((t, music_chance(w)) for t, w in zip(times_s, windows, strict=True) if np.abs(w).max() > 1e-4)
            progress(Progress("taking the sound apart", times_s[-1] + hop_s - start_s, length_s, "s"))
        return (*found, *remarks(reader, interval, self.track, tonal, progress))

    def log_likelihood(self, observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
        """What the table says of the atoms heard, (cells,); abstains when it says nothing of any."""
        own = tuple(o for o in observations if o.clue == self.name)
        best: dict[str, float] = defaultdict(float)
        for o in own:
            if o.kind == "atom":
                best[o.label] = max(best[o.label], min(1.0, max(0.0, o.score)))
        total = np.zeros(len(grid))
        spoke = False
        for cue in cues():
            if cue.label in best:
                here = np.where(hardly(cue.where, grid), 1.0 / cue.factor, 1.0)
                total += np.log((1.0 - best[cue.label]) + best[cue.label] * here)
                spoke = True
        if not spoke:
            why = "no everyday sound that indicates a place was detected" if best else "no everyday sound was recognised"
            return Evidence.silent(self.name, self.modality, grid, why, own)
        return Evidence(self.name, self.modality, grid, total, own, models=self.models)


def observations_of(taken: Decomposition, at_s: float) -> tuple[Observation, ...]:
    """A window's atoms, each from the first to the last moment at which its part sounds."""
    peak = max((float(np.abs(s.wave).max()) for s in taken.steps), default=0.0)
    out = []
    for number, step in enumerate(taken.steps, 1):
        if step.chance < LEAST_CHANCE:
            continue
        block = RATE_HZ // 20
        level = np.sqrt((step.wave[: len(step.wave) // block * block].reshape(-1, block) ** 2).mean(axis=1))
        on = np.flatnonzero((level > 0.1 * level.max()) & (level > peak * 10.0 ** (LEAST_LEVEL_DB / 20.0)))
        if not len(on):
            continue
        out.append(
            Observation(
                clue=AtomsClue.name,
                kind="atom",
                label=step.label,
                score=step.chance,
                start_s=at_s + on[0] * block / RATE_HZ,
                end_s=at_s + (on[-1] + 1) * block / RATE_HZ,
                name=step.label,
                author=MODEL_ID,
                note=f"atom {number} of its window, kernel {step.kernel % KERNELS + 1}",
            )
        )
    return tuple(out)


def windows_of(
    reader: Reader, hop_s: float, interval: Interval | None = None, track: int | None = None
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """(start_s, (WINDOW_SAMPLES,)) one window after the other; the last is filled with zeros."""
    hop = round(hop_s * RATE_HZ)
    held = np.zeros(0, np.float32)
    at_s: float | None = None
    covered = False
    for block in reader.audio(RATE_HZ, interval, track):
        at_s = block.start_s if at_s is None else at_s
        held = np.concatenate([held, block.samples])
        while len(held) >= WINDOW_SAMPLES:
            yield at_s, held[:WINDOW_SAMPLES].copy()
            covered = True
            held, at_s = held[hop:], at_s + hop / RATE_HZ
    overlap = WINDOW_SAMPLES - hop if covered else 0
    if at_s is not None and len(held) > overlap + RATE_HZ // 10:
        yield at_s, np.pad(held, (0, WINDOW_SAMPLES - len(held)))


def _batches(
    windows: Iterator[tuple[float, NDArray[np.float32]]], size: int = _BATCH
) -> Iterator[tuple[list[float], NDArray[np.float32]]]:
    times: list[float] = []
    held: list[NDArray[np.float32]] = []
    for at_s, window in windows:
        times.append(at_s)
        held.append(window)
        if len(held) == size:
            yield times, np.stack(held)
            times, held = [], []
    if held:
        yield times, np.stack(held)


# --- remarks ------------------------------------------------------------------------------------------------------------


def remarks(
    reader: Reader,
    interval: Interval | None = None,
    track: int | None = None,
    tonal: Sequence[tuple[float, float]] = (),
    progress: ProgressCallback = silent,
) -> tuple[Observation, ...]:
    """What the soundtrack tells of how it was made; `tonal` holds (start_s, chance of music) of windows.

    Raises:
        MediaError: the clip has no sound, or none that can be decoded.
    """
    progress(Progress("listening for cuts and copies"))
    start_s = interval.start_s if interval else 0.0
    end_s = min(interval.end_s if interval else np.inf, start_s + MOST_EXAMINED_S)
    rate = soundtrack.COPY_RATE_HZ
    sought = Interval(start_s, end_s) if np.isfinite(end_s) else None
    blocks = []
    for block in reader.audio(rate, sought or interval, track):
        blocks.append(block.samples)
        if sum(map(len, blocks)) >= MOST_EXAMINED_S * rate:
            break
    if not blocks:
        return ()
    samples = np.concatenate(blocks)
    del blocks  # half an hour counts twice else
    end_s = start_s + len(samples) / rate
    found = [_remark(SILENT, s) for s in soundtrack.silences(samples, rate, start_s)]
    for c in soundtrack.copies(samples, rate):
        at_s = start_s + c.start_s + c.lag_s
        note = f"comes again sample by sample {c.lag_s:.2f} s later, at {at_s:.1f} s; likeness {c.likeness:.2f}"
        found.append(_remark(COPIED, soundtrack.Passage(start_s + c.start_s, start_s + c.end_s, min(1.0, c.likeness), note)))
    room = soundtrack.long_reverberation(samples[: 120 * rate], rate, start_s, min(end_s, start_s + 120))
    if room:
        found.append(_remark(REVERB, room))
    heard_to_s = end_s if len(samples) < MOST_EXAMINED_S * rate else np.inf  # the last window is filled up with zeros
    for s in _music_stretches(tonal):
        found.append(_remark(MUSIC, soundtrack.Passage(s.start_s, min(s.end_s, heard_to_s), s.strength, s.note)))
    spoken = _speech(samples, rate)
    over = soundtrack.voice_over(samples, rate, spoken)
    if over:
        shifted = soundtrack.Passage(start_s + over.start_s, start_s + over.end_s, over.strength, over.note)
        found.append(_remark(VOICE, shifted))
    return tuple(found)


def _remark(label: str, s: soundtrack.Passage) -> Observation:
    note = f"{s.note} (a remark, never scored)"
    return Observation(AtomsClue.name, "sound", label, s.strength, s.start_s, s.end_s, label, REMARK_MODEL, note=note)


def _speech(samples: NDArray[np.float32], rate_hz: int) -> list[tuple[float, float]]:
    """(start_s, end_s) of speech in the first minutes, or nothing where the voice detector is missing."""
    from engine.clues.speech.observe import runs, voice_detector
    from engine.models import voice

    some = samples[: int(120 * rate_hz)]
    double = np.repeat(some, voice.RATE_HZ // rate_hz)  # the detector hears nothing of what lies above 4 kHz anyway
    try:
        scores = np.concatenate([*voice_detector().scores([double]), np.zeros(0, np.float32)])
    except WeightsError:
        return []
    return [(a * voice.FRAME_S, b * voice.FRAME_S) for a, b in runs(scores)]


@cache
def _music_weights() -> NDArray[np.float64] | None:
    """(6,) weights and bias of `soundtrack.tonal_features`, or None where the file is missing."""
    file = atoms.FOLDER / "music.json"
    return np.array(json.loads(file.read_text(encoding="utf-8"))["weights"]) if file.is_file() else None


def music_chance(window: NDArray[np.float32]) -> float:
    """How likely a window at RATE_HZ is music, 0 to 1; 0 where the weights are missing."""
    weights = _music_weights()
    if weights is None:
        return 0.0
    z = float(soundtrack.tonal_features(window, RATE_HZ) @ weights[:-1] + weights[-1])
    return 1.0 / (1.0 + float(np.exp(-np.clip(z, -30, 30))))


def _music_stretches(tonal: Sequence[tuple[float, float]]) -> list[soundtrack.Passage]:
    """Runs of two windows or more (one, where there is only one) that are likely music."""
    out: list[soundtrack.Passage] = []
    run: list[tuple[float, float]] = []
    for at_s, chance in (*tonal, (np.inf, 0.0)):
        if chance >= 0.7:
            run.append((at_s, chance))
        else:
            if len(run) >= min(2, max(1, len(tonal))):
                strength = float(np.mean([c for _, c in run]))
                note = "sustained tones on a musical scale: music or an instrument"
                out.append(soundtrack.Passage(run[0][0], run[-1][0] + WINDOW_S, strength, note))
            run = []
    return out


# --- places -------------------------------------------------------------------------------------------------------------


@cache
def cues() -> tuple[Cue, ...]:
    """The table of what atoms say of places.

    Raises:
        DataError: it is missing.
    """
    path = ASSETS / "cues" / "atoms.csv"
    if not path.is_file():
        raise DataError(f"The table {path} is missing; get the program's assets again.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return tuple(Cue(r["label"], r["hardly"], float(r["factor"]), r["source"]) for r in rows)


def hardly(where: str, grid: Grid) -> NDArray[np.bool_]:
    """(cells,) places of a kind: "inland" (the world's cell touches no sea) or "beyond 60 degrees"."""
    if where == "inland":
        return ~_coastal(grid)
    if where == "beyond 60 degrees":
        return np.abs(grid.lat_lon_deg[0]) > 60.0
    raise DataError(f"The table of atoms names places of the kind {where!r}, which is unknown; correct the table.")


def _coastal(grid: Grid) -> NDArray[np.bool_]:
    parents = grid.parents(WORLD_RESOLUTION)
    cells = _coast()
    at = np.clip(np.searchsorted(cells, parents), 0, len(cells) - 1)
    out: NDArray[np.bool_] = cells[at] == parents
    return out


@cache
def _coast() -> NDArray[np.uint64]:
    """World cells, sorted, of which a corner or the centre lies at sea."""
    import h3.api.numpy_int as h3
    import shapely

    from engine.world.grid import world_grid
    from engine.world.land import polygons

    grid = world_grid()
    land = shapely.union_all([shapely.make_valid(shapely.Polygon(r[0], r[1:])) for r in polygons("coarse")])
    shapely.prepare(land)
    corners = [h3.cell_to_boundary(int(c)) for c in grid.cells]
    owner = np.repeat(np.arange(len(grid)), [len(c) for c in corners])
    at = np.array([p for c in corners for p in c])
    centre = np.stack(grid.lat_lon_deg, axis=1)
    owner, at = np.concatenate([owner, np.arange(len(grid))]), np.concatenate([at, centre])
    sea = ~shapely.contains_xy(land, (at[:, 1] + 180.0) % 360.0 - 180.0, at[:, 0])
    out: NDArray[np.uint64] = grid.cells[np.unique(owner[sea])]
    return out


# --- for the page -------------------------------------------------------------------------------------------------------


def kernel_wave(label: str, kernel: int, seconds: float = 1.5, seed: int = 0) -> NDArray[np.float32]:
    """A kernel made audible, (n,) at RATE_HZ: its levels, again and again, with phases that fit them.

    Nothing recorded is in it: levels from the dictionary, phases from noise, brought into agreement by Griffin and Lim 1984.
    """
    net = decomposer()
    levels = net.kernels[net.labels.index(label), kernel]
    times = max(1, round(seconds / (atoms.KERNEL_FRAMES * atoms.FRAME_S)))
    amplitude = np.tile(levels**2, (1, times))
    target = atoms.spread(amplitude[None], 2 * amplitude.shape[1])[0]
    rng = np.random.default_rng(seed)
    length = (len(target) - 1) * atoms.HOP
    phase = np.exp(2j * np.pi * rng.random(target.shape))
    wave = np.zeros(length, np.float32)
    for _ in range(24):
        wave = atoms.inverse((target * phase).astype(np.complex64), length)
        again = atoms.transform(wave)
        phase = again / np.maximum(np.abs(again), 1e-9)
    return (0.3 * wave / max(float(np.abs(wave).max()), 1e-9)).astype(np.float32)


def _less(window: NDArray[np.float32], masks: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """A window without what these masks take, and half as much again: what is left of a call still tells its species."""
    keep = np.clip(1.0 - 1.5 * np.sum(masks, axis=0), 0.0, 1.0).astype(np.float32)
    spectrum = atoms.transform(window)
    return atoms.inverse(spectrum * atoms.spread(keep[None], len(spectrum))[0], len(window))


class Without:
    """A reader whose sound lacks some atoms; its pictures are untouched. The sound ends at RATE_HZ / 2.

    Args:
        reader: what is read.
        labels: atoms to be taken out.
    """

    def __init__(self, reader: Reader, labels: Sequence[str]) -> None:
        self.clip = reader.clip
        self.skipped = reader.skipped
        self._reader, self._labels = reader, frozenset(labels)

    def audio(
        self, rate_hz: int, interval: Interval | None = None, track: int | None = None, block_s: float = 10.0
    ) -> Iterator[AudioBlock]:
        """As `Reader.audio`, window by window."""
        from scipy.signal import resample_poly

        for times_s, windows in _batches(windows_of(self._reader, WINDOW_S, interval, track)):
            apart = decomposer().decompose(windows, most=4, stopping=False) if self._labels else [None] * len(windows)
            for at_s, window, taken in zip(times_s, windows, apart, strict=True):
                steps = taken.steps if taken else ()
                out = [s.mask for s in steps if s.label in self._labels and s.chance >= LEAST_LEFT_OUT]
                left = _less(window, out) if out else window
                made = resample_poly(left, rate_hz, RATE_HZ) if rate_hz != RATE_HZ else left
                yield AudioBlock(at_s, rate_hz, np.clip(made, -1.0, 1.0).astype(np.float32))

    def frames(self, *args: Any, **kwargs: Any) -> Iterator[Frame]:
        """As `Reader.frames`."""
        return self._reader.frames(*args, **kwargs)

    def close(self) -> None:
        self._reader.close()


def heard_without(
    reader: Reader,
    labels: Sequence[str],
    interval: Interval | None = None,
    track: int | None = None,
    stride_s: float | None = None,
    progress: ProgressCallback = silent,
) -> tuple[Observation, ...]:
    """Species heard when some atoms are taken out of the sound; with no label, what the way through the model alone changes.

    Raises:
        MediaError: the clip has no sound, or none that can be decoded.
    """
    from engine.clues.species.observe import SpeciesObserver

    less: Any = Without(reader, labels)
    return SpeciesObserver(stride_s, track).observe(reader.clip, less, interval, progress)


def window_at(reader: Reader, at_s: float, track: int | None = None) -> tuple[float, NDArray[np.float32]]:
    """(start_s, samples at RATE_HZ) of one window from at_s on, filled with zeros at the clip's end.

    Raises:
        MediaError: the clip has no sound, or none that can be decoded.
    """
    blocks = [b.samples for b in reader.audio(RATE_HZ, Interval(at_s, at_s + WINDOW_S), track)]
    held = np.concatenate(blocks)[:WINDOW_SAMPLES] if blocks else np.zeros(0, np.float32)
    return at_s, np.pad(held, (0, WINDOW_SAMPLES - len(held)))


@dataclass(frozen=True, slots=True)
class Entry:
    """One label of the dictionary.

    Attributes:
        kernels: (KERNELS, BANDS, KERNEL_FRAMES) levels.
        excited: for each kernel, the recordings trained on that excite it most, as (recording, author, licence).
        places: (lat_deg, lon_deg, score) of field recordings of known place in which the label was heard.
        recordings: how many field recordings were looked through.
    """

    label: str
    kernels: NDArray[np.float32]
    excited: tuple[tuple[tuple[str, str, str], ...], ...]
    places: tuple[tuple[float, float, float], ...]
    recordings: int


@cache
def _dictionary() -> dict[str, Any]:
    file = atoms.FOLDER / "dictionary.json"
    held: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return held


def entry(label: str) -> Entry:
    """A label of the dictionary.

    Raises:
        WeightsError: the weights are missing.
        ValueError: there is no such label.
    """
    net = decomposer()
    dictionary = _dictionary()
    kernels = net.kernels[net.labels.index(label)]
    excited = dictionary.get("excited", {}).get(label, [])
    places = dictionary.get("places", {}).get(label, [])
    count = dictionary.get("recordings", 0)
    return Entry(
        label,
        kernels,
        tuple(tuple((str(a), str(b), str(c)) for a, b, c in rows) for rows in excited),
        tuple((float(a), float(b), float(c)) for a, b, c in places),
        int(count),
    )
