"""`--sun`: pixels and percent become a marking, and what depends on the clip is said when the clip is there."""

from __future__ import annotations

from argparse import Namespace

import pytest

from engine import Clip, Interval, Observation, Perception, SettingError, Settings, Stream
from engine.cli import edit_options
from engine.clues.sun.mark import Mark

POINTS = "t=2.5; foot=576,540; top=576,252; tip=50%,78%"


def perceived(*observations: Observation, rotation_deg: int = 0) -> Perception:
    size = (720, 1280) if rotation_deg else (1280, 720)
    stream = Stream(0, 1, "video", "h264", width_px=size[0], height_px=size[1], rotation_deg=rotation_deg)
    return Perception(Clip("c.mp4", "0" * 64, 1, "mp4", 10.0, (stream,)), Interval(0.0, 10.0), observations)


def mark(text: str, perception: Perception) -> Mark:
    none = {n: [] for n in ("drop", "add", "cue", "confirm", "relabel", "weight", "include", "leave_out")}
    options = Namespace(**none, sun=[text], detections=None, detections_only=False, author="Ann")
    settings = edit_options.read(options).apply(perception, Settings())
    assert [e.what for e in settings.edits] == ["add"] and settings.added[0].author == "analyst:Ann"
    return Mark.parse(settings.added[0].label)


@pytest.mark.parametrize("rotation_deg", [0, 90])
def test_pixels_and_percent_of_the_upright_frame(rotation_deg: int) -> None:
    found = mark(f"{POINTS}; when=2024-06-01T10:00/11:00Z; horizon=180; sure=0.9", perceived(rotation_deg=rotation_deg))
    assert found.foot == (0.45, 0.75) and found.top == (0.45, 0.35) and found.tip == (0.5, 0.78)
    assert found.horizon == ((0.0, 0.25), (1.0, 0.25)) and found.aspect == pytest.approx(16 / 9, abs=1e-3)


def test_lens_and_direction() -> None:
    found = mark(f"{POINTS}; when=2024-06-01; lens=26; heading=-30±5", perceived())
    assert found.fov_deg == pytest.approx(71.9, abs=0.2) and found.heading_deg == 330.0 and found.heading_sd_deg == 5.0


def test_the_files_own_time_where_none_is_given() -> None:
    stated = Observation("container", "tag", "2024-06-01T10:20:00+02:00", 1.0, 0.0, 0.0, "creation time")
    assert mark(POINTS, perceived(stated)).when.text == "2024-06-01T10:10/10:30+02:00"
    with pytest.raises(SettingError, match="does not say when"):
        mark(POINTS, perceived())


def test_a_moment_after_the_end() -> None:
    with pytest.raises(SettingError, match="after the end"):
        mark(POINTS.replace("2.5", "99") + "; when=2024-06-01", perceived())


def test_a_clip_without_pictures() -> None:
    heard = Perception(Clip("c.wav", "0" * 64, 1, "wav", 10.0, (Stream(0, 1, "audio", "pcm"),)), Interval(0.0, 10.0), ())
    with pytest.raises(SettingError, match="no pictures"):
        mark(POINTS + "; when=2024-06-01", heard)
