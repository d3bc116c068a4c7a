"""What AG-CLIP is compared with, trained and tested alike: `earwitness lab train-baseline NAME`.

Every learned baseline is the paper's head, a perceptron with 128 hidden units, on the same input: BirdNET's scores of
simulated soundscapes by default, or vectors of any encoder written by `earwitness embed` (a table with a place for each row).
What differs is what the head says and how it is scored:

    random                    a training place, drawn
    regression-euclidean      latitude / 90 and longitude / 180, mean squared error
    regression-haversine      the same, great-circle distance
    classification-0, -1, -2  H3 cell of that resolution
    hierarchical              cells of resolution 0, 1, 2; each choice among the children of the one before
    retrieval-geoclip         a vector in a frozen location encoder's space, contrastive loss over the batch
    retrieval-sinr, -satclip  the same with their checkpoints
    agclip                    retrieval-geoclip and a second head for the checklist, 0.01 times its loss

Source: Chasmai et al. 2025, arXiv 2505.18726, section 4 and appendix; the loss over a batch of 128 with the logit scale 3.6810,
SGD with Nesterov momentum 0.9, weight decay 1e-5, the rate rising from a tenth over 5 epochs and falling along a cosine over
45.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from engine.core import sphere
from engine.core.errors import DataError, SettingError
from engine.lab.bench import metrics
from engine.lab.bench.gallery_choice import GALLERIES, Gallery, gallery_of, geoclip_vectors
from engine.lab.data.dataset import Recording, write_predictions
from engine.models.geoclip_location import LOGIT_SCALE
from engine.models.location_encoders import Encoder, GeoClip, SatClip, Sinr

if TYPE_CHECKING:
    import torch

BASELINES = (
    "random",
    "regression-euclidean",
    "regression-haversine",
    "classification-0",
    "classification-1",
    "classification-2",
    "hierarchical",
    "retrieval-geoclip",
    "retrieval-sinr",
    "retrieval-satclip",
    "agclip",
)
HIDDEN = 128
CHECKLIST_WEIGHT = 0.01
WARM_EPOCHS, EPOCHS = 5, 50

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a baseline learns from or is tested on.

    Attributes:
        x: (n, d) float32 input vectors.
        lat_deg, lon_deg: (n,) places.
        checklist: (n, s) 0/1 float32 of the species that live there, or None.
        group: (n,) label of the place or recordist, for the bootstrap, or None.
        id: (n,) names of the recordings, or ().
    """

    x: NDArray[np.float32]
    lat_deg: Array
    lon_deg: Array
    checklist: NDArray[np.float32] | None = None
    group: NDArray[np.int64] | None = None
    id: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.x) == 0 or not len(self.x) == len(self.lat_deg) == len(self.lon_deg):
            raise DataError("A baseline needs rows, each with a vector and a place; give a table with both.")
        if not np.isfinite(self.x).all():
            raise DataError("An input vector holds a number that is not finite; make the embeddings again.")


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a baseline is trained; the rate is what it rises to. `epochs` shortens the same curve."""

    epochs: int = EPOCHS
    batch: int = 128
    rate: float = 1e-2
    decay: float = 1e-5
    seed: int = 0
    patience: int = 10

    def at(self, epoch: int) -> float:
        """Learning rate of an epoch, 0-based: rising from a tenth over the first tenth, then a cosine down to a tenth."""
        warm = max(1, round(self.epochs * WARM_EPOCHS / EPOCHS))
        if epoch < warm:
            return self.rate * (0.1 + 0.9 * epoch / warm)
        done = (epoch - warm) / max(1, self.epochs - warm)
        return self.rate * (0.1 + 0.9 * (0.5 + 0.5 * math.cos(math.pi * done)))


@cache
def h3_cells(resolution: int) -> NDArray[np.uint64]:
    """All cells of a resolution, sorted: 122, 842 or 5,882 at 0, 1, 2."""
    return np.sort(np.concatenate([h3.cell_to_children(c, resolution) for c in h3.get_res0_cells()]).astype(np.uint64))


@cache
def _centres(resolution: int) -> tuple[Array, Array]:
    centre = np.array([h3.cell_to_latlng(c) for c in h3_cells(resolution)])
    return centre[:, 0], centre[:, 1]


def _class_of(lat: Array, lon: Array, resolution: int) -> NDArray[np.int64]:
    cells = np.array([h3.latlng_to_cell(a, b, resolution) for a, b in zip(lat, lon, strict=True)], dtype=np.uint64)
    return np.searchsorted(h3_cells(resolution), cells)


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What a head says: how many numbers, their loss, and the places they mean.

    Attributes:
        loss: of (output (n, outputs), indices (n,) of the training rows).
        decode: (n, outputs) numpy to (lat, lon), each (n,) degrees.
    """

    outputs: int
    loss: Callable[[torch.Tensor, NDArray[np.int64]], torch.Tensor]
    decode: Callable[[NDArray[np.float32]], tuple[Array, Array]]


def task(name: str, train: Rows, gallery: Gallery, encoder: Encoder | None = None) -> Task:
    """The task of a learned baseline.

    Raises:
        SettingError: no such baseline, or it needs an encoder or checklists that were not given.
    """
    if name in ("regression-euclidean", "regression-haversine"):
        return _regression(train, haversine=name.endswith("haversine"))
    if name.startswith("classification-") and name in BASELINES:
        return _classification(train, (int(name[-1]),))
    if name == "hierarchical":
        return _classification(train, (0, 1, 2))
    if name in BASELINES and (name == "agclip" or name.startswith("retrieval-")):
        if encoder is None:
            if name in ("retrieval-sinr", "retrieval-satclip"):
                raise SettingError(f"{name} needs a checkpoint of its location encoder; give --encoder FILE.")
            encoder = GeoClip()
        return _retrieval(train, gallery, encoder, listed=name == "agclip")
    raise SettingError(f"There is no baseline {name!r}; choose one of {', '.join(BASELINES)}.")


def _regression(train: Rows, haversine: bool) -> Task:
    import torch

    truth = torch.tensor(np.stack([train.lat_deg / 90, train.lon_deg / 180], axis=1), dtype=torch.float32)

    def loss(out: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        target = truth[torch.from_numpy(rows)]
        if not haversine:
            return torch.nn.functional.mse_loss(out, target)
        (lat_a, lon_a), (lat_b, lon_b) = ((t[:, 0] * (math.pi / 2), t[:, 1] * math.pi) for t in (out, target))
        a = torch.sin((lat_b - lat_a) / 2) ** 2 + torch.cos(lat_a) * torch.cos(lat_b) * torch.sin((lon_b - lon_a) / 2) ** 2
        # clamped, because the slope of asin(sqrt(a)) is infinite at 0 and at 1
        return (2 / math.pi * torch.asin(torch.sqrt(a.clamp(1e-7, 1 - 1e-6)))).mean()

    def decode(out: NDArray[np.float32]) -> tuple[Array, Array]:
        if haversine:  # the loss knows the sphere: beyond a pole lies the other side
            lat, lon = np.radians(out[:, 0] * 90.0), np.radians(out[:, 1] * 180.0)
            return sphere.to_lat_lon(np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1))
        lon_deg = np.asarray((out[:, 1] * 180.0 + 180.0) % 360.0 - 180.0, dtype=np.float64)
        return np.clip(out[:, 0] * 90.0, -90, 90).astype(float), lon_deg

    return Task(2, loss, decode)


def _classification(train: Rows, resolutions: tuple[int, ...]) -> Task:
    import torch

    truth = [torch.from_numpy(_class_of(train.lat_deg, train.lon_deg, r)) for r in resolutions]
    ends = np.cumsum([0, *(len(h3_cells(r)) for r in resolutions)])

    def loss(out: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        at = torch.from_numpy(rows)
        parts = (torch.nn.functional.cross_entropy(out[:, a:b], t[at]) for a, b, t in zip(ends, ends[1:], truth, strict=False))
        return torch.stack(list(parts)).sum()

    def decode(out: NDArray[np.float32]) -> tuple[Array, Array]:
        chosen = None
        for level, r in enumerate(resolutions):
            part = out[:, ends[level] : ends[level + 1]].astype(float)
            if chosen is not None:
                above = h3_cells(resolutions[level - 1])
                parent = np.searchsorted(
                    above, np.array([h3.cell_to_parent(c, resolutions[level - 1]) for c in h3_cells(r)], np.uint64)
                )
                part = np.where(parent[None] == chosen[:, None], part, -np.inf)
            chosen = part.argmax(axis=1)
        lat, lon = _centres(resolutions[-1])
        return lat[chosen], lon[chosen]

    return Task(int(ends[-1]), loss, decode)


def _retrieval(train: Rows, gallery: Gallery, encoder: Encoder, listed: bool) -> Task:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize

    where, own = np.unique(np.stack([train.lat_deg, train.lon_deg], axis=1), axis=0, return_inverse=True)
    place = torch.from_numpy(encoder.embed(where[:, 0], where[:, 1])[own.reshape(-1)])  # many share a place
    if listed and train.checklist is None:
        raise SettingError("agclip needs checklists beside the places; train it on simulated soundscapes, or leave it out.")
    checklist = train.checklist if listed else None
    species = 0 if checklist is None else checklist.shape[1]

    def loss(out: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        at = torch.from_numpy(rows)
        logits = LOGIT_SCALE * normalize(out[:, species:], dim=1) @ place[at].T
        total = cross_entropy(logits, torch.arange(len(at)))
        if checklist is not None and species:
            list_ = torch.from_numpy(checklist[rows])
            total = total + CHECKLIST_WEIGHT * binary_cross_entropy_with_logits(out[:, :species], list_, reduction="sum") / len(
                at
            )
        return total

    def decode(out: NDArray[np.float32]) -> tuple[Array, Array]:
        held = vectors_of(gallery, encoder)
        best = np.concatenate([(part @ held.T).argmax(axis=1) for part in np.array_split(out[:, species:], 1 + len(out) // 250)])
        return gallery.lat_deg[best], gallery.lon_deg[best]

    return Task(species + place.shape[1], loss, decode)


def vectors_of(gallery: Gallery, encoder: Encoder) -> NDArray[np.float32]:
    """(places, d) unit vectors of a gallery; GeoCLIP's are kept on disk, for a hundred thousand take a minute."""
    if encoder.name == GeoClip.name:
        return geoclip_vectors(gallery)
    return encoder.embed(gallery.lat_deg, gallery.lon_deg)


def fit(
    t: Task, train: Rows, schedule: Schedule, validation: Rows | None = None
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Train the head; returns the function from inputs (n, d) to outputs.

    Args:
        validation: with it, training stops when the median error has not fallen for `patience` epochs, and the best epoch's
            head is kept.
    """
    import torch

    torch.manual_seed(schedule.seed)
    rng = np.random.default_rng(schedule.seed)
    mean, std = train.x.mean(axis=0), train.x.std(axis=0) + 1e-3
    net = torch.nn.Sequential(torch.nn.Linear(train.x.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, t.outputs))
    optimiser = torch.optim.SGD(net.parameters(), lr=schedule.rate, momentum=0.9, nesterov=True, weight_decay=schedule.decay)

    def forward(x: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.concatenate(
                [net(torch.from_numpy((part - mean) / std)).numpy() for part in np.array_split(x, 1 + len(x) // 4096)]
            )

    best, best_state, waited = np.inf, None, 0
    for epoch in range(schedule.epochs):
        for group in optimiser.param_groups:
            group["lr"] = schedule.at(epoch)
        for rows in _shuffled(len(train.x), schedule.batch, rng):
            loss = t.loss(net(torch.from_numpy((train.x[rows] - mean) / std)), rows)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 100.0)
            optimiser.step()
        if validation is not None:
            median = float(np.median(_errors(t, forward, validation)))
            if median < best:
                best, waited = median, 0
                best_state = {k: v.clone() for k, v in net.state_dict().items()}
            elif (waited := waited + 1) >= schedule.patience:
                break
    if best_state is not None:
        net.load_state_dict(best_state)
    return forward


def _shuffled(n: int, batch: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    order = rng.permutation(n)
    for at in range(0, n, batch):
        part = order[at : at + batch]
        if len(part) > 1 or n == 1:
            yield part


def _errors(t: Task, forward: Callable[[NDArray[np.float32]], NDArray[np.float32]], rows: Rows) -> Array:
    return metrics.errors_km(*t.decode(forward(rows.x)), rows.lat_deg, rows.lon_deg)


def measure(
    name: str,
    train: Rows,
    test: Rows,
    gallery: Gallery,
    schedule: Schedule,
    validation: Rows | None = None,
    encoder: Encoder | None = None,
) -> Array:
    """Errors in km (n,) of a baseline trained on `train`, on `test`."""
    said = answers(name, train, test, gallery, schedule, validation, encoder)
    return metrics.errors_km(*said, test.lat_deg, test.lon_deg)


def answers(
    name: str,
    train: Rows,
    test: Rows,
    gallery: Gallery,
    schedule: Schedule,
    validation: Rows | None = None,
    encoder: Encoder | None = None,
) -> tuple[Array, Array]:
    """Latitudes and longitudes (n,) that a baseline trained on `train` gives for `test`."""
    if name == "random":
        at = np.random.default_rng(schedule.seed).integers(0, len(train.x), len(test.x))
        return train.lat_deg[at], train.lon_deg[at]
    t = task(name, train, gallery, encoder)
    return t.decode(fit(t, train, schedule, validation)(test.x))


def places_of(rows: Rows) -> tuple[Recording, ...]:
    """The distinct places of rows, as recordings without sound, for a gallery."""
    where = sorted(set(zip(rows.lat_deg.tolist(), rows.lon_deg.tolist(), strict=True)))
    return tuple(Recording(str(i), Path(), a, b) for i, (a, b) in enumerate(where))


def simulated(n: int, seed: int = 0) -> Rows:
    """Simulated soundscapes with their checklists: the input that needs no recording."""
    from engine.lab.data.simulate import Simulation
    from engine.lab.train.agclip import checklists
    from engine.models import birdnet
    from engine.world.grid import world_grid
    from engine.world.priors import prior

    grid = world_grid()
    world = Simulation(grid, np.exp(prior("observer", grid).log_mass), seed=seed, pairs=max(2000, n // 4))
    batch = next(world.batches(n))
    lat, lon = grid.lat_lon_deg
    _, _, start, index, chance = world.drawn
    listed = checklists(batch.pair, start, index, chance, len(birdnet.labels()))
    return Rows(levels_of(batch.scores()), lat[batch.cell], lon[batch.cell], listed)


def levels_of(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores 0..1 (n, 6522) as levels: 0 below 0.02, else (logit + 3.9) / 6."""
    p = np.clip(scores, 1e-6, 1 - 3e-7)
    return np.where(scores >= 0.02, (np.log(p / (1 - p)) + 3.9) / 6.0, 0.0).astype(np.float32)


def table_rows(path: Path) -> Rows:
    """Rows of a table written by `earwitness embed` with places: columns vector, lat, lon.

    Raises:
        DataError: missing or without these columns.
    """
    import pandas as pd

    if not path.is_file():
        raise DataError(f"{path} is missing; write it with: earwitness embed CLIPS -o {path.name}")
    held = pd.read_parquet(path)
    if not {"vector", "lat", "lon"} <= set(held.columns):
        raise DataError(f"{path.name} has no columns vector, lat and lon; write it with: earwitness embed --manifest FOLDER.")
    held = held.dropna(subset=["lat", "lon"])
    return Rows(np.stack(held["vector"].to_numpy()).astype(np.float32), held["lat"].to_numpy(float), held["lon"].to_numpy(float))


def recordings(folder: Path) -> Rows:
    """BirdNET levels of a folder of recordings, heard as every clip is; kept on disk."""
    from engine.clues.agclip.score import scores_of
    from engine.core.settings import Settings
    from engine.lab.bench.recordings import GROUP_RESOLUTION, Condition, perceive
    from engine.lab.data.manifest import read_manifest

    samples = read_manifest(folder)
    x = np.stack([scores_of(perceive(s, Condition(), Settings(), 0).observations) for s in samples])
    lat, lon = (np.array([getattr(s, f) for s in samples]) for f in ("lat_deg", "lon_deg"))
    group = np.array([int(h3.latlng_to_cell(a, b, GROUP_RESOLUTION)) for a, b in zip(lat, lon, strict=True)])
    return Rows(levels_of(x), lat, lon, group=group, id=tuple(s.id for s in samples))


def encoder_of(name: str, checkpoint: Path | None) -> Encoder | None:
    """The location encoder of a retrieval baseline."""
    if checkpoint is None:
        return None
    return Sinr(checkpoint) if name == "retrieval-sinr" else SatClip(checkpoint)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab train-baseline`."""
    parser.add_argument("name", choices=BASELINES)
    parser.add_argument(
        "--train", type=Path, default=None, help="table of embeddings to train on (default: simulated soundscapes)"
    )
    parser.add_argument(
        "--test",
        type=Path,
        default=None,
        help="folder of recordings or table to test on (default: recordings of the data folder)",
    )
    parser.add_argument("--soundscapes", type=int, default=40_000, help="how many to simulate")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gallery", default="geoclip", help=f"one of {', '.join(GALLERIES)}, or a CSV (default: geoclip)")
    parser.add_argument("--encoder", type=Path, default=None, help="checkpoint of SINR or SatCLIP")
    parser.add_argument("--predictions", type=Path, default=None, help="write audio_id, latitude, longitude of the test here")


def run(args: argparse.Namespace) -> int:
    """Train, test, print the row."""
    from engine.core.paths import data_dir

    train = table_rows(args.train) if args.train else simulated(args.soundscapes, args.seed)
    where = args.test or data_dir() / "recordings"
    test = table_rows(where) if where.suffix == ".parquet" else recordings(where)
    schedule = Schedule(epochs=args.epochs, seed=args.seed)
    gallery = gallery_of(args.gallery, train=places_of(train), validation=places_of(train), test=places_of(test))
    lat, lon = answers(args.name, train, test, gallery, schedule, encoder=encoder_of(args.name, args.encoder))
    errors = metrics.errors_km(lat, lon, test.lat_deg, test.lon_deg)
    print(metrics.table([metrics.Score.of_errors(args.name, errors, test.group, args.seed, note=gallery.note)]))
    if args.predictions:
        write_predictions(args.predictions, test.id or [str(i) for i in range(len(lat))], lat, lon)
    return 0
