"""Where on Earth frames look like that: GeoCLIP.

GeoCLIP was trained with a contrastive loss, so scale · cos(frame, place) is already log p(place | frame) / p(place) up to a
constant. Frames of one shot look at the same place again and again, so their vectors are averaged, not multiplied.

TEMPERATURE is GeoCLIP's own (1) until it can be fitted: without CLIP's weights there is nothing to fit it on here.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.clues.picture.spec import SPEC
from engine.core.errors import MissingWeights
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.models import geoclip_picture
from engine.models.geoclip_location import grid_embeddings

TEMPERATURE = 1.0


def log_likelihood(
    observations: tuple[Observation, ...], grid: Grid, when: date | None = None, folder: Path | None = None
) -> Evidence:
    """scale · cos of the mean frame with each cell, (cells,)."""
    vectors = [o.vector for o in observations if o.clue == SPEC.name and o.vector is not None]
    if not vectors:
        try:
            geoclip_picture.clip_folder(folder)
        except MissingWeights as error:
            return Evidence.silent(SPEC.name, SPEC.modality, grid, error.reason)
        return Evidence.silent(SPEC.name, SPEC.modality, grid, "no frame was analysed", observations)
    cosine = grid_embeddings(grid) @ mean_direction(np.stack(vectors))
    log_l = geoclip_picture.logit_scale() / TEMPERATURE * cosine.astype(np.float64)
    return Evidence(SPEC.name, SPEC.modality, grid, log_l, observations, models=SPEC.model_ids)


def mean_direction(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vector (512,) of the mean of unit vectors (n, 512)."""
    mean = vectors.mean(axis=0)
    out: NDArray[np.float32] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return out
