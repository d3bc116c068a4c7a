"""Where everyday sounds are heard, and where hardly.

Scored only when the analyst asks (`ClueSpec.votes`), and only for labels listed in assets/cues/atoms.csv, which says
where a sound is heard and where hardly, with sources and a factor of no more than 4. With c the best score of a label and f its
factor, a place where it is hardly heard gets (1 - c) + c / f, all others 1.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.clues.atoms.spec import SPEC
from engine.core.errors import DataError
from engine.core.evidence import Evidence
from engine.core.grid import WORLD_RESOLUTION, Grid
from engine.core.observation import Observation
from engine.core.paths import ASSETS
from engine.models.atoms import MODEL_ID


@dataclass(frozen=True, slots=True)
class Cue:
    """A row of assets/cues/atoms.csv: where a sound is hardly heard, by how much, and who says so."""

    label: str
    where: str
    factor: float
    source: str


def log_likelihood(observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
    """What the table says of the atoms heard, (cells,); abstains when it says nothing of any."""
    own = tuple(o for o in observations if o.clue == SPEC.name)
    best: dict[str, float] = defaultdict(float)
    for o in own:
        if o.kind == "atom":
            best[o.label] = max(best[o.label], min(1.0, max(0.0, o.score)))
    total = np.zeros(len(grid))
    spoke = False
    for cue in cues():
        if cue.label in best:
            here = np.where(hardly(cue.where, grid), 1.0 / cue.factor, 1.0)
            total += np.log((1.0 - best[cue.label]) + best[cue.label] * here)
            spoke = True
    if not spoke:
        why = "no everyday sound that indicates a place was detected" if best else "no everyday sound was recognised"
        return Evidence.silent(SPEC.name, SPEC.modality, grid, why, own)
    return Evidence(SPEC.name, SPEC.modality, grid, total, own, models=(MODEL_ID,))


@cache
def cues() -> tuple[Cue, ...]:
    """The table of what atoms say of places.

    Raises:
        DataError: it is missing.
    """
    path = ASSETS / "cues" / "atoms.csv"
    if not path.is_file():
        raise DataError(f"The table {path} is missing; get the program's assets again.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return tuple(Cue(r["label"], r["hardly"], float(r["factor"]), r["source"]) for r in rows)


def hardly(where: str, grid: Grid) -> NDArray[np.bool_]:
    """(cells,) places of a kind: "inland" (the world's cell touches no sea) or "beyond 60 degrees"."""
    if where == "inland":
        return ~_coastal(grid)
    if where == "beyond 60 degrees":
        return np.abs(grid.lat_lon_deg[0]) > 60.0
    raise DataError(f"The table of atoms names places of the kind {where!r}, which is unknown; correct the table.")


def _coastal(grid: Grid) -> NDArray[np.bool_]:
    parents = grid.parents(WORLD_RESOLUTION)
    cells = _coast()
    at = np.clip(np.searchsorted(cells, parents), 0, len(cells) - 1)
    out: NDArray[np.bool_] = cells[at] == parents
    return out


@cache
def _coast() -> NDArray[np.uint64]:
    """World cells, sorted, of which a corner or the centre lies at sea."""
    import h3.api.numpy_int as h3
    import shapely

    from engine.world.grid import world_grid
    from engine.world.land import polygons

    grid = world_grid()
    land = shapely.union_all([shapely.make_valid(shapely.Polygon(r[0], r[1:])) for r in polygons("coarse")])
    shapely.prepare(land)
    corners = [h3.cell_to_boundary(int(c)) for c in grid.cells]
    owner = np.repeat(np.arange(len(grid)), [len(c) for c in corners])
    at = np.array([p for c in corners for p in c])
    centre = np.stack(grid.lat_lon_deg, axis=1)
    owner, at = np.concatenate([owner, np.arange(len(grid))]), np.concatenate([at, centre])
    sea = ~shapely.contains_xy(land, (at[:, 1] + 180.0) % 360.0 - 180.0, at[:, 0])
    out: NDArray[np.uint64] = grid.cells[np.unique(owner[sea])]
    return out
