"""How a soundtrack was made: digital silence, passages copied from one place to another, long reverberation, music, voice-over.

Nothing here says where a clip is from; it says how much of the sound may be trusted to be from there. Plain signal processing,
each with its measure stated, and no opinion of why it is so: an editor hides a cough with the same copy that a forger uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

COPY_RATE_HZ = 8000
LEAST_COPY_S = 1.0
LEAST_LAG_S = 1.0
_BLOCK_S = 0.25
_LIKENESS = 0.5  # of whitened samples; a codec leaves 0.7 to 1, anything else less than 0.2
_MOST_LAGS = 12
_WHOLE = 1 << 21  # samples that are correlated in one go; more of them block by block, which takes a third of the memory
_CHUNK = 1024  # frames, or blocks of 0.25 s, looked at together
_LEAST_SILENCE_S = 0.1
_SILENCE = 1.0e-5  # -100 dBFS, below the last bit of a 16 bit file
_LEAST_DECAYS = 5
_LONG_RT_S = 0.7


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage with a remark: times in s, a strength 0 to 1."""

    start_s: float
    end_s: float
    strength: float
    note: str


def silences(samples: NDArray[np.float32], rate_hz: int, start_s: float = 0.0) -> tuple[Passage, ...]:
    """Runs of nothing at all (below -100 dBFS) of at least 0.1 s: no microphone is that quiet."""
    quiet = np.abs(samples) <= _SILENCE
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.view(np.int8), [0]])))
    return tuple(
        Passage(start_s + float(a) / rate_hz, start_s + float(b) / rate_hz, 1.0, "below -100 dBFS, quieter than any microphone")
        for a, b in edges.reshape(-1, 2)
        if b - a >= _LEAST_SILENCE_S * rate_hz
    )


@dataclass(frozen=True, slots=True)
class Copy:
    """The sound from start_s to end_s comes again, sample by sample, lag_s later; likeness is their correlation, whitened."""

    start_s: float
    end_s: float
    lag_s: float
    likeness: float


def copies(samples: NDArray[np.float32], rate_hz: int = COPY_RATE_HZ) -> tuple[Copy, ...]:
    """Stretches of at least LEAST_COPY_S that occur again, LEAST_LAG_S later or more.

    The spectrum is flattened first, so that every frequency counts alike and steady sounds (hum, surf) don't resemble themselves.
    The autocorrelation of the whole then peaks at the lags of copies; at each such lag blocks of 0.25 s are compared. Nature
    never repeats itself sample by sample. A tone does, at many lags at once: a lag counts only where it stands out from those
    around it.

    Args:
        samples: (n,) mono at rate_hz, 8 kHz by default.
    """
    if len(samples) < rate_hz * (LEAST_LAG_S + LEAST_COPY_S):
        return ()
    white = whitened(samples)
    found: list[Copy] = []
    for lag in _lags(white, rate_hz):
        found.extend(_copies_at(white, lag, rate_hz))
    kept: list[Copy] = []
    for c in sorted(
        found, key=lambda c: -(c.end_s - c.start_s)
    ):  # the longest tells of an interval; a lag beside it tells the same
        if not any(_same(c, k) for k in kept):
            kept.append(c)
    return tuple(sorted(kept, key=lambda c: c.start_s))


def _same(a: Copy, b: Copy) -> bool:
    shared = min(a.end_s, b.end_s) - max(a.start_s, b.start_s)
    return abs(a.lag_s - b.lag_s) < 0.01 and shared > 0.5 * (a.end_s - a.start_s)


def whitened(samples: NDArray[np.float32], size: int = 1024) -> NDArray[np.float32]:
    """Samples with the magnitude of every point of the transform set to one, times how far it stands above silence."""
    x = samples.astype(np.float32)
    hop = size // 2
    padded = np.pad(x, (hop, hop + -len(x) % hop + hop))
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size).astype(np.float32)
    out = np.zeros(len(padded), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    for at in range(0, len(frames), _CHUNK):
        spectrum = np.fft.rfft(frames[at : at + _CHUNK] * window, axis=1)
        level = np.abs(spectrum)
        spectrum *= 1.0 / (level + 1e-4)
        made = np.fft.irfft(spectrum, size, axis=1).astype(np.float32) * window
        for i, frame in enumerate(made):
            start = (at + i) * hop
            out[start : start + size] += frame
    return out[hop : hop + len(x)]


def _lags(white: NDArray[np.float32], rate_hz: int) -> list[int]:
    """Lags in samples at which the whole resembles itself, best first."""
    n = len(white)
    auto = _autocorrelation(white)[: n - int(LEAST_COPY_S * rate_hz)]
    # in units of what chance gives: n - lag products of unit variance, if the samples were noise
    power = float(np.mean(white**2)) or 1.0
    chance = np.arange(n, n - len(auto), -1, dtype=np.float32)
    np.sqrt(chance, out=chance)
    auto /= chance
    auto /= power
    first = int(LEAST_LAG_S * rate_hz)
    auto[:first] = 0.0
    found: list[int] = []
    guard = rate_hz // 200
    for _ in range(_MOST_LAGS):
        best = int(np.argmax(auto))
        if auto[best] < 7.0:
            break
        found.append(best)
        auto[max(0, best - guard) : best + guard] = 0.0
    return found


def _autocorrelation(white: NDArray[np.float32], whole: int = _WHOLE) -> NDArray[np.float32]:
    """(n,) sums of products of samples so far apart, in single precision; up to `whole` samples in one go."""
    n = len(white)
    if n <= whole:
        size = 1 << int(np.ceil(np.log2(2 * n)))
        spectrum = fft.rfft(white, size)
        return np.asarray(fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[:n])
    length = whole // 2
    parts = [fft.rfft(white[at : at + length], 2 * length) for at in range(0, n, length)]
    auto = np.zeros((len(parts) + 1) * length, np.float32)
    for apart in range(len(parts)):
        total = np.zeros_like(parts[0])
        for a, b in zip(parts, parts[apart:], strict=False):
            total += a.conj() * b
        made = fft.irfft(total, 2 * length)
        at = apart * length
        auto[at : at + length] += made[:length]
        if apart:  # the second of two blocks may also come up to a block sooner
            auto[at - length : at] += made[length:]
    return auto[:n]


def _copies_at(white: NDArray[np.float32], lag: int, rate_hz: int) -> list[Copy]:
    block = int(_BLOCK_S * rate_hz)
    count = (len(white) - lag) // block
    if count < 1:
        return []
    a = white[: count * block].reshape(count, block)
    likeness = np.zeros((count, 3))
    near = (-2, -1, 0, 1, 2)
    away = tuple(int(s * rate_hz) for s in (-0.021, -0.0133, -0.0071, -0.0033, 0.0033, 0.0071, 0.0133, 0.021))
    likeness[:, 0] = np.max([_correlation(a, white, lag + d, block) for d in near], axis=0)
    likeness[:, 1] = np.max([np.abs(_correlation(a, white, lag + d, block)) for d in away], axis=0)
    energy = np.concatenate([(a[at : at + _CHUNK] ** 2).mean(axis=1) for at in range(0, count, _CHUNK)])
    on = (likeness[:, 0] > _LIKENESS) & (likeness[:, 0] > 2.0 * likeness[:, 1]) & (energy > 0.05 * np.median(energy) + 1e-9)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.view(np.int8), [0]])))
    return [
        Copy(float(i) * block / rate_hz, float(j) * block / rate_hz, lag / rate_hz, float(likeness[i:j, 0].mean()))
        for i, j in edges.reshape(-1, 2)
        if (j - i) * block >= LEAST_COPY_S * rate_hz
    ]


def _correlation(a: NDArray[np.float32], white: NDArray[np.float32], lag: int, block: int) -> NDArray[np.float32]:
    """(blocks,) normalised correlation of each block with the samples `lag` later; 0 where they run out."""
    found = []
    for at in range(0, len(a), _CHUNK):
        x = a[at : at + _CHUNK]
        first = lag + at * block
        other = white[first : first + x.size]
        if len(other) < x.size:
            other = np.pad(other, (0, x.size - len(other)))
        y = other.reshape(x.shape)
        scale = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
        found.append((x * y).sum(axis=1) / np.maximum(scale, 1e-9))
    return np.concatenate(found)


def reverberation_s(samples: NDArray[np.float32], rate_hz: int) -> float | None:
    """The time in which sounds die away by 60 dB, from how the fastest of them do; None where too few stop suddenly.

    Free decays of at least 15 dB in bands from 500 Hz to 4 kHz; a room cannot be quieter sooner than its reverberation lets it,
    so the fastest fifth tells of the room, the others of sounds that fade by themselves. After Ratnam et al. 2003, "Blind
    estimation of reverberation time", whose maximum likelihood is replaced by straight lines.
    """
    from scipy.signal import butter, sosfiltfilt

    hop = max(1, rate_hz // 100)
    times: list[float] = []
    for low in (500.0, 1000.0, 2000.0):
        high = min(2 * low, 0.45 * rate_hz)
        if high <= low or len(samples) < rate_hz:
            continue
        band = sosfiltfilt(butter(4, (low, high), "band", fs=rate_hz, output="sos"), samples.astype(np.float64))
        power = band[: len(band) // hop * hop].reshape(-1, hop)
        db = 10.0 * np.log10((power**2).mean(axis=1) + 1e-12)
        db = np.convolve(np.pad(db, 1, mode="edge"), np.full(3, 1 / 3), "valid")
        times.extend(_decays(db, 0.01))
    if len(times) < _LEAST_DECAYS:
        return None
    return float(np.quantile(times, 0.2))


def _decays(db: NDArray[np.float64], step_s: float) -> list[float]:
    """Times to fall by 60 dB of every run that falls steadily by 15 dB or more, its first and last 3 dB left out."""
    found = []
    floor = float(np.quantile(db, 0.05)) + 3.0
    at = 0
    while at < len(db) - 1:
        end, low = at, db[at]
        while end + 1 < len(db) and db[end + 1] < low + 1.0 and db[end + 1] > floor:
            end += 1
            low = min(low, db[end])
        if db[at] - low >= 15.0:
            run = db[at : end + 1]
            use = np.flatnonzero((run <= run[0] - 3.0) & (run >= low + 3.0))
            if len(use) >= 4:
                slope, offset = np.polyfit(use * step_s, run[use], 1)
                bent = np.abs(run[use] - (slope * use * step_s + offset)).mean()
                if slope < -8.0 and bent < 2.5:
                    found.append(-60.0 / slope)
        at = max(end, at + 1)
    return found


def tonal_features(window: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """(5,) of a few seconds: share of power in tones that last, how many last at once, how well they lie on a tuned scale, how
    regular the onsets are, and the log of how flat the spectrum is."""
    size, hop = 4096 * rate_hz // 32_000, rate_hz // 20
    if len(window) < 2 * size:
        window = np.pad(window, (0, 2 * size - len(window)))
    frames = np.lib.stride_tricks.sliding_window_view(window, size)[::hop] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 + 1e-12
    hz = np.fft.rfftfreq(size, 1.0 / rate_hz)
    use = (hz > 80.0) & (hz < 5000.0)
    power, hz = power[:, use], hz[use]
    peak = np.zeros(power.shape, dtype=bool)
    peak[:, 1:-1] = (power[:, 1:-1] > power[:, :-2]) & (power[:, 1:-1] >= power[:, 2:])
    around = np.stack([np.roll(power, s, axis=1) for s in (-12, -9, -6, 6, 9, 12)]).mean(axis=0)
    peak &= power > 10.0 * around
    wide = peak | np.roll(peak, 1, axis=1) | np.roll(peak, -1, axis=1)
    steady = peak.copy()
    for d in range(1, 5):  # there 0.2 s before
        steady[d:] &= wide[:-d]
    steady[:4] = False
    loud = power.sum(axis=1)
    share = float((power * steady).sum() / power.sum())
    count = float(np.average(steady.sum(axis=1), weights=loud))
    tones = np.nonzero(steady)
    if len(tones[0]) >= 4:
        weight = np.sqrt(power[tones])
        # between bins by a parabola through the logarithms
        c = tones[1].clip(1, power.shape[1] - 2)
        y0, y1, y2 = (np.log(power[tones[0], c + s]) for s in (-1, 0, 1))
        shift = np.clip(0.5 * (y0 - y2) / np.minimum(y0 - 2 * y1 + y2, -1e-9), -0.5, 0.5)
        exact = hz[c] + shift * (hz[1] - hz[0])
        on_scale = float(np.abs((weight * np.exp(2j * np.pi * 12 * np.log2(exact / 440.0))).sum()) / weight.sum())
    else:
        on_scale = 0.0
    rise = np.maximum(np.diff(np.log(power), axis=0), 0.0).mean(axis=1)
    rise = rise - rise.mean()
    auto = np.correlate(rise, rise, "full")[len(rise) - 1 :]
    lags = auto[5:31] / max(float(auto[0]), 1e-9)
    flat = float(np.mean(np.log(power)) - np.log(np.mean(power)))
    return np.array([share, np.log1p(count), on_scale, float(lags.max()) if len(lags) else 0.0, flat / 10.0])


def voice_over(samples: NDArray[np.float32], rate_hz: int, speech: Sequence[tuple[float, float]]) -> Passage | None:
    """Speech that stands far above a background which goes on beneath it, as when it was spoken into a microphone elsewhere.

    Args:
        speech: (start_s, end_s) of passages of speech, from the first sample.

    Returns:
        From the first speech to the last, when in the median interval speech is 25 dB or more above the quiet frames in and
        around it, and those are no digital silence; None otherwise.
    """
    hop = rate_hz // 50
    samples = samples[: (int(max((end_s for _, end_s in speech), default=0.0) * 50) + 51) * hop]  # nothing later is asked for
    power = (samples[: len(samples) // hop * hop].reshape(-1, hop).astype(np.float64) ** 2).mean(axis=1)
    above = []
    for start_s, end_s in speech:
        own = power[int(start_s * 50) : int(end_s * 50)]
        near = power[max(0, int(start_s * 50) - 50) : int(end_s * 50) + 50]
        if end_s - start_s < 1.0 or len(own) < 25 or len(near) < 60:
            continue
        quiet = float(np.quantile(near, 0.1))
        if quiet > 1e-8:  # -80 dBFS: there is a background
            above.append(10.0 * np.log10(max(float(np.quantile(own, 0.7)), 1e-12) / quiet))
    if not above or float(np.median(above)) < 25.0:
        return None
    db = float(np.median(above))
    note = f"speech {db:.0f} dB above a continuous background: spoken close to the microphone, as in a voice-over"
    return Passage(min(s for s, _ in speech), max(e for _, e in speech), min(1.0, (db - 15.0) / 30.0), note)


def long_reverberation(samples: NDArray[np.float32], rate_hz: int, start_s: float, end_s: float) -> Passage | None:
    """The whole interval, when sounds in it take long to die away."""
    found = reverberation_s(samples, rate_hz)
    if found is None or found < _LONG_RT_S:
        return None
    note = f"sounds take {found:.1f} s to decay by 60 dB: a large or hard room, a tunnel or an effect, hardly the open air"
    return Passage(start_s, end_s, min(1.0, found / 3.0), note)
