"""What the frames look like: a few of every shot become vectors in the space of GeoCLIP's location encoder."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from engine.clues.frames import MOST_FRAMES, TimesOf, evenly
from engine.clues.picture.spec import SPEC
from engine.core.clip import Clip, Frame, Interval, Reader
from engine.core.errors import WeightsError
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import geoclip_picture

MAX_SIDE_PX = 448


class PictureObserver:
    """GeoCLIP on a clip's frames; nothing is observed where CLIP's weights are not installed.

    Args:
        folder: CLIP's folder; None takes the models folder.
        times_of: chooses the frames looked at; None takes one every STEP_S.
    """

    def __init__(self, folder: Path | None = None, times_of: TimesOf | None = None) -> None:
        self.folder = folder
        self.times_of = times_of or evenly

    @cached_property
    def _encoder(self) -> geoclip_picture.PictureEncoder:
        return geoclip_picture.PictureEncoder(self.folder)

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """One observation with its vector per frame looked at; none when CLIP is not installed: the score says so."""
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
            Observation(SPEC.name, "embedding", "frame", 1.0, f.time_s, f.time_s, author=geoclip_picture.MODEL_ID, vector=v)
            for f, v in zip(frames, vectors, strict=True)
        )
