"""`earwitness bench oracles`: how far a perfect list of species would place a recording.

At the true places of the iNatSounds test set a checklist is built from the range model (every species with a chance of at least 0.1, any time of the
year), corrupted, and located again. It is an upper bound on what species can say, not a win over the paper: checklist and decoder share
one range model, and ours is BirdNET's where the paper's is SINR.

Decoding is Bayes on cells: on the world grid, then on the children (H3 resolution 5) of the best cells. The place reported is the one
with most mass around it. No test coordinate is in the grid or in the prior (half land by area, half GeoCLIP's gallery).

- full: a species is listed where its chance passes the threshold, so given a cell its listing is a soft threshold of the log-odds there;
- half: half of the list, drawn without replacement, is removed, so a species of the cell is listed with chance one half;
- keep10: exactly ten are kept, each list of ten being as likely as any other: a cell where N species pass has 1 / C(N, 10) for each.

Paper: Chasmai et al. 2025, arXiv 2505.18726, species oracles with SINR.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from engine.core import sphere
from engine.core.errors import DataError
from engine.core.paths import data_dir
from engine.lab.metrics import Score, table, to_json_text
from engine.nets import birdnet
from engine.world import priors
from engine.world.grid import world_grid

THRESHOLD = 0.1
KEPT = 10
FINE_RESOLUTION = 5
# How many world cells are looked into, and within how many km the reported place has most mass.
BEST_CELLS = {"full": 7, "half": 10, "keep10": 40}
RULE_KM = {"full": 25.0, "half": 25.0, "keep10": 50.0}
CELLS_AT_ONCE = 80
GROUP_RESOLUTION = 2
# Sharpness of the soft threshold: the log-odds of a species change by about 1/SHARP between a place and the centre of its cell.
SHARP_WORLD = 2.0
SHARP_FINE = 6.0
LEAK = 1e-3  # a species may be listed against the odds: list and cell need not share a shore
KINDS = ("full", "half", "keep10")

# arXiv 2505.18726, species oracles: median km and percent within 25, 200, 750 and 2,500 km.
PAPER = {
    "full": (15, 64.0, 97.8, 99.9, 100.0),
    "half": (54, 32.8, 83.3, 98.8, 100.0),
    "keep10": (325, 10.0, 37.6, 76.6, 98.3),
}


class Decoder:
    """Locates checklists; holds the species log-odds of the world grid, (cells, 6522) float32."""

    def __init__(self) -> None:
        self.model = birdnet.RangeModel()
        self.grid = world_grid()
        self.species = birdnet.is_species()
        self.log_odds = self._log_odds(*self.grid.lat_lon_deg)
        self.log_prior = priors.prior("mixture", self.grid).log_mass.astype(np.float32)

    def _log_odds(self, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.float32]:
        """Log-odds of each species beyond the threshold's own, (n, 6522)."""
        out = np.empty((len(lat_deg), len(self.species)), dtype=np.float32)
        cut = np.float32(np.log(THRESHOLD / (1 - THRESHOLD)))
        for at in range(0, len(lat_deg), 4000):
            part = slice(at, at + 4000)
            out[part] = self.model.log_odds_from(self.model.hidden(lat_deg[part], lon_deg[part])) - cut
        return out

    def checklists(self, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(n, 6522) the species that pass the threshold at each place."""
        return (self._log_odds(lat_deg, lon_deg) >= 0.0) & self.species

    def locate(
        self, kind: str, lists: NDArray[np.bool_], progress: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Places of checklists in degrees, each (n,).

        Args:
            kind: one of KINDS, how the lists were corrupted.
            lists: (n, 6522).
        """
        best = self._best_cells(kind, lists, progress)
        points, scores = self._fine_scores(kind, lists, best, progress)
        lat, lon = np.empty(len(lists)), np.empty(len(lists))
        for i, row in enumerate(best):
            xyz = points[row].reshape(-1, 3)
            lat[i], lon[i] = _most_within(xyz, scores[i].reshape(-1), RULE_KM[kind])
        return lat, lon

    def _best_cells(self, kind: str, lists: NDArray[np.bool_], progress: bool) -> NDArray[np.int64]:
        """(n, BEST_CELLS) indices of the world cells with most mass."""
        best = np.empty((len(lists), BEST_CELLS[kind]), dtype=np.int64)
        tables = self._tables(kind, self.log_odds, SHARP_WORLD)
        for at in range(0, len(lists), 1000):
            part = slice(at, at + 1000)
            score = _scores(lists[part], *tables) + self.log_prior
            best[part] = np.argpartition(-score, BEST_CELLS[kind], axis=1)[:, : BEST_CELLS[kind]]
            if progress:
                print(f"{kind}: {min(len(lists), at + 1000):,} of {len(lists):,} on the world grid", file=sys.stderr, flush=True)
        return best

    def _fine_scores(
        self, kind: str, lists: NDArray[np.bool_], best: NDArray[np.int64], progress: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Children of every world cell as (cells, 49, 3) unit vectors (NaN where unused), and their log-mass (n, best, 49)."""
        children = 7 ** (FINE_RESOLUTION - 3)
        points = np.full((len(self.grid), children, 3), np.nan, dtype=np.float32)
        scores = np.full((*best.shape, children), -np.inf, dtype=np.float32)
        order = np.argsort(best, axis=None, kind="stable")
        who, slot = np.unravel_index(order, best.shape)
        cells, first = np.unique(best.reshape(-1)[order], return_index=True)
        ends = np.append(first[1:], len(order))
        for at in range(0, len(cells), CELLS_AT_ONCE):
            batch = cells[at : at + CELLS_AT_ONCE]
            inside = [h3.cell_to_children(self.grid.cells[c], FINE_RESOLUTION) for c in batch]
            centres = np.array([h3.cell_to_latlng(x) for group in inside for x in group])
            log_chance, offset = self._tables(kind, self._log_odds(centres[:, 0], centres[:, 1]), SHARP_FINE)
            xyz = sphere.to_xyz(centres[:, 0], centres[:, 1]).astype(np.float32)
            at_row = 0
            for c, group, begin, end in zip(batch, inside, first[at:], ends[at:], strict=False):
                rows = slice(at_row, at_row + len(group))
                at_row += len(group)
                points[c, : len(group)] = xyz[rows]
                points[c, len(group) :] = xyz[rows][0]  # a pentagon has fewer children; the rest weighs nothing
                own = _scores(lists[who[begin:end]], log_chance[rows], offset[rows])
                scores[who[begin:end], slot[begin:end], : len(group)] = own + self.log_prior[c]
            if progress and at // CELLS_AT_ONCE % 20 == 0:
                print(f"{kind}: {at:,} of {len(cells):,} cells refined", file=sys.stderr, flush=True)
        return points, scores

    def _tables(self, kind: str, log_odds: NDArray[np.float32], sharp: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Per cell: what each listed species adds (cells, 6522), and what holds whatever is listed (cells,)."""
        odds = np.where(self.species, sharp * log_odds, -30.0)
        chance = LEAK + (1 - 2 * LEAK) / (1 + np.exp(-np.clip(odds, -30, 30)))
        if kind == "keep10":
            number = np.maximum(chance[:, self.species].sum(axis=1), KEPT)
            ways = gammaln(number + 1) - gammaln(number - KEPT + 1)
            return np.log(chance).astype(np.float32), -ways.astype(np.float32)
        if kind == "half":
            chance = chance / 2
        log_no = np.log1p(-chance)
        return (np.log(chance) - log_no).astype(np.float32), log_no.sum(axis=1).astype(np.float32)


def _scores(lists: NDArray[np.bool_], log_chance: NDArray[np.float32], offset: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-likelihood of each list in each cell, (lists, cells), up to a constant per list."""
    return lists.astype(np.float32) @ log_chance.T + offset


def _most_within(xyz: NDArray[np.float32], log_mass: NDArray[np.float32], radius_km: float) -> tuple[float, float]:
    """Centre of mass of what lies within radius_km of the point that has most mass within it."""
    top = np.argsort(-log_mass)[:600]
    mass = np.exp(log_mass[top].astype(np.float64) - log_mass[top[0]])
    tried = min(len(top), 300)
    near = xyz[top[:tried]] @ xyz[top].T >= np.cos(radius_km / sphere.EARTH_RADIUS_KM)
    best = int(np.argmax(near @ mass))
    lat, lon = sphere.to_lat_lon((mass * near[best]) @ xyz[top].astype(np.float64))
    return float(lat), float(lon)


def corrupt(kind: str, lists: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """Lists (n, 6522) with half of the species removed (rounded down), or exactly KEPT kept; shorter lists stay whole."""
    if kind == "full":
        return lists
    rng = np.random.default_rng(seed)
    out = np.zeros_like(lists)
    for i, row in enumerate(lists):
        present = np.flatnonzero(row)
        keep = min(len(present), KEPT) if kind == "keep10" else len(present) - len(present) // 2
        out[i, rng.choice(present, keep, replace=False)] = True
    return out


def read_places(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True places (n,) and (n,) in degrees from a CSV with the columns latitude and longitude.

    Raises:
        DataError: the file or a column is missing, or a place is no place.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing; it is the benchmark's list of test places (audio_id,latitude,longitude).")
    with path.open(newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    try:
        lat = np.array([float(r["latitude"]) for r in rows])
        lon = np.array([float(r["longitude"]) for r in rows])
    except (KeyError, ValueError, TypeError):
        raise DataError(f"{path} needs numbers in the columns latitude and longitude.") from None
    if not len(lat) or not np.isfinite([lat, lon]).all() or (np.abs(lat) > 90).any():
        raise DataError(f"{path} holds no place, or one beyond the Earth.")
    return lat, lon


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench oracles`."""
    parser.add_argument(
        "--gold", type=Path, default=None, help="CSV of true places (default: EARWITNESS_DATA/inat_test_gold.csv)"
    )
    parser.add_argument("--all", action="store_true", help="all places instead of 2,000")
    parser.add_argument("--n", type=int, default=2000, help="how many places, drawn with the seed (default: 2,000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench oracles` and print its table."""
    began = time.perf_counter()
    lat, lon = read_places(args.gold or data_dir() / "inat_test_gold.csv")
    if not args.all and args.n < len(lat):
        chosen = np.sort(np.random.default_rng(args.seed).choice(len(lat), args.n, replace=False))
        lat, lon = lat[chosen], lon[chosen]
    decoder = Decoder()
    lists = decoder.checklists(lat, lon)
    groups = [int(h3.latlng_to_cell(a, b, GROUP_RESOLUTION)) for a, b in zip(lat, lon, strict=True)]
    scores = {}
    for number, kind in enumerate(KINDS):
        found = decoder.locate(kind, corrupt(kind, lists, args.seed + number), progress=True)
        errors = sphere.distance_km(*found, lat, lon)
        scores[kind] = Score.of_errors(kind, errors, groups, args.seed, resamples=200 if args.all else 1000)
    took_s = time.perf_counter() - began
    print(table(list(scores.values()), [_paper(kind) for kind in KINDS]))
    for kind in KINDS:
        print(f"{kind}: {_verdict(scores[kind], PAPER[kind])}")
    print("An upper bound: checklist and decoder share one range model, and ours is BirdNET's where the paper's is SINR.")
    print(f"{len(lat):,} places in {took_s:.0f} s; seed {args.seed}; median list {int(np.median(lists.sum(axis=1)))} species.")
    if args.json:
        data: dict[str, Any] = {**scores, "paper": PAPER, "seconds": took_s, "seed": args.seed}
        args.json.write_text(to_json_text(data))
    return 0


def _paper(kind: str) -> Score:
    median, *shares = PAPER[kind]
    within = dict(zip(("25", "200", "750", "2500"), shares, strict=True))
    return Score(f"{kind} (paper, SINR)", 0, 0, float(median), float("nan"), within, float("nan"))


def _verdict(score: Score, paper: Sequence[float]) -> str:
    ours = [score.within_km[r] for r in ("25", "200", "750", "2500")]
    short = [f"≤{r} km" for r, a, b in zip((25, 200, 750, 2500), ours, paper[1:], strict=True) if a < min(b, 99.95)]
    if score.median_km > paper[0]:
        short.insert(0, "median")
    return "at or above the paper in every column" if not short else "below the paper in " + ", ".join(short)
