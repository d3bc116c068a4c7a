"""Posterior algebra: log-mass on a grid, and what may be read off it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from engine.core import sphere
from engine.core.grid import WORLD_RESOLUTION, Grid

PLACE_RADIUS_KM = 100.0
REGION_SHARES = (0.5, 0.9, 0.95)
PLACES_TRIED = 300
PLACE_TIE = 0.01  # relative
CORE_KM = 25.0
BULK_CELLS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """Where clips come from before this one was heard or seen: name and log-mass (cells,) with logsumexp 0."""

    name: str
    grid: Grid
    log_mass: NDArray[np.float64] = field(repr=False)

    def __post_init__(self) -> None:
        _check(self.grid, self.log_mass)


@dataclass(frozen=True, slots=True)
class Place:
    """The place reported: the cell centre with the most posterior mass within radius_km of it."""

    lat_deg: float
    lon_deg: float
    mass: float
    radius_km: float
    name: str = ""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Posterior probability over the cells of a grid.

    Attributes:
        grid: the cells.
        log_mass: (cells,) natural log of mass (not density), logsumexp 0.
        levels: (share, share of the mass) in order: a region that is to hold the true place with a share of 0.5 is drawn with as
            much mass as its level says, between levels in proportion. Empty where mass is taken at its word.
    """

    grid: Grid
    log_mass: NDArray[np.float64] = field(repr=False)
    levels: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        _check(self.grid, self.log_mass)

    @classmethod
    def of(cls, prior: Prior, log_likelihood: NDArray[np.float64], levels: tuple[tuple[float, float], ...] = ()) -> Posterior:
        """Prior times likelihood, normalised.

        Raises:
            ValueError: the likelihood has another shape, is NaN, or leaves no mass anywhere.
        """
        if log_likelihood.shape != prior.log_mass.shape:
            raise ValueError("likelihood and prior are on different grids")
        unnormalised = prior.log_mass + log_likelihood
        total = logsumexp(unnormalised)
        if not np.isfinite(total):
            raise ValueError("the likelihood leaves no probability anywhere")
        return cls(prior.grid, unnormalised - total, levels)

    @cached_property
    def mass(self) -> NDArray[np.float64]:
        """(cells,) mass, sum 1."""
        return np.exp(self.log_mass)

    @cached_property
    def log_density(self) -> NDArray[np.float64]:
        """(cells,) natural log of mass per km²."""
        return self.log_mass - np.log(self.grid.area_km2)

    @cached_property
    def entropy_nats(self) -> float:
        """Shannon entropy of the cell masses in nats; ln(cells) when all are alike, 0 when one holds everything."""
        held = self.mass > 0
        return float(-(self.mass[held] * self.log_mass[held]).sum())

    def drop_derived(self) -> None:
        """Drop the cached derived arrays, which are computed again on demand: for findings kept by the hundred."""
        for name in ("mass", "log_density", "region_rank"):
            self.__dict__.pop(name, None)

    def gain_nats(self, prior: Prior) -> float:
        """Kullback-Leibler divergence from the prior to this, in nats: the information gain."""
        held = self.mass > 0
        return float((self.mass[held] * (self.log_mass[held] - prior.log_mass[held])).sum())

    @cached_property
    def region_rank(self) -> NDArray[np.float64]:
        """(cells,) the share of mass held by all cells at least as dense as this one, itself included.

        The cells with region_rank's predecessor below p make the p-region; see `region`.
        """
        order = np.argsort(-self.log_density, kind="stable")
        rank = np.empty(len(self.grid))
        rank[order] = np.cumsum(self.mass[order])
        return rank

    def region(self, share: float) -> NDArray[np.bool_]:
        """(cells,) the smallest set of cells, densest first, that holds the true place with at least this share.

        It holds `share` of the mass, or what the levels say.

        Raises:
            ValueError: the share is not between 0 and 1.
        """
        return self.region_rank - self.mass < self.level(share) - 1e-12

    def level(self, share: float) -> float:
        """The share of the mass that a region must hold to hold the true place with this share.

        Raises:
            ValueError: the share is not between 0 and 1.
        """
        if not 0.0 < share < 1.0:
            raise ValueError("a region's share must lie between 0 and 1")
        if not self.levels:
            return share
        wanted, held = zip((0.0, 0.0), *self.levels, (1.0, 1.0), strict=True)
        return float(np.interp(share, wanted, held))

    def region_area_km2(self, share: float) -> float:
        """Area in km² of the region of a share."""
        return float(self.grid.area_km2[self.region(share)].sum())

    def place(self, radius_km: float = PLACE_RADIUS_KM) -> Place:
        """The cell centre with the most mass within radius_km; of those within 1% of it, the densest.

        Where most of that mass lies within CORE_KM of one cell in reach, that cell is the place.

        Tried are the PLACES_TRIED densest and as many heaviest cells; mass is summed over the cells that hold 99.9% of it.
        """
        by_mass = np.argsort(-self.mass, kind="stable")
        enough = int(np.searchsorted(np.cumsum(self.mass[by_mass]), 0.999)) + 1
        held = by_mass[: max(enough, 1)]
        densest = np.argsort(-self.log_density, kind="stable")[:PLACES_TRIED]
        tried = np.unique(np.concatenate([densest, by_mass[:PLACES_TRIED]]))
        xyz = self.grid.xyz.astype(np.float32)
        mass = self.mass[held].astype(np.float32)
        # (x - y)² of unit vectors in single precision is good to about 3 km here, far below any radius allowed
        cos_r = np.float32(np.cos(radius_km / sphere.EARTH_RADIUS_KM))
        within = np.empty(len(tried), dtype=np.float32)
        for at in range(0, len(tried), 256):
            part = tried[at : at + 256]
            within[at : at + 256] = (xyz[part] @ xyz[held].T >= cos_r) @ mass
        best_mass = within.max()
        tied = tried[within >= best_mass * (1 - PLACE_TIE)]
        best = tied[np.argmax(self.log_density[tied])]
        if radius_km > CORE_KM:
            best = self._core(best, xyz, held, mass, cos_r)
        lat, lon = self.grid.lat_lon_deg
        around = float(((xyz[held] @ xyz[best]) >= cos_r) @ mass)
        return Place(float(lat[best]), float(lon[best]), min(1.0, around), radius_km)

    def _core(
        self,
        centre: np.intp,
        xyz: NDArray[np.float32],
        held: NDArray[np.int64],
        mass: NDArray[np.float32],
        cos_r: np.float32,
    ) -> np.intp:
        """The cell within reach of a centre that has most mass within CORE_KM, if that is most of the mass in reach.

        A wide disc that holds one sharp peak has many equally good centres; the peak is the place.
        """
        inside = held[(xyz[held] @ xyz[centre]) >= cos_r]
        inside = inside[np.argsort(-self.log_density[inside], kind="stable")][:PLACES_TRIED]
        in_disc = float(((xyz[held] @ xyz[centre]) >= cos_r) @ mass)
        near = (xyz[inside] @ xyz[held].T >= np.cos(CORE_KM / sphere.EARTH_RADIUS_KM)) @ mass
        best = int(np.argmax(near))
        return inside[best] if near[best] >= 0.5 * in_disc else centre

    def mass_within(self, lat_deg: float, lon_deg: float, radius_km: float) -> float:
        """The mass of the cells whose centres lie within radius_km of a point."""
        cos_r = np.cos(radius_km / sphere.EARTH_RADIUS_KM)
        return min(1.0, float(self.mass[self.grid.xyz @ sphere.to_xyz(lat_deg, lon_deg) >= cos_r].sum()))

    def sample(self, n: int, seed: int = 0) -> NDArray[np.int64]:
        """(n,) indices of cells drawn by mass."""
        rng = np.random.default_rng(seed)
        return rng.choice(len(self.grid), size=n, p=self.mass / self.mass.sum())

    def expected_distance_km(self, other: Posterior | None = None, *, to: tuple[float, float] | None = None) -> float:
        """Mean distance between a place drawn from this and one from `other` (or the point `to`, lat and lon in degrees).

        Over cell centres, see `_bulk`: exact to the last percent of mass when that is sharp, to about 1% when it is wide.
        """
        a, a_mass = self._bulk()
        if to is not None:
            return float(a_mass @ sphere.pairwise_km(a, sphere.to_xyz(*to)[None])[:, 0])
        if other is None:
            raise ValueError("expected_distance_km needs another posterior or a point")
        b, b_mass = other._bulk()
        total = 0.0
        for at in range(0, len(a), 1000):
            total += float(a_mass[at : at + 1000] @ sphere.pairwise_km(a[at : at + 1000], b) @ b_mass)
        return total

    def at_resolution(self, resolution: int = WORLD_RESOLUTION) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
        """Mass summed to cells of a coarser resolution: (cells (m,), log_mass (m,))."""
        cells, at = np.unique(self.grid.parents(resolution), return_inverse=True)
        mass = np.zeros(len(cells))
        np.add.at(mass, at, self.mass)
        with np.errstate(divide="ignore"):
            return cells, np.log(mass)

    def _bulk(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Unit vectors and masses that stand for the whole: all cells of 99% of it, or BULK_CELLS drawn at equal steps of mass.

        Cells are in H3 order, which keeps neighbours together, so equal steps spread over the map as the mass does.
        """
        order = np.argsort(-self.mass, kind="stable")
        enough = int(np.searchsorted(np.cumsum(self.mass[order]), 0.99)) + 1
        if enough <= BULK_CELLS:
            kept = order[:enough]
            return self.grid.xyz[kept], self.mass[kept] / self.mass[kept].sum()
        steps = (np.arange(BULK_CELLS) + 0.5) / BULK_CELLS
        drawn = np.minimum(np.searchsorted(np.cumsum(self.mass), steps), len(self.grid) - 1)
        return self.grid.xyz[drawn], np.full(BULK_CELLS, 1.0 / BULK_CELLS)


def _check(grid: Grid, log_mass: NDArray[np.float64]) -> None:
    if log_mass.shape != (len(grid),):
        raise ValueError(f"mass {log_mass.shape} does not fit a grid of {len(grid)} cells")
    if np.isnan(log_mass).any() or abs(logsumexp(log_mass)) > 1e-6:
        raise ValueError("a posterior's or prior's log-mass must be free of NaN and sum to one")
