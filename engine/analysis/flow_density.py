"""The flow's density as a posterior over the map, and what another prior makes of it.

The flow is a posterior under its training prior, places uniform by area over the grid. With q its density and pi another prior's
mass of a cell, the mass of the cell is in proportion to q · pi: density times area, times the ratio of the priors. What
lies outside the grid (the flow lives on the whole sphere) is left out when the masses are normalised, and its share is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from engine.core import sphere
from engine.core.grid import Grid, parents_of
from engine.core.posterior import Posterior, Prior
from engine.core.progress import Progress, ProgressCallback, silent

if TYPE_CHECKING:
    from engine.models.flow.field import Conditioning
    from engine.models.flow.model import Flow
    from engine.models.flow.sketch import Condition

COARSE = 2  # H3 resolution at which the density is first taken
KEPT = 0.997  # of the mass is looked at cell by cell
SKETCHED = 1e-3  # a coarse cell with that much of the sketch's mass is looked at, too: a sharp peak can hide between two centres
AT_ONCE = 400


@dataclass(frozen=True, slots=True, eq=False)
class Charted:
    """A flow's density on a grid.

    Attributes:
        log_density: (cells,) natural log per steradian, at the centres.
        inside: mass that the flow puts inside the grid, by its density at the centres; the rest lies at sea.
    """

    grid: Grid
    log_density: NDArray[np.float64]
    inside: float


def chart(flow: Flow, condition: Condition, progress: ProgressCallback = silent) -> Charted:
    """Exact log density at the cells of the world grid that matter, and that of the coarser cell about them elsewhere."""
    grid = flow.atlas.grid
    conditioning = flow.conditioning([condition])
    coarse = parents_of(grid.cells, COARSE)
    _, first, of_cell = np.unique(coarse, return_index=True, return_inverse=True)
    total = np.zeros((len(first), 3))
    np.add.at(total, of_cell, grid.xyz * grid.area_km2[:, None])
    centre = total / np.linalg.norm(total, axis=1, keepdims=True)
    steradian = grid.area_km2 / sphere.EARTH_RADIUS_KM**2
    rough = _at(flow, conditioning, centre, progress, "the flow, coarse")
    mass = np.exp(rough) * np.bincount(of_cell, steradian)
    sketched = np.exp(flow.atlas.log_mass([condition], flow.heat)[0])
    hidden = np.bincount(of_cell, sketched) > SKETCHED
    order = np.argsort(-mass, kind="stable")
    enough = order[: int(np.searchsorted(np.cumsum(mass[order]), KEPT * mass.sum())) + 1]
    wanted = hidden.copy()
    wanted[enough] = True
    fine = np.flatnonzero(wanted[of_cell])
    log_density = rough[of_cell]
    log_density[fine] = _at(flow, conditioning, grid.xyz[fine], progress, "the flow, fine")
    return Charted(grid, log_density, float((np.exp(log_density) * steradian).sum()))


def _at(
    flow: Flow, conditioning: Conditioning, xyz: NDArray[np.float64], progress: ProgressCallback, name: str
) -> NDArray[np.float64]:
    out = np.empty(len(xyz))
    for at in range(0, len(xyz), AT_ONCE):
        out[at : at + AT_ONCE] = flow.log_density(conditioning, xyz[at : at + AT_ONCE])[0]
        progress(Progress(name, min(at + AT_ONCE, len(xyz)), len(xyz), "places"))
    return out


def under(charted: Charted, prior: Prior) -> Posterior:
    """The posterior (cells,) that the flow's density is under a prior on the same grid.

    Raises:
        ValueError: the prior is on another grid.
    """
    if prior.grid.key != charted.grid.key:
        raise ValueError("the flow's density and the prior are on different grids")
    log_mass = charted.log_density + prior.log_mass
    return Posterior(charted.grid, log_mass - logsumexp(log_mass))


def uniform_prior(grid: Grid) -> Prior:
    """The training prior: every square kilometre of the grid alike."""
    return Prior("area", grid, np.log(grid.area_km2 / grid.area_km2.sum()))


def importance(xyz: NDArray[np.float64], prior: Prior) -> NDArray[np.float64]:
    """(n,) what a prior makes of draws from the flow: its density over the training prior's, 0 outside the grid; any scale."""
    at = prior.grid.locate(*sphere.to_lat_lon(xyz))
    ratio = np.exp(prior.log_mass - np.log(prior.grid.area_km2 / prior.grid.area_km2.sum()))
    return np.where(at >= 0, ratio[np.maximum(at, 0)], 0.0)
