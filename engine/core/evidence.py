"""The likelihood of each place under one clue, before any prior."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.clip import Clip, Interval, Reader
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.progress import ProgressCallback, silent
from engine.core.spec import ClueSpec

if TYPE_CHECKING:  # maps are not loaded for the sake of `earwitness locate --help`, which names the clues
    from engine.core.grid import Grid

MODALITIES = (Modality.SOUND, Modality.PICTURE, Modality.CONTAINER)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A clue's log-likelihood for every cell of a grid.

    Attributes:
        clue: which clue.
        modality: one of MODALITIES.
        grid: the cells.
        log_likelihood: (cells,) natural log, up to a constant; zeros mean nothing unless `abstained` is None.
        observations: what it rests on.
        abstained: why the clue has no result, or None when it has one.
        models: ids of the models used.
        named: (lat_deg, lon_deg) of places that it names, likeliest first; a cell beside a border may lie across from them.
        joined: the clue with which it is blended into one likelihood, since both rest on the same model, or "".
        levels: (share, share of the mass) by which regions that rest on this are drawn, see Posterior; () where they need none.
        expected: False for a clue that is off unless asked for, and was not.
    """

    clue: str
    modality: Modality
    grid: Grid
    log_likelihood: NDArray[np.float64] = field(repr=False)
    observations: tuple[Observation, ...] = field(default=(), repr=False)
    abstained: str | None = None
    models: tuple[str, ...] = ()
    named: tuple[tuple[float, float], ...] = ()
    joined: str = ""
    levels: tuple[tuple[float, float], ...] = ()
    expected: bool = True

    def __post_init__(self) -> None:
        if self.modality not in MODALITIES:
            raise ValueError(f"unknown modality {self.modality!r}")
        if self.log_likelihood.shape != (len(self.grid),):
            raise ValueError(f"likelihood {self.log_likelihood.shape} does not fit a grid of {len(self.grid)} cells")
        if self.abstained is None and not np.isfinite(self.log_likelihood).all():
            raise ValueError(f"clue {self.clue!r} gave a likelihood that is not finite everywhere")

    @classmethod
    def silent(
        cls,
        clue: str,
        modality: Modality,
        grid: Grid,
        why: str,
        observations: tuple[Observation, ...] = (),
        expected: bool = True,
    ) -> Evidence:
        """Evidence of a clue that abstains, with the reason."""
        nothing = np.broadcast_to(0.0, len(grid))  # one number, however many cells: a film has hundreds of these
        return cls(clue, modality, grid, nothing, observations, abstained=why, expected=expected)


class Observe(Protocol):
    """The side of a clue that sees the clip: its `observe.py`."""

    def __call__(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """Run the model; knows nothing of maps."""
        ...


class Score(Protocol):
    """The side of a clue that sees the map: its `score.py`."""

    def __call__(self, observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
        """Score the observations on every cell; milliseconds; knows nothing of files. Passes over other clues' observations."""
        ...


def observe_nothing(
    clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
) -> tuple[Observation, ...]:
    """For a clue that scores what another clue, or the opening of the clip, has observed."""
    return ()


@dataclass(frozen=True, slots=True)
class Clue:
    """One way of perceiving and scoring; a folder in `clues/`, whose spec says all else of it and joins the two."""

    spec: ClueSpec
    observe: Observe
    log_likelihood: Score

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def modality(self) -> Modality:
        return self.spec.modality

    @property
    def reads(self) -> str:
        """The clue whose observations it scores: its own, or another's when it perceives nothing itself."""
        return self.spec.reads
