"""What is perceived at the same time, and what in turn."""

from __future__ import annotations

import threading
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import perceiving
from engine.core.finding import Settings


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    path = tmp_path / "noise.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(np.random.default_rng(0).normal(0, 2000, 4 * 16_000).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize(("long_s", "most"), [(600.0, 2), (1.0, 1)])
def test_of_a_long_film_the_sound_is_heard_in_turn(
    noise: Path, monkeypatch: pytest.MonkeyPatch, long_s: float, most: int
) -> None:
    lock, at_once, seen = threading.Lock(), [0], [0]
    heard: list[str] = []

    def observe(clues: list[Any], *_: Any) -> perceiving._Lane:
        with lock:
            at_once[0] += 1
            seen[0] = max(seen[0], at_once[0])
        time.sleep(0.5)
        with lock:
            at_once[0] -= 1
            heard.extend(c.name for c in clues)
        return perceiving._Lane({c.name: () for c in clues}, elapsed={c.name: 0.5 for c in clues})

    monkeypatch.setattr(perceiving, "_observe", observe)
    monkeypatch.setattr(perceiving, "LONG_S", long_s)
    found = perceiving.perceive(noise, Settings())
    assert seen[0] == most
    assert {"species", "atoms", "hum", "speech"} <= set(heard) and len(heard) == len(set(heard)), "each clue once"
    assert found.ambience is not None and not found.failed
    assert {"species", "atoms", perceiving.BACKGROUND} <= set(found.elapsed_s)
