"""The tables of assets/cues, read once."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from engine.clues.text.fold import fold
from engine.core.errors import DataError
from engine.core.paths import ASSETS


@dataclass(frozen=True, slots=True)
class Title:
    """Words that make a neighbouring name the place where the sign stands; see assets/cues/titles.csv."""

    phrase: tuple[str, ...]
    before: bool
    ending: str
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that tell of a country; see assets/cues/words.csv."""

    phrase: tuple[str, ...]
    areas: tuple[str, ...]
    weight: float


def _rows(name: str) -> list[dict[str, str]]:
    path = ASSETS / "cues" / f"{name}.csv"
    if not path.is_file():
        raise DataError(f"The table {path} is missing; get the program's assets again.")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


@cache
def titles() -> tuple[Title, ...]:
    """Titles, longest first."""
    rows = (
        Title(tuple(fold(r["phrase"]).split()), r["side"] == "before", r["ending"], tuple(r["areas"].split()))
        for r in _rows("titles")
    )
    return tuple(sorted(rows, key=lambda t: -len(t.phrase)))


@cache
def phrases() -> tuple[Phrase, ...]:
    """Phrases that tell of a country, longest first."""
    rows = (
        Phrase(tuple(r["phrase"].split()), tuple(r["areas"].split()), float(r["weight"]))
        for r in _rows("words")
        if r["kind"] == "word"
    )
    return tuple(sorted(rows, key=lambda p: -len(p.phrase)))


@cache
def street_words() -> frozenset[tuple[str, ...]]:
    """Words of street names."""
    return frozenset(tuple(r["phrase"].split()) for r in _rows("words") if r["kind"] == "street")


@cache
def domains() -> dict[str, tuple[str, ...]]:
    """Top-level domains of regions and cities → areas."""
    return {r["domain"]: tuple(r["areas"].split()) for r in _rows("domains")}


@cache
def language_shares() -> tuple[tuple[str, str, float], ...]:
    """(language, area, share of signs), in the table's order."""
    return tuple((r["language"], r["area"], float(r["share"])) for r in _rows("languages"))
