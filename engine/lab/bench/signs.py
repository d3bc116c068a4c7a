"""`earwitness bench signs`: signs in the scripts of the world, drawn, read and placed as the program does.

A set holds SET_SIZE signs of towns in seven scripts; sets share no town, so that one can be looked at and the others measured.
Of signs that name no place, and of Latin ones of look-alike letters, it is counted on how many a place is named: the rate of
misreading. Shares have exact 95% intervals (Clopper and Pearson 1934).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.clues.text.observe import TextObserver, text_reader
from engine.clues.text.score import read
from engine.clues.text.scoring import LEAST_NAMED
from engine.core.errors import DataError
from engine.core.observation import Observation
from engine.core.settings import Settings
from engine.lab.bench import photos, sign_drawing
from engine.lab.bench.counted import counted
from engine.lab.bench.hum import Share
from engine.lab.bench.sign_drawing import Sign
from engine.lab.data.manifest import Sample
from engine.models import tesseract
from engine.world import countries

NEAR_KM = 25.0
TIMED = 4  # of so many signs one is timed


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a sign.

    Attributes:
        read: lines as they were read.
        exact: how many of its lines were read letter for letter.
        spoke: the text says of itself where.
        km: from the place named to the town.
        continent: the place is on the town's.
        named: a place is named more likely than not.
        plain_ms, read_ms: of reading by the first recogniser alone, and by both; 0 where it was not timed.
    """

    sign: Sign
    read: tuple[str, ...]
    exact: int
    spoke: bool
    km: float
    continent: bool
    named: bool
    plain_ms: float
    read_ms: float


@dataclass(frozen=True, slots=True)
class Table:
    """The benchmark's numbers."""

    rows: tuple[Placed, ...]
    plain: tuple[Placed, ...]
    left_out: tuple[str, ...] = ()
    seed: int = 0
    sets: tuple[int, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Counts and shares with their intervals, by script and altogether, and each sign."""
        spoke = [r for r in self.rows if r.spoke]
        parts = {"all": self.rows} | {s: tuple(r for r in self.rows if r.sign.script == s) for s in _scripts(self.rows)}
        return {
            "signs": {name: _counts(part) for name, part in parts.items()},
            "wrong_continent": sum(not r.continent for r in spoke),
            "plain_signs": {
                "in these scripts": _misread([r for r in self.plain if r.sign.script != "Latin"]),
                "Latin": _misread([r for r in self.plain if r.sign.script == "Latin"]),
                "Latin read in another script": sum(
                    tesseract.script_of(t) is not None for r in self.plain if r.sign.script == "Latin" for t in r.read
                ),
            },
            "ms_per_frame": {
                "first recogniser": _mean([r.plain_ms for r in (*self.rows, *self.plain)]),
                "both": _mean([r.read_ms for r in (*self.rows, *self.plain)]),
            },
            "left_out": list(self.left_out),
            "sets": list(self.sets),
            "seed": self.seed,
            "rows": [
                {"town": r.sign.town, "country": r.sign.country, "script": r.sign.script, "people": r.sign.people}
                | {"lines": r.sign.lines, "read": r.read, "spoke": r.spoke, "km": round(r.km, 1), "named": r.named}
                for r in (*self.rows, *self.plain)
            ],
        }


def run_sets(
    sets: Sequence[int],
    seed: int = 0,
    fonts: Path | None = None,
    observe: Callable[[sign_drawing.Picture], tuple[Observation, ...]] | None = None,
) -> Table:
    """Draw, read and place the signs of some sets, and as many sets of plain ones.

    Args:
        observe: reads a picture; the program's own text clue where none is given.

    Raises:
        DataError: the folder of fonts holds none, or none for these scripts.
    """
    wanted = [s for n in sets for s in sign_drawing.signs(n, seed)]
    plain = [s for n in sets for s in sign_drawing.plain_signs(n, seed)]
    drawn = [s for s in wanted if sign_drawing.drawable(s, fonts)]
    if not drawn:
        raise DataError("No font has these scripts; give a folder of fonts such as Noto with --fonts.")
    out = tuple(sorted({s.script for s in wanted} - {s.script for s in drawn}))
    look = observe or TextObserver().observe_image
    every = TIMED if observe is None else 0
    rows = tuple(_placed(s, fonts, look, every) for s in counted(drawn, "signs"))
    others = tuple(
        _placed(s, fonts, look, every) for s in counted([s for s in plain if sign_drawing.drawable(s, fonts)], "plain")
    )
    return Table(rows, others, out, seed, tuple(sets))


def _placed(
    sign: Sign,
    fonts: Path | None,
    observe: Callable[[sign_drawing.Picture], tuple[Observation, ...]],
    every: int,
) -> Placed:
    rgb = sign_drawing.draw(sign, fonts)
    plain_ms = read_ms = 0.0
    if every and sign.seed % every == 0:
        reader = text_reader()
        plain_ms, read_ms = _ms(lambda: reader.alone.read(rgb)), _ms(lambda: reader.read(rgb))
    observations = observe(rgb)
    lines = tuple(o.label for o in observations)
    sample = Sample(sign.town or "plain", Path("drawn"), sign.lat_deg, sign.lon_deg)
    row = photos.score(sample, observations, Settings())
    named = any(r.chance * max(s.share for s in r.spots) >= LEAST_NAMED for r in read(observations) if r.spots)
    there = _continent_of(row.place) if row.found.spoke else ""
    own = countries.by_code(sign.country).continent if sign.country else ""
    exact = sum(line in lines for line in sign.lines)
    return Placed(sign, lines, exact, row.found.spoke, row.found.error_km, there == own, named, plain_ms, read_ms)


def _continent_of(place: tuple[float, float] | None) -> str:
    found = countries.at(*place) if place else None
    return found.continent if found else ""


def _ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def _mean(ms: Sequence[float]) -> float:
    timed = [x for x in ms if x > 0.0]
    return round(float(np.mean(timed)), 1) if timed else 0.0


def _scripts(rows: Sequence[Placed]) -> list[str]:
    return list(dict.fromkeys(r.sign.script for r in rows))


def _counts(rows: Sequence[Placed]) -> dict[str, Any]:
    spoke = [r for r in rows if r.spoke]
    near = sum(r.km <= NEAR_KM for r in spoke)
    lines = sum(len(r.sign.lines) for r in rows)
    return {
        "lines_exact": _share(sum(r.exact for r in rows), lines),
        "speaks": _share(len(spoke), len(rows)),
        f"within_{NEAR_KM:.0f}_km": _share(near, len(spoke)),
        "median_km": round(float(np.median([r.km for r in spoke])), 1) if spoke else None,
    }


def _misread(rows: Sequence[Placed]) -> dict[str, Any]:
    return {"a place is named": _share(sum(r.named for r in rows), len(rows))}


def _share(count: int, of: int) -> dict[str, Any]:
    share = Share.make(count, of)
    percents = {"percent": count / of if of else 0.0, "low": share.low, "high": share.high}
    return {"count": count, "of": of} | {name: round(100 * value, 1) for name, value in percents.items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench signs`."""
    parser.add_argument("--sets", type=int, nargs="+", default=[1, 2, 3], help="numbers of the sets of signs, from 0")
    parser.add_argument("--fonts", type=Path, default=None, help="folder of TrueType fonts (default: matplotlib's DejaVu)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers and every sign to this file")


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    if args.fonts is not None and not args.fonts.is_dir():
        raise DataError(f"{args.fonts} is no folder; give one of TrueType fonts with --fonts.")
    if min(args.sets) < 0:
        raise DataError("A set has a number from 0 upwards; give such numbers with --sets.")
    found = run_sets(tuple(dict.fromkeys(args.sets)), args.seed, args.fonts)
    numbers = found.to_json()
    print(f"{'script':12} {'lines exact':>14} {'speaks':>10} {'within 25 km':>14} {'median km':>10}")
    for name, row in numbers["signs"].items():
        cells = (_cell(row["lines_exact"]), _cell(row["speaks"]), _cell(row["within_25_km"]))
        median = "–" if row["median_km"] is None else f"{row['median_km']:,.1f}"
        print(f"{name:12} {cells[0]:>14} {cells[1]:>10} {cells[2]:>14} {median:>10}")
    print(f"on a wrong continent: {numbers['wrong_continent']}")
    for what, row in list(numbers["plain_signs"].items())[:2]:
        share = row["a place is named"]
        if share["of"]:
            print(f"signs without a place, {what}: a place named on {_cell(share)}, 95% {share['low']} to {share['high']}%")
    print(f"Latin lines read in another script: {numbers['plain_signs']['Latin read in another script']}")
    whole = numbers["signs"]["all"]
    for what, name in (("speaks", "speaks"), ("within_25_km", "within 25 km, where it speaks")):
        if whole[what]["of"]:
            print(f"{name}: {whole[what]['percent']}%, 95% {whole[what]['low']} to {whole[what]['high']}%")
    ms = numbers["ms_per_frame"]
    print(f"ms a frame: {ms['first recogniser']:.0f} by the first recogniser, {ms['both']:.0f} by both; seed {args.seed}")
    if found.left_out:
        print(f"left out, for want of a font: {', '.join(found.left_out)}")
    if tesseract.missing():
        print(tesseract.missing())
    if args.json:
        args.json.write_text(json.dumps(numbers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def _cell(share: dict[str, Any]) -> str:
    return f"{share['count']} of {share['of']}"
