"""Mains hum: made hums of known frequency and strength are found or not as stated, and nothing else passes for one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.clues.hum import score
from engine.clues.hum.observe import BLOCK_S, RATE_HZ, HumObserver, blocks_of, hum_in
from engine.core.clip import AudioBlock, Clip, Interval
from engine.world import mains
from engine.world.grid import world_grid


def noise(seconds: float, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0.0, 0.05, int(seconds * RATE_HZ))


def lines(
    frequency_hz: NDArray[np.float64] | float, seconds: float, multiples: dict[int, float], seed: int = 0
) -> NDArray[np.float64]:
    """Noise and lines at multiples of a frequency (which may drift), each so many dB above the noise power in 1 Hz."""
    x = noise(seconds, seed)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(frequency_hz, x.shape)) / RATE_HZ
    density = 0.05**2 / (RATE_HZ / 2)
    for m, db in multiples.items():
        x = x + np.sqrt(2 * density * 10 ** (db / 10)) * np.sin(m * phase + m)
    return x


@pytest.mark.parametrize("supply_hz", [50.0, 60.0])
@pytest.mark.parametrize("db", [5.0, 10.0, 30.0])
def test_a_drifting_hum_is_found_with_its_supply(supply_hz: float, db: float) -> None:
    drift = 0.04 * np.sin(np.arange(40 * RATE_HZ) / RATE_HZ / 9)
    found = hum_in(lines(supply_hz + drift, 40, {1: db, 2: db, 3: db - 5, 4: db - 5}))
    assert found is not None and found.nominal_hz == supply_hz
    assert abs(found.frequency_hz - supply_hz) < 0.05
    assert {1, 2} <= set(found.multiples)


def test_the_high_multiples_are_enough_when_the_low_ones_are_cut() -> None:
    found = hum_in(lines(60.0, 40, {4: 12.0, 6: 12.0, 8: 10.0}))
    assert found is not None and found.nominal_hz == 60.0


def test_below_its_signal_to_noise_it_abstains() -> None:
    assert hum_in(lines(50.0, 60, {1: -8.0, 2: -8.0, 3: -8.0})) is None


def test_noise_is_no_hum() -> None:
    assert not any(hum_in(noise(24, seed)) for seed in range(40))


@pytest.mark.parametrize(
    "multiples",
    [{6: 30.0, 12: 30.0}, {1: 40.0}, {5: 25.0, 10: 25.0, 15: 25.0}],
    ids=["300 and 600 Hz are both supplies'", "one loud tone", "comb of 250 Hz"],
)
def test_lines_that_tell_no_supply_are_passed_over(multiples: dict[int, float]) -> None:
    assert hum_in(lines(50.0, 40, multiples)) is None


@pytest.mark.parametrize("hz", [10.0, 20.0, 55.0, 58.27, 52.08, 62.5, 46.875])
def test_combs_drones_and_films_at_another_speed_are_no_hum(hz: float) -> None:
    """10 and 20 Hz combs fit both supplies; 55 and 58.27 Hz are notes; 52.08 and 62.5 Hz are supplies played 4% fast."""
    assert hum_in(lines(hz, 40, dict.fromkeys(range(1, 17), 20.0))) is None


def test_music_with_notes_near_the_supplies_is_no_hum() -> None:
    """Notes of half a second, equal temperament, four partials: G1 (49.0 Hz) and B1 (61.7 Hz) among them."""
    rng = np.random.default_rng(5)
    for trial in range(8):
        x = noise(40, trial) * 0.1
        t = np.arange(RATE_HZ // 2) / RATE_HZ
        for start in range(0, len(x) - len(t), len(t)):
            note = 440.0 * 2 ** (rng.integers(-38, -5) / 12)
            x[start : start + len(t)] += sum(np.sin(2 * np.pi * k * note * t) / k for k in range(1, 5)) * np.exp(-3 * t)
        assert hum_in(x) is None


def test_too_short_and_silent_sound_abstains_and_broken_sound_raises() -> None:
    assert hum_in(lines(50.0, 12, {1: 30.0, 2: 30.0})) is None
    assert hum_in(np.zeros(40 * RATE_HZ)) is None
    assert hum_in(np.zeros(0)) is None
    with pytest.raises(ValueError, match="finite"):
        hum_in(np.full(40 * RATE_HZ, np.nan))


class Sounds:
    """A reader of one array, in blocks that fit nothing."""

    def __init__(self, samples: NDArray[np.float64]) -> None:
        self.samples = samples.astype(np.float32)
        self.clip = Clip("x.wav", "0" * 64, 1, "wav", len(samples) / RATE_HZ)
        self.skipped: dict[str, int] = {}

    def audio(
        self, rate_hz: int, interval: Interval | None = None, track: int | None = None, block_s: float = 10.0
    ) -> Iterator[AudioBlock]:
        assert rate_hz == RATE_HZ
        start = int((interval.start_s if interval else 0.0) * rate_hz)
        end = int(interval.end_s * rate_hz) if interval else len(self.samples)
        for at in range(start, min(end, len(self.samples)), 14_321):
            yield AudioBlock(at / rate_hz, rate_hz, self.samples[at : min(at + 14_321, end)])

    def frames(self, *args: object, **kwargs: object) -> Iterator[None]:
        return iter(())

    def close(self) -> None:
        pass


@pytest.mark.parametrize("seconds", [5.0, 60.0, 89.0, 91.0, 200.0])
def test_stretches_cover_the_sound_once(seconds: float) -> None:
    reader = Sounds(noise(seconds))
    parts = list(blocks_of(reader))
    assert np.array_equal(np.concatenate([s for _, s in parts]), reader.samples)
    assert all(len(s) <= 1.5 * BLOCK_S * RATE_HZ for _, s in parts)
    assert [round(at, 6) for at, _ in parts] == [BLOCK_S * i for i in range(len(parts))]


def test_the_clue_speaks_for_a_half_of_the_world_and_no_more() -> None:
    x = np.concatenate([noise(60), lines(60.0, 60, {1: 15.0, 2: 20.0, 3: 10.0})])
    reader = Sounds(x)
    found = HumObserver().observe(reader.clip, reader)
    assert [(o.label, o.start_s, o.end_s, o.kind) for o in found] == [("60 Hz", 60.0, 120.0, "hum")]
    grid = world_grid()
    evidence = score.log_likelihood(found, grid)
    supply = mains.of(grid)
    assert evidence.abstained is None
    assert set(np.unique(evidence.log_likelihood[supply == 60]).tolist()) == {0.0}
    assert np.allclose(evidence.log_likelihood[supply == 50], -np.log(score.MOST_FACTOR))
    assert (evidence.log_likelihood[supply == 0] < 0).all()
    again = score.log_likelihood(found * 20, grid)  # more of the same hum is no more evidence
    assert np.array_equal(again.log_likelihood, evidence.log_likelihood)
    assert HumObserver().observe(reader.clip, reader, Interval(0.0, 60.0)) == ()


def test_two_supplies_and_none_abstain_by_name() -> None:
    grid = world_grid()
    both = np.concatenate([lines(50.0, 60, {1: 20.0, 2: 20.0}), lines(60.0, 60, {1: 20.0, 2: 20.0})])
    reader = Sounds(both)
    found = HumObserver().observe(reader.clip, reader)
    assert {o.label for o in found} == {"50 Hz", "60 Hz"}
    assert "both" in str(score.log_likelihood(found, grid).abstained)
    assert "6 dB" in str(score.log_likelihood((), grid).abstained)
