"""The clue of acoustic atoms: windows, observations, what it says of places, and a sound without some of its atoms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.clues.atoms import dictionary, observe, remarks, score, without
from engine.core.clip import AudioBlock, Clip, Interval
from engine.core.errors import DataError
from engine.core.observation import Observation
from engine.models import atoms as nets
from engine.world.grid import world_grid

RATE = nets.RATE_HZ
SHIPPED = pytest.mark.skipif(
    not (nets.FOLDER / "weights.safetensors").is_file(), reason="the model is not there: earwitness lab train-atoms"
)


class Sound:
    """A reader of samples held in memory."""

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self.samples = samples
        self.clip = Clip("sound.wav", "0" * 64, 1, "wav", len(samples) / RATE)
        self.skipped: dict[str, int] = {}

    def audio(
        self, rate_hz: int, interval: Interval | None = None, track: int | None = None, block_s: float = 10.0
    ) -> Iterator[AudioBlock]:
        from scipy.signal import resample_poly

        held = self.samples if rate_hz == RATE else resample_poly(self.samples, rate_hz, RATE).astype(np.float32)
        first = round(interval.start_s * rate_hz) if interval else 0
        held = held[first : round(interval.end_s * rate_hz) if interval else None]
        size = round(block_s * rate_hz)
        for at in range(0, len(held), size):
            yield AudioBlock((first + at) / rate_hz, rate_hz, held[at : at + size])

    def frames(self, *_: object, **__: object) -> Iterator[object]:
        return iter(())

    def close(self) -> None: ...


def noise(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.05, int(seconds * RATE)).astype(np.float32)


@pytest.mark.parametrize(
    ("seconds", "hop_s", "starts"),
    [(4.0, 2.0, [0.0]), (1.0, 2.0, [0.0]), (8.0, 4.0, [0.0, 4.0]), (9.0, 4.0, [0.0, 4.0, 8.0]), (7.0, 2.0, [0.0, 2.0, 4.0])],
)
def test_windows_cover_the_sound(seconds: float, hop_s: float, starts: list[float]) -> None:
    found = list(observe.windows_of(Sound(noise(seconds)), hop_s))
    assert [at for at, _ in found] == starts
    assert all(len(w) == nets.WINDOW_SAMPLES for _, w in found)


def heard(label: str, score: float) -> Observation:
    return Observation("atoms", "atom", label, score, 0.0, 4.0, label, "model")


def test_surf_is_likelier_by_the_sea_and_thunder_between_the_polar_seas() -> None:
    grid = world_grid()
    surf = score.log_likelihood((heard("Waves, surf", 0.9),), grid)
    assert surf.abstained is None
    lat, lon = np.array([50.4, 48.0]), np.array([-5.05, 67.0])  # Newquay, and the middle of Kazakhstan
    newquay, steppe = grid.locate(lat, lon)
    assert surf.log_likelihood[newquay] == 0.0
    assert surf.log_likelihood[steppe] == pytest.approx(np.log(0.1 + 0.9 / 4))
    storm = score.log_likelihood((heard("Thunderstorm", 1.0),), grid)
    high = np.abs(grid.lat_lon_deg[0]) > 60
    assert (storm.log_likelihood[high] < 0).all() and not storm.log_likelihood[~high].any()


def test_it_abstains_by_name() -> None:
    grid = world_grid()
    assert "no everyday sound" in (score.log_likelihood((), grid).abstained or "")
    assert "indicates a place" in (score.log_likelihood((heard("Dog", 0.9),), grid).abstained or "")
    with pytest.raises(DataError, match="kind"):
        score.hardly("on the moon", grid)


def test_every_row_of_the_table_has_a_modest_factor_and_a_source() -> None:
    for cue in score.cues():
        assert 1.0 < cue.factor <= 4.0 and cue.source


def test_remarks_tell_of_silence_and_copies_in_the_clips_own_time() -> None:
    samples = noise(30.0)
    samples[20 * RATE : 24 * RATE] = samples[3 * RATE : 7 * RATE]
    samples[10 * RATE : 11 * RATE] = 0.0
    found = {o.label: o for o in remarks.remarks(Sound(samples))}
    assert found[remarks.SILENT].start_s == pytest.approx(10.0, abs=0.05)
    assert found[remarks.COPIED].start_s == pytest.approx(3.0, abs=0.3) and "17.00 s later" in found[remarks.COPIED].note
    assert all(o.kind == "sound" for o in found.values())
    assert remarks.MUSIC not in found
    told = remarks.remarks(Sound(samples), tonal=[(0.0, 0.9), (4.0, 0.95), (8.0, 0.1)])
    music = next(o for o in told if o.label == remarks.MUSIC)
    assert (music.start_s, music.end_s) == (0.0, 8.0)


@SHIPPED
def test_observing_names_labels_within_the_clip() -> None:
    sound = Sound(noise(6.0))
    found = observe.AtomsObserver().observe(sound.clip, sound)  # type: ignore[arg-type]
    known = set(nets.decomposer().labels)
    for o in found:
        assert o.clue == "atoms" and (
            o.label in known
            if o.kind == "atom"
            else o.label in (remarks.COPIED, remarks.SILENT, remarks.REVERB, remarks.MUSIC, remarks.VOICE)
        )
        assert o.kind != "atom" or (0.0 <= o.start_s < o.end_s <= 8.0 and o.score >= observe.LEAST_CHANCE)


@SHIPPED
def test_a_sound_without_no_atom_is_the_sound_and_without_all_is_the_residual() -> None:
    samples = noise(8.0)
    same = np.concatenate([b.samples for b in without.Without(Sound(samples), ()).audio(RATE)])  # type: ignore[arg-type]
    assert np.allclose(same, samples, atol=1e-5)
    less = np.concatenate([b.samples for b in without.Without(Sound(samples), nets.decomposer().labels).audio(48_000)])  # type: ignore[arg-type]
    assert len(less) == 8 * 48_000 and float((less**2).mean()) <= float((samples**2).mean()) * 1.01


@SHIPPED
def test_a_kernel_is_rendered_from_the_dictionary_alone() -> None:
    label = nets.decomposer().labels[0]
    a, b = (dictionary.kernel_wave(label, 0, seed=s) for s in (0, 0))
    assert np.array_equal(a, b) and 0.2 < np.abs(a).max() <= 0.31 and len(a) > RATE
    told = dictionary.entry(label)
    assert told.kernels.shape == (nets.KERNELS, nets.BANDS, nets.KERNEL_FRAMES)
