"""The table of animals and things whose place is known, assets/cues/scenes.csv."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from engine.core.errors import DataError
from engine.core.paths import ASSETS
from engine.models import birdnet, efficientnet
from engine.world import countries, regions

LEAST_SCORE = 0.3  # chance of a cue in a frame, below which it is passed over


@dataclass(frozen=True, slots=True)
class Cue:
    """A row of assets/cues/scenes.csv.

    Attributes:
        classes: indices into efficientnet.labels().
        species: indices into birdnet.labels(), of birds.
        countries: indices into countries.table(), of other cues.
    """

    name: str
    kind: str
    classes: tuple[int, ...]
    species: tuple[int, ...]
    countries: tuple[int, ...]
    where: str
    trust: float
    source: str


@cache
def cues() -> tuple[Cue, ...]:
    """The table.

    Raises:
        DataError: it is missing, or a row names a class, species or area that there is not.
    """
    path = ASSETS / "cues" / "scenes.csv"
    if not path.is_file():
        raise DataError(f"The table {path} is missing; get the program's assets again.")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_cue(row) for row in csv.DictReader(line for line in file if not line.startswith("#")))


def _cue(row: dict[str, str]) -> Cue:
    where = row["where"].split(";")
    bird = row["kind"] == "bird"
    index = {name: i for i, name in enumerate(efficientnet.labels())}
    try:
        classes = tuple(index[name] for name in row["classes"].split(";"))
        species = tuple(birdnet.index_of(name) for name in where) if bird else ()
    except KeyError as wrong:
        raise DataError(f"scenes.csv names {wrong}, which no model knows; correct the row of {row['cue']}.") from None
    return Cue(
        row["cue"],
        row["kind"],
        classes,
        species,
        () if bird else tuple(i for area in where for i in _area(area, row["cue"])),
        "the range of " + ", ".join(where) if bird else ", ".join(countries.by_code(a).name if a.isupper() else a for a in where),
        float(row["trust"]),
        row["source"],
    )


def _area(area: str, cue: str) -> tuple[int, ...]:
    if area.isupper():
        return (countries.number_of(area),)
    found = tuple(i for i, c in enumerate(countries.table()) if regions.of_country(c.code) == area)
    if not found:
        raise DataError(f"scenes.csv names the region {area!r}, which there is not; correct the row of {cue}.")
    return found
