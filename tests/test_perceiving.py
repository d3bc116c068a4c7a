"""What is perceived at the same time, and what in turn."""

from __future__ import annotations

import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from engine import perceiving
from engine.clues import registry
from engine.core.errors import Cancelled
from engine.core.finding import Settings
from engine.core.progress import Progress


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    path = tmp_path / "noise.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(np.random.default_rng(0).normal(0, 2000, 4 * 16_000).astype("<i2").tobytes())
    return path


class Busy:
    """A clue that takes its time and hears nothing."""

    modality = "sound"
    models = ("busy",)
    at_work: ClassVar[set[str]] = set()
    met: ClassVar[set[frozenset[str]]] = set()
    lock = threading.Lock()

    def __init__(self, name: str) -> None:
        self.name = self.reads = name

    def observe(self, *_: Any) -> tuple[()]:
        with Busy.lock:
            Busy.at_work.add(self.name)
            Busy.met |= {frozenset((self.name, other)) for other in Busy.at_work - {self.name}}
        time.sleep(0.6)
        with Busy.lock:
            Busy.at_work.discard(self.name)
        return ()


@pytest.fixture(autouse=True)
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Three clues that listen, and the names of those let go."""
    let_go: list[str] = []
    Busy.at_work, Busy.met = set(), set()
    monkeypatch.setattr(registry, "clues", lambda *_: [Busy("species"), Busy("hum"), Busy("atoms")])
    monkeypatch.setattr(registry, "let_go", let_go.append)
    monkeypatch.setattr(perceiving, "WAIT_S", 0.05)
    yield let_go


def test_of_a_long_film_the_largest_models_work_in_turn(noise: Path, monkeypatch: pytest.MonkeyPatch, busy: list[str]) -> None:
    short = perceiving.perceive(noise, Settings())
    assert frozenset(("species", "hum")) in Busy.met and not busy
    Busy.met = set()
    monkeypatch.setattr(perceiving, "LONG_S", 1.0)
    monkeypatch.setattr(perceiving, "LARGEST", frozenset({"species", "hum"}))  # they begin at the same time
    long = perceiving.perceive(noise, Settings())
    assert frozenset(("species", "hum")) not in Busy.met and set(busy) == {"species", "hum", "atoms"}
    for found in (short, long):
        assert not found.failed and found.ambience is not None
        assert {"species", "hum", "atoms", perceiving.BACKGROUND} <= set(found.elapsed_s)
    assert long.elapsed_s["hum"] < 1.0, "waiting is not working"


def test_who_waits_can_be_stopped(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceiving, "LONG_S", 1.0)
    monkeypatch.setattr(perceiving, "LARGEST", frozenset({"species", "hum"}))

    def stop(step: Progress) -> None:
        if step.stage.endswith("waits for its turn"):
            raise Cancelled("Stopped as asked; nothing was kept.")

    with pytest.raises(Cancelled):
        perceiving.perceive(noise, Settings(), stop)
    assert not Busy.at_work
