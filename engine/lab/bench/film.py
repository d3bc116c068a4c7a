"""`earwitness bench film`: how long a film takes, stage by stage, beside its own length.

The film is drawn here: shots of two to eight seconds that pan over made-up landscapes, some with a road sign, with grain, hard
cuts and dissolves, encoded as H.264 at 1080p with x264's usual spacing of key frames; wind, chirps, speech and music under it.
A minute and a half of it is unique and repeated until the length is reached, since encoding would take longer than examining.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from engine.core.progress import Progress
from engine.lab.data.degrade import music, speech

FPS = 25
RATE_HZ = 48_000
UNIQUE_S = 96  # a whole number of AAC frames of 1,024 samples and of pictures, so that repeats join without a gap
TARGET_S = 90.0  # what ten minutes may take on two cores
WIDTH, HEIGHT = 1920, 1080
SIGNS = (
    "WELCOME TO BURLINGTON VERMONT",
    "Ajuntament de Sitges",
    "Gemeente Utrecht",
    "Comune di Firenze",
    "Mairie de Lyon",
    "Malmö stad",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Wall-clock seconds from the first to the last report of a stage; stages of sound and picture overlap."""

    name: str
    seconds: float


def landscape(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """A made-up view (height, width, 3): sky over hills of several octaves of smooth noise, in colours of their own."""
    from engine.models.opencv import cv2

    view = np.zeros((height, width), np.float32)
    for octave in range(2, 9):
        small = rng.standard_normal((2**octave, 2**octave)).astype(np.float32)
        view += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave * 4
    horizon = height * (0.45 + 0.12 * view[0])
    depth = np.clip((np.arange(height, dtype=np.float32)[:, None] - horizon[None]) / height, 0.0, 1.0)
    ground = np.clip(0.5 + 0.25 * view, 0.0, 1.0)[..., None]
    near, far, sky = (rng.uniform(low, high, 3) for low, high in ((30, 150), (60, 180), (130, 245)))
    land = (near + (far - near) * ground) * (0.7 + 0.6 * depth[..., None])
    picture = np.where(depth[..., None] > 0, land, sky + 12 * view[..., None])
    return np.clip(picture, 0, 255).astype(np.uint8)


def put_sign(view: NDArray[np.uint8], text: str, left: int, top: int, letters_px: int) -> None:
    """Paint a board with these words into a view."""
    from PIL import Image, ImageDraw

    from engine.media.draw import font as font_of

    image = Image.fromarray(view)
    pen = ImageDraw.Draw(image)
    font = font_of(letters_px)
    box = pen.textbbox((left, top), text, font=font)
    edge = letters_px // 2
    board = (box[0] - edge, box[1] - edge, box[2] + edge, box[3] + edge)
    pen.rectangle(board, fill=(20, 84, 60), outline=(240, 240, 240), width=4)
    pen.text((left, top), text, font=font, fill=(245, 245, 245))
    view[:] = np.asarray(image)


def _pictures(length_s: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Every frame (1080, 1920, 3) of the unique part."""
    rng = np.random.default_rng(seed)
    grain = rng.integers(0, 14, (HEIGHT + 64, WIDTH + 64, 1), dtype=np.uint8)
    made, last = 0, None
    place = 0
    while made < length_s * FPS:
        view = landscape(rng, WIDTH + 320, HEIGHT + 180)  # a place: the shots that follow look at parts of it
        for shot in range(int(rng.integers(3, 6))):
            here = view.copy()
            if shot == 1:
                put_sign(here, SIGNS[place % len(SIGNS)], int(rng.integers(300, 700)), int(rng.integers(500, 800)), 54)
            frames = int(rng.uniform(2.0, 8.0) * FPS)
            start, end = rng.uniform(0, 1, 2), rng.uniform(0, 1, 2)
            dissolve = 15 if rng.random() < 0.2 and last is not None else 0
            for i in range(frames):
                if made >= length_s * FPS:
                    return
                x, y = (start + (end - start) * i / frames) * (320, 180)
                frame = here[int(y) : int(y) + HEIGHT, int(x) : int(x) + WIDTH]
                if i < dissolve and last is not None:
                    share = (i + 1) / (dissolve + 1)
                    frame = (frame * share + last * (1 - share)).astype(np.uint8)
                dx, dy = rng.integers(0, 64, 2)
                frame = np.minimum(frame, 241) + grain[dy : dy + HEIGHT, dx : dx + WIDTH]
                made += 1
                yield frame
            last = frame
        place += 1


def _sound(length_s: int, seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    t = np.arange(length_s * RATE_HZ) / RATE_HZ
    out = 0.01 * rng.standard_normal(len(t)).astype(np.float32)
    chirp = np.sin(2 * np.pi * (3500 * t + 400 * np.sin(2 * np.pi * 3 * t))) * (np.sin(2 * np.pi * 0.4 * t) > 0.6)
    out += (0.05 * chirp).astype(np.float32)
    third = len(t) // 3
    out[:third] += 0.05 * speech(third, RATE_HZ, seed)
    out[-third:] += 0.05 * music(third, RATE_HZ, seed + 1)
    return np.clip(out, -1, 1)


def write_film(path: Path, minutes: float, seed: int = 0, say: Callable[[str], None] = lambda _: None) -> None:
    """Draw, encode and repeat the film of this module's text."""
    length_s = min(UNIQUE_S, max(4, round(minutes * 60)))
    with tempfile.TemporaryDirectory(prefix="earwitness-") as folder:
        unique = Path(folder) / "unique.mp4"
        with av.open(str(unique), "w") as out:
            video = out.add_stream("libx264", rate=FPS)
            video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            video.options = {"preset": "veryfast", "crf": "23"}
            sound = out.add_stream("aac", rate=RATE_HZ, layout="mono")
            for number, rgb in enumerate(_pictures(length_s, seed)):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                out.mux(video.encode(frame))
                if number % (5 * FPS) == 0:
                    say(f"drawing the film: {number // FPS} of {length_s} s")
            samples = _sound(length_s, seed)
            for at in range(0, len(samples), 1024):
                part = av.AudioFrame.from_ndarray(samples[None, at : at + 1024], format="fltp", layout="mono")
                part.sample_rate, part.pts, part.time_base = RATE_HZ, at, Fraction(1, RATE_HZ)
                out.mux(sound.encode(part))
            out.mux(video.encode(None))
            out.mux(sound.encode(None))
        _repeat(unique, path, length_s, max(1, round(minutes * 60 / length_s)))


def _repeat(unique: Path, path: Path, length_s: int, times: int) -> None:
    with av.open(str(path), "w") as out, av.open(str(unique)) as first:
        streams = {s.index: out.add_stream_from_template(s) for s in first.streams}
        last: dict[int, int] = {}  # encoders start before zero, so the first packet of a repeat may fall on the last one's time
        for turn in range(times):
            with av.open(str(unique)) as source:
                for packet in source.demux():
                    if packet.dts is None or packet.pts is None:
                        continue
                    shift = round(turn * length_s / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    if packet.dts <= last.get(packet.stream.index, packet.dts - 1):
                        continue
                    last[packet.stream.index] = packet.dts
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)


@dataclass(frozen=True, slots=True)
class Timing:
    """What a film took, from opening the file to the finding with every scene judged.

    Attributes:
        seconds: wall clock.
        cpu_s: processor time of all threads; on an idle machine of two cores no less than half of it passes.
        film_s: length of the film.
    """

    stages: tuple[Stage, ...]
    seconds: float
    cpu_s: float
    film_s: float
    shots: int
    scenes: int


def measure(film: Path) -> Timing:
    """Locate a film as the command line does.

    Raises:
        MediaError: the film cannot be read.
    """
    from engine.analysis.judge import locate

    spans: dict[str, list[float]] = {}

    def note(progress: Progress) -> None:
        now = time.perf_counter()
        spans.setdefault(progress.stage, [now, now])[1] = now

    began, cpu = time.perf_counter(), time.process_time()
    finding = locate(film, progress=note)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    stages = tuple(Stage(name, b - a) for name, (a, b) in spans.items())
    film_s = finding.clip.duration_s or finding.interval.length_s
    return Timing(stages, seconds, cpu_s, film_s, len(finding.shots), finding.scenes)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench film`."""
    parser.add_argument("--film", type=Path, default=None, help="a film of your own (default: one that is drawn)")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the film that is drawn (default: 10)")
    parser.add_argument("--keep", type=Path, default=None, help="keep the film that is drawn under this name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench film` and print its table."""
    with tempfile.TemporaryDirectory(prefix="earwitness-") as folder:
        film = args.film or args.keep or Path(folder) / "film.mp4"
        if args.film is None:
            write_film(film, args.minutes, args.seed, lambda text: print(text, end="\r", flush=True))
        t = measure(film)
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"{'stage':44} {'s':>7}")
    for stage in t.stages:
        print(f"{stage.name:44} {stage.seconds:7.1f}")
    print(f"{'in all (sound and picture side by side)':44} {t.seconds:7.1f}")
    print(f"{'processor time of all threads':44} {t.cpu_s:7.1f}")
    faster = f"{t.film_s / t.seconds:.1f} times faster than it plays, {cpus} cores"
    print(f"{t.film_s:.0f} s of film, {t.shots} shots, {t.scenes} scenes: {faster}")
    if args.json:
        data = {
            "seconds": t.seconds,
            "cpu_seconds": t.cpu_s,
            "film_s": t.film_s,
            "times_faster": t.film_s / t.seconds,
            "seconds_for_ten_minutes": t.seconds * 600.0 / t.film_s,
            "target_s": TARGET_S,
            "cores": cpus,
            "shots": t.shots,
            "scenes": t.scenes,
            "stages": {s.name: s.seconds for s in t.stages},
        }
        args.json.write_text(json.dumps(data, indent=2))
    return 0
