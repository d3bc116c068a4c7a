"""A machine's tones are found and taken out; an even whistle of a throat is not, and a bird beside a tone is still heard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.clues.species import observe, score, tones
from engine.clues.species.observe import SpeciesObserver
from engine.clues.species.tones import TONE
from engine.core.observation import Observation
from engine.models import birdnet
from engine.world.grid import world_grid
from tests.clues.test_species import Sound

RATE = birdnet.RATE_HZ
T = np.arange(3 * RATE) / RATE


def gated(on_s: float, off_s: float, ramp_s: float = 0.003) -> np.ndarray:
    gate = (np.mod(T, on_s + off_s) < on_s).astype(float)
    size = round(ramp_s * RATE)
    return np.convolve(gate, np.ones(size) / size, "same")


def tone(*hz: float) -> np.ndarray:
    return sum(np.sin(2 * np.pi * f * T) for f in hz) / len(hz)


def swept(hz: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * np.cumsum(hz) / RATE)


def dialled() -> np.ndarray:
    pairs = [(697, 1209), (770, 1336), (852, 1477), (941, 1336), (697, 1477), (941, 1209)]
    out = np.zeros(len(T))
    for number, pair in enumerate(pairs * 3):
        own = (number * 0.16 <= T) & (number * 0.16 + 0.1 > T)
        out += own * tone(*pair)
    return out


MACHINES: dict[str, Callable[[], np.ndarray]] = {
    "440 Hz": lambda: tone(440),
    "line-up at 1 kHz": lambda: tone(1000) * (T > 0.25),
    "8 kHz": lambda: tone(8000),
    "mains and its multiples": lambda: tone(100, 200, 300, 500),
    "dial tone, North America": lambda: tone(350, 440),
    "dial tone, Europe": lambda: tone(425),
    "ring, North America": lambda: tone(440, 480) * (T < 2),
    "ring, Britain": lambda: tone(400, 450) * gated(0.4, 0.2),
    "ring, Japan": lambda: tone(400, 416),
    "engaged, Germany": lambda: tone(425) * gated(0.48, 0.48),
    "congestion": lambda: tone(425) * gated(0.24, 0.24),
    "information tones": lambda: swept(np.repeat([950.0, 1400.0, 1800.0], RATE)),
    "push buttons": dialled,
    "six pips": lambda: tone(1000) * gated(0.1, 0.9),
    "a bleep": lambda: tone(1000) * ((T > 1) & (T < 1.6)),
    "reversing": lambda: np.sign(tone(1250)) * gated(0.4, 0.4),
    "smoke alarm": lambda: tone(3100) * gated(0.5, 0.5),
    "alarm clock": lambda: np.sign(tone(2048)) * gated(0.0625, 0.0625),
    "two-tone horn": lambda: swept(np.where(np.mod(T, 1.0) < 0.5, 440.0, 585.0)),
    "sweep": lambda: swept(200.0 * 25.0 ** (T / 3)),
    "warble": lambda: swept(1000.0 + 50.0 * np.sin(2 * np.pi * 5 * T)),
    "wail": lambda: swept(1050.0 + 450.0 * np.sin(2 * np.pi * 0.3 * T)),
    "square wave": lambda: np.sign(tone(440)),
    "tremolo": lambda: (1 + 0.9 * tone(8)) * tone(1000) / 2,
    "slow tremolo": lambda: (1 + 0.8 * tone(1)) * tone(700) / 2,
    "two tones that beat": lambda: tone(440, 444),
    "two strings out of tune": lambda: tone(440, 440.6),
    "a tone faded in": lambda: T / 3 * tone(1000),
}


@pytest.mark.parametrize("level", [0.5, 0.005])
@pytest.mark.parametrize("kind", MACHINES)
def test_a_machines_tone_is_found_and_taken_out(kind: str, level: float) -> None:
    noise = np.random.default_rng(1).normal(0, level / 300, len(T))
    window = (level * MACHINES[kind]() + noise).astype(np.float32)
    apart = tones.take_apart(window, RATE)
    assert apart.lines
    assert apart.share > 0.7


def whistle(hz: float, drift: float, shape: np.ndarray, seed: int) -> np.ndarray:
    """A note whose pitch and strength wander as a throat lets them: drift is the relative spread of its pitch."""
    rng = np.random.default_rng(seed)

    def wander(steps: int) -> np.ndarray:
        return np.interp(np.linspace(0, steps - 1, len(T)), np.arange(steps), rng.normal(0, 1, steps))

    return shape * 10 ** (wander(60) / 20) * swept(hz * (1 + drift * wander(40)))


ANIMALS: dict[str, Callable[[], np.ndarray]] = {
    "a hoot of three seconds, rising slowly (flufftail)": lambda: whistle(480, 0.003, np.sin(np.pi * T / 3) ** 0.7, 1),
    "a short hoot every 2 s (scops owl)": lambda: whistle(1300, 0.004, np.exp(-(((np.mod(T, 2) - 0.5) / 0.09) ** 2)), 2),
    "regular pipes (pygmy owl)": lambda: whistle(1450, 0.004, np.exp(-(((np.mod(T, 1) - 0.5) / 0.07) ** 2)), 3),
    "pops (tinkerbird)": lambda: whistle(950, 0.004, np.exp(-(((np.mod(T, 0.55) - 0.2) / 0.03) ** 2)), 4),
    "a long thin whistle (sparrow)": lambda: whistle(4500, 0.002, np.clip(np.sin(2 * np.pi * T / 1.5), 0, None) ** 0.3, 5),
    "trill": lambda: whistle(3000, 0.004, np.clip(np.sin(2 * np.pi * 22 * T), 0, None), 6),
}


@pytest.mark.parametrize("kind", ANIMALS)
def test_a_whistle_of_an_animal_is_left_alone(kind: str) -> None:
    window = (0.3 * ANIMALS[kind]() + np.random.default_rng(9).normal(0, 1e-3, len(T))).astype(np.float32)
    apart = tones.take_apart(window, RATE)
    assert apart.lines == ()
    assert apart.rest is window


def test_what_lies_beside_a_tone_stays() -> None:
    bird = 0.1 * whistle(3000, 0.004, np.clip(np.sin(2 * np.pi * 5 * T), 0, None), 6)
    apart = tones.take_apart((0.3 * tone(440) + bird).astype(np.float32), RATE)
    assert np.corrcoef(apart.rest, bird)[0, 1] > 0.98
    assert np.std(apart.rest) == pytest.approx(np.std(bird), rel=0.1)


def test_a_window_that_is_nothing_but_a_tone_leaves_next_to_nothing() -> None:
    apart = tones.take_apart((0.3 * tone(440)).astype(np.float32), RATE)
    assert [round(line.middle_hz) for line in apart.lines] == [440]
    assert np.std(apart.rest) < 0.3 / 50
    silent = tones.take_apart(np.zeros(3 * RATE, np.float32), RATE)
    assert silent.lines == () and silent.share == 0.0
    with pytest.raises(ValueError, match="finite"):
        tones.take_apart(np.full(3 * RATE, np.nan, np.float32), RATE)


def test_the_end_of_a_ring_is_known_by_the_ring() -> None:
    end = (0.3 * tone(425) * (T < 0.1) + np.random.default_rng(1).normal(0, 1e-3, len(T))).astype(np.float32)
    assert tones.take_apart(end, RATE, [425.0]).lines
    assert not tones.take_apart(end, RATE, [700.0]).lines or tones.take_apart(end, RATE).lines


def test_a_tone_is_no_bird_and_it_is_said() -> None:
    noise = np.random.default_rng(1).normal(0, 3e-4, 9 * RATE)
    t = np.arange(9 * RATE) / RATE
    sound = Sound(0.3 * np.sin(2 * np.pi * 440 * t) + noise)
    assert birdnet.labels()[int(observe.listener().scores(sound.samples[None, : 3 * RATE])[0].argmax())].is_species
    found = SpeciesObserver(3.0).observe(sound.clip, sound)
    assert [o for o in found if o.kind == "species"] == []
    said = [o for o in found if o.label == TONE]
    assert [(o.start_s, o.end_s) for o in said] == [(0.0, 3.0), (3.0, 6.0), (6.0, 9.0)]
    assert said[0].note.startswith("lines at 440 Hz, 100% of the power")
    evidence = score.log_likelihood(found, world_grid())
    assert evidence.abstained is not None and "3 windows of 3 s hold a machine's tone" in evidence.abstained


def test_a_lone_remark_is_no_evidence() -> None:
    said = Observation("species", "sound", TONE, 1.0, 0.0, 3.0)
    evidence = score.log_likelihood((said,), world_grid())
    assert evidence.abstained is not None and "1 window of 3 s holds" in evidence.abstained
