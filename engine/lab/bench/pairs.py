"""Pairs of a sound and a picture whose places are known, weighed as the program weighs those of one clip, guards included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.core import sphere
from engine.lab.bench import trials as sharp
from engine.lab.bench.likelihood_ratio import Array, Mask
from engine.lab.data.manifest import Sample
from engine.verdict import calibration, compare, guards
from engine.verdict.calibration import Maps
from engine.verdict.guards import Weighed

SAME_KM = 200.0
FAR_KM = 2500.0
MODERATE = 1.0  # log10 of the scale's step
MISREADING = "misreading"
GUARDS = (MISREADING, "priors", "interval", "false alarms", "overlap", "near", "species", "signs")
"""What keeps a factor small or back, in the order of the table of prices: the mixture with the picture's misreadings, and the
guards of `verdict.guards`."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of a recording and a photo, or films, and what the banner says of each.

    Attributes:
        recording, photo: (n,) index of each.
        km: (n,) true distance.
        said: guards applied, in words, to (n,) log10 of the factor reported: 0 for "cannot tell", NaN where a side is silent.
        region: guards applied to (n,) whether the factor speaks for the region, and not for one place.
        limited: (n,) the finding rests on one observation.
        recording_region, photo_region: (n,) regions of the world.
    """

    recording: NDArray[np.int64]
    photo: NDArray[np.int64]
    km: Array
    said: dict[str, Array]
    region: dict[str, Mask]
    limited: Mask
    recording_region: NDArray[np.int64]
    photo_region: NDArray[np.int64]

    @property
    def speak(self) -> Mask:
        """(n,) whether both sides give a location."""
        return np.isfinite(self.said["all"])


def score_pairs(
    heard: Sequence[sharp.Side],
    seen: Sequence[sharp.Side],
    same_place_km: float,
    maps_of: Callable[[int, int], Maps] | None = None,
    together: bool = False,
) -> Pairs:
    """Weigh every recording against every photo.

    Args:
        maps_of: the maps for a recording's and a photo's region; None takes the shipped ones.
        together: the two are films: recording i is paired with photo i only, and photo i's distance is from recording i.
    """
    shape = (len(heard),) if together else (len(heard), len(seen))
    regions_r, regions_p = (sharp.regions([s.sample for s in x]) for x in (heard, seen))
    r, p = (np.arange(len(heard)),) * 2 if together else tuple(x.ravel() for x in np.indices(shape))
    names = ("none", *GUARDS, "all")
    said = {name: np.full(len(r), np.nan) for name in names}
    region = {name: np.zeros(len(r), dtype=bool) for name in names}
    limited = np.zeros(len(r), dtype=bool)
    for n, (i, j) in enumerate(zip(r.tolist(), p.tolist(), strict=True)):
        a, b = heard[i].evidence, seen[j].evidence
        if a is None or b is None:
            continue
        maps = maps_of(int(regions_r[i]), int(regions_p[j])) if maps_of else calibration.maps()
        for name, found in weighed(a, b, same_place_km, maps):
            said[name][n] = 0.0 if found.reason else found.answer.log10_factor
            region[name][n] = found.region
            limited[n] = bool(found.rests_on) and not found.reason
    km = np.array([_km(heard[i].sample, seen[j].sample) for i, j in zip(r, p, strict=True)])
    return Pairs(r, p, km, said, region, limited, regions_r[r], regions_p[p])


def weighed(
    a: guards.ModalityEvidence, b: guards.ModalityEvidence, same_place_km: float, maps: Maps
) -> list[tuple[str, Weighed]]:
    """(guards applied, factor): with none, each by itself, and, last, with all of them."""
    sure = replace(maps, misread=dict.fromkeys(maps.misread, 0.0))
    alone = [(name, frozenset({name} - {MISREADING}), maps if name == MISREADING else sure) for name in GUARDS]
    rows = [("none", frozenset[str](), sure), *alone, ("all", guards.ALL, maps)]
    return [(name, compare.weigh(a, b, same_place_km, applied, own)) for name, applied, own in rows]


def _km(a: Sample, b: Sample) -> float:
    return float(sphere.distance_km(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg))
