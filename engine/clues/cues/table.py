"""The table of cues (assets/cues/cues.csv): what is likelier in some places than in others, by how much, and who says so.

Where another table, raster or clue knows the places (driving side, land cover, mains, names, ranges), the row refers to it.
"""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from engine.clues.cues import areas
from engine.clues.cues.spec import SEEN
from engine.core.errors import DataError, SettingError
from engine.core.observation import ANALYST, Observation
from engine.core.paths import ASSETS
from engine.core.wording import listed
from engine.world import countries
from engine.world.grid import world_grid

CLUE = SEEN.name
_SCRIPTS = "script"


@dataclass(frozen=True, slots=True)
class Cue:
    """One row of the table.

    Attributes:
        id: its name in the table.
        group: what kind of cue it is ("driving side", "vegetation"); cues of one group repeat each other's news.
        what: in words, fit after "the analyst notes".
        meaning: what is meant exactly, for whoever looks for it, or "".
        modality: "picture", "sound" or "container".
        areas: where it is found, in the language of `areas`.
        ratio: how much likelier it is there than elsewhere on land; 0 where another table or clue has the numbers.
        match: (kind, label) of the program's own observations that are this cue.
        doubt: why it may be elsewhere all the same, or "".
        source: who says where it is so.
    """

    id: str
    group: str
    what: str
    meaning: str
    modality: str
    areas: str
    ratio: float
    match: tuple[tuple[str, str], ...]
    doubt: str
    source: str

    @property
    def notable(self) -> bool:
        """Whether an analyst can note it: its row states where it is likely."""
        return self.ratio > 0.0


@cache
def table() -> tuple[Cue, ...]:
    """All cues, in the table's order.

    Raises:
        DataError: the table is missing or a row is malformed.
    """
    path = ASSETS / "cues" / "cues.csv"
    if not path.is_file():
        raise DataError(f"The table {path} is missing; get the program's assets again.")
    with path.open(encoding="utf-8", newline="") as file:
        found = tuple(_cue(row) for row in csv.DictReader(line for line in file if not line.startswith("#")))
    if len({c.id for c in found}) != len(found):
        raise DataError(f"Two cues in {path} share an id; give each its own.")
    return found


def _cue(row: dict[str, str]) -> Cue:
    cut = [m.partition(":") for m in row["match"].split("|") if m]
    pairs = tuple((field, value) for field, _, value in cut)
    try:
        ratio = float(row["ratio"] or 0.0)
    except ValueError:
        raise DataError(f"The cue {row['id']!r} has a ratio that is no number; correct assets/cues/cues.csv.") from None
    whole = None not in row and all(colon for _, colon, _ in cut) and row["source"]
    if not whole or row["modality"] not in ("picture", "sound", "container") or not np.isfinite(ratio):
        raise DataError(f"The cue {row['id']!r} is malformed; correct its row in assets/cues/cues.csv.")
    areas.parsed(row["areas"])
    return Cue(
        row["id"],
        row["group"],
        row["what"],
        row["meaning"],
        row["modality"],
        row["areas"],
        ratio,
        pairs,
        row["doubt"],
        row["source"],
    )


@cache
def _by_id() -> dict[str, Cue]:
    return {c.id: c for c in table()}


@cache
def _by_match() -> dict[tuple[str, str], Cue]:
    return {(kind, label.casefold()): c for c in table() for kind, label in c.match}


def by_id(cue_id: str) -> Cue:
    """The cue of this id.

    Raises:
        SettingError: there is none.
    """
    try:
        return _by_id()[cue_id]
    except KeyError:
        raise SettingError(f"There is no cue called {cue_id!r}; choose one of the table in assets/cues/cues.csv.") from None


def of_observation(o: Observation) -> Cue | None:
    """The cue that an observation is by itself: noted by an analyst, or a scene or sound that the table names."""
    if o.clue == CLUE:
        return _by_id().get(o.label)
    return _by_match().get((o.kind, o.label.casefold()))


def of_letters(text: str) -> tuple[Cue, ...]:
    """Cues of the letters that a text is written in."""
    text = unicodedata.normalize("NFC", text)
    found = [c for (kind, label), c in _by_match().items() if kind == _SCRIPTS and _holds(text, label)]
    found += [c for (kind, marks), c in _by_match().items() if kind == "letters" and set(marks) & set(text.casefold())]
    if any(c.id == "script-kana" for c in found):
        found = [c for c in found if c.id != "script-han"]  # Japanese writes both
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=64)
def _pattern(script: str) -> Any:
    import regex

    return regex.compile(rf"\p{{Script={script}}}")


def _holds(text: str, script: str) -> bool:
    """Whether at least two letters of a text, and a third of them, are of this script."""
    own = len(_pattern(script).findall(text))
    return own >= 2 and 3 * own >= sum(c.isalpha() for c in text)


def codes_of(cue: Cue) -> tuple[str, ...]:
    """Countries that the cue's areas name without a further condition, in the table's order."""
    alone = (a[0] for a in areas.parsed(cue.areas) if len(a) == 1)
    return tuple(dict.fromkeys(code for condition in alone for code in condition.codes))


def cue_where(cue: Cue, most: int = 4) -> str:
    """Its areas in words: the countries with most people first, or those that hold most of the land where it is found."""
    known = sorted((countries.by_code(c) for c in codes_of(cue)), key=lambda c: -c.people)
    if not known:
        return f"parts of {_countries_in(cue.areas)}"
    names = [c.in_text for c in known[:most]]
    rest = f" and {len(known) - most} more countries" if len(known) > most else ""
    return (", ".join(names) if rest else listed(names)) + rest


@lru_cache(maxsize=256)
def _countries_in(where_found: str) -> str:
    grid = world_grid()
    number, weight = countries.of(grid), areas.chance(where_found, grid) * grid.area_km2
    share = np.bincount(number[number >= 0], weight[number >= 0], len(countries.table()))
    names = [countries.table()[i].in_text for i in np.argsort(-share, kind="stable")[:4] if share[i] > 0.02 * share.sum()]
    return ", ".join(names) if (share > 0.02 * share.sum()).sum() > 4 else listed(names)


def noted(cue_id: str, start_s: float, end_s: float, confidence: float, author: str = ANALYST, note: str = "") -> Observation:
    """The observation of an analyst who saw or heard a cue.

    Args:
        confidence: chance of being right, 0 to 1.

    Raises:
        SettingError: there is no such cue, it cannot be noted, or times or confidence are invalid.
    """
    cue = by_id(cue_id)
    if not cue.notable:
        raise SettingError(f"The cue {cue.what!r} is read by a clue of its own; add the sign or species itself instead.")
    if not 0.0 < confidence <= 1.0:
        raise SettingError(f"A confidence of {confidence:g} is out of range; choose more than 0 and at most 1.")
    if not (np.isfinite(start_s) and np.isfinite(end_s)) or start_s < 0 or end_s < start_s:
        raise SettingError(f"The time {start_s:g} to {end_s:g} s is not valid; give a start within the clip and a later end.")
    kind = "sound" if cue.modality == "sound" else "scene"
    return Observation(CLUE, kind, cue.id, confidence, start_s, end_s, cue.what, author, None, note[:400])
