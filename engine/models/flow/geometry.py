"""The unit sphere in torch: what flow matching needs of it. Points are unit vectors (..., 3), velocities tangent (..., 3).

The cut locus of a point is its antipode: every great circle leads there, so the logarithm is not unique. Here the way through
the north pole is taken, and from a pole the one along 0°E, as `core.sphere.great_circle` does; two draws meet it with chance 0.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LOG_UNIFORM = -math.log(4.0 * math.pi)  # log density per steradian of a draw that may fall anywhere


def unit(v: Tensor) -> Tensor:
    """The vectors (..., 3) brought to length 1."""
    return v / v.norm(dim=-1, keepdim=True)


def tangent(x: Tensor, v: Tensor) -> Tensor:
    """The part of v (..., 3) in the tangent plane at x (..., 3): v - x (x·v)."""
    return v - x * (x * v).sum(-1, keepdim=True)


def uniform(n: int, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Tensor:
    """(n, 3) points drawn uniformly by area."""
    return unit(torch.randn(n, 3, generator=generator, dtype=dtype))


def angle(x: Tensor, y: Tensor) -> Tensor:
    """(...) angle between unit vectors in radians: atan2 of cross and dot, exact at 0 and at pi."""
    return torch.atan2(torch.linalg.cross(x, y).norm(dim=-1), (x * y).sum(-1))


def direction(x: Tensor, y: Tensor) -> Tensor:
    """(..., 3) unit tangent at x towards y; zero where y is x; at the antipode by the rule of the module's text."""
    off = tangent(x, y)
    size = off.norm(dim=-1, keepdim=True)
    tiny = 1e-6 if x.dtype == torch.float32 else 1e-12
    antipodal = (size < tiny) & ((x * y).sum(-1, keepdim=True) < 0)
    north = torch.tensor([0.0, 0.0, 1.0], dtype=x.dtype, device=x.device).expand_as(x)
    meridian = torch.tensor([1.0, 0.0, 0.0], dtype=x.dtype, device=x.device).expand_as(x)
    at_pole = x[..., 2:].abs() > 1.0 - 1e-6
    ruled = tangent(x, torch.where(at_pole, meridian, north))
    ruled = ruled / ruled.norm(dim=-1, keepdim=True)
    return torch.where(antipodal, ruled, torch.where(size < tiny, torch.zeros_like(off), off / size.clamp(min=tiny)))


def log(x: Tensor, y: Tensor) -> Tensor:
    """(..., 3) the tangent at x that leads to y in unit time: direction times angle."""
    return direction(x, y) * angle(x, y)[..., None]


def exp(x: Tensor, v: Tensor) -> Tensor:
    """(..., 3) where the geodesic from x with velocity v (tangent) is after unit time."""
    size = v.norm(dim=-1, keepdim=True)
    return unit(torch.cos(size) * x + torch.sinc(size / math.pi) * v)


def geodesic(x0: Tensor, x1: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """Point and velocity at time t (..., 1), 0 to 1, on the shortest way from x0 to x1, both (..., 3).

    The speed is the same all along: the angle between the two.
    """
    way, omega = direction(x0, x1), angle(x0, x1)[..., None]
    at, turned = torch.cos(t * omega), torch.sin(t * omega)
    return unit(at * x0 + turned * way), omega * (at * way - turned * x0)


def rotate(spin: Tensor, x: Tensor) -> Tensor:
    """(..., 3) x turned about the axis spin (..., 3) by its length in radians (Rodrigues)."""
    size = spin.norm(dim=-1, keepdim=True)
    sinc, half = torch.sinc(size / math.pi), torch.sinc(size / (2 * math.pi))
    across = torch.linalg.cross(spin, x)
    return unit(x + sinc * across + 0.5 * half * half * torch.linalg.cross(spin, across))


def basis(x: Tensor) -> tuple[Tensor, Tensor]:
    """Two orthonormal tangents (..., 3) at each x (..., 3); no choice of them is continuous all over the sphere."""
    smallest = x.abs().argmin(dim=-1, keepdim=True)
    axis = torch.zeros_like(x).scatter(-1, smallest, 1.0)
    first = unit(tangent(x, axis))
    return first, torch.linalg.cross(x, first)


def interpolant_log_density(x: Tensor, x1: Tensor, t: float) -> Tensor:
    """(...) log density per steradian, at x and time t < 1, of the geodesic way from a uniform draw to x1; -inf out of reach.

    The cap that the draw fills has shrunk to radius (1 - t) pi: density sin(a / (1 - t)) / (4 pi (1 - t) sin a) at angle a.
    """
    a = angle(x, x1)
    left = 1.0 - t
    inside = a < left * math.pi
    grown = torch.where(inside, a / left, torch.ones_like(a))
    # sin(a')/sin(a) = sinc(a')/sinc(a) · a'/a, safe at 0
    ratio = torch.sinc(grown / math.pi) / torch.sinc(a / math.pi).clamp(min=1e-30) / left
    return torch.where(inside, LOG_UNIFORM + ratio.clamp(min=1e-30).log() - math.log(left), torch.full_like(a, -math.inf))
