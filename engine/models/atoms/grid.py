"""The grid of levels that a window is seen as: a transform that can be undone, mel bands, masks back on the transform."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 32_000
WINDOW_S = 4.0
WINDOW_SAMPLES = int(WINDOW_S * RATE_HZ)
FFT, HOP = 1024, 512
BANDS = 64
FRAMES = WINDOW_SAMPLES // HOP // 2  # a frame of the grid is the mean of two of the transform
FRAME_S = 2 * HOP / RATE_HZ
KERNELS = 4  # per label
KERNEL_FRAMES = 8
STRIDE = 4  # frames from one activation to the next
LOW_HZ, HIGH_HZ = 40.0, 15_500.0


@cache
def filters() -> NDArray[np.float32]:
    """(BANDS, FFT / 2 + 1) triangular mel filters (O'Shaughnessy's scale), each of sum 1; none is narrower than a bin."""
    hz = np.fft.rfftfreq(FFT, 1.0 / RATE_HZ)
    mel = np.linspace(2595 * np.log10(1 + LOW_HZ / 700), 2595 * np.log10(1 + HIGH_HZ / 700), BANDS + 2)
    edge = 700 * (10 ** (mel / 2595) - 1)
    width = hz[1]
    low, mid, high = edge[:-2, None], edge[1:-1, None], edge[2:, None]
    low, high = np.minimum(low, mid - width), np.maximum(high, mid + width)
    bank = np.clip(np.minimum((hz - low) / (mid - low), (high - hz) / (high - mid)), 0.0, None)
    return (bank / bank.sum(axis=1, keepdims=True)).astype(np.float32)


@cache
def _to_bins() -> NDArray[np.float32]:
    """(BANDS, FFT / 2 + 1) weights, of sum 1 per bin, that spread a mask of bands over bins."""
    bank = filters() / filters().max(axis=1, keepdims=True)
    hz = np.fft.rfftfreq(FFT, 1.0 / RATE_HZ)
    centre = (filters() * hz).sum(axis=1)
    nearest = np.abs(hz[None] - centre[:, None]).argmin(axis=0)
    bank = bank + 1e-6 * np.eye(BANDS, dtype=np.float32)[nearest].T
    return (bank / bank.sum(axis=0)).astype(np.float32)


def _window() -> NDArray[np.float32]:
    # periodic sine window: its square overlaps to one at half its length
    return np.sin(np.pi * (np.arange(FFT) + 0.5) / FFT).astype(np.float32)


def transform(wave: NDArray[np.float32]) -> NDArray[np.complex64]:
    """(..., n) samples to (..., frames, FFT / 2 + 1), frames = ceil(n / HOP) + 1; `inverse` undoes it exactly."""
    n = wave.shape[-1]
    tail = -n % HOP
    padded = np.pad(wave, [(0, 0)] * (wave.ndim - 1) + [(HOP, HOP + tail)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT, axis=-1)[..., ::HOP, :]
    return np.fft.rfft(frames * _window(), axis=-1).astype(np.complex64)


def inverse(spectrum: NDArray[np.complex64], length: int) -> NDArray[np.float32]:
    """(..., frames, bins) back to (..., length) samples."""
    frames = np.fft.irfft(spectrum, FFT, axis=-1).astype(np.float32) * _window()
    first, second = frames[..., :HOP], frames[..., HOP:]
    blocks = first[..., 1:, :] + second[..., :-1, :]
    return blocks.reshape(*blocks.shape[:-2], blocks.shape[-2] * HOP)[..., :length]


def power_grid(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., n) samples to mean power (..., BANDS, frames of 32 ms)."""
    return grid_of(whole_frames(transform(wave)))


def whole_frames(spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """(..., frames, bins) without the last frame where their number is odd."""
    return spectrum[..., : spectrum.shape[-2] - spectrum.shape[-2] % 2, :]


def grid_of(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    """(..., frames, bins), an even number of frames, to mean power (..., BANDS, frames / 2)."""
    power = (spectrum.real**2 + spectrum.imag**2) @ filters().T
    pairs = power.reshape(*power.shape[:-2], -1, 2, BANDS).mean(axis=-2)
    return np.swapaxes(pairs, -1, -2).astype(np.float32)


def spread(masks: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Masks of the grid (n, BANDS, grid frames) over the transform's points (n, frames, FFT / 2 + 1)."""
    wide = np.repeat(np.swapaxes(masks, 1, 2), 2, axis=1)
    if wide.shape[1] < frames:
        wide = np.concatenate([wide, np.repeat(wide[:, -1:], frames - wide.shape[1], axis=1)], axis=1)
    return (wide[:, :frames] @ _to_bins()).astype(np.float32)
