"""`earwitness bench photos`: how well pictures are placed by what is written in them, on a folder of photos of known place.

A photo on which the text says nothing is scored at the prior and counted as not spoken. Confidence intervals come from a
bootstrap over places: photos of one H3 resolution-2 cell stay together.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np
from PIL import Image, ImageOps

from engine.clues.text.observe import TextObserver
from engine.clues.text.score import log_likelihood
from engine.core.errors import DataError
from engine.core.observation import Observation
from engine.core.paths import cache_dir
from engine.core.posterior import Posterior
from engine.core.settings import Settings
from engine.lab.bench.metrics import Outcome, Score, outcome
from engine.lab.data.manifest import Sample, read_manifest
from engine.models import ocr
from engine.world import places, priors, refine
from engine.world.grid import world_grid

SIGN = "sign close-up"
_GROUP_RESOLUTION = 2
_MAX_SIDE_PX = 1280


@dataclass(frozen=True, slots=True)
class Row:
    """One photo: what was read and what it was worth.

    Attributes:
        answer: where the text puts it, in words, or why it says nothing.
        found: the posterior's worth; the prior's where the text is silent.
        place: (lat, lon) in degrees of the answer, None where the text is silent.
    """

    sample: Sample
    group: int
    observations: tuple[Observation, ...]
    answer: str
    found: Outcome
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The benchmark's numbers: all photos, photos of signs, and each of them where the text speaks."""

    rows: tuple[Row, ...]
    scores: tuple[Score, ...]
    ln_cells: float
    seed: int


def read_photo(path: Path) -> tuple[Observation, ...]:
    """Text of a photo, upright; kept on disk by the file's content.

    Raises:
        DataError: it is no picture.
    """
    data = path.read_bytes()
    kept = cache_dir() / "bench" / f"photo-{hashlib.sha256(data + ocr.MODEL_ID.encode() + b'4').hexdigest()[:32]}.json"
    if kept.is_file():
        rows = json.loads(kept.read_text(encoding="utf-8"))
        return tuple(Observation(**{**row, "box": tuple(row["box"])}) for row in rows)
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except OSError as wrong:
        raise DataError(f"{path.name} is no picture that can be read; leave it out of the manifest.") from wrong
    upright.thumbnail((_MAX_SIDE_PX, _MAX_SIDE_PX))
    found = TextObserver().observe_image(np.asarray(upright))
    kept.parent.mkdir(parents=True, exist_ok=True)
    rows = [{k: v for k, v in asdict(o).items() if k != "vector"} for o in found]
    kept.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return found


def score(sample: Sample, observations: tuple[Observation, ...], settings: Settings) -> Row:
    """Place one photo as the program does: on the world grid, then on one refined where the mass lies."""
    world = world_grid()
    evidence = log_likelihood(observations, world)
    prior = priors.prior(settings.prior, world)
    group = int(h3.latlng_to_cell(sample.lat_deg, sample.lon_deg, _GROUP_RESOLUTION))
    truth = (sample.lat_deg, sample.lon_deg)
    if evidence.abstained is not None:
        return Row(
            sample, group, observations, evidence.abstained, outcome(Posterior(world, prior.log_mass), *truth, spoke=False)
        )
    grid = refine.refined(Posterior.of(prior, evidence.log_likelihood))
    fine = log_likelihood(observations, grid)
    posterior = Posterior.of(priors.prior(settings.prior, grid), fine.log_likelihood)
    place = posterior.place(settings.radius_km)
    found = outcome(posterior, *truth, place=(place.lat_deg, place.lon_deg))
    at = (place.lat_deg, place.lon_deg)
    return Row(sample, group, observations, places.describe(*at), found, at)


def run(data_dir: Path, settings: Settings | None = None, seed: int = 0) -> Table:
    """Read and place every photo of a folder.

    Raises:
        DataError: folder, manifest or file is missing, or no picture.
    """
    settings = settings or Settings()
    rows = tuple(score(s, read_photo(s.path), settings) for s in read_manifest(data_dir))
    return Table(rows, summarise(rows, seed), float(np.log(len(world_grid()))), seed)


def summarise(rows: Sequence[Row], seed: int = 0) -> tuple[Score, ...]:
    """Rows of the table: all and signs, each also for those that the text speaks of."""
    scores = []
    for name, part in (("signs", [r for r in rows if r.sample.column("scene") == SIGN]), ("all photos", list(rows))):
        spoken = [r for r in part if r.found.spoke]
        for title, own in ((f"{name}, where it speaks", spoken), (name, part)):
            if own:
                scores.append(Score.of_outcomes(title, [r.found for r in own], np.array([r.group for r in own]), seed))
    return tuple(scores)
