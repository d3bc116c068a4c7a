"""Reads the hand-written tables of assets/world: CSV with a header, after lines of # that name their source."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from engine.world import assets


def rows(name: str) -> Iterator[tuple[str, ...]]:
    """The rows of assets/world/{name}.csv below its header.

    Raises:
        DataError: the table is missing.
    """
    with assets.path_of(f"{name}.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.reader(line for line in file if not line.startswith("#"))
        next(reader)
        for row in reader:
            yield tuple(row)


def source(name: str) -> str:
    """Where a table comes from, in the words at its head."""
    with assets.path_of(f"{name}.csv").open(encoding="utf-8") as file:
        return " ".join(line[1:].strip() for line in file if line.startswith("#"))
