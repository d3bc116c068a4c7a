"""Which half of the world's power grids a hum comes from.

`world.mains` says where the supply is 50 or 60 Hz. Nothing is said within a grid. Film sound may have been cleaned,
and hum may come from the country where the sound was mixed, so the factor between the two halves of the world never exceeds
MOST_FACTOR, however long and loud the hum. MOST_FACTOR is a choice, not a fit. A line at 59.94 Hz may be the field rate of NTSC
pictures rather than a supply; it points to much the same countries.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from engine.clues.hum.observe import LEAST_DB, LEAST_LENGTH_S
from engine.clues.hum.spec import SPEC
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.world import mains

MOST_FACTOR = 6.0


def log_likelihood(observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
    """0 where the supply is the one heard, -ln MOST_FACTOR where it is the other, (cells,); abstains when none is heard."""
    own = tuple(o for o in observations if o.clue == SPEC.name)
    heard = {o.label for o in own if o.label in ("50 Hz", "60 Hz")}
    if not heard:
        why = f"no mains hum {LEAST_DB:g} dB above the noise was found, or the sound is shorter than {LEAST_LENGTH_S:g} s"
        return Evidence.silent(SPEC.name, SPEC.modality, grid, why, own)
    if len(heard) > 1:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, "hum of both 50 and 60 Hz was detected", own)
    supply = mains.of(grid)
    fits = supply == int(heard.pop().split()[0])
    likelihood = np.where(fits, 1.0, 1.0 / MOST_FACTOR)
    known = supply != mains.UNKNOWN
    if not known.all():  # where nobody supplies, hum comes with people from anywhere: as likely as on average
        likelihood[~known] = np.average(likelihood[known], weights=grid.area_km2[known]) if known.any() else 1.0
    return Evidence(SPEC.name, SPEC.modality, grid, np.log(likelihood), own, models=SPEC.model_ids)
