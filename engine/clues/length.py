"""How much sound there has to be before a clue that names sounds says anything."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.core.clip import Interval, Reader
from engine.core.errors import TooShortError

LEAST_S = 1.0  # a model that names sounds always names one, were it of a tenth of a second filled up with zeros
SILENCE = 1e-5  # peak amplitude of what is digital silence (-100 dBFS)
_RATE_HZ = 8000
_PIECE_S = 0.01


def sounding_s(samples: NDArray[np.float32], rate_hz: int) -> float:
    """Seconds of samples (n,) that are more than digital silence, counted in pieces of 10 ms."""
    size = max(1, round(_PIECE_S * rate_hz))
    whole = len(samples) // size * size
    loud = np.abs(samples) > SILENCE
    pieces = int(loud[:whole].reshape(-1, size).any(axis=1).sum()) * size
    return (pieces + (len(samples) - whole if loud[whole:].any() else 0)) / rate_hz


def require(reader: Reader, interval: Interval | None = None, track: int | None = None) -> None:
    """Make sure that there is LEAST_S of sound; no more of it is read than has to be.

    Raises:
        TooShortError: there is less; the text says how much.
        MediaError: the clip has no sound, or none that can be decoded.
    """
    start_s = interval.start_s if interval else 0.0
    end_s = min(interval.end_s if interval else np.inf, start_s + 1.5 * LEAST_S)
    for part in (Interval(start_s, end_s), interval):
        length_s = heard_s = 0.0
        for block in reader.audio(_RATE_HZ, part, track):
            length_s += len(block.samples) / block.rate_hz
            heard_s += sounding_s(block.samples, block.rate_hz)
        if heard_s >= LEAST_S:
            return
    if length_s < LEAST_S:
        raise TooShortError(f"the sound lasts {_shown(length_s)} s; at least {LEAST_S:g} s is needed")
    if heard_s > 0.0:
        raise TooShortError(f"all but {_shown(heard_s)} s of the sound is digital silence; at least {LEAST_S:g} s is needed")


def _shown(length_s: float) -> str:
    """Seconds to the millisecond, rounded down: 0.9996 s is not the second that is asked for."""
    return f"{math.floor(length_s * 1000.0 + 1e-6) / 1000.0:g}"
