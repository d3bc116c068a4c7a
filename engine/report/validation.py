"""The validation sheet: what the method was tested on, what came out, and the command that anybody can run again.

The figures lie in `assets/validation.json`, one entry per experiment, and nowhere else in the program; a test holds them to the
README, the log and the fitted models.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from engine.core.errors import DataError
from engine.core.paths import ASSETS

FILE = ASSETS / "validation.json"
SCHEMA = "earwitness.validation/1"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One experiment.

    Attributes:
        title: what was asked.
        conditions: on what, how many, and what was not kept apart.
        command: what made the figures.
        seed: of whatever was drawn.
        date: when it was run, ISO 8601.
        source: the document that tells of it.
        columns, rows: the figures as they are stated there.
        remark: what else has to be known.
    """

    title: str
    conditions: str
    command: str
    seed: int
    date: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str


@cache
def sheets() -> tuple[Sheet, ...]:
    """Every experiment, in the order of the file.

    Raises:
        DataError: the file is missing or malformed.
    """
    try:
        facts = json.loads(FILE.read_text(encoding="utf-8"))
        if facts["schema"] != SCHEMA:
            raise ValueError
        return tuple(
            Sheet(**{**s, "columns": tuple(s["columns"]), "rows": tuple(map(tuple, s["rows"]))}) for s in facts["sheets"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"The validation sheet {FILE.name} cannot be read; install the program again.") from None
