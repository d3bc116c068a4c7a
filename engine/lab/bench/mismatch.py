"""`earwitness bench mismatch`: same place or not, on recordings paired with photos whose places are known.

Every recording is paired with every photo in which something speaks, and weighed as the program weighs the sound and picture of
one clip: the numbers score what the banner says, every guard included. A pair closer than 200 km counts as one place. Nothing is
fitted here: the maps come from trials against sharp places (`lab.bench.trials`, `earwitness lab calibrate-mismatch`).

Pairs share recordings, photos and regions, so intervals come from a two-way bootstrap: regions of recordings and regions of
photos are drawn, and a pair counts as often as both. Numbers are given as the pairs are, and with different pairs weighted to
the distances of two places drawn from the prior, which is what "different places" means. `--held-out` weighs every pair by maps
that saw neither the recording's region nor the photo's: with the material that the shipped maps were fitted on, only these
numbers tell of a clip not seen. `--films` makes films of known mismatch from the recordings (`lab.bench.sign_films`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import h3.api.numpy_int as h3
import numpy as np

from engine.clues.text import kinds
from engine.core import sphere
from engine.core.comparison import VERBAL_SCALE
from engine.core.paths import data_dir
from engine.core.posterior import Prior
from engine.core.settings import Settings
from engine.lab.bench import likelihood_ratio as lr
from engine.lab.bench import pairs as paired
from engine.lab.bench import trials as sharp
from engine.lab.bench.likelihood_ratio import Array, Mask
from engine.lab.bench.pairs import FAR_KM, MODERATE, SAME_KM, Pairs
from engine.lab.data.manifest import read_manifest
from engine.verdict import calibration
from engine.verdict.calibration import Maps, calibration_of

BANDS_KM = sharp.BANDS_KM
NAMED_BANDS = {"0-200": (0, 200), "200-500": (200, 500), "500-1000": (500, 1000), "1000-2500": (1000, 2500),
               "2500-5000": (2500, 5000), "5000-": (5000, 20038)}  # fmt: skip
REGION_KM = 1000.0  # beyond it "same region" is wrong: what it leaves open is places 500 to 1,000 km apart
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


def held_out_maps(
    heard: Sequence[sharp.Side], seen: Sequence[sharp.Side], same_place_km: float, seed: int
) -> Callable[[int, int], Maps]:
    """Maps for a recording's and a photo's region, fitted on trials that hold neither nor the rest of their folds."""
    places = sharp.distinct_places([s.sample for s in (*heard, *seen)])
    sound, picture = (sharp.try_places(x, places, (same_place_km,)) for x in (heard, seen))
    every = np.unique(np.concatenate([sound.thing_region, sound.place_region, picture.thing_region]))
    number = dict(zip(every.tolist(), np.random.default_rng(seed).permutation(len(every)) % sharp.FOLDS, strict=True))
    made: dict[frozenset[int], Maps] = {}

    def maps_of(recording: int, photo: int) -> Maps:
        folds = frozenset({int(number[recording]), int(number[photo])})
        if folds not in made:
            out = [c for c in every.tolist() if number[c] in folds]
            left = sharp.scored(sharp.without_regions(sound, out), same_place_km)
            fit = calibration_of(sharp.calibrated(left, same_place_km, seed))
            known = [n for n, k in enumerate(picture.kind) if k and picture.thing_region[n] not in out]
            rows = sharp.misread_rates([picture.kind[n] for n in known], [picture.missed[n] for n in known], kinds.KINDS)
            made[folds] = Maps({"sound": (fit,) * len(calibration.RADII_KM)}, {k: float(v["rate"]) for k, v in rows.items()})
        return made[folds]

    return maps_of


def report(pairs: Pairs, seed: int, bounds: tuple[float, float] | None = None) -> dict[str, Any]:
    """The benchmark's numbers."""
    speak, z = pairs.speak, np.nan_to_num(pairs.said["all"])
    same = pairs.km < SAME_KM
    all_weight = np.where(same, 1.0, sharp.prior_weights(pairs.km, ~same))
    weight = np.where(same, 1.0, sharp.prior_weights(pairs.km, speak & ~same)) * speak
    data: dict[str, Any] = {
        "pairs": int(speak.sum()),
        "same_pairs": int((speak & same).sum()),
        "spoken": float(speak.mean()),
        "decided": float((z[speak] != 0.0).mean()) if speak.any() else 0.0,
        "rests_on_one": float(pairs.limited[speak & (z != 0.0)].mean()) if (speak & (z != 0.0)).any() else 0.0,
        "independent": {
            name: min(len(np.unique(pairs.recording[speak & side])), len(np.unique(pairs.photo[speak & side])))
            for name, side in (("same", same), ("different", ~same))
        },
        "pairs_by_band": {name: int((speak & _within(pairs.km, *b)).sum()) for name, b in NAMED_BANDS.items()},
        **_rates(pairs, "all", speak.astype(np.float64)),
    }
    if (speak & same).any() and (speak & ~same).any():
        k, s = z[speak], same[speak]
        data |= {
            "cllr": lr.cllr(k, s),
            "cllr_weighted": lr.cllr(k, s, weight[speak]),
            "cllr_all": lr.cllr(z, same),
            "cllr_all_weighted": lr.cllr(z, same, all_weight),
            "cllr_min": lr.cllr_min(k, s),
            "cllr_min_weighted": lr.cllr_min(k, s, weight[speak]),
            "dev_pav": lr.dev_pav(k, s),
            "dev_pav_weighted": lr.dev_pav(k, s, weight[speak]),
        }
    data["words"] = _words(pairs)
    data["guards"] = {name: _price(pairs, name) for name in pairs.said}
    data["bands"] = _bands(pairs)
    data["intervals"] = _intervals(pairs, seed)
    data["bounds_log10"] = list(bounds) if bounds else None
    return data


def _rates(pairs: Pairs, name: str, weight: Array) -> dict[str, Any]:
    """The rates that the banner is judged by with some guards, each pair counting as often as its weight says."""
    z, same, far = np.nan_to_num(pairs.said[name]), pairs.km < SAME_KM, pairs.km > FAR_KM
    one, area = (z > 0.0) & ~pairs.region[name], pairs.region[name]

    def by_band(what: Mask) -> dict[str, float | None]:
        return {band: _share(what, weight * _within(pairs.km, *ends)) for band, ends in NAMED_BANDS.items()}

    return {
        "same_called_different": _share(z < 0.0, weight * same),
        "same_called_different_moderate": _share(z <= -MODERATE, weight * same),
        "different_moderate": _share(z <= -MODERATE, weight * far),
        "different_called": _share(z < 0.0, weight * far),
        "different_by_band": by_band(z < 0.0),
        "different_moderate_by_band": by_band(z <= -MODERATE),
        "one_place_by_band": by_band(one),
        "one_region_by_band": by_band(area),
        "one_place_moderate_by_band": by_band(one & (z >= MODERATE)),
    }


def _within(km: Array, low: float, high: float) -> Mask:
    return (km >= low) & (km < high)


def _share(what: Mask, weight: Array) -> float | None:
    """Share of the weight; None where there is none."""
    total = float(weight.sum())
    return float((what * weight).sum() / total) if total > 0.0 else None


def _words(pairs: Pairs) -> dict[str, dict[str, Any]]:
    """Word of support to how often it is said for either proposition, and how often wrongly."""
    speak, z, same = pairs.speak, np.nan_to_num(pairs.said["all"]), pairs.km < SAME_KM
    out: dict[str, dict[str, Any]] = {"cannot tell": {"said": int((speak & (z == 0.0)).sum())}}
    steps = [np.log10(least) for least, _ in VERBAL_SCALE[1:]] + [np.inf]
    for (low, high), (_, word) in zip(pairwise(steps), VERBAL_SCALE[1:], strict=True):
        area = pairs.region["all"]
        near = pairs.km < REGION_KM
        kinds_of = (("same place", 1.0, same, ~area), ("same region", 1.0, near, area), ("different places", -1.0, ~same, ~area))
        for name, sign, right, which in kinds_of:
            said = speak & which & (sign * z >= low) & (sign * z < high)
            if said.any():
                out[f"{name}, {word}"] = {"said": int(said.sum()), "wrong": int((said & ~right).sum())}
    return out


def _price(pairs: Pairs, name: str) -> dict[str, Any]:
    """What the numbers are with some guards only."""
    speak, z, same = pairs.speak, np.nan_to_num(pairs.said[name]), pairs.km < SAME_KM
    rates = _rates(pairs, name, speak.astype(np.float64))
    out = {key: rates[key] for key in ("same_called_different", "different_called", "different_moderate")}
    out["one_place_500_1000"] = rates["one_place_by_band"]["500-1000"]
    out["decided"] = float((z[speak] != 0.0).mean()) if speak.any() else 0.0
    if (speak & same).any() and (speak & ~same).any():
        out["cllr"] = lr.cllr(z[speak], same[speak])
    return out


def _bands(pairs: Pairs) -> list[dict[str, Any]]:
    bands, speak, z = [], pairs.speak, pairs.said["all"]
    one = (np.nan_to_num(z) > 0.0) & ~pairs.region["all"]
    for low, high in pairwise(BANDS_KM):
        own = speak & _within(pairs.km, low, high)
        if own.any():
            bands.append(
                {
                    "from_km": low,
                    "to_km": high,
                    "pairs": int(own.sum()),
                    "recordings": len(np.unique(pairs.recording[own])),
                    "photos": len(np.unique(pairs.photo[own])),
                    "log10_factor": [float(q) for q in np.percentile(z[own], [25, 50, 75])],
                    "different": float((z[own] < 0.0).mean()),
                    "different_moderate": float((z[own] <= -MODERATE).mean()),
                    "region": float(pairs.region["all"][own].mean()),
                    "same": float(one[own].mean()),
                    "same_moderate": float((one & (z >= MODERATE))[own].mean()),
                }
            )
    return bands


def _intervals(pairs: Pairs, seed: int) -> dict[str, Any]:
    """95% intervals from drawing regions of recordings and of photos with replacement."""
    rng = np.random.default_rng(seed)
    speak, z, same = pairs.speak, np.nan_to_num(pairs.said["all"]), pairs.km < SAME_KM
    prior = np.where(same, 1.0, sharp.prior_weights(pairs.km, speak & ~same)) * speak
    found: dict[str, list[float]] = {}
    for _ in range(DRAWS):
        count = sharp.two_way(pairs.recording_region, pairs.photo_region, rng)
        drawn = count * speak
        for name, value in _flat(_rates(pairs, "all", drawn)):
            if value is not None:
                found.setdefault(name, []).append(value)
        if (drawn * same).sum() > 0 and (drawn * ~same).sum() > 0:
            found.setdefault("cllr", []).append(lr.cllr(z, same, drawn))
            found.setdefault("cllr_weighted", []).append(lr.cllr(z, same, count * prior))
        if (count * same).sum() > 0 and (count * ~same).sum() > 0:
            found.setdefault("cllr_all", []).append(lr.cllr(z, same, count))
    return {name: [float(q) for q in np.percentile(v, [2.5, 97.5])] for name, v in found.items()}


def _flat(rates: dict[str, Any]) -> list[tuple[str, float | None]]:
    out: list[tuple[str, float | None]] = []
    for name, value in rates.items():
        if isinstance(value, dict):
            out += [(f"{name}.{k}", v) for k, v in value.items()]
        else:
            out.append((name, value))
    return out


def add_material(parser: argparse.ArgumentParser) -> None:
    """Options that name recordings and photos."""
    parser.add_argument(
        "--recordings", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/recordings)"
    )
    parser.add_argument("--photos", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/photos)")


def material(args: argparse.Namespace) -> tuple[list[sharp.Side], list[sharp.Side]]:
    """The sounds of the recordings and the pictures of the photos that the options name."""
    heard = [sharp.heard(s, args.seed) for s in read_manifest(args.recordings or data_dir() / "recordings")]
    seen = [sharp.seen(s) for s in read_manifest(args.photos or data_dir() / "photos")]
    return heard, seen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench mismatch`."""
    add_material(parser)
    parser.add_argument(
        "--same-place", type=float, default=Settings().same_place_km, help="km of the same-place kernel (default: 50)"
    )
    parser.add_argument(
        "--held-out", action="store_true", help="weigh each pair by maps fitted on this material without its regions"
    )
    parser.add_argument("--films", action="store_true", help="make films of signs over the recordings and score them too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Score pairs, and films where asked for, and print the tables."""
    Settings(same_place_km=args.same_place)  # refuses a radius out of range
    heard, seen = material(args)
    maps_of = held_out_maps(heard, seen, args.same_place, args.seed) if args.held_out else None
    fit = None if args.held_out else calibration.maps().fit("sound", args.same_place)
    bounds = (fit.low, fit.high) if fit else None
    data = report(paired.score_pairs(heard, seen, args.same_place, maps_of), args.seed, bounds)
    show(data)
    if args.films:
        from engine.lab.bench import sign_films

        films = sign_films.score(heard, args.same_place, args.seed, maps_of)
        data["films"] = {"films": len(films.km), **report(films, args.seed, bounds)}
        print("\nsimulated films: a sign over the recording's own sound")
        show(data["films"])
    if args.json:
        args.json.write_text(json.dumps({**data, "held_out": args.held_out, "seed": args.seed}, indent=2))
    return 0


def show(data: dict[str, Any]) -> None:
    """Print the numbers as tables."""
    ci = data["intervals"]
    print(
        f"pairs in which both speak: {data['pairs']:,} ({data['spoken']:.1%} of all), {data['same_pairs']} of them within "
        f"{SAME_KM:g} km; same place or different places said of {data['decided']:.0%}"
    )
    who = data["independent"]
    print(f"recordings or photos behind them, whichever are fewer: {who['same']} same place, {who['different']} different places")
    if "cllr" in data:
        print(f"Cllr {data['cllr']:.2f}{_span(ci, 'cllr')}, least possible {data['cllr_min']:.2f}, devPAV {data['dev_pav']:.2f}")
        print(
            f"weighted to the proposition: Cllr {data['cllr_weighted']:.2f}{_span(ci, 'cllr_weighted')}, least possible "
            f"{data['cllr_min_weighted']:.2f}, devPAV {data['dev_pav_weighted']:.2f}"
        )
        print(
            f"with silence as 1 : 1: Cllr {data['cllr_all']:.3f}{_span(ci, 'cllr_all', 3)}, weighted "
            f"{data['cllr_all_weighted']:.3f}"
        )
    print(f"same place called different: {_percent(data['same_called_different'])}{_span(ci, 'same_called_different', 1, 100)}")
    print(
        f"beyond {FAR_KM:,.0f} km called different, moderate or more: {_percent(data['different_moderate'])}"
        f"{_span(ci, 'different_moderate', 1, 100)}; at all: {_percent(data['different_called'])}"
    )
    if data["bounds_log10"]:
        low, high = data["bounds_log10"]
        print(f"factors bounded to 1/{10**-low:,.0f} … {10**high:,.0f}")
    print(f"\n{'':39}log10 factor            called different      called one    called one place")
    print("km between       pairs  rec.  photos     (quartiles)              all   moderate        region      all   moderate")
    for band in data["bands"]:
        q = band["log10_factor"]
        print(
            f"{band['from_km']:>6,} – {band['to_km']:>6,}  {band['pairs']:>6,}  {band['recordings']:>4}  {band['photos']:>6}"
            f"   {q[0]:+.2f}  {q[1]:+.2f}  {q[2]:+.2f}  {band['different']:>10.1%}  {band['different_moderate']:>9.1%}"
            f"{band['region']:>14.1%}{band['same']:>9.1%}  {band['same_moderate']:>9.1%}"
        )
    print("\none place, by distance:")
    for name, share in data["one_place_by_band"].items():
        print(f"{name:>10} km  {_percent(share)}{_span(ci, f'one_place_by_band.{name}', 0, 100)}")
    print("\nwords                                        said   wrong")
    for word, row in data["words"].items():
        print(f"{word:<42}{row['said']:>7,}  {row.get('wrong', 0):>6,}")
    print("\nguards        Cllr  same called   beyond 2,500 km   one place at   says one")
    print("applied             different     diff.  moderate   500–1,000 km   or other")
    for name, row in data["guards"].items():
        cost = f"{row['cllr']:.2f}" if "cllr" in row else "   –"
        print(
            f"{name:<13} {cost}  {_percent(row['same_called_different']):>9}  {_percent(row['different_called']):>8}"
            f"  {_percent(row['different_moderate']):>8}  {_percent(row['one_place_500_1000']):>12}  {row['decided']:>9.0%}"
        )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _span(intervals: dict[str, Any], name: str, digits: int = 2, times: float = 1.0) -> str:
    if name not in intervals:
        return ""
    low, high = (v * times for v in intervals[name])
    return f" (95% {low:.{digits}f} to {high:.{digits}f})"
