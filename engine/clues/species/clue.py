"""Species heard, and where such a set of species is heard.

Perceiving: BirdNET scores windows of 3 s. Scoring: a species counts once per interval, however often it calls. A detection is
right with a calibrated chance c, and when it is wrong it says nothing. With r the chance that the species is recorded at a
place, and N how many species are to be expected there, one species contributes

    l(x) = (1 - c) + c * q(x) / mean(q),        q(x) = r(x)^a / N(x)^b,

the mean being taken over the land by area: a species that lives everywhere says nothing, one that lives in a single valley says
where. N^b undoes that any given species is a small share of what is heard in a rich or well-watched place. Species heard
together repeat each other's news, so with k = sum(c) the sum of the logarithms is tempered:

    log L(x) = t * max(1, k)^-d * sum(log l).

c is a logistic function of the best score's log-odds, of how many windows' worth of time the species is heard (score at least
0.1), and of how far another species is ahead of it in its own best window, which is how confusions look; it never exceeds
1 - doubt, which leaves room for vagrants, cages, zoos and playback. All numbers are in `Calibration`; they were fitted on
recordings of known place, clean and degraded, by `earwitness lab calibrate-species` (see LOG.md).
"""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from engine.clues import length
from engine.clues.species import tones
from engine.clues.species.spec import SPEC
from engine.core.clip import Clip, Interval, Reader
from engine.core.errors import WeightsError
from engine.core.evidence import Evidence
from engine.core.grid import WORLD_RESOLUTION, Grid
from engine.core.observation import Observation
from engine.core.paths import ASSETS
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import birdnet
from engine.world.grid import world_grid

LEAST_SCORE = 0.02  # below this BirdNET's scores carry nothing that calibration could use
MOST_SPECIES = 15  # the best of an interval; the rest is noise and costs time
SHORT_CLIP_S = 60.0
HEARD_SCORE = 0.1
_LEAST_OCCURRENCE = 1e-6  # keeps the logarithm finite
_WEEKS_KEPT = 3
_SPECIES_KEPT = 256  # columns of the world's cells, 15 MB
_FINE_KEPT = 24_000  # cells, 100 MB
TONE, TONE_MODEL = "machine tone", "steady-lines"
_MOST_KNOWN = 32
_TONE_SCORE = 0.05  # a window in which no class scores as much is not looked through for a machine's tones


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted numbers of the likelihood; see the module's text for their meaning."""

    score: float = 0.947
    time: float = 1.63
    behind: float = -0.0837
    bias: float = -1.28
    a: float = 1.41
    b: float = 1.69
    doubt: float = 0.00298
    d: float = 0.326
    t: float = 0.716


@dataclass(frozen=True, slots=True)
class Heard:
    """One species of an interval, all its windows taken together.

    Attributes:
        index: into birdnet.labels().
        score: best score.
        windows: time it is heard with at least HEARD_SCORE, in windows of 3 s.
        behind: log-odds by which another class is ahead in its best window; 0 when it leads.
        said: the confidence with which an analyst says that it is there, 0 when nobody does.
        alone: nothing but the analyst's word stands for it.
    """

    index: int
    score: float
    windows: float
    behind: float
    said: float = 0.0
    alone: bool = False


def default_stride_s(length_s: float | None) -> float:
    """Step between windows: 1.5 s up to a minute of sound, 3 s beyond or when nobody knows the length."""
    return 1.5 if length_s is not None and length_s <= SHORT_CLIP_S else birdnet.WINDOW_S


class SpeciesClue:
    """Which species are heard, and where they live."""

    spec = SPEC
    name, modality, reads = SPEC.name, SPEC.modality, SPEC.reads
    models = (birdnet.MODEL_ID, birdnet.RANGE_MODEL_ID)

    def __init__(self, stride_s: float | None = None, track: int | None = None, calibration: Calibration | None = None) -> None:
        self.stride_s = stride_s
        self.track = track
        self.calibration = calibration or Calibration()

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """Score every window of the interval; one that holds a machine's tone is heard again without it, and a class counts with
        the lower of its two scores.

        Returns:
            One observation per window and class with a score of at least LEAST_SCORE, in order of time; among them one of kind
            "sound", labelled TONE, for each window that holds a machine's tone.

        Raises:
            TooShortError: there is less than a second of sound.
            MediaError: the clip has no sound, or none that can be decoded.
        """
        length.require(reader, interval, self.track)
        length_s = interval.length_s if interval else clip.duration_s
        stride_s = self.stride_s or default_stride_s(length_s)
        found: list[Observation] = []
        ears = listener()
        labels = birdnet.labels()
        start_s = interval.start_s if interval else 0.0
        known_hz: list[float] = []
        for times_s, ends_s, windows in _batches(pieces_of(reader, stride_s, interval, self.track), 4 * ears.workers):
            scores = ears.scores(windows)
            for at, apart in _without_tones(ears, windows, scores, known_hz):
                found.append(_tone(apart, times_s[at], ends_s[at]))
            for at, index in zip(*np.nonzero(scores >= LEAST_SCORE), strict=True):
                label = labels[index]
                found.append(
                    Observation(
                        clue=self.name,
                        kind="species" if label.is_species else "sound",
                        label=label.latin,
                        score=float(scores[at, index]),
                        start_s=times_s[at],
                        end_s=ends_s[at],
                        name=label.common,
                        author=birdnet.MODEL_ID,
                    )
                )
            progress(Progress("listening for species", times_s[-1] + stride_s - start_s, length_s, "s"))
        return tuple(found)

    def log_likelihood(self, observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
        """Where such a set of species is heard, (cells,); abstains when no species is."""
        own = tuple(o for o in observations if o.clue == self.name)
        heard = heard_in(own)
        if not heard:
            why = "no animal known to BirdNET was detected" if own else "no sound was recognised"
            machines = len({o.start_s for o in own if o.label == TONE})
            if machines:
                why += f"; {machines} window{'s' if machines > 1 else ''} of {birdnet.WINDOW_S:g} s"
                why += f" hold{'' if machines > 1 else 's'} a machine's tone, which is not heard as an animal"
            return Evidence.silent(self.name, self.modality, grid, why, own)
        week = birdnet.week_of(when.month, when.day) if when else None
        index = np.array([h.index for h in heard])
        log_l = likelihoods(
            ranges().occurrence(grid, week, index),
            ranges().log_richness(grid, week),
            self.chance(heard),
            grid,
            self.calibration,
        )
        listened = any(not o.by_analyst for o in own)
        return Evidence(self.name, self.modality, grid, log_l, own, models=self.models if listened else self.models[1:])

    def chance(self, heard: tuple[Heard, ...]) -> NDArray[np.float64]:
        """(s,) chance that each detection is right.

        Calibrated for a model's; the stated confidence for an analyst's own; the higher of both where an analyst confirms what
        a model heard. Never more than 1 - doubt.
        """
        k = self.calibration
        z = features(heard) @ np.array([k.score, k.time, k.behind, k.bias])
        fitted = (1.0 - k.doubt) / (1.0 + np.exp(-z))
        said = np.minimum([h.said for h in heard], 1.0 - k.doubt)
        return np.maximum(np.where([h.alone for h in heard], said, np.maximum(fitted, said)), 1e-4)


def features(heard: tuple[Heard, ...]) -> NDArray[np.float64]:
    """(s, 4) what the chance of being right depends on: log-odds of the score, ln(1 + windows), log-odds behind, 1."""
    rows = [(_logit(h.score), np.log1p(h.windows), h.behind, 1.0) for h in heard]
    return np.array(rows, dtype=np.float64).reshape(len(heard), 4)


def likelihoods(
    occurrence: NDArray[np.float32],
    log_richness: NDArray[np.float64],
    chance: NDArray[np.float64],
    grid: Grid,
    calibration: Calibration,
) -> NDArray[np.float64]:
    """The likelihood of the module's text.

    Args:
        occurrence: (cells, s) r.
        log_richness: (cells,) ln(N + 1).
        chance: (s,) c.
    """
    k = calibration
    log_q = k.a * np.log(occurrence.astype(np.float64) + _LEAST_OCCURRENCE) - k.b * log_richness[:, None]
    log_area = np.log(grid.area_km2 / grid.area_km2.sum())[:, None]
    shifted = log_q + log_area
    peak = shifted.max(axis=0)
    log_mean = peak + np.log(np.exp(shifted - peak).sum(axis=0))
    log_l = np.logaddexp(np.log1p(-chance), np.log(chance) + log_q - log_mean).sum(axis=1)
    out: NDArray[np.float64] = k.t * max(1.0, float(chance.sum())) ** -k.d * log_l
    return out


def heard_in(observations: tuple[Observation, ...]) -> tuple[Heard, ...]:
    """The species of an interval, each once, best first, at most MOST_SPECIES."""
    windows: dict[float, list[Observation]] = defaultdict(list)
    by_label: dict[str, list[Observation]] = defaultdict(list)
    for o in observations:
        if o.kind == "species":
            if not o.by_analyst:  # a person's word is no rival in a window, nor a window of its own
                windows[o.start_s].append(o)
            by_label[o.label].append(o)
    starts = sorted(windows)
    stride_s = float(np.median(np.diff(starts))) if len(starts) > 1 else birdnet.WINDOW_S
    per_window = min(1.0, stride_s / birdnet.WINDOW_S)
    heard = []
    for label, every in by_label.items():
        try:
            index = birdnet.index_of(label)
        except KeyError:
            continue  # an analyst may name a species that BirdNET doesn't know: listed, never scored
        own = [o for o in every if not o.by_analyst] or every
        best = max(own, key=lambda o: o.score)
        rival = max((o.score for o in windows.get(best.start_s, ()) if o.label != label), default=0.0)
        heard.append(
            Heard(
                index,
                best.score,
                per_window * sum(o.score >= HEARD_SCORE for o in own),
                max(0.0, _logit(rival) - _logit(best.score)),
                max((o.score for o in every if o.by_analyst), default=0.0),
                own[0].by_analyst,
            )
        )
    return tuple(sorted(heard, key=lambda h: (-max(h.score, h.said), h.index))[:MOST_SPECIES])


def windows_of(
    reader: Reader, stride_s: float, interval: Interval | None = None, track: int | None = None
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Windows of 3 s as (start_s, (144000,) float32), as `pieces_of` makes them."""
    yield from ((start_s, window) for start_s, _, window in pieces_of(reader, stride_s, interval, track))


def pieces_of(
    reader: Reader, stride_s: float, interval: Interval | None = None, track: int | None = None
) -> Iterator[tuple[float, float, NDArray[np.float32]]]:
    """Windows of 3 s as (start_s, end_s, (144000,) float32), never holding more than a block of sound.

    The last one is filled with zeros when at least half of it, or all there is, is sound, and ends where the sound does. A window
    with less than a second of anything but digital silence is passed over.
    """
    step = max(1, round(stride_s * birdnet.RATE_HZ))
    size = birdnet.WINDOW_SAMPLES
    held = np.zeros(0, dtype=np.float32)
    at: int | None = None  # sample number of held[0] from the clip's start
    skip = 0  # samples still to be passed over, when the stride is longer than what is held
    first = covered = 0  # sample numbers: of the first sample, and up to which windows were made
    for block in reader.audio(birdnet.RATE_HZ, interval, track):
        if at is None:
            at = first = covered = round(block.start_s * birdnet.RATE_HZ)
        held = np.concatenate([held, block.samples])
        held, skip = held[skip:], max(0, skip - len(held))
        while len(held) >= size:
            if length.sounding_s(held[:size], birdnet.RATE_HZ) >= length.LEAST_S:
                yield at / birdnet.RATE_HZ, at / birdnet.RATE_HZ + birdnet.WINDOW_S, held[:size].copy()
            covered = at + size
            at += step
            held, skip = held[step:], max(0, step - len(held))
    if at is None or at + len(held) <= covered:
        return
    only = covered == first
    if (only or len(held) >= size // 2) and length.sounding_s(held, birdnet.RATE_HZ) >= length.LEAST_S:
        last = np.zeros(size, dtype=np.float32)
        last[: len(held)] = held
        yield at / birdnet.RATE_HZ, (at + len(held)) / birdnet.RATE_HZ, last


def _batches(
    pieces: Iterator[tuple[float, float, NDArray[np.float32]]], size: int
) -> Iterator[tuple[list[float], list[float], NDArray[np.float32]]]:
    while some := list(itertools.islice(pieces, size)):
        yield [s for s, _, _ in some], [e for _, e, _ in some], np.stack([w for _, _, w in some])


def _without_tones(
    ears: birdnet.Listener, windows: NDArray[np.float32], scores: NDArray[np.float32], known_hz: list[float]
) -> list[tuple[int, tones.Apart]]:
    """Hear the windows (n, samples) that hold a machine's tone again without it, and lower their scores (n, classes) to what is
    heard then: a detection that the tone made is gone, one that lies elsewhere stands. Returns which they are, and adds the
    frequencies of their steady lines to known_hz, by which shorter pieces of the same are found."""
    doubted = [int(at) for at in np.flatnonzero(scores.max(axis=1) >= _TONE_SCORE)]
    apart_at = {at: tones.take_apart(windows[at], birdnet.RATE_HZ) for at in doubted}
    lines = [line for apart in apart_at.values() for line in apart.lines if line.steady]
    for line in sorted(lines, key=lambda line: -line.level_db):
        if len(known_hz) < _MOST_KNOWN and all(abs(line.middle_hz - hz) > tones.ALIKE * hz for hz in known_hz):
            known_hz.append(line.middle_hz)
    if known_hz:
        for at in doubted:
            if not apart_at[at].lines:
                apart_at[at] = tones.take_apart(windows[at], birdnet.RATE_HZ, known_hz)
    taken = [(at, apart) for at, apart in apart_at.items() if apart.lines]
    if taken:
        which = [at for at, _ in taken]
        again = ears.scores(np.stack([apart.rest for _, apart in taken]))
        scores[which] = np.minimum(scores[which], again)
    return taken


def _tone(apart: tones.Apart, start_s: float, end_s: float) -> Observation:
    """The remark that a window holds a machine's tone."""
    loudest = sorted(apart.lines, key=lambda line: -line.level_db)
    steady = list(dict.fromkeys(round(line.middle_hz) for line in loudest if line.steady))[:3]
    what = f"lines at {', '.join(map(str, sorted(steady)))} Hz" if steady else "a line that keeps its level as no animal does"
    return Observation(
        clue=SpeciesClue.name,
        kind="sound",
        label=TONE,
        score=apart.share,
        start_s=start_s,
        end_s=end_s,
        name="tone of a machine",
        author=TONE_MODEL,
        note=f"{what}, {apart.share:.0%} of the power; removed before the search for species (a remark, never scored)",
    )


class _Fine:
    """Activations of cells finer than the world's in one week, in the order they came; `cells` are in their own order."""

    def __init__(self, week: int | None) -> None:
        self.week = week
        self.cells = np.empty(0, np.uint64)
        self._at = np.empty(0, np.int64)
        self._rows = np.empty((0, 1024), np.float32)

    def add(self, cells: NDArray[np.uint64], rows: NDArray[np.float32]) -> None:
        """Keep the rows (n, 1024) of new cells (n,)."""
        held = len(self.cells)
        if held + len(cells) > len(self._rows):  # room for as many again, so that few additions copy
            room = np.empty((max(2 * len(self._rows), held + len(cells)), rows.shape[1]), np.float32)
            room[:held] = self._rows[:held]
            self._rows = room
        self._rows[held : held + len(cells)] = rows
        at = np.concatenate([self._at, np.arange(held, held + len(cells))])
        every = np.concatenate([self.cells, cells])
        order = np.argsort(every)
        self.cells, self._at = every[order], at[order]

    def of(self, cells: NDArray[np.uint64]) -> NDArray[np.float32]:
        """(n, 1024) rows of cells that are held."""
        return self._rows[self._at[np.searchsorted(self.cells, cells)]]


class Ranges:
    """BirdNET's range model on grids, with what is slow kept: activations of the world's cells and of the finer ones asked for,
    and the last species asked for on the world; richness comes from a file."""

    def __init__(self) -> None:
        self._world: dict[int | None, NDArray[np.float32]] = {}
        self._fine: _Fine | None = None
        self._asked: dict[tuple[int | None, int], NDArray[np.float32]] = {}
        self._lock = threading.Lock()

    @cached_property
    def model(self) -> birdnet.RangeModel:
        return birdnet.RangeModel()

    def occurrence(self, grid: Grid, week: int | None, species: NDArray[np.int64]) -> NDArray[np.float32]:
        """(cells, s) chance that each species is recorded in each cell, in a BirdNET week or any time of the year."""
        species = np.asarray(species, dtype=np.int64)
        world = world_grid()
        if grid is world:
            return self._on_world(week, species)
        # A refined grid shares two thirds of its cells with the world's.
        at, shared = _shared(grid, world)
        found = np.empty((len(grid), len(species)), dtype=np.float32)
        found[shared] = self._on_world(week, species)[at[shared]]
        found[~shared] = self.model.occurrence_from(self._fine_hidden(grid, ~shared, week), species)
        return found

    def hidden(self, grid: Grid, week: int | None) -> NDArray[np.float32]:
        """(cells, 1024) activations of the range model."""
        world = world_grid()
        if grid is world:
            return self._world_hidden(week)
        at, shared = _shared(grid, world)
        known = self._world_hidden(week)
        found = np.empty((len(grid), known.shape[1]), dtype=np.float32)
        found[shared] = known[at[shared]]
        found[~shared] = self._fine_hidden(grid, ~shared, week)
        return found

    def _world_hidden(self, week: int | None) -> NDArray[np.float32]:
        with self._lock:
            if week not in self._world:
                while len(self._world) >= _WEEKS_KEPT:
                    self._world.pop(next(iter(self._world)))
                self._world[week] = self.model.hidden(*world_grid().lat_lon_deg, week)
            return self._world[week]

    def _on_world(self, week: int | None, species: NDArray[np.int64]) -> NDArray[np.float32]:
        hidden = self._world_hidden(week)
        with self._lock:
            new = np.array([s for s in species.tolist() if (week, s) not in self._asked], dtype=np.int64)
            if len(new):
                found = self.model.occurrence_from(hidden, new)
                self._asked.update({(week, s): own for s, own in zip(new.tolist(), found.T.copy(), strict=True)})
            out = (
                np.stack([self._asked[week, s] for s in species.tolist()], axis=1) if len(species) else np.zeros((len(hidden), 0))
            )
            while len(self._asked) > _SPECIES_KEPT:
                self._asked.pop(next(iter(self._asked)))
            return np.asarray(out, dtype=np.float32)

    def _fine_hidden(self, grid: Grid, which: NDArray[np.bool_], week: int | None) -> NDArray[np.float32]:
        """Activations of the cells chosen, (n, 1024): scenes of a film, and a judgement before and after an edit, ask for much
        the same cells."""
        wanted = grid.cells[which]
        lat, lon = (x[which] for x in grid.lat_lon_deg)
        with self._lock:
            fine = self._fine
            if fine is None or fine.week != week:
                fine = self._fine = _Fine(week)
            new = ~np.isin(wanted, fine.cells)
            if new.any():
                if len(fine.cells) + int(new.sum()) > _FINE_KEPT:
                    fine = self._fine = _Fine(week)
                    new[:] = True
                fine.add(wanted[new], self.model.hidden(lat[new], lon[new], week))
            return fine.of(wanted)

    def log_richness(self, grid: Grid, week: int | None) -> NDArray[np.float64]:
        """(cells,) ln(N + 1), N the expected number of species; finer cells take their world cell's, others are computed."""
        cells, table = self._richness
        parents = grid.parents(WORLD_RESOLUTION)
        at = np.clip(np.searchsorted(cells, parents), 0, len(cells) - 1)
        richness = table[0 if week is None else week][at].astype(np.float64)
        unknown = cells[at] != parents
        if unknown.any():
            lat, lon = (x[unknown] for x in grid.lat_lon_deg)
            richness[unknown] = np.log1p(self._richness_at(lat, lon, week))
        out: NDArray[np.float64] = richness
        return out

    def _richness_at(self, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], week: int | None) -> NDArray[np.float64]:
        species = birdnet.is_species()
        total = np.empty(len(lat_deg))
        for at in range(0, len(lat_deg), 2000):
            part = slice(at, at + 2000)
            total[part] = self.model.occurrence(lat_deg[part], lon_deg[part], week)[:, species].sum(axis=1)
        return total

    @cached_property
    def _richness(self) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
        """World cells and ln(N + 1) as (49, cells): row 0 any time of the year, rows 1 to 48 BirdNET's weeks."""
        shipped = ASSETS / "models" / "birdnet_richness.npz"
        if not shipped.is_file():
            raise WeightsError(f"{shipped} is missing; restore it from the repository, or run: earwitness lab richness")
        with np.load(shipped, allow_pickle=False) as data:
            return data["cells"], data["log_richness"].astype(np.float32)


def _shared(grid: Grid, world: Grid) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """For each cell of a grid, which of the world's it may be, and whether it is."""
    at = np.clip(np.searchsorted(world.cells, grid.cells), 0, len(world) - 1)
    return at, world.cells[at] == grid.cells


@cache
def ranges() -> Ranges:
    """The one set of ranges that clue, page and benchmark share."""
    return Ranges()


@cache
def listener() -> birdnet.Listener:
    """The one listener of the program."""
    return birdnet.Listener()


def _logit(p: float) -> float:
    p = min(max(p, 1e-4), 1 - 1e-4)
    return float(np.log(p / (1 - p)))
