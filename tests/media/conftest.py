"""Clips made for these tests: tones, chirps and pictures with their frame number written in grey levels."""

from __future__ import annotations

import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.core.paths import data_dir


@pytest.fixture(scope="session")
def clip_path() -> Callable[[str], Path]:
    """Path of a clip of the real material, or a skip with the reason."""

    def find(name: str) -> Path:
        path = data_dir() / "clips" / name
        if not path.is_file():
            pytest.skip(f"real material not found: {path} (set EARWITNESS_DATA)")
        return path

    return find


@pytest.fixture
def tone_wav(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str = "tone.wav", hz: float = 440.0, length_s: float = 2.0, rate_hz: int = 16_000) -> Path:
        path = tmp_path / name
        t = np.arange(round(length_s * rate_hz)) / rate_hz
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate_hz)
            out.writeframes((0.5 * np.sin(2 * np.pi * hz * t) * 32767).astype("<i2").tobytes())
        return path

    return make


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., Path]:
    """Write a clip with PyAV.

    sounds: one (channels, samples) float array at 48 kHz for each audio track, put at sound_at_s.
    levels: one grey level per frame; times_s: their times (default 25 per second).
    """

    def make(
        name: str,
        sounds: tuple[np.ndarray, ...] = (),
        layout: str = "mono",
        codec: str = "flac",
        levels: np.ndarray | None = None,
        times_s: np.ndarray | None = None,
        size: tuple[int, int] = (64, 48),
        sound_at_s: float = 0.0,
        gap: tuple[float, float] | None = None,
        video_codec: str = "libx264",
        container_format: str | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", format=container_format) as out:
            audio = [out.add_stream(codec, rate=48_000, layout=layout) for _ in sounds]
            video = None
            if levels is not None:
                video = out.add_stream(video_codec, rate=25)
                video.width, video.height = size
                video.pix_fmt = "yuv420p"
                video.time_base = video.codec_context.time_base = Fraction(1, 25_000)
                video.options = {"g": "25", "preset": "ultrafast", "crf": "10"} if video_codec == "libx264" else {"g": "25"}
                video.bit_rate = 2_000_000
            for stream, sound in zip(audio, sounds, strict=True):
                out.mux(list(_sound_packets(stream, sound, layout, sound_at_s, gap)))
            if video is not None:
                at_s = np.arange(len(levels)) / 25 if times_s is None else times_s
                for level, time_s in zip(levels, at_s, strict=True):
                    rgb = np.full((size[1], size[0], 3), level, np.uint8)
                    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
                    frame.pts, frame.time_base = round(time_s * 25_000), Fraction(1, 25_000)
                    out.mux(video.encode(frame))
                out.mux(video.encode(None))
        return path

    return make


def _sound_packets(stream, sound, layout, at_s, gap):
    kind = stream.codec_context.codec.audio_formats[0].name
    integer = kind.startswith("s")
    data = (sound * 32767).astype(np.int16) if integer else sound.astype(np.float32)
    step = 1024
    for start in range(0, data.shape[1], step):
        part = data[:, start : start + step]
        time_s = at_s + start / 48_000
        if gap and time_s >= gap[0]:
            time_s += gap[1]
        if integer:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part.T.reshape(1, -1)), format="s16", layout=layout)
        else:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = 48_000, round(time_s * 48_000), Fraction(1, 48_000)
        yield from stream.encode(frame)
    yield from stream.encode(None)
