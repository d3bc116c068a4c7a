"""`earwitness bench lists`: how well lists of species that people vouch for are placed.

Each list goes the way every clip goes (`judge`): its species are observations by an analyst. Of each list some species are
drawn, seeded by the list itself; a list of three holds that of two. A name that BirdNET does not know, by itself or by a synonym,
is left out and counted. A list on which the program cannot tell is scored at the prior and counted. Intervals come from a
bootstrap over recordists, who return to the same places.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from engine.analysis.judge import judge
from engine.clues.species import naming
from engine.clues.species.detections import NO_SCORE
from engine.clues.species.spec import SPEC
from engine.core.clip import Clip, Interval
from engine.core.edit import signed
from engine.core.errors import DataError
from engine.core.file import read_csv
from engine.core.observation import Observation
from engine.core.paths import data_dir
from engine.core.perception import Perception
from engine.core.settings import PRIORS, Settings
from engine.lab.bench.counted import counted
from engine.lab.bench.metrics import Score, table, to_json_text
from engine.lab.bench.recordings import Row, interval_line, listed, score
from engine.lab.data.manifest import Sample, degrees_of
from engine.world.grid import world_grid

TABLE = "xcdc_lists.csv"
SIZES = ("1", "2", "3", "5", "10", "all")
_COLUMNS = ("audio_id", "latitude", "longitude", "recordist", "all_scientific")
_WINDOW_S = 3.0


@dataclass(frozen=True, slots=True)
class SpeciesList:
    """A list that a person wrote of one recording.

    Attributes:
        sample: id, place and date; its path is the table's.
        recordist: who wrote it.
        known: Latin names as BirdNET has them, each once, in the list's order.
        unknown: the names that BirdNET does not know, as written.
    """

    sample: Sample
    recordist: str
    known: tuple[str, ...]
    unknown: tuple[str, ...]


def read(path: Path) -> tuple[SpeciesList, ...]:
    """The lists of a table with audio_id, latitude, longitude, recordist, all_scientific and perhaps date.

    Raises:
        DataError: missing or malformed.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing; give a table with the columns {', '.join(_COLUMNS)}, or set EARWITNESS_DATA.")
    rows = read_csv(path, what="table of lists")
    if not rows or not set(_COLUMNS) <= set(rows[0]):
        raise DataError(f"{path.name} needs the columns {', '.join(_COLUMNS)}, and at least one row.")
    return tuple(_list(path, number, row) for number, row in enumerate(rows, 2))


def _list(path: Path, line: int, row: Mapping[str, str]) -> SpeciesList:
    lat, lon = degrees_of(row["latitude"], row["longitude"], f"Line {line} of {path.name}")
    known: dict[str, None] = {}
    unknown = []
    for name in _names(row["all_scientific"], line, path.name):
        label = naming.known(name)
        if label is None or not label.is_species:
            unknown.append(name)
        else:
            known[label.latin] = None
    try:
        when = date.fromisoformat(row.get("date") or "")
    except ValueError:
        when = None
    sample = Sample(row["audio_id"], path, lat, lon, date=when)
    return SpeciesList(sample, row["recordist"] or row["audio_id"], tuple(known), tuple(unknown))


def _names(text: str, line: int, name: str) -> tuple[str, ...]:
    """Names of a cell: a list as Python or JSON writes it, or names with semicolons or commas between them."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].removesuffix("]")
        parts = [p.strip().strip("'\"") for p in bare.split(",")]
    else:
        parts = [p.strip() for p in bare.replace(";", ",").split(",")]
    found = tuple(p for p in parts if p)
    if not found:
        raise DataError(f"Line {line} of {name} lists no species; leave the row out.")
    return found


def drawn(own: SpeciesList, size: str, seed: int) -> tuple[str, ...] | None:
    """The species of a list of this size, or None where it has fewer; a smaller list is the beginning of a larger one."""
    if size == "all":
        return own.known or None
    if len(own.known) < int(size):
        return None
    digest = hashlib.sha256(f"{seed} {own.sample.id}".encode()).digest()
    order = np.random.default_rng(int.from_bytes(digest[:8], "little")).permutation(len(own.known))
    return tuple(own.known[i] for i in order[: int(size)])


def perception_of(latin: Sequence[str], confidence: float) -> Perception:
    """What an analyst vouches for, and nothing else."""
    clip = Clip("", "0" * 64, 1, "", _WINDOW_S)
    observations = tuple(Observation(SPEC.name, "species", name, confidence, 0.0, _WINDOW_S, author=signed("")) for name in latin)
    return Perception(clip, Interval(0.0, _WINDOW_S), observations)


def evaluate(
    lists: Sequence[SpeciesList],
    size: str,
    settings: Settings,
    seed: int = 0,
    confidence: float = NO_SCORE,
    with_date: bool = False,
) -> tuple[tuple[SpeciesList, Row], ...]:
    """Score the lists of one size; those with fewer species are left out."""
    rows = []
    for own in counted(lists, f"lists of {size}"):
        latin = drawn(own, size, seed)
        if latin is not None:
            chosen = settings.but(when=own.sample.date) if with_date else settings
            rows.append((own, score(own.sample, judge(perception_of(latin, confidence), chosen))))
    return tuple(rows)


def block(rows: Sequence[tuple[SpeciesList, Row]], size: str, seed: int) -> tuple[Score, dict[str, Any]]:
    """The numbers of one size: (row of the table, what goes into the JSON)."""
    recordists = [own.recordist for own, _ in rows]
    title = "all species" if size == "all" else f"{size} species"
    main = Score.of_outcomes(title, [r.found for _, r in rows], recordists, seed)
    data = main.to_json()
    data["recordists"] = len(set(recordists))
    data["abstained"] = main.n - main.spoke
    data["prior_only"] = Score.of_outcomes("prior only", [r.prior for _, r in rows], recordists, seed)
    data["by_continent"] = {
        c: Score.of_outcomes(
            f"  {c}", [r.found for _, r in rows if r.continent == c], [o.recordist for o, r in rows if r.continent == c], seed
        )
        for c in sorted({r.continent for _, r in rows})
    }
    data["lists"] = [listed(r) for _, r in rows]
    return main, data


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench lists`."""
    parser.add_argument("--data", type=Path, default=None, help=f"table of lists (default: EARWITNESS_DATA/{TABLE})")
    parser.add_argument("--sizes", default=",".join(SIZES), help=f"species per list, with commas (default: {','.join(SIZES)})")
    parser.add_argument("--most", type=int, default=None, metavar="N", help="score the first N lists only")
    parser.add_argument("--prior", choices=PRIORS, default=Settings().prior)
    parser.add_argument(
        "--confidence", type=float, default=NO_SCORE, help=f"chance that a name is right, as stated (default: {NO_SCORE:g})"
    )
    parser.add_argument("--with-date", action="store_true", help="state each list's date")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench lists` and print its table."""
    sizes = _sizes(args.sizes)
    if not 0.0 < args.confidence <= 1.0:
        raise DataError(f"A confidence of {args.confidence:g} is out of range; choose more than 0 and at most 1.")
    lists = read(args.data or data_dir() / TABLE)[: args.most]
    settings = Settings(prior=args.prior)
    shown: list[Score] = []
    blocks: dict[str, Any] = {}
    for size in sizes:
        rows = evaluate(lists, size, settings, args.seed, args.confidence, args.with_date)
        if not rows:
            print(f"No list has {size} species that BirdNET knows.", file=sys.stderr)
            continue
        main, blocks[size] = block(rows, size, args.seed)
        shown.append(main)
    if not shown:
        raise DataError("No list has as many species as --sizes asks for; choose smaller sizes.")
    prior = blocks[next(iter(blocks))]["prior_only"]
    print(table([*shown, prior]))
    for main in shown:
        print(f"{main.name}: {interval_line(main)}")
    unknown = Counter(name for own in lists for name in own.unknown)
    named = sum(len(own.known) + len(own.unknown) for own in lists)
    print(
        f"{len(lists)} lists by {len({own.recordist for own in lists})} recordists; BirdNET does not know "
        f"{sum(unknown.values())} of {named:,} names; prior {args.prior}; seed {args.seed}; intervals 95%, by recordist."
    )
    if args.json:
        facts = {
            "lists": len(lists),
            "names": named,
            "unknown_names": sum(unknown.values()),
            "unknown": dict(unknown.most_common()),
            "confidence": args.confidence,
            "with_date": args.with_date,
            "prior": args.prior,
            "ln_cells": float(np.log(len(world_grid()))),
            "seed": args.seed,
        }
        args.json.write_text(to_json_text({**blocks, **facts}) + "\n", encoding="utf-8")
    return 0


def _sizes(text: str) -> tuple[str, ...]:
    sizes = tuple(dict.fromkeys(s.strip() for s in text.split(",") if s.strip()))
    if not sizes or any(s != "all" and not (s.isdecimal() and int(s) > 0) for s in sizes):
        raise DataError(f"--sizes takes numbers of species and all, with commas, such as 1,5,all; not {text!r}.")
    return sizes
