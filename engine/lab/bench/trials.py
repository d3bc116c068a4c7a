"""Trials: recordings and photos of known place, each held against every place, as a claim or a sharp picture would be.

Every distinct place of recordings and photos is a place of trials. A place within `same_km` of where the thing was made is the
same, one from `different_km` on is another; what lies between is neither and is left out. Trials share recordings, photos,
places and regions of the world: folds keep both the thing and the place out (by H3 resolution-1 cell, and by recordist where the
manifest knows one), and whatever is counted as independent is counted by these. "Different" means a place drawn independently
from the prior, so different trials are weighted to the distances of such places; a thing's trials at its own place weigh as one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement
from typing import Any

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from engine.analysis import weighing
from engine.core import sphere
from engine.core.claim import Claim
from engine.core.clip import Clip, Interval
from engine.core.errors import DataError
from engine.core.modality import Modality
from engine.core.perception import Perception
from engine.core.posterior import Posterior
from engine.core.settings import PRIORS, Settings
from engine.lab.bench import likelihood_ratio as lr
from engine.lab.bench.likelihood_ratio import Array, Mask
from engine.lab.bench.photos import read_photo
from engine.lab.bench.recordings import Condition, perceive
from engine.lab.data.manifest import Sample
from engine.verdict import agreement, calibration, claim, fuse
from engine.verdict.guards import ModalityEvidence
from engine.world import priors
from engine.world.grid import world_grid

SAME_KM, DIFFERENT_KM = 50.0, 200.0
BANDS_KM = (0, 200, 500, 1000, 2500, 5000, 10000, 20038)
REGION_RESOLUTION = 1
FOLDS, INNER_FOLDS = 10, 5
DRAWS = 100
PICTURE_SLOPE = 1.0  # the rules that read pictures were tried on these photos: what they say is not made stronger than it is
MISS_PRIOR, MISS_WORTH = 0.1, 10.0  # a 90% region is meant to miss 10%; worth so many photos
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Things held against places.

    Attributes:
        thing, place: (n,) index of each.
        km: (n,) true distance.
        raw: radius in km to (n,) log10 of B, the weakest under all priors; NaN where the thing gives no location.
        thing_region, place_region: of each thing and place.
        kind: (things,) how a picture was read, or "".
        missed: (things,) whether its 90% region misses its place.
    """

    thing: Labels
    place: Labels
    km: Array
    raw: dict[float, Array]
    thing_region: Labels
    place_region: Labels
    kind: tuple[str, ...] = ()
    missed: tuple[bool, ...] = field(default=())

    @property
    def speak(self) -> Mask:
        """(n,) whether the thing gives a location."""
        return np.isfinite(next(iter(self.raw.values())))

    def same(self, radius_km: float) -> Mask:
        """(n,) whether the place counts as the thing's own."""
        return self.km <= max(SAME_KM, radius_km)

    def decided(self, radius_km: float) -> Mask:
        """(n,) whether the place is the same or another, and the thing speaks."""
        return self.speak & (self.same(radius_km) | (self.km >= max(DIFFERENT_KM, 2.0 * radius_km)))

    def weights(self, radius_km: float, which: Mask) -> Array:
        """(n,) weight of each trial within its proposition; those outside `which` weigh nothing."""
        same = self.same(radius_km)
        per_thing = np.bincount(self.thing[which & same], minlength=len(self.thing_region))
        own = 1.0 / np.maximum(per_thing, 1)[self.thing]
        return np.where(same, own, prior_weights(self.km, which & ~same)) * which


def prior_weights(km: Array, which: Mask, seed: int = 0) -> Array:
    """(n,) weights that give trials the distances of two places drawn independently from the prior; mean about 1."""
    grid = world_grid()
    mass = np.exp(priors.prior("mixture", grid).log_mass)
    rng = np.random.default_rng(seed)
    a, b = (grid.xyz[rng.choice(len(grid), 200_000, p=mass / mass.sum())] for _ in range(2))
    drawn = sphere.EARTH_RADIUS_KM * sphere.angle_rad(a, b)
    edges = np.array(BANDS_KM[1:], dtype=float)
    expected, _ = np.histogram(drawn, edges)
    found, _ = np.histogram(km[which], edges)
    expected = expected * (found > 0)
    ratio = np.divide(expected / max(expected.sum(), 1), found / max(found.sum(), 1), out=np.zeros(len(found)), where=found > 0)
    return np.asarray(ratio[np.clip(np.searchsorted(edges, km, side="right") - 1, 0, len(found) - 1)] * which)


def regions(samples: Sequence[Sample]) -> Labels:
    """(n,) number of each sample's region: one resolution-1 cell, and all that share a recordist with it."""
    cells = [int(h3.latlng_to_cell(s.lat_deg, s.lon_deg, REGION_RESOLUTION)) for s in samples]
    root = {c: c for c in cells}

    def top(c: int) -> int:
        while root[c] != c:
            c = root[c]
        return c

    first: dict[str, int] = {}
    for sample, cell in zip(samples, cells, strict=True):
        who = sample.column("recordist")
        if who:
            root[top(cell)] = top(first.setdefault(who, cell))
    return np.array([top(c) for c in cells], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A recording's sound or a photo's picture, ready to be weighed.

    Attributes:
        evidence: None where it gives no location.
        missed: whether its 90% region misses the true place.
    """

    sample: Sample
    evidence: ModalityEvidence | None
    missed: bool = False


def heard(sample: Sample, seed: int = 0) -> Side:
    """The sound of a recording, as the program judges it."""
    return side_of(sample, perceive(sample, Condition(), Settings(), seed), Modality.SOUND)


def seen(sample: Sample) -> Side:
    """The picture of a photo, as the program judges it."""
    still = Clip(sample.path.name, "0" * 64, 1, "", None)
    return side_of(sample, Perception(still, Interval(0.0, 1.0), read_photo(sample.path)), Modality.PICTURE)


def side_of(sample: Sample, perception: Perception, modality: Modality) -> Side:
    """One modality of what was perceived of a sample."""
    settings = Settings()
    coarse = weighing.score(perception, perception.observations, settings, world_grid())
    own = tuple(e for e in coarse if e.modality == modality)
    prior = priors.prior(settings.prior, world_grid())
    x = fuse.locate_modality(modality, own, prior, settings.radius_km)
    if not x.spoke:
        return Side(sample, None)
    at = int(world_grid().locate(np.array([sample.lat_deg]), np.array([sample.lon_deg]))[0])
    missed = at < 0 or not bool(x.posterior.region(0.9)[at])
    return Side(sample, weighing.side(x, perception.observations, own, settings), missed)


def try_places(sides: Sequence[Side], places: Sequence[tuple[float, float]], radii_km: Sequence[float]) -> Trials:
    """Hold every side against every place (lat_deg, lon_deg)."""
    grid = world_grid()
    at = np.array([claim.cell_of(Claim(*p), grid) for p in places])
    speak = [i for i, s in enumerate(sides) if s.evidence is not None]
    raw = {}
    for radius_km in radii_km:
        every = np.full((len(PRIORS), len(sides), len(places)), np.nan)
        for n, name in enumerate(PRIORS):
            prior = priors.prior(name, grid)
            mass = np.stack([_under(sides[i], name).mass for i in speak], axis=1) if speak else np.zeros((len(grid), 0))
            spread = agreement.spread(mass, prior, radius_km)
            every[n, speak] = np.log10(np.maximum(spread[at], 1e-300)).T
        raw[radius_km] = _weakest(every).ravel()
    thing, place = (x.ravel() for x in np.indices((len(sides), len(places))))
    samples = [s.sample for s in sides]
    km = sphere.pairwise_km(xyz(samples), sphere.to_xyz([p[0] for p in places], [p[1] for p in places])).ravel()
    cells = np.array([h3.latlng_to_cell(*p, REGION_RESOLUTION) for p in places], dtype=np.int64)
    return Trials(
        thing,
        place,
        km,
        raw,
        regions(samples),
        cells,
        tuple(s.evidence.reading if s.evidence else "" for s in sides),
        tuple(s.missed for s in sides),
    )


def distinct_places(samples: Sequence[Sample]) -> tuple[tuple[float, float], ...]:
    """Where samples were made, each place once."""
    return tuple(dict.fromkeys((round(s.lat_deg, 2), (round(s.lon_deg, 2) + 180.0) % 360.0 - 180.0) for s in samples))


def xyz(samples: Sequence[Sample]) -> Array:
    """(n, 3) unit vectors of where samples were made."""
    return sphere.to_xyz([s.lat_deg for s in samples], [s.lon_deg for s in samples])


def _under(side: Side, prior: str) -> Posterior:
    assert side.evidence is not None
    return next(x for p, x in side.evidence.under if p.name == prior)


def _weakest(every: Array) -> Array:
    """(things, places) the value nearest to 0 under all priors; 0 where they disagree on the direction."""
    nearest = np.take_along_axis(every, np.abs(every).argmin(axis=0)[None], axis=0)[0]
    agree = (np.abs(np.sign(every).sum(axis=0)) == len(every)) | np.isnan(nearest)
    return np.where(agree, nearest, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A modality's trials at one radius, ready to be fitted: only what speaks and is decided.

    Attributes:
        raw: (n,) what the map is applied to.
        same: (n,) whether the place is the thing's own.
        weight: (n,) within its proposition.
        thing_region, place_region: (n,) of each trial.
        thing: (n,).
        most_slope: the map is no steeper.
    """

    raw: Array
    same: Mask
    weight: Array
    thing: Labels
    thing_region: Labels
    place_region: Labels
    most_slope: float = np.inf

    def only(self, which: Mask) -> Scored:
        """Some of the trials."""
        rows = ("raw", "same", "weight", "thing", "thing_region", "place_region")
        return replace(self, **{name: getattr(self, name)[which] for name in rows})

    def fit(self, weight: Array, start: tuple[float, float] = (0.0, 1.0)) -> tuple[float, float]:
        """(offset, slope) with other weights."""
        return lr.fit(self.raw, self.same, weight, start, self.most_slope)

    @property
    def two_sided(self) -> bool:
        """There are trials of both propositions."""
        return bool(self.same.any() and (~self.same).any())


def scored(trials: Trials, radius_km: float, misread: Callable[[str], float] = lambda _: 0.0) -> Scored:
    """The trials at a radius.

    Args:
        misread: kind of reading to the rate at which it points elsewhere.
    """
    which = trials.decided(radius_km)
    raw, thing = trials.raw[radius_km][which], trials.thing[which]
    rate = np.array([misread(k) for k in trials.kind])[thing]
    raw = np.log10((1.0 - rate) * 10.0 ** np.clip(raw, -12.0, 12.0) + rate)
    return Scored(
        raw,
        trials.same(radius_km)[which],
        trials.weights(radius_km, which)[which],
        thing,
        trials.thing_region[thing],
        trials.place_region[trials.place[which]],
        most_slope=PICTURE_SLOPE if any(trials.kind) else np.inf,
    )


def misread_rates(kind: Sequence[str], missed: Sequence[bool], kinds: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Kind of reading to how many pictures were read in that way, how many 90% regions missed, and the rate that goes by.

    The rate is shrunk to the 10% that a 90% region is meant to miss: (missed + 1) / (n + 10).
    """
    out = {}
    for name in kinds:
        own = [m for k, m in zip(kind, missed, strict=True) if k == name]
        out[name] = {
            "n": len(own),
            "missed": sum(own),
            "rate": (sum(own) + MISS_PRIOR * MISS_WORTH) / (len(own) + MISS_WORTH),
        }
    return out


@dataclass(frozen=True, slots=True)
class Fit:
    """An affine map with its bounds."""

    offset: float
    slope: float
    low: float
    high: float
    n_same: float
    n_different: float

    def __call__(self, raw: Array) -> Array:
        """(n,) log10 ratios, bounded."""
        return np.clip(self.offset + self.slope * raw, self.low, self.high)


def fit_map(data: Scored, folds: int = INNER_FOLDS, seed: int = 0) -> Fit:
    """Fit map and bounds; the bounds on ratios held out by inner folds.

    Raises:
        DataError: there are no trials of one of the propositions.
    """
    if not data.two_sided:
        raise DataError("There are no places on both sides of 200 km; give recordings and photos from more places.")
    offset, slope = data.fit(data.weight)
    out = np.full(len(data.raw), np.nan)
    for test, train in fold_pairs(data, folds, seed):
        part = data.only(train)
        if part.two_sided:
            o, s = part.fit(part.weight, (offset, slope))
            out[test] = o + s * data.raw[test]
    known = np.isfinite(out)
    if not data.only(known).two_sided:
        return Fit(offset, slope, 0.0, 0.0, 0.0, 0.0)
    n_same, n_different = counts(data.only(known), out[known])
    low, high = lr.elub(out[known], data.same[known], data.weight[known], n_same, n_different)
    return Fit(offset, slope, low, high, n_same, n_different)


def counts(data: Scored, value: Array) -> tuple[float, float]:
    """How many independent trials stand behind "same" and "different", counted by region.

    A thing's own place lies in its own region, so that there is one way to cluster "same".
    """
    s, d = data.same, ~data.same
    return (
        lr.effective(value[s], data.weight[s], (data.thing_region[s],)),
        lr.effective(value[d], np.maximum(data.weight[d], 1e-9), (data.thing_region[d], data.place_region[d])),
    )


def fold_pairs(data: Scored, folds: int, seed: int) -> list[tuple[Mask, Mask]]:
    """(test, train) masks: trials whose thing and place are in two folds, and those that have neither in either."""
    every = np.unique(np.concatenate([data.thing_region, data.place_region]))
    number = np.random.default_rng(seed).permutation(len(every)) % folds
    things, places = (number[np.searchsorted(every, x)] for x in (data.thing_region, data.place_region))
    out = []
    for a, b in combinations_with_replacement(range(folds), 2):
        test = ((things == a) & (places == b)) | ((things == b) & (places == a))
        if test.any():
            out.append((test, ~np.isin(things, (a, b)) & ~np.isin(places, (a, b))))
    return out


def held_out(data: Scored, seed: int = 0, folds: int = FOLDS) -> tuple[Array, Array]:
    """Ratios (n,) by maps that saw neither thing nor place, with bounds chosen as they are inside; and without bounds."""
    out, free = np.full(len(data.raw), np.nan), np.full(len(data.raw), np.nan)
    for test, train in fold_pairs(data, folds, seed):
        part = data.only(train)
        if part.two_sided:
            found = fit_map(part, seed=seed)
            out[test] = found(data.raw[test])
            free[test] = found.offset + found.slope * data.raw[test]
    return out, free


def two_way(things: Labels, places: Labels, rng: np.random.Generator) -> Array:
    """(n,) how often each trial counts when regions of things and of places are drawn with replacement."""

    def drawn(key: Labels) -> NDArray[np.int64]:
        every, at = np.unique(key, return_inverse=True)
        return np.bincount(rng.integers(0, len(every), len(every)), minlength=len(every))[at]

    return (drawn(things) * drawn(places)).astype(np.float64)


def draws(data: Scored, seed: int, start: tuple[float, float]) -> list[list[float]]:
    """(offset, slope) of maps fitted on trials whose regions were drawn with replacement, both ways."""
    rng = np.random.default_rng(seed)
    out: list[list[float]] = []
    while len(out) < DRAWS:
        weight = two_way(data.thing_region, data.place_region, rng) * data.weight
        if weight[data.same].sum() > 0 and weight[~data.same].sum() > 0:
            o, s = data.fit(weight, start)
            out.append([round(o, 4), round(s, 4)])
    return out


def calibrated(data: Scored, radius_km: float, seed: int) -> dict[str, Any]:
    """What is written of a modality at one radius."""
    found = fit_map(data, FOLDS, seed)
    return {
        "radius_km": radius_km,
        "offset": found.offset,
        "slope": found.slope,
        "low": found.low,
        "high": found.high,
        "pairs": len(data.raw),
        "same_pairs": int(data.same.sum()),
        "things": len(np.unique(data.thing)),
        "effective": {"same": found.n_same, "different": found.n_different},
        "bootstrap": draws(data, seed, (found.offset, found.slope)),
    }


def maps_from(sound: Trials, picture: Trials, kinds: Sequence[str], seed: int) -> dict[str, Any]:
    """What is written to assets/models/mismatch.json of the maps."""
    speak = [n for n, k in enumerate(picture.kind) if k]
    misread = misread_rates([picture.kind[n] for n in speak], [picture.missed[n] for n in speak], kinds)
    rate = {k: float(v["rate"]) for k, v in misread.items()}
    return {
        "sound": {"by_radius": [calibrated(scored(sound, r), r, seed) for r in calibration.RADII_KM]},
        "picture": {
            "by_radius": [calibrated(scored(picture, r, lambda k: rate.get(k, 0.0)), r, seed) for r in calibration.RADII_KM]
        },
        "misread": misread,
        "seed": seed,
    }


def without_regions(trials: Trials, regions_out: Sequence[int]) -> Trials:
    """The trials whose thing and place both lie elsewhere."""
    gone = np.array(regions_out, dtype=np.int64)
    left = ~np.isin(trials.thing_region[trials.thing], gone) & ~np.isin(trials.place_region[trials.place], gone)
    raw = {r: np.where(left, v, np.nan) for r, v in trials.raw.items()}
    return replace(trials, raw=raw)
