"""What the container itself claims: a place in its tags, or a track of timed places.

A third witness beside sound and picture, and the easiest to forge: it is drawn on the map and compared, and never fused
unless the analyst asks. The tags are read by `media` (a clue sees no file) and handed over as observations of kind "tag".
"""

from __future__ import annotations

from datetime import date

import numpy as np
from scipy.special import logsumexp

from engine.core import sphere
from engine.core.clip import Clip, Interval, Reader
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.progress import ProgressCallback, silent

SPREAD_KM = 10.0  # phones write a place to about a second of arc, but the cell it falls in is larger
DOUBT = 0.05  # assumed, not measured: how often a stated place is another place altogether
PLACES = ("location", "timed location")


class ContainerClue:
    """Scores the places that the container states."""

    name = "container"
    modality = "container"
    reads = "container"

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """Nothing: the tags were read when the clip was opened."""
        return ()

    def log_likelihood(self, observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
        """A bump around the stated places, (cells,); abstains when none is stated."""
        own = tuple(o for o in observations if o.clue == self.name)
        stated = [o.vector for o in own if o.name in PLACES and o.vector is not None]
        if not stated:
            return Evidence.silent(self.name, self.modality, grid, "the container states no place", own)
        lat, lon = np.array(stated, dtype=np.float64).T
        reach_km = np.sqrt(grid.area_km2 / np.pi)
        km = np.maximum(0.0, sphere.pairwise_km(grid.xyz, sphere.to_xyz(lat, lon)) - reach_km[:, None])
        log_bump = np.logaddexp.reduce(-0.5 * (km / SPREAD_KM) ** 2, axis=1) - np.log(len(stated))
        relative = log_bump - logsumexp(log_bump, b=grid.area_km2 / grid.area_km2.sum())
        log_l = np.logaddexp(np.log1p(-DOUBT) + relative, np.log(DOUBT))
        return Evidence(self.name, self.modality, grid, log_l, own, models=())
