"""`earwitness bench photos --cues CSV`: what cues that a person noted are worth on pictures of known place.

The table (columns id, cue, sure; perhaps marker) names pictures by the ids of their manifests; `earwitness cues` lists cues.
A picture on which nothing was noted has the cue "none"; it is scored at the prior, as is one whose cues hardly narrow the map.
The cues are scored by the numbers that come with the program, or, held out, by numbers fitted on pictures of other places and
authors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from engine.clues.cues import areas, score, table
from engine.clues.cues.score import Calibration, Noted
from engine.core.errors import DataError
from engine.core.file import read_csv
from engine.core.observation import ANALYST, Observation
from engine.core.posterior import Posterior
from engine.lab.bench.metrics import Outcome, outcome
from engine.lab.data.manifest import Sample, read_manifest
from engine.verdict import fuse
from engine.world import priors
from engine.world.grid import world_grid

NOTHING = "none"
FOLDERS = ("views", "photos")


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """A picture that one person worked through.

    Attributes:
        marker: who, or "".
        noted: the cues, as observations of an analyst.
        author: pictures of one author, and those of one place, are never on both sides of a fold.
        place: its H3 resolution-2 cell, over which bootstraps draw.
        truth: its cell of the world grid, -1 off the map.
    """

    sample: Sample
    marker: str
    noted: tuple[Noted, ...] = field(repr=False)
    author: str
    place: int
    truth: int


def read_marks(path: Path, folders: Iterable[Path]) -> tuple[Marked, ...]:
    """The pictures of a table of marks, in its order.

    Raises:
        DataError: a column is missing, an id is in no manifest, a cue is not in the table, or `sure` is no chance.
    """
    rows = read_csv(path, what="table of cues")
    if not rows or not {"id", "cue", "sure"} <= set(rows[0]):
        raise DataError(f"{path} needs the columns id, cue and sure, and at least one row; `earwitness cues` names the cues.")
    samples = {s.id: s for folder in folders for s in read_manifest(folder)}
    found: dict[tuple[str, str], list[Noted]] = {}
    for number, row in enumerate(rows, 2):
        if row["id"] not in samples:
            raise DataError(f"Line {number} of {path.name} names the picture {row['id']!r}, which is in no manifest given.")
        own = found.setdefault((row["id"], row.get("marker", "")), [])
        if row["cue"] != NOTHING:
            own.append(_noted(row, f"Line {number} of {path.name}"))
    folds = _together([samples[name] for name, _ in found])
    return tuple(
        Marked(samples[name], marker, tuple(own), author, _cell(samples[name]), _truth(samples[name]))
        for ((name, marker), own), author in zip(found.items(), folds, strict=True)
    )


def _noted(row: Mapping[str, str], where: str) -> Noted:
    try:
        sure = float(row["sure"])
    except ValueError:
        sure = float("nan")
    if not 0.0 < sure <= 1.0:
        raise DataError(f"{where} has a chance that is not above 0 and at most 1; write how sure it is that the cue is there.")
    cue = next((c for c in table.table() if c.id == row["cue"] and c.notable), None)
    if cue is None:
        raise DataError(f"{where} names the cue {row['cue']!r}, which there is not; `earwitness cues` lists them.")
    return cue, Observation(table.CLUE, "scene", cue.id, sure, 0.0, 0.0, cue.what, ANALYST)


def _truth(sample: Sample) -> int:
    return int(world_grid().locate(np.array([sample.lat_deg]), np.array([sample.lon_deg]))[0])


def _cell(sample: Sample) -> int:
    return int(h3.latlng_to_cell(sample.lat_deg, sample.lon_deg, 2))


def _together(samples: Sequence[Sample]) -> list[str]:
    """The group of each sample: whoever shares an author (the manifest's, or the repository of its source) or a place with
    another is in one group with it.
    """
    leader: dict[str, str] = {}

    def lead(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    cells = [f"cell {_cell(s)}" for s in samples]
    for s, cell in zip(samples, cells, strict=True):
        author = s.column("author") or s.column("source").partition("@")[0]
        if author:
            leader[lead(cell)] = lead(f"author {author}")
    return [lead(cell) for cell in cells]


class Scorer:
    """Scores many pictures with many calibrations: the areas of every cue on the world grid are worked out once."""

    def __init__(self, prior: str) -> None:
        self.grid = world_grid()
        self.prior = priors.prior(prior, self.grid)
        self._fits: dict[str, tuple[NDArray[np.float32], float]] = {}

    def fits(self, cue: table.Cue) -> tuple[NDArray[np.float32], float]:
        """(cells,) how well each cell fits the cue's areas, and its mean over the land."""
        if cue.id not in self._fits:
            fits = areas.chance(cue.areas, self.grid)
            self._fits[cue.id] = fits.astype(np.float32), float(np.average(fits, weights=self.grid.area_km2))
        return self._fits[cue.id]

    def posterior(self, noted: Sequence[Noted], fitted: Calibration) -> Posterior:
        """Where the cues of one picture point, by these numbers."""
        if not noted:
            return Posterior(self.grid, self.prior.log_mass)
        log_l = score.combined(noted, lambda cue, chance: self._log_factor(cue, chance, fitted.gain), fitted)
        return Posterior.of(self.prior, log_l, fitted.levels)

    def _log_factor(self, cue: table.Cue, chance: float, gain: float) -> NDArray[np.float64]:
        fits, mean = self.fits(cue)
        return score.factor_of(fits, mean, cue.ratio**gain, chance)

    def outcome(self, picture: Marked, fitted: Calibration) -> Outcome:
        """What the cues are worth; the prior's worth where they narrow the map too little."""
        posterior = self.posterior(picture.noted, fitted)
        spoke = bool(picture.noted) and posterior.gain_nats(self.prior) >= fuse.LEAST_GAIN_NATS
        shown = posterior if spoke else Posterior(self.grid, self.prior.log_mass)
        return outcome(shown, picture.sample.lat_deg, picture.sample.lon_deg, spoke=spoke)
