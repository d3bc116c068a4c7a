"""Which country the frames look like: StreetCLIP gives a few frames a logit for every country of `world.countries`, zero-shot."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from engine.clues.frames import TimesOf, evenly
from engine.clues.streetclip.spec import SPEC
from engine.core.clip import Clip, Frame, Interval, Reader
from engine.core.errors import WeightsError
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import streetclip
from engine.world import countries

MOST_FRAMES = 16
MAX_SIDE_PX = 672
_LONG = {"US": "United States", "GB": "United Kingdom", "CD": "Democratic Republic of the Congo"}  # as captions name them


class StreetClipObserver:
    """StreetCLIP on a clip's frames; nothing is observed where its weights are not installed.

    Args:
        folder: StreetCLIP's folder; None takes the models folder.
        times_of: chooses the frames looked at; None takes one every few seconds.
    """

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
            Observation(SPEC.name, "embedding", "frame", 1.0, f.time_s, f.time_s, author=streetclip.MODEL_ID, vector=v)
            for f, v in zip(frames, logits, strict=True)
        )
