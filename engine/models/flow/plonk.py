"""PLONK's checkpoints in our own harness: a second model of where a picture is from, for those who have its weights.

A checkpoint is a folder in the hub's form: config.json and model.safetensors of "nicolas-dufour/PLONK_OSV_5M" (StreetCLIP's 1,024
numbers), "PLONK_YFCC" or "PLONK_iNaturalist" (DINOv2's). Its network is a residual perceptron whose layers are scaled and shifted
by condition and time; its time g goes from 0 (noise) to 1 (data), its condition is dropped by zeros. Released models were trained
with a sigmoid schedule from -7 to 3, by which their sampler steps; in g the flow is the same, so that the solver and the density
of `ode` apply. Training draws came from the data set's places: its density is a posterior under that prior, not under ours.

Source: Dufour et al. 2025, arXiv 2412.06781, and the names and shapes of its package diff-plonk 0.4 (MIT).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.core.errors import DataError, WeightsError
from engine.core.file import read_text
from engine.models.flow import geometry, ode
from engine.models.flow.model import Samples

STEPS = 32
SIGMOID = (-7.0, 3.0)
TIME_SCALE = 1000.0
LONGEST_PERIOD = 10_000.0


@dataclass(frozen=True, slots=True)
class PlonkShape:
    """Sizes, as config.json names them."""

    input_dim: int = 3
    dim: int = 512
    depth: int = 12
    expansion: int = 4
    cond_dim: int = 1024


class _Clock(nn.Module):
    """Time to a vector: waves, standardised, then a perceptron."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        waves = dim // 4
        self.encode_time = nn.Module()
        rates = (1.0 / LONGEST_PERIOD) ** (2.0 * torch.arange(waves // 2) / waves)
        self.encode_time.register_buffer("freqs", rates.float())
        self.map_time = nn.Sequential(nn.Linear(waves, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, g: Tensor) -> Tensor:
        turn = (g * TIME_SCALE)[..., None] * self.encode_time.get_buffer("freqs")
        waves = torch.cat([turn.cos(), turn.sin()], dim=-1)
        centred = waves - waves.mean(dim=-1, keepdim=True)
        out: Tensor = self.map_time(centred / waves.std(dim=-1, keepdim=True))
        return out


class _Block(nn.Module):
    def __init__(self, dim: int, expansion: int) -> None:
        super().__init__()
        wide = dim * expansion
        self.mlp = nn.Sequential(nn.Linear(dim, wide), nn.GELU(), nn.Dropout(0.0), nn.Linear(wide, dim))
        self.ada_map = nn.Sequential(nn.SiLU(), nn.Linear(dim, 3 * dim))

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        scale, shift, amount = self.ada_map(known).chunk(3, dim=-1)
        seen = (1 + scale) * nn.functional.layer_norm(x, x.shape[-1:]) + shift
        out: Tensor = x + self.mlp(seen) * amount
        return out


class PlonkNet(nn.Module):
    """The network, with the checkpoints' names of tensors."""

    def __init__(self, shape: PlonkShape) -> None:
        super().__init__()
        self.shape = shape
        self.time_embedder = _Clock(shape.dim)
        self.cond_mapper = nn.Linear(shape.cond_dim, shape.dim)
        self.initial_mapper = nn.Linear(shape.input_dim, shape.dim)
        self.blocks = nn.ModuleList(_Block(shape.dim, shape.expansion) for _ in range(shape.depth))
        self.final_adaln = nn.Sequential(nn.SiLU(), nn.Linear(shape.dim, 2 * shape.dim))
        self.final_linear = nn.Linear(shape.dim, shape.input_dim)

    def forward(self, x: Tensor, g: Tensor, picture: Tensor) -> Tensor:
        """Raw output (n, m, 3) at points x (n, m, 3), times g (n or 1, m or 1) and pictures (n, cond_dim)."""
        known = self.cond_mapper(picture)[:, None] + self.time_embedder(g)
        h = self.initial_mapper(x)
        for block in self.blocks:
            h = block(h, known)
        scale, shift = self.final_adaln(known).chunk(2, dim=-1)
        out: Tensor = self.final_linear((1 + scale) * nn.functional.layer_norm(h, h.shape[-1:]) + shift)
        return out


class Plonk:
    """A checkpoint, loaded.

    Args:
        folder: with config.json and model.safetensors.

    Raises:
        WeightsError: a file is missing, or they do not fit together or this network.
    """

    def __init__(self, folder: Path) -> None:
        self.net = _load(folder)

    def velocity(self, picture: NDArray[np.float32], guidance: float = 1.0) -> ode.Field:
        """The field for one picture's vector (cond_dim,), points (..., 3); guidance as in `model.Flow`.

        Raises:
            ValueError: the vector has another size or is not finite.
        """
        size = self.net.shape.cond_dim
        if np.shape(picture) != (size,) or not np.isfinite(picture).all():
            raise ValueError(f"this checkpoint takes a vector of {size} finite numbers")
        vector = torch.from_numpy(np.asarray(picture, dtype=np.float32))[None]

        def v(x: Tensor, g: float) -> Tensor:
            flat, when = x.reshape(1, -1, 3), torch.full((1, 1), g, dtype=x.dtype)
            own = self.net(flat, when, vector)
            if guidance != 1.0:
                free = self.net(flat, when, torch.zeros_like(vector))
                own = free + guidance * (own - free)
            return geometry.tangent(x, own.reshape(x.shape))

        return v

    def sample(
        self, picture: NDArray[np.float32], n: int, seed: int = 0, guidance: float = 1.0, density: bool = False
    ) -> Samples:
        """Draw n places for a picture's vector, reproducible from the seed."""
        x = geometry.uniform(n, torch.Generator().manual_seed(seed))
        with torch.no_grad():
            moved = ode.move(self.velocity(picture, guidance), x, times(STEPS), "exact" if density else None)
        log_p = None if moved.log_ratio is None else (moved.log_ratio + geometry.LOG_UNIFORM).double().numpy()
        return Samples(moved.x.double().numpy(), log_p, guidance)

    def log_density(self, picture: NDArray[np.float32], xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) log density per steradian at places (n, 3)."""
        x = torch.from_numpy(np.asarray(xyz, dtype=np.float32))
        with torch.no_grad():
            moved = ode.move(self.velocity(picture), x, times(STEPS)[::-1], "exact")
        assert moved.log_ratio is not None
        return (geometry.LOG_UNIFORM - moved.log_ratio).double().numpy()


def times(steps: int) -> list[float]:
    """g from 0 to 1 by PLONK's schedule: (sigmoid(3) - sigmoid(-7 + 10 s)) / (sigmoid(3) - sigmoid(-7)), s from 1 to 0."""
    low, high = SIGMOID

    def sigmoid(z: float) -> float:
        return 1.0 / (1.0 + math.exp(-z))

    span = sigmoid(high) - sigmoid(low)
    inner = [(sigmoid(high) - sigmoid(low + (high - low) * (1 - k / steps))) / span for k in range(1, steps)]
    return [0.0, *inner, 1.0]


def _load(folder: Path) -> PlonkNet:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    config, weights = folder / "config.json", folder / "model.safetensors"
    for file in (config, weights):
        if not file.is_file():
            raise WeightsError(
                f"{file.name} of PLONK is missing in {folder}; bring the folder of nicolas-dufour/PLONK_OSV_5M (config.json and "
                f"model.safetensors) from huggingface.co."
            )
    try:
        held = json.loads(read_text(config))
        shape = PlonkShape(**{k: int(held[k]) for k in ("input_dim", "dim", "depth", "expansion", "cond_dim")})
        state = load_file(weights)
    except (DataError, ValueError, KeyError, TypeError, OSError, RecursionError, SafetensorError) as wrong:
        raise WeightsError(
            f"{folder} holds no PLONK checkpoint ({wrong}); bring config.json and model.safetensors again."
        ) from wrong
    if shape.input_dim != 3:
        raise WeightsError("This PLONK checkpoint is not of the kind on the sphere (input_dim 3); bring a Riemannian one.")
    net = PlonkNet(shape)
    try:
        net.load_state_dict({k: v.float() for k, v in state.items()})
    except RuntimeError as wrong:
        raise WeightsError(f"{weights.name} does not fit its config.json; bring both from one repository.") from wrong
    return net.eval().requires_grad_(False)
