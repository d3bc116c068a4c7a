"""Copies of recordings as they come in films: under speech or music, through AAC, low-passed.

Speech and music are synthesised here with a seed, so that the same numbers come out on every machine: speech as pulses through
moving formants with syllables and pauses, music as a chord progression of decaying partials over a drum.
"""

from __future__ import annotations

import io
import zlib

import av
import numpy as np
from numpy.typing import NDArray
from scipy import signal

from engine.core.errors import SettingError

Samples = NDArray[np.float32]

KINDS = ("speech", "music", "aac", "lowpass")
LOWPASS_HZ = 6_000.0
AAC_BITS_PER_S = 64_000

# Formants in Hz of vowels as means of male speakers; source: Peterson & Barney 1952, table II.
_VOWELS = (
    (270, 2290, 3010),
    (390, 1990, 2550),
    (530, 1840, 2480),
    (660, 1720, 2410),
    (730, 1090, 2440),
    (570, 840, 2410),
    (300, 870, 2240),
)


def seed_of(name: str, seed: int) -> int:
    """A seed for one recording, the same on every machine."""
    return zlib.crc32(f"{name}/{seed}".encode())


def speech(n: int, rate_hz: int, seed: int) -> Samples:
    """Synthetic running speech, (n,) with RMS 1 while it sounds."""
    rng = np.random.default_rng(seed)
    out = np.zeros(n)
    at = 0
    while at < n:
        for _ in range(rng.integers(4, 12)):  # a phrase of syllables
            length = int(rate_hz * rng.uniform(0.12, 0.28))
            pitch_hz = rng.uniform(95, 220) * np.linspace(1.05, 0.92, length)
            phase = np.cumsum(pitch_hz) / rate_hz
            pulses = np.diff(np.floor(phase), prepend=0.0)
            noise = rng.standard_normal(length) * 0.04
            if rng.random() < 0.3:  # a fricative before the vowel
                edge = length // 3
                hiss = signal.sosfilt(
                    signal.butter(2, [3000, 9000], "bandpass", fs=rate_hz, output="sos"), rng.standard_normal(edge)
                )
                noise[:edge] += 0.5 * hiss
            sound = np.zeros(length)
            for k, formant_hz in enumerate(_VOWELS[rng.integers(len(_VOWELS))]):
                b, a = signal.iirpeak(formant_hz, formant_hz / (80.0 + 40.0 * k), fs=rate_hz)
                sound += signal.lfilter(b, a, pulses) / (k + 1)
            sound = sound / (np.abs(sound).max() + 1e-9) + noise
            sound *= np.hanning(length) ** 0.5
            end = min(n, at + length)
            out[at:end] += sound[: end - at]
            at += int(length * rng.uniform(0.9, 1.1))
            if at >= n:
                break
        at += int(rate_hz * rng.uniform(0.15, 0.8))
    return _unit(out)


def music(n: int, rate_hz: int, seed: int) -> Samples:
    """Synthetic music, (n,) with RMS 1."""
    rng = np.random.default_rng(seed)
    out = np.zeros(n)
    root_hz = 110.0 * 2 ** (rng.integers(0, 12) / 12)
    beat = int(rate_hz * 60.0 / rng.uniform(80, 140))
    for i, at in enumerate(range(0, n, beat)):
        if i % 4 == 0:
            degree = rng.choice([0, 5, 7, 9])
        length = min(2 * beat, n - at)
        t = np.arange(length) / rate_hz
        for step in (0, 4 if degree != 9 else 3, 7, 12):
            f = root_hz * 2 ** ((degree + step) / 12)
            for partial in range(1, 7):
                out[at : at + length] += np.sin(2 * np.pi * f * partial * t) * np.exp(-t * (2 + partial)) / partial
        kick = np.exp(-t * 30) * np.sin(2 * np.pi * (50 * t + 20 * np.exp(-t * 40)))
        hat = rng.standard_normal(length) * np.exp(-t * 60)
        out[at : at + length] += 2.0 * kick * (i % 2 == 0) + 0.3 * hat
    return _unit(out)


def mix(samples: Samples, over: Samples, snr_db: float) -> Samples:
    """The recording with something over it, the recording's RMS snr_db above it; scaled to stay within -1..1."""
    level = float(np.sqrt(np.mean(np.square(samples)))) * 10 ** (-snr_db / 20)
    mixed = samples + over * level
    return (mixed / max(1.0, float(np.abs(mixed).max()))).astype(np.float32)


def through_aac(samples: Samples, rate_hz: int) -> Samples:
    """Encoded to AAC at 64 kbit/s and decoded again, as long as before."""
    store = io.BytesIO()
    with av.open(store, "w", format="adts") as out:
        stream = out.add_stream("aac", rate=rate_hz, layout="mono")
        stream.bit_rate = AAC_BITS_PER_S
        for at in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[None, at : at + 1024], dtype=np.float32), "fltp", "mono"
            )
            frame.sample_rate = rate_hz
            frame.pts = at
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    store.seek(0)
    with av.open(store, "r", format="aac") as back:
        parts = [frame.to_ndarray()[0] for frame in back.decode(audio=0)]
    decoded = np.concatenate(parts)[1024:]  # the encoder's priming
    fitted = np.zeros(len(samples), dtype=np.float32)
    fitted[: min(len(decoded), len(samples))] = decoded[: len(samples)]
    return fitted


def lowpass(samples: Samples, rate_hz: int) -> Samples:
    """Without what lies above 6 kHz (8th order Butterworth)."""
    sos = signal.butter(8, LOWPASS_HZ, fs=rate_hz, output="sos")
    return signal.sosfilt(sos, samples).astype(np.float32)


def degrade(samples: Samples, rate_hz: int, kind: str, snr_db: float, seed: int) -> Samples:
    """A degraded copy, (n,).

    Args:
        samples: (n,) mono.
        kind: one of KINDS.
        snr_db: how far the recording lies above speech or music; unused by the others.

    Raises:
        SettingError: there is no such kind.
    """
    if kind == "speech":
        return mix(samples, speech(len(samples), rate_hz, seed), snr_db)
    if kind == "music":
        return mix(samples, music(len(samples), rate_hz, seed), snr_db)
    if kind == "aac":
        return through_aac(samples, rate_hz)
    if kind == "lowpass":
        return lowpass(samples, rate_hz)
    raise SettingError(f"There is no degradation called {kind!r}; choose one of {', '.join(KINDS)}.")


def _unit(x: NDArray[np.float64]) -> Samples:
    return (x / (np.sqrt(np.mean(np.square(x))) + 1e-12)).astype(np.float32)
