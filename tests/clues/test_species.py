"""The species clue: windows, features, likelihood, against known answers and the real model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from engine.analysis.perceive import perceive
from engine.clues.atoms.observe import AtomsObserver
from engine.clues.species import observe, score
from engine.clues.species.observe import SpeciesObserver, windows_of
from engine.clues.species.score import Calibration, heard_in, likelihoods
from engine.clues.speech.observe import SpeechObserver
from engine.core.clip import AudioBlock, Clip, Interval
from engine.core.errors import TooShortError
from engine.core.observation import Observation
from engine.core.posterior import Posterior
from engine.media.audio import to_wav
from engine.world.grid import world_grid
from engine.world.priors import prior

RATE = 48_000


class Sound:
    """A reader of samples in memory, in uneven blocks."""

    def __init__(self, samples: np.ndarray, start_s: float = 0.0) -> None:
        self.samples = samples.astype(np.float32)
        self.start_s = start_s
        self.clip = Clip("x.wav", "0" * 64, 1, "wav", len(samples) / RATE)
        self.skipped: dict[str, int] = {}

    def audio(
        self, rate_hz: int, interval: Interval | None = None, track: int | None = None, block_s: float = 10.0
    ) -> Iterator[AudioBlock]:
        for at in range(0, len(self.samples), 100_003):
            yield AudioBlock(self.start_s + at / RATE, RATE, self.samples[at : at + 100_003])

    def frames(self, *args: object, **kwargs: object) -> Iterator[None]:
        return iter(())

    def close(self) -> None:
        pass


def heard(label: str, score: float = 0.95, start_s: float = 0.0, author: str = "birdnet-v2.4") -> Observation:
    return Observation("species", "species", label, score, start_s, start_s + 3.0, author=author)


def posterior(*observations: Observation, when: date | None = None) -> Posterior:
    grid = world_grid()
    evidence = score.log_likelihood(observations, grid, when)
    assert evidence.abstained is None
    return Posterior.of(prior("mixture", grid), evidence.log_likelihood)


def test_windows_hold_the_samples_they_say() -> None:
    ramp = np.linspace(0.1, 1.0, round(RATE * 10.2))
    found = list(windows_of(Sound(ramp), 1.5))
    assert [round(t, 6) for t, _ in found] == [0, 1.5, 3.0, 4.5, 6.0, 7.5]
    for start_s, window in found[:-1]:
        at = round(start_s * RATE)
        assert np.array_equal(window, ramp[at : at + 3 * RATE].astype(np.float32))
    last = found[-1][1]  # 2.7 s of sound, then zeros
    assert np.array_equal(last[: round(2.7 * RATE)], ramp[round(7.5 * RATE) :][: round(2.7 * RATE)].astype(np.float32))
    assert not last[round(2.7 * RATE) :].any()


def test_a_stride_longer_than_a_window_skips_sound() -> None:
    found = [t for t, _ in windows_of(Sound(np.ones(RATE * 20)), 6.0)]
    assert found == [0.0, 6.0, 12.0, 18.0]


@pytest.mark.parametrize("length_s", [1.0, 2.9, 3.0])
def test_a_short_clip_is_one_window_that_ends_with_it(length_s: float) -> None:
    (piece,) = observe.pieces_of(Sound(np.ones(round(RATE * length_s))), 1.5)
    assert piece[:2] == (0.0, pytest.approx(length_s))


def test_less_than_a_second_of_sound_is_no_window() -> None:
    assert not list(windows_of(Sound(np.ones(RATE * 9 // 10)), 1.5))
    silent = np.zeros(RATE * 6)
    silent[RATE * 4 : RATE * 4 + RATE // 2] = 0.5
    assert not list(windows_of(Sound(silent), 1.5))


@pytest.mark.parametrize("length_s", [1.2, 4.6, 7.4, 10.2])
@pytest.mark.parametrize("stride_s", [1.5, 3.0])
def test_no_window_ends_after_the_sound(length_s: float, stride_s: float) -> None:
    pieces = list(observe.pieces_of(Sound(np.ones(round(RATE * length_s))), stride_s))
    assert max(end_s for _, end_s, _ in pieces) <= length_s + 1e-6
    assert all(end_s - start_s >= 1.0 for start_s, end_s, _ in pieces)


@pytest.mark.parametrize("clue", [SpeciesObserver(), AtomsObserver(), SpeechObserver()])
def test_a_clue_that_names_sounds_says_that_there_is_too_little(clue: SpeciesObserver | AtomsObserver | SpeechObserver) -> None:
    short = Sound(0.3 * np.sin(np.arange(RATE // 10)))
    with pytest.raises(TooShortError, match=r"^the sound lasts 0.1 s; at least 1 s is needed$"):
        clue.observe(short.clip, short)
    mostly = np.zeros(RATE * 5)
    mostly[: RATE // 2] = 0.3
    with pytest.raises(TooShortError, match=r"^all but 0.5 s of the sound is digital silence; at least 1 s is needed$"):
        clue.observe(short.clip, Sound(mostly))


def test_too_little_sound_is_an_abstention_and_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "tiny.wav"
    file.write_bytes(to_wav((0.3 * np.sin(np.arange(RATE // 10))).astype(np.float32), RATE))
    perception = perceive(file)
    assert not perception.failed and {o.clue for o in perception.observations} <= {"container"}
    for clue in ("species", "speech", "atoms"):
        assert perception.silent[clue] == "the sound lasts 0.1 s; at least 1 s is needed"


def test_digital_silence_is_passed_over_and_a_start_offset_kept() -> None:
    quiet_then_loud = np.concatenate([np.zeros(RATE * 3), np.ones(RATE * 3)])
    assert [t for t, _ in windows_of(Sound(quiet_then_loud, start_s=5.0), 3.0)] == [8.0]
    assert list(windows_of(Sound(np.zeros(RATE * 9)), 3.0)) == []


def test_a_species_counts_once_however_often_it_calls() -> None:
    many = tuple(heard("Parus major", 0.9, 3.0 * i) for i in range(50))
    assert len(heard_in(many)) == 1
    assert heard_in(many)[0].windows == 50


def test_a_rival_in_the_same_window_costs_confidence() -> None:
    alone = heard_in((heard("Parus major", 0.3),))
    beside = heard_in((heard("Parus major", 0.3), heard("Poecile atricapillus", 0.99)))
    rivalled = next(h for h in beside if h.score == 0.3)
    assert rivalled.behind > 0
    assert score.chances((rivalled,))[0] < score.chances(alone)[0]


def test_likelihood_of_certain_nonsense_is_flat_and_of_a_sure_bird_follows_its_range() -> None:
    grid = world_grid()
    n = len(grid)
    occurrence = np.zeros((n, 1), dtype=np.float32)
    occurrence[: n // 2] = 0.9
    flat = likelihoods(occurrence, np.zeros(n), np.array([1e-4]), grid, Calibration())
    sure = likelihoods(occurrence, np.zeros(n), np.array([0.999]), grid, Calibration())
    assert np.ptp(flat) < 0.01
    assert sure[0] - sure[-1] > 4


def test_great_tit_and_cuckoo_point_to_eurasia_and_chickadee_to_america() -> None:
    both = posterior(heard("Parus major", 0.99), heard("Cuculus canorus", 0.94))
    assert both.place().lon_deg > -15
    chickadee = posterior(heard("Poecile atricapillus", 0.95))
    assert -170 < chickadee.place().lon_deg < -50


def test_a_date_moves_a_migrant() -> None:
    lat, lon = world_grid().lat_lon_deg
    western_europe = (lat > 45) & (lat < 60) & (lon > -10) & (lon < 15)

    def share(when: date) -> float:
        return float(posterior(heard("Apus apus", 0.99), when=when).mass[western_europe].sum())

    assert share(date(2024, 6, 10)) > 5 * share(date(2024, 1, 10))


def test_sounds_and_strangers_are_listed_and_never_scored() -> None:
    dog = Observation("species", "sound", "Dog", 0.99, 0.0, 3.0)
    evidence = score.log_likelihood((dog, heard("Homo sapiens")), world_grid())
    assert evidence.abstained and "no animal" in evidence.abstained
    assert not evidence.log_likelihood.any()
    nothing = score.log_likelihood((), world_grid())
    assert nothing.abstained == "no sound was recognised"


def test_an_analysts_word_counts_with_the_confidence_stated() -> None:

    def chance(*observations: Observation) -> float:
        return float(score.chances(heard_in(observations))[0])

    low, high = heard("Parus major", 0.05), heard("Parus major", 0.99)
    assert chance(low) < 0.3
    assert chance(heard("Parus major", 0.6, author="analyst:Ann")) == pytest.approx(0.6)
    assert chance(low, heard("Parus major", 0.9, author="analyst")) == pytest.approx(0.9)
    assert chance(high, heard("Parus major", 0.3, author="analyst")) == chance(high), "a confirmation never lowers"
    sure = chance(heard("Parus major", 1.0, author="analyst"))
    assert sure == pytest.approx(1.0 - score.FITTED.doubt), "vagrants and playback stay possible"


def test_an_analysts_word_is_no_rival_of_what_a_model_heard() -> None:
    alone = heard_in((heard("Parus major", 0.6),))[0]
    beside = heard_in((heard("Parus major", 0.6), heard("Cuculus canorus", 0.99, author="analyst")))
    tit = next(h for h in beside if h.index == alone.index)
    assert (tit.behind, tit.windows, tit.score) == (alone.behind, alone.windows, alone.score)


def test_the_real_model_runs_over_noise_without_birds() -> None:
    noise = np.random.default_rng(0).standard_normal(RATE * 6) * 0.05
    sound = Sound(noise)
    found = SpeciesObserver().observe(sound.clip, sound)
    assert all(o.score < 0.9 for o in found if o.kind == "species")
    assert {o.author for o in found} <= {"birdnet-v2.4", "sound-kinds"}


def test_richness_table_agrees_with_the_model() -> None:
    grid = world_grid()
    some = np.random.default_rng(1).choice(len(grid), 20, replace=False)
    ranges = score.ranges()
    lat, lon = (x[some] for x in grid.lat_lon_deg)
    for week in (None, 20):
        assert np.allclose(ranges.log_richness(grid, week)[some], np.log1p(ranges._richness_at(lat, lon, week)), atol=0.01)
