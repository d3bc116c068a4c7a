"""`earwitness bench figures`: the paper's figures, of the recordings that are present.

    cdf.svg       share of recordings within each distance, sound as shipped beside each clue alone and the prior
    map.svg       median error per H3 resolution-2 cell of the true place
    species.svg   error against the number of species heard
    groups.svg    median error by genus of the main species, with how many recordings and species it has

Source: Chasmai et al. 2025, arXiv 2505.18726, figures 4 to 6 and appendix.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from engine.analysis.judge import judge
from engine.core.paths import data_dir
from engine.core.settings import Settings
from engine.lab.bench.recordings import Condition, Row, perceive, score
from engine.lab.data.manifest import Sample, read_manifest

HEARD = 0.5


def rows_of(samples: tuple[Sample, ...]) -> tuple[list[Row], NDArray[np.int64]]:
    """Every recording judged as the program judges it, and how many species were heard in each (score HEARD or more)."""
    rows, heard = [], []
    for sample in samples:
        perception = perceive(sample, Condition(), Settings(), 0)
        rows.append(score(sample, judge(perception)))
        heard.append(len({o.label for o in perception.observations if o.kind == "species" and o.score >= HEARD}))
    return rows, np.array(heard)


def draw(rows: list[Row], heard: NDArray[np.int64], folder: Path) -> tuple[Path, ...]:
    """Draw the four figures into a folder; returns their paths."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt
    from matplotlib.collections import PolyCollection

    folder.mkdir(parents=True, exist_ok=True)
    error = np.array([r.found.error_km for r in rows])
    made = []

    def save(name: str) -> None:
        plt.tight_layout()
        plt.savefig(folder / name, metadata={"Date": None})
        plt.close()
        made.append(folder / name)

    plt.figure(figsize=(6, 4))
    lines = {"sound": error, "prior": np.array([r.prior.error_km for r in rows])}
    for name in sorted({c for r in rows for c in r.clues}):
        lines[name] = np.array([r.clues[name].error_km for r in rows if name in r.clues])
    same = np.sort(lines["prior"])
    lines = {n: e for n, e in lines.items() if n in ("sound", "prior") or not np.array_equal(np.sort(e), same)}
    for name, e in lines.items():  # sound wider and below, so that two alike are both seen
        share = 100 * np.arange(1, len(e) + 1) / len(e)
        plt.step(np.maximum(1.0, np.sort(e)), share, where="post", label=name, lw=4 if name == "sound" else 1.5)
    plt.xscale("log")
    plt.xlabel("error, km")
    plt.ylabel("recordings within it, %")
    plt.legend()
    save("cdf.svg")

    plt.figure(figsize=(8, 4))
    _land(plt)
    by_cell = defaultdict(list)
    for r, e in zip(rows, error, strict=True):
        by_cell[int(h3.latlng_to_cell(r.sample.lat_deg, r.sample.lon_deg, 2))].append(e)
    edges = {c: np.array(h3.cell_to_boundary(c))[:, ::-1] for c in by_cell}
    whole = [c for c, edge in edges.items() if np.ptp(edge[:, 0]) < 180]  # one cut by the antimeridian would smear over the map
    scale = plt.Normalize(0, 5000)
    shown = PolyCollection([edges[c] for c in whole], cmap="viridis_r", norm=scale, edgecolor="0.3", linewidth=0.3)
    shown.set_array(np.array([np.median(by_cell[c]) for c in whole]))
    plt.gca().add_collection(shown)
    plt.colorbar(shown, label="median error, km")
    plt.xlim(-180, 180)
    plt.ylim(-60, 85)
    save("map.svg")

    plt.figure(figsize=(6, 4))
    bins = [(0, 0), (1, 1), (2, 2), (3, 4), (5, 99)]
    names = ["0", "1", "2", "3–4", "5+"]
    groups = [error[(heard >= a) & (heard <= b)] for a, b in bins]
    held = [(n, g) for n, g in zip(names, groups, strict=True) if len(g)]
    plt.boxplot([g for _, g in held], tick_labels=[f"{n}\nn={len(g)}" for n, g in held], showfliers=False)
    plt.xlabel(f"species heard with a score of at least {HEARD:g}")
    plt.ylabel("error, km")
    save("species.svg")

    plt.figure(figsize=(7, 4))
    by_genus = defaultdict(list)
    for r, e in zip(rows, error, strict=True):
        by_genus[(r.sample.column("species") or "unknown").split(" ")[0]].append(e)
    most = sorted(by_genus.items(), key=lambda x: -len(x[1]))[:15]
    kinds = {name: len({s for s in (r.sample.column("species") for r in rows) if s.split(" ")[0] == name}) for name, _ in most}
    names = [f"{name}: {_count(len(e), 'recording')}, {kinds[name]} species" for name, e in most]
    plt.barh(names[::-1], [float(np.median(e)) for _, e in most][::-1])
    plt.xlabel("median error, km, by genus of the main species")
    save("groups.svg")
    return tuple(made)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("s" if n != 1 else "")


def _land(plt: ModuleType) -> None:
    from engine.world.land import polygons

    for rings in polygons("coarse"):
        plt.fill(rings[0][:, 0], rings[0][:, 1], color="0.88", linewidth=0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("folder", type=Path, nargs="?", default=None, help="recordings (default: those of the data folder)")
    parser.add_argument("-o", "--output", type=Path, default=Path("figures"))


def run(args: argparse.Namespace) -> int:
    """Judge, draw, name the files."""
    rows, heard = rows_of(read_manifest(args.folder or data_dir() / "recordings"))
    for path in draw(rows, heard, args.output):
        print(path)
    return 0
