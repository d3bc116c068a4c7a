"""`earwitness bench claims`: claims of known truth tested, on recordings and photos whose places are known.

Every recording and every photo is held against its own place and against the places of all others: the trials of
`lab.bench.trials`, on which the maps are fitted. Every recording is also held against its own week of the year and against all
weeks at least three away. Nothing is left out by the guards here: what is scored is the calibrated ratio.

The species table is checked beside: how often a species heard with confidence is called a stranger at the place where it was
heard, and how much less often an expected one is missing there than elsewhere.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from engine.clues.species import residents
from engine.core import sphere
from engine.core.claim import NOT_THEN, NOT_THERE, Claim
from engine.core.errors import DataError
from engine.core.observation import Observation
from engine.core.paths import data_dir
from engine.core.settings import Settings
from engine.lab.bench import likelihood_ratio as lr
from engine.lab.bench import trials
from engine.lab.bench.likelihood_ratio import Array, Mask
from engine.lab.bench.metrics import Interval95
from engine.lab.bench.pairs import FAR_KM, MODERATE
from engine.lab.bench.recordings import Condition, perceive
from engine.lab.data.manifest import Sample, read_manifest
from engine.models import birdnet
from engine.verdict import calibration
from engine.verdict.calibration import LEAST_FACTOR, Calibration
from engine.verdict.claim import season_calibration

FALSE_KM = trials.DIFFERENT_KM
FALSE_WEEKS = 3  # a week this far from the recording's is a false claim
KINDS = ("sound", "picture", "season")
DRAWS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """All claims tested.

    Attributes:
        by_kind: "sound" and "picture" to their trials, at the claims' radius, and "season" to those of the week.
        together: (n, 4) of recordings and photos taken within FALSE_KM of each other, held against every place: calibrated log10
            ratio of the sound and of the picture, km from the claim to the photo, number of the couple.
        species: rates of the species table.
    """

    by_kind: dict[str, trials.Scored]
    far: dict[str, Mask]
    spoken: dict[str, float]
    together: Array
    species: dict[str, float]


def try_claims(recordings: Sequence[Sample], photos: Sequence[Sample], radius_km: float, seed: int = 0) -> Claims:
    """Test every recording and photo against every place."""
    heard, seen = [trials.heard(s, seed) for s in recordings], [trials.seen(s) for s in photos]
    places = trials.distinct_places((*recordings, *photos))
    every = {name: trials.try_places(x, places, (radius_km,)) for name, x in (("sound", heard), ("picture", seen))}
    maps = calibration.maps()
    by_kind, far = {}, {}
    for name, own in every.items():
        by_kind[name] = trials.scored(own, radius_km, maps.misread_rate if name == "picture" else lambda _: 0.0)
        far[name] = (own.km > FAR_KM)[own.decided(radius_km)]
    listened = [perceive(s, Condition(), Settings(), seed).observations for s in recordings]
    by_kind["season"] = seasons(recordings, listened, radius_km)
    far["season"] = ~by_kind["season"].same
    spoken = {name: float(np.mean([s.evidence is not None for s in x])) for name, x in (("sound", heard), ("picture", seen))}
    dated = [s for s in recordings if s.date is not None]
    spoken["season"] = len(np.unique(by_kind["season"].thing)) / max(1, len(dated))
    claimed = [Claim(*p, radius_km=radius_km) for p in places]
    together = _together(recordings, photos, every, radius_km)
    return Claims(by_kind, far, spoken, together, _species(recordings, listened, claimed))


def seasons(recordings: Sequence[Sample], heard: Sequence[tuple[Observation, ...]], radius_km: float) -> trials.Scored:
    """Every dated recording against its own week and every week at least FALSE_WEEKS away."""
    rows: list[tuple[float, bool, int, int]] = []
    for i, (sample, observations) in enumerate(zip(recordings, heard, strict=True)):
        if sample.date is None:
            continue
        at = Claim(sample.lat_deg, (sample.lon_deg + 180.0) % 360.0 - 180.0, radius_km=radius_km)
        log_l = residents.week_log_likelihood(observations, at)
        off = np.abs(np.arange(birdnet.WEEKS) - (birdnet.week_of(sample.date.month, sample.date.day) - 1))
        away = np.minimum(off, birdnet.WEEKS - off)
        if log_l is not None:
            for week in np.flatnonzero((away == 0) | (away >= FALSE_WEEKS)).tolist():
                rows.append((float(log_l[week] / np.log(10.0)), bool(away[week] == 0), i, week // 4))
    region = trials.regions(recordings)
    raw = np.array([r[0] for r in rows], dtype=np.float64)
    same = np.array([r[1] for r in rows], dtype=np.bool_)
    thing, month = (np.array([r[k] for r in rows], dtype=np.int64) for k in (2, 3))
    # Months stand for the "places" of the trials: folds and bootstrap keep the week claimed out as well.
    return trials.Scored(raw, same, np.ones(len(raw)), thing, region[thing], month)


def _together(recordings: Sequence[Sample], photos: Sequence[Sample], every: dict[str, trials.Trials], radius_km: float) -> Array:
    maps = calibration.maps()
    z = {}
    for name, own in every.items():
        fit = maps.fit(name, radius_km)
        rate = np.array([maps.misread_rate(k) if k else 0.0 for k in own.kind])[own.thing]
        raw = np.log10((1.0 - rate) * 10.0 ** np.clip(own.raw[radius_km], -12.0, 12.0) + rate)
        things = len(own.thing_region)
        z[name] = np.clip(fit.offset + fit.slope * raw, fit.low, fit.high).reshape(things, -1)
    km = every["picture"].km.reshape(len(photos), -1)
    near = sphere.pairwise_km(trials.xyz(recordings), trials.xyz(photos)) < FALSE_KM
    rows = [
        np.column_stack([z["sound"][r], z["picture"][p], km[p], np.full(km.shape[1], float(n))])
        for n, (r, p) in enumerate(zip(*np.nonzero(near), strict=True))
    ]
    found = np.concatenate(rows) if rows else np.zeros((0, 4))
    decided = (found[:, 2] <= trials.SAME_KM) | (found[:, 2] >= FALSE_KM)
    return found[decided & np.isfinite(found).all(axis=1)]


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


def calibrate(season: trials.Scored, seed: int) -> dict[str, Any]:
    """What is written to assets/models/claim.json.

    Raises:
        DataError: there are no true or no false weeks in which the species speak.
    """
    if not season.two_sided:
        raise DataError("There are no true and false weeks in which the species speak; give more dated recordings.")
    return {"season": trials.calibrated(season, 0.0, seed), "seed": seed}


def report(claims: Claims, fits: dict[str, Calibration], seed: int, out: dict[str, Array] | None = None) -> dict[str, Any]:
    """The benchmark's numbers.

    Args:
        out: kind to (n,) calibrated log10 ratios held out by folds; None applies the calibration given.
    """
    data: dict[str, Any] = {}
    for kind in KINDS:
        own, fit = claims.by_kind[kind], fits[kind]
        z = out[kind] if out else np.clip(fit.offset + fit.slope * own.raw, fit.low, fit.high)
        data[kind] = _report(own, claims.far[kind], z, fit, seed) | {"spoken": claims.spoken[kind]}
    data["both"] = _report_both(claims.together, fits)
    data["species"] = claims.species
    return data


def _report(data: trials.Scored, far: Mask, z: Array, fit: Calibration, seed: int) -> dict[str, Any]:
    known = np.isfinite(z)
    data, far, z = data.only(known), far[known], z[known]
    same = data.same
    if not data.two_sided:
        return {"true_claims": int(same.sum()), "false_claims": int((~same).sum())}
    rng = np.random.default_rng(seed)
    costs = []
    for _ in range(DRAWS):
        w = trials.two_way(data.thing_region, data.place_region, rng)
        if (w * same).sum() > 0 and (w * ~same).sum() > 0:
            costs.append(lr.cllr(z, same, w))
    low, high = (float(q) for q in np.percentile(costs, [2.5, 97.5])) if costs else (float("nan"), float("nan"))
    return {
        "cllr": lr.cllr(z, same),
        "cllr_weighted": lr.cllr(z, same, data.weight),
        "cllr_95": Interval95(low, high),
        "cllr_min": lr.cllr_min(z, same, data.weight),
        "dev_pav": lr.dev_pav(z, same, data.weight),
        "auc": float(roc_auc_score(same, z)),
        "true_claims": int(same.sum()),
        "false_claims": int((~same).sum()),
        "things": len(np.unique(data.thing)),
        "true_supported": float((z[same] >= LEAST_FACTOR).mean()),
        "true_against": float((z[same] <= -LEAST_FACTOR).mean()),
        "true_against_moderate": float((z[same] <= -MODERATE).mean()),
        "false_supported": float((z[~same] >= LEAST_FACTOR).mean()),
        "false_supported_moderate": float((z[~same] >= MODERATE).mean()),
        "far_against": float((z[far] <= -LEAST_FACTOR).mean()) if far.any() else float("nan"),
        "capped": float(((z <= fit.low) | (z >= fit.high)).mean()),
        "bounds_log10": [fit.low, fit.high],
    }


def _report_both(together: Array, fits: dict[str, Calibration]) -> dict[str, Any]:
    """Recordings and photos from within FALSE_KM of each other, as if they were one clip from the photo's place."""
    if not len(together):
        return {"couples": 0}
    quiet = LEAST_FACTOR
    s, p = (np.where(np.abs(v) < quiet, 0.0, v) for v in (together[:, 0], together[:, 1]))
    z = np.clip(s + p, min(fits["sound"].low, fits["picture"].low), max(fits["sound"].high, fits["picture"].high))
    against_each_other = s * p < 0
    z = np.where(against_each_other, 0.0, z)
    same = together[:, 2] <= trials.SAME_KM
    return {
        "couples": len(np.unique(together[:, 3])),
        "true_claims": int(same.sum()),
        "false_claims": int((~same).sum()),
        "cllr": lr.cllr(z, same),
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


def claims_of(args: argparse.Namespace) -> Claims:
    """The claims that the options name."""
    folder = args.data or data_dir()
    return try_claims(read_manifest(folder / "recordings"), read_manifest(folder / "photos"), args.radius, args.seed)


def fits_of(radius_km: float) -> dict[str, Calibration]:
    """The shipped calibrations of every kind of claim."""
    maps = calibration.maps()
    return {"sound": maps.fit("sound", radius_km), "picture": maps.fit("picture", radius_km), "season": season_calibration()}


def run(args: argparse.Namespace) -> int:
    """Test claims with the shipped calibration and print the table."""
    data = report(claims_of(args), fits_of(args.radius), args.seed)
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
