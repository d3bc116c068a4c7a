"""The same recording is found again whatever was done to it, and another one is not."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import DataError
from engine.lab.data import degrade
from engine.media.fingerprint import RATE_HZ, STEP_S, Fingerprint, of_blocks, of_samples, same_recordings


def place(seed: int, seconds: float = 20.0) -> np.ndarray:
    """What a place sounds like: wind, and calls of a few kinds at random times."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE_HZ)
    out = 0.02 * rng.standard_normal(n)
    for _ in range(int(4 * seconds)):
        length = int(RATE_HZ * rng.uniform(0.05, 0.3))
        start = int(rng.integers(0, n - length))
        t = np.arange(length) / RATE_HZ
        pitch, rise = rng.uniform(600, 6000), rng.uniform(-3000, 3000)
        out[start : start + length] += 0.2 * np.hanning(length) * np.sin(2 * np.pi * (pitch * t + rise * t * t / 2))
    return out.astype(np.float32)


HERE = place(1)
_COPIES = {
    "quieter": lambda x: x * 0.1,
    "cut out": lambda x: x[5 * RATE_HZ + 77 : 15 * RATE_HZ],
    "coded": lambda x: degrade.through_aac(x, RATE_HZ),
    "under other sound": lambda x: x + 0.7 * place(2),
}


@pytest.mark.parametrize("what", _COPIES)
def test_a_copy_is_found_with_its_lag(what: str) -> None:
    copy = _COPIES[what](HERE).astype(np.float32)
    found = same_recordings([of_samples(place(3)), of_samples(HERE), of_samples(place(4)), of_samples(copy)])
    assert [(s.a, s.b) for s in found] == [(1, 3)]
    expected = -(5.0 + 77 / RATE_HZ) if what == "cut out" else 0.0
    assert found[0].lag_s == pytest.approx(expected, abs=1.5 * STEP_S)
    assert 0.0 <= found[0].start_s < found[0].end_s <= 20.0
    assert 0.05 < found[0].share <= 1.0


def test_other_recordings_of_the_same_kind_are_not_taken_for_one() -> None:
    assert same_recordings([of_samples(place(seed)) for seed in range(10, 22)]) == ()


def test_a_tone_and_silence_are_no_recording_in_common() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(20 * RATE_HZ) / RATE_HZ).astype(np.float32)
    silence = np.zeros(20 * RATE_HZ, np.float32)
    clicks = silence.copy()
    clicks[:: RATE_HZ // 2] = 1.0
    later = np.roll(clicks, RATE_HZ // 5)
    assert same_recordings([of_samples(x) for x in (tone, tone * 0.5, silence, silence, clicks, later)]) == ()


def test_blocks_of_any_size_give_the_same_marks() -> None:
    long = place(5, 95.0)
    whole = of_samples(long)
    pieces = [(at / RATE_HZ, long[at : at + 7777]) for at in range(0, len(long), 7777)]
    cut = of_blocks(pieces, 95.0)
    assert np.array_equal(cut.marks, whole.marks) and np.array_equal(cut.frames, whole.frames)
    assert whole.frames.max() * STEP_S > 90.0


def test_it_is_kept_as_bytes() -> None:
    made = of_samples(HERE)
    again = Fingerprint.from_bytes(made.to_bytes())
    assert np.array_equal(again.marks, made.marks) and np.array_equal(again.frames, made.frames)
    with pytest.raises(DataError):
        Fingerprint.from_bytes(b"12345")
    assert len(of_samples(np.zeros(10, np.float32)).marks) == 0
    assert same_recordings([]) == ()
