"""Moving points along a velocity field on the sphere, and what that does to their density.

Each step is a rotation: the velocity v at x is the spin x × v, spins are combined by the fourth-order rule of Munthe-Kaas, and
the point is turned, so that it never leaves the sphere. With p the density that moves with the points, d log p / dt = -div v: the
divergence is taken in the tangent plane by forward differentiation (the field's own `change(x, t, along)` where it has one, else
torch's), exactly (two directions) or by Hutchinson's estimate (one random direction a point, the same for the whole way).

Sources: Munthe-Kaas 1999, "High order Runge-Kutta methods on manifolds"; Chen et al. 2018, "Neural ordinary differential
equations", appendix A; Grathwohl et al. 2019 (FFJORD), section 3; Mathieu & Nickel 2020, arXiv 2006.10605.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.models.flow import geometry

Field = Callable[[Tensor, float], Tensor]
"""(points (..., 3), time) → tangent velocities (..., 3)."""

STEPS = 16
LATE = 0.04  # the schedule gets finer as 1 - t falls, until it is about this


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """Points moved through time.

    Attributes:
        x: (..., 3) where they end.
        log_ratio: (...) log of their density at the end over that at the start, when it was asked for.
        path: (steps + 1, ..., 3) all stations when they were asked for.
    """

    x: Tensor
    log_ratio: Tensor | None = None
    path: Tensor | None = None


def schedule(steps: int = STEPS, late: float = LATE) -> list[float]:
    """Times from 0 to 1, (steps + 1), equal in log(1 - t + late): the nearer the end, the finer."""
    high, low = math.log(1.0 + late), math.log(late)
    inner = [1.0 + late - math.exp(high + (low - high) * k / steps) for k in range(1, steps)]
    return [0.0, *inner, 1.0]


def move(
    field: Field,
    x: Tensor,
    times: Sequence[float],
    density: str | None = None,
    generator: torch.Generator | None = None,
    keep_path: bool = False,
) -> Moved:
    """Move points (..., 3) along the field through the given times, forwards or backwards.

    Args:
        times: the first is where x is; falling times move back.
        density: None, "exact" or "hutchinson": whether and how the change of log density is followed.
        generator: of the random directions of "hutchinson".

    Raises:
        ValueError: no such way to follow the density, or "hutchinson" without a generator.
    """
    if density not in (None, "exact", "hutchinson"):
        raise ValueError(f"density is followed exactly or by hutchinson, not {density!r}")
    signs = None
    if density == "hutchinson":
        if generator is None:
            raise ValueError("hutchinson's random directions need a generator")
        signs = torch.randint(0, 2, (*x.shape[:-1], 2), generator=generator).to(x) * 2 - 1
    total = torch.zeros(x.shape[:-1], dtype=x.dtype, device=x.device)
    path = [x]
    for now, then in itertools.pairwise(times):
        x, fallen = _step(field, x, now, then - now, density, signs)
        total = total - fallen
        if keep_path:
            path.append(x)
    return Moved(x, total if density else None, torch.stack(path) if keep_path else None)


def _step(field: Field, x: Tensor, t: float, h: float, density: str | None, signs: Tensor | None) -> tuple[Tensor, Tensor]:
    """One step of Munthe-Kaas, and the integral of the divergence over it by the same rule."""
    cross = torch.linalg.cross

    def stage(at: Tensor, when: float) -> tuple[Tensor, Tensor]:
        v, div = velocity_and_divergence(field, at, when, density, signs)
        return h * cross(at, v), h * div

    k1, d1 = stage(x, t)
    k2, d2 = stage(geometry.rotate(k1 / 2, x), t + h / 2)
    k3, d3 = stage(geometry.rotate(k2 / 2 - cross(k1, k2) / 8, x), t + h / 2)
    k4, d4 = stage(geometry.rotate(k3, x), t + h)
    spin = (k1 + 2 * k2 + 2 * k3 + k4) / 6 - cross(k1, k4) / 12
    return geometry.rotate(spin, x), (d1 + 2 * d2 + 2 * d3 + d4) / 6


def velocity_and_divergence(
    field: Field, x: Tensor, t: float, density: str | None, signs: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Tangent velocity (..., 3) and its divergence on the sphere (...): zeros when no density is followed.

    Args:
        signs: (..., 2) of ±1, how the two tangents are mixed into Hutchinson's one direction.
    """
    if density is None:
        return geometry.tangent(x, field(x, t)), torch.zeros(x.shape[:-1], dtype=x.dtype, device=x.device)
    first, second = geometry.basis(x)

    def moved(at: Tensor) -> Tensor:
        here = geometry.unit(at)
        return geometry.tangent(here, field(here, t))

    if density == "exact":
        along = torch.stack([first, second])
    else:
        assert signs is not None
        along = (first * signs[..., :1] + second * signs[..., 1:])[None]
    change = getattr(field, "change", None)
    if change is not None:
        v, changed = change(x, t, along)
        return v, (along * changed).sum((0, -1))

    def both(e: Tensor) -> tuple[Tensor, Tensor]:
        pair: tuple[Tensor, Tensor] = torch.func.jvp(moved, (x,), (e,))[:2]
        return pair

    v, changed = torch.func.vmap(both)(along)
    return v[0], (along * changed).sum((0, -1))
