"""A moment of sound as a spectrogram with axes in s and kHz, and as a short playable excerpt."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.core.clip import Interval, Reader
from engine.core.errors import MediaError
from engine.media.audio import to_wav
from engine.report.view import words

RATE_HZ = 32_000
LONGEST_S = 6.0
_TOP_HZ = 15_000
_WINDOW = 1024
_STEP = 256
_RANGE_DB = 70.0
_LEFT, _TOP, _WIDTH, _HEIGHT, _BOTTOM = 40, 8, 420, 170, 34


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What a report shows of a moment: SVG text of the spectrogram, and the sound as a data URI."""

    spectrogram: str
    wav: str


def excerpt(reader: Reader, start_s: float, end_s: float, track: int | None = None) -> Excerpt:
    """The sound from start_s to end_s, at most LONGEST_S of it, level as recorded.

    Raises:
        MediaError: there is no sound there, or it cannot be decoded.
    """
    end_s = min(end_s, start_s + LONGEST_S)
    blocks = [b.samples for b in reader.audio(RATE_HZ, Interval(start_s, max(end_s, start_s + 0.1)), track)]
    if not blocks or sum(map(len, blocks)) < _WINDOW:
        raise MediaError(f"There is no sound from {start_s:g} to {end_s:g} s; choose an interval inside the clip.")
    samples = np.concatenate(blocks)
    return Excerpt(spectrogram_svg(samples, start_s), _uri("audio/wav", to_wav(samples, RATE_HZ)))


def levels_db(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Power spectra in dB below full scale, (bins, columns), low to high frequency, Hann windows of 32 ms every 8 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), _WINDOW)[::_STEP]
    window = np.hanning(_WINDOW)
    spectrum = np.abs(np.fft.rfft(frames * window, axis=1)) / (window.sum() / 2)
    return 20.0 * np.log10(np.maximum(spectrum, 1e-7)).T


def spectrogram_svg(samples: NDArray[np.float32], start_s: float) -> str:
    """The spectrogram of samples (n,) at RATE_HZ as SVG: dark is loud, time in s of the clip, frequency in kHz."""
    level = levels_db(samples)[: int(_TOP_HZ / RATE_HZ * _WINDOW)]
    top = float(level.max())
    grey = np.clip((top - level) / _RANGE_DB, 0.0, 1.0)
    image = Image.fromarray((np.round(grey * 31) * (255 / 31)).astype(np.uint8)[::-1]).resize(
        (_WIDTH, _HEIGHT), Image.Resampling.BOX
    )
    data = io.BytesIO()
    image.quantize(32).save(data, "PNG", optimize=True)
    length_s = len(samples) / RATE_HZ
    width, height = _LEFT + _WIDTH + 12, _TOP + _HEIGHT + _BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" class="spectrogram" '
        f'aria-label="Spectrogram, {words.span(start_s, start_s + length_s)}, 0 to {_TOP_HZ // 1000} kHz">'
        f'<image x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" preserveAspectRatio="none" '
        f'href="{_uri("image/png", data.getvalue())}"/>'
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" class="frame"/>'
        f"{_frequency_axis()}{_time_axis(start_s, length_s)}"
        f'<text x="{_LEFT + _WIDTH}" y="{height - 3}" text-anchor="end" class="axis">range {_RANGE_DB:.0f} dB</text></svg>'
    )


def _frequency_axis() -> str:
    out = [f'<text transform="translate(10 {_TOP + _HEIGHT / 2:g}) rotate(-90)" text-anchor="middle" class="axis">kHz</text>']
    for khz in range(0, _TOP_HZ // 1000 + 1, 3):
        y = _TOP + _HEIGHT * (1 - khz * 1000 / _TOP_HZ)
        out.append(f'<path d="M{_LEFT - 4} {y:.1f}h4" class="tick-line"/>')
        out.append(f'<text x="{_LEFT - 7}" y="{y + 3.5:.1f}" text-anchor="end" class="axis">{khz}</text>')
    return "".join(out)


def _time_axis(start_s: float, length_s: float) -> str:
    step = 0.5 if length_s <= 3.5 else 1.0
    out = []
    for k in range(int(length_s / step + 1e-6) + 1):
        x = _LEFT + _WIDTH * k * step / length_s
        out.append(f'<path d="M{x:.1f} {_TOP + _HEIGHT}v4" class="tick-line"/>')
        out.append(f'<text x="{x:.1f}" y="{_TOP + _HEIGHT + 16}" text-anchor="middle" class="axis">{start_s + k * step:g}</text>')
    out.append(f'<text x="{_LEFT}" y="{_TOP + _HEIGHT + _BOTTOM - 3}" class="axis">s from the start of the clip</text>')
    return "".join(out)


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
