"""How much a sound or a text is like every place: a number per cell of the world grid.

An affinity is no probability: it is what a vector has in common with the vectors of places, uncalibrated and without a prior.
It serves to look at what a model has learned, not to place a clip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.core.grid import Grid


@dataclass(frozen=True, eq=False)
class Affinity:
    """A vector's affinity to every place.

    Attributes:
        title: what it is of ("Black-capped Chickadee", a file's name, the words asked for).
        kind: "species", "clip" or "text".
        how: one sentence: what the vector was made of.
        grid: the cells.
        value: (cells,) the more, the more alike; unit: "nats" above the mean of the land, or "cosine", −1..1.
        vector: (512,) in GeoCLIP's location space, to compare with words and pictures.
        models: ids of the models that made it.
        by_ranges: (cells,) the log-likelihood by the ranges of the species that are heard, in nats, or None where none speaks.

    Raises:
        ValueError: lengths differ, or a number is not finite.
    """

    title: str
    kind: str
    how: str
    grid: Grid
    value: NDArray[np.float64]
    unit: str
    vector: NDArray[np.float32]
    models: tuple[str, ...] = ()
    by_ranges: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if len(self.value) != len(self.grid) or not np.isfinite(self.value).all() or not np.isfinite(self.vector).all():
            raise ValueError("an affinity needs a finite number for every cell")

    @property
    def of_ranges(self) -> Affinity | None:
        """The same by the ranges of the species, to be drawn beside it."""
        return None if self.by_ranges is None else replace(self, value=self.by_ranges, by_ranges=None, unit="nats")

    @cached_property
    def land_above(self) -> NDArray[np.float64]:
        """(cells,) share of the grid's area with at least this affinity: next to 0 in the best cell, 1 in the worst.

        Affinities of two vectors cannot be compared, shares of land can.
        """
        order = np.argsort(-self.value, kind="stable")
        out = np.empty(len(order))
        out[order] = np.cumsum(self.grid.area_km2[order])
        found: NDArray[np.float64] = out / out[order[-1]]
        return found


@dataclass(frozen=True, slots=True)
class Match:
    """Something ranked by its affinity: a place, a country, a word or a picture's path.

    Attributes:
        value: the affinity, in its own unit; of words and pictures a cosine.
        lat_deg, lon_deg: of a place, else None.
    """

    name: str
    value: float
    lat_deg: float | None = None
    lon_deg: float | None = None
