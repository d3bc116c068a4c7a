"""To be quick leaves out what has no vote, and nothing else."""

from __future__ import annotations

from engine.analysis import perceive as perceiving
from engine.analysis.judge import perception_key
from engine.clues import registry
from engine.core.clip import Clip
from engine.core.settings import Settings


def names(settings: Settings) -> set[str]:
    return {clue.name for clue in perceiving._run(settings)}


def test_what_has_a_vote_is_run() -> None:
    everything, quick = names(Settings()), names(Settings(quick=True))
    assert everything - quick == {s.name for s in registry.SPECS if not s.scored(())}
    assert {"species", "hum", "text", "picture", "container"} <= quick


def test_what_is_asked_for_is_run() -> None:
    assert names(Settings(quick=True, included=frozenset({"atoms"}))) - names(Settings(quick=True)) == {"atoms"}


def test_results_are_kept_apart() -> None:
    clip = Clip("x.mp4", "0" * 64, 1, "mov", 3.0)
    asked = (Settings(), Settings(quick=True), Settings(quick=True, included=frozenset({"atoms"})))
    assert len({perception_key(clip, s) for s in asked}) == 3
