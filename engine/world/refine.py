"""Finer cells where the mass lies, so that a place can be named to within 25 km."""

from __future__ import annotations

import numpy as np

from engine.core.grid import Grid
from engine.core.posterior import Posterior

MOST_CELLS = 6000
FINE, FINER = 4, 5
COVERED = 0.95
_TO_FINER = 48  # cells that a resolution-3 cell gains when its 49 grandchildren take its place
_TO_FINE = 6
_SHARE_FINER = 0.7  # of the cells that may be added


def refined(*posteriors: Posterior, most: int = MOST_CELLS) -> Grid:
    """The posteriors' grid with the heaviest cells replaced by children: the very heaviest at resolution 5, others at 4.

    A cell is as heavy as the posterior that gives it most says. Cells beyond the first 95% of every posterior stay as
    they are, so a posterior that is sure of its place costs little.

    Args:
        posteriors: on one grid; give those that speak, an abstaining one only spends the allowance on its prior.
        most: cells that may be added.

    Raises:
        ValueError: no posterior is given, or they are on different grids.
    """
    if not posteriors:
        raise ValueError("refining needs at least one posterior")
    grid = posteriors[0].grid
    if any(p.grid is not grid and p.grid.key != grid.key for p in posteriors[1:]):
        raise ValueError("the posteriors are on different grids")
    heaviest = np.zeros(len(grid))
    wanted = np.zeros(len(grid), dtype=bool)
    for posterior in posteriors:
        order = np.argsort(-posterior.mass, kind="stable")
        before = np.cumsum(posterior.mass[order]) - posterior.mass[order]
        wanted[order[before < COVERED]] = True
        heaviest = np.maximum(heaviest, posterior.mass)
    ranked = np.flatnonzero(wanted & (grid.resolution < FINE))
    ranked = ranked[np.argsort(-heaviest[ranked], kind="stable")]
    finer = ranked[: int(most * _SHARE_FINER) // _TO_FINER]
    fine = ranked[len(finer) :][: (most - len(finer) * _TO_FINER) // _TO_FINE]
    cells = grid.cells[finer]
    out = grid.refined(fine, FINE)
    return out.refined(out.index_of(cells), FINER)
