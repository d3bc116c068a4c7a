"""Moving along fields whose flow and density are known in closed form."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from engine.models.flow import geometry, ode

F64 = torch.float64
TARGET = torch.tensor([0.6, 0.0, 0.8], dtype=F64)


def climb(x: torch.Tensor, t: float) -> torch.Tensor:
    """Towards TARGET, 1.5 times the gradient of the height: pushes uniform to a known density."""
    return 1.5 * geometry.tangent(x, TARGET.to(x).expand_as(x))


def climbed_log_density(x: torch.Tensor, rate: float = 1.5) -> torch.Tensor:
    """Log density at time 1 of uniform draws moved by `climb`, per steradian.

    Along it z' = rate (1 - z²), so artanh z moves by `rate`: density = dz0/dz / (4 pi), z0 = tanh(artanh z - rate).
    """
    z = (x * TARGET.to(x)).sum(-1)
    z0 = torch.tanh(torch.atanh(z) - rate)
    return geometry.LOG_UNIFORM + torch.log1p(-z0 * z0) - torch.log1p(-z * z)


def wind(x: torch.Tensor, t: float) -> torch.Tensor:
    """A field with curl and divergence that changes with time and is nobody's gradient."""
    a, b, c = x.unbind(-1)
    raw = torch.stack([torch.sin(2 * b + t), c * a + t * t, torch.cos(3 * a) * b], dim=-1)
    return geometry.tangent(x, 2.0 * raw)


def draw(n: int, seed: int = 0, dtype: torch.dtype = F64) -> torch.Tensor:
    return geometry.uniform(n, torch.Generator().manual_seed(seed), dtype)


def even(n: int, dtype: torch.dtype = F64) -> torch.Tensor:
    """(n, 3) points of equal area: the Fibonacci lattice."""
    k = torch.arange(n, dtype=dtype) + 0.5
    z = 1 - 2 * k / n
    lon = math.pi * (1 + 5**0.5) * k
    r = torch.sqrt(1 - z * z)
    return torch.stack([r * torch.cos(lon), r * torch.sin(lon), z], dim=-1)


def test_schedule_runs_from_0_to_1_and_gets_finer() -> None:
    times = ode.schedule(16)
    steps = [b - a for a, b in itertools.pairwise(times)]
    assert times[0] == 0.0 and times[-1] == 1.0 and len(times) == 17
    assert all(a > b > 0 for a, b in itertools.pairwise(steps))


@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_points_stay_on_the_sphere(dtype: torch.dtype) -> None:
    moved = ode.move(wind, draw(500, 1, dtype), ode.schedule(20), keep_path=True)
    assert moved.path is not None and moved.path.shape == (21, 500, 3)
    assert (moved.path.norm(dim=-1) - 1).abs().max() < 1e-6


def test_the_known_flow_is_followed() -> None:
    x = draw(300, 2)
    z = (x * TARGET).sum(-1)
    moved = ode.move(climb, x, [k / 20 for k in range(21)]).x
    assert torch.allclose((moved * TARGET).sum(-1), torch.tanh(torch.atanh(z) + 1.5), atol=1e-5)


def test_steps_are_of_fourth_order() -> None:
    """Half the step, a sixteenth of the error: on a field that turns the tangent plane, where plain combinations lose order."""
    x = draw(100, 3)
    exact = ode.move(wind, x, [k / 640 for k in range(641)]).x
    errors = [float((ode.move(wind, x, [k / n for k in range(n + 1)]).x - exact).norm(dim=-1).mean()) for n in (10, 20, 40)]
    assert 3.5 < math.log2(errors[0] / errors[1]) < 4.6
    assert 3.5 < math.log2(errors[1] / errors[2]) < 4.6


def test_back_and_forth() -> None:
    x = draw(100, 4)
    times = [k / 60 for k in range(61)]
    there = ode.move(wind, x, times, "exact")
    back = ode.move(wind, there.x, times[::-1], "exact")
    assert torch.allclose(back.x, x, atol=1e-6)
    assert torch.allclose(back.log_ratio, -there.log_ratio, atol=1e-5)


def test_divergence_is_that_of_the_sphere() -> None:
    """Of the gradient of the height above a plane it is -2 × the height."""
    x = draw(200, 5)
    _, div = ode.velocity_and_divergence(climb, x, 0.0, "exact")
    assert torch.allclose(div, -2 * 1.5 * (x * TARGET).sum(-1), atol=1e-10)


def test_exact_log_density_in_closed_form() -> None:
    x = draw(300, 6)
    moved = ode.move(climb, x, ode.schedule(24), "exact")
    assert torch.allclose(geometry.LOG_UNIFORM + moved.log_ratio, climbed_log_density(moved.x), atol=2e-4)


def test_density_integrates_to_one() -> None:
    x = even(4000)
    back = ode.move(wind, x, ode.schedule(24)[::-1], "exact")
    density = torch.exp(geometry.LOG_UNIFORM - back.log_ratio)
    assert abs(float(density.mean()) * 4 * math.pi - 1) < 0.01


def test_hutchinson_is_unbiased_and_seeded() -> None:
    x = draw(1, 7).expand(4000, 3).contiguous()
    _, exact = ode.velocity_and_divergence(wind, x[:1], 0.3, "exact")
    signs = torch.randint(0, 2, (4000, 2), generator=torch.Generator().manual_seed(8)).to(x) * 2 - 1
    _, guess = ode.velocity_and_divergence(wind, x, 0.3, "hutchinson", signs)
    assert abs(float(guess.mean() - exact)) < 4 * float(guess.std()) / 4000**0.5 + 1e-9
    assert guess.std() > 0

    def once(seed: int) -> torch.Tensor:
        return ode.move(wind, draw(50, 9), ode.schedule(8), "hutchinson", torch.Generator().manual_seed(seed)).log_ratio

    assert torch.equal(once(1), once(1)) and not torch.equal(once(1), once(2))
    exactly = ode.move(wind, draw(50, 9), ode.schedule(8), "exact").log_ratio
    many = torch.stack([once(s) for s in range(24)])
    assert ((many.mean(0) - exactly).abs() < 5 * many.std(0) / 24**0.5 + 0.02).double().mean() > 0.9


def test_density_needs_a_known_way() -> None:
    with pytest.raises(ValueError, match="exactly or by hutchinson"):
        ode.move(wind, draw(2), [0.0, 1.0], "guess")
    with pytest.raises(ValueError, match="generator"):
        ode.move(wind, draw(2), [0.0, 1.0], "hutchinson")
