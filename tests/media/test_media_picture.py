"""Frames: the right one for a time, upright, at the size asked for; previews."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.core.clip import Interval
from engine.core.errors import Cancelled, MediaError, SettingError
from engine.core.progress import Progress
from engine.media import preview_mp4
from engine.media.picture import upright
from engine.media.reader import open_clip

LEVELS = np.arange(250) % 50 * 5


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.ts", "v.avi"])
def test_nearest_frame_whether_sought_or_walked_to(name: str, make_clip) -> None:
    codec = "mpeg4" if name == "v.avi" else "libx264"
    rng = np.random.default_rng(1)
    times_s = [*rng.uniform(0, 9.9, 8), *np.sort(rng.uniform(0, 9.9, 20)), 9.99, 0.0]
    with open_clip(make_clip(name, levels=LEVELS, video_codec=codec)) as reader:
        offset_s = next(iter(reader.frames([0.0]))).time_s
        for time_s, frame in zip(times_s, reader.frames(times_s), strict=True):
            number = np.clip(round((time_s - offset_s) * 25), 0, 249)
            assert abs(frame.time_s - time_s) <= 0.0201 or number in (0, 249)
            assert abs(int(frame.rgb.mean()) - LEVELS[round((frame.time_s - offset_s) * 25)]) <= 8


def test_interval_holds_all_its_frames(make_clip) -> None:
    with open_clip(make_clip("v.mp4", levels=LEVELS)) as reader:
        times_s = [f.time_s for f in reader.frames(interval=Interval(3.0, 5.0))]
        assert times_s == pytest.approx(list(np.arange(75, 125) / 25))
        assert [f.time_s for f in reader.frames([1.0, 4.0, 7.0], Interval(3.0, 5.0))] == [4.0]
        assert list(reader.frames(interval=Interval(20.0, 30.0))) == []


def test_variable_frame_rate_goes_by_timestamps(make_clip) -> None:
    times_s = np.cumsum(np.tile([0.02, 0.02, 0.5, 0.1], 10)) - 0.02
    with open_clip(make_clip("vfr.mp4", levels=np.arange(40) * 6, times_s=times_s)) as reader:
        assert reader.clip.video_tracks[0].variable_fps
        for wanted in (0.3, 1.0, 2.2, 4.7):
            frame = next(iter(reader.frames([wanted])))
            assert frame.time_s == pytest.approx(times_s[np.abs(times_s - wanted).argmin()], abs=0.002)
            assert abs(frame.rgb.mean() - 6 * np.abs(times_s - wanted).argmin()) <= 6


def test_size_is_bounded_and_never_enlarged(make_clip) -> None:
    with open_clip(make_clip("v.mp4", levels=LEVELS[:10], size=(320, 180))) as reader:
        assert next(iter(reader.frames([0.0], max_side_px=160))).rgb.shape == (90, 160, 3)
        assert next(iter(reader.frames([0.0], max_side_px=1_000))).rgb.shape == (180, 320, 3)
        with pytest.raises(SettingError):
            reader.frames([0.0], max_side_px=0)
        with pytest.raises(SettingError):
            list(reader.frames([float("nan")]))


def test_upright_applies_every_quarter_turn_and_mirror() -> None:
    """Each matrix moves the top-left pixel where x' = a x + c y, y' = b x + d y says."""
    rgb = np.zeros((2, 3, 3), np.uint8)
    rgb[0, 0] = 255  # top left
    one = 65536
    corners = {
        (one, 0, 0, one): (0, 0),
        (-one, 0, 0, one): (0, -1),
        (one, 0, 0, -one): (-1, 0),
        (-one, 0, 0, -one): (-1, -1),
        (0, one, -one, 0): (0, -1),  # a quarter turn clockwise: top left goes to the top right
        (0, -one, one, 0): (-1, 0),  # counterclockwise: to the bottom left
        (0, one, one, 0): (0, 0),
        (0, -one, -one, 0): (-1, -1),
    }
    for matrix, (row, column) in corners.items():
        turned = upright(rgb, matrix)
        assert turned.shape[:2] == ((2, 3) if matrix[0] else (3, 2))
        assert turned[row, column, 0] == 255 and turned[..., 0].sum() == 255, matrix


def test_preview_plays_the_stretch(make_clip, tmp_path: Path) -> None:
    tone = 0.4 * np.sin(np.arange(10 * 48_000) * 0.05)[None]
    path = make_clip("v.mkv", sounds=(tone,), codec="flac", levels=LEVELS, size=(320, 181 // 2 * 2))
    told: list[Progress] = []
    with open_clip(path) as reader:
        out = preview_mp4(reader, Interval(2.0, 5.0), tmp_path / "preview.mp4", max_side_px=161, progress=told.append)
        with open_clip(out) as preview:
            video, audio = preview.clip.video_tracks[0], preview.clip.audio_tracks[0]
            assert (video.codec, audio.codec) == ("h264", "aac")
            assert (video.width_px % 2, video.height_px % 2) == (0, 0) and video.width_px <= 161
            assert preview.clip.duration_s == pytest.approx(3.0, abs=0.1)
            first = next(iter(preview.frames([0.0])))
            assert abs(first.rgb.mean() - LEVELS[50]) < 8
        assert told[-1].unit == "s"

        def stop(_: Progress) -> None:
            raise Cancelled("Stopped; nothing was written.")

        with pytest.raises(Cancelled):
            preview_mp4(reader, Interval(2.0, 5.0), tmp_path / "never.mp4", progress=stop)
        with pytest.raises(MediaError, match="inside the clip"):
            preview_mp4(reader, Interval(50.0, 55.0), tmp_path / "never.mp4")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["preview.mp4", "v.mkv"]
