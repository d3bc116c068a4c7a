"""`earwitness bench atoms`: which sounds are in a mixture, and how well they are taken out, on recordings and authors never
trained on.

Mixtures of 1 to 4 sounds of different labels at 0, -3, -6 and -9 dB, in windows of 4 s. For each number of sounds:

    map_n    mean over labels of the average precision of the labels' scores over all mixtures
    f1_n     mean over mixtures of the F1 of the set of labels named: the model's at its own stop, a rival's above its threshold
    si_sdr   mean over sounds of mixtures of 2 to 4: SI-SDR in dB of each sound's part when the labels are given (loudest first);
             si_sdr_gain is what that is above the mixture itself, si_sdr_own is of the parts that the model itself found rightly

Beside the model stand its rivals (see atoms_rivals), on the same mixtures. margin_map_n is the model's map_n less that of the
best rival which names all labels; intervals are 95%, from drawing the mixtures again.
SI-SDR: Le Roux et al. 2019, "SDR - half-baked or well done?".
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import DataError
from engine.core.paths import data_dir
from engine.lab.bench.metrics import to_json_text
from engine.lab.data import atoms as atoms_data
from engine.lab.train import atoms_rivals
from engine.models import atoms

SIZES = (1, 2, 3, 4)
NAME = "atoms"
_DRAWS = 300


def average_precision(score: NDArray[np.floating], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(labels,) of scores and truth (n, labels): mean of the precision at each true item, NaN where nothing is true.

    Equal scores count as if the false ones came first, so that a constant score gains nothing.
    """
    order = np.lexsort((truth, -score), axis=0)
    hit = np.take_along_axis(truth, order, axis=0)
    precision = hit.cumsum(axis=0) / np.arange(1, len(hit) + 1)[:, None]
    total = hit.sum(axis=0)
    return np.where(total > 0, (precision * hit).sum(axis=0) / np.maximum(total, 1), np.nan)


def mean_average_precision(score: NDArray[np.floating], truth: NDArray[np.bool_]) -> float:
    """Mean over the labels that occur and can be named; NaN where none does."""
    named = ~np.isnan(score).any(axis=0) & truth.any(axis=0)
    return float(average_precision(score[:, named], truth[:, named]).mean()) if named.any() else float("nan")


def set_f1(named: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n,) F1 of each set of labels (n, labels); naming nothing where something is scores 0."""
    right = (named & truth).sum(axis=1)
    return 2.0 * right / np.maximum(named.sum(axis=1) + truth.sum(axis=1), 1)


def si_sdr(found: NDArray[np.floating], true: NDArray[np.floating]) -> float:
    """Scale-invariant signal-to-distortion ratio in dB of an estimate (n,); between -60 and 60."""
    true, found = true.astype(np.float64), found.astype(np.float64)
    energy = float(true @ true)
    if energy <= 0:
        raise DataError("A true part is silent, and has no ratio to anything; leave it out.")
    target = (float(found @ true) / energy) * true
    rest = found - target
    ratio = float(target @ target) / max(float(rest @ rest), 1e-30)
    return float(np.clip(10.0 * np.log10(max(ratio, 1e-30)), -60.0, 60.0))


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What one system made of the mixtures of each size: scores (n, labels) and sets named (n, labels), by size."""

    name: str
    what: str
    scores: dict[int, NDArray[np.float32]]
    named: dict[int, NDArray[np.bool_]]
    seconds: float


def truth_of(mixtures: Sequence[atoms_data.Mixture], labels: Sequence[str]) -> NDArray[np.bool_]:
    """(n, labels) which labels are in each mixture."""
    return np.array([[k in m.labels for k in labels] for m in mixtures])


def hear(
    rival: atoms_rivals.Rival, by_size: dict[int, tuple[atoms_data.Mixture, ...]], labels: Sequence[str], threshold: float
) -> Heard:
    """Scores of a rival, and the sets above its threshold."""
    began = time.perf_counter()
    scores = {n: rival.scores(np.stack([m.wave for m in own])) for n, own in by_size.items()}
    seconds = time.perf_counter() - began
    return Heard(rival.name, rival.what, scores, {n: np.nan_to_num(s) > threshold for n, s in scores.items()}, seconds)


@dataclass(frozen=True, slots=True, eq=False)
class OwnHeard:
    """What the model made of the mixtures: the scores and sets, its ablations' scores by name, and the order of its steps."""

    heard: Heard
    ablation: dict[str, dict[int, NDArray[np.floating[Any]]]]
    chosen: dict[int, list[list[str]]]
    sparsity: float


def hear_own(
    net: atoms.Decomposer, name: str, what: str, by_size: dict[int, tuple[atoms_data.Mixture, ...]], labels: Sequence[str]
) -> OwnHeard:
    """The model's scores and the sets it names at its own stop."""
    began = time.perf_counter()
    scores, named, chosen = {}, {}, {}
    sparse: list[NDArray[np.float32]] = []
    ablation: dict[str, dict[int, NDArray[np.floating[Any]]]] = {
        "own_opinion_alone": {},
        "opinions_without_steps": {},
        "steps_alone": {},
    }
    for n, own in by_size.items():
        rows: list[list[NDArray[np.floating[Any]]]] = [[], [], [], []]
        sets: list[list[str]] = []
        waves = np.stack([m.wave for m in own])
        for at in range(0, len(waves), 32):
            trace, _ = net.trace(atoms.power_grid(waves[at : at + 32]), atoms.MOST_STEPS, None)
            short = _first(trace, 4)
            rows[0].append(atoms.scores_of(short, net.rule))
            # its own opinion at every step again: the others' share of the mean is the same at each
            count = 1 + len(net.opinions)
            others_say = np.broadcast_to(trace.others, short.label[0].shape)
            own_say = [count * p - others_say for p in short.present]
            rows[1].append(atoms.scores_of(replace(short, present=own_say), net.rule))
            rows[2].append(1.0 / (1.0 + np.exp(-others_say / max(1, count - 1))))
            rows[3].append(atoms.scores_of(short, replace(net.rule, choice=1e3)))
            if trace.sparsity is not None:
                sparse.append(trace.sparsity)
            for i, count in enumerate(atoms.counts_of(trace, net.rule)):
                sets.append([net.labels[trace.chosen[k][i]] for k in range(count)])
        scores[n], *others = (np.concatenate(r) for r in rows)
        for held, one in zip(ablation.values(), others, strict=True):
            held[n] = one
        named[n] = np.array([[k in s for k in labels] for s in sets])
        chosen[n] = sets
    heard = Heard(name, what, scores, named, time.perf_counter() - began)
    return OwnHeard(heard, ablation, chosen, float(np.concatenate(sparse).mean()))


def _first(trace: Any, steps: int) -> Any:
    lists = ("label", "stop", "present", "taken", "chosen", "kernel", "mask", "active")
    return replace(trace, **{k: getattr(trace, k)[:steps] for k in lists})


def in_order(chosen: Sequence[Sequence[str]], mixtures: Sequence[atoms_data.Mixture]) -> float:
    """Share of pairs of rightly found labels that were taken louder first; NaN where there is no pair."""
    right = pairs = 0
    for found, m in zip(chosen, mixtures, strict=True):
        places = [m.labels.index(k) for k in found if k in m.labels]
        for i in range(len(places)):
            for j in range(i + 1, len(places)):
                pairs += 1
                right += places[i] < places[j]
    return right / pairs if pairs else float("nan")


def parts_quality(rival: atoms_rivals.Rival, mixtures: Sequence[atoms_data.Mixture]) -> tuple[float, float] | None:
    """Mean SI-SDR of the parts of labels given, and its gain over the mixture's own, in dB."""
    made = rival.parts(np.stack([m.wave for m in mixtures]), [m.labels for m in mixtures])
    if made is None:
        return None
    found, gain = [], []
    for m, parts in zip(mixtures, made, strict=True):
        wave = m.wave
        for part, true in zip(parts, m.parts, strict=True):
            value = si_sdr(part, true)
            found.append(value)
            gain.append(value - si_sdr(wave, true))
    return float(np.mean(found)), float(np.mean(gain))


def own_parts_quality(net: atoms.Decomposer, mixtures: Sequence[atoms_data.Mixture]) -> tuple[float, int, int]:
    """Mean SI-SDR of parts whose label is right, found by the model alone; how many, and of how many sounds."""
    found = []
    for m, d in zip(mixtures, net.decompose(np.stack([m.wave for m in mixtures])), strict=True):
        found += [si_sdr(s.wave, m.parts[m.labels.index(s.label)]) for s in d.steps if s.label in m.labels]
    return (float(np.mean(found)) if found else float("nan")), len(found), sum(len(m.labels) for m in mixtures)


def real_time_factor(net: atoms.Decomposer, seconds: float = 120.0, seed: int = 0) -> float:
    """Seconds of work for each second of sound, transforms and parts included, with the torch threads as they are."""
    rng = np.random.default_rng(seed)
    count = int(seconds / atoms.WINDOW_S)
    waves = rng.normal(0, 0.1, (count, atoms.WINDOW_SAMPLES)).astype(np.float32)
    net.decompose(waves[:2])
    began = time.perf_counter()
    net.decompose(waves, [net.labels[:4]] * count)  # four parts of every window, whatever noise sounds like
    return (time.perf_counter() - began) / (count * atoms.WINDOW_S)


def _interval(values: NDArray[np.float64]) -> list[float]:
    return [round(float(x), 4) for x in np.percentile(values, [2.5, 97.5])]


def bootstrap(own: Heard, others: Sequence[Heard], truth: dict[int, NDArray[np.bool_]], seed: int) -> dict[str, list[float]]:
    """95% intervals of the model's map_n and f1_n and of its margins, mixtures drawn again."""
    rng = np.random.default_rng(seed)
    out: dict[str, list[float]] = {}
    full = [h for h in others if not any(np.isnan(s).any() for s in h.scores.values())]
    for n, true in truth.items():
        maps, f1s, margins = [], [], []
        best = max(full, key=lambda h: mean_average_precision(h.scores[n], true)) if full else None
        f1 = set_f1(own.named[n], true)
        for _ in range(_DRAWS):
            rows = rng.integers(0, len(true), len(true))
            ours = mean_average_precision(own.scores[n][rows], true[rows])
            maps.append(ours)
            f1s.append(f1[rows].mean())
            if best:
                margins.append(ours - mean_average_precision(best.scores[n][rows], true[rows]))
        out[f"map_{n}"], out[f"f1_{n}"] = _interval(np.array(maps)), _interval(np.array(f1s))
        if best:
            out[f"margin_map_{n}"] = _interval(np.array(margins))
    return out


def measured(heard: Heard, truth: dict[int, NDArray[np.bool_]]) -> dict[str, Any]:
    """map_n and f1_n of a system; F1 only where it can name every label."""
    out: dict[str, Any] = {"what": heard.what}
    for n, true in truth.items():
        out[f"map_{n}"] = round(mean_average_precision(heard.scores[n], true), 4)
    if not any(np.isnan(s).any() for s in heard.scores.values()):
        for n, true in truth.items():
            out[f"f1_{n}"] = round(float(set_f1(heard.named[n], true).mean()), 4)
    return out


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench atoms`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/sounds)")
    parser.add_argument("--model", type=Path, default=atoms.FOLDER, help="folder of the weights (default: the shipped ones)")
    parser.add_argument("--mixtures", type=int, default=250, help="mixtures of each size (default: 250)")
    parser.add_argument("--parts", type=int, default=60, help="of those, how many are taken apart for SI-SDR (default: 60)")
    parser.add_argument("--without-birdnet", action="store_true", help="leave BirdNET out; it takes the most time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, write the numbers."""
    net = atoms.Decomposer(args.model)
    card = net.card
    sounds = atoms_data.read_sounds(args.data or data_dir() / "sounds")
    own = atoms_data.unseen(sounds, net.labels, card["trained_sources"], card["trained_authors"])
    if not own:
        raise DataError("No sound of the folder is new to the model; give sounds by others with --data.")
    by_size = {n: atoms_data.mixtures(own, args.mixtures, n, args.seed) for n in SIZES}
    truth = {n: truth_of(m, net.labels) for n, m in by_size.items()}
    ours = hear_own(net, NAME, "mixture-autoregressive sparse autoencoder, as shipped", by_size, net.labels)
    thresholds = card.get("thresholds", {})
    others, blocks = [], {}
    taken_apart = [m for n in (2, 3, 4) for m in by_size[n][: args.parts]]
    for rival in atoms_rivals.rivals(args.model, net.labels, not args.without_birdnet):
        if isinstance(rival, atoms_rivals.Autoregressive):
            heard = hear_own(rival.net, rival.name, rival.what, by_size, net.labels).heard
        else:
            heard = hear(rival, by_size, net.labels, thresholds.get(rival.name, 0.5))
        block = measured(heard, truth)
        quality = parts_quality(rival, taken_apart)
        if quality:
            block |= {"si_sdr": round(quality[0], 2), "si_sdr_gain": round(quality[1], 2)}
        block["real_time_factor"] = round(heard.seconds / (args.mixtures * len(SIZES) * atoms.WINDOW_S), 4)
        if len(rival.known) < len(net.labels):
            block["labels"] = list(rival.known)
            named = np.array([k in rival.known for k in net.labels])
            for n in SIZES:
                block[f"ours_map_{n}"] = round(mean_average_precision(np.where(named, ours.heard.scores[n], np.nan), truth[n]), 4)
        blocks[rival.name] = block
        others.append(heard)
    model = atoms_rivals.Autoregressive(NAME, "", net)
    quality = parts_quality(model, taken_apart)
    own_quality = own_parts_quality(net, taken_apart)
    assert quality is not None
    numbers: dict[str, Any] = {
        **measured(ours.heard, truth),
        "si_sdr": round(quality[0], 2),
        "si_sdr_gain": round(quality[1], 2),
        "si_sdr_own": round(own_quality[0], 2),
        "own_parts_right": [own_quality[1], own_quality[2]],
        "in_order": {n: round(in_order(ours.chosen[n], by_size[n]), 4) for n in SIZES[1:]},
        "active_share": round(ours.sparsity, 4),
        "real_time_factor": round(real_time_factor(net), 4),
        "ablation": {
            name: {f"map_{n}": round(mean_average_precision(said[n], truth[n]), 4) for n in SIZES}
            for name, said in ours.ablation.items()
        },
    }
    full = {name: b for name, b in blocks.items() if "f1_1" in b}
    for n in SIZES if full else ():
        best = max(full, key=lambda name: full[name][f"map_{n}"])
        numbers[f"margin_map_{n}"] = round(numbers[f"map_{n}"] - full[best][f"map_{n}"], 4)
        numbers[f"best_rival_{n}"] = best
    numbers["intervals"] = bootstrap(ours.heard, others, truth, args.seed)
    numbers["rivals"] = blocks
    numbers |= {
        "seed": args.seed,
        "mixtures": args.mixtures,
        "gains_db": list(atoms_data.GAINS_DB),
        "sounds": len(own),
        "sources": len({s.source for s in own}),
        "labels": sorted({s.label for s in own}),
    }
    print(table(numbers))
    if args.json:
        args.json.write_text(to_json_text(numbers), encoding="utf-8")
    return 0


def table(numbers: dict[str, Any]) -> str:
    """The numbers as text."""
    rows = [("atoms (shipped)", numbers), *((f"  {k}", v) for k, v in numbers["ablation"].items()), *numbers["rivals"].items()]
    keys = [*(f"map_{n}" for n in SIZES), *(f"f1_{n}" for n in SIZES), "si_sdr", "si_sdr_gain", "real_time_factor"]
    heads = [*(f"mAP {n}" for n in SIZES), *(f"F1 {n}" for n in SIZES), "SI-SDR", "gain dB", "x real"]
    lines = [f"{'':26}" + "".join(f"{h:>8}" for h in heads)]
    for name, block in rows:
        lines.append(f"{name:26}" + "".join(f"{block[k]:8.3f}" if k in block else f"{'-':>8}" for k in keys))
    lines.append("")
    for n in SIZES:
        if f"margin_map_{n}" in numbers:
            low, high = numbers["intervals"][f"margin_map_{n}"]
            rival = numbers[f"best_rival_{n}"]
            lines.append(f"margin, {n} sounds: {numbers[f'margin_map_{n}']:+.3f} ({low:+.3f} to {high:+.3f}) over {rival}")
    for name, block in numbers["rivals"].items():
        if "ours_map_1" in block:
            both = ", ".join(f"{n}: {block[f'map_{n}']:.3f} (atoms {block[f'ours_map_{n}']:.3f})" for n in SIZES)
            lines.append(f"{name}, on its {len(block['labels'])} labels: {both}")
    right, of = numbers["own_parts_right"]
    lines.append(
        f"{numbers['sounds']} sounds from {numbers['sources']} recordings never trained on, {len(numbers['labels'])} labels, "
        f"{numbers['mixtures']} mixtures of each size; own steps: {right} of {of} sounds found, "
        f"SI-SDR {numbers['si_sdr_own']:.1f} dB; "
        f"activations not zero: {numbers['active_share']:.1%}; louder first: "
        + ", ".join(f"{n}: {v:.0%}" for n, v in numbers["in_order"].items())
    )
    return "\n".join(lines)
