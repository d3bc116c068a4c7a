"""`earwitness bench validation`: writes docs/validation.md and the report's validation sheet from the benchmarks' JSON.

The folder holds the JSON of one or more of the commands in `SOURCES`, under those names. Each becomes sheets (`report.view.
validation.Sheet`); the document is the sheets with words around them, so that both state the same figures. What has no JSON
keeps the figures of its last run, with their date; what was never run is listed as not measured. Sheets of other commands stay as
they are.
"""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from engine.core.errors import DataError
from engine.core.file import json_of, read_text
from engine.core.paths import ROOT
from engine.core.settings import Settings
from engine.report.view.validation import FILE, SCHEMA, Sheet
from engine.report.view.words import ratio
from engine.verdict.calibration import CALIBRATION_FILE

DOCUMENT = ROOT / "docs" / "validation.md"
SOURCE = "docs/validation.md"
NOT_MEASURED = "not measured"
_WIDTH = 118
_SIZES = ("1", "2", "3", "5", "10", "all")
_PLACED = ("", "n", "median km", "within 200 km", "750 km", "2,500 km", "50% region", "90% region", "nll")

Facts = Mapping[str, Any]


def recordings_sheets(facts: Facts, day: str) -> Iterable[Sheet]:
    """Sound on recordings of known place, by how much was heard and by continent."""
    n = facts.get("n", 0)
    rows = [_placed("sound", facts)]
    rows += [_placed(f"heard: {name}", s) for name, s in (facts.get("by_stratum") or {}).items()]
    if facts.get("prior_only"):
        rows.append(_placed("prior only", facts["prior_only"]))
    spoke = f"The sound gave a location on {facts['spoke']}; the others are scored at the prior. " if "spoke" in facts else ""
    yield _sheet(
        "Location of the sound",
        f"{n} field recordings of known place, even mixture of priors, no date given. {spoke}Rows by how much was heard: the sum "
        "of the calibrated chances that the species detected are there.",
        "recordings",
        facts,
        day,
        _PLACED,
        rows,
        _nll_remark(facts, "by place"),
    )
    continents = [_placed(name, s) for name, s in (facts.get("by_continent") or {}).items()]
    if continents:
        yield _sheet(
            "Location of the sound, by continent",
            f"The same {n} recordings. There are too few of some continents for more than a look.",
            "recordings",
            facts,
            day,
            _PLACED,
            continents,
            "",
        )


def lists_sheets(facts: Facts, day: str) -> Iterable[Sheet]:
    """Lists of species that people wrote."""
    rows = [_placed("all species" if k == "all" else f"{k} species", facts[k]) for k in _SIZES if k in facts]
    first: Facts = next((facts[k] for k in _SIZES if k in facts), {})
    if first.get("prior_only"):
        rows.append(_placed("prior only", first["prior_only"]))
    unknown = (
        f" BirdNET does not know {facts['unknown_names']} of the {facts['names']:,} names." if "unknown_names" in facts else ""
    )
    yield _sheet(
        "Location by lists of species that people wrote",
        f"{facts.get('lists', first.get('n', 0))} lists by {first.get('recordists', '?')} recordists, of which some species "
        f"are drawn; every name is taken as a person's word.{unknown}",
        "lists",
        facts,
        day,
        _PLACED,
        rows,
        _nll_remark(facts, "by recordist"),
    )


def ordinary_sheets(facts: Facts, day: str) -> Iterable[Sheet]:
    """Material that nobody made for its animals."""
    insects = facts.get("insects") or {}
    rows = [
        ("clips on which the sound gives a location", _of(facts, "sound_spoke", "clips")),
        ("clips on which the picture gives a location", _of(facts, "picture_spoke", "clips")),
        ("clips on which both do", _of(facts, "both_spoke", "clips")),
        ("sounds without an animal that are placed", _fraction(facts.get("sounds"))),
        ("sounds of insects that are placed", _fraction(insects)),
        ("clips and recordings of known place put on another continent", _of(facts, "wrong_continent", "known_places")),
        ("ordinary recordings on which the sound gives a location", _of(facts, "recordings_spoke", "recordings")),
        ("their nll less the prior's, nats", _number(facts.get("nll_minus_prior"), facts.get("nll_minus_prior_interval"), 3)),
    ]
    damaged = len(facts.get("damaged") or ())
    yield _sheet(
        "Ordinary clips and sounds",
        f"{facts.get('clips', '?')} films and broadcasts of any kind, labelled sounds, and {facts.get('recordings', '?')} "
        f"recordings of ordinary sound of known place. {damaged} files could not be examined.",
        "ordinary",
        facts,
        day,
        ("", "value"),
        rows,
        "Intervals are 95%, by author of the sounds and by place of the recordings; below 0 the sound helps.",
    )


def mismatch_sheets(facts: Facts, day: str) -> Iterable[Sheet]:
    """Same place or not."""
    i = facts.get("intervals") or {}

    def value(key: str, digits: int = 2) -> str:
        return _number(facts.get(key), i.get(key), digits)

    def share(key: str) -> str:
        return _share(facts.get(key), i.get(key))

    rows = [
        ("Cllr of pairs in which both give a location (0 is perfect, 1 no information)", value("cllr")),
        ("the same, weighted to places drawn from the prior", value("cllr_weighted")),
        ("the least that a recalibration could reach", value("cllr_min")),
        ("Cllr of all pairs, no location counting as 1 : 1", value("cllr_all")),
        ("the same, weighted to places drawn from the prior", value("cllr_all_weighted")),
        ("pairs in which both give a location", share("spoken")),
        ("of them, pairs with a verdict", share("decided")),
        ("pairs from one place called different", share("same_called_different")),
        ("pairs beyond 2,500 km called different, at least moderate support", share("different_moderate")),
        ("pairs beyond 2,500 km called different at all", share("different_called")),
    ]
    rows = [r for r in rows if r[1] != NOT_MEASURED]
    pairs, same = facts.get("pairs"), facts.get("same_pairs")
    counts = f"{pairs:,} pairs of a recording and a photo made separately, " if isinstance(pairs, int) else "Pairs, "
    few = f"; {same} of them from one place (within 200 km)" if same is not None else ""
    low_high = facts.get("bounds_log10")
    bounds = (
        f"No factor exceeds what validation supports: at most {ratio(abs(low_high[0]))} for different places and "
        f"{ratio(low_high[1])} for one. "
        if low_high
        else ""
    )
    yield _sheet(
        "Same place or different places",
        f"{counts}both with a location{few}; none is a film with its own sound. Scored is what the banner says, guards included.",
        "mismatch",
        facts,
        day,
        ("", "value"),
        rows,
        f"{bounds}Intervals are 95%, by place.",
    )
    yield from _by_distance(facts, day)
    yield from _words_and_guards(facts, day)
    films = facts.get("films") or {}
    if films:
        yield from _films(films | {"held_out": facts.get("held_out"), "seed": facts.get("seed", 0)}, day)


def _by_distance(facts: Facts, day: str, title: str = "Same place or different places, by true distance") -> Iterable[Sheet]:
    i, one = facts.get("intervals") or {}, facts.get("one_place_by_band") or {}
    if not one:
        return
    shares = [facts.get(f"{what}_by_band") or {} for what in ("different_moderate", "different", "one_region")]
    pairs = facts.get("pairs_by_band") or {}
    yield _sheet(
        title,
        "The same pairs: how many are called different with at least moderate support or at all, one region, and one place.",
        "mismatch",
        facts,
        day,
        ("km apart", "pairs", "called different, moderate", "called different", "called one region", "called one place"),
        [
            (
                _band_title(name),
                _count(pairs.get(name)),
                *(_share(s.get(name), None) for s in shares),
                _share(share, i.get(f"one_place_by_band.{name}")),
            )
            for name, share in one.items()
        ],
        "“One region”: the factor speaks for one place against two, but places 500 to 1,000 km apart fit as well. "
        "Intervals are 95%, by region of the world.",
    )


def _words_and_guards(facts: Facts, day: str) -> Iterable[Sheet]:
    words = facts.get("words") or {}
    if words:
        yield _sheet(
            "Same place or different places, by what is said",
            "How often each is said of these pairs, and how often wrongly (“same place” of places more than 200 km apart, “same "
            "region” of more than 1,000 km, “different places” of less than 200 km).",
            "mismatch",
            facts,
            day,
            ("said", "pairs", "wrong"),
            [(word, _count(row["said"]), _count(row["wrong"]) if "wrong" in row else "–") for word, row in words.items()],
            "",
        )
    guards = facts.get("guards") or {}
    if guards:
        yield _sheet(
            "Same place or different places: what each guard costs",
            "The same pairs with no guard, with each of them, and with all: mixing in the rate at which pictures are misread, "
            "the lowest of four priors, an interval without 1, known false alarms, regions that hold the place, places near "
            "the picture's, any one species, any one sign.",
            "mismatch",
            facts,
            day,
            ("guard", "Cllr", "same called different", "far called different", "moderate", "one place at 500 to 1,000 km"),
            [
                (
                    name,
                    _number(row.get("cllr"), None, 2),
                    *(
                        _share(row.get(k), None)
                        for k in ("same_called_different", "different_called", "different_moderate", "one_place_500_1000")
                    ),
                )
                for name, row in guards.items()
            ],
            "Far: beyond 2,500 km.",
        )


def _films(facts: Facts, day: str) -> Iterable[Sheet]:
    i = facts.get("intervals") or {}
    yield _sheet(
        "Simulated films",
        f"{facts.get('films', '?')} films: the sign of a town, drawn, blurred, coded and read, over a recording's own sound; "
        f"both speak on {facts.get('pairs', '?')}, {facts.get('same_pairs', '?')} of them with a town within 200 km.",
        "mismatch",
        facts,
        day,
        ("", "value"),
        [
            ("Cllr of films in which both give a location", _number(facts.get("cllr"), i.get("cllr"), 2)),
            ("films of one place called different", _share(facts.get("same_called_different"), i.get("same_called_different"))),
            ("films beyond 2,500 km called different", _share(facts.get("different_called"), i.get("different_called"))),
            ("the same, at least moderate support", _share(facts.get("different_moderate"), i.get("different_moderate"))),
        ],
        "Intervals are 95%, by region of the world.",
    )
    yield from _by_distance(facts, day, "Simulated films, by true distance")


def photos_sheets(facts: Facts, day: str) -> Iterable[Sheet]:
    """Text in pictures."""
    rows = [_placed(name, s) for name, s in (facts.get("rows") or {"all photos": facts}).items()]
    yield _sheet(
        "Location by the text in a picture",
        f"{facts.get('n', '?')} photos of known place; the text gives a location on {facts.get('spoke', '?')}, the others are "
        "scored at the prior.",
        "photos",
        facts,
        day,
        _PLACED,
        rows,
        "Intervals are 95%, by place.",
    )


def claims_sheets(facts: Facts, day: str) -> Iterable[Sheet]:
    """Claims of a place and a week."""
    kinds = [k for k in ("sound", "picture", "week", "season") if k in facts]
    both = facts.get("both") or {}
    names = [*kinds, *(["both"] if both.get("couples") else [])]
    of = {k: facts[k] for k in names}
    rows = [
        ("true and false claims", *(f"{of[k].get('true_claims', 0):,} and {of[k].get('false_claims', 0):,}" for k in names)),
        ("Cllr", *(_number(of[k].get("cllr"), of[k].get("cllr_95"), 2) for k in names)),
        ("true claims supported", *(_share(of[k].get("true_supported"), None) for k in names)),
        ("true claims contradicted", *(_share(of[k].get("true_against"), None) for k in names)),
        ("false claims supported", *(_share(of[k].get("false_supported"), None) for k in names)),
        ("false claims beyond 2,500 km contradicted", *(_share(of[k].get("far_against"), None) for k in names)),
    ]
    yield _sheet(
        "Claims of a place and a week",
        "Each true place and week of recordings and photos compared with those of others.",
        "claims",
        facts,
        day,
        ("", *("sound and picture" if k == "both" else k for k in names)),
        rows,
        "Intervals are 95%, by place.",
    )


SOURCES: dict[str, tuple[str, Callable[[Facts, str], Iterable[Sheet]]]] = {
    "recordings": ("Location of the sound", recordings_sheets),
    "lists": ("Location by lists of species that people wrote", lists_sheets),
    "ordinary": ("Ordinary clips and sounds", ordinary_sheets),
    "mismatch": ("Same place or different places", mismatch_sheets),
    "photos": ("Location by the text in a picture", photos_sheets),
    "claims": ("Claims of a place and a week", claims_sheets),
}
"""Command below `earwitness bench`, and name of its JSON → title of its first sheet, and what makes its sheets."""

_INTRODUCTION = (
    "What the method was tested on and what came out. Written by `earwitness bench validation --from DIR` from the JSON of the "
    "commands named; the report's validation sheet states the same figures. Where a figure is bad, the words of the verdict "
    "follow it."
)
_MEANING = {
    "recordings": "A region that keeps its word contains the true place as often as its name says; nll is −ln of the probability "
    "of the true cell, and the prior's is what it would be without listening.",
    "lists": "Lists are what remains when detection is perfect: what is wrong here lies in the ranges, in how they are combined, "
    "or in the prior.",
    "ordinary": "Most clips hold no animal that says where they are. What counts here is how seldom the sound is placed wrongly.",
    "mismatch": "The figures behind the verdict on sound and picture. No pair is a film with its own sound, so that what films "
    "add (narration, music, archive sound) is not measured.",
    "photos": "What is written in a picture. The look of a picture without text is not measured.",
    "claims": "The figures behind the tests of a stated place and week.",
}


def read(folder: Path) -> dict[str, Facts]:
    """The JSON of each command that is in a folder.

    Raises:
        DataError: there is none, or one is damaged.
    """
    found: dict[str, Facts] = {}
    for name in SOURCES:
        path = folder / f"{name}.json"
        if path.is_file():
            facts = json_of(read_text(path, what="benchmark"), path.name)
            if not isinstance(facts, dict):
                raise DataError(f"{path.name} holds no figures; write it with `earwitness bench {name} --json`.")
            found[name] = facts
    if not found:
        listed = ", ".join(f"{name}.json" for name in SOURCES)
        raise DataError(f"{folder} holds none of {listed}; write them with the benchmarks' --json.")
    return found


def sheets_of(found: Mapping[str, Facts], day: str) -> tuple[Sheet, ...]:
    """The sheets of all commands that were run, in the order of SOURCES.

    Raises:
        DataError: a JSON has not the form that its command writes.
    """
    out: list[Sheet] = []
    for name, (_, make) in SOURCES.items():
        if name in found:
            try:
                out += make(found[name], day)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as wrong:
                raise DataError(f"{name}.json is not what `earwitness bench {name}` writes; run it again.") from wrong
    return tuple(out)


def document(sheets: Sequence[Sheet], factor: Mapping[str, Any]) -> str:
    """docs/validation.md of these sheets.

    Args:
        factor: what stands behind the factor, as in the report's sheet.
    """
    lines = ["# Validation", "", *_wrapped(_INTRODUCTION), ""]
    for name, (title, _) in SOURCES.items():
        lines += [f"## {title}", "", *_wrapped(_MEANING[name]), ""]
        own = [s for s in sheets if s.command in _commands(name)]
        if not own:
            lines += [f"`{_command(name)}`: {NOT_MEASURED}.", ""]
        for s in own:
            lines += [f"### {s.title}", ""] if s.title != title else []
            lines += [*_wrapped(f"`{s.command}`, seed {s.seed}, {s.date}: {s.conditions}"), "", *markdown(s), ""]
            lines += [*_wrapped(s.remark), ""] if s.remark else []
        if name == "mismatch" and own:
            lines += [*_wrapped(_of_the_factor(factor)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _of_the_factor(factor: Mapping[str, Any]) -> str:
    own, other = factor["effective"]
    low, high = 10 ** -factor["log10_low"], 10 ** factor["log10_high"]
    return (
        f"Two places drawn independently from a prior fall {factor['drawn']}. The factor in use is fitted on {factor['pairs']:,} "
        f"trials (`earwitness lab calibrate-mismatch`): {factor['things']} recordings, each compared with every place of "
        f"recordings and photos, {factor['same_pairs']} of them with its own. Counted by region of the world and recordist they "
        f"are worth {own} independent trials at the own place and {other} elsewhere, and with one more misleading trial on each "
        f"side support bounds of {low:.1f} : 1 and {high:.0f} : 1. Of pairs near each other, called one place: {factor['near']}."
    )


def markdown(sheet: Sheet) -> list[str]:
    """A sheet's table as lines of Markdown."""
    return [
        f"| {' | '.join(sheet.columns)} |".replace("|  |", "| |"),
        "|" + "---|" * len(sheet.columns),
        *(f"| {' | '.join(row)} |" for row in sheet.rows),
    ]


def merged(before: Mapping[str, Any], sheets: Sequence[Sheet], found: Mapping[str, Facts]) -> dict[str, Any]:
    """The content of assets/validation.json with these sheets in the place of what told of the same; sheets of SOURCES that were
    not run again stay, and stand in the document from now on.

    Of what clips are held against, the number of recordings, their continents and how often regions held are those measured.
    """
    renewed = {command for name in found for command in _commands(name)}
    titles = {s.title for s in sheets}
    kept = [s for s in before["sheets"] if s["command"] not in renewed and s["title"] not in titles]
    told = {command for name in SOURCES for command in _commands(name)}
    kept = [{**s, "source": SOURCE} if s["command"] in told else s for s in kept]
    tested, factor = dict(before["tested"]), dict(before["factor"])
    r = found.get("recordings")
    if r and r.get("coverage"):
        tested["recordings"] = r["n"]
        tested["regions_hold"] = [round(100 * r["coverage"][s]) for s in ("50", "90")]
        if r.get("by_continent"):
            counts = {name: s["n"] for name, s in r["by_continent"].items()}
            tested["continents"] = dict(sorted(counts.items(), key=lambda x: -x[1]))
    m = found.get("mismatch") or {}
    if m.get("cllr") is not None:
        low_high = (m.get("intervals") or {}).get("cllr")
        factor["cllr"] = f"{m['cllr']:.2f}" + (f" (95% {low_high[0]:.2f} to {low_high[1]:.2f})" if low_high else "")
    near = [b for b in m.get("bands") or () if b.get("from_km") in (200, 500) and b.get("same") is not None]
    if near:
        factor["near"] = " and ".join(
            f"{100 * b['same']:.0f}% of {b['pairs']:,} pairs {b['from_km']:,} to {b['to_km']:,} km apart" for b in near
        )
    factor |= _fitted()
    every = [*(asdict(s) for s in sheets), *kept]
    order = {command: n for n, name in enumerate(SOURCES) for command in _commands(name)}
    every.sort(key=lambda s: order.get(s["command"], len(order)))
    return {**before, "schema": SCHEMA, "tested": tested, "factor": factor, "sheets": every}


def _fitted() -> dict[str, Any]:
    """What the calibration in use rests on, at the radius that is the default."""
    rows = json_of(read_text(CALIBRATION_FILE, what="calibration"), CALIBRATION_FILE.name)["sound"]["by_radius"]
    own = next(r for r in rows if r["radius_km"] == Settings().same_place_km)
    return {
        "pairs": own["pairs"],
        "same_pairs": own["same_pairs"],
        "things": own["things"],
        "effective": [round(own["effective"][side]) for side in ("same", "different")],
        "log10_low": round(own["low"], 3),
        "log10_high": round(own["high"], 3),
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench validation`."""
    listed = ", ".join(f"{name}.json" for name in SOURCES)
    parser.add_argument("--from", dest="folder", type=Path, required=True, metavar="DIR", help=f"folder with {listed}")
    parser.add_argument("--document", type=Path, default=DOCUMENT, help=f"where the document goes (default: {SOURCE})")
    parser.add_argument("--sheet", type=Path, default=FILE, help="the report's sheet, which is renewed (default: the program's)")
    parser.add_argument("--date", type=date.fromisoformat, default=None, help="day of the runs, YYYY-MM-DD (default: today)")


def run(args: argparse.Namespace) -> int:
    """Write both files."""
    found = read(args.folder)
    day = (args.date or date.today()).isoformat()
    sheets = sheets_of(found, day)
    before = json_of(read_text(args.sheet, what="validation sheet"), args.sheet.name)
    renewed = merged(before, sheets, found)
    text = document([_sheet_of(s) for s in renewed["sheets"]], renewed["factor"])
    args.document.write_text(text, encoding="utf-8")
    args.sheet.write_text(json.dumps(renewed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{args.document} and {args.sheet.name}: {len(sheets)} tables from {', '.join(f'{n}.json' for n in found)}.")
    missing = [name for name in SOURCES if name not in found]
    if missing:
        print(f"Not run again: {', '.join(missing)}.")
    return 0


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _sheet_of(s: Mapping[str, Any]) -> Sheet:
    return Sheet(**{**s, "columns": tuple(s["columns"]), "rows": tuple(map(tuple, s["rows"]))})


def _command(name: str) -> str:
    return f"earwitness bench {name}"


def _commands(name: str) -> tuple[str, ...]:
    """The commands whose sheets tell of the same."""
    if name != "mismatch":
        return (_command(name),)
    return _command(name), f"{_command(name)} --held-out", "earwitness lab calibrate-mismatch"


def _sheet(
    title: str,
    conditions: str,
    name: str,
    facts: Facts,
    day: str,
    columns: tuple[str, ...],
    rows: Sequence[Sequence[str]],
    remark: str,
) -> Sheet:
    seed = int(facts.get("seed", 0))
    command = _command(name) + (" --held-out" if facts.get("held_out") else "")
    return Sheet(title, conditions, command, seed, day, SOURCE, columns, tuple(tuple(r) for r in rows), remark)


def _placed(name: str, s: Facts) -> tuple[str, ...]:
    """A row of a Score as its JSON has it."""
    i, within, coverage = s.get("intervals") or {}, s.get("within_km") or {}, s.get("coverage") or {}
    return (
        name,
        _count(s.get("n")),
        _number(s.get("median_km"), i.get("median_km"), 0),
        *(_percent(within.get(r), i.get(f"within_km.{r}")) for r in ("200", "750", "2500")),
        *(_share(coverage.get(c), i.get(f"coverage.{c}")) for c in ("50", "90")),
        _number(s.get("nll"), i.get("nll"), 2),
    )


def _nll_remark(facts: Facts, by: str) -> str:
    cells = f"; ln(cells) is {facts['ln_cells']:.2f}" if "ln_cells" in facts else ""
    return f"Intervals are 95%, {by}. nll is −ln of the posterior probability of the true cell{cells}."


def _count(value: int | None) -> str:
    return NOT_MEASURED if value is None else f"{value:,}"


def _of(facts: Facts, key: str, whole: str) -> str:
    return NOT_MEASURED if facts.get(key) is None else f"{facts[key]:,} of {facts.get(whole, 0):,}"


def _fraction(x: Facts | None) -> str:
    if not x or x.get("fraction") is None:
        return NOT_MEASURED
    return f"{x['placed']:,} of {x['n']:,}: {_share(x['fraction'], x.get('interval'))}"


def _number(value: float | None, interval: Sequence[float] | None, digits: int) -> str:
    if value is None:
        return NOT_MEASURED
    ends = f" ({interval[0]:,.{digits}f} to {interval[1]:,.{digits}f})" if interval else ""
    return f"{value:,.{digits}f}{ends}"


def _percent(value: float | None, interval: Sequence[float] | None) -> str:
    """A percentage; the ends of its interval whole, but for small ones."""
    if value is None:
        return NOT_MEASURED
    digits = 1 if interval and 0.0 < interval[1] < 10.0 else 0
    ends = f" ({interval[0]:.{digits}f} to {interval[1]:.{digits}f})" if interval else ""
    return f"{value:.1f}%{ends}"


def _share(value: float | None, interval: Sequence[float] | None) -> str:
    """A fraction as a percentage."""
    return _percent(None if value is None else 100 * value, None if interval is None else [100 * x for x in interval])


def _band_title(name: str) -> str:
    low, _, high = name.partition("-")
    return f"{int(low):,} to {int(high):,}" if high else f"beyond {int(low):,}"
