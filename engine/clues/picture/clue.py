"""What the frames look like, and where on Earth it looks like that: GeoCLIP.

Perceiving: a few frames of every shot become vectors in the space of GeoCLIP's location encoder. Scoring: GeoCLIP was
trained with a contrastive
loss, so scale · cos(frame, place) is already log p(place | frame) / p(place) up to a constant. Frames of one shot look at
the same place again and again, so their vectors are averaged, not multiplied.

TEMPERATURE is GeoCLIP's own (1) until it can be fitted: without CLIP's weights there is nothing to fit it on here.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.clues.frames import MOST_FRAMES, TimesOf, evenly
from engine.clues.picture.spec import SPEC
from engine.core.clip import Clip, Frame, Interval, Reader
from engine.core.errors import WeightsError
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import geoclip_picture
from engine.models.geoclip_location import MODEL_ID as LOCATION_ID
from engine.models.geoclip_location import grid_embeddings

TEMPERATURE = 1.0
MAX_SIDE_PX = 448


class PictureClue:
    """GeoCLIP on a clip's frames; abstains, saying what is missing, where CLIP's weights are not installed.

    Args:
        folder: CLIP's folder; None takes the models folder.
        times_of: chooses the frames looked at; None takes one every STEP_S.
    """

    spec = SPEC
    name, modality, reads = SPEC.name, SPEC.modality, SPEC.reads
    models = (geoclip_picture.MODEL_ID, LOCATION_ID)

    def __init__(self, folder: Path | None = None, times_of: TimesOf | None = None) -> None:
        self.folder = folder
        self.times_of = times_of or evenly

    @cached_property
    def _encoder(self) -> geoclip_picture.PictureEncoder:
        return geoclip_picture.PictureEncoder(self.folder)

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """One observation with its vector per frame looked at; none when CLIP is not installed (`log_likelihood` says so)."""
        try:
            geoclip_picture.clip_folder(self.folder)
        except WeightsError:
            return ()
        interval = interval or Interval(0.0, max(clip.duration_s or 0.0, 0.001))
        times = self.times_of(reader, interval)[:MOST_FRAMES]
        frames: list[Frame] = []
        for frame in reader.frames(times, interval, MAX_SIDE_PX):
            frames.append(frame)
            progress(Progress("looking for the place of the picture", len(frames), len(times), "frames"))
        vectors = self._encoder.embed(f.rgb for f in frames)
        return tuple(
            Observation(self.name, "embedding", "frame", 1.0, f.time_s, f.time_s, author=geoclip_picture.MODEL_ID, vector=v)
            for f, v in zip(frames, vectors, strict=True)
        )

    def log_likelihood(self, observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
        """scale · cos of the mean frame with each cell, (cells,)."""
        vectors = [o.vector for o in observations if o.clue == self.name and o.vector is not None]
        if not vectors:
            try:
                geoclip_picture.clip_folder(self.folder)
            except WeightsError as error:
                return Evidence.silent(self.name, self.modality, grid, str(error))
            return Evidence.silent(self.name, self.modality, grid, "no frame was analysed", observations)
        cosine = grid_embeddings(grid) @ mean_direction(np.stack(vectors))
        log_l = geoclip_picture.logit_scale() / TEMPERATURE * cosine.astype(np.float64)
        return Evidence(self.name, self.modality, grid, log_l, observations, models=self.models)


def mean_direction(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vector (512,) of the mean of unit vectors (n, 512)."""
    mean = vectors.mean(axis=0)
    out: NDArray[np.float32] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return out
