"""The benchmark's figures on flows in closed form: draws and grid must tell the same, PLONK's fidelity has known answers."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from engine.analysis import flow_density as flowing
from engine.core import sphere
from engine.core.errors import DataError
from engine.lab.bench import flow as flow_table
from engine.lab.bench.metrics import outcome
from engine.models.flow.model import Samples
from engine.models.flow.sketch import Condition
from engine.world import priors
from engine.world.grid import world_grid

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "verdict"))
from test_flowing import Bumps, full


class Drawn(Bumps):
    """With draws of known density, as the benchmark wants them."""

    def sample(self, condition: object, n: int, seed: int = 0, density: bool = False, keep_path: bool = False) -> Samples:
        x = self.draws(n, seed)
        return Samples(x, self.log_density(None, x)[0] if density else None, 1.0, x[None] if keep_path else None)


TOLD = Condition(atoms=np.array([0.5, 0.5], dtype=np.float32))


@pytest.mark.parametrize("name", ["area", "population"])
@pytest.mark.parametrize("truth", [(46.0, 6.0), (41.0, 1.0)])
def test_draws_and_grid_tell_the_same(name: str, truth: tuple[float, float]) -> None:
    grid = world_grid()
    prior = flowing.uniform_prior(grid) if name == "area" else priors.prior(name, grid)
    flow = Drawn([(46.0, 5.0)], 350.0)
    case = flow_table.Case(TOLD, *truth, None)
    mine = flow_table.by_flow(flow, [case], prior, 0, samples=6000)[0].found  # type: ignore[arg-type]
    posterior = flowing.under(flowing.Charted(grid, full(flow), 1.0), prior)
    theirs = outcome(posterior, *truth)
    assert mine.nll == pytest.approx(theirs.nll, abs=0.1)
    assert dict(mine.covered) == dict(theirs.covered)
    best = posterior.place()
    reported = flow_table._one_flow(flow, flow_table.Case(TOLD, best.lat_deg, best.lon_deg, None), prior, 0, 6000)  # type: ignore[arg-type]
    if name == "area":  # with people, several towns are nearly as good
        assert reported.found.error_km < 250.0


def test_a_perfect_flow_is_covered_as_often_as_it_says() -> None:
    """Truths drawn from the flow itself: the 50% and 90% regions hold half and nine tenths of them."""
    grid = world_grid()
    prior = flowing.uniform_prior(grid)
    flow = Drawn([(55.0, 40.0), (5.0, 20.0)], 500.0)
    lat, lon = sphere.to_lat_lon(flow.draws(150, 77))
    cases = [flow_table.Case(TOLD, float(a), float(b), None) for a, b in zip(lat, lon, strict=True)]
    found = [s.found for s in flow_table.by_flow(flow, cases, prior, 1, samples=300)]  # type: ignore[arg-type]
    held = [f for f in found if np.isfinite(f.nll)]
    assert len(held) > 130
    assert abs(np.mean([f.covered[0.5] for f in held]) - 0.5) < 0.13
    assert abs(np.mean([f.covered[0.9] for f in held]) - 0.9) < 0.08


def test_a_silent_clip_is_scored_at_the_prior() -> None:
    prior = flowing.uniform_prior(world_grid())
    cases = [flow_table.Case(Condition(), 46.0, 6.0, None)]
    for scored in (flow_table.by_flow(None, cases, prior, 0), flow_table.by_bayes(cases, prior, 0)):  # type: ignore[arg-type]
        assert not scored[0].found.spoke
    assert flow_table.by_bayes(cases, prior, 0)[0].found.nll == pytest.approx(9.5, abs=0.5)


def test_fidelity() -> None:
    true = sphere.to_xyz(np.linspace(-50, 50, 30), np.linspace(-170, 170, 30))
    density, coverage = flow_table.fidelity(true, true)
    assert coverage == 1.0 and density > 0.9
    far = sphere.to_xyz(np.full(30, 89.0), np.zeros(30))
    assert flow_table.fidelity(true, far) == (0.0, 0.0)
    with pytest.raises(DataError, match="at least"):
        flow_table.fidelity(true[:3], true[:3])


def test_integral_of_a_known_density_is_one() -> None:
    flow = Drawn([(0.0, -150.0), (80.0, 10.0)], 150.0)
    value, points = flow_table.integral(flow, TOLD)  # type: ignore[arg-type]
    assert value == pytest.approx(1.0, abs=0.01) and points > 5000


def test_pairs_are_near_and_both_speak() -> None:
    cells = len(world_grid())
    spoke, silent = np.zeros(cells), None
    sound = Condition(sound=np.zeros(768, np.float32))
    picture = Condition(reasoning=np.zeros(512, np.float32))
    sounds = [flow_table.Case(sound, 50.0, 0.0, spoke), flow_table.Case(sound, 50.0, 10.0, silent)]
    pictures = [flow_table.Case(picture, 50.5, 0.5, spoke), flow_table.Case(picture, 50.0, 40.0, spoke)]
    found = flow_table.together(sounds, pictures, 0)
    assert len(found) == 1 and found[0].condition.given == ("sound", "reasoning") and found[0].lat_deg == 50.0
