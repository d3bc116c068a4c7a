"""The shipped flow: from a clip's vectors to samples of its place and to their exact density.

It is a posterior under its training prior (places uniform by area over the grid's cells): another prior multiplies its density
and renormalises (`verdict.flowing`). With guidance g the field is v_0 + g (v - v_0), v_0 being the field of a clip that says
nothing (Ho & Salimans 2022, "Classifier-free diffusion guidance", as PLONK uses it): beyond 1 it sharpens, and what comes of it
is labelled so and counts for nothing but the eye.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core.errors import DataError, WeightsError
from engine.core.file import read_text
from engine.core.paths import ASSETS
from engine.models import cards
from engine.models.flow import geometry, ode
from engine.models.flow.field import Conditioning, Shape, VelocityField
from engine.models.flow.rivals import GridSoftmax, VmfMixture
from engine.models.flow.sketch import Atlas, Condition, Heat

MODEL_ID = cards.FLOW.id
FOLDER = ASSETS / "models" / "flow"
BATCH = 400  # points moved at once: more do not fit the processor's cache


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Places drawn.

    Attributes:
        xyz: (n, 3) unit vectors; path: (steps + 1, n, 3) the way there, when it was asked for.
        log_density: (n,) natural log of the density per steradian, exact, or None.
        guidance: 1 for the posterior itself.
        label: "posterior" or "sharpened".
    """

    xyz: NDArray[np.float64]
    log_density: NDArray[np.float64] | None
    guidance: float
    path: NDArray[np.float64] | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        return "posterior" if self.guidance == 1.0 else "sharpened"


@dataclass(frozen=True, slots=True, eq=False)
class Velocity:
    """A field told of clips, as the solver takes it: points (n, m, 3) and a time to velocities."""

    field: VelocityField
    conditioning: Conditioning
    guidance: float = 1.0
    nothing: Conditioning | None = None

    def __call__(self, x: Tensor, t: float) -> Tensor:
        own = self.field(x, _time(x, t), self.conditioning)
        if self.guidance == 1.0:
            return own
        assert self.nothing is not None
        free = self.field(x.reshape(1, -1, 3), _time(x, t), self.nothing).reshape(x.shape)
        return free + self.guidance * (own - free)

    def change(self, x: Tensor, t: float, along: Tensor) -> tuple[Tensor, Tensor]:
        """Velocities and how they change along tangents (k, n, m, 3)."""
        own, d_own = self.field.change(x, _time(x, t), self.conditioning, along)
        if self.guidance == 1.0:
            return own, d_own
        assert self.nothing is not None
        flat = along.reshape(len(along), 1, -1, 3)
        free, d_free = self.field.change(x.reshape(1, -1, 3), _time(x, t), self.nothing, flat)
        free, d_free = free.reshape(x.shape), d_free.reshape(along.shape)
        return free + self.guidance * (own - free), d_free + self.guidance * (d_own - d_free)


def _time(x: Tensor, t: float) -> Tensor:
    return torch.full((1, 1, 1), t, dtype=x.dtype)


class Flow:
    """A velocity field with its tables.

    Args:
        field: the network; in double precision what it computes is, too.
        atlas: tables of the world grid; heat: the temperature of the inputs' scores.
        steps: of the solver.
    """

    def __init__(self, field: VelocityField, atlas: Atlas, heat: Heat, steps: int = ode.STEPS) -> None:
        self.field, self.atlas, self.heat, self.steps = field.eval(), atlas, heat, steps
        self._nothing: Conditioning | None = None

    def conditioning(self, conditions: Sequence[Condition]) -> Conditioning:
        """What the field needs to know of conditions."""
        with torch.no_grad():
            return self.field.conditioning(self.atlas.sketch(conditions, self.heat))

    def velocity(self, conditioning: Conditioning, guidance: float = 1.0) -> Velocity:
        """The field of conditions, for points (n, m, 3); see the module's text for guidance.

        Raises:
            ValueError: guidance is negative or not finite.
        """
        if not (np.isfinite(guidance) and guidance >= 0):
            raise ValueError("guidance is a number from 0 (nothing was said) over 1 (the posterior) upwards")
        if guidance != 1.0 and self._nothing is None:
            self._nothing = self.conditioning([Condition()])
        return Velocity(self.field, conditioning, guidance, self._nothing)

    def sample(
        self, condition: Condition, n: int, seed: int = 0, guidance: float = 1.0, density: bool = False, keep_path: bool = False
    ) -> Samples:
        """Draw n places, reproducible from the seed.

        Args:
            density: whether the exact density of each is worked out, too (three times the work).
        """
        conditioning = self.conditioning([condition])
        x = geometry.uniform(n, torch.Generator().manual_seed(seed))
        parts = []
        with torch.no_grad():
            for at in range(0, n, BATCH):
                start = x[None, at : at + BATCH]
                v = self.velocity(conditioning, guidance)
                parts.append(ode.move(v, start, ode.schedule(self.steps), "exact" if density else None, keep_path=keep_path))
        log_p = (
            torch.cat([p.log_ratio for p in parts if p.log_ratio is not None], 1)[0] + geometry.LOG_UNIFORM if density else None
        )
        path = torch.cat([p.path for p in parts if p.path is not None], 2)[:, 0] if keep_path else None
        return Samples(
            torch.cat([p.x for p in parts], 1)[0].double().numpy(),
            None if log_p is None else log_p.double().numpy(),
            guidance,
            None if path is None else path.double().numpy(),
        )

    def log_density(
        self, conditioning: Conditioning, xyz: NDArray[np.float64], guidance: float = 1.0, how: str = "exact", seed: int = 0
    ) -> NDArray[np.float64]:
        """Log density per steradian at places, by the way back to the uniform draw.

        Args:
            conditioning: of n conditions; xyz: (n, m, 3), or (m, 3) the same places for all.
            how: "exact" or "hutchinson" (with the seed).

        Returns:
            (n, m).
        """
        n = len(conditioning.log_mass)
        points = torch.from_numpy(np.asarray(xyz, dtype=np.float32))
        points = points.expand(n, *points.shape[-2:]) if points.ndim == 2 else points
        generator = torch.Generator().manual_seed(seed)
        back = ode.schedule(self.steps)[::-1]
        out = np.empty(points.shape[:2])
        size = max(1, BATCH // n)
        with torch.no_grad():
            for at in range(0, points.shape[1], size):
                part = points[:, at : at + size].contiguous()
                moved = ode.move(self.velocity(conditioning, guidance), part, back, how, generator)
                assert moved.log_ratio is not None
                out[:, at : at + size] = (geometry.LOG_UNIFORM - moved.log_ratio).double().numpy()
        return out


class Shipped:
    """The weights in a folder, with the heads they are measured against.

    Args:
        folder: where flow.safetensors, rivals.safetensors and model.json are.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    @cached_property
    def card(self) -> dict[str, Any]:
        """model.json.

        Raises:
            WeightsError: it is missing or cannot be read.
        """
        file = self.folder / "model.json"
        try:
            held = json.loads(read_text(file, what="card"))
            Shape(**held["shape"])
            Heat(**held["heat"])
        except (DataError, ValueError, KeyError, TypeError, RecursionError) as wrong:
            raise WeightsError(
                f"{file} is missing or damaged; restore it from the repository, or run: earwitness lab train-flow"
            ) from wrong
        return dict(held)

    @property
    def heat(self) -> Heat:
        return Heat(**self.card["heat"])

    @property
    def shape(self) -> Shape:
        return Shape(**self.card["shape"])

    def field(self) -> VelocityField:
        """The flow's network."""
        net = VelocityField(self.shape)
        self._into(net, "flow", "field")
        return net.eval()

    def rivals(self, cells: int) -> tuple[VmfMixture, GridSoftmax]:
        """The heads trained beside it, for a grid of so many cells."""
        vmf, softmax = VmfMixture(self.shape), GridSoftmax(self.shape, cells)
        self._into(vmf, "rivals", "vmf")
        self._into(softmax, "rivals", "softmax")
        return vmf.eval(), softmax.eval()

    def _into(self, net: torch.nn.Module, name: str, part: str) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import load

        file = self.folder / f"{name}.safetensors"
        if not file.is_file():
            raise WeightsError(f"{file} is missing; restore it from the repository, or run: earwitness lab train-flow")
        raw = file.read_bytes()
        if hashlib.sha256(raw).hexdigest() != self.card["sha256"][name]:
            raise WeightsError(f"{file.name} is not the file its card names; restore it from the repository.")
        try:
            held = {k.removeprefix(f"{part}."): v.float() for k, v in load(raw).items() if k.startswith(f"{part}.")}
            net.load_state_dict(held)
        except (SafetensorError, RuntimeError) as wrong:
            raise WeightsError(f"{file.name} does not fit its card; restore both from the repository.") from wrong
