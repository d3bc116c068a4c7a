"""`earwitness bench table1|table2|table3|table4|a1|a2`: the paper's comparisons, run with the data present.

Learnt rows are trained on simulated soundscapes (BirdNET's scores) and tested on the recordings of a folder, three seeds,
mean ± std. Rows that need data or weights that are not here are listed with what they need. The paper's own figures stand
beside ours only where the program holds them: today those of the species oracles (`bench oracles`).

    table1   ways to say a place: random, regression, classification, retrieval, species ranges, AG-CLIP
    table2   location encoders: GeoCLIP, SINR, SatCLIP
    table3   species ranges: the annotated species, the best one heard, all heard
    table4   aggregation over H3 cells of resolution 5 and 6, by month and week
    a1       galleries
    a2       poolings of windows

Source: Chasmai et al. 2025, arXiv 2505.18726.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.paths import data_dir
from engine.core.posterior import Posterior
from engine.lab import baseline, metrics
from engine.lab.aggregate import RESOLUTIONS, SPANS, aggregated
from engine.lab.gallery_choice import gallery_of
from engine.lab.manifest import Sample, read_manifest
from engine.nets import agclip, birdnet, pooling
from engine.nets.geoclip_location import embed_cached, grid_embeddings
from engine.world import priors
from engine.world.grid import world_grid

TABLES = ("table1", "table2", "table3", "table4", "a1", "a2")
SEEDS = (0, 1, 2)
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """One row: errors in km by seed, or what it needs.

    Attributes:
        needs: what is missing, or "".
    """

    name: str
    errors: tuple[Array, ...] = ()
    needs: str = ""


class Bench:
    """What the tables share: the recordings heard once, the simulated soundscapes drawn once a seed."""

    def __init__(self, folder: Path, soundscapes: int, epochs: int) -> None:
        self.folder, self.soundscapes, self.epochs = folder, soundscapes, epochs
        self.samples: tuple[Sample, ...] = read_manifest(folder)
        self.test = baseline.recordings(folder)
        self._train: dict[int, baseline.Rows] = {}

    def train(self, seed: int) -> baseline.Rows:
        """Simulated soundscapes of a seed."""
        if seed not in self._train:
            self._train = {seed: baseline.simulated(self.soundscapes, seed)}
        return self._train[seed]

    def learnt(self, names: Sequence[str], gallery: str = "geoclip") -> list[Line]:
        """Rows of learnt baselines."""
        errors: dict[str, list[Array]] = {n: [] for n in names}
        for seed in SEEDS:
            for name in names:
                schedule = baseline.Schedule(epochs=self.epochs, seed=seed)
                chosen = gallery_of(gallery)
                errors[name].append(baseline.measure(name, self.train(seed), self.test, chosen, schedule))
        return [Line(n, tuple(e)) for n, e in errors.items()]

    @property
    def scores(self) -> NDArray[np.float32]:
        """(n, 6522) scores of the recordings, out of their levels."""
        level = self.test.x
        return np.where(level > 0, 1.0 / (1.0 + np.exp(3.9 - 6.0 * level)), 0.0).astype(np.float32)

    def posteriors(self) -> NDArray[np.float64]:
        """(n, cells) log-mass of AG-CLIP under the default prior."""
        from engine.clues.agclip import log_likelihood_from_scores

        prior = priors.prior("mixture", world_grid())
        rows = [Posterior.of(prior, log_likelihood_from_scores(s, prior.grid)).log_mass for s in self.scores]
        return np.stack(rows)

    def error_of_cells(self, cell: NDArray[np.int64]) -> Array:
        """Errors (n,) of answers given as cells."""
        lat, lon = world_grid().lat_lon_deg
        return metrics.errors_km(lat[cell], lon[cell], self.test.lat_deg, self.test.lon_deg)


def _retrieved(bench: Bench, gallery: str) -> Array:
    """Errors of AG-CLIP's vector in GeoCLIP's space, the nearest of a gallery: the paper's way, without a prior."""
    chosen = gallery_of(gallery)
    f = agclip.agclip().embed(bench.scores)[:, agclip.GEOCLIP_PART]
    held = np.asarray(embed_cached(f"gallery-{gallery}", chosen.lat_deg, chosen.lon_deg))
    best = np.concatenate([(part @ held.T).argmax(axis=1) for part in np.array_split(f, 1 + len(f) // 200)])
    return metrics.errors_km(chosen.lat_deg[best], chosen.lon_deg[best], bench.test.lat_deg, bench.test.lon_deg)


def _ranges(bench: Bench, which: str) -> Array:
    """Errors of the place where the named species are likeliest together; the middle of the world's land for none."""
    from engine.clues.species import ranges

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


def table1(bench: Bench) -> list[Line]:
    """Ways to say a place."""
    names = ("random", "regression-euclidean", "regression-haversine", "classification-0", "classification-2", "hierarchical")
    return [
        *bench.learnt((*names, "retrieval-geoclip", "agclip")),
        Line("species ranges, all heard", (_ranges(bench, "all"),)),
        Line("AG-CLIP as shipped, most likely cell", (bench.error_of_cells(bench.posteriors().argmax(axis=1)),)),
        Line("AG-CLIP on MobileNetV3", needs="iNatSounds, or the authors' checkpoint"),
        Line("GeoCLAP, TaxaBind", needs="their checkpoints and galleries"),
        Line("Wav2CLIP, CLAP", needs="their weights"),
    ]


def table2(bench: Bench) -> list[Line]:
    """Location encoders."""
    return [
        *bench.learnt(("retrieval-geoclip",)),
        Line("retrieval-sinr", needs="SINR's checkpoint: lab train-baseline retrieval-sinr --encoder FILE"),
        Line("retrieval-satclip", needs="SatCLIP's checkpoint: lab train-baseline retrieval-satclip --encoder FILE"),
    ]


def table3(bench: Bench) -> list[Line]:
    """Species ranges by what is known of the species."""
    return [Line(f"species ranges, {w}", (_ranges(bench, w),)) for w in ("annotated", "top-1", "all")]


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
    """Galleries."""
    made = [Line(f"gallery {g}", (_retrieved(bench, g),)) for g in ("uniform1", "uniform0.5", "land", "geoclip")]
    needs = "the benchmark's recordings of that name"
    return [*made, *(Line(f"gallery {g}", needs=needs) for g in ("train", "train-neighbours", "validation", "xcdc"))]


def a2(bench: Bench) -> list[Line]:
    """Poolings of AG-CLIP's vectors of windows."""
    from engine.core.finding import Settings
    from engine.lab.recordings import Condition, perceive

    grid = world_grid()
    g = np.asarray(grid_embeddings(grid))
    vectors = []
    for sample in bench.samples:
        observations = perceive(sample, Condition(), Settings(), 0).observations
        starts = sorted({o.start_s for o in observations})
        scores = np.zeros((max(1, len(starts)), len(birdnet.labels())), dtype=np.float32)
        for o in observations:
            if o.kind in ("species", "sound"):
                scores[starts.index(o.start_s), birdnet.index_of(o.label)] = min(1.0, o.score)
        vectors.append(agclip.agclip().embed(scores)[:, agclip.GEOCLIP_PART])
    lines = []
    for how in pooling.POOLINGS:
        cells = np.array([int((g @ pooling.pooled(v, how)).argmax()) for v in vectors])
        lines.append(Line(f"vectors of windows, {how}", (bench.error_of_cells(cells),)))
    whole = agclip.agclip().embed(bench.scores)[:, agclip.GEOCLIP_PART]
    lines.append(Line("best score of each species (shipped)", (bench.error_of_cells((whole @ g.T).argmax(axis=1)),)))
    return [*lines, Line("transformer over windows", needs="training recordings: nets/pooling.py")]


BY_NAME: dict[str, Callable[[Bench], list[Line]]] = {
    "table1": table1, "table2": table2, "table3": table3, "table4": table4, "a1": a1, "a2": a2,
}  # fmt: skip


def numbers(line: Line) -> dict[str, tuple[float, float]]:
    """Metric to (mean, std) over seeds; empty where the row could not be run."""
    if not line.errors:
        return {}
    rows = [
        {"median_km": float(np.median(e)), **{f"within_{r}": metrics.within_percent(e, r) for r in metrics.RADII_KM}}
        for e in line.errors
    ]
    return {k: (float(np.mean([r[k] for r in rows])), float(np.std([r[k] for r in rows]))) for k in rows[0]}


def printed(lines: Sequence[Line]) -> str:
    """The table as text."""
    width = max(len(line.name) for line in lines) + 2
    out = [f"{'':{width}}{'median km':>16}" + "".join(f"{'≤' + str(r):>14}" for r in metrics.RADII_KM)]
    for line in lines:
        held = numbers(line)
        if not held:
            out.append(f"{line.name:{width}}not run: needs {line.needs}")
            continue
        several = len(line.errors) > 1
        shown = [
            f"{m:,.0f}" + (f" ± {s:,.0f}" if several else "")
            if k == "median_km"
            else f"{m:.1f}" + (f" ± {s:.1f}" if several else "")
            for k, (m, s) in held.items()
        ]
        out.append(f"{line.name:{width}}{shown[0]:>16}" + "".join(f"{x:>14}" for x in shown[1:]))
    return "\n".join(out)


def write_csv(path: Path, lines: Sequence[Line]) -> None:
    """The same numbers as CSV."""
    keys = ["median_km", *(f"within_{r}" for r in metrics.RADII_KM)]
    with path.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(["row", "seeds", *(f"{k}{part}" for k in keys for part in ("", "_std")), "needs"])
        for line in lines:
            held = numbers(line)
            cells = [x for k in keys for x in (f"{v:.4f}" for v in held.get(k, ()))] or [""] * (2 * len(keys))
            writer.writerow([line.name, len(line.errors), *cells, line.needs])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that all tables share."""
    parser.add_argument("--folder", type=Path, default=None, help="recordings (default: those of the data folder)")
    parser.add_argument("--soundscapes", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--csv", type=Path, default=None)
    parser.add_argument("--json", type=Path, default=None)


def run_table(table: str, args: argparse.Namespace) -> int:
    """Run one of TABLES, print it, write it."""
    bench = Bench(args.folder or data_dir() / "recordings", args.soundscapes, args.epochs)
    lines = BY_NAME[table](bench)
    print(printed(lines))
    if args.csv:
        write_csv(args.csv, lines)
    if args.json:
        args.json.write_text(metrics.to_json_text({line.name: numbers(line) or {"needs": line.needs} for line in lines}) + "\n")
    return 0
