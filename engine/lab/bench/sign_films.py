"""Films of known mismatch: the sign of a town over a recording's own sound, for `earwitness bench mismatch --films`.

Of every recording chosen three films are made: one with a town of its own surroundings (0 to 200 km), and two with towns at two
of the other distances of BANDS_KM, which take turns. Places are drawn by what the prior says of their cells, towns among those
that GeoNames counts at least LEAST_PEOPLE in. The sign stands in scenery drawn as the examples' is, seen by a moving camera,
blurred, and coded in H.264; sound is coded again, as AAC. A film is perceived and read as any other clip: nobody tells the
program what the sign says. Nothing is fitted on them.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from numpy.typing import NDArray

from engine.analysis.perceive import perceive
from engine.core import sphere
from engine.core.clip import Interval
from engine.core.errors import DataError
from engine.core.modality import Modality
from engine.core.paths import cache_dir
from engine.core.perception import Perception
from engine.core.settings import Settings
from engine.lab.bench import pairs as paired
from engine.lab.bench import trials as sharp
from engine.lab.bench.counted import counted
from engine.lab.bench.pairs import Pairs
from engine.lab.bench.perceived import kept_at
from engine.lab.data.manifest import Sample
from engine.media import open_clip
from engine.models import birdnet, ocr
from engine.verdict.calibration import Maps
from engine.world import countries, places, priors
from engine.world.grid import world_grid

if TYPE_CHECKING:
    from types import ModuleType

RECORDINGS, FILMS_EACH = 40, 3
BANDS_KM = ((0.0, 200.0), (200.0, 500.0), (500.0, 1000.0), (1000.0, 2500.0), (2500.0, 20_038.0))
LEAST_PEOPLE = 5_000
LENGTH_S, FPS, RATE_HZ = 30.0, 1, 48_000
BLUR_PX = (0.6, 2.2)
VIEWS = 4
_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Film:
    """One film to be made.

    Attributes:
        recording: whose sound it has.
        town: whose name stands on its sign.
        lines: what stands there.
        seed: of its look.
    """

    recording: Sample
    town: places.City
    lines: tuple[str, ...]
    seed: int


def plan(recordings: Sequence[Sample], seed: int = 0) -> Iterator[Film]:
    """Which films are made of which recordings."""
    rng = np.random.default_rng(seed)
    chosen = sorted(rng.permutation(len(recordings))[:RECORDINGS].tolist())
    table = places.cities()
    xyz = sphere.to_xyz(table.lat_deg, table.lon_deg)
    cell = world_grid().locate(table.lat_deg, table.lon_deg)
    large = (table.people >= LEAST_PEOPLE) & (cell >= 0)
    mass = np.exp(priors.prior("mixture", world_grid()).log_mass)
    towns_in = np.bincount(cell[large], minlength=len(mass))
    weight = np.where(large, mass[cell] / np.maximum(towns_in[cell], 1), 0.0)
    for number, at in enumerate(chosen):
        sample = recordings[at]
        km = sphere.pairwise_km(sphere.to_xyz(sample.lat_deg, sample.lon_deg)[None], xyz)[0]
        turns = [1 + (2 * number + k) % (len(BANDS_KM) - 1) for k in range(FILMS_EACH - 1)]
        for band in (0, *turns):
            low, high = BANDS_KM[band]
            own = weight * ((km >= low) & (km < high))
            if own.sum() <= 0.0:
                continue
            town = table.row(int(rng.choice(len(own), p=own / own.sum())))
            yield Film(sample, town, _lines(town, int(rng.integers(3))), int(rng.integers(2**31)))


def _lines(town: places.City, style: int) -> tuple[str, ...]:
    """A sign: the name alone, with its state or province, or with its country."""
    beside = (None, town.division or None, countries.by_code(town.country).name)[style]
    return (town.name,) if beside is None or beside == town.name else (town.name, beside)


def score(
    heard: Sequence[sharp.Side], same_place_km: float, seed: int, maps_of: Callable[[int, int], Maps] | None = None
) -> Pairs:
    """Make, perceive and weigh the films of recordings; a film's distance is from its recording to the town on its sign.

    Raises:
        DataError: the examples' drawing code is not there.
    """
    sides: list[tuple[sharp.Side, sharp.Side]] = []
    films = list(plan([s.sample for s in heard], seed))
    for film in counted(films, "films"):
        found = observed(film)
        town = replace(film.recording, lat_deg=film.town.lat_deg, lon_deg=film.town.lon_deg)
        sides.append((sharp.side_of(film.recording, found, Modality.SOUND), sharp.side_of(town, found, Modality.PICTURE)))
    known = None if maps_of is None else _nearest(maps_of, [s.sample for s in heard])
    return paired.score_pairs([a for a, _ in sides], [b for _, b in sides], same_place_km, known, together=True)


def _nearest(maps_of: Callable[[int, int], Maps], recordings: Sequence[Sample]) -> Callable[[int, int], Maps]:
    """Maps for a recording's region, whatever the town's: towns were in no trial."""
    known = set(sharp.regions(recordings).tolist())
    return lambda recording, town: maps_of(recording, town if town in known else recording)


def observed(film: Film) -> Perception:
    """What is perceived of a film; kept on disk by what the film is made of."""
    with open_clip(film.recording.path) as reader:
        sound = reader.clip.sha256
    facts = (sound, film.lines, film.seed, birdnet.MODEL_ID, ocr.MODEL_ID, LENGTH_S, FPS, BLUR_PX, _VERSION)
    kept = cache_dir() / "bench" / f"film-{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}.npz"
    return kept_at(kept, lambda: _perceived(film))


def _perceived(film: Film) -> Perception:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        write(film, path)
        with open_clip(path) as reader:
            return perceive(reader, Settings(quick=True))


def write(film: Film, path: Path) -> None:
    """Draw and encode a film: 1280x720, H.264 and AAC in MP4."""
    rng = np.random.default_rng(film.seed)
    samples = _samples(film.recording)
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt, video.thread_count = 1280, 720, "yuv420p", 1
        video.options = {"crf": str(int(rng.integers(24, 33))), "preset": "veryfast"}
        audio = out.add_stream("aac", rate=RATE_HZ, layout="mono")
        for number, picture in enumerate(_pictures(film, rng, len(samples) / RATE_HZ)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for at in range(0, len(samples), 1024):
            part = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None, at : at + 1024]), format="fltp", layout="mono")
            part.sample_rate, part.pts, part.time_base = RATE_HZ, at, Fraction(1, RATE_HZ)
            out.mux(audio.encode(part))
        out.mux(audio.encode(None))


def _samples(sample: Sample) -> NDArray[np.float32]:
    """The first LENGTH_S of a recording."""
    with open_clip(sample.path) as reader:
        parts = [b.samples for b in reader.audio(RATE_HZ, Interval(0.0, min(LENGTH_S, reader.clip.duration_s or LENGTH_S)))]
    return np.concatenate(parts).astype(np.float32)


def _pictures(film: Film, rng: np.random.Generator, length_s: float) -> Iterator[NDArray[np.uint8]]:
    """Frames (720, 1280, 3): a sign before a view, blurred."""
    from engine.models.opencv import cv2

    scenery = _scenery()
    shot = scenery.Shot(
        (*_view(int(rng.integers(VIEWS))), scenery.Layer(_sign(film, rng), 0.85)),
        (float(rng.uniform(-90, 90)), float(rng.uniform(-20, 20))),
        (1.0, float(rng.uniform(1.0, 1.12))),
    )
    blur = float(rng.uniform(*BLUR_PX))
    count = max(1, round(length_s * FPS))
    for k in range(count):
        picture = cv2.GaussianBlur(scenery.frame(shot, k / count, k / FPS), (0, 0), blur)
        noise = rng.normal(0.0, 4.0, picture.shape[:2])[..., None]
        yield np.clip(picture + noise, 0, 255).astype(np.uint8)


@cache
def _view(seed: int) -> tuple[object, ...]:
    """Sky, hills, trees and grass."""
    scenery = _scenery()
    rng = np.random.default_rng([7, seed])
    horizon = float(rng.uniform(0.45, 0.6)) * scenery.HEIGHT
    trees = scenery.Sheet()
    for x in rng.uniform(-20, scenery.WIDTH + 20, 5):
        scenery.broadleaf(trees, rng, float(x), horizon + 40, float(rng.uniform(120, 260)), (34, 62, 28), (146, 176, 78), 4.0)
    return (
        scenery.Layer(scenery.sky(rng, (74, 138, 206), (238, 232, 214), float(rng.uniform(0.2, 0.7))), 0.0),
        scenery.Layer(scenery.ridge(rng, horizon, 40.0, 300.0, (120, 140, 120), (150, 165, 130)), 0.15),
        scenery.Layer(trees.done(), 0.4),
        scenery.Layer(scenery.ground(rng, horizon + 20, (140, 170, 88), (74, 124, 46), lumps=0.3), 0.5),
    )


def _sign(film: Film, rng: np.random.Generator) -> NDArray[np.float32]:
    """A painted board on two posts."""
    scenery = _scenery()
    sheet = scenery.Sheet()
    board, ink = (((250, 250, 246, 255), (20, 20, 20, 255)), ((24, 84, 52, 255), (246, 246, 240, 255)))[int(rng.integers(2))]
    size = float(rng.uniform(34, 64))
    wide = min(1100.0, max(360.0, 0.68 * size * max(map(len, film.lines)) + 90.0))
    size = min(size, (wide - 90.0) / (0.68 * max(map(len, film.lines))))
    high = 60.0 + 1.5 * size * len(film.lines)
    x, y = scenery.WIDTH / 2 + float(rng.uniform(-120, 120)), scenery.HEIGHT * float(rng.uniform(0.4, 0.55))
    for post in (-0.35, 0.35):
        sheet.box(x + post * wide - 8, y, x + post * wide + 8, scenery.HEIGHT * 0.92, (120, 120, 116, 255))
    sheet.box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2, board, 12)
    for number, line in enumerate(film.lines):
        at = y + 1.5 * size * (number - (len(film.lines) - 1) / 2)
        sheet.text(x, at, line, size if number == 0 else 0.75 * size, ink, "DejaVuSans-Bold")
    return np.asarray(sheet.done(), dtype=np.float32)


def _scenery() -> ModuleType:
    """The drawing code of the examples, which lies beside the program in a checkout."""
    import importlib

    try:
        return importlib.import_module("examples.scenery")
    except ImportError:
        raise DataError("Films are drawn by the examples' code, which is not here; run this from a checkout.") from None
