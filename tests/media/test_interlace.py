"""Interlaced pictures are made whole before they are read; all others stay as they are, bit for bit."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine.core.paths import data_dir
from engine.media.interlace import made_whole
from engine.media.picture import to_rgb
from engine.media.reader import open_clip

WIDTH, HEIGHT = 720, 576


def view(shift_px: int) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) a sign seen by a camera that pans."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (40, 90, 50))
    draw = ImageDraw.Draw(image)
    draw.rectangle((100 + shift_px, 180, 560 + shift_px, 400), fill=(20, 60, 130))
    for row, text in enumerate(("MILL LANE 27", "TEL 555 0188")):
        draw.text((130 + shift_px, 210 + 90 * row), text, fill=(255, 255, 255), font_size=56)
    return np.asarray(image)


def woven(first_px: int, second_px: int) -> np.ndarray:
    """A frame of two fields, the second seen a moment later."""
    rgb = view(first_px).copy()
    rgb[1::2] = view(second_px)[1::2]
    return rgb


def frame_of(rgb: np.ndarray, pixels: str = "yuv420p") -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format=pixels)


def difference(frame: av.VideoFrame, rgb: np.ndarray) -> float:
    """Mean difference from a picture, where the sign is."""
    made = frame.reformat(format="rgb24").to_ndarray().astype(int)
    return float(np.abs(made - rgb)[180:400].mean())


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv422p10le", "nv12", "yuv444p"])
def test_two_moments_woven_into_one_frame_become_one(pixels: str) -> None:
    torn = frame_of(woven(0, 14), pixels)
    whole = made_whole(torn)
    assert whole is not torn
    nearest = min(difference(whole, view(0)), difference(whole, view(14)))
    assert nearest < 0.4 * min(difference(torn, view(0)), difference(torn, view(14)))


def test_what_stands_still_keeps_all_its_lines() -> None:
    """Only what moves is made anew: the rest of the frame stays bit for bit."""
    rgb = woven(0, 14)
    rgb[:150] = np.random.default_rng(1).integers(60, 200, (150, WIDTH, 1)).repeat(3, axis=2) // 40 * 40
    rgb[40:150] = view(0)[40:150]
    torn = frame_of(rgb)
    whole = made_whole(torn)
    before, after = (np.frombuffer(f.planes[0], np.uint8).reshape(-1, f.planes[0].line_size)[:, :WIDTH] for f in (torn, whole))
    assert (before[420:] == after[420:]).all() and (before[60:150] == after[60:150]).all()


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le", "rgb24"])
def test_whole_pictures_are_left_alone(pixels: str) -> None:
    frame = frame_of(view(5), pixels)
    assert made_whole(frame) is frame


def test_fine_stripes_are_no_tear() -> None:
    """A blind or a test card: every other line is dark, and neither field lies better over the other when shifted."""
    rgb = view(0).copy()
    rgb[100:500:2] = rgb[100:500:2] // 3
    frame = frame_of(rgb)
    assert made_whole(frame) is frame
    assert (to_rgb(frame, None) == frame.reformat(format="rgb24", src_colorspace="ITU601").to_ndarray()).all()


def test_film_sent_as_segmented_frames_is_left_alone(tmp_path: Path) -> None:
    """Flagged interlaced, both fields of one moment."""
    with open_clip(encoded(tmp_path / "psf.ts", [view(3 * n) for n in range(12)])) as reader, av.open(reader.clip.path) as raw:
        frames = list(raw.decode(video=0))
        assert frames[0].interlaced_frame
        assert all(made_whole(f) is f for f in frames)


def test_an_interlaced_film_is_read_whole(tmp_path: Path) -> None:
    path = encoded(tmp_path / "pan.ts", [woven(12 * n, 12 * n + 6) for n in range(12)])
    with open_clip(path) as reader:
        for number, frame in enumerate(reader.frames()):
            made = frame.rgb.astype(int)[180:400]
            off = min(float(np.abs(made - view(12 * number + s)[180:400]).mean()) for s in (0, 6))
            assert off < 6.0, number


def encoded(path: Path, pictures: list[np.ndarray]) -> Path:
    """MPEG-2 flagged interlaced, top field first."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme", "top": "1", "g": "1", "qmin": "1"})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 20_000_000
        for number, rgb in enumerate(pictures):
            frame = frame_of(rgb)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.slow
def test_the_sign_of_a_real_interlaced_pan_is_read() -> None:
    path = data_dir() / "faults" / "p_interl.ts"
    if not path.is_file():
        pytest.skip(f"real material not found: {path} (set EARWITNESS_DATA)")
    from engine.analysis.perceive import perceive

    texts = " ".join(o.label for o in perceive(path).observations if o.kind == "text")
    assert "706 555 0143" in texts and "GA 30904" in texts
