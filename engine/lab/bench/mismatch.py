"""`earwitness bench mismatch`: same place or not, on recordings paired with photos whose places are known.

Every recording is paired with every photo in which something speaks; a pair closer than 200 km counts as one place. Pairs
share recordings and photos, so intervals come from a two-way bootstrap: places of recordings and places of photos are drawn,
and a pair counts as often as both.

`earwitness lab calibrate-mismatch` fits the affine calibration by logistic regression on the same kind of pairs and bounds
it: no factor may exceed what the number of pairs supports, one misleading pair being added on the side that speaks against it
(after the empirical bounds of Vergeer et al. 2016, "Numerical likelihood ratios outputted by LR systems are often based on
extrapolation"). Pairs are not independent; how many recordings, photos and independent pairs stand behind them is said beside.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

from engine.clues.species.clue import SpeciesClue
from engine.clues.text.clue import TextClue
from engine.core import sphere
from engine.core.errors import DataError
from engine.core.grid import WORLD_RESOLUTION, Grid
from engine.core.paths import data_dir
from engine.core.posterior import Posterior, Prior
from engine.core.settings import PRIORS, Settings
from engine.lab.bench.metrics import Interval95
from engine.lab.bench.photos import read_photo
from engine.lab.bench.recordings import Condition, perceive
from engine.lab.data.manifest import Sample, read_manifest
from engine.verdict import agreement, compare
from engine.verdict.fuse import LEAST_GAIN_NATS
from engine.world import priors, refine
from engine.world.grid import world_grid

Array = NDArray[np.float64]

SAME_KM = 200.0
FAR_KM = 2500.0
BANDS_KM = (0, 200, 500, 1000, 2500, 5000, 10000, 20038)
FOLDS = 5
FOLD_RESOLUTION = 1
STRONG, MODERATE = 3.0, 1.0  # log10 of the scale's steps
DRAWS = 300


def drawn_near(prior: Prior, km: Sequence[float], draws: int, seed: int) -> Array:
    """How often two places drawn apart from a prior lie near each other.

    Args:
        prior: where clips are made; within a cell, places are drawn evenly.
        km: distances.
        draws: pairs of places.

    Returns:
        (len(km),) share of the pairs that lie nearer than each distance.
    """
    rng = np.random.default_rng(seed)
    finest = 8  # cells of half a kilometre
    grid = prior.grid
    mass = np.exp(prior.log_mass)
    cells = grid.cells[rng.choice(len(grid), size=2 * draws, p=mass / mass.sum())]
    part = rng.random(2 * draws)
    children = {int(c): h3.cell_to_children_size(c, finest) for c in np.unique(cells)}
    points = np.array(
        [h3.cell_to_latlng(h3.child_pos_to_cell(c, finest, int(u * children[int(c)]))) for c, u in zip(cells, part, strict=True)]
    )
    apart = sphere.distance_km(points[:draws, 0], points[:draws, 1], points[draws:, 0], points[draws:, 1])
    return np.array([np.mean(apart < k) for k in km])


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of a recording and a photo.

    Attributes:
        recording, photo: (n,) index of each.
        km: (n,) true distance.
        raw: prior → (n,) log10 of the Bayes factor; NaN where either side is silent.
        recording_place, photo_place: coarse cell of each recording and photo.
    """

    recording: NDArray[np.int64]
    photo: NDArray[np.int64]
    km: Array
    raw: dict[str, Array]
    recording_place: NDArray[np.int64]
    photo_place: NDArray[np.int64]

    @property
    def speak(self) -> NDArray[np.bool_]:
        return np.isfinite(next(iter(self.raw.values())))

    def weakest(self) -> Array:
        """(n,) the raw factor nearest to 1 under all priors; 0 where the priors disagree on the direction."""
        all_priors = np.stack(list(self.raw.values()))
        nearest = np.take_along_axis(all_priors, np.abs(all_priors).argmin(axis=0)[None], axis=0)[0]
        return np.where(np.abs(np.sign(all_priors).sum(axis=0)) == len(all_priors), nearest, 0.0)


def score_pairs(recordings: Sequence[Sample], photos: Sequence[Sample], same_place_km: float, seed: int = 0) -> Pairs:
    """Factor of every pair under every prior, on the world grid refined where the photo points.

    The sound's likelihood is taken from a fine cell's parent: it hardly changes within 70 km.
    """
    grid = world_grid()
    sounds = _sounds(recordings, grid, seed)
    heard = [i for i, s in enumerate(sounds) if s is not None]
    raw = {name: np.full((len(recordings), len(photos)), np.nan) for name in PRIORS}
    clue = TextClue()
    base = priors.prior("mixture", grid)
    for p, photo in enumerate(photos):
        observations = read_photo(photo.path)
        evidence = clue.log_likelihood(observations, grid)
        if evidence.abstained is not None:
            continue
        first = Posterior.of(base, evidence.log_likelihood)
        if first.gain_nats(base) < LEAST_GAIN_NATS:
            continue
        fine = refine.refined(first)
        sight = clue.log_likelihood(observations, fine)
        parent = np.clip(np.searchsorted(grid.cells, fine.parents(WORLD_RESOLUTION)), 0, len(grid) - 1)
        for name in PRIORS:
            prior = priors.prior(name, fine)
            log_w = np.log(np.maximum(agreement.spread(Posterior.of(prior, sight.log_likelihood), prior, same_place_km), 1e-300))
            for r in heard:
                log_l = sounds[r]
                assert log_l is not None
                a = Posterior.of(prior, log_l[parent])
                raw[name][r, p] = np.logaddexp.reduce(a.log_mass + log_w) / np.log(10.0)
        print(f"\r{p + 1} of {len(photos)} photos", end="", flush=True)
    print()
    row, column = (x.ravel() for x in np.indices((len(recordings), len(photos))))
    km = sphere.pairwise_km(_xyz(recordings), _xyz(photos)).ravel()
    return Pairs(row, column, km, {k: v.ravel() for k, v in raw.items()}, _places(recordings), _places(photos))


def _sounds(recordings: Sequence[Sample], grid: Grid, seed: int) -> list[Array | None]:
    clue = SpeciesClue()
    prior = priors.prior("mixture", grid)
    found: list[Array | None] = []
    for sample in recordings:
        evidence = clue.log_likelihood(perceive(sample, Condition(), Settings(), seed).observations, grid)
        speaks = evidence.abstained is None and (Posterior.of(prior, evidence.log_likelihood).gain_nats(prior) >= LEAST_GAIN_NATS)
        found.append(evidence.log_likelihood if speaks else None)
    return found


def _xyz(samples: Sequence[Sample]) -> Array:
    return sphere.to_xyz([s.lat_deg for s in samples], [s.lon_deg for s in samples])


def _places(samples: Sequence[Sample]) -> NDArray[np.int64]:
    return np.array([h3.latlng_to_cell(s.lat_deg, s.lon_deg, FOLD_RESOLUTION) for s in samples], dtype=np.int64)


def fit(raw: Array, same: NDArray[np.bool_], weight: Array | None = None) -> tuple[float, float]:
    """(offset, slope) of log10 LR = offset + slope · raw by logistic regression, both propositions weighing the same."""
    w = np.ones(len(raw)) if weight is None else weight
    balance = np.where(same, w / max(w[same].sum(), 1e-9), w / max(w[~same].sum(), 1e-9))
    squashed = np.clip(raw, -6.0, 6.0)

    def loss(x: Array) -> float:
        z = np.log(10.0) * (x[0] + np.exp(x[1]) * squashed)
        return float((balance * np.logaddexp(0.0, np.where(same, -z, z))).sum()) + 1e-3 * float(x[0] ** 2 + x[1] ** 2)

    best = minimize(loss, np.array([0.0, np.log(0.3)]), method="Nelder-Mead", options={"maxiter": 400})
    return float(best.x[0]), float(np.exp(best.x[1]))


def bounds(log10_lr: Array, same: NDArray[np.bool_], weight: Array, n_same: int, n_different: int) -> tuple[float, float]:
    """(low, high) log10 factors that the pairs support.

    A factor t towards one proposition needs the share of its pairs that reach t to be at least t times the share of the
    other's, one misleading independent pair being added to those.

    Args:
        weight: (n,) of each pair within its proposition.
        n_same, n_different: pairs behind each proposition. They share recordings and photos, so fewer are independent:
        `effective` says how many, and both numbers are reported.
    """

    def most(sign: float, towards: NDArray[np.bool_], n_against: int) -> float:
        z, w, v = sign * log10_lr, weight * towards, weight * ~towards
        best = 0.0
        for t in np.unique(np.round(z[towards & (z > 0)], 2)):
            reach = float(w[z >= t].sum() / w.sum())
            misled = (float(v[z >= t].sum() / v.sum()) * n_against + 1.0) / (n_against + 1.0)
            best = max(best, min(float(t), float(np.log10(max(reach / misled, 1.0)))))
        return best

    return -most(-1.0, ~same, n_same), most(1.0, same, n_different)


def effective(pairs: Pairs, which: NDArray[np.bool_], value: Array) -> float:
    """How many independent pairs some pairs are worth: n² / (n + ρ_r Σ n_r (n_r − 1) + ρ_p Σ n_p (n_p − 1)).

    ρ are the correlations of value (n,) between pairs that share a recording or a photo: the design effect of a crossed design
    (Kish 1965, Survey Sampling, section 8.2, once for each way).
    """
    z = value[which] - value[which].mean()
    z = z / max(float(z.std()), 1e-9)
    n = len(z)
    shared = 0.0
    for key in (pairs.recording[which], pairs.photo[which]):
        _, at, count = np.unique(key, return_inverse=True, return_counts=True)
        couples = float((count * (count - 1)).sum())
        if couples:
            together = float((np.bincount(at, z) ** 2).sum() - (z**2).sum())
            shared += float(np.clip(together / couples, 0.0, 1.0)) * couples
    return n * n / (n + shared)


def weights(pairs: Pairs, which: NDArray[np.bool_], seed: int = 0) -> Array:
    """(n,) weight of each pair within its proposition.

    "Different places" means two places drawn independently from the prior, so pairs beyond 200 km are weighted to the
    distances of such places; those of one place weigh the same. Pairs outside `which` weigh nothing.
    """
    grid = world_grid()
    mass = np.exp(priors.prior("mixture", grid).log_mass)
    rng = np.random.default_rng(seed)
    a, b = (grid.xyz[rng.choice(len(grid), 200_000, p=mass / mass.sum())] for _ in range(2))
    drawn = sphere.EARTH_RADIUS_KM * sphere.angle_rad(a, b)
    edges = np.array([SAME_KM, *BANDS_KM[2:]], dtype=float)
    expected, _ = np.histogram(drawn, edges)
    different = which & (pairs.km >= SAME_KM)
    found, _ = np.histogram(pairs.km[different], edges)
    ratio = np.divide(expected / expected.sum(), found / max(found.sum(), 1), out=np.zeros(len(found)), where=found > 0)
    band = np.clip(np.searchsorted(edges, pairs.km, side="right") - 1, 0, len(found) - 1)
    return np.where(pairs.km < SAME_KM, 1.0, ratio[band]) * which


def cllr(log10_lr: Array, same: NDArray[np.bool_]) -> float:
    """Log-likelihood-ratio cost: 0 for an oracle, 1 for a system that always answers 1. Brümmer & du Preez 2006.

    Every pair counts once, near ones among the different too.
    """
    z = np.log(10.0) * log10_lr
    return float((np.logaddexp(0, -z[same]).mean() + np.logaddexp(0, z[~same]).mean()) / (2 * np.log(2.0)))


def cllr_min(score: Array, same: NDArray[np.bool_]) -> float:
    """Cllr after the best monotone calibration of the same scores (pool adjacent violators)."""
    weight = np.where(same, 1 / same.sum(), 1 / (~same).sum())
    p = IsotonicRegression(y_min=1e-6, y_max=1 - 1e-6).fit_transform(score, same.astype(float), sample_weight=weight)
    return cllr(np.log10(p / (1 - p)), same)


def held_out(pairs: Pairs, seed: int) -> Array:
    """(n,) calibrated log10 factors, each by a fit that saw neither the recording's nor the photo's place; NaN where silent."""
    distinct = np.unique(np.concatenate([pairs.recording_place, pairs.photo_place]))
    fold_of = dict(zip(distinct.tolist(), np.random.default_rng(seed).permutation(len(distinct)) % FOLDS, strict=True))
    fr = np.array([fold_of[int(c)] for c in pairs.recording_place])[pairs.recording]
    fp = np.array([fold_of[int(c)] for c in pairs.photo_place])[pairs.photo]
    raw, same, speak = pairs.weakest(), pairs.km < SAME_KM, pairs.speak
    weight = weights(pairs, speak, seed)
    out = np.full(len(raw), np.nan)
    for a in range(FOLDS):
        for b in range(FOLDS):
            test = speak & (fr == a) & (fp == b)
            train = speak & ~np.isin(fr, (a, b)) & ~np.isin(fp, (a, b))
            if test.any() and same[train].any() and (~same[train]).any():
                offset, slope = fit(raw[train], same[train], weight[train])
                out[test] = offset + slope * raw[test]
    return out


def independent(pairs: Pairs, which: NDArray[np.bool_]) -> int:
    """How many recordings or photos, whichever are fewer, stand behind some pairs."""
    return min(len(np.unique(pairs.recording[which])), len(np.unique(pairs.photo[which])))


def calibrate(pairs: Pairs, seed: int) -> dict[str, Any]:
    """What is written to assets/models/mismatch.json."""
    raw, same, speak = pairs.weakest(), pairs.km < SAME_KM, pairs.speak
    if not (speak & same).any() or not (speak & ~same).any():
        raise DataError(
            "There are no pairs on both sides of 200 km in which sound and picture speak; give more recordings and photos."
        )
    weight = weights(pairs, speak, seed)
    offset, slope = fit(raw[speak], same[speak], weight[speak])
    out = held_out(pairs, seed)
    known = np.isfinite(out)
    n_same, n_different = (effective(pairs, known & side, np.nan_to_num(out)) for side in (same, ~same))
    low, high = bounds(out[known], same[known], weight[known], int((known & same).sum()), int((known & ~same).sum()))
    fewer = bounds(out[known], same[known], weight[known], round(n_same), round(n_different))
    draws = []
    rng = np.random.default_rng(seed)
    for _ in range(200):
        drawn = (_two_way(pairs, rng) * weight)[speak]
        if drawn[same[speak]].sum() > 0 and drawn[~same[speak]].sum() > 0:
            draws.append(fit(raw[speak], same[speak], drawn))
    return {
        "offset": offset,
        "slope": slope,
        "low": low,
        "high": high,
        "pairs": int(speak.sum()),
        "same_pairs": int((speak & same).sum()),
        "effective": {"same": n_same, "different": n_different},
        "bounds_effective": list(fewer),
        "bootstrap": [[round(o, 4), round(s, 4)] for o, s in draws],
        "held_out_cllr": cllr(np.clip(out[known], low, high), same[known]),
        "seed": seed,
    }


def _two_way(pairs: Pairs, rng: np.random.Generator) -> Array:
    """(n,) how often each pair counts when places of recordings and of photos are drawn with replacement."""

    def counts(place: NDArray[np.int64]) -> NDArray[np.int64]:
        distinct, at = np.unique(place, return_inverse=True)
        return np.bincount(rng.integers(0, len(distinct), len(distinct)), minlength=len(distinct))[at]

    return (counts(pairs.recording_place)[pairs.recording] * counts(pairs.photo_place)[pairs.photo]).astype(np.float64)


def report(pairs: Pairs, log10_lr: Array, k: compare.Calibration, seed: int) -> dict[str, Any]:
    """The benchmark's numbers, of factors (n,) that are NaN where either side is silent."""
    known = np.isfinite(log10_lr)
    same, far = pairs.km < SAME_KM, pairs.km > FAR_KM
    lr = np.clip(log10_lr, k.low, k.high)
    z, s = lr[known], same[known]
    bands = []
    for low, high in pairwise(BANDS_KM):
        own = known & (pairs.km >= low) & (pairs.km < high)
        if own.any():
            quartiles = [float(q) for q in np.percentile(lr[own], [25, 50, 75])]
            bands.append(
                {
                    "from_km": low,
                    "to_km": high,
                    "pairs": int(own.sum()),
                    "recordings": len(np.unique(pairs.recording[own])),
                    "photos": len(np.unique(pairs.photo[own])),
                    "log10_factor": quartiles,
                    "different_moderate": float((lr[own] <= -MODERATE).mean()),
                    "same_moderate": float((lr[own] >= MODERATE).mean()),
                }
            )
    intervals = _intervals(pairs, lr, known, seed)
    return {
        "cllr": cllr(z, s),
        "cllr_min": cllr_min(log10_lr[known], s),
        "auc": float(roc_auc_score(s, log10_lr[known])),
        "pairs": int(known.sum()),
        "same_pairs": int((known & same).sum()),
        "spoken": float(known.mean()),
        "false_different_strong": float((z[s] <= -STRONG).mean()),
        "different_moderate": float((lr[known & far] <= -MODERATE).mean()),
        "capped": float(((log10_lr[known] <= k.low) | (log10_lr[known] >= k.high)).mean()),
        "independent": {
            "same": independent(pairs, known & same),
            "different": independent(pairs, known & ~same),
        },
        "bounds_log10": [k.low, k.high],
        "bands": bands,
        "intervals": {name: [v.low, v.high] for name, v in intervals.items()},
    }


def _intervals(pairs: Pairs, lr: Array, known: NDArray[np.bool_], seed: int) -> dict[str, Interval95]:
    rng = np.random.default_rng(seed)
    same, far = pairs.km < SAME_KM, pairs.km > FAR_KM
    draws: dict[str, list[float]] = {"cllr": [], "different_moderate": []}
    z = np.log(10.0) * np.where(known, lr, 0.0)
    for _ in range(DRAWS):
        w = _two_way(pairs, rng) * known
        a, b, f = w * same, w * ~same, w * far
        if min(a.sum(), b.sum(), f.sum()) <= 0:
            continue
        cost = (a * np.logaddexp(0, -z)).sum() / a.sum() + (b * np.logaddexp(0, z)).sum() / b.sum()
        draws["cllr"].append(float(cost / (2 * np.log(2))))
        draws["different_moderate"].append(float((f * (lr <= -MODERATE)).sum() / f.sum()))
    return {k: Interval95(*(float(q) for q in np.percentile(v, [2.5, 97.5]))) for k, v in draws.items() if v}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench mismatch` and `earwitness lab calibrate-mismatch`."""
    parser.add_argument(
        "--recordings", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/recordings)"
    )
    parser.add_argument("--photos", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/photos)")
    parser.add_argument(
        "--same-place", type=float, default=Settings().same_place_km, help="km of the same-place kernel (default: 50)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def pairs_of(args: argparse.Namespace) -> Pairs:
    """The pairs that the options name."""
    recordings = read_manifest(args.recordings or data_dir() / "recordings")
    photos = read_manifest(args.photos or data_dir() / "photos")
    return score_pairs(recordings, photos, args.same_place, args.seed)


def run(args: argparse.Namespace) -> int:
    """Score pairs with the shipped calibration and print the table."""
    k = compare.calibration()
    pairs = pairs_of(args)
    lr = np.where(pairs.speak, k.offset + k.slope * np.nan_to_num(pairs.weakest()), np.nan)
    data = report(pairs, lr, k, args.seed)
    show(data)
    if args.json:
        args.json.write_text(json.dumps({**data, "seed": args.seed}, indent=2))
    return 0


def show(data: dict[str, Any]) -> None:
    """Print the numbers as a table."""
    ci = data["intervals"]
    print(
        f"pairs in which both speak: {data['pairs']:,} ({data['spoken']:.0%} of all), "
        f"{data['same_pairs']} of them within {SAME_KM:g} km"
    )
    who = data["independent"]
    print(f"independent recordings or photos behind them: {who['same']} same place, {who['different']} different places")
    span = f" (95% {ci['cllr'][0]:.2f} to {ci['cllr'][1]:.2f})" if "cllr" in ci else ""
    print(f"Cllr {data['cllr']:.2f}{span}, least possible {data['cllr_min']:.2f}, area under ROC {data['auc']:.3f}")
    print(f"same place called different, strong or more: {data['false_different_strong']:.1%}")
    print(f"beyond {FAR_KM:,.0f} km called different, moderate or more: {data['different_moderate']:.1%}")
    low, high = data["bounds_log10"]
    print(f"factors bounded to 1/{10**-low:,.0f} … {10**high:,.0f}; at the bound: {data['capped']:.0%} of pairs")
    print("\n                                        log10 factor           called, moderate or more")
    print("km between       pairs  rec.  photos     (quartiles)              different  same place")
    for band in data["bands"]:
        q = band["log10_factor"]
        print(
            f"{band['from_km']:>6,} – {band['to_km']:>6,}  {band['pairs']:>6,}  {band['recordings']:>4}  {band['photos']:>6}"
            f"   {q[0]:+.2f}  {q[1]:+.2f}  {q[2]:+.2f}  {band['different_moderate']:>18.1%}  {band['same_moderate']:>10.1%}"
        )
