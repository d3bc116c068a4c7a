"""Acoustic atoms: everyday sounds a clip is made of, and when each is heard.

Windows of 4 s are taken apart by `models.atoms`; each atom becomes an observation from the first to the last moment at which
its part sounds. The model knows some thirty labels and names the likest, so that below LEAST_CHANCE nothing is said; still, what
it was never taught may pass for what it was. Remarks on the soundtrack stand beside the atoms (`remarks`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.clues import length
from engine.clues.atoms.remarks import music_chance, remarks
from engine.clues.atoms.spec import SPEC
from engine.core.clip import Clip, Interval, Reader
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models.atoms import KERNELS, MODEL_ID, RATE_HZ, WINDOW_S, WINDOW_SAMPLES, Decomposition, decomposer

SHORT_CLIP_S = 60.0
LEAST_CHANCE = 0.4
LEAST_LEVEL_DB = -35.0  # of a part below its window's loudest, to be said to sound at all
_BATCH = 8  # twice as many take 85 MB more, and are next to no faster


class AtomsObserver:
    """Which everyday sounds a clip is made of."""

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
        for times_s, windows in batches(windows_of(reader, hop_s, interval, self.track)):
            for at_s, taken in zip(times_s, decomposer().decompose(windows), strict=True):
                found.extend(observations_of(taken, at_s))
            tonal.extend((t, music_chance(w)) for t, w in zip(times_s, windows, strict=True) if np.abs(w).max() > 1e-4)
            progress(Progress("taking the sound apart", times_s[-1] + hop_s - start_s, length_s, "s"))
        return (*found, *remarks(reader, interval, self.track, tonal, progress))


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
                clue=SPEC.name,
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


def batches(
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


def window_at(reader: Reader, at_s: float, track: int | None = None) -> tuple[float, NDArray[np.float32]]:
    """(start_s, samples at RATE_HZ) of one window from at_s on, filled with zeros at the clip's end.

    Raises:
        MediaError: the clip has no sound, or none that can be decoded.
    """
    blocks = [b.samples for b in reader.audio(RATE_HZ, Interval(at_s, at_s + WINDOW_S), track)]
    held = np.concatenate(blocks)[:WINDOW_SAMPLES] if blocks else np.zeros(0, np.float32)
    return at_s, np.pad(held, (0, WINDOW_SAMPLES - len(held)))
