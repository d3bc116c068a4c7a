"""The spectrogram of a window."""

from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image

_WINDOW = 1024
_HOP = 256
_FLOOR_DB = -72.0
_TOP_HZ = 12_000


def spectrogram(
    samples: NDArray[np.float32],
    rate_hz: int,
    start_s: float,
    dark: bool,
    mark: tuple[float, float] | None = None,
    height_px: int = 190,
) -> go.Figure:
    """Sound as a picture: time in s against frequency in kHz, dark (on a light page) where it is loud.

    Args:
        samples: (n,) mono.
        start_s: clip time of the first sample.
        mark: (start_s, end_s) of the window the model heard, framed when the sound shown is longer.
    """
    level = levels_db(samples)
    top = min(_TOP_HZ, rate_hz / 2)
    level = level[: max(2, round(level.shape[0] * top / (rate_hz / 2)))]
    length_s = len(samples) / rate_hz
    figure = go.Figure()
    figure.add_layout_image(
        source=_picture(level, dark),
        x=start_s,
        y=top / 1000,
        sizex=length_s,
        sizey=top / 1000,
        xref="x",
        yref="y",
        sizing="stretch",
        layer="below",
    )
    if mark:
        figure.add_vrect(x0=mark[0], x1=mark[1], line={"color": "#e69100", "width": 1.5}, fillcolor="rgba(0,0,0,0)")
    axis = {"showgrid": False, "zeroline": False, "ticks": "outside", "ticklen": 4, "fixedrange": True}
    figure.update_xaxes(title="time in the clip (s)", range=[start_s, start_s + length_s], title_standoff=4, **axis)
    figure.update_yaxes(title="frequency (kHz)", range=[0, top / 1000], title_standoff=4, **axis)
    figure.update_layout(
        height=height_px,
        margin={"l": 44, "r": 8, "t": 6, "b": 38},
        showlegend=False,
        font={"size": 11},
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    return figure


def levels_db(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """(frequencies, times) level in dB below the loudest, from Hann windows of 1,024 samples every 256; at least _FLOOR_DB."""
    if len(samples) < _WINDOW:
        samples = np.pad(samples, (0, _WINDOW - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(frames, axis=1)).T ** 2
    peak = float(power.max())
    if peak <= 0:
        return np.full(power.shape, _FLOOR_DB)
    return np.maximum(10 * np.log10(np.maximum(power / peak, 1e-12)), _FLOOR_DB)


def _picture(level: NDArray[np.float64], dark: bool) -> str:
    loud = (1.0 - level / _FLOOR_DB) ** 1.25
    grey = (255 * (loud if dark else 1.0 - loud)).astype(np.uint8)[::-1]
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
