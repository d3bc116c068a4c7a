"""Cuts in films whose cuts are known."""

from __future__ import annotations

import itertools
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
import pytest

from engine.core.clip import Interval
from engine.core.errors import Cancelled, MediaError
from engine.core.progress import Progress
from engine.media.reader import open_clip
from engine.media.shots import MAX_FRAMES, OVERLAP_S, PIECE_S, Glance, _pieces, cut, find_cuts

SIZE = (320, 180)


@lru_cache
def scene(seed: int, brightness: float = 128.0) -> np.ndarray:
    """A wide picture (180, 640, 3) of soft blotches, another one for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(-1, 1, (8, 24, 3))
    rows, columns = np.linspace(0, 7, 180), np.linspace(0, 23, 640)
    wide = np.stack([np.array([np.interp(columns, np.arange(24), line) for line in coarse[..., c]]) for c in range(3)], axis=-1)
    tall = np.stack(
        [np.stack([np.interp(rows, np.arange(8), wide[:, x, c]) for x in range(640)], axis=1) for c in range(3)], axis=-1
    )
    return np.clip(brightness + 100 * tall, 0, 255)


def view(picture: np.ndarray, x: float) -> np.ndarray:
    return picture[:, round(x) : round(x) + SIZE[0]]


def film(path: Path, frames: list[np.ndarray], gop: int = 250, codec: str = "libx264") -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"g": str(gop), "sc_threshold": "0", "preset": "ultrafast"}
        grain = np.random.default_rng(0).normal(0, 3, (5, SIZE[1], SIZE[0], 1))
        for n, picture in enumerate(frames):
            noisy = np.clip(picture + grain[n % 5], 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(noisy), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def starts_of(path: Path) -> list[float]:
    with open_clip(path) as reader:
        return [s.start_s for s in cut(reader)[1:]]


@pytest.mark.parametrize("gop", [1, 12, 50, 250])
def test_hard_cuts_are_found_whatever_the_key_frames(gop: int, tmp_path: Path) -> None:
    lengths = [40, 70, 20, 90, 33]
    frames = [view(scene(k), 2 * i) for k, n in enumerate(lengths) for i in range(n)]
    found = starts_of(film(tmp_path / "cuts.mp4", frames, gop))
    assert found == pytest.approx(list(np.cumsum(lengths)[:-1] / 25), abs=0.09)


def test_a_short_shot_between_two_alike_key_frames_is_found(tmp_path: Path) -> None:
    frames = [view(scene(1), 0)] * 30 + [view(scene(2), 0)] * 15 + [view(scene(1), 0)] * 80
    found = starts_of(film(tmp_path / "insert.mp4", frames, gop=100))
    assert found == pytest.approx([1.2, 1.8], abs=0.09)


@pytest.mark.parametrize("gop", [1, 250])
def test_pans_flashes_and_lighting_are_no_cuts(gop: int, tmp_path: Path) -> None:
    picture = scene(3)
    pan = [view(picture, min(300, 6 * i)) for i in range(75)]
    flash = [view(picture, 300)] * 10 + [np.full((180, 320, 3), 250.0)] * 2 + [view(picture, 300)] * 30
    light = [view(picture, 300) * (1 - 0.5 * i / 25) for i in range(25)] + [view(picture, 300) * 0.5] * 25
    assert starts_of(film(tmp_path / "calm.mp4", pan + flash + light, gop)) == []


@pytest.mark.parametrize("gop", [1, 250])
def test_dissolves_and_fades_are_found(gop: int, tmp_path: Path) -> None:
    a, b, c = (view(scene(k), 0) for k in (4, 5, 6))
    dissolve = [a * (1 - i / 20) + b * i / 20 for i in range(20)]
    fade = [b * (1 - i / 12) for i in range(12)] + [0 * b] * 10 + [c * i / 12 for i in range(12)]
    frames = [a] * 50 + dissolve + [b] * 50 + fade + [c] * 50
    found = starts_of(film(tmp_path / "soft.mp4", frames, gop))
    assert len(found) == 2
    assert found[0] == pytest.approx(60 / 25, abs=0.3) and found[1] == pytest.approx(137 / 25, abs=0.6)


def test_shots_cover_the_stretch_and_carry_frames(tmp_path: Path) -> None:
    frames = [view(scene(k), 0) for k, n in enumerate([50, 500, 60]) for _ in range(n)]
    told: list[Progress] = []
    with open_clip(film(tmp_path / "v.mp4", frames, gop=50)) as reader:
        shots = cut(reader, progress=told.append)
        assert [s.start_s for s in shots] == pytest.approx([0, 2, 22], abs=0.09)
        assert shots[-1].end_s == pytest.approx(reader.clip.duration_s, abs=0.05)
        assert all(a.end_s == b.start_s for a, b in itertools.pairwise(shots))
        assert all(s.start_s <= t < s.end_s for s in shots for t in s.frame_times_s)
        assert 3 <= len(shots[1].frame_times_s) <= MAX_FRAMES
        pictures = list(reader.frames([t for s in shots for t in s.frame_times_s], max_side_px=160))
        assert len(pictures) == sum(len(s.frame_times_s) for s in shots)
        for frame in pictures:
            assert frame.rgb.shape == (90, 160, 3)
            expected = frames[min(len(frames) - 1, round(frame.time_s * 25))]
            assert np.abs(frame.rgb.mean((0, 1)) - expected.mean((0, 1))).max() < 12
        part = cut(reader, Interval(10.0, 23.0))
        assert [s.start_s for s in part] == pytest.approx([10.0, 22.0], abs=0.09) and part[-1].end_s == 23.0
        assert cut(reader, Interval(500.0, 510.0)) == ()
    assert told and all(0 <= (p.fraction or 0) <= 1 for p in told)


def test_cutting_can_be_stopped_and_needs_pictures(tmp_path: Path, tone_wav) -> None:
    def stop(_: Progress) -> None:
        raise Cancelled("Stopped; nothing was written.")

    with open_clip(film(tmp_path / "v.mp4", [view(scene(0), 0)] * 30)) as reader, pytest.raises(Cancelled):
        cut(reader, progress=stop)
    with open_clip(tone_wav()) as reader, pytest.raises(MediaError, match="no pictures"):
        cut(reader)


def test_real_film_is_cut_where_its_cuts_are(clip_path) -> None:
    """Read off the film by eye: five hard cuts, then two dissolves around a title card."""
    with open_clip(clip_path("cl0184.webm")) as reader:
        found = np.array([s.start_s for s in cut(reader)[1:]])
    for wanted_s in (7.44, 9.34, 10.54, 16.15, 21.19, 22.3, 26.7):
        assert np.abs(found - wanted_s).min() < 0.3
    assert len(found) <= 10


def test_a_stretch_where_everything_moves_is_searched_piece_by_piece_as_if_in_one() -> None:
    rng = np.random.default_rng(4)
    glances, held = [], rng.uniform(0, 255, (18, 32, 3))
    next_s = 0.0
    for number in range(25 * 400):
        if number / 25 >= next_s:
            held, drift = rng.uniform(0, 255, (18, 32, 3)), rng.normal(0, 2.5, (18, 32, 3))
            next_s += rng.uniform(1.0, 9.0)
        held = np.clip(held + drift, 0, 255)
        glances.append(Glance(number / 25, (held + rng.normal(0, 3, held.shape)).astype(np.float32)))
    pieces = list(_pieces(iter(glances)))
    assert len(pieces) > 4 and max(len(p) for p, _, _ in pieces) < 25 * (PIECE_S + 2 * OVERLAP_S) + 2
    assert sum(sum(a <= g.time_s < b for g in p) for p, a, b in pieces) == len(glances)
    found = [t for p, a, b in pieces for t in find_cuts(p) if a <= t < b]
    assert len(found) > 60 and found == find_cuts(glances)
