"""Channels that cancel each other: one is heard, it is said, and everything else is mixed as it was."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame

from engine.core.clip import Interval
from engine.media import mixing, open_clip

RATE = 16_000


def calls(seconds: float = 12.0, seed: int = 0) -> np.ndarray:
    """A bird of a kind: gliding whistles of 0.3 s every second, over a faint noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    on = (t % 1.0 < 0.3) * np.sin(np.pi * (t % 1.0) / 0.3) ** 2
    return 0.3 * on * np.sin(2 * np.pi * (2500 * t + 200 * np.sin(2 * np.pi * t))) + rng.normal(0, 0.002, len(t))


def noise(like: np.ndarray, level: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, len(like))


def write(path: Path, *channels: np.ndarray, layout: str = "stereo") -> Path:
    """A FLAC file of 16 bit of these channels."""
    whole = np.clip(np.stack(channels, axis=1) * 32767, -32767, 32767).round().astype("<i2")
    with av.open(str(path), "w") as out:
        stream = out.add_stream("flac", rate=RATE, layout=layout)
        for at in range(0, len(whole), 4096):
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(whole[at : at + 4096].reshape(1, -1)), "s16", layout)
            frame.sample_rate, frame.pts = RATE, at
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def heard(path: Path, interval: Interval | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    with open_clip(path) as reader:
        return np.concatenate([b.samples for b in reader.audio(RATE, interval)]), reader.clip.problems


def near(a: np.ndarray, b: np.ndarray) -> float:
    n = min(len(a), len(b))
    return float(np.corrcoef(a[:n], b[:n])[0, 1])


def test_an_inverted_channel_is_heard_through_the_other_and_it_is_said(tmp_path: Path) -> None:
    x = calls()
    sound, problems = heard(write(tmp_path / "x.flac", x, -x))
    assert near(sound, x) > 0.999
    assert np.std(sound) == pytest.approx(np.std(x), rel=0.01)
    assert len(problems) == 1 and "cancel each other" in problems[0] and "left channel alone" in problems[0]


@pytest.mark.parametrize("gain", [0.9, 0.6, 0.45, 1.6])
def test_one_inverted_with_another_gain(tmp_path: Path, gain: float) -> None:
    x = calls()
    sound, problems = heard(write(tmp_path / "x.flac", 0.5 * x, -0.5 * gain * x))
    assert any("cancel" in p for p in problems)
    assert np.std(sound) == pytest.approx(0.5 * max(1.0, gain) * np.std(x), rel=0.02), "the louder is heard"


def test_the_channel_with_less_noise_is_heard(tmp_path: Path) -> None:
    x = calls()
    sound, problems = heard(write(tmp_path / "x.flac", x + noise(x, 0.05, 1), -x))
    assert any("right channel alone" in p for p in problems)
    assert near(sound, -x) > 0.999


def test_rumble_in_both_channels_does_not_hide_what_cancels_above_it(tmp_path: Path) -> None:
    x = calls()
    rumble = 0.4 * np.sin(2 * np.pi * 30 * np.arange(len(x)) / RATE)
    _, problems = heard(write(tmp_path / "x.flac", rumble + x, rumble - x))
    assert any("cancel" in p for p in problems)


def test_stereo_made_wider_than_it_was(tmp_path: Path) -> None:
    middle, side = 0.1 * calls(seed=1), calls(seed=2)
    sound, problems = heard(write(tmp_path / "x.flac", middle + 0.6 * side, middle - 0.6 * side))
    assert any("cancel" in p for p in problems)
    assert abs(near(sound, side)) > 0.95


def test_fronts_that_cancel_in_surround_sound_and_the_low_frequencies_are_never_chosen(tmp_path: Path) -> None:
    x = calls()
    boom = 0.5 * np.sin(2 * np.pi * 40 * np.arange(len(x)) / RATE)
    faint = [noise(x, 1e-4, k) for k in range(3)]
    sound, problems = heard(write(tmp_path / "x.flac", x, -x, faint[0], boom, faint[1], faint[2], layout="5.1"))
    assert any("front left channel alone" in p for p in problems)
    assert near(sound, x) > 0.999


def test_a_silent_and_a_noisy_channel_are_left_out(tmp_path: Path) -> None:
    x = calls()
    sound, problems = heard(write(tmp_path / "dead.flac", np.zeros_like(x), x))
    assert any("Only the right channel" in p for p in problems)
    assert np.std(sound) == pytest.approx(np.std(x), rel=0.01), "no longer at half its level"
    sound, problems = heard(write(tmp_path / "hiss.flac", x, noise(x, 0.05, 5)))
    assert any("steady noise" in p for p in problems)
    assert near(sound, x) > 0.999


def test_only_where_they_cancel_and_alike_for_every_interval(tmp_path: Path) -> None:
    x = calls(40.0)
    other = np.where(np.arange(len(x)) < 20 * RATE, x, -x)
    path = write(tmp_path / "x.flac", x, other)
    whole, problems = heard(path)
    assert any("from 0:20 on" in p for p in problems)
    assert near(whole, x) > 0.99
    part, _ = heard(path, Interval(24.0, 30.0))
    assert np.abs(part - whole[24 * RATE : 30 * RATE]).max() < 1e-6


@pytest.mark.parametrize("kind", ["equal", "unrelated", "panned", "spaced", "mono in one with faint noise"])
def test_ordinary_stereo_is_mixed_as_ever(tmp_path: Path, kind: str) -> None:
    x, y = calls(seed=1), calls(seed=2)[::-1]
    left, right = {
        "equal": (x, x),
        "unrelated": (noise(x, 0.1, 1), noise(x, 0.1, 2)),
        "panned": (x + 0.3 * y, 0.3 * x + y),
        "spaced": (x + noise(x, 0.01, 1), np.roll(x, 1) + noise(x, 0.01, 2)),
        "mono in one with faint noise": (x, noise(x, 1e-4, 3)),
    }[kind]
    path = write(tmp_path / "x.flac", left, right)
    sound, problems = heard(path)
    assert problems == ()
    whole = np.stack([left, right], axis=1)
    mean = np.clip(whole * 32767, -32767, 32767).round().mean(axis=1) / 32768
    assert np.abs(sound - mean).max() < 1e-4


def test_parts_of_a_long_track(tmp_path: Path) -> None:
    """Of a track longer than what is looked through whole, pieces stand for their parts."""
    x = calls(mixing.SURVEYED_S + 60)
    other = np.where(np.arange(len(x)) < 90 * RATE, -x, x)
    with open_clip(write(tmp_path / "x.flac", x, other)) as reader:
        said = " ".join(reader.clip.problems)
        assert "cancel each other when they are mixed from 0:00 to 1:3" in said
        late = np.concatenate([b.samples for b in reader.audio(RATE, Interval(120.0, 130.0))])
    assert np.std(late) == pytest.approx(np.std(x), rel=0.05)
