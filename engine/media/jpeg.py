"""What a JPEG's own tables and coefficients tell of how often, and how, it was compressed.

The tables are a fact. That a picture was a JPEG before can be inferred when the earlier steps were other than the last ones: the
values of a frequency then pile up and leave gaps. Compared are two predictions of the histogram of each low frequency, one of a
single compression and one of two, both from the same picture shifted by half a block, which knows nothing of either grid.

Sources: ITU-T T.81, Annex K (tables) and Annex A (DCT); J. Lukáš and J. Fridrich, Estimation of primary quantization matrix in
double compressed JPEG images, DFRWS 2003 (histograms, and the shifted picture).
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn
from scipy.special import ndtr

LEAST_SIDE_PX, MOST_SIDE_PX = 256, 1_024
THRESHOLD = 0.005  # nats a coefficient: see docs/provenance.md and `python -m engine.lab.bench.jpeg_generations`
# Measured by that bench, 1 December 2026: 30 drawn pictures (seeds 1000 to 1029) and 18 photographs at a third of their size.
FALSE_ALARMS = "of 48 pictures compressed once, at eight qualities each, none was called so (95%: at most 7.4% of pictures)"
MISSES = "of 384 files whose first compression was the stronger all were found, of 192 whose first was the weaker 139"
_MODES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0))  # rows, columns: the low frequencies
_MOST_STEP, _REACH = 40, 250
_PIXEL_NOISE = 0.3  # standard deviation of a coefficient when its 64 pixels are rounded: 1/√12
_FLOOR = 0.01
# ITU-T T.81, table K.1, in rows.
_LUMINANCE = np.array([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
]).reshape(8, 8)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Generations:
    """Whether a JPEG was one before.

    Attributes:
        score: nats a coefficient by which two compressions predict the histograms better than one, mean of the low frequencies.
        earlier: (row, column, step) of the earlier table where the histograms show it.
    """

    score: float
    earlier: tuple[tuple[int, int, int], ...] = ()

    @property
    def several(self) -> bool:
        """Whether the score lies beyond THRESHOLD."""
        return self.score > THRESHOLD


def table_of_quality(quality: int) -> NDArray[np.int64]:
    """(8, 8) steps that libjpeg writes for a quality of 1 to 100 (its jcparam.c scales table K.1)."""
    scale = 5_000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((_LUMINANCE * scale + 50) // 100, 1, 255).astype(np.int64)


def quality_of(table: NDArray[np.int64]) -> tuple[int, bool]:
    """(quality of libjpeg's table nearest to an (8, 8) one, whether it is exactly that)."""
    away = [int(np.abs(table_of_quality(q) - table).sum()) for q in range(1, 101)]
    best = int(np.argmin(away))
    return best + 1, away[best] == 0


def generations(luma: NDArray[np.uint8], table: NDArray[np.int64]) -> Generations | None:
    """Test a decoded picture for an earlier compression.

    Args:
        luma: (height, width) as decoded, its blocks beginning in the corner.
        table: (8, 8) steps with which it was compressed last, rows of vertical frequency.

    Returns:
        None where the picture is smaller than LEAST_SIDE_PX, or has too little in it.
    """
    height, width = (min(n, MOST_SIDE_PX) // 8 * 8 for n in luma.shape)
    if min(height, width) < LEAST_SIDE_PX:
        return None
    own = _coefficients(luma[:height, :width])
    free = _coefficients(luma[4 : height - 4, 4 : width - 4])
    scores, earlier = [], []
    for row, column in _MODES:
        step = int(table[row, column])
        counts = _counts(np.rint(own[:, row, column] / step), int(_REACH // step) + 1)
        if counts.sum() < 500 or counts.sum() - counts.max() < 0.1 * counts.sum():
            continue  # all but nothing of this frequency is left
        values, shares = _distribution(free[:, row, column])
        once = _predicted(values, shares, step, len(counts))
        gains = {
            first: float((counts * np.log(_predicted(first * np.rint(values / first), shares, step, len(counts)) / once)).sum())
            for first in range(1, _MOST_STEP + 1)
            if step % first
        }
        if not gains:
            continue
        best = max(gains, key=lambda first: gains[first])
        gain = max(0.0, gains[best] / float(counts.sum()))
        scores.append(gain)
        if gain > THRESHOLD:
            earlier.append((row, column, best))
    return Generations(float(np.mean(scores)), tuple(earlier)) if len(scores) >= 2 else None


def read(data: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]] | None:
    """((height, width) luma as decoded, (8, 8) steps of luma) of a JPEG file; None when it is no such picture.

    Raises:
        OSError, ValueError, SyntaxError: it is damaged.
    """
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        tables = getattr(image, "quantization", {})
        if image.mode not in ("L", "RGB", "YCbCr") or 0 not in tables or len(tables[0]) != 64:
            return None
        if image.mode != "L":
            image.draft("YCbCr", None)
        image.load()
        pixels = np.asarray(image)
        luma = pixels if pixels.ndim == 2 else pixels[..., 0]
        return np.asarray(luma, dtype=np.uint8), np.array(tables[0], dtype=np.int64).reshape(8, 8)


def _coefficients(luma: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(blocks, 8, 8) DCT of the whole blocks."""
    rows, columns = luma.shape[0] // 8, luma.shape[1] // 8
    blocks = luma[: rows * 8, : columns * 8].astype(np.float64).reshape(rows, 8, columns, 8).transpose(0, 2, 1, 3)
    return np.asarray(dctn(blocks.reshape(-1, 8, 8) - 128.0, axes=(1, 2), norm="ortho"), dtype=np.float64)


def _counts(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """How often each whole number from -most to most occurs, beyond which nothing counts."""
    inside = values[np.abs(values) <= most].astype(np.int64)
    return np.bincount(inside + most, minlength=2 * most + 1).astype(np.float64)


def _distribution(free: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(values, their shares) of a frequency before any compression, in quarters, as the shifted picture has it."""
    edges = np.arange(-_REACH * 4 - 0.5, _REACH * 4 + 1.5)
    shares = np.histogram(free * 4, edges)[0].astype(np.float64)
    kernel = np.exp(-0.5 * (np.arange(-8, 9) / 3.0) ** 2)
    smooth = np.convolve(shares + shares[::-1], kernel / kernel.sum(), "same")  # a frequency has no preferred sign
    return np.arange(-_REACH * 4, _REACH * 4 + 1) / 4.0, smooth / max(smooth.sum(), 1e-9)


def _predicted(values: NDArray[np.float64], shares: NDArray[np.float64], step: int, length: int) -> NDArray[np.float64]:
    """(length,) shares of the whole numbers around 0 after rounding to the pixels and to the step."""
    most = length // 2
    levels, where = np.unique(values, return_inverse=True)
    mass = np.bincount(where, weights=shares)
    edges = (np.arange(-most, most + 2) - 0.5) * step
    below = ndtr((edges[None, :] - levels[:, None]) / _PIXEL_NOISE)
    found = mass @ np.diff(below, axis=1)
    found = found / max(found.sum(), 1e-9)
    wide = np.convolve(found, np.ones(5) / 5, "same")
    return np.asarray((1 - _FLOOR) * found + _FLOOR * wide + 1e-6, dtype=np.float64)
