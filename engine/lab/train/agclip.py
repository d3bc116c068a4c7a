"""Train AG-CLIP on BirdNET's scores, from simulated soundscapes alone: `earwitness lab train-agclip`.

Loss: cross-entropy over all places, the truth spread over its neighbours (80 km), plus 0.01 times the binary cross-entropy of
the checklist (species with a chance of at least 0.1 in the drawn place and week), summed over species and averaged over the
batch. The softmax runs over all places instead of a batch's: the limit of the contrastive loss for large batches.

What is kept lies between where training began (each species' range, seen through the space of places) and where it ended: `kept`
of the way. A network trained to the end on simulated soundscapes is best on simulated soundscapes; on real recordings the mean of
the two is better than either (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"; figures in the model's card).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.core import sphere
from engine.core.grid import Grid
from engine.lab.data.simulate import LEAST_LOGIT, Batch, Simulation
from engine.models import agclip, birdnet
from engine.models.geoclip_location import grid_embeddings

if TYPE_CHECKING:
    import torch

CHECKLIST_CHANCE = 0.1
CHECKLIST_WEIGHT = 0.01
TEMPER = (0.0, -0.4)  # where c0 and c1 start


@dataclass(frozen=True, slots=True)
class TrainSetting:
    """What was trained, and how.

    Attributes:
        minutes: wall-clock limit; steps: limit by count (0: none). Whichever comes first ends the learning-rate schedule, so
            runs that are to be compared give steps.
        kept: how far from start to end of training the shipped weights lie, 0 to 1.
    """

    seed: int = 0
    minutes: float = 60.0
    steps: int = 500
    batch: int = 256
    width: int = 512
    rate: float = 1e-3
    decay: float = 0.01
    dropout: float = 0.1
    spread_km: float = 80.0
    pairs: int = 60_000
    sampled_cells: int = 3072
    threads: int = 1
    week_share: float = 0.5
    kept: float = 0.3


def network(s: TrainSetting, species_vector: NDArray[np.float32]) -> torch.nn.Module:
    """The network in torch, with the names of the shipped tensors.

    Args:
        species_vector: (classes, 768) where V starts.
    """
    import torch
    from torch import nn
    from torch.nn.functional import layer_norm

    classes, width = species_vector.shape

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            # one row more stands for "nothing" and stays zero
            start = torch.from_numpy(np.vstack([species_vector, np.zeros((1, width), np.float32)]))
            self.species_vector = nn.EmbeddingBag.from_pretrained(start, freeze=False, mode="sum", padding_idx=classes)
            self.week = nn.Embedding(birdnet.WEEKS + 1, s.width)
            self.enter = nn.Linear(2 * width + 1, s.width, bias=False)
            self.middle = nn.Linear(s.width, s.width)
            self.location = nn.Linear(s.width, width)
            first, last = nn.Linear(s.width, 128), nn.Linear(128, classes)
            self.species = nn.Sequential(first, nn.ReLU(), last)
            self.temper = nn.Parameter(torch.tensor(TEMPER))
            self.dropout = nn.Dropout(s.dropout)
            self.gelu = nn.GELU()
            nn.init.zeros_(self.week.weight)
            nn.init.zeros_(self.location.weight)
            nn.init.zeros_(self.location.bias)
            nn.init.constant_(last.bias, -4.0)

        def forward(self, index: torch.Tensor, u: torch.Tensor, v: torch.Tensor, week: torch.Tensor):
            x, y = (self.species_vector(index, per_sample_weights=weight) for weight in (u, v))
            log_n = v.sum(1, keepdim=True).clamp(min=1.0).log()
            shape = (width,)
            joined = torch.cat([layer_norm(x, shape), layer_norm(y, shape), log_n], dim=1)
            h = self.dropout(self.gelu(self.enter(joined) + self.week(week)))
            h = self.dropout(h + self.gelu(self.middle(h)))
            return torch.exp(self.temper[0] + self.temper[1] * log_n) * y + self.location(h), self.species(h)

    return Net()


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """The space of places.

    Attributes:
        places: (cells, 768) vectors whose products with f are the logits.
        projection: (1024, 256) from the range model's activations to the last 256 of them.
        species: (classes, 768): for each species the vector whose products with the places come nearest to its log range.
    """

    places: NDArray[np.float32]
    projection: NDArray[np.float32]
    species: NDArray[np.float32]

    @classmethod
    def of(cls, grid: Grid, mass: NDArray[np.float64], floor: float = 5e-4, power: float = 0.95) -> Space:
        """The space on a grid, places weighted by `mass`.

        A species' log range is the log of its share among all that is recorded there, 1.06 of the log of the number of species
        being taken off as in the species clue; classes that are nobody's range get zeros.
        """
        model = birdnet.RangeModel()
        lat, lon = grid.lat_lon_deg
        q = (mass / mass.sum()).astype(np.float32)
        hidden = np.concatenate([model.hidden(lat[a : a + 2048], lon[a : a + 2048]) for a in range(0, len(grid), 2048)])
        chance = np.concatenate([model.occurrence_from(hidden[a : a + 2048]) for a in range(0, len(grid), 2048)])
        _, singular, rows = np.linalg.svd((hidden - q @ hidden) * np.sqrt(q)[:, None], full_matrices=False)
        size = agclip.RANGE_PART.stop - agclip.RANGE_PART.start
        projection = (rows[:size].T / (singular[:size] + 1e-3 * singular[0])).astype(np.float32)
        geoclip = np.float32(agclip.GEOCLIP_WEIGHT) * np.asarray(grid_embeddings(grid))
        places = np.concatenate([geoclip, (hidden - q @ hidden) @ projection], axis=1)
        richness = np.log1p(chance[:, birdnet.is_species()].sum(axis=1))
        log_q = power * np.log(chance + np.float32(floor)) - np.float32(1.06) * richness[:, None]
        log_q -= q @ log_q
        centred = places - q @ places
        gram = ((centred * q[:, None]).T @ centred).astype(np.float64) + 1e-5 * np.eye(places.shape[1])
        species = np.linalg.solve(gram, ((centred * q[:, None]).T @ log_q).astype(np.float64)).T
        species[~birdnet.is_species()] = 0.0
        return cls(places.astype(np.float32), projection, species.astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Cells about each cell, itself included: index (cells, k) and distance_km (cells, k)."""

    index: NDArray[np.int64]
    distance_km: NDArray[np.float64]

    @classmethod
    def of(cls, grid: Grid, k: int = 19) -> Neighbours:
        """The k nearest cells of each."""
        from scipy.spatial import cKDTree

        chord, index = cKDTree(grid.xyz).query(grid.xyz, k=min(k, len(grid)))
        return cls(index, 2 * sphere.EARTH_RADIUS_KM * np.arcsin(np.clip(chord / 2, 0, 1)))


def train(
    grid: Grid, observer_mass: NDArray[np.float64], s: TrainSetting, say: Callable[[str], None] = print
) -> dict[str, NDArray[np.float32]]:
    """Train and return the tensors by name, half precision not yet applied.

    Args:
        observer_mass: (cells,) where observers go, any scale.
        say: called with a line of progress now and then.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(s.threads)
    try:
        return _train(grid, observer_mass, s, say)
    finally:
        torch.set_num_threads(threads)


def _train(
    grid: Grid, observer_mass: NDArray[np.float64], s: TrainSetting, say: Callable[[str], None]
) -> dict[str, NDArray[np.float32]]:
    import torch
    from torch.nn import functional as nnf

    torch.manual_seed(s.seed)
    rng = np.random.default_rng([s.seed, 3])
    classes = len(birdnet.labels())
    world = Simulation(grid, observer_mass, seed=s.seed, pairs=s.pairs)
    space = Space.of(grid, world.place_mass)
    places = torch.from_numpy(space.places)
    log_q = torch.from_numpy(np.log(world.place_mass).astype(np.float32))
    near = Neighbours.of(grid)
    closeness = world.place_mass[near.index] * np.exp(-near.distance_km / s.spread_km)
    target = torch.from_numpy((closeness / closeness.sum(1, keepdims=True)).astype(np.float32))
    near_index = torch.from_numpy(near.index)
    net = network(s, space.species)
    table = net.get_parameter("species_vector.weight")
    rest = [p for p in net.parameters() if p is not table]
    # the species' vectors start where they should nearly be, so they are moved with a lighter hand
    parts = [{"params": rest, "share": 1.0}, {"params": [table], "weight_decay": 0.0, "share": 0.25}]
    optimiser = torch.optim.AdamW(parts, weight_decay=s.decay)
    _, _, start, index, chance = world.drawn
    say(f"{len(grid):,} places, {s.pairs:,} places and weeks drawn")
    began, step, shown = time.monotonic(), 0, []
    for batch in world.batches(s.batch):
        done = max(step / s.steps if s.steps else 0.0, (time.monotonic() - began) / (60 * s.minutes))
        if done >= 1.0:
            break
        for group in optimiser.param_groups:
            group["lr"] = group["share"] * s.rate * min(1.0, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * done))
        f, species = net(*_inputs(batch, s, rng, classes))
        cell = torch.from_numpy(batch.cell.astype(np.int64))
        loss_place = _place_loss(f, places, log_q, near_index[cell], target[cell], s.sampled_cells, rng)
        positive = torch.from_numpy(checklists(batch.pair, start, index, chance, classes))
        loss_species = nnf.binary_cross_entropy_with_logits(species, positive, reduction="sum") / len(species)
        loss = loss_place + CHECKLIST_WEIGHT * loss_species
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        shown.append((loss_place.item(), loss_species.item()))
        step += 1
        if step % 200 == 0:
            place, listed = np.mean(shown[-200:], axis=0)
            say(f"step {step}  {time.monotonic() - began:.0f} s  place {place:.3f}  checklist {listed:.1f}")
    say(f"{step} steps of {s.batch} in {time.monotonic() - began:.0f} s")
    state = {k: v.detach().numpy() for k, v in net.state_dict().items()}
    state["species_vector"] = state.pop("species_vector.weight")[:classes]
    state["range_projection"] = space.projection
    return partway(state, space.species, s.kept)


def partway(state: dict[str, NDArray[np.float32]], start: NDArray[np.float32], kept: float) -> dict[str, NDArray[np.float32]]:
    """The weights `kept` of the way from the start of training to its end.

    The network starts as the direct path alone: species' vectors `start` (classes, 768), temper (0, -0.4), a location layer of
    zeros. The layers before that one have no say at the start and stay as they are trained.
    """
    out = dict(state)
    out["species_vector"] = (1 - kept) * start + kept * state["species_vector"]
    out["temper"] = (1 - kept) * np.array(TEMPER, dtype=np.float32) + kept * state["temper"]
    out["location.weight"], out["location.bias"] = kept * state["location.weight"], kept * state["location.bias"]
    return out


def _inputs(batch: Batch, s: TrainSetting, rng: np.random.Generator, classes: int) -> tuple[torch.Tensor, ...]:
    import torch

    kept = (batch.index >= 0) & (rng.random(batch.index.shape) >= 0.05)  # now and then a species goes unheard
    index = np.where(kept, batch.index, classes).astype(np.int64)
    u, v = agclip.level_weights(np.where(kept, batch.logit, LEAST_LOGIT))
    zero = np.float32(0)
    week = np.where(rng.random(len(batch.week)) < s.week_share, batch.week, 0).astype(np.int64)
    return (
        torch.from_numpy(index),
        torch.from_numpy(np.where(kept, u, zero).astype(np.float32)),
        torch.from_numpy(np.where(kept, v, zero).astype(np.float32)),
        torch.from_numpy(week),
    )


def _place_loss(
    f: torch.Tensor,
    places: torch.Tensor,
    log_q: torch.Tensor,
    near: torch.Tensor,
    target: torch.Tensor,
    sampled: int,
    rng: np.random.Generator,
) -> torch.Tensor:
    """Cross-entropy over all places, those far from the truth by a random part that stands for all of them."""
    import torch

    total = len(places)
    own = (f[:, None] * places[near]).sum(-1) + log_q[near]  # (n, k)
    if sampled and sampled < total:
        some = torch.from_numpy(rng.choice(total, sampled, replace=False))
        others = f @ places[some].T + (log_q[some] + math.log(total / sampled))
        others = others.masked_fill(_members(near, some, total), -torch.inf)
    else:
        others = f @ places.T + log_q
        others = others.scatter(1, near, -torch.inf)
    norm = torch.logsumexp(torch.cat([own, others], dim=1), dim=1, keepdim=True)
    return -(target * (own - norm)).sum(1).mean()


def _members(near: torch.Tensor, some: torch.Tensor, total: int) -> torch.Tensor:
    """(n, m) whether each sampled place is among a row's own."""
    import torch

    position = torch.full((total,), -1, dtype=torch.int64)
    position[some] = torch.arange(len(some))
    at = position[near]
    hit = torch.zeros(len(near), len(some) + 1, dtype=torch.bool)
    hit.scatter_(1, torch.where(at >= 0, at, len(some)), True)
    return hit[:, :-1]


def checklists(
    pair: NDArray[np.int32],
    start: NDArray[np.int64],
    index: NDArray[np.int16],
    chance: NDArray[np.float32],
    classes: int,
) -> NDArray[np.float32]:
    """(n, classes) 0/1: species with a chance of at least 0.1 at each drawn place and week."""
    out = np.zeros((len(pair), classes), dtype=np.float32)
    for row, p in enumerate(pair):
        part = slice(start[p], start[p + 1])
        out[row, index[part][chance[part] >= CHECKLIST_CHANCE]] = 1.0
    return out


def save(tensors: dict[str, NDArray[np.float32]], s: TrainSetting, folder: Path, command: str) -> Path:
    """Write weights.safetensors (half precision) and model.json (its hash, settings, command); returns the weights' path."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "weights.safetensors"
    half = {k: np.ascontiguousarray(v.astype(np.float16)) for k, v in tensors.items()}
    save_file(half, file, metadata={"licence": agclip.LICENCE, "model": agclip.MODEL_ID})
    card = {
        "model": agclip.MODEL_ID,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "licence": agclip.LICENCE,
        "command": command,
        "setting": asdict(s),
    }
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab train-agclip`; every field of TrainSetting is one."""
    defaults = TrainSetting()
    for name, value in asdict(defaults).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("-o", "--output", type=Path, default=agclip.FOLDER)


def run(args: argparse.Namespace) -> int:
    """Train on the world grid and write the model."""
    from engine.world.grid import world_grid
    from engine.world.priors import prior

    s = TrainSetting(**{name: getattr(args, name) for name in asdict(TrainSetting())})
    grid = world_grid()
    changed = [f"--{k.replace('_', '-')} {v}" for k, v in asdict(s).items() if v != getattr(TrainSetting(), k)]
    command = " ".join(["earwitness lab train-agclip", *changed])
    tensors = train(grid, np.exp(prior("observer", grid).log_mass), s)
    print(save(tensors, s, args.output, command))
    return 0
