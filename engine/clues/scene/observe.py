"""Animals and things seen: a few frames go through EfficientNet-Lite0, of whose classes only the table's cues count."""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.clues.frames import TimesOf, evenly
from engine.clues.scene.spec import SPEC
from engine.clues.scene.table import LEAST_SCORE, cues
from engine.core.clip import Clip, Frame, Interval, Reader
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import efficientnet

MOST_FRAMES = 16
MAX_SIDE_PX = 448


class SceneObserver:
    """Animals and things in the picture, and where they belong.

    Args:
        times_of: chooses the frames looked at; None takes one every few seconds.
    """

    def __init__(self, times_of: TimesOf | None = None) -> None:
        self.times_of = times_of or evenly

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """One observation per frame and cue seen in it.

        Raises:
            MediaError: the clip has no picture, or none that can be decoded.
            WeightsError: the network's file is missing.
        """
        interval = interval or Interval(0.0, max(clip.duration_s or 0.0, 0.001))
        times = self.times_of(reader, interval)
        times = (
            [times[i] for i in np.unique(np.linspace(0, len(times) - 1, min(len(times), MOST_FRAMES)).astype(int))]
            if times
            else []
        )
        found: list[Observation] = []
        for number, frame in enumerate(reader.frames(times, interval, MAX_SIDE_PX), 1):
            found.extend(self.observe_frame(frame))
            progress(Progress("looking for animals and landmarks", number, len(times), "frames"))
        return tuple(found)

    def observe_frame(self, frame: Frame) -> tuple[Observation, ...]:
        """Cues in a single frame."""
        chance = net().chances([frame.rgb])[0]
        seen = [(float(min(1.0, chance[list(cue.classes)].sum())), cue) for cue in cues()]
        return tuple(
            Observation(
                clue=SPEC.name,
                kind="scene",
                label=cue.name,
                score=p,
                start_s=frame.time_s,
                end_s=frame.time_s,
                author=efficientnet.MODEL_ID,
                note=f"found in {cue.where} ({cue.source})",
            )
            for p, cue in seen
            if p >= LEAST_SCORE
        )


@cache
def net() -> efficientnet.SceneNet:
    """The one network of this clue."""
    return efficientnet.SceneNet()
