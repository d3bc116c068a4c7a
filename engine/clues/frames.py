"""Which frames the clues look at that see the picture as a whole, and the vectors they make of them."""

from __future__ import annotations

from collections.abc import Callable

from engine.core.clip import Interval, Reader
from engine.core.modality import Modality
from engine.core.spec import Chosen, Kind

STEP_S = 4.0
MOST_FRAMES = 64

TimesOf = Callable[[Reader, Interval], list[float]]
"""Which frames of an interval to look at, by their times."""

EMBEDDING = Kind("embedding", "vector of a frame", "Vectors of frames", Modality.PICTURE, listed=False, tiered=False)


def evenly(reader: Reader, interval: Interval) -> list[float]:
    """Times of frames, one every STEP_S and at most MOST_FRAMES."""
    step = max(STEP_S, interval.length_s / MOST_FRAMES)
    return [interval.start_s + step * (i + 0.5) for i in range(max(1, int(interval.length_s / step)))]


def times_of(chosen: Chosen) -> TimesOf | None:
    """The frames chosen for all clues, or None: each takes some of its own."""
    return (lambda _reader, _interval: list(chosen.frames_s)) if chosen.frames_s else None
