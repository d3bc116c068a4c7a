"""Species oracles: how well a place could be determined if the species that live there were known.

At the true place the checklist is every species that BirdNET's range model gives a chance of at least 0.1 (any time of the
year). It is given whole, with exactly half of it removed, or with exactly ten species kept, drawn at random. Two ways back to
a place:

*Bayes.* A species is on the list of a place x when its chance there passes 0.1. Places near x have almost the same list, so
membership is softened: m_s(x) = sigmoid(k (logit p_s(x) - logit 0.1)), with M(x) = sum m. A kept list K that is a random part of
the true one has the likelihood

    full:    sum_{s in K} log m + sum_{s not in K} log(1 - m)
    half:    sum_{s in K} log m - log-ratio for the size, |list| being 2|K| or 2|K| - 1
    ten:     sum_{s in K} log m - 10 log M(x),

the last because ten out of a long list are met less often by chance than ten out of a short one. Places are first all cells of
the world grid, then the children of the best cells and their neighbours, down to 1 km where the list is whole. The answer is the
place with the most mass within a radius.

*The paper's own* (`LinearRetrieval`): a linear map of the list into GeoCLIP's space, trained with the contrastive loss on other
places, and the nearest of the gallery.

Checklist and Bayes decoder share one range model, so this is an upper bound, not a win. The prior is GeoCLIP's gallery and land
by area; neither holds the test's coordinates.

Source: Chasmai et al. 2025, arXiv 2505.18726, section 5 (species oracles); cvl-umass/nat-sound2loc-code,
`baselines/species_oracles.py` (how lists are corrupted).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree
from scipy.special import expit
from threadpoolctl import threadpool_limits

from engine.core import sphere
from engine.core.grid import Grid
from engine.core.paths import data_dir
from engine.lab.bench import metrics
from engine.lab.data.dataset import read_predictions
from engine.models import birdnet
from engine.models.geoclip_location import DIMENSIONS, LOGIT_SCALE, embed_cached
from engine.world.gallery import gallery
from engine.world.grid import world_grid

if TYPE_CHECKING:
    import torch

THRESHOLD = 0.1
LEVEL = float(np.log(THRESHOLD / (1 - THRESHOLD)))
CONDITIONS = ("full", "half", "keep10")
TITLES = {"full": "full checklist", "half": "half omitted", "keep10": "10 random species kept"}

# Published: median km and percent within 25, 200, 750 and 2,500 km (arXiv 2505.18726, species oracles, SINR).
PAPER = {
    "full": (15.0, 64.0, 97.8, 99.9, 100.0),
    "half": (54.0, 32.8, 83.3, 98.8, 100.0),
    "keep10": (325.0, 10.0, 37.6, 76.6, 98.3),
}


@dataclass(frozen=True, slots=True)
class Softness:
    """How sharply lists tell near places apart, by condition; set on gallery places, never on the test's.

    Attributes:
        fine: k at places 17 km apart; finest: k at places 6 km apart.
        trust: what the log-likelihood of whole cells is multiplied by, their children being unlike.
        size_share: standard deviation of the list's length within a cell, as a share of it.
    """

    fine: float = 12.0
    finest: float = 25.0
    trust: float = 0.5
    size_share: float = 0.05


def corrupted(listed: NDArray[np.int64], condition: str, rng: np.random.Generator) -> NDArray[np.int64]:
    """What is kept of one place's list.

    Args:
        listed: (n,) species on the list.
        condition: "full", "half" (int(n / 2) of n removed) or "keep10" (ten kept, or all where there are fewer).
    """
    if condition == "full":
        return listed
    kept = len(listed) - int(0.5 * len(listed)) if condition == "half" else min(10, len(listed))
    return np.sort(rng.choice(listed, kept, replace=False))


class Lists:
    """What the range model says of places, any time of the year: log-odds, and what of it is kept for the cells."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.model = birdnet.RangeModel()
        self.species = np.flatnonzero(birdnet.is_species())

    def logit(
        self, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], columns: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """(n, s) log-odds; columns are indices into `self.species`."""
        chosen = self.species if columns is None else self.species[columns]
        return self.model.log_odds_from(self.model.hidden(lat_deg, lon_deg), chosen)

    @cached_property
    def cells(self) -> NDArray[np.float32]:
        """(cells, species) share of a cell's seven children that have the species on their list, softened, 0.004..0.996."""
        total = np.empty((len(self.grid), len(self.species)), dtype=np.float32)
        for at in range(0, len(self.grid), 256):
            children = np.concatenate([h3.cell_to_children(c, 4) for c in self.grid.cells[at : at + 256]])
            counts = np.array([h3.cell_to_children_size(c, 4) for c in self.grid.cells[at : at + 256]])
            lat, lon = _centres(children)
            member = expit(6.0 * (self.logit(lat, lon) - LEVEL))
            starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
            total[at : at + 256] = np.add.reduceat(member, starts, axis=0) / counts[:, None]
        return np.clip(total, 0.004, 0.996)

    @cached_property
    def log_member(self) -> NDArray[np.float32]:
        """(species, cells) log of `cells`."""
        return np.ascontiguousarray(np.log(self.cells).T)

    @cached_property
    def log_odds_member(self) -> NDArray[np.float32]:
        """(species, cells) log-odds of `cells`."""
        return np.ascontiguousarray((np.log(self.cells) - np.log1p(-self.cells)).T)

    @cached_property
    def none_member(self) -> NDArray[np.float32]:
        """(cells,) sum of log(1 - m)."""
        return np.log1p(-self.cells).sum(axis=1)

    @cached_property
    def length(self) -> NDArray[np.float32]:
        """(cells,) expected length of the list."""
        return self.cells.sum(axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Atoms:
    """Places that stand for the prior inside cells: (m,) lat, lon in degrees, mass, and index of their cell."""

    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]
    mass: NDArray[np.float64]
    cell: NDArray[np.int64]

    @classmethod
    def of(
        cls, grid: Grid, gallery_lat_deg: NDArray[np.float64], gallery_lon_deg: NDArray[np.float64], share: float = 0.7
    ) -> Atoms:
        """`share` of the mass on the gallery's resolution-5 cells, the rest on land by area at resolution 5."""
        fine = np.array([h3.latlng_to_cell(a, b, 5) for a, b in zip(gallery_lat_deg, gallery_lon_deg, strict=True)], np.uint64)
        met, count = np.unique(fine, return_counts=True)
        lat, lon = _centres(met)
        cell = grid.locate(lat, lon)
        # a lone visitor says little; the root tells cities from wilderness without letting them take it all
        mass = count.astype(np.float64) ** 0.7
        keep = cell >= 0
        lat, lon, mass, cell = lat[keep], lon[keep], mass[keep] / mass[keep].sum() * share, cell[keep]
        g_lat, g_lon = grid.lat_lon_deg
        area = grid.area_km2 / grid.area_km2.sum() * (1 - share)
        return cls(
            np.concatenate([lat, g_lat]),
            np.concatenate([lon, g_lon]),
            np.concatenate([mass, area]),
            np.concatenate([cell, np.arange(len(grid))]),
        )

    def cell_mass(self, cells: int) -> NDArray[np.float64]:
        """(cells,) mass of each cell."""
        return np.asarray(np.bincount(self.cell, self.mass, cells), dtype=np.float64)

    def near(self, cells: int, radius_km: float) -> sparse.csr_matrix:
        """(atoms, cells): share of each cell's mass that lies within radius_km of each atom."""
        xyz = sphere.to_xyz(self.lat_deg, self.lon_deg)
        tree = cKDTree(xyz)
        pairs = tree.sparse_distance_matrix(tree, 2 * np.sin(radius_km / sphere.EARTH_RADIUS_KM / 2), output_type="coo_matrix")
        row, col = np.concatenate([pairs.row, np.arange(len(xyz))]), np.concatenate([pairs.col, np.arange(len(xyz))])
        unique = np.unique(row.astype(np.int64) * len(xyz) + col)
        row, col = unique // len(xyz), unique % len(xyz)
        weight = self.mass[col] / self.cell_mass(cells)[self.cell[col]]
        return sparse.csr_matrix((weight, (row, self.cell[col])), shape=(len(xyz), cells))


class Bayes:
    """Places from lists; see the module's text."""

    def __init__(self, lists: Lists, atoms: Atoms, softness: Softness | None = None) -> None:
        self.lists = lists
        self.atoms = atoms
        self.softness = softness or Softness()
        with np.errstate(divide="ignore"):
            self.log_prior = np.log(atoms.cell_mass(len(lists.grid)))
        self._near: dict[float, sparse.csr_matrix] = {}
        self._remembered: dict[tuple[int, int], NDArray[np.float32]] = {}

    def near(self, radius_km: float) -> sparse.csr_matrix:
        """Atoms.near, remembered."""
        if radius_km not in self._near:
            self._near[radius_km] = self.atoms.near(len(self.lists.grid), radius_km)
        return self._near[radius_km]

    def cell_log_posterior(self, kept: sparse.csr_matrix, condition: str) -> NDArray[np.float32]:
        """(n, cells) log-mass up to a constant of lists (n, species) 0/1."""
        soft = self.softness
        size = np.asarray(kept.sum(axis=1)).ravel()[:, None]
        if condition == "keep10":
            log_l = kept @ self.lists.log_member - size * np.log(self.lists.length)
            return log_l + self.log_prior
        dense = kept.toarray()
        if condition == "full":
            log_l = dense @ self.lists.log_odds_member + self.lists.none_member
        else:
            spread = soft.size_share * self.lists.length + 2.0
            log_l = dense @ self.lists.log_member - 0.5 * ((self.lists.length - 2 * size + 0.5) / spread) ** 2
        return soft.trust * log_l + self.log_prior

    def most_mass(self, log_posterior: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The atom about which most mass lies, for posteriors (n, cells): within 25 km, and 200 km and 500 km.

        One radius alone would serve one column of the table; the sum is the expected number of radii kept.
        """
        mass = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
        mass[mass < 1e-5] = 0.0
        mass /= mass.sum(axis=1, keepdims=True)
        posterior = sparse.csr_matrix(mass).T
        worth = sum(w * (self.near(r) @ posterior) for r, w in ((25.0, 1.0), (200.0, 0.6)))
        best = np.asarray(worth.argmax(axis=0)).ravel()
        return self.atoms.lat_deg[best], self.atoms.lon_deg[best]

    def zoomed(
        self, kept: sparse.csr_matrix, log_posterior: NDArray[np.float32], condition: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The best place in and about the best cell, at resolution 5 and then 6; lists that meet in a cell share the work."""
        n = kept.shape[0]
        best = self.lists.grid.cells[log_posterior.argmax(axis=1)]
        lat, lon = np.empty(n), np.empty(n)
        for cell, rows in _grouped(best):
            disk = h3.grid_disk(cell, 1)
            telling, always = self._telling(disk)
            near = np.concatenate([h3.cell_to_children(c, 5) for c in disk])
            score = self._scores(near, kept[rows], condition, self.softness.fine, telling, always)
            for five, some in _grouped(near[score.argmax(axis=1)]):
                own = rows[some]
                finer = np.concatenate([h3.cell_to_children(c, 6) for c in h3.grid_disk(five, 1)])
                fine = self._scores(finer, kept[own], condition, self.softness.finest, telling, always)
                # the mean over what is about equally good is nearer to the truth than the single best
                weight = np.exp(fine - fine.max(axis=1, keepdims=True))
                lat[own], lon[own] = sphere.to_lat_lon(weight @ sphere.to_xyz(*_centres(finer)))
        return lat, lon

    def _telling(self, cells: NDArray[np.uint64]) -> tuple[NDArray[np.int64], int]:
        """Species that some but not all of these cells have, and how many species all of them have."""
        at = np.clip(np.searchsorted(self.lists.grid.cells, cells), 0, len(self.lists.grid) - 1)
        share = self.lists.cells[at[self.lists.grid.cells[at] == cells]]
        low, high = share.min(axis=0), share.max(axis=0)
        return np.flatnonzero((high > 0.02) & (low < 0.98)), int((low >= 0.98).sum())

    def _levels(self, places: NDArray[np.uint64], telling: NDArray[np.int64]) -> NDArray[np.float32]:
        """(places, telling) log-odds less the threshold's; the last few hundred are remembered, for the next condition."""
        key = (int(places[0]), hash(telling.tobytes()))
        if key not in self._remembered:
            while len(self._remembered) >= 600:
                self._remembered.pop(next(iter(self._remembered)))
            self._remembered[key] = self.lists.logit(*_centres(places), telling) - np.float32(LEVEL)
        return self._remembered[key]

    def _scores(
        self,
        places: NDArray[np.uint64],
        kept: sparse.csr_matrix,
        condition: str,
        k: float,
        telling: NDArray[np.int64],
        always: int,
    ) -> NDArray[np.float64]:
        """(n, places) log-likelihood of lists at the centres of cells, up to a constant of each list."""
        z = k * self._levels(places, telling)
        yes, no = -np.logaddexp(0.0, -z), -np.logaddexp(0.0, z)
        held = kept[:, telling].toarray()
        if condition == "full":
            return held @ (yes - no).T + no.sum(axis=1)
        length = expit(z).sum(axis=1) + always
        size = np.asarray(kept.sum(axis=1)).ravel()[:, None]
        return held @ yes.T - 0.5 * ((length - 2 * size + 0.5) / (0.006 * length + 1.5)) ** 2


def _grouped(keys: NDArray[np.uint64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    met, at = np.unique(keys, return_inverse=True)
    order = np.argsort(at, kind="stable")
    for key, rows in zip(met, np.split(order, np.cumsum(np.bincount(at))[:-1]), strict=True):
        yield int(key), rows


def _centres(cells: NDArray[np.uint64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    centre = np.array([h3.cell_to_latlng(c) for c in cells])
    return centre[:, 0], centre[:, 1]


class LinearRetrieval:
    """The paper's oracle: one linear map of the list into GeoCLIP's space, the nearest place of a gallery.

    Args:
        train_lat_deg, train_lon_deg: places it is trained on; the gallery's, as the authors' training places are not here.
        condition: lists are corrupted in training as they are in the test.
    """

    STEPS = 240
    BATCH = 1024
    RATE = 1e-2

    def __init__(
        self,
        lists: Lists,
        train_lat_deg: NDArray[np.float64],
        train_lon_deg: NDArray[np.float64],
        condition: str,
        seed: int = 0,
    ) -> None:
        self.lists, self.condition, self.seed = lists, condition, seed
        self.lat_deg, self.lon_deg = train_lat_deg, train_lon_deg

    @cached_property
    def gallery(self) -> NDArray[np.float32]:
        """(places, 512) unit vectors of the gallery."""
        return np.asarray(embed_cached("gallery", self.lat_deg, self.lon_deg))

    @cached_property
    def _linear(self) -> torch.nn.Linear:
        import torch
        from torch.nn.functional import cross_entropy, normalize

        torch.manual_seed(self.seed)
        rng = np.random.default_rng([self.seed, 7])
        linear = torch.nn.Linear(len(self.lists.species), DIMENSIONS)
        optimiser = torch.optim.Adam(linear.parameters(), lr=self.RATE)
        pool = rng.choice(len(self.lat_deg), min(len(self.lat_deg), 16 * self.BATCH), replace=False)
        logit = [self.lists.logit(self.lat_deg[p], self.lon_deg[p]) for p in np.array_split(pool, 32)]
        listed = sparse.csr_matrix(np.concatenate([x >= LEVEL for x in logit]))
        for _ in range(self.STEPS):
            chosen = rng.choice(len(pool), self.BATCH)
            kept = _kept([row.indices for row in listed[chosen]], self.condition, rng, listed.shape[1])
            out = normalize(linear(torch.from_numpy(kept.toarray())), dim=1)
            place = torch.from_numpy(self.gallery[pool[chosen]])
            loss = cross_entropy(LOGIT_SCALE * out @ place.T, torch.arange(self.BATCH))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        return linear

    def places(self, kept: sparse.csr_matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Latitudes and longitudes (n,) of lists (n, species)."""
        import torch

        linear = self._linear  # trained here, outside of inference mode
        with torch.inference_mode():
            out = linear(torch.from_numpy(kept.toarray().astype(np.float32))).numpy()
        best = np.concatenate([(part @ self.gallery.T).argmax(axis=1) for part in np.array_split(out, max(1, len(out) // 250))])
        return self.lat_deg[best], self.lon_deg[best]


def _kept(lists: list[NDArray[np.int64]], condition: str, rng: np.random.Generator, species: int) -> sparse.csr_matrix:
    """Lists corrupted, as rows (n, species) of float32 0/1."""
    left = [corrupted(x, condition, rng) for x in lists]
    start = np.concatenate([[0], np.cumsum([len(x) for x in left])])
    data = np.ones(start[-1], dtype=np.float32)
    return sparse.csr_matrix((data, np.concatenate(left), start), shape=(len(left), species))


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """Places to be found: ids, and (n,) degrees."""

    id: tuple[str, ...]
    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]

    @classmethod
    def read(cls, path: Path) -> Test:
        """Places of a gold file (audio_id, latitude, longitude).

        Raises:
            DataError: missing or malformed.
        """
        predictions = read_predictions(path)
        return cls(predictions.id, predictions.lat_deg, predictions.lon_deg)

    def some(self, n: int, seed: int) -> Test:
        """n of them, drawn with the seed; all when there are fewer."""
        if n >= len(self.id):
            return self
        at = np.sort(np.random.default_rng([seed, 11]).choice(len(self.id), n, replace=False))
        return Test(tuple(self.id[i] for i in at), self.lat_deg[at], self.lon_deg[at])


def measure(test: Test, bayes: Bayes, seed: int = 0, say: Callable[[str], None] = print) -> dict[str, NDArray[np.float64]]:
    """Errors in km (n,) of the Bayes decoder under each condition."""
    errors: dict[str, list[NDArray[np.float64]]] = {c: [] for c in CONDITIONS}
    rngs = {c: np.random.default_rng([seed, 13, i]) for i, c in enumerate(CONDITIONS)}
    lists, began = bayes.lists, time.monotonic()
    # neighbours are decoded together, so that they share the work of zooming in
    order = np.argsort(lists.grid.locate(test.lat_deg, test.lon_deg), kind="stable")
    for at in range(0, len(order), 1000):
        part = order[at : at + 1000]
        lat, lon = test.lat_deg[part], test.lon_deg[part]
        logit = lists.logit(lat, lon)
        listed = [np.flatnonzero(row >= LEVEL) for row in logit]
        for condition in CONDITIONS:
            kept = _kept(listed, condition, rngs[condition], logit.shape[1])
            posterior = bayes.cell_log_posterior(kept, condition)
            if condition == "keep10":
                found = bayes.most_mass(posterior)
            else:
                with threadpool_limits(1):  # many small products: a second thread costs more than it brings
                    found = bayes.zoomed(kept, posterior, condition)
            errors[condition].append(metrics.errors_km(*found, lat, lon))
        if at and at % 5000 == 0:
            say(f"{at:,} of {len(order):,} places, {time.monotonic() - began:.0f} s")
    back = np.argsort(order)
    return {c: np.concatenate(e)[back] for c, e in errors.items()}


def measure_linear(test: Test, lists: Lists, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Errors in km (n,) of the paper's own method under each condition, on the same kind of lists."""
    gallery_lat, gallery_lon = gallery()
    logit = np.concatenate(
        [
            lists.logit(a, b)
            for a, b in zip(*(np.array_split(x, 1 + len(test.id) // 1000) for x in (test.lat_deg, test.lon_deg)), strict=True)
        ]
    )
    listed = [np.flatnonzero(row >= LEVEL) for row in logit]
    errors = {}
    for i, condition in enumerate(CONDITIONS):
        kept = _kept(listed, condition, np.random.default_rng([seed, 13, i]), logit.shape[1])
        found = LinearRetrieval(lists, gallery_lat, gallery_lon, condition, seed).places(kept)
        errors[condition] = metrics.errors_km(*found, test.lat_deg, test.lon_deg)
    return errors


def published(condition: str) -> metrics.Score:
    """The paper's row."""
    median, *within = PAPER[condition]
    shares = dict(zip(("25", "200", "750", "2500"), within, strict=True))
    return metrics.Score(f"{TITLES[condition]}, paper (SINR)", 0, 0, median, float("nan"), shares, float("nan"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench oracles`."""
    parser.add_argument(
        "--gold", type=Path, default=None, help="file of true places (default: inat_test_gold.csv of the data folder)"
    )
    parser.add_argument("--n", type=int, default=2000, help="places drawn (default 2000)")
    parser.add_argument("--all", action="store_true", help="all places")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-linear", action="store_true", help="leave out the paper's own method, which is trained first")
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers there")


def run(args: argparse.Namespace) -> int:
    """Print the table, write the JSON."""
    path = args.gold or data_dir() / "inat_test_gold.csv"
    everything = Test.read(path)
    test = everything if args.all else everything.some(args.n, args.seed)
    began = time.monotonic()
    lists = Lists(world_grid())
    errors = measure(test, Bayes(lists, Atoms.of(lists.grid, *gallery())), args.seed)
    elapsed_s = time.monotonic() - began
    resamples = 1000 if len(test.id) <= 5000 else 200
    blocks: dict[str, object] = {}
    rows: list[metrics.Score] = []
    some = everything.some(min(args.n, 2000), args.seed)
    linear = {} if args.no_linear else measure_linear(some, lists, args.seed)
    for c in CONDITIONS:
        ours = metrics.Score.of_errors(f"{TITLES[c]}, Bayes", errors[c], seed=args.seed, resamples=resamples)
        block: dict[str, object] = {**ours.to_json(), "paper": published(c).to_json()}
        rows += [ours]
        if c in linear:
            own = metrics.Score.of_errors(f"{TITLES[c]}, linear map to GeoCLIP", linear[c], seed=args.seed, resamples=resamples)
            rows.append(own)
            block["linear"] = own.to_json()
        rows.append(published(c))
        blocks[c] = block
    print(metrics.table(rows))
    print(
        f"{len(test.id):,} of {len(everything.id):,} places in {elapsed_s:.0f} s, seed {args.seed}. "
        "Lists and decoder share BirdNET's range "
        "model (the paper's: SINR), so this bounds what species can tell; it is no comparison of methods."
    )
    if args.json:
        blocks |= {"n": len(test.id), "seed": args.seed, "elapsed_s": elapsed_s, "gold": path.name}
        args.json.write_text(metrics.to_json_text(blocks) + "\n", encoding="utf-8")
    return 0
