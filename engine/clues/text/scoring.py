"""Readings to a log-likelihood on a grid.

Every reading r contributes a factor that is 1 on average over the reference prior: with its chance c it speaks of here, else it
says nothing,

    f_r(x) = (1 − c) + c · q_r(x) / Σ π q_r,    q_r(x) = k_r(x) / π(x),

k_r being how the mass of the places it may mean lies over the cells and π the default prior, divided out so that applying a prior
later applies it once. Beside a border the mass lies on the town's own side: who names Windsor, Ontario, is not in Detroit. The
surest reading's factor is just that; for every further one π is taken as even over the cell's surroundings, about 150 km wide,
or two readings that agree on a town would reward the emptiest fields around it. Language multiplies by the share of signs in
it, by region. Factors multiply, so that names that agree on a neighbourhood find each other and a name in the wrong country
fades. Cues of country repeat each other's news, and are tempered: the second strongest counts half, the third a third.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from engine.clues.text import language
from engine.clues.text.index import gazetteer
from engine.clues.text.reading import Reading, Spot
from engine.core import sphere
from engine.core.grid import Grid
from engine.world import countries, priors
from engine.world.grid import world_grid

REFERENCE = "mixture"
SAME_KM = 20.0  # readings that mean places this near are taken together
EMPTY_LAND = 0.5
LEAST_NAMED, MOST_NAMED = 0.35, 8
LEAST_MASS, WITHIN_KM = 0.5, 750.0
_NEAR = 0.75  # share of signs that name a place and stand in it; the rest stand around it
_AROUND_KM = 25.0
_ACROSS = 0.1  # of a town's signs, those across a border beside as many places on its own side
_POINTS = 48
_FAR_KM = 400.0
Array = NDArray[np.float64]


def log_likelihood(readings: Sequence[Reading], grid: Grid) -> Array:
    """(cells,) natural log, up to a constant."""
    log_prior = priors.prior(REFERENCE, grid).log_mass
    total = _log_settled(grid)
    areas: list[tuple[float, Array]] = []
    for rank, (chance, spots) in enumerate(_together([r for r in readings if r.spots])):
        k = sum((s.share * _kernel(s, grid) for s in spots), np.zeros(len(grid)))
        q = k / np.exp(log_prior) if rank == 0 else k / (grid.area_km2 * _density_around(grid))
        held = float((np.exp(log_prior) * q).sum())
        if held > 0.0:
            total += np.log1p(chance * (q / held - 1.0))
    for reading in readings:
        if reading.kind == "language":
            total += _language(reading, grid)
        elif reading.areas and not reading.spots:
            areas.append((reading.chance, _area(reading, grid, log_prior)))
    for rank, (_, log_factor) in enumerate(sorted(areas, key=lambda a: -a[0]), 1):
        total += log_factor / rank
    out: Array = total - total.max()
    return out


def named(readings: Sequence[Reading]) -> tuple[tuple[float, float], ...]:
    """(lat_deg, lon_deg) of the places that the readings mean more likely than not, likeliest first."""
    chances = [(r.chance * s.share, s) for r in readings for s in r.spots if r.chance * s.share >= LEAST_NAMED]
    ordered = sorted(chances, key=lambda pair: -pair[0])
    return tuple(dict.fromkeys((s.lat_deg, s.lon_deg) for _, s in ordered))[:MOST_NAMED]


@lru_cache(maxsize=64)
def region_mass(readings: tuple[Reading, ...]) -> float:
    """Mass within WITHIN_KM of the place that has most of it, under the default prior: whether the text says where, at all.

    Taken on the world grid, so that it doesn't change with the grid a likelihood is asked for.
    """
    world = world_grid()
    log_mass = priors.prior(REFERENCE, world).log_mass + log_likelihood(readings, world)
    mass = np.exp(log_mass - log_mass.max())
    mass /= mass.sum()
    heaviest = np.argsort(-mass, kind="stable")[:60]
    near = world.xyz[heaviest] @ world.xyz.T > np.cos(WITHIN_KM / sphere.EARTH_RADIUS_KM)
    return float((near @ mass).max())


def _together(readings: Sequence[Reading]) -> Iterator[tuple[float, tuple[Spot, ...]]]:
    """(chance, spots) of readings, those that mean one neighbourhood taken together: they err together, too."""
    left = sorted(readings, key=lambda r: -r.chance)
    while left:
        main = _main(left[0])
        group = [r for r in left if sphere.distance_km(*main, *_main(r)) < SAME_KM]
        left = [r for r in left if r not in group]
        weight = sum(r.chance for r in group)
        spots = tuple(replace(s, share=s.share * r.chance / weight) for r in group for s in r.spots)
        yield 1.0 - float(np.prod([1.0 - r.chance for r in group])), spots


@cache
def _world_density() -> Array:
    """(world cells,) the default prior's density per km², over each cell and its neighbours."""
    world = world_grid()
    mass = np.exp(priors.prior(REFERENCE, world).log_mass)
    total, area = np.zeros(len(world)), np.zeros(len(world))
    disks = np.array([np.resize(h3.grid_disk(int(c), 1), 7) for c in world.cells], dtype=np.uint64)
    for ring in disks.T:
        at = world.index_of(ring)
        total[at >= 0] += mass[at[at >= 0]]
        area[at >= 0] += world.area_km2[at[at >= 0]]
    return total / area


def _density_around(grid: Grid) -> Array:
    """(cells,) density per km² of the default prior around each cell, as of its world cell."""
    at = world_grid().holding(grid.cells)
    return np.where(at >= 0, _world_density()[at], _world_density().min())


def _main(reading: Reading) -> tuple[float, float]:
    best = max(reading.spots, key=lambda s: s.share)
    return best.lat_deg, best.lon_deg


def _log_settled(grid: Grid) -> Array:
    """(cells,) natural log, at most 0: less where fewer people live than on land at large: signs are for readers."""
    people, land = (priors.prior(name, grid).log_mass for name in ("population", "land"))
    return EMPTY_LAND * np.clip(people - land, -4.0, 0.0)


def _language(reading: Reading, grid: Grid) -> Array:
    share = sum((p * language.shares(code) for code, p in reading.languages), np.zeros(len(gazetteer().region_codes)))
    flat = float(share.mean())
    mixed = reading.chance * share + (1.0 - reading.chance) * max(flat, 1e-3)
    return np.log(np.maximum(_on_cells(mixed, grid), 1e-6))


def _area(reading: Reading, grid: Grid, log_prior: Array) -> Array:
    codes = gazetteer().region_codes
    member = np.array([float(c in reading.areas or c[:2] in reading.areas) for c in codes])
    # A cell that may lie in the area counts wholly, or a town at the border, named with its state, would be lost.
    k = member[_regions(grid)].max(axis=1)
    held = float((np.exp(log_prior) * k).sum())
    if held <= 0.0:
        return np.zeros(len(grid))
    out: Array = np.log1p(reading.chance * (k / held - 1.0))
    return out


def _on_cells(by_region: Array, grid: Grid) -> Array:
    """(cells,) mean of a value by region over each cell's points."""
    out: Array = by_region[_regions(grid)].mean(axis=1)
    return out


@cache
def _tree() -> cKDTree:
    return cKDTree(gazetteer().places_xyz)


@cache
def _world_regions() -> NDArray[np.uint16]:
    """(world cells, 7) region at the centre of each cell and six points around it, as of the nearest place."""
    return _around(world_grid(), _tree())


def _around(grid: Grid, tree: cKDTree) -> NDArray[np.uint16]:
    lat, lon = grid.lat_lon_deg
    reach_deg = 0.75 * np.degrees(np.sqrt(grid.area_km2 / np.pi) / sphere.EARTH_RADIUS_KM)
    points = [(lat, lon)]
    for turn in np.arange(6) * np.pi / 3.0:
        up = np.clip(lat + reach_deg * np.sin(turn), -90.0, 90.0)
        points.append((up, lon + reach_deg * np.cos(turn) / np.maximum(np.cos(np.radians(lat)), 0.05)))
    regions = gazetteer().place_region
    return np.stack([regions[tree.query(sphere.to_xyz(a, b))[1]] for a, b in points], axis=1)


@lru_cache(maxsize=4)
def _regions_of(grid_key: str, _grid: _Held) -> NDArray[np.uint16]:
    grid = _grid.grid
    at = world_grid().index_of(grid.cells)
    out = np.empty((len(grid), 7), dtype=np.uint16)
    out[at >= 0] = _world_regions()[at[at >= 0]]
    new = at < 0
    if new.any():
        xyz = grid.xyz[new]
        out[new] = gazetteer().place_region[_tree().query(xyz)[1]][:, None]
    return out


class _Held:
    """A grid that caches by its key alone."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)


def _regions(grid: Grid) -> NDArray[np.uint16]:
    return _regions_of(grid.key, _Held(grid))


def _kernel(spot: Spot, grid: Grid) -> Array:
    """(cells,) how the mass of one place lies: most within its bounds, the rest falling off around it; sum 1."""
    out = np.zeros(len(grid))
    centre = sphere.to_xyz(spot.lat_deg, spot.lon_deg)
    near = np.flatnonzero(grid.xyz @ centre > np.cos(_FAR_KM / sphere.EARTH_RADIUS_KM))
    if len(near):
        km = sphere.pairwise_km(grid.xyz[near], centre[None])[:, 0]
        radius = np.sqrt(grid.area_km2[near] / np.pi)
        if radius[km.argmin()] < spot.spread_km:  # cells fine enough to take the density at their centres
            bulk = np.exp(-0.5 * (km / spot.spread_km) ** 2) * grid.area_km2[near]
            bulk *= _same_country(spot, countries.of(grid)[near])
            out[near] += _NEAR * bulk / bulk.sum()
        else:
            lat, lon, share = _points_around(spot)
            at = grid.locate(lat, lon)
            np.add.at(out, at[at >= 0], _NEAR * share[at >= 0])
        # A coarse cell's mean over the fall-off, roughly: distances shorter than its radius don't count.
        tail = np.exp(-np.maximum(km, 0.4 * radius) / _AROUND_KM) * grid.area_km2[near]
        out[near] += (1.0 - _NEAR) * tail / tail.sum()
    total = out.sum()
    return out / total if total > 0 else out


@lru_cache(maxsize=1024)
def _points_around(spot: Spot) -> tuple[Array, Array, Array]:
    """Points of a place's round distribution and the share of each, (_POINTS,), less across a border; shares sum to 1."""
    lat, lon = _sunflower(spot.lat_deg, spot.lon_deg, spot.spread_km)
    share = _same_country(spot, countries.inside(lat, lon))
    return lat, lon, share / share.sum()


def _same_country(spot: Spot, number: NDArray[np.int64]) -> Array:
    """Weight of places whose countries (n,) are given: a sign that names a town stands in the town's country, or at sea."""
    own = _country_at(spot.lat_deg, spot.lon_deg)
    return np.where((number == own) | (number == countries.NONE) | (own == countries.NONE), 1.0, _ACROSS)


@lru_cache(maxsize=4096)
def _country_at(lat_deg: float, lon_deg: float) -> int:
    return int(countries.numbers_at(np.array([lat_deg]), np.array([lon_deg]))[0])


def _sunflower(lat_deg: float, lon_deg: float, spread_km: float) -> tuple[Array, Array]:
    """Points of a round normal distribution, spread_km its standard deviation, at equal shares of mass."""
    number = np.arange(_POINTS) + 0.5
    radius = spread_km * np.sqrt(-2.0 * np.log1p(-number / _POINTS))
    turn = number * np.pi * (3.0 - np.sqrt(5.0))
    lat = np.clip(lat_deg + np.degrees(radius * np.sin(turn) / sphere.EARTH_RADIUS_KM), -89.9, 89.9)
    shrink = max(np.cos(np.radians(lat_deg)), 0.02)
    return lat, lon_deg + np.degrees(radius * np.cos(turn) / sphere.EARTH_RADIUS_KM) / shrink
