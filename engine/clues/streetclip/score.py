"""Which country the frames look like, by StreetCLIP's logits.

StreetCLIP was trained with a contrastive
loss over captions that name places, so its logit is already log p(country | frame) / p(country) up to a constant and nothing is
divided out. Frames look at the same place again and again: their logits are averaged, not multiplied. With z the mean logit of
a cell's country,

    L(x) = (1 - DOUBT) exp(z / TEMPERATURE) / mean + DOUBT,

the mean being taken over the land by area. Nothing is said within a country, nor of places that are no country's.

TEMPERATURE and DOUBT are provisional: without the weights there is nothing to fit them on here.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from engine.clues.streetclip.spec import SPEC
from engine.core.errors import MissingWeights
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.models import streetclip
from engine.world import countries

TEMPERATURE = 1.0
DOUBT = 0.1


def log_likelihood(
    observations: tuple[Observation, ...], grid: Grid, when: date | None = None, folder: Path | None = None
) -> Evidence:
    """L of the module's text as a logarithm, (cells,)."""
    vectors = [o.vector for o in observations if o.clue == SPEC.name and o.vector is not None]
    if not vectors:
        try:
            streetclip.streetclip_folder(folder)
        except MissingWeights as error:
            return Evidence.silent(SPEC.name, SPEC.modality, grid, error.reason)
        return Evidence.silent(SPEC.name, SPEC.modality, grid, "no frame was analysed", observations)
    log_l = from_logits(np.mean(np.stack(vectors), axis=0, dtype=np.float64), grid)
    return Evidence(SPEC.name, SPEC.modality, grid, log_l, observations, models=SPEC.model_ids)


def from_logits(logits: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """Log-likelihood (cells,) of a logit for each country (countries,); 0 where a cell is no country's.

    Raises:
        ValueError: not one finite logit for each country.
    """
    if logits.shape != (len(countries.table()),) or not np.isfinite(logits).all():
        raise ValueError(f"expected a finite logit for each of {len(countries.table())} countries")
    number = countries.of(grid)
    known = number >= 0
    z = logits[number[known]] / TEMPERATURE
    area = grid.area_km2[known]
    out = np.zeros(len(grid))
    out[known] = np.logaddexp(np.log1p(-DOUBT) + z - logsumexp(z, b=area / area.sum()), np.log(DOUBT))
    return out
