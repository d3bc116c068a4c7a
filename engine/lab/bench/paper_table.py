"""`earwitness bench table1|table2|table3|table4|a1|a2`: the paper's comparisons, run with the data present.

Learnt rows are trained on simulated soundscapes (BirdNET's scores) and tested on the recordings of a folder, three seeds,
mean ± std. Rows that need data or weights that are not here are listed with what they need and where it goes (`--weights`).
The paper's figures are of its own test set (iNatSounds) and stand in lines of their own: those that the program holds (the
species oracles), and whatever `--paper FILE` gives (CSV: row, median_km, within_25, within_200, within_750, within_2500).

    table1   ways to say a place: random, regression, classification, retrieval, species ranges, AG-CLIP, other encoders
    table2   location encoders: GeoCLIP, SINR, SatCLIP
    table3   species ranges: the annotated species, the best one heard, all heard; the oracles
    table4   aggregation over H3 cells of resolution 5 and 6, by month and week
    a1       galleries
    a2       poolings of windows

Source: Chasmai et al. 2025, arXiv 2505.18726.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import DataError, WeightsError
from engine.core.file import read_csv
from engine.core.paths import data_dir, models_dir
from engine.core.posterior import Posterior
from engine.lab.bench import metrics
from engine.lab.bench.aggregate import RESOLUTIONS, SPANS, aggregated
from engine.lab.bench.gallery_choice import GALLERIES, Gallery, gallery_of, geoclip_vectors
from engine.lab.data.manifest import Sample, read_manifest
from engine.lab.train import baseline, pooler
from engine.models import agclip, birdnet, pooling
from engine.models.geoclip_location import grid_embeddings
from engine.world import priors
from engine.world.grid import world_grid

SEEDS = (0, 1, 2)
FOLDS = 5
FOLD_RESOLUTION = 1
ORACLE_PLACES = 200
CHUNK = 8192
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """One row: errors in km by seed, or what it needs.

    Attributes:
        needs: what is missing, or "".
        note: what must be said beside the row.
        paper: the paper's figures for it where the program holds them: median km, % within 25, 200, 750, 2,500 km.
    """

    name: str
    errors: tuple[Array, ...] = ()
    needs: str = ""
    note: str = ""
    paper: tuple[float, ...] = ()


class Bench:
    """What the tables share: the recordings heard once, the simulated soundscapes drawn once a seed."""

    def __init__(self, folder: Path, soundscapes: int, epochs: int, weights: Path | None = None) -> None:
        self.folder, self.soundscapes, self.epochs = folder, soundscapes, epochs
        self.weights = weights or models_dir()
        self.samples: tuple[Sample, ...] = read_manifest(folder)
        self.test = baseline.recordings(folder)
        self._train: dict[int, baseline.Rows] = {}

    @cached_property
    def fold(self) -> NDArray[np.int64]:
        """(n,) fold of each recording: whole H3 cells of resolution 1 stay together."""
        cell = [int(h3.latlng_to_cell(a, b, FOLD_RESOLUTION)) for a, b in zip(self.test.lat_deg, self.test.lon_deg, strict=True)]
        place = np.unique(cell, return_inverse=True)[1]
        fold: NDArray[np.int64] = np.random.default_rng(0).permutation(place.max() + 1)[place] % FOLDS
        return fold

    def train(self, seed: int) -> baseline.Rows:
        """Simulated soundscapes of a seed."""
        if seed not in self._train:
            self._train = {seed: baseline.simulated(self.soundscapes, seed)}
        return self._train[seed]

    def trained(self, names: Sequence[str], gallery: str = "geoclip") -> list[Line]:
        """Rows of learned baselines."""
        errors: dict[str, list[Array]] = {n: [] for n in names}
        chosen = gallery_of(gallery)
        for seed in SEEDS:
            for name in names:
                _say(f"seed {seed}: {name}")
                schedule = baseline.Schedule(epochs=self.epochs, seed=seed)
                encoder = baseline.encoder_of(name, self.weights / ENCODERS[name][0]) if name in ENCODERS else None
                errors[name].append(baseline.measure(name, self.train(seed), self.test, chosen, schedule, encoder=encoder))
        _say("")
        return [Line(n, tuple(e)) for n, e in errors.items()]

    @property
    def scores(self) -> NDArray[np.float32]:
        """(n, 6522) scores of the recordings, out of their levels."""
        level = self.test.x
        return np.where(level > 0, 1.0 / (1.0 + np.exp(3.9 - 6.0 * level)), 0.0).astype(np.float32)

    def posteriors(self) -> NDArray[np.float64]:
        """(n, cells) log-mass of AG-CLIP under the default prior."""
        from engine.clues.agclip.score import log_likelihood_from_scores

        prior = priors.prior("mixture", world_grid())
        rows = [Posterior.of(prior, log_likelihood_from_scores(s, prior.grid)).log_mass for s in self.scores]
        return np.stack(rows)

    def error_of_cells(self, cell: NDArray[np.int64]) -> Array:
        """Errors (n,) of answers given as cells."""
        lat, lon = world_grid().lat_lon_deg
        return metrics.errors_km(lat[cell], lon[cell], self.test.lat_deg, self.test.lon_deg)


def _say(text: str) -> None:
    """What is being done, on a terminal's one line."""
    if sys.stderr.isatty():
        print(f"\r{text:60}", end="" if text else "\r", file=sys.stderr, flush=True)


def _retrieved(bench: Bench, chosen: Gallery, geoclip_only: bool = False) -> Array:
    """Errors of the place of a gallery with the largest product with AG-CLIP's vector: the paper's way, without a prior.

    Args:
        geoclip_only: leave out the vector's part in the range model's space, which our network learned together with the other.
    """
    net, model = agclip.agclip(), birdnet.RangeModel()
    f = net.embed(bench.scores)
    best, at = np.full(len(f), -np.inf), np.zeros(len(f), dtype=np.int64)
    held = geoclip_vectors(chosen)
    for first in range(0, len(held), CHUNK):
        part = slice(first, first + CHUNK)
        said = agclip.GEOCLIP_WEIGHT * f[:, agclip.GEOCLIP_PART] @ held[part].T
        if not geoclip_only:
            hidden = model.hidden(chosen.lat_deg[part], chosen.lon_deg[part])
            said = np.stack([net.logits(row, held[part], hidden) for row in f])
        better = said.max(axis=1) > best
        best[better], at[better] = said.max(axis=1)[better], first + said.argmax(axis=1)[better]
    return metrics.errors_km(chosen.lat_deg[at], chosen.lon_deg[at], bench.test.lat_deg, bench.test.lon_deg)


def _ranges(bench: Bench, which: str) -> Array:
    """Errors of the place where the named species are likeliest together; the middle of the world's land for none."""
    from engine.clues.species.ranges import ranges

    grid = world_grid()
    cells = np.empty(len(bench.samples), dtype=np.int64)
    for i, (sample, scores) in enumerate(zip(bench.samples, bench.scores, strict=True)):
        cells[i] = _likeliest(ranges().occurrence(grid, None, _named(sample, scores, which)))
    return bench.error_of_cells(cells)


def _named(sample: Sample, scores: NDArray[np.float32], which: str) -> NDArray[np.int64]:
    own = np.where(birdnet.is_species(), scores, 0.0)
    if which == "annotated":
        try:
            return np.array([birdnet.index_of(sample.column("species"))])
        except KeyError:
            return np.empty(0, dtype=np.int64)
    return np.array([own.argmax()]) if which == "top-1" else np.flatnonzero(own >= 0.1)


def _likeliest(occurrence: NDArray[np.float32]) -> int:
    """The cell where all are likeliest; among equals the most central one."""
    if occurrence.shape[1] == 0:
        return 0
    log_p = np.log(occurrence.astype(np.float64) + 1e-4).sum(axis=1)
    best = np.flatnonzero(log_p >= log_p.max() - 1e-3)
    xyz = world_grid().xyz[best]
    centre = xyz.mean(axis=0)
    return int(best[(xyz @ centre).argmax()])


# Baseline → file below --weights, and where it comes from.
ENCODERS = {
    "retrieval-sinr": ("sinr.pt", "SINR's checkpoint, model_an_full_input_enc_sin_cos…pt of github.com/elijahcole/sinr"),
    "retrieval-satclip": ("satclip.ckpt", "SatCLIP's checkpoint, satclip-vit16-l40.ckpt of huggingface.co/microsoft"),
}


def table1(bench: Bench) -> list[Line]:
    """Ways to say a place."""
    names = ("random", "regression-euclidean", "regression-haversine", "classification-0", "classification-2", "hierarchical")
    return [
        *bench.trained((*names, "retrieval-geoclip", "agclip")),
        Line("species ranges, all heard", (_ranges(bench, "all"),)),
        Line("AG-CLIP as shipped, GeoCLIP's part alone", (_retrieved(bench, gallery_of("geoclip"), geoclip_only=True),)),
        Line("AG-CLIP as shipped, nearest of the gallery", (_retrieved(bench, gallery_of("geoclip")),)),
        Line("AG-CLIP as shipped, most likely cell", (bench.error_of_cells(bench.posteriors().argmax(axis=1)),)),
        *others(bench),
    ]


def others(bench: Bench) -> list[Line]:
    """Encoders whose weights are the user's to bring: run where they lie below --weights, else named with what is missing."""
    from engine.lab.bench import foreign

    lines = []
    for system in foreign.SYSTEMS:
        try:
            _say(system.name)
            lines.append(Line(system.name, (system.errors(bench.samples, bench.weights, bench.fold),), note=system.note))
        except WeightsError as missing:
            lines.append(Line(system.name, needs=str(missing)))
    _say("")
    return lines


def table2(bench: Bench) -> list[Line]:
    """Location encoders."""
    there = [n for n, (file, _) in ENCODERS.items() if (bench.weights / file).is_file()]
    absent = [Line(n, needs=f"{whose}, as {bench.weights / file}") for n, (file, whose) in ENCODERS.items() if n not in there]
    return [*bench.trained(("retrieval-geoclip", *there)), *absent]


def table3(bench: Bench) -> list[Line]:
    """Species ranges by what is known of the species; then the oracles, on the true places of iNatSounds."""
    return [*(Line(f"species ranges, {w}", (_ranges(bench, w),)) for w in ("annotated", "top-1", "all")), *oracles()]


def oracles() -> list[Line]:
    """The oracles on a few places (`bench oracles` runs them on all): lists from the range model, three seeds."""
    from engine.lab.bench import oracle
    from engine.world.gallery import gallery

    gold = data_dir() / "inat_test_gold.csv"
    if not gold.is_file():
        return [Line(f"oracle, {t}", needs=f"{gold}, the benchmark's true places") for t in oracle.TITLES.values()]
    places = oracle.Test.read(gold)
    bayes = oracle.Bayes(lists := oracle.Lists(world_grid()), oracle.Atoms.of(lists.grid, *gallery()))
    measured = [oracle.measure(places.some(ORACLE_PLACES, seed), bayes, seed, lambda _: None) for seed in SEEDS]
    note = f"{ORACLE_PLACES} places a seed; lists and decoder share one range model"
    lines = []
    for c, title in oracle.TITLES.items():
        said = oracle.published(c)
        figures = (said.median_km, *(said.within_km[str(r)] for r in (25, 200, 750, 2500)))
        lines.append(Line(f"oracle, {title}", tuple(m[c] for m in measured), note=note, paper=figures))
    return lines


def table4(bench: Bench) -> list[Line]:
    """Aggregation."""
    log_mass = bench.posteriors()
    lines = [Line("each by itself", (bench.error_of_cells(log_mass.argmax(axis=1)),))]
    days = [s.date for s in bench.samples]
    for resolution in RESOLUTIONS:
        for span in SPANS:
            cell = np.empty(len(log_mass), dtype=np.int64)
            groups = aggregated(log_mass, bench.test.lat_deg, bench.test.lon_deg, days, resolution, span)
            for group in groups:
                cell[group.rows] = group.log_mass.argmax()
            name = f"H3 {resolution}" + (f", {span}" if span else "") + f" ({len(groups)} groups)"
            lines.append(Line(name, (bench.error_of_cells(cell),)))
    return lines


def a1(bench: Bench) -> list[Line]:
    """Galleries. The network was trained on simulated soundscapes: "train" are their places, "validation" other ones."""
    simulated = {seed: baseline.places_of(bench.train(seed)) for seed in (0, 1)}
    own = baseline.places_of(bench.test)
    lines = []
    for name in GALLERIES:
        chosen = gallery_of(name, train=simulated[0], validation=simulated[1], test=own)
        title = "test's own places" if name == "xcdc" else name
        _say(title)
        note = f"{len(chosen.lat_deg):,} places" + (f"; {chosen.note}" if chosen.note else "")
        lines.append(Line(f"gallery {title}", (_retrieved(bench, chosen),), note=note))
    _say("")
    return lines


def a2(bench: Bench) -> list[Line]:
    """Poolings of AG-CLIP's vectors of windows; the answer is the cell with the largest product."""
    from engine.clues.species.ranges import ranges

    grid, net = world_grid(), agclip.agclip()
    g, hidden = np.asarray(grid_embeddings(grid)), ranges().hidden(grid, None)
    vectors = [_window_vectors(sample) for sample in bench.samples]
    lines = []
    for how in pooling.POOLINGS:
        errors = []
        for seed in SEEDS if how == "kmeans" else SEEDS[:1]:
            cells = [int(net.logits(pooling.pooled(v, how, seed), g, hidden).argmax()) for v in vectors]
            errors.append(bench.error_of_cells(np.array(cells)))
        lines.append(Line(f"vectors of windows, {how}", tuple(errors)))
    errors = []
    for seed in SEEDS:
        _say(f"transformer, seed {seed}")
        said = pooler.crossvalidated([v[::2] for v in vectors], bench.test.lat_deg, bench.test.lon_deg, bench.fold, seed)
        errors.append(bench.error_of_cells((said @ g.T).argmax(axis=1)))
    _say("")
    note = f"every second window; trained on the other recordings, {FOLDS} folds by place"
    lines.append(Line("vectors of windows, transformer", tuple(errors), note=note))
    whole = np.array([int(net.logits(f, g, hidden).argmax()) for f in net.embed(bench.scores)])
    return [*lines, Line("best score of each species (shipped)", (bench.error_of_cells(whole),))]


def _window_vectors(sample: Sample) -> NDArray[np.float32]:
    """(windows, 768) AG-CLIP's vectors of single windows; one of nothing heard where no window says anything."""
    from engine.core.settings import Settings
    from engine.lab.bench.recordings import Condition, perceive

    own = [o for o in perceive(sample, Condition(), Settings(), 0).observations if o.clue == "species" and o.kind == "species"]
    starts = sorted({o.start_s for o in own})
    scores = np.zeros((max(1, len(starts)), len(birdnet.labels())), dtype=np.float32)
    for o in own:
        scores[starts.index(o.start_s), birdnet.index_of(o.label)] = min(1.0, o.score)
    return agclip.agclip().embed(scores)


BY_NAME: dict[str, Callable[[Bench], list[Line]]] = {
    "table1": table1, "table2": table2, "table3": table3, "table4": table4, "a1": a1, "a2": a2,
}  # fmt: skip


def numbers(line: Line) -> dict[str, tuple[float, float]]:
    """Metric to (mean, std) over seeds; empty where the row could not be run."""
    if not line.errors:
        return {}
    rows = [
        {"median_km": float(np.median(e)), **{f"within_{r}": metrics.within_percent(e, r) for r in SHOWN_KM}} for e in line.errors
    ]
    return {k: (float(np.mean([r[k] for r in rows])), float(np.std([r[k] for r in rows]))) for k in rows[0]}


SHOWN_KM = (25, 200, 750, 2500)
KEYS = ("median_km", *(f"within_{r}" for r in SHOWN_KM))


def printed(lines: Sequence[Line]) -> str:
    """The table as text."""
    width = max(len(line.name) for line in lines) + 2
    out = [f"{'':{width}}{'median km':>16}" + "".join(f"{'≤' + str(r) + ' %':>14}" for r in SHOWN_KM)]
    for line in lines:
        held = numbers(line)
        if held:
            several = len(line.errors) > 1
            shown = [_figure(k, m) + (f" ± {_figure(k, s)}" if several else "") for k, (m, s) in held.items()]
            out.append(f"{line.name:{width}}{shown[0]:>16}" + "".join(f"{x:>14}" for x in shown[1:]))
        else:
            out.append(f"{line.name:{width}}not run: {line.needs}")
        if line.paper:
            shown = [_figure(k, v) for k, v in zip(KEYS, line.paper, strict=True)]
            out.append(f"{'  the paper':{width}}{shown[0]:>16}" + "".join(f"{x:>14}" for x in shown[1:]))
        if line.note:
            out[-1] += f"   ({line.note})"
    return "\n".join(out)


def _figure(key: str, value: float) -> str:
    return "–" if np.isnan(value) else f"{value:,.0f}" if key == "median_km" else f"{value:.1f}"


def write_csv(path: Path, lines: Sequence[Line]) -> None:
    """The same numbers as CSV."""
    with path.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        columns = [f"{k}{part}" for k in KEYS for part in ("", "_std")]
        writer.writerow(["row", "seeds", *columns, *(f"paper_{k}" for k in KEYS), "needs", "note"])
        for line in lines:
            held = numbers(line)
            cells = [x for k in KEYS for x in (f"{v:.4f}" for v in held.get(k, ()))] or [""] * (2 * len(KEYS))
            paper = [f"{v:g}" for v in line.paper] or [""] * len(KEYS)
            writer.writerow([line.name, len(line.errors), *cells, *paper, line.needs, line.note])


def block(line: Line, group: NDArray[np.int64] | None) -> dict[str, object]:
    """A row for the JSON: mean and std over seeds, 95% intervals of the first seed (bootstrap by place), the paper's figures."""
    out: dict[str, object] = {"note": line.note} if line.note else {}
    if not line.errors:
        return {"needs": line.needs, **out}
    own = group if group is not None and len(group) == len(line.errors[0]) else None
    score = metrics.Score.of_errors(line.name, line.errors[0], own)
    out |= {"seeds": len(line.errors), "mean": {k: v[0] for k, v in numbers(line).items()}}
    out |= {"std": {k: v[1] for k, v in numbers(line).items()}, "intervals": score.to_json()["intervals"]}
    return out | ({"paper": dict(zip(KEYS, line.paper, strict=True))} if line.paper else {})


def with_paper(lines: Sequence[Line], path: Path) -> list[Line]:
    """Rows with the figures of a CSV beside them: columns row, median_km, within_25, within_200, within_750, within_2500.

    Raises:
        DataError: the file is missing, lacks a column, or holds what is no number.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing; give a CSV with the columns row, {', '.join(KEYS)}.")
    rows = read_csv(path)
    if not rows or not {"row", *KEYS} <= set(rows[0]):
        raise DataError(f"{path.name} needs the columns row, {', '.join(KEYS)} and a row.")
    try:
        held = {r["row"]: tuple(float(r[k]) if r[k] else float("nan") for k in KEYS) for r in rows}
    except ValueError:
        raise DataError(f"{path.name} holds a figure that is no number; leave it empty where there is none.") from None
    return [Line(x.name, x.errors, x.needs, x.note, held.get(x.name, x.paper)) for x in lines]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that all tables share."""
    parser.add_argument("--folder", type=Path, default=None, help="recordings (default: those of the data folder)")
    parser.add_argument("--soundscapes", type=int, default=4000, help="how many to simulate for training (default: 4000)")
    parser.add_argument("--epochs", type=int, default=8, help="of training (default: 8; the paper's schedule, shortened)")
    parser.add_argument(
        "--weights", type=Path, default=None, help="folder of other encoders' weights (default: the models folder)"
    )
    parser.add_argument("--paper", type=Path, default=None, help="CSV of published figures to print beside ours")
    parser.add_argument("--csv", type=Path, default=None, help="write the table to this CSV")
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers, with intervals, to this file")


def run(args: argparse.Namespace) -> int:
    """Run the table that the command names, print it, write it."""
    bench = Bench(args.folder or data_dir() / "recordings", args.soundscapes, args.epochs, args.weights)
    lines = BY_NAME[args.table](bench)
    if args.paper:
        lines = with_paper(lines, args.paper)
    print(printed(lines))
    print(f"\n{len(bench.samples)} recordings of {bench.folder}; the paper's figures are of its own test set, iNatSounds.")
    if args.csv:
        write_csv(args.csv, lines)
    if args.json:
        blocks = {line.name: block(line, bench.test.group) for line in lines}
        args.json.write_text(metrics.to_json_text(blocks) + "\n", encoding="utf-8")
    return 0
