"""What the container itself claims: a place in its tags, or a track of timed places.

A third witness beside sound and picture, and the easiest to forge: it is drawn on the map and compared, and never fused
unless the analyst asks. The tags are read by `media` (a clue sees no file) and handed over as observations of kind "tag".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
from scipy.special import logsumexp

from engine.clues.container.spec import SPEC
from engine.core import sphere
from engine.core.claim import Claim
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation

SPREAD_KM = 10.0  # phones write a place to about a second of arc, but the cell it falls in is larger
DOUBT = 0.05  # assumed, not measured: how often a stated place is another place altogether
PLACES = ("location", "timed location")
MOST_CLAIMS = 4
APART_KM = 10.0


def log_likelihood(observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
    """A bump around the stated places, (cells,); abstains when none is stated."""
    own = tuple(o for o in observations if o.clue == SPEC.name)
    stated = [o.vector for o in own if o.name in PLACES and o.vector is not None]
    if not stated:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, _why_silent(own), own)
    lat, lon = np.array(stated, dtype=np.float64).T
    reach_km = np.sqrt(grid.area_km2 / np.pi)
    km = np.maximum(0.0, sphere.pairwise_km(grid.xyz, sphere.to_xyz(lat, lon)) - reach_km[:, None])
    log_bump = np.logaddexp.reduce(-0.5 * (km / SPREAD_KM) ** 2, axis=1) - np.log(len(stated))
    relative = log_bump - logsumexp(log_bump, b=grid.area_km2 / grid.area_km2.sum())
    log_l = np.logaddexp(np.log1p(-DOUBT) + relative, np.log(DOUBT))
    return Evidence(SPEC.name, SPEC.modality, grid, log_l, own, models=())


def stated_claims(observations: Sequence[Observation]) -> tuple[Claim, ...]:
    """The places that the container states, each as a claim, with the day it states; at most MOST_CLAIMS that lie apart.

    Of a track of timed places the first counts. Where tags state days that disagree, each is a claim of its own: none is taken
    for the right one. A clock that was never set has been left out where the tags were read.
    """
    places = [o for o in observations if o.clue == "container" and o.vector is not None]
    ordered = [*(o for o in places if o.name == PLACES[0]), *[o for o in places if o.name == PLACES[1]][:1]]
    found: list[Claim] = []
    for day in stated_days(observations) or (None,):
        apart: list[Claim] = []
        for o in ordered:
            assert o.vector is not None
            lat, lon = (float(x) for x in o.vector[:2])
            if all(sphere.distance_km(lat, lon, c.lat_deg, c.lon_deg) > APART_KM for c in apart):
                apart.append(Claim(lat, (lon + 180.0) % 360.0 - 180.0, day, source="container"))
        found += apart
    return tuple(found[:MOST_CLAIMS])


def stated_days(observations: Sequence[Observation]) -> tuple[date, ...]:
    """The days that the container states, in the order found; those a day apart count once, since clocks of different zones
    differ by so much."""
    days: list[date] = []
    for o in observations:
        if o.clue == "container" and o.name == "creation time":
            day = datetime.fromisoformat(o.label).date()
            if all(abs((day - d).days) > 1 for d in days):
                days.append(day)
    return tuple(days)


def _why_silent(own: Sequence[Observation]) -> str:
    """Why no place is claimed, with what is in doubt, and the time where one is stated."""
    doubts = [f"{o.label} ({o.note})" for o in own if o.name == "location in doubt"]
    times = [o.label for o in own if o.name == "creation time"]
    why = f"the container's place is in doubt: {'; '.join(doubts[:2])}" if doubts else "the container states no place"
    return f"{why}; it states the time {' and '.join(times[:3])}" if times else why
