"""Geodesics on the sphere against known answers: poles, the antimeridian, the cut locus, the tangent plane."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.core import sphere
from engine.models.flow import geometry

F64 = torch.float64


def place(lat_deg: float, lon_deg: float) -> torch.Tensor:
    return torch.from_numpy(sphere.to_xyz(lat_deg, lon_deg))


def draw(n: int, seed: int = 0, dtype: torch.dtype = F64) -> torch.Tensor:
    return geometry.uniform(n, torch.Generator().manual_seed(seed), dtype)


def test_uniform_draws_cover_the_sphere_by_area() -> None:
    x = draw(40_000)
    assert torch.allclose(x.norm(dim=-1), torch.ones(len(x), dtype=F64))
    assert abs(float((x[:, 2] > 0.5).double().mean()) - 0.25) < 0.01  # Archimedes: height is uniform
    assert x.mean(0).abs().max() < 0.02


def test_uniform_is_reproducible() -> None:
    assert torch.equal(draw(5, 3), draw(5, 3))
    assert not torch.equal(draw(5, 3), draw(5, 4))


@pytest.mark.parametrize(
    ("a", "b", "t", "expected"),
    [
        ((0, 0), (0, 90), 0.5, (0, 45)),
        ((0, 170), (0, -170), 0.5, (0, 180)),  # over the antimeridian
        ((80, 0), (80, 180), 0.5, (90, 0)),  # over the pole
        ((90, 0), (0, 30), 1 / 3, (60, 30)),
        ((-90, 0), (90, 0), 0.5, (0, 0)),  # cut locus from a pole: along 0°E
        ((0, 20), (0, -160), 0.25, (45, 20)),  # cut locus: through the north pole
        ((30, 40), (30, 40), 0.7, (30, 40)),
    ],
)
def test_geodesic_known_points(a: tuple, b: tuple, t: float, expected: tuple) -> None:
    x, _ = geometry.geodesic(place(*a), place(*b), torch.tensor([t], dtype=F64))
    lat, lon = sphere.to_lat_lon(x.numpy())
    assert sphere.distance_km(lat, lon, *expected) < 1e-6


def test_cut_locus_agrees_with_the_drawn_great_circle() -> None:
    """From anywhere to its antipode, at every time, the same way as core.sphere draws."""
    for lat, lon in ((10, 20), (-55, -170), (0, 0), (89, 5)):
        other = (-lat, lon - 180 if lon > 0 else lon + 180)
        t = torch.linspace(0, 1, 9, dtype=F64)[:, None]
        a, b = place(lat, lon).expand(9, 3), -place(lat, lon).expand(9, 3)
        x, v = geometry.geodesic(a, b, t)
        drawn = sphere.great_circle(lat, lon, *other, steps=9)
        assert np.max(sphere.distance_km(*sphere.to_lat_lon(x.numpy()), *drawn)) < 1e-5
        assert torch.allclose(v.norm(dim=-1), torch.full((9,), math.pi, dtype=F64))


def test_velocity_is_the_derivative_tangent_and_of_constant_speed() -> None:
    a, b = draw(200, 1), draw(200, 2)
    t = torch.rand(200, 1, generator=torch.Generator().manual_seed(3), dtype=F64)
    x, v = geometry.geodesic(a, b, t)
    step = 1e-6
    later, _ = geometry.geodesic(a, b, t + step)
    earlier, _ = geometry.geodesic(a, b, t - step)
    assert torch.allclose((later - earlier) / (2 * step), v, atol=1e-8)
    assert (x * v).sum(-1).abs().max() < 1e-12
    assert torch.allclose(v.norm(dim=-1), geometry.angle(a, b))
    # what is left of the way, in the time that is left
    assert torch.allclose(geometry.log(x, b) / (1 - t), v, atol=1e-8)


def test_exp_and_log_undo_each_other() -> None:
    a, b = draw(500, 4), draw(500, 5)
    assert torch.allclose(geometry.exp(a, geometry.log(a, b)), b, atol=1e-9)
    assert torch.equal(geometry.log(a, a), torch.zeros_like(a))


def test_tangent_projection() -> None:
    x, v = draw(300, 6), torch.randn(300, 3, generator=torch.Generator().manual_seed(7), dtype=F64)
    once = geometry.tangent(x, v)
    assert (x * once).sum(-1).abs().max() < 1e-12
    assert torch.allclose(geometry.tangent(x, once), once)


def test_rotation_keeps_length_and_turns() -> None:
    x = draw(100, 8, torch.float32)
    spin = torch.randn(100, 3, generator=torch.Generator().manual_seed(9))
    turned = geometry.rotate(spin, x)
    assert (turned.norm(dim=-1) - 1).abs().max() < 1e-6
    quarter = geometry.rotate(torch.tensor([0.0, 0.0, math.pi / 2]), torch.tensor([1.0, 0.0, 0.0]))
    assert torch.allclose(quarter, torch.tensor([0.0, 1.0, 0.0]), atol=1e-6)


def test_basis_is_orthonormal_everywhere() -> None:
    x = torch.cat([draw(100, 10), torch.eye(3, dtype=F64), -torch.eye(3, dtype=F64)])
    first, second = geometry.basis(x)
    frame = torch.stack([x, first, second], dim=-2)
    assert torch.allclose(frame @ frame.transpose(-1, -2), torch.eye(3, dtype=F64).expand(len(x), 3, 3), atol=1e-12)
    assert torch.allclose(torch.linalg.det(frame), torch.ones(len(x), dtype=F64))


@pytest.mark.parametrize("t", [0.0, 0.3, 0.8])
def test_density_on_the_way_to_one_point(t: float) -> None:
    """Integrates to one, and is what draws do: share within a cap against the closed form."""
    target = place(20, 30)
    x = draw(400_000, 11)
    weight = geometry.interpolant_log_density(x, target.expand_as(x), t).exp() * 4 * math.pi
    assert abs(float(weight.mean()) - 1) < 0.02
    moved, _ = geometry.geodesic(x, target.expand_as(x), torch.full((len(x), 1), t, dtype=F64))
    cap = 0.4 * (1 - t) * math.pi
    share = float((geometry.angle(moved, target.expand_as(x)) < cap).double().mean())
    assert abs(share - (1 - math.cos(0.4 * math.pi)) / 2) < 0.005
