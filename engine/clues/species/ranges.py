"""Where species are recorded, and how many are to be expected: BirdNET's range model on grids, with what is slow kept."""

from __future__ import annotations

import threading
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.core.grid import WORLD_RESOLUTION, Grid
from engine.core.paths import ASSETS
from engine.models import birdnet
from engine.world.grid import world_grid

_WEEKS_KEPT = 3
_SPECIES_KEPT = 256  # columns of the world's cells, 15 MB
_FINE_KEPT = 24_000  # cells, 100 MB


class _Fine:
    """Activations of cells finer than the world's in one week, in the order they came; `cells` are in their own order."""

    def __init__(self, week: int | None) -> None:
        self.week = week
        self.cells = np.empty(0, np.uint64)
        self._at = np.empty(0, np.int64)
        self._rows = np.empty((0, 1024), np.float32)

    def add(self, cells: NDArray[np.uint64], rows: NDArray[np.float32]) -> None:
        """Keep the rows (n, 1024) of new cells (n,)."""
        held = len(self.cells)
        if held + len(cells) > len(self._rows):  # room for as many again, so that few additions copy
            room = np.empty((max(2 * len(self._rows), held + len(cells)), rows.shape[1]), np.float32)
            room[:held] = self._rows[:held]
            self._rows = room
        self._rows[held : held + len(cells)] = rows
        at = np.concatenate([self._at, np.arange(held, held + len(cells))])
        every = np.concatenate([self.cells, cells])
        order = np.argsort(every)
        self.cells, self._at = every[order], at[order]

    def of(self, cells: NDArray[np.uint64]) -> NDArray[np.float32]:
        """(n, 1024) rows of cells that are held."""
        return self._rows[self._at[np.searchsorted(self.cells, cells)]]


class Ranges:
    """BirdNET's range model on grids, with what is slow kept: activations of the world's cells and of the finer ones asked for,
    and the last species asked for on the world; richness comes from a file."""

    def __init__(self) -> None:
        self._world: dict[int | None, NDArray[np.float32]] = {}
        self._fine: _Fine | None = None
        self._asked: dict[tuple[int | None, int], NDArray[np.float32]] = {}
        self._lock = threading.Lock()

    @cached_property
    def model(self) -> birdnet.RangeModel:
        return birdnet.RangeModel()

    def occurrence(self, grid: Grid, week: int | None, species: NDArray[np.int64]) -> NDArray[np.float32]:
        """(cells, s) chance that each species is recorded in each cell, in a BirdNET week or any time of the year."""
        species = np.asarray(species, dtype=np.int64)
        world = world_grid()
        if grid is world:
            return self._on_world(week, species)
        # A refined grid shares two thirds of its cells with the world's.
        at, shared = _shared(grid, world)
        found = np.empty((len(grid), len(species)), dtype=np.float32)
        found[shared] = self._on_world(week, species)[at[shared]]
        found[~shared] = self.model.occurrence_from(self._fine_hidden(grid, ~shared, week), species)
        return found

    def hidden(self, grid: Grid, week: int | None) -> NDArray[np.float32]:
        """(cells, 1024) activations of the range model."""
        world = world_grid()
        if grid is world:
            return self._world_hidden(week)
        at, shared = _shared(grid, world)
        known = self._world_hidden(week)
        found = np.empty((len(grid), known.shape[1]), dtype=np.float32)
        found[shared] = known[at[shared]]
        found[~shared] = self._fine_hidden(grid, ~shared, week)
        return found

    def _world_hidden(self, week: int | None) -> NDArray[np.float32]:
        with self._lock:
            if week not in self._world:
                while len(self._world) >= _WEEKS_KEPT:
                    self._world.pop(next(iter(self._world)))
                self._world[week] = self.model.hidden(*world_grid().lat_lon_deg, week)
            return self._world[week]

    def _on_world(self, week: int | None, species: NDArray[np.int64]) -> NDArray[np.float32]:
        hidden = self._world_hidden(week)
        with self._lock:
            new = np.array([s for s in species.tolist() if (week, s) not in self._asked], dtype=np.int64)
            if len(new):
                found = self.model.occurrence_from(hidden, new)
                self._asked.update({(week, s): own for s, own in zip(new.tolist(), found.T.copy(), strict=True)})
            out = (
                np.stack([self._asked[week, s] for s in species.tolist()], axis=1) if len(species) else np.zeros((len(hidden), 0))
            )
            while len(self._asked) > _SPECIES_KEPT:
                self._asked.pop(next(iter(self._asked)))
            return np.asarray(out, dtype=np.float32)

    def _fine_hidden(self, grid: Grid, which: NDArray[np.bool_], week: int | None) -> NDArray[np.float32]:
        """Activations of the cells chosen, (n, 1024): scenes of a film, and a judgement before and after an edit, ask for much
        the same cells."""
        wanted = grid.cells[which]
        lat, lon = (x[which] for x in grid.lat_lon_deg)
        with self._lock:
            fine = self._fine
            if fine is None or fine.week != week:
                fine = self._fine = _Fine(week)
            new = ~np.isin(wanted, fine.cells)
            if new.any():
                if len(fine.cells) + int(new.sum()) > _FINE_KEPT:
                    fine = self._fine = _Fine(week)
                    new[:] = True
                fine.add(wanted[new], self.model.hidden(lat[new], lon[new], week))
            return fine.of(wanted)

    def log_richness(self, grid: Grid, week: int | None) -> NDArray[np.float64]:
        """(cells,) ln(N + 1), N the expected number of species; finer cells take their world cell's, others are computed."""
        cells, table = self._richness
        parents = grid.parents(WORLD_RESOLUTION)
        at = np.clip(np.searchsorted(cells, parents), 0, len(cells) - 1)
        richness = table[0 if week is None else week][at].astype(np.float64)
        unknown = cells[at] != parents
        if unknown.any():
            lat, lon = (x[unknown] for x in grid.lat_lon_deg)
            richness[unknown] = np.log1p(self._richness_at(lat, lon, week))
        out: NDArray[np.float64] = richness
        return out

    def _richness_at(self, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], week: int | None) -> NDArray[np.float64]:
        species = birdnet.is_species()
        total = np.empty(len(lat_deg))
        for at in range(0, len(lat_deg), 2000):
            part = slice(at, at + 2000)
            total[part] = self.model.occurrence(lat_deg[part], lon_deg[part], week)[:, species].sum(axis=1)
        return total

    @cached_property
    def _richness(self) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
        """World cells and ln(N + 1) as (49, cells): row 0 any time of the year, rows 1 to 48 BirdNET's weeks."""
        shipped = ASSETS / "models" / "birdnet_richness.npz"
        if not shipped.is_file():
            raise WeightsError(f"{shipped} is missing; restore it from the repository, or run: earwitness lab richness")
        with np.load(shipped, allow_pickle=False) as data:
            return data["cells"], data["log_richness"].astype(np.float32)


def _shared(grid: Grid, world: Grid) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """For each cell of a grid, which of the world's it may be, and whether it is."""
    at = np.clip(np.searchsorted(world.cells, grid.cells), 0, len(world) - 1)
    return at, world.cells[at] == grid.cells


@cache
def ranges() -> Ranges:
    """The one set of ranges that clue, page and benchmark share."""
    return Ranges()
