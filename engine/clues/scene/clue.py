"""Animals and things seen in the frames whose place is known: a weak witness, and mostly silent.

Perceiving: a few frames through EfficientNet-Lite0; of its classes only the cues of assets/cues/scenes.csv count. Scoring: a
cue counts once per interval, with its best frame. With p its chance there and c = p * trust, where trust is the table's chance
that such a thing stands where it belongs (there are zoos, and things travel),

    l(x) = (1 - c) + c * q(x) / mean(q),

the mean being taken over the land by area; q is the chance that any of a bird's species is recorded at x (BirdNET's range model),
or for other cues 1 in the countries of the table and ELSEWHERE outside them. Cues of one picture repeat each other's news:
with k of them, log L = sum(log l) / sqrt(k), and no two places differ by more than MOST_FACTOR.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.clues.frames import TimesOf, evenly
from engine.clues.scene.spec import SPEC
from engine.clues.species.ranges import ranges
from engine.core.clip import Clip, Frame, Interval, Reader
from engine.core.errors import DataError
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.paths import ASSETS
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import birdnet, efficientnet
from engine.world import countries, regions

LEAST_SCORE = 0.3  # chance of a cue in a frame, below which it is passed over
MOST_CUES = 4
MOST_FACTOR = 10.0
ELSEWHERE = 0.03
MOST_FRAMES = 16
MAX_SIDE_PX = 448


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


class SceneClue:
    """Animals and things in the picture, and where they belong.

    Args:
        times_of: chooses the frames looked at; None takes one every few seconds.
    """

    spec = SPEC
    name, modality, reads = SPEC.name, SPEC.modality, SPEC.reads

    def __init__(self, times_of: TimesOf | None = None) -> None:
        self.times_of = times_of or evenly

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """One observation per frame and cue seen in it.

        Raises:
            MediaError: the clip has no picture, or none that can be decoded.
            WeightsError: the network's file is missing.
        """
        interval = interval or Interval(0.0, max(clip.duration_s or 0.0, 0.001))
        times = self.times_of(reader, interval)
        times = (
            [times[i] for i in np.unique(np.linspace(0, len(times) - 1, min(len(times), MOST_FRAMES)).astype(int))]
            if times
            else []
        )
        found: list[Observation] = []
        for number, frame in enumerate(reader.frames(times, interval, MAX_SIDE_PX), 1):
            found.extend(self.observe_frame(frame))
            progress(Progress("looking for animals and landmarks", number, len(times), "frames"))
        return tuple(found)

    def observe_frame(self, frame: Frame) -> tuple[Observation, ...]:
        """Cues in a single frame."""
        chance = net().chances([frame.rgb])[0]
        seen = [(float(min(1.0, chance[list(cue.classes)].sum())), cue) for cue in cues()]
        return tuple(
            Observation(
                clue=self.name,
                kind="scene",
                label=cue.name,
                score=p,
                start_s=frame.time_s,
                end_s=frame.time_s,
                author=efficientnet.MODEL_ID,
                note=f"found in {cue.where} ({cue.source})",
            )
            for p, cue in seen
            if p >= LEAST_SCORE
        )

    def log_likelihood(self, observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
        """Where such animals and things are seen, (cells,); abstains when none of known place is."""
        own = tuple(o for o in observations if o.clue == self.name)
        best: dict[str, float] = {}
        for o in own:
            best[o.label] = max(best.get(o.label, 0.0), 1.0 if o.by_analyst else min(1.0, o.score))
        known = {cue.name: cue for cue in cues()}
        scored = sorted(((p, known[n]) for n, p in best.items() if n in known and p >= LEAST_SCORE), key=lambda s: -s[0])[
            :MOST_CUES
        ]
        if not scored:
            return Evidence.silent(self.name, self.modality, grid, "no animal or object of known range was seen", own)
        log_l = sum((np.log(likelihood(cue, p, grid, when)) for p, cue in scored), np.zeros(len(grid))) / np.sqrt(len(scored))
        log_l = np.maximum(log_l, log_l.max() - np.log(MOST_FACTOR))
        models = (efficientnet.MODEL_ID, *((birdnet.RANGE_MODEL_ID,) if any(c.kind == "bird" for _, c in scored) else ()))
        return Evidence(self.name, self.modality, grid, log_l, own, models=models)


def likelihood(cue: Cue, chance: float, grid: Grid, when: date | None = None) -> NDArray[np.float64]:
    """l of the module's text, (cells,), for a cue seen with this chance."""
    if cue.species:
        week = birdnet.week_of(when.month, when.day) if when else None
        r = ranges().occurrence(grid, week, np.array(cue.species)).astype(np.float64)
        q = 1.0 - np.prod(1.0 - r, axis=1) + 1e-6
    else:
        q = np.where(np.isin(countries.of(grid), cue.countries), 1.0, ELSEWHERE)
    c = chance * cue.trust
    out: NDArray[np.float64] = (1.0 - c) + c * q / float(np.average(q, weights=grid.area_km2))
    return out


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


@cache
def net() -> efficientnet.SceneNet:
    """The one network of this clue."""
    return efficientnet.SceneNet()
