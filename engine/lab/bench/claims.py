"""`earwitness bench claims`: claims of known truth tested, on recordings and photos whose places are known.

Every recording and every photo is held against its own place (within TRUE_KM) and against the places of all others (from
FALSE_KM on; what lies between is neither and is left out), every recording against its own week of the year and against all
weeks at least three away. Trials share recordings, photos and places: folds keep both the thing tested and the place claimed
apart, intervals come from a two-way bootstrap, and bounds count effectively independent trials, all as in `lab.mismatch`.
False claims are weighted to the distances of two places drawn from the prior.

The species table is checked beside: how often a species heard with confidence is called a stranger at the place where it was
heard, and how much less often an expected one is missing there than elsewhere.
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
from sklearn.metrics import roc_auc_score

from engine.clues.species import residents
from engine.clues.species.clue import SpeciesClue
from engine.clues.text.clue import TextClue
from engine.core import sphere
from engine.core.claim import NOT_THEN, NOT_THERE, Claim
from engine.core.errors import DataError
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.paths import data_dir
from engine.core.posterior import Posterior
from engine.core.settings import PRIORS, Settings
from engine.lab.bench import mismatch
from engine.lab.bench.metrics import Interval95
from engine.lab.bench.mismatch import BANDS_KM, FAR_KM, MODERATE, Pairs
from engine.lab.bench.photos import read_photo
from engine.lab.bench.recordings import Condition, perceive
from engine.lab.data.manifest import Sample, read_manifest
from engine.models import birdnet
from engine.verdict import claim as claims
from engine.verdict.compare import Calibration
from engine.verdict.fuse import LEAST_GAIN_NATS
from engine.world import priors, refine
from engine.world.grid import world_grid

Array = NDArray[np.float64]

TRUE_KM, FALSE_KM = 25.0, 200.0
FALSE_WEEKS = 3  # a week this far from the recording's is a false claim
KINDS = ("sound", "picture", "season")
DRAWS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """All claims tested.

    Attributes:
        by_kind: kind to its trials; in a Pairs, "recording" is the thing tested and "photo" the claim, and raw is NaN where the
            modality is silent or the claim neither true nor false.
        together: (n, 4) of recordings and photos taken within FALSE_KM of each other, held against every place: raw of the
            sound, raw of the picture, km from the claim to the photo, number of the couple.
        species: rates of the species table.
    """

    by_kind: dict[str, Pairs]
    together: Array
    species: dict[str, float]


def try_claims(recordings: Sequence[Sample], photos: Sequence[Sample], radius_km: float, seed: int = 0) -> Trials:
    """Test every recording and photo against every place."""
    heard = [perceive(s, Condition(), Settings(), seed).observations for s in recordings]
    places = _distinct((*recordings, *photos), radius_km)
    sound = _sounds(heard, places)
    picture = _pictures(photos, places)
    by_kind = {
        "sound": _pairs(recordings, places, sound),
        "picture": _pairs(photos, places, picture),
        "season": _seasons(recordings, heard, radius_km),
    }
    together = _together(recordings, photos, places, *(_weakest(x) for x in (sound, picture)))
    return Trials(by_kind, together, _species(recordings, heard, places))


def _distinct(samples: Sequence[Sample], radius_km: float) -> tuple[Claim, ...]:
    at = dict.fromkeys((round(s.lat_deg, 2), (round(s.lon_deg, 2) + 180.0) % 360.0 - 180.0) for s in samples)
    return tuple(Claim(lat, lon, radius_km=radius_km) for lat, lon in at)


def _kernels(places: Sequence[Claim], grid: Grid) -> Array:
    return np.stack([claims.kernel(c, grid) for c in places])


def _ratios(evidence: Evidence, kernels: Array) -> Array | None:
    """(priors, claims) log10 of the ratio of every claim under every prior; None where the modality is silent."""
    if evidence.abstained is not None:
        return None
    base = priors.prior("mixture", evidence.grid)
    if Posterior.of(base, evidence.log_likelihood).gain_nats(base) < LEAST_GAIN_NATS:
        return None
    rows = []
    for name in PRIORS:
        prior = priors.prior(name, evidence.grid)
        posterior = Posterior.of(prior, evidence.log_likelihood)
        rows.append([claims.log10_ratio(posterior, prior, k) for k in kernels])
    return np.array(rows)


def _sounds(heard: Sequence[tuple[Observation, ...]], places: Sequence[Claim]) -> Array:
    """(recordings, readings, claims): under every prior with everything heard, and without BirdNET's known false alarms."""
    grid, clue = world_grid(), SpeciesClue()
    kernels = _kernels(places, grid)
    out = np.full((len(heard), 2 * len(PRIORS), len(places)), np.nan)
    for i, observations in enumerate(heard):
        found = _ratios(clue.log_likelihood(observations, grid), kernels)
        if found is None:
            continue
        out[i] = np.concatenate([found, found])
        kept = tuple(o for o in observations if o.label not in residents.FALSE_ALARMS)
        if len(kept) < len(observations):
            without = clue.log_likelihood(kept, grid)
            prior = priors.prior("mixture", grid)
            rows = [] if without.abstained else [Posterior.of(prior, without.log_likelihood)]
            silent = not rows or rows[0].gain_nats(prior) < LEAST_GAIN_NATS
            out[i, len(PRIORS) :] = 0.0 if silent else _ratios(without, kernels)
        print(f"\rsound {i + 1} of {len(heard)}", end="", flush=True)
    print()
    return out


def _pictures(photos: Sequence[Sample], places: Sequence[Claim]) -> Array:
    """(photos, priors, claims)."""
    grid, clue = world_grid(), TextClue()
    base = priors.prior("mixture", grid)
    out = np.full((len(photos), len(PRIORS), len(places)), np.nan)
    for i, photo in enumerate(photos):
        observations = read_photo(photo.path)
        first = clue.log_likelihood(observations, grid)
        if first.abstained is None:
            fine = refine.refined(Posterior.of(base, first.log_likelihood))
            found = _ratios(clue.log_likelihood(observations, fine), _kernels(places, fine))
            if found is not None:
                out[i] = found
        print(f"\rpicture {i + 1} of {len(photos)}", end="", flush=True)
    print()
    return out


def _weakest(readings: Array) -> Array:
    """(things, claims) the reading nearest to 1; 0 where readings disagree on the direction."""
    nearest = np.take_along_axis(readings, np.abs(readings).argmin(axis=1)[:, None], axis=1)[:, 0]
    agree = (np.abs(np.sign(readings).sum(axis=1)) == readings.shape[1]) | np.isnan(nearest)
    return np.where(agree, nearest, 0.0)


def _pairs(samples: Sequence[Sample], places: Sequence[Claim], readings: Array) -> Pairs:
    thing, claim = (x.ravel() for x in np.indices((len(samples), len(places))))
    km = sphere.pairwise_km(
        mismatch._xyz(samples), sphere.to_xyz([c.lat_deg for c in places], [c.lon_deg for c in places])
    ).ravel()
    decided = (km <= TRUE_KM) | (km >= FALSE_KM)
    raw = np.where(decided, _weakest(readings).ravel(), np.nan)
    return Pairs(thing, claim, km, {"all": raw}, mismatch._places(samples), _cells(places))


def _cells(places: Sequence[Claim]) -> NDArray[np.int64]:
    return np.array([h3.latlng_to_cell(c.lat_deg, c.lon_deg, mismatch.FOLD_RESOLUTION) for c in places], dtype=np.int64)


def _seasons(recordings: Sequence[Sample], heard: Sequence[tuple[Observation, ...]], radius_km: float) -> Pairs:
    """Every dated recording against every week; "km" is 0 for a true week and FAR_KM for a false one."""
    raw = np.full((len(recordings), birdnet.WEEKS), np.nan)
    away = np.zeros(raw.shape, dtype=np.int64)
    for i, (sample, observations) in enumerate(zip(recordings, heard, strict=True)):
        if sample.date is None:
            continue
        at = Claim(sample.lat_deg, (sample.lon_deg + 180.0) % 360.0 - 180.0, radius_km=radius_km)
        log_l = residents.week_log_likelihood(observations, at)
        off = np.abs(np.arange(birdnet.WEEKS) - (birdnet.week_of(sample.date.month, sample.date.day) - 1))
        away[i] = np.minimum(off, birdnet.WEEKS - off)
        if log_l is not None:
            raw[i] = np.where((away[i] == 0) | (away[i] >= FALSE_WEEKS), log_l / np.log(10.0), np.nan)
    thing, week = (x.ravel() for x in np.indices(raw.shape))
    months = np.arange(birdnet.WEEKS) // 4
    km = np.where(away.ravel() == 0, 0.0, FAR_KM + 1.0)
    return Pairs(thing, week, km, {"all": raw.ravel()}, mismatch._places(recordings), months.astype(np.int64))


def _together(
    recordings: Sequence[Sample], photos: Sequence[Sample], places: Sequence[Claim], sound: Array, picture: Array
) -> Array:
    near = sphere.pairwise_km(mismatch._xyz(recordings), mismatch._xyz(photos)) < FALSE_KM
    km = sphere.pairwise_km(mismatch._xyz(photos), sphere.to_xyz([c.lat_deg for c in places], [c.lon_deg for c in places]))
    rows = []
    for n, (r, p) in enumerate(zip(*np.nonzero(near), strict=True)):
        rows.append(np.column_stack([sound[r], picture[p], km[p], np.full(len(places), float(n))]))
    every = np.concatenate(rows) if rows else np.zeros((0, 4))
    decided = (every[:, 2] <= TRUE_KM) | (every[:, 2] >= FALSE_KM)
    return every[decided & np.isfinite(every).all(axis=1)]


def _species(recordings: Sequence[Sample], heard: Sequence[tuple[Observation, ...]], places: Sequence[Claim]) -> dict[str, float]:
    """Rates of the species table at the true place and week, and at a place far away."""
    count = dict.fromkeys(("sure", "not_there", "not_then", "far", "far_not_there"), 0)
    missing: dict[str, list[float]] = {"true": [], "far": []}
    for i, (sample, observations) in enumerate(zip(recordings, heard, strict=True)):
        own = Claim(sample.lat_deg, (sample.lon_deg + 180.0) % 360.0 - 180.0, when=sample.date)
        km = sphere.distance_km(own.lat_deg, own.lon_deg, [c.lat_deg for c in places], [c.lon_deg for c in places])
        far = [c for c, d in zip(places, km, strict=True) if d > FAR_KM]
        other = far[(7 * i) % len(far)] if far else None
        sure = [r for r in residents.residents(observations, own) if not r.doubt]
        count["sure"] += len(sure)
        count["not_there"] += sum(r.home == NOT_THERE for r in sure)
        count["not_then"] += sum(r.home == NOT_THEN for r in sure)
        _, expected = (absent := residents.absent(observations, own))
        missing["true"] += [len(absent[0]) / expected] if expected else []
        if other is not None:
            there = [r for r in residents.residents(observations, other) if not r.doubt]
            count["far"] += len(there)
            count["far_not_there"] += sum(r.home == NOT_THERE for r in there)
            gone, expected = residents.absent(observations, Claim(other.lat_deg, other.lon_deg, when=sample.date))
            missing["far"] += [len(gone) / expected] if expected else []
    return {
        "species_heard": count["sure"],
        "stranger_at_true_place": count["not_there"] / max(1, count["sure"]),
        "stranger_at_true_week": count["not_then"] / max(1, count["sure"]),
        "stranger_at_far_place": count["far_not_there"] / max(1, count["far"]),
        "expected_missing_at_true_place": float(np.mean(missing["true"])) if missing["true"] else float("nan"),
        "expected_missing_at_far_place": float(np.mean(missing["far"])) if missing["far"] else float("nan"),
    }


def calibrate(trials: Trials, seed: int) -> dict[str, Any]:
    """What is written to assets/models/claim.json.

    Raises:
        DataError: a kind has no true or no false claims in which the evidence speaks.
    """
    return {kind: _calibrate(kind, trials.by_kind[kind], seed) for kind in KINDS} | {"seed": seed}


def _calibrate(kind: str, pairs: Pairs, seed: int) -> dict[str, Any]:
    raw, speak, same = pairs.weakest(), pairs.speak, pairs.km < FALSE_KM
    if not (speak & same).any() or not (speak & ~same).any():
        raise DataError(f"There are no true and false claims in which the {kind} speaks; give more recordings and photos.")
    weight = mismatch.weights(pairs, speak, seed)
    offset, slope = mismatch.fit(raw[speak], same[speak], weight[speak])
    out = mismatch.held_out(pairs, seed)
    known = np.isfinite(out)
    n_true, n_false = (mismatch.effective(pairs, known & side, np.nan_to_num(out)) for side in (same, ~same))
    low, high = mismatch.bounds(out[known], same[known], weight[known], int(n_true), int(n_false))
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(DRAWS):
        drawn = (mismatch._two_way(pairs, rng) * weight)[speak]
        if drawn[same[speak]].sum() > 0 and drawn[~same[speak]].sum() > 0:
            draws.append(mismatch.fit(raw[speak], same[speak], drawn))
    return {
        "offset": offset,
        "slope": slope,
        "low": low,
        "high": high,
        "trials": int(speak.sum()),
        "true_claims": int((speak & same).sum()),
        "effective": {"true": n_true, "false": n_false},
        "things": len(np.unique(pairs.recording[speak])),
        "held_out_cllr": mismatch.cllr(np.clip(out[known], low, high), same[known]),
        "bootstrap": [[round(o, 4), round(s, 4)] for o, s in draws],
    }


def report(trials: Trials, fits: dict[str, Calibration], seed: int, out: dict[str, Array] | None = None) -> dict[str, Any]:
    """The benchmark's numbers.

    Args:
        out: kind to (n,) calibrated log10 ratios held out by folds; None applies the calibration given.
    """
    data: dict[str, Any] = {}
    for kind in KINDS:
        pairs, fit = trials.by_kind[kind], fits[kind]
        z = out[kind] if out else np.where(pairs.speak, fit.offset + fit.slope * np.nan_to_num(pairs.weakest()), np.nan)
        data[kind] = _report(pairs, np.clip(z, fit.low, fit.high), fit, seed)
    data["both"] = _report_both(trials.together, fits)
    data["species"] = trials.species
    return data


def _report(pairs: Pairs, z: Array, fit: Calibration, seed: int) -> dict[str, Any]:
    known, same = np.isfinite(z), pairs.km < FALSE_KM
    true, false = known & same, known & ~same
    if not true.any() or not false.any():
        return {"true_claims": int(true.sum()), "false_claims": int(false.sum())}
    asked = np.isin(pairs.recording, np.unique(pairs.recording[true | ~pairs.speak])) & same
    rng = np.random.default_rng(seed)
    costs = []
    for _ in range(DRAWS):
        w = mismatch._two_way(pairs, rng)
        if (w * true).sum() > 0 and (w * false).sum() > 0:
            costs.append(_cost(z, w * true, w * false))
    low, high = (float(q) for q in np.percentile(costs, [2.5, 97.5])) if costs else (float("nan"), float("nan"))
    bands = []
    for near, far in pairwise(BANDS_KM):
        own = known & (pairs.km >= near) & (pairs.km < far)
        if own.any():
            quartiles = [float(q) for q in np.percentile(z[own], [25, 50, 75])]
            bands.append({"from_km": near, "to_km": far, "claims": int(own.sum()), "log10_ratio": quartiles})
    return {
        "cllr": mismatch.cllr(z[known], same[known]),
        "cllr_95": Interval95(low, high),
        "cllr_min": mismatch.cllr_min(z[known], same[known]),
        "auc": float(roc_auc_score(same[known], z[known])),
        "true_claims": int(true.sum()),
        "false_claims": int(false.sum()),
        "things": len(np.unique(pairs.recording[known])),
        "spoken": float(true.sum() / max(1, int(asked.sum()))),
        "true_supported": float((z[true] >= claims.LEAST_FACTOR).mean()),
        "true_against": float((z[true] <= -claims.LEAST_FACTOR).mean()),
        "true_against_moderate": float((z[true] <= -MODERATE).mean()),
        "false_supported": float((z[false] >= claims.LEAST_FACTOR).mean()),
        "false_supported_moderate": float((z[false] >= MODERATE).mean()),
        "far_against": float((z[known & (pairs.km > FAR_KM)] <= -claims.LEAST_FACTOR).mean()),
        "capped": float(((z[known] <= fit.low) | (z[known] >= fit.high)).mean()),
        "bounds_log10": [fit.low, fit.high],
        "bands": bands,
    }


def _cost(z: Array, true: Array, false: Array) -> float:
    ln = np.log(10.0) * np.nan_to_num(z)
    cost = (true * np.logaddexp(0, -ln)).sum() / true.sum() + (false * np.logaddexp(0, ln)).sum() / false.sum()
    return float(cost / (2 * np.log(2.0)))


def _report_both(together: Array, fits: dict[str, Calibration]) -> dict[str, Any]:
    """Recordings and photos from within FALSE_KM of each other, as if they were one clip from the photo's place."""
    if not len(together):
        return {"couples": 0}
    sound, picture = (
        np.array([fits[n].apply(v) for v in column]) for n, column in (("sound", together[:, 0]), ("picture", together[:, 1]))
    )
    quiet = claims.LEAST_FACTOR
    s, p = (np.where(np.abs(v) < quiet, 0.0, v) for v in (sound, picture))
    z = np.clip(s + p, min(fits["sound"].low, fits["picture"].low), max(fits["sound"].high, fits["picture"].high))
    against_each_other = s * p < 0
    z = np.where(against_each_other, 0.0, z)
    same = together[:, 2] <= TRUE_KM
    return {
        "couples": len(np.unique(together[:, 3])),
        "true_claims": int(same.sum()),
        "false_claims": int((~same).sum()),
        "cllr": mismatch.cllr(z, same),
        "true_supported": float((z[same] >= quiet).mean()),
        "true_against": float((z[same] <= -quiet).mean()),
        "false_supported": float((z[~same] >= quiet).mean()),
        "false_against": float((z[~same] <= -quiet).mean()),
        "contradicting": float(against_each_other.mean()),
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench claims` and `earwitness lab calibrate-claims`."""
    parser.add_argument(
        "--data",
        type=Path,
        default=None,
        help="folder with recordings/ and photos/, a manifest.csv in each (default: EARWITNESS_DATA)",
    )
    parser.add_argument("--radius", type=float, default=50.0, help="km of the claims (default: 50)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def trials_of(args: argparse.Namespace) -> Trials:
    """The trials that the options name."""
    folder = args.data or data_dir()
    return try_claims(read_manifest(folder / "recordings"), read_manifest(folder / "photos"), args.radius, args.seed)


def run(args: argparse.Namespace) -> int:
    """Test claims with the shipped calibration and print the table."""
    data = report(trials_of(args), claims.calibrations(), args.seed)
    show(data)
    if args.json:
        args.json.write_text(json.dumps({**data, "seed": args.seed}, indent=2, default=vars_of))
    return 0


def vars_of(value: Any) -> Any:
    """An interval as a pair."""
    if isinstance(value, Interval95):
        return [value.low, value.high]
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def show(data: dict[str, Any]) -> None:
    """Print the numbers as a table."""
    head = f"{'claims':<9}{'true':>6}{'false':>8}  {'Cllr (95%)':<20}{'least':>6}{'AUC':>7}"
    print(head + "  true: for/against  false: for/far against")
    for kind in KINDS:
        d = data[kind]
        if "cllr" not in d:
            print(f"{kind:<9}{d['true_claims']:>6}{d['false_claims']:>8}  too few")
            continue
        ci = d["cllr_95"]
        print(
            f"{kind:<9}{d['true_claims']:>6}{d['false_claims']:>8}  {d['cllr']:.2f} ({ci.low:.2f} to {ci.high:.2f})".ljust(45)
            + f"{d['cllr_min']:>6.2f}{d['auc']:>7.3f}  {d['true_supported']:>6.0%} /{d['true_against']:>5.1%}      "
            f"{d['false_supported']:>6.1%} /{d['far_against']:>5.0%}   bounds 1/{10 ** -d['bounds_log10'][0]:,.0f} … "
            f"{10 ** d['bounds_log10'][1]:,.0f}"
        )
    both = data["both"]
    if both["couples"]:
        print(
            f"{'both':<9}{both['true_claims']:>6}{both['false_claims']:>8}  {both['cllr']:.2f}".ljust(45)
            + f"{'':>13}  {both['true_supported']:>6.0%} /{both['true_against']:>5.1%}      {both['false_supported']:>6.1%} "
            f"/{both['false_against']:>5.0%}   {both['couples']} couples, {both['contradicting']:.0%} contradicting"
        )
    s = data["species"]
    print(f"\nspecies heard with confidence: {s['species_heard']:.0f}; called strangers", end=" ")
    print(f"at the true place {s['stranger_at_true_place']:.1%}, in the true week {s['stranger_at_true_week']:.1%},", end=" ")
    print(f"at a place beyond {FAR_KM:,.0f} km {s['stranger_at_far_place']:.0%}")
    missing, far = s["expected_missing_at_true_place"], s["expected_missing_at_far_place"]
    print(f"easily heard species expected but missing: {missing:.0%} at the true place, {far:.0%} at a far one")
    for kind in ("sound", "picture"):
        print(f"\n{kind}: km to the claim   claims   log10 ratio (quartiles)")
        for band in data[kind].get("bands", ()):
            q = band["log10_ratio"]
            print(f"{band['from_km']:>6,} – {band['to_km']:>6,}  {band['claims']:>12,}   {q[0]:+.2f}  {q[1]:+.2f}  {q[2]:+.2f}")
