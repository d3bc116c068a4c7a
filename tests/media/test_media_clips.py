"""Every clip of the real material: what opens, what it holds, what must be refused and how."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
from scipy.signal import fftconvolve

from engine.core.clip import Interval, Reader
from engine.core.errors import MediaError
from engine.core.paths import data_dir
from engine.media import open_clip


def manifest() -> list[dict[str, str]]:
    path = data_dir() / "clips" / "manifest.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


ROWS = manifest()


def test_material_is_there() -> None:
    if not ROWS:
        pytest.skip("real material not found: clips/manifest.csv (set EARWITNESS_DATA)")
    assert len(ROWS) >= 60


def no_sound(row: dict[str, str]) -> bool:
    return not row["audio_codec"] or "DECODE no audio frame" in row["note"]


def no_picture(row: dict[str, str]) -> bool:
    return not row["video_codec"] or "DECODE no video frame" in row["note"]


@pytest.mark.parametrize("row", ROWS, ids=[r["id"] for r in ROWS])
def test_clip_is_what_the_manifest_says(row: dict[str, str], clip_path) -> None:
    path = clip_path(row["file"])
    if row["container"] == "unreadable" or (no_sound(row) and no_picture(row)):
        with pytest.raises(MediaError, match=r"^[^\n]+[;:,] [^\n]+\.$"):
            open_clip(path)
        return
    with open_clip(path) as reader:
        clip = reader.clip
        assert isinstance(reader, Reader)
        assert re.fullmatch(r"[0-9a-f]{64}", clip.sha256) and clip.size_bytes == path.stat().st_size
        assert clip.duration_s is not None
        if row["duration_s"] and "2 audio tracks" not in row["note"]:
            assert clip.duration_s == pytest.approx(float(row["duration_s"]), abs=0.05)
        check_sound(reader, row)
        check_picture(reader, row)
        reader.verify_unchanged()


def check_sound(reader, row: dict[str, str]) -> None:
    if no_sound(row):
        assert not any(s.decodable for s in reader.clip.audio_tracks)
        with pytest.raises(MediaError):
            reader.audio(48_000)
        return
    assert [s.codec for s in reader.clip.audio_tracks] == row["audio_codec"].split("+")
    samples = np.concatenate([b.samples for b in reader.audio(48_000)])
    assert samples.dtype == np.float32 and np.abs(samples).max() <= 1.0
    if "digitally silent" in row["note"]:
        assert not samples.any()
    elif match := re.search(r"audio level (-\d+) dB", row["note"]):
        level_db = 20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2)))
        assert level_db == pytest.approx(float(match[1]), abs=7.0 if "5.1 or more" in row["note"] else 4.0)
    if len(samples) > 24_000 and samples.any():
        check_seeking(reader, samples)


def check_seeking(reader, samples: np.ndarray) -> None:
    """A stretch read by itself is the same sound at the same time, within what the container's clock allows."""
    start_s = len(samples) / 48_000 * 0.4
    cut = np.concatenate([b.samples for b in reader.audio(48_000, Interval(start_s, start_s + 0.3))]).astype(float)
    around = np.pad(samples.astype(float), 2_400)[round(start_s * 48_000) :][: len(cut) + 4_800]
    likeness = fftconvolve(around, cut[::-1], mode="valid")
    energy = np.cumsum(np.concatenate([[0.0], around**2]))
    power = np.sqrt((energy[len(cut) :] - energy[: -len(cut)]) * (cut**2).sum())
    assert (likeness / power.clip(1e-9)).max() > 0.9


def check_picture(reader, row: dict[str, str]) -> None:
    if no_picture(row):
        assert not any(s.decodable for s in reader.clip.video_tracks)
        with pytest.raises(MediaError):
            reader.frames([0.0])
        return
    assert [s.codec for s in reader.clip.video_tracks] == row["video_codec"].split("+")
    if match := re.search(r"rotation (-?\d+);", row["note"].split("; ", 1)[-1] + ";"):
        assert [s.rotation_deg for s in reader.clip.video_tracks] == [-int(match[1]) % 360]
    middle_s = reader.clip.duration_s / 2
    frames = list(reader.frames([0.0, middle_s], max_side_px=320))
    assert len(frames) == 2
    assert all(f.rgb.dtype == np.uint8 and max(f.rgb.shape[:2]) <= 320 and f.rgb.shape[2] == 3 for f in frames)
    assert frames[0].time_s <= frames[1].time_s


def test_bad_packets_are_counted_one_by_one(clip_path) -> None:
    with open_clip(clip_path("cl0112.mp4")) as reader:
        assert len(list(reader.frames(max_side_px=64))) == 26
        assert reader.skipped["video"] == 1


def test_eight_channels_do_not_crash(clip_path) -> None:
    with open_clip(clip_path("cl0121.mkv")) as reader:
        assert reader.clip.audio_tracks[0].channels == 8
        assert sum(len(b.samples) for b in reader.audio(48_000)) == pytest.approx(48_000, rel=0.01)


def test_tracks_can_be_chosen(clip_path) -> None:
    with open_clip(clip_path("cl0160.mp4")) as reader:
        first, second = (np.concatenate([b.samples for b in reader.audio(16_000, track=t)]) for t in (1, 2))
        assert len(first) != len(second) or np.abs(first - second).max() > 0.01
        sizes = {next(iter(reader.frames([1.0], track=t))).rgb.shape for t in (1, 2)}
        assert len(sizes) == 2
        with pytest.raises(MediaError, match="choose one of 1, 2"):
            reader.audio(16_000, track=3)


@pytest.mark.parametrize("name", ["cl0014.mov", "cl0015.mov", "cl0022.mp4", "cl0105.mp4"])
def test_rotated_clips_stand_upright(name: str, clip_path) -> None:
    with open_clip(clip_path(name)) as reader:
        stream = reader.clip.video_tracks[0]
        frame = next(iter(reader.frames([0.0])))
        assert stream.width_px > stream.height_px
        assert frame.rgb.shape[:2] == (stream.width_px, stream.height_px)


def test_anamorphic_pixels_become_square(clip_path) -> None:
    with open_clip(clip_path("cl0148.mpg")) as reader:
        frame = next(iter(reader.frames([0.5])))
        assert frame.rgb.shape[:2] == (288, round(352 * 64 / 45))


def test_variable_frame_rate_is_seen_and_kept(clip_path) -> None:
    with open_clip(clip_path("cl0114.mp4")) as reader:
        assert reader.clip.video_tracks[0].variable_fps
        times_s = np.array([f.time_s for f in reader.frames(max_side_px=32)])
        assert times_s[-1] == pytest.approx(14.467, abs=0.01) and (np.diff(times_s) >= 0).all()


def test_length_is_measured_where_nobody_says(clip_path) -> None:
    with open_clip(clip_path("cl0149.webm")) as reader:
        assert reader.clip.duration_s == pytest.approx(4.94, abs=0.05)
        assert any("measured" in p for p in reader.clip.problems)
