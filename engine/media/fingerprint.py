"""A fingerprint of a soundtrack's ambience: which clips hold the same recording, whatever was said or played over it.

Peaks of the spectrogram that stand out in time and frequency are joined in pairs; a pair's two frequencies and the time between
them make a number that survives coding, gain, trimming and other sounds on top. Two clips that share a recording share many such
numbers at one and the same lag; two recordings of one place, or of one species, do not. After Wang 2003, "An industrial-strength
audio search algorithm", ISMIR, with every frequency measured against its own background, so that hum and surf make no peaks.

It does not survive a change of speed or pitch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.core.clip import Interval, Reader
from engine.core.errors import DataError, MediaError
from engine.core.progress import Progress, ProgressCallback, silent

METHOD = "landmarks-1"
RATE_HZ = 16_000
_SIZE, _HOP = 1024, 256
STEP_S = _HOP / RATE_HZ
_LOW, _HIGH = 16, 480  # bins: 250 Hz to 7.5 kHz
_NEAR_BINS, _NEAR_FRAMES = 12, 9
_PEAKS_PER_S = 14
_FAN = 4
_MOST_BINS, _LEAST_FRAMES, _MOST_FRAMES = 63, 3, 63
_CHUNK_S, _EDGE_S = 30.0, 1.0

# Chosen on 40 recordings (780 pairs): different ones share at most 3 marks at one lag, 10 s of the same one 8 and more.
LEAST_SHARED = 8
LEAST_SPAN_S = 2.0
LEAST_OVER_CHANCE = 3.0  # times what they share at any other lag
_MOST_OF_ONE = 64  # a number that occurs more often than this in an archive tells nothing


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """What is kept of one soundtrack.

    Attributes:
        marks: (n,) uint32, the numbers, in order of time.
        frames: (n,) uint32, when each begins, in steps of STEP_S from the clip's start.
    """

    marks: NDArray[np.uint32]
    frames: NDArray[np.uint32]

    def to_bytes(self) -> bytes:
        """Both arrays, little-endian, one after the other."""
        return self.marks.astype("<u4").tobytes() + self.frames.astype("<u4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Fingerprint:
        """The fingerprint of these bytes.

        Raises:
            DataError: they are none.
        """
        if len(data) % 8:
            raise DataError("A kept fingerprint is damaged; examine the clip again.")
        both = np.frombuffer(data, "<u4").reshape(2, -1).astype(np.uint32)
        return cls(both[0], both[1])


@dataclass(frozen=True, slots=True)
class SharedSound:
    """The same recording in two soundtracks.

    Attributes:
        a, b: which two, by their place in the list that was compared.
        lag_s: what is heard in a at t is heard in b at t + lag_s.
        start_s, end_s: of the interval in a from the first shared mark to the last.
        marks: how many marks they share at this lag.
        share: of the marks that a or b, whichever has fewer, has where they overlap.
    """

    a: int
    b: int
    lag_s: float
    start_s: float
    end_s: float
    marks: int
    share: float


def fingerprint(
    reader: Reader, interval: Interval | None = None, track: int | None = None, progress: ProgressCallback = silent
) -> Fingerprint:
    """The fingerprint of a clip's sound, from its file.

    Raises:
        MediaError: its sound cannot be decoded, or it has none.
    """
    if not any(s.decodable for s in reader.clip.audio_tracks):
        raise MediaError("The clip has no sound that can be decoded; there is nothing to be compared.")
    blocks = reader.audio(RATE_HZ, interval, track, block_s=_CHUNK_S)
    total = interval.end_s if interval else reader.clip.duration_s
    return of_blocks(((b.start_s, b.samples) for b in blocks), total, progress)


def of_samples(samples: NDArray[np.float32]) -> Fingerprint:
    """The fingerprint of mono samples (n,) at RATE_HZ."""
    return of_blocks([(0.0, samples)], None)


def of_blocks(
    blocks: Iterator[tuple[float, NDArray[np.float32]]] | Sequence[tuple[float, NDArray[np.float32]]],
    total_s: float | None,
    progress: ProgressCallback = silent,
) -> Fingerprint:
    """The fingerprint of sound that comes in blocks, each with its start in s."""
    times: list[NDArray[np.int64]] = []
    bins: list[NDArray[np.int64]] = []
    for first, samples in _chunks(iter(blocks)):
        t, f = _peaks(samples)
        core = (t >= _edge_frames()) | (first == 0)
        core &= t < len(samples) // _HOP - _edge_frames()
        times.append(t[core] + first)
        bins.append(f[core])
        progress(Progress("taking the ambience's fingerprint", first * STEP_S, total_s, "s"))
    if not times:
        return Fingerprint(np.zeros(0, np.uint32), np.zeros(0, np.uint32))
    t, f = np.concatenate(times), np.concatenate(bins)
    order = np.lexsort((f, t))
    return _marks(t[order], f[order])


def _edge_frames() -> int:
    return int(_EDGE_S * RATE_HZ) // _HOP


def _chunks(blocks: Iterator[tuple[float, NDArray[np.float32]]]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(first frame, samples): intervals of _CHUNK_S that overlap by twice the edge; gaps are kept as silence."""
    size, edge = int(_CHUNK_S * RATE_HZ) // _HOP * _HOP, _edge_frames() * _HOP
    held = np.zeros(0, np.float32)
    at: int | None = None  # sample number of held[0]
    for start_s, samples in blocks:
        start = round(start_s * RATE_HZ)
        if at is None:
            at = start // _HOP * _HOP
        gap = min(start - at - len(held), size)
        held = np.concatenate([held, np.zeros(max(0, gap), np.float32), samples])
        while len(held) >= size + 2 * edge:
            yield at // _HOP, held[: size + 2 * edge]
            held, at = held[size:], at + size
    if at is not None and len(held) >= _SIZE:
        yield at // _HOP, np.concatenate([held, np.zeros(edge + _HOP, np.float32)])


@cache
def _window() -> NDArray[np.float32]:
    return np.hanning(_SIZE).astype(np.float32)


def _peaks(samples: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(frames, bins) of what stands out from its neighbours and from its own frequency's background."""
    from scipy.ndimage import maximum_filter, uniform_filter1d

    if len(samples) < _SIZE:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _SIZE)[::_HOP] * _window()
    power = np.abs(np.fft.rfft(frames, axis=1)[:, _LOW:_HIGH]) ** 2
    floor = 1e-12 + 1e-6 * float(power.max(initial=0.0))
    level = np.log(power + floor).astype(np.float32)
    level -= uniform_filter1d(level, int(4.0 / STEP_S), axis=0, mode="nearest")
    top = maximum_filter(level, size=(2 * _NEAR_FRAMES + 1, 2 * _NEAR_BINS + 1), mode="nearest")
    t, f = np.nonzero((level == top) & (level > 1.5) & (power > 4 * floor))
    kept = _strongest(t, level[t, f])
    return t[kept], f[kept] + _LOW


def _strongest(t: NDArray[np.int64], level: NDArray[np.float32]) -> NDArray[np.int64]:
    """At most _PEAKS_PER_S of every second, so that loud intervals do not drown the others."""
    second = (t * STEP_S).astype(np.int64)
    order = np.lexsort((-level, second))
    rank = np.arange(len(order)) - np.searchsorted(second[order], second[order], side="left")
    return np.sort(order[rank < _PEAKS_PER_S])


def _marks(t: NDArray[np.int64], f: NDArray[np.int64]) -> Fingerprint:
    """Pairs of each peak with those that follow it nearest: (frequency, step in frequency, time between) as one number."""
    marks, frames = [], []
    taken = np.zeros(len(t), np.int64)
    for ahead in range(1, 4 * _PEAKS_PER_S):
        if ahead >= len(t):
            break
        dt, df = t[ahead:] - t[:-ahead], f[ahead:] - f[:-ahead]
        ok = (dt >= _LEAST_FRAMES) & (dt <= _MOST_FRAMES) & (np.abs(df) <= _MOST_BINS) & (taken[:-ahead] < _FAN)
        at = np.flatnonzero(ok)
        taken[at] += 1
        marks.append((f[at] << 13 | (df[at] + 64) << 6 | dt[at]).astype(np.uint32))
        frames.append(t[at].astype(np.uint32))
    if not marks:
        return Fingerprint(np.zeros(0, np.uint32), np.zeros(0, np.uint32))
    m, when = np.concatenate(marks), np.concatenate(frames)
    order = np.lexsort((m, when))
    return Fingerprint(m[order], when[order])


# --- comparing ----------------------------------------------------------------------------------------------------------


def same_recordings(prints: Sequence[Fingerprint]) -> tuple[SharedSound, ...]:
    """All pairs of soundtracks that share a recording, the longest first."""
    marks = np.concatenate([p.marks for p in prints]) if prints else np.zeros(0, np.uint32)
    if len(marks) == 0:
        return ()
    frames = np.concatenate([p.frames for p in prints]).astype(np.int64)
    owner = np.repeat(np.arange(len(prints)), [len(p.marks) for p in prints])
    order = np.argsort(marks, kind="stable")
    marks, frames, owner = marks[order], frames[order], owner[order]
    a, b, lag, at = _coincidences(marks, frames, owner)
    found = []
    for i, j, rows in _by_pair(a, b):
        best = _best_lag(i, j, lag[rows], at[rows], prints)
        if best is not None:
            found.append(best)
    return tuple(sorted(found, key=lambda s: -s.marks))


def _coincidences(
    marks: NDArray[np.uint32], frames: NDArray[np.int64], owner: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(a, b, lag, frame in a) for every mark that two different soundtracks have; a is before b in the list."""
    starts = np.flatnonzero(np.concatenate([[True], marks[1:] != marks[:-1]]))
    sizes = np.diff(np.append(starts, len(marks)))
    rare = np.repeat(sizes <= _MOST_OF_ONE, sizes)
    marks, frames, owner = marks[rare], frames[rare], owner[rare]
    parts: list[tuple[NDArray[np.int64], ...]] = []
    for step in range(1, _MOST_OF_ONE):
        if step >= len(marks):
            break
        x = np.flatnonzero(marks[step:] == marks[:-step])
        if len(x) == 0:
            break
        y = x + step
        differ = owner[x] != owner[y]
        x, y = x[differ], y[differ]
        turned = owner[x] > owner[y]
        x, y = np.where(turned, y, x), np.where(turned, x, y)
        parts.append((owner[x], owner[y], frames[y] - frames[x], frames[x]))
    if not parts:
        none = np.zeros(0, np.int64)
        return none, none, none, none
    a, b, lag, at = (np.concatenate(column) for column in zip(*parts, strict=True))
    return a, b, lag, at


def _by_pair(a: NDArray[np.int64], b: NDArray[np.int64]) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    order = np.lexsort((b, a))
    starts = np.flatnonzero(np.concatenate([[True], (a[order][1:] != a[order][:-1]) | (b[order][1:] != b[order][:-1])]))
    for rows in np.split(order, starts[1:]):
        if len(rows) >= LEAST_SHARED:
            yield int(a[rows[0]]), int(b[rows[0]]), rows


def _best_lag(i: int, j: int, lag: NDArray[np.int64], at: NDArray[np.int64], prints: Sequence[Fingerprint]) -> SharedSound | None:
    """The lag at which the two agree most, if that is more than chance and likeness explain."""
    values, counts = np.unique(lag, return_counts=True)
    near = counts + np.where(np.diff(values, append=values[-1] + 9) == 1, np.append(counts[1:], 0), 0)
    best = int(np.argmax(near))
    low = int(values[best])
    here = (lag == low) | (lag == low + 1)
    own = np.sort(at[here])
    shared = len(np.unique(own))
    elsewhere = np.abs(values - low) > 3
    other = int(near[elsewhere].max(initial=0))
    first, last = prints[i].frames, prints[j].frames
    start, end = max(int(first[0]), int(last[0]) - low), min(int(first[-1]), int(last[-1]) - low)
    in_a = int(((first >= start) & (first <= end)).sum())
    in_b = int(((last >= start + low) & (last <= end + low)).sum())
    share = shared / max(1, min(in_a, in_b))
    span_s = float(own[-1] - own[0]) * STEP_S
    if shared < LEAST_SHARED or span_s < LEAST_SPAN_S or shared < LEAST_OVER_CHANCE * other:
        return None
    return SharedSound(i, j, low * STEP_S, float(own[0]) * STEP_S, float(own[-1]) * STEP_S, shared, min(1.0, share))
