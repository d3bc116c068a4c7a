"""What a soundtrack tells of how it was made: made sounds with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from engine.clues.atoms import soundtrack

RATE = soundtrack.COPY_RATE_HZ


def surf(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """Coloured noise that swells: steady to the ear, never the same."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE)
    white = rng.normal(size=n)
    red = np.convolve(white, np.exp(-np.arange(200) / 30.0), "same")
    return (0.02 * red * (1.0 + 0.5 * np.sin(np.arange(n) / RATE))).astype(np.float32)


def test_a_copied_stretch_is_found_with_its_times_and_lag() -> None:
    clip = surf(40.0)
    clip[int(25.3 * RATE) : int(30.3 * RATE)] = clip[int(4.0 * RATE) : int(9.0 * RATE)]
    found = soundtrack.copies(clip)
    assert len(found) == 1
    assert found[0].lag_s == pytest.approx(21.3, abs=0.001)
    assert found[0].start_s == pytest.approx(4.0, abs=0.3) and found[0].end_s == pytest.approx(9.0, abs=0.3)
    assert found[0].likeness > 0.9


def test_a_copy_is_found_under_noise_and_at_another_level() -> None:
    clip = surf(60.0)
    clip[int(40.0 * RATE) : int(46.0 * RATE)] = 0.5 * clip[int(10.0 * RATE) : int(16.0 * RATE)]
    clip += 0.15 * float(clip.std()) * np.random.default_rng(5).normal(size=len(clip)).astype(np.float32)
    found = soundtrack.copies(clip)
    assert [round(c.lag_s, 2) for c in found] == [30.0]


def test_a_loop_repeats_at_every_multiple_of_its_length() -> None:
    found = soundtrack.copies(np.tile(surf(5.0), 6))
    assert {round(c.lag_s, 2) for c in found} >= {5.0, 10.0}


@pytest.mark.parametrize("seed", range(3))
def test_nature_and_steady_tones_repeat_nothing(seed: int) -> None:
    t = np.arange(30 * RATE) / RATE
    hum = (0.05 * np.sin(2 * np.pi * 100 * t) + 0.03 * np.sin(2 * np.pi * 350 * t)).astype(np.float32)
    assert soundtrack.copies(surf(30.0, seed)) == ()
    assert soundtrack.copies(hum + 0.2 * surf(30.0, seed)) == ()
    # a call given again and again, each time a little otherwise
    calls = 0.1 * surf(30.0, seed)
    rng = np.random.default_rng(seed)
    for at in range(1, 29, 2):
        n = int(0.4 * RATE)
        sweep = np.sin(2 * np.pi * np.cumsum(np.linspace(1200, 2500 + rng.normal(0, 20), n)) / RATE + rng.uniform(0, 6))
        start = int((at + rng.uniform(0, 0.2)) * RATE)
        calls[start : start + n] += (0.1 * sweep * np.hanning(n)).astype(np.float32)
    assert soundtrack.copies(calls) == ()


def test_digital_silence_has_its_bounds_and_quiet_is_no_silence() -> None:
    clip = surf(4.0)
    clip[RATE : 2 * RATE] = 0.0
    found = soundtrack.silences(clip, RATE, start_s=10.0)
    assert [(round(s.start_s, 2), round(s.end_s, 2)) for s in found] == [(11.0, 12.0)]
    assert soundtrack.silences(surf(4.0) * 0.05, RATE) == ()


@pytest.mark.parametrize(("rt_s", "low", "high"), [(0.25, 0.1, 0.5), (1.5, 1.0, 2.2)])
def test_reverberation_follows_the_room(rt_s: float, low: float, high: float) -> None:
    rng = np.random.default_rng(3)
    dry = np.zeros(20 * RATE)
    for at in np.arange(0.5, 19.0, 2.3):
        start = int(at * RATE)
        dry[start : start + RATE // 20] = rng.normal(size=RATE // 20)
    n = int(2.0 * RATE)
    room = rng.normal(size=n) * 10.0 ** (-3.0 * np.arange(n) / RATE / rt_s)
    wet = fftconvolve(dry, room)[: len(dry)]
    clip = (0.1 * wet / np.abs(wet).max() + 1e-6 * rng.normal(size=len(dry))).astype(np.float32)
    found = soundtrack.reverberation_s(clip, RATE)
    assert found is not None and low < found < high


def test_steady_noise_has_no_reverberation_to_tell() -> None:
    assert soundtrack.reverberation_s(surf(10.0), RATE) is None


def test_a_chord_is_more_tonal_than_surf_and_lies_on_the_scale() -> None:
    t = np.arange(4 * 32_000) / 32_000
    chord = sum(np.sin(2 * np.pi * 440 * 2 ** (k / 12) * t) for k in (0, 4, 7, 12)).astype(np.float32)
    off = sum(np.sin(2 * np.pi * 440 * 2 ** (k / 12) * t) for k in (0.5, 4.1, 7.7, 12.3)).astype(np.float32)
    noise = np.random.default_rng(0).normal(size=len(t)).astype(np.float32)
    a, b, c = (soundtrack.tonal_features(x, 32_000) for x in (chord, off, noise))
    assert a[0] > 0.5 > c[0] and a[1] > c[1]
    assert a[2] > 0.9 > b[2]


def test_voice_over_stands_far_above_a_background_that_goes_on() -> None:
    clip = surf(12.0) * 0.05
    speech = [(1.0, 5.0), (7.0, 11.0)]
    rng = np.random.default_rng(1)
    for a, b in speech:
        clip[int(a * RATE) : int(b * RATE)] += (0.2 * rng.normal(size=int((b - a) * RATE))).astype(np.float32)
    found = soundtrack.voice_over(clip, RATE, speech)
    assert found is not None and found.start_s == 1.0 and found.end_s == 11.0
    assert soundtrack.voice_over(surf(12.0), RATE, speech) is None
    assert soundtrack.voice_over(clip, RATE, []) is None


def test_long_sounds_are_correlated_block_by_block_as_in_one_go() -> None:
    samples = np.random.default_rng(6).normal(0, 0.1, 150_000).astype(np.float32)
    samples[90_000:110_000] = samples[7_000:27_000]
    whole, blocks = (soundtrack._autocorrelation(samples, most) for most in (1 << 20, 1 << 15))
    assert len(whole) == len(blocks) == len(samples)
    np.testing.assert_allclose(blocks, whole, atol=1e-4 * whole[0])
    assert blocks[8_000:].argmax() == whole[8_000:].argmax() == 83_000 - 8_000
