"""Films drawn for tests: places that look and sound their own way, cut hard, some with a sign."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from engine.lab.bench.film import landscape, put_sign

RATE_HZ = 48_000
FPS = 10


def write(
    path: Path,
    places: Sequence[tuple[int, str, float]],
    shots_s: Sequence[float] = (6.0, 8.0, 7.0),
    size: tuple[int, int] = (640, 360),
) -> Path:
    """A film of some places, each (seed of its look, words on a sign in its second shot or "", level of its wind, 0 to 1).

    Every place has as many shots as shots_s: parts of one landscape. Its background is noise of its own level and colour.
    """
    width, height = size
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.options = {"preset": "ultrafast", "crf": "20"}
        sound = out.add_stream("aac", rate=RATE_HZ, layout="mono")
        number, samples = 0, []
        for seed, words, level in places:
            rng = np.random.default_rng(seed)
            view = landscape(rng, width + 80, height + 40)
            for shot, length_s in enumerate(shots_s):
                here = view.copy()
                if words and shot == 1:
                    put_sign(here, words, 90, 200, 22)
                x = 40 * (shot % 2)
                for _ in range(round(length_s * FPS)):
                    rgb = np.ascontiguousarray(here[:height, x : x + width])
                    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
                    frame.pts, frame.time_base = number, Fraction(1, FPS)
                    out.mux(video.encode(frame))
                    number += 1
            noise = rng.standard_normal(round(sum(shots_s) * RATE_HZ)).astype(np.float32)
            samples.append(0.2 * level * (np.cumsum(noise - np.mean(noise)) * 0.01 if seed % 2 else noise))
        out.mux(video.encode(None))
        whole = np.clip(np.concatenate(samples), -1, 1).astype(np.float32)
        for at in range(0, len(whole), 1024):
            part = av.AudioFrame.from_ndarray(np.ascontiguousarray(whole[None, at : at + 1024]), format="fltp", layout="mono")
            part.sample_rate, part.pts, part.time_base = RATE_HZ, at, Fraction(1, RATE_HZ)
            out.mux(sound.encode(part))
        out.mux(sound.encode(None))
    return path
