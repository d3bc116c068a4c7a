"""Heads that the flow is measured against: the same trunk, the same sketch, trained on the same clips beside it.

vmf      a mixture of von Mises-Fisher bumps, as in PLONK's comparison (Dufour et al. 2025, section 4; Izbicki et al. 2019)
softmax  a softmax over all cells of the world grid
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from engine.models.flow.field import Shape, Trunk
from engine.models.flow.sketch import Sketch

BUMPS = 32


class VmfMixture(nn.Module):
    """(n,) conditions to weights, means and concentrations of BUMPS bumps."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.trunk = Trunk(shape, dropout)
        self.head = nn.Linear(shape.trunk, 5 * BUMPS)

    def forward(self, s: Sketch) -> tuple[Tensor, Tensor, Tensor]:
        """Log weights (n, BUMPS), unit means (n, BUMPS, 3), concentrations (n, BUMPS), 0.1 to 100,000."""
        out = self.head(self.trunk(s)).reshape(len(s), BUMPS, 5)
        mean = nn.functional.normalize(out[..., :3] + 1e-6, dim=-1)
        sharp = torch.exp(torch.clamp(3.0 + 2.0 * out[..., 4], -2.3, 11.5))
        return torch.log_softmax(out[..., 3], dim=-1), mean, sharp

    def log_density(self, s: Sketch, x: Tensor) -> Tensor:
        """(n, m) log density per steradian at points x (n, m, 3)."""
        log_w, mean, sharp = self(s)
        k = sharp[:, None]
        bump = k.log() - torch.log1p(-torch.exp(-2 * k)) - math.log(2 * math.pi) + k * (x @ mean.transpose(-1, -2) - 1.0)
        return torch.logsumexp(log_w[:, None] + bump, dim=-1)


class GridSoftmax(nn.Module):
    """(n,) conditions to log masses of the world grid's cells, under places uniform by area."""

    def __init__(self, shape: Shape, cells: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.trunk = Trunk(shape, dropout)
        self.head = nn.Linear(shape.trunk, cells)

    def log_mass(self, s: Sketch, log_area: Tensor) -> Tensor:
        """(n, cells), logsumexp 0; log_area (cells,) is the log of each cell's share of the area."""
        return torch.log_softmax(self.head(self.trunk(s)) + log_area, dim=-1)
