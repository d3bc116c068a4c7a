"""The sun as a clue: a shadow is the analyst's to mark, and daylight is seen where a blue sky is.

Brightness alone tells no day from a lit room. What is taken for daylight is a bright blue area, smooth as a sky is, that fills
the top of the frame, over a scene that is lit as well; a frame without it says nothing, and darkness is never taken for night.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.clues.sun.spec import DAYLIGHT, SPEC
from engine.core.clip import Clip, Interval, Reader
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent

SKY = "blue sky"
FRAMES = 6
SIDE_PX = 160
LEAST_SKY = 0.6  # share of the top third of the frame
LEAST_LIT = 0.18  # median brightness of the rest, 0 to 1


class SunObserver:
    """Whether there is a blue sky: shadows are the analyst's to mark."""

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """Frames with a blue sky, a few of the clip: shadows are the analyst's to mark."""
        span = interval or Interval(0.0, max(clip.duration_s or 0.0, 0.1))
        times = [span.start_s + span.length_s * (i + 0.5) / FRAMES for i in range(FRAMES)]
        found, seen = [], set[float]()
        for number, frame in enumerate(reader.frames(times, max_side_px=SIDE_PX), 1):
            progress(Progress(SPEC.doing, number, FRAMES, "frames"))
            share = sky_share(frame.rgb)
            if share >= LEAST_SKY and frame.time_s not in seen:
                seen.add(frame.time_s)
                at = frame.time_s
                found.append(Observation(SPEC.name, DAYLIGHT, SKY, min(1.0, share), at, at, author=SPEC.model_ids[0]))
        return tuple(found)


def sky_share(rgb: NDArray[np.uint8]) -> float:
    """Share of the frame's top third that looks like a blue sky by day; 0 where the rest is dark.

    Args:
        rgb: (height, width, 3).
    """
    height = rgb.shape[0] // 3
    if height < 4 or rgb.shape[1] < 8:
        return 0.0
    scaled = rgb.astype(np.float32) / 255.0
    rest = scaled[height:].max(axis=-1)
    if float(np.median(rest)) < LEAST_LIT:
        return 0.0
    top = scaled[:height]
    red, green, blue = top[..., 0], top[..., 1], top[..., 2]
    value = top.max(axis=-1)
    saturation = (value - top.min(axis=-1)) / np.maximum(value, 1e-6)
    blueish = (blue >= green) & (green >= red) & (value > 0.45) & (saturation > 0.12) & (saturation < 0.75)
    step = np.zeros_like(value)
    step[:, 1:] = np.abs(np.diff(value, axis=1))
    step[1:] = np.maximum(step[1:], np.abs(np.diff(value, axis=0)))
    return float((blueish & (step < 0.04)).mean())


def daylight_frames(observations: Sequence[Observation]) -> int:
    """In how many of the frames looked at a blue sky was seen."""
    return sum(o.kind == DAYLIGHT for o in observations)
