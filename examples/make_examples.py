"""Make the example clips again: python -m examples.make_examples [FOLDER]. Takes some minutes; the seed fixes everything."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import av
import numpy as np

from examples import birdsong, golf_georgia, scenery, vermont_chickadee

CLIPS: dict[str, ModuleType] = {"golf_georgia.mp4": golf_georgia, "vermont_chickadee.mp4": vermont_chickadee}
FPS = 25
SEED = 20


def make(name: str, folder: Path, seed: int = SEED, length_s: float | None = None) -> Path:
    """Draw and encode one clip: 1280x720, 25 frames/s, H.264 and AAC in MP4.

    Args:
        name: a key of CLIPS.
        folder: where the file goes.
        length_s: stop early, for tests; None makes the whole clip.
    """
    scene = CLIPS[name]
    sound_rng, picture_rng = (np.random.default_rng([seed, k]) for k in range(2))
    samples = scene.sound(sound_rng)
    shots = scene.shots(picture_rng)
    length_s = scene.LENGTH_S if length_s is None else length_s
    path = folder / name
    with av.open(str(path), "w", options={"movflags": "+faststart", "fflags": "+bitexact"}) as out:
        video = out.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = scenery.FRAME_WIDTH, scenery.FRAME_HEIGHT, "yuv420p"
        video.thread_count = 1  # the same bytes on any number of processors
        video.options = {"crf": "25", "preset": "slow", "tune": "animation", "flags": "+bitexact"}
        audio = out.add_stream("aac", rate=birdsong.RATE_HZ, layout="stereo")
        audio.bit_rate = 160_000
        audio.options = {"flags": "+bitexact"}
        _encode_sound(out, audio, samples[: round(length_s * birdsong.RATE_HZ)])
        _encode_picture(out, video, shots, scene.SHOT_S, round(length_s * FPS))
    return path


def _encode_sound(out: av.container.OutputContainer, stream: av.AudioStream, samples: np.ndarray) -> None:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="stereo")
    frame.sample_rate, frame.time_base, frame.pts = birdsong.RATE_HZ, Fraction(1, birdsong.RATE_HZ), 0
    fifo = av.AudioFifo()
    fifo.write(frame)
    for part in fifo.read_many(1024, partial=True):
        out.mux(stream.encode(part))
    out.mux(stream.encode(None))


def _encode_picture(
    out: av.container.OutputContainer, stream: av.VideoStream, shots: Sequence[scenery.Shot], shot_s: Sequence[float], frames: int
) -> None:
    ends_s = np.cumsum(shot_s)
    for k in range(frames):
        time_s = k / FPS
        which = min(int(np.searchsorted(ends_s, time_s, side="right")), len(shots) - 1)
        since_s = time_s - (ends_s[which] - shot_s[which])
        picture = scenery.frame(shots[which], since_s / shot_s[which], time_s)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = k, Fraction(1, FPS)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    folder: Path = parser.parse_args(arguments).folder
    for name in CLIPS:
        path = make(name, folder)
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
