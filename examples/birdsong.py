"""Bird songs made from their description with sines, so that no recording is needed.

Each function gives one phrase, mono float64 at RATE_HZ with a peak of 1, without room or distance; `outdoors` adds those.
Pitches and rhythms are what field guides describe and any spectrogram shows:

- Great Tit (Parus major), "tea-cher, tea-cher": a high short note and a lower one, about 6.0 and 4.1 kHz.
- Common Cuckoo (Cuculus canorus): two fluty notes a falling third apart, about 690 and 540 Hz.
- Black-capped Chickadee (Poecile atricapillus), "fee-bee": two whistles, about 4.0 and 3.45 kHz, the second with a dip.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

RATE_HZ = 48_000

Samples = NDArray[np.float64]


def tone(
    from_hz: float, to_hz: float, length_s: float, attack_s: float, release_s: float, harmonics: tuple[float, ...] = (1.0,)
) -> Samples:
    """A whistle that glides from one pitch to another with soft edges; harmonics are amplitudes of 1f, 2f, 3f…"""
    n = round(length_s * RATE_HZ)
    pitch_hz = np.linspace(from_hz, to_hz, n)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    wave = sum(a * np.sin((k + 1) * phase) for k, a in enumerate(harmonics))
    t = np.arange(n) / RATE_HZ
    rise = np.clip(t / attack_s, 0, 1)
    fall = np.clip((length_s - t) / release_s, 0, 1)
    return np.asarray(wave) * np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2


def silence(length_s: float) -> Samples:
    return np.zeros(round(length_s * RATE_HZ))


def great_tit(rng: np.random.Generator, pairs: int = 5) -> Samples:
    """ "Tea-cher" as often as asked for, about 0.4 s each."""
    parts = []
    for _ in range(pairs):
        drift = 1 + rng.normal(0, 0.004)
        high = tone(6050 * drift, 5950 * drift, 0.10, 0.012, 0.03, (1.0, 0.03))
        low = tone(4150 * drift, 4050 * drift, 0.14, 0.015, 0.05, (0.85, 0.05))
        parts += [high, silence(0.045), low, silence(0.11 + rng.uniform(0, 0.01))]
    return _peak_one(np.concatenate(parts))


def cuckoo(rng: np.random.Generator, calls: int = 3) -> Samples:
    """ "Cuck-oo" as often as asked for, one call every 1.3 s or so."""
    parts = []
    for _ in range(calls):
        drift = 1 + rng.normal(0, 0.004)
        first = tone(680 * drift, 695 * drift, 0.17, 0.03, 0.06, (1.0, 0.06, 0.02))
        second = tone(545 * drift, 535 * drift, 0.27, 0.05, 0.12, (0.9, 0.05, 0.015))
        parts += [first, silence(0.19), second, silence(0.62 + rng.uniform(0, 0.06))]
    return _peak_one(np.concatenate(parts))


def chickadee(rng: np.random.Generator, songs: int = 1) -> Samples:
    """ "Fee-bee" as often as asked for, about 1.2 s apart."""
    parts = []
    for _ in range(songs):
        drift = 1 + rng.normal(0, 0.004)
        fee = tone(4040 * drift, 3960 * drift, 0.38, 0.03, 0.06, (1.0, 0.01))
        bee = np.concatenate(
            [
                tone(3480 * drift, 3455 * drift, 0.18, 0.02, 0.035, (0.9, 0.01)),
                tone(3455 * drift, 3430 * drift, 0.24, 0.03, 0.09, (0.95, 0.01)),
            ]
        )
        parts += [fee, silence(0.11), bee, silence(1.1 + rng.uniform(0, 0.2))]
    return _peak_one(np.concatenate(parts))


def outdoors(phrase: Samples, rng: np.random.Generator, distance: float = 0.5) -> Samples:
    """The phrase heard across a distance of 0 (close) to 1 (far): echoes of the wood, less treble, less loud."""
    tail_s = 0.25 + 0.5 * distance
    t = np.arange(round(tail_s * RATE_HZ)) / RATE_HZ
    echo = rng.normal(0, 1, len(t)) * np.exp(-t / (0.05 + 0.09 * distance))
    echo *= (0.1 + 0.35 * distance) / np.sqrt(np.sum(echo**2))
    echo[0] += 1.0
    wet = fftconvolve(phrase, echo)
    air = butter(1, 14_000 - 6_000 * distance, "lowpass", fs=RATE_HZ, output="sos")
    return _peak_one(np.asarray(sosfilt(air, wet))) * (1 - 0.6 * distance)


def wind(length_s: float, rng: np.random.Generator, gusts_per_min: float = 8.0) -> Samples:
    """Wind in leaves: noise that falls with frequency and swells slowly, with an RMS of 1."""
    n = round(length_s * RATE_HZ)
    spectrum = np.fft.rfft(rng.normal(0, 1, n))
    f_hz = np.fft.rfftfreq(n, 1 / RATE_HZ)
    spectrum *= 1 / np.maximum(f_hz, 60.0) ** 0.9
    spectrum[f_hz < 40] = 0
    noise = np.fft.irfft(spectrum, n)
    t = np.arange(n) / RATE_HZ
    swell = np.ones(n)
    for k in range(1, 4):
        swell += 0.22 * np.sin(2 * np.pi * gusts_per_min / 60 * k * t / 1.7 + rng.uniform(0, 2 * np.pi))
    noise *= np.maximum(swell, 0.2)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))


def stereo(length_s: float, placed: list[tuple[float, Samples, float, float]], bed: Samples) -> NDArray[np.float32]:
    """Mix phrases over a bed.

    Args:
        placed: (start_s, phrase, gain, pan from -1 left to 1 right).
        bed: mono background, already at its level.

    Returns:
        (n, 2) float32 within -1..1.
    """
    n = round(length_s * RATE_HZ)
    out = np.zeros((n, 2))
    shift = round(0.011 * RATE_HZ)  # the two sides hear the same wind a moment apart, which sounds wide
    out[:, 0] = bed[:n]
    out[:, 1] = np.roll(bed[:n], shift)
    for start_s, phrase, gain, pan in placed:
        at = round(start_s * RATE_HZ)
        part = phrase[: max(0, n - at)] * gain
        angle = (pan + 1) * np.pi / 4
        out[at : at + len(part), 0] += part * np.cos(angle)
        out[at : at + len(part), 1] += part * np.sin(angle)
    fade = np.clip(np.minimum(np.arange(n), n - 1 - np.arange(n)) / (0.15 * RATE_HZ), 0, 1)[:, None]
    return np.clip(out * fade, -0.98, 0.98).astype(np.float32)


def _peak_one(wave: Samples) -> Samples:
    return wave / np.max(np.abs(wave))
