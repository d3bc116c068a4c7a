"""What is perceived at the same time, and what in turn."""

from __future__ import annotations

import threading
import time
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from engine.analysis import perceive as perceiving
from engine.clues import registry
from engine.core.clip import Interval
from engine.core.errors import Cancelled, SettingError
from engine.core.observation import Observation
from engine.core.progress import Progress
from engine.core.settings import Settings


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
    """Three clues that listen, and the names of those whose models were unloaded."""
    unloaded: list[str] = []
    Busy.at_work, Busy.met = set(), set()
    monkeypatch.setattr(registry, "clues", lambda *_: [Busy("species"), Busy("hum"), Busy("atoms")])
    monkeypatch.setattr(registry, "unload", unloaded.append)
    monkeypatch.setattr(perceiving, "WAIT_S", 0.05)
    yield unloaded


def large(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """These clues, and no others, are said to be large."""
    specs = tuple(replace(s, large=s.name in names) for s in registry.SPECS)
    monkeypatch.setattr(registry, "SPECS", specs)


def test_of_a_long_film_the_largest_models_work_in_turn(noise: Path, monkeypatch: pytest.MonkeyPatch, busy: list[str]) -> None:
    short = perceiving.perceive(noise, Settings())
    assert frozenset(("species", "hum")) in Busy.met and not busy
    Busy.met = set()
    monkeypatch.setattr(perceiving, "LONG_S", 1.0)
    large(monkeypatch, "species", "hum")  # they begin at the same time
    long = perceiving.perceive(noise, Settings())
    assert frozenset(("species", "hum")) not in Busy.met and set(busy) == {"species", "hum", "atoms"}
    for found in (short, long):
        assert not found.failed and found.ambience is not None
        assert {"species", "hum", "atoms", perceiving.BACKGROUND} <= set(found.elapsed_s)
    assert long.elapsed_s["hum"] < 1.0, "waiting is not working"


def test_who_waits_can_be_stopped(noise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceiving, "LONG_S", 1.0)
    large(monkeypatch, "species", "hum")

    def stop(step: Progress) -> None:
        if step.stage.endswith("waits for its turn"):
            raise Cancelled("Stopped as asked; nothing was kept.")

    with pytest.raises(Cancelled):
        perceiving.perceive(noise, Settings(), stop)
    assert not Busy.at_work


# --- ends ------------------------------------------------------------------------------------------------------------------

WINDOWS = ((0.0, 3.0), (3.0, 6.0), (3.9999, 6.9999), (4.0, 4.0), (4.02, 4.02), (4.5, 7.5), (9.0, 9.0), (-0.5, 2.5))


class Late(Busy):
    """A clue whose windows know nothing of the clip's end."""

    def observe(self, *_: Any) -> tuple[Observation, ...]:  # type: ignore[override]
        if self.name != "species":
            return ()
        return tuple(Observation("species", "species", "Parus major", 0.9, a, b, "Great Tit") for a, b in WINDOWS)


@pytest.mark.parametrize("interval, end_s", [(None, 4.0), (Interval(1.0, 3.5), 3.5), (Interval(2.0, 60.0), 4.0)])
def test_nothing_perceived_ends_after_the_clip_or_the_stretch(
    noise: Path, monkeypatch: pytest.MonkeyPatch, interval: Interval | None, end_s: float
) -> None:
    monkeypatch.setattr(registry, "clues", lambda *_: [Late("species")])
    found = perceiving.perceive(noise, Settings(interval=interval))
    own = [o for o in found.observations if o.clue == "species"]
    assert own and found.interval.end_s == end_s
    assert all(found.interval.start_s <= o.start_s <= o.end_s <= end_s for o in own)
    assert all(o.start_s < o.end_s for o in own if o.start_s not in (4.0, end_s)), "only moments have no length"
    lost = len(WINDOWS) - len(own)
    assert lost and [p for p in found.clip.problems if p.startswith(f"{lost} observations lie outside")]


def test_what_is_put_in_ends_with_the_clip_and_what_lies_after_it_is_refused(noise: Path) -> None:
    from engine.analysis import edits as hand
    from engine.cli.edit_options import PlannedEdits

    perception = perceiving.perceive(noise, Settings())
    over, late = (hand.add_species("Parus major", a, b, 0.9, "Ann") for a, b in ((2.0, 5.0), (4.5, 7.5)))
    (added,) = PlannedEdits((lambda _: over,)).apply(perception, Settings()).added
    assert (added.start_s, added.end_s) == (2.0, 4.0)
    with pytest.raises(SettingError, match=r"Great Tit at 4\.5 s lies after the end of the clip \(4\.0 s\)"):
        PlannedEdits((lambda _: late,)).apply(perception, Settings())
    table = b"0.0\t3.0\tTurdus merula_Eurasian Blackbird\t0.8\n3.0\t6.0\tTurdus merula_Eurasian Blackbird\t0.7\n" + (
        b"6.0\t9.0\tTurdus merula_Eurasian Blackbird\t0.6\n"
    )
    edit, read = hand.read_table(table, "t.txt", perception)
    assert [(o.start_s, o.end_s) for o in edit.replacement] == [(0.0, 3.0), (3.0, 4.0)]
    assert any("after the end of the clip" in remark for remark in read.remarks)
