"""Memory that is given back, and what findings hold."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from engine.clues import registry
from engine.clues.scene import observe as scene
from engine.clues.species import observe as species
from engine.clues.speech import observe as speech
from engine.clues.text import observe as text
from engine.core import memory
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.offline import SILENT
from engine.core.posterior import Posterior
from engine.models import atoms
from engine.world.grid import world_grid


def test_what_is_set_already_stays() -> None:
    assert memory.environment({"HOME": "/x"}) == {**memory.ALLOCATOR, "HOME": "/x", **SILENT}
    assert memory.environment({"MALLOC_ARENA_MAX": "7"})["MALLOC_ARENA_MAX"] == "7"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell what a process holds")
def test_freed_memory_goes_back() -> None:
    code = (
        "from engine.core.memory import give_back, _trim\n"
        "held = lambda: int(open('/proc/self/statm').read().split()[1]) * 4096 / 1e6\n"
        "parts = [bytearray(100_000) for _ in range(2000)]\n"
        "kept = parts[-1]; full = held(); del parts\n"
        "give_back(); print(full - held() if _trim() else 200)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=memory.environment(), check=True)
    assert float(done.stdout) > 150  # of 200 MB


def test_memory_is_given_back_while_something_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given, threads = threading.Semaphore(0), threading.active_count()
    monkeypatch.setattr(memory, "give_back", given.release)
    with pytest.raises(ZeroDivisionError), memory.tidied(0.001):
        assert given.acquire(timeout=30) and given.acquire(timeout=30)
        raise ZeroDivisionError
    assert given.acquire(timeout=30) and threading.active_count() == threads


def test_a_lean_posterior_says_the_same() -> None:
    grid = Grid.of(world_grid().cells[:500])
    mass = np.random.default_rng(0).dirichlet(np.ones(500))
    posterior = Posterior(grid, np.log(mass))
    before = (posterior.place(), posterior.region_area_km2(0.9), posterior.mass.copy(), grid.xyz.copy())
    posterior.drop_derived()
    grid.drop_derived()
    assert "mass" not in vars(posterior) and "xyz" not in vars(grid)
    assert (posterior.place(), posterior.region_area_km2(0.9)) == before[:2]
    np.testing.assert_array_equal(posterior.mass, before[2])
    np.testing.assert_array_equal(grid.xyz, before[3])


def test_a_silent_clue_holds_no_cells() -> None:
    said = Evidence.silent("text", "picture", world_grid(), "nothing was read").log_likelihood
    assert said.shape == (len(world_grid()),) and not said.any()
    assert said.strides == (0,)


def test_every_clue_that_keeps_a_model_unloads_it() -> None:
    kept = {
        "species": species.listener,
        "speech": speech.voice_detector,
        "atoms": atoms.decomposer,
        "text": text.text_reader,
        "scene": scene.net,
    }
    for name, model in kept.items():
        first = model()
        registry.unload(name)
        assert model.cache_info().currsize == 0
        assert model() is not first
    for spec in registry.SPECS:
        registry.unload(spec.name)  # those that keep none as well
    assert not [name for name, model in kept.items() if model.cache_info().currsize]
