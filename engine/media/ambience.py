"""The background of a track: what is heard when nothing happens. It changes where the place does, or where sound was laid over.

Each step's level in a band is a low quantile of its short frames' levels, so that calls, words and knocks fall out and wind,
traffic, surf, room and the microphone's own noise remain (minimum statistics, Martin 2001, in its simplest form).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.core.clip import Ambience, Interval, Reader
from engine.core.progress import Progress, ProgressCallback, silent

RATE_HZ = 16_000
STEP_S = 1.0
BANDS = 16
QUIET = 0.2  # quantile of a step's frames
FLOOR_DB = -100.0
_FRAME = 1024
_LOW_HZ, _HIGH_HZ = 60.0, 7500.0


def ambience(
    reader: Reader, interval: Interval | None = None, track: int | None = None, progress: ProgressCallback = silent
) -> Ambience | None:
    """Levels of the background of an interval in BANDS bands from 60 Hz to 7.5 kHz, evenly spaced by logarithm.

    Returns:
        None when the interval holds less than a step of sound.

    Raises:
        MediaError: the clip has no sound, or none that can be decoded.
    """
    rows: list[NDArray[np.float32]] = []
    held = np.zeros(0, np.float32)
    start_s: float | None = None
    size = round(STEP_S * RATE_HZ)
    length_s = interval.length_s if interval else reader.clip.duration_s
    for block in reader.audio(RATE_HZ, interval, track):
        start_s = block.start_s if start_s is None else start_s
        held = np.concatenate([held, block.samples])
        steps = len(held) // size
        if steps:
            rows.append(_levels(held[: steps * size].reshape(steps, size)))
            held = held[steps * size :]
        progress(Progress("listening to the background", block.start_s - start_s, length_s, "s"))
    if start_s is None or not rows:
        return None
    return Ambience(start_s, STEP_S, np.concatenate(rows))


def _levels(steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, samples) to (n, BANDS) dB."""
    frames = steps[:, : steps.shape[1] // _FRAME * _FRAME].reshape(len(steps), -1, _FRAME)
    power = np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=2)) ** 2 / _FRAME
    hz = np.fft.rfftfreq(_FRAME, 1 / RATE_HZ)
    edges = np.geomspace(_LOW_HZ, _HIGH_HZ, BANDS + 1)
    bands = np.stack([power[:, :, (hz >= a) & (hz < b)].sum(axis=2) for a, b in pairwise(edges)], axis=2)
    quiet = np.quantile(bands, QUIET, axis=1)
    return np.asarray(10.0 * np.log10(np.maximum(quiet, 10.0 ** (FLOOR_DB / 10.0))), dtype=np.float32)
