"""A flow's density on the map: priors multiply and renormalise, the coarse-to-fine chart finds what a full one finds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from engine.analysis import flow_density as flowing
from engine.core import sphere
from engine.core.grid import Grid
from engine.core.posterior import Prior
from engine.world import priors
from engine.world.grid import world_grid


class Bumps:
    """A flow in closed form: a mixture of von Mises-Fisher bumps. It honours what `chart` and the benchmark ask of a flow."""

    def __init__(self, places: list[tuple[float, float]], spread_km: float) -> None:
        self.centre = sphere.to_xyz([p[0] for p in places], [p[1] for p in places])
        self.sharp = (sphere.EARTH_RADIUS_KM / spread_km) ** 2
        self.atlas, self.heat, self.asked = self, None, 0

    @property
    def grid(self) -> Grid:
        return world_grid()

    def log_mass(self, conditions: object, heat: object) -> np.ndarray:
        area = world_grid().area_km2
        return np.log(area / area.sum())[None]

    def conditioning(self, conditions: object) -> object:
        return None

    def log_density(self, conditioning: object, xyz: np.ndarray) -> np.ndarray:
        self.asked += len(xyz)
        k = self.sharp
        bump = np.log(k / (2 * np.pi)) - np.log1p(-np.exp(-2 * k)) + k * (xyz @ self.centre.T - 1)
        return (logsumexp(bump, axis=1) - np.log(len(self.centre)))[None]

    def draws(self, n: int, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        at = self.centre[rng.integers(0, len(self.centre), n)]
        step = rng.normal(size=at.shape) / np.sqrt(self.sharp)
        moved = at + step - at * (at * step).sum(-1, keepdims=True)
        return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def full(flow: Bumps) -> np.ndarray:
    return flow.log_density(None, world_grid().xyz)[0]


def test_under_the_training_prior_mass_is_density_times_area() -> None:
    flow, grid = Bumps([(45.0, 5.0), (-20.0, 130.0)], 600.0), world_grid()
    charted = flowing.Charted(grid, full(flow), 1.0)
    found = flowing.under(charted, flowing.uniform_prior(grid))
    mass = np.exp(full(flow)) * grid.area_km2
    assert np.allclose(found.mass, mass / mass.sum())


def test_another_prior_multiplies_and_renormalises() -> None:
    """Two cells' odds change by exactly the ratio of the priors' odds; a prior of one cell leaves that cell alone."""
    flow, grid = Bumps([(45.0, 5.0)], 900.0), world_grid()
    charted = flowing.Charted(grid, full(flow), 1.0)
    base, other = flowing.uniform_prior(grid), priors.prior("population", grid)
    a, b = flowing.under(charted, base), flowing.under(charted, other)
    i, j = grid.locate(np.array([48.0, 44.0]), np.array([2.0, 6.0]))
    ratio = (other.log_mass[i] - base.log_mass[i]) - (other.log_mass[j] - base.log_mass[j])
    assert (b.log_mass[i] - b.log_mass[j]) - (a.log_mass[i] - a.log_mass[j]) == pytest.approx(ratio)
    assert b.mass.sum() == pytest.approx(1.0)
    alone = np.full(len(grid), -700.0)
    alone[i] = 0.0
    assert flowing.under(charted, Prior("one", grid, alone - logsumexp(alone))).mass[i] == pytest.approx(1.0)


def test_priors_on_another_grid_are_refused() -> None:
    grid = world_grid()
    few = Grid.of(grid.cells[:5])
    with pytest.raises(ValueError, match="different grids"):
        flowing.under(flowing.Charted(grid, full(Bumps([(0, 20)], 500.0)), 1.0), flowing.uniform_prior(few))


@pytest.mark.parametrize("spread_km", [120.0, 500.0])
def test_the_chart_is_the_full_one_where_it_matters(spread_km: float) -> None:
    flow, grid = Bumps([(45.0, 5.0), (35.0, -90.0)], spread_km), world_grid()
    charted = flowing.chart(flow, None)  # type: ignore[arg-type]
    asked = flow.asked
    prior = flowing.uniform_prior(grid)
    a, b = flowing.under(charted, prior), flowing.under(flowing.Charted(grid, full(flow), 1.0), prior)
    assert 0.5 * np.abs(a.mass - b.mass).sum() < 0.02
    assert asked < len(grid)
    at_sea = 1.0 - float((np.exp(full(flow)) * grid.area_km2).sum() / sphere.EARTH_RADIUS_KM**2)
    assert charted.inside == pytest.approx(1.0 - at_sea, abs=0.02)


def test_a_peak_hidden_between_coarse_centres_is_found_by_the_sketch() -> None:
    """30 km wide, in the corner of a coarse cell, where the sketch points: it must not be lost."""
    grid = world_grid()
    at = int(grid.locate(np.array([47.0]), np.array([8.0]))[0])

    class Pointed(Bumps):
        def log_mass(self, conditions: object, heat: object) -> np.ndarray:
            mass = np.full(len(grid), 1e-9)
            mass[at] = 1.0
            return np.log(mass / mass.sum())[None]

    lat, lon = grid.lat_lon_deg
    flow = Pointed([(float(lat[at]), float(lon[at]))], 30.0)
    found = flowing.under(flowing.chart(flow, None), flowing.uniform_prior(grid))  # type: ignore[arg-type]
    assert found.mass[at] > 0.95


def test_importance_is_the_ratio_of_densities_and_nothing_at_sea() -> None:
    grid = world_grid()
    prior = priors.prior("observer", grid)
    xyz = np.concatenate([grid.xyz[[100, 5000]], sphere.to_xyz([0.0], [-130.0])])
    w = flowing.importance(xyz, prior)
    assert w[2] == 0.0
    density = np.exp(prior.log_density[[100, 5000]]) if hasattr(prior, "log_density") else prior.log_mass[[100, 5000]]
    expected = np.exp(prior.log_mass[[100, 5000]]) / grid.area_km2[[100, 5000]]
    assert density is not None and w[0] / w[1] == pytest.approx(expected[0] / expected[1])


def test_what_the_flow_says_never_reaches_a_bayes_factor() -> None:
    """The comparing of modalities knows nothing of the flow: its room does not import it."""
    from pathlib import Path

    import engine.verdict.agreement
    import engine.verdict.compare
    import engine.verdict.fuse

    for module in (engine.verdict.agreement, engine.verdict.compare, engine.verdict.fuse):
        assert "flow" not in Path(module.__file__).read_text(encoding="utf-8").replace("overflow", "").lower()
