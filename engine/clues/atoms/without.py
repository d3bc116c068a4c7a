"""The sound of a clip without some of its atoms, and which species are heard in what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.clues.atoms.observe import batches, windows_of
from engine.core.clip import AudioBlock, Frame, Interval, Reader
from engine.core.observation import Observation
from engine.core.progress import ProgressCallback, silent
from engine.models import atoms
from engine.models.atoms import RATE_HZ, WINDOW_S, decomposer

LEAST_LEFT_OUT = 0.2  # chance of a step from which on an atom that is to be left out is taken out


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

        for times_s, windows in batches(windows_of(self._reader, WINDOW_S, interval, track)):
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
