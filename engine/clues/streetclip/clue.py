"""Which country the frames look like: StreetCLIP, zero-shot.

Perceiving: a few frames get a logit for every country of `world.countries`. Scoring: StreetCLIP was trained with a contrastive
loss over captions that name places, so its logit is already log p(country | frame) / p(country) up to a constant and nothing is
divided out. Frames look at the same place again and again: their logits are averaged, not multiplied. With z the mean logit of
a cell's country,

    L(x) = (1 - DOUBT) exp(z / TEMPERATURE) / mean + DOUBT,

the mean being taken over the land by area. Nothing is said within a country, nor of places that are no country's.

TEMPERATURE and DOUBT are provisional: without the weights there is nothing to fit them on here.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from engine.clues.frames import TimesOf, evenly
from engine.clues.streetclip.spec import SPEC
from engine.core.clip import Clip, Frame, Interval, Reader
from engine.core.errors import WeightsError
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import streetclip
from engine.world import countries

TEMPERATURE = 1.0
DOUBT = 0.1
MOST_FRAMES = 16
MAX_SIDE_PX = 672
_LONG = {"US": "United States", "GB": "United Kingdom", "CD": "Democratic Republic of the Congo"}  # as captions name them


class StreetClipClue:
    """StreetCLIP on a clip's frames; abstains, saying what is missing, where its weights are not installed.

    Args:
        folder: StreetCLIP's folder; None takes the models folder.
        times_of: chooses the frames looked at; None takes one every few seconds.
    """

    spec = SPEC
    name, modality, reads = SPEC.name, SPEC.modality, SPEC.reads
    models = (streetclip.MODEL_ID,)

    def __init__(self, folder: Path | None = None, times_of: TimesOf | None = None) -> None:
        self.folder = folder
        self.times_of = times_of or evenly

    @cached_property
    def _encoder(self) -> streetclip.CountryEncoder:
        return streetclip.CountryEncoder([_LONG.get(c.code, c.name) for c in countries.table()], self.folder)

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """One observation per frame, its vector the logits of all countries; none when StreetCLIP is not installed."""
        try:
            streetclip.streetclip_folder(self.folder)
        except WeightsError:
            return ()
        interval = interval or Interval(0.0, max(clip.duration_s or 0.0, 0.001))
        times = self.times_of(reader, interval)
        chosen = [times[i] for i in np.linspace(0, len(times) - 1, min(len(times), MOST_FRAMES)).astype(int)] if times else []
        frames: list[Frame] = []
        for frame in reader.frames(chosen, interval, MAX_SIDE_PX):
            frames.append(frame)
            progress(Progress("looking for the country of the picture", len(frames), len(chosen), "frames"))
        logits = self._encoder.logits(f.rgb for f in frames)
        return tuple(
            Observation(self.name, "embedding", "frame", 1.0, f.time_s, f.time_s, author=streetclip.MODEL_ID, vector=v)
            for f, v in zip(frames, logits, strict=True)
        )

    def log_likelihood(self, observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
        """L of the module's text as a logarithm, (cells,)."""
        vectors = [o.vector for o in observations if o.clue == self.name and o.vector is not None]
        if not vectors:
            try:
                streetclip.streetclip_folder(self.folder)
            except WeightsError as error:
                return Evidence.silent(self.name, self.modality, grid, str(error))
            return Evidence.silent(self.name, self.modality, grid, "no frame was analysed", observations)
        log_l = from_logits(np.mean(np.stack(vectors), axis=0, dtype=np.float64), grid)
        return Evidence(self.name, self.modality, grid, log_l, observations, models=self.models)


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
