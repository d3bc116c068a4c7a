"""The velocity field and what is built on it, with random weights: exactness does not depend on training."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from engine.models.flow import geometry, ode
from engine.models.flow.field import Shape, VelocityField
from engine.models.flow.model import Flow
from engine.models.flow.rivals import GridSoftmax, VmfMixture
from engine.models.flow.sketch import ATOMS, INPUTS, MOST, SOUND, Condition, Sketch
from engine.models.geoclip_location import DIMENSIONS

ANCHORS = 160
RAW = SOUND + 2 * DIMENSIONS + len(ATOMS)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sketch(n: int, seed: int = 0, spread: float = 0.3) -> Sketch:
    g = generator(seed)
    share = torch.log_softmax(2.0 * torch.randn(n, ANCHORS, generator=g), dim=1)
    log_mass, index = share.topk(MOST, dim=1)
    return Sketch(
        share=share,
        index=index,
        centre=geometry.uniform(n * MOST, g).reshape(n, MOST, 3),
        spread=spread * (0.5 + torch.rand(n, MOST, generator=g)),
        log_mass=log_mass,
        raw=torch.randn(n, RAW, generator=g),
        given=torch.ones(n, len(INPUTS)),
    )


class FakeAtlas:
    """Honours what `Flow` asks of an atlas, without the world's tables: a condition's first number picks the sketch."""

    def sketch(self, conditions: list[Condition], heat: object) -> Sketch:
        seeds = [0 if c.picture is None else int(c.picture[0]) for c in conditions]
        return Sketch(*(torch.cat([getattr(sketch(1, s), f) for s in seeds]) for f in Sketch.__slots__))


def net(seed: int = 0, dtype: torch.dtype = torch.float32) -> VelocityField:
    """Random weights, none zero."""
    torch.manual_seed(seed)
    field = VelocityField(Shape(ANCHORS, width=32, trunk=24, blocks=2))
    with torch.no_grad():
        for p in field.parameters():
            p.add_(0.04 * torch.randn(p.shape))
    return field.to(dtype).eval()


def told_by(field: VelocityField, s: Sketch, dtype: torch.dtype = torch.float32):
    with torch.no_grad():
        return field.conditioning(Sketch(*(getattr(s, f) if f == "index" else getattr(s, f).to(dtype) for f in Sketch.__slots__)))


def picture(number: int) -> Condition:
    return Condition(picture=np.full(DIMENSIONS, number, dtype=np.float32))


def flow(seed: int = 0) -> Flow:
    return Flow(net(seed), FakeAtlas(), None, steps=20)  # type: ignore[arg-type]


def test_velocities_are_tangent() -> None:
    field = net()
    x = geometry.uniform(200, generator(1)).reshape(2, 100, 3)
    v = field(x, torch.full((1, 1, 1), 0.4), told_by(field, sketch(2)))
    assert v.shape == x.shape and v.abs().max() > 0.1
    assert (x * v).sum(-1).abs().max() < 1e-5


@pytest.mark.parametrize("t", [0.0, 0.5, 0.97, 1.0])
def test_change_by_hand_is_the_derivative(t: float) -> None:
    """Against torch's own forward differentiation, in double precision."""
    field = net(2, torch.float64)
    wanted = told_by(field, sketch(2, 3), torch.float64)
    x = geometry.uniform(60, generator(4), torch.float64).reshape(2, 30, 3)
    along = torch.stack(geometry.basis(x))
    when = torch.full((1, 1, 1), t, dtype=torch.float64)
    v, changed = field.change(x, when, wanted, along)
    assert torch.allclose(v, field(x, when, wanted))
    for e, mine in zip(along, changed, strict=True):
        _, theirs = torch.func.jvp(lambda at: field(at, when, wanted), (x,), (e,))
        assert torch.allclose(mine, theirs, atol=1e-9, rtol=1e-7)


def test_density_integrates_to_one_over_the_sphere() -> None:
    """Random weights, broad condition: exact log density on points of equal area, 1 ± 1%; Hutchinson's within its noise."""
    f = flow(3)
    n = 2500
    k = np.arange(n) + 0.5
    z, lon = 1 - 2 * k / n, np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    even = np.stack([r * np.cos(lon), r * np.sin(lon), z], axis=-1)
    wanted = f.conditioning([picture(7)])
    exact = f.log_density(wanted, even)
    assert exact.shape == (1, n) and exact.std() > 0.2
    assert abs(np.exp(logsumexp(exact)) / n * 4 * math.pi - 1) < 0.01
    guessed = f.log_density(wanted, even[::5], how="hutchinson", seed=1)
    assert np.array_equal(guessed, f.log_density(wanted, even[::5], how="hutchinson", seed=1))
    assert abs((guessed - exact[:, ::5]).mean()) < 0.1


def test_samples_are_on_the_sphere_seeded_and_of_the_density_stated() -> None:
    f = flow(4)
    drawn = f.sample(picture(5), 700, seed=2, density=True, keep_path=True)
    assert drawn.path is not None and np.abs(np.linalg.norm(drawn.path, axis=-1) - 1).max() < 1e-6
    again = f.sample(picture(5), 700, seed=2)
    assert np.array_equal(again.xyz, f.sample(picture(5), 700, seed=2).xyz) and np.abs(drawn.xyz - again.xyz).max() < 1e-4
    assert not np.array_equal(drawn.xyz, f.sample(picture(5), 700, seed=3).xyz)
    back = f.log_density(f.conditioning([picture(5)]), drawn.xyz)[0]
    assert np.abs(back - drawn.log_density).max() < 0.02
    # E over draws of 1 / density is the area of the sphere
    assert abs(np.exp(-drawn.log_density).mean() / (4 * math.pi) - 1) < 0.15


def test_guidance_is_labelled_and_one_is_the_posterior() -> None:
    f = flow(5)
    plain = f.sample(picture(3), 50, seed=1)
    assert plain.label == "posterior"
    sharpened = f.sample(picture(3), 50, seed=1, guidance=2.5)
    assert sharpened.label == "sharpened" and not np.allclose(sharpened.xyz, plain.xyz)
    none = f.sample(picture(3), 50, seed=1, guidance=0.0)
    assert np.allclose(none.xyz, f.sample(Condition(), 50, seed=1).xyz, atol=1e-5)
    wanted = f.conditioning([picture(3)])
    one, other = f.log_density(wanted, plain.xyz[:5]), f.log_density(wanted, plain.xyz[:5], guidance=2.5)
    assert not np.allclose(one, other)
    with pytest.raises(ValueError, match="guidance"):
        f.sample(picture(3), 5, guidance=float("nan"))


def test_each_clip_is_told_by_its_own_condition() -> None:
    f = flow(6)
    xyz = geometry.uniform(9, generator(1)).numpy()
    both = f.log_density(f.conditioning([picture(1), picture(2)]), xyz)
    assert np.allclose(both[0], f.log_density(f.conditioning([picture(1)]), xyz)[0], atol=1e-3)
    assert np.allclose(both[1], f.log_density(f.conditioning([picture(2)]), xyz)[0], atol=1e-3)
    assert not np.allclose(both[0], both[1])


def test_condition_checks_its_vectors() -> None:
    assert Condition().given == ()
    c = Condition(sound=np.zeros(SOUND, np.float32), atoms=np.zeros(len(ATOMS), np.float32))
    assert c.given == ("sound", "atoms") and c.without("sound").given == ("atoms",)
    with pytest.raises(ValueError, match="sound vector"):
        Condition(sound=np.zeros(5, np.float32))
    with pytest.raises(ValueError, match="finite"):
        Condition(picture=np.full(DIMENSIONS, np.nan, np.float32))


def test_rivals_are_densities() -> None:
    s = sketch(2, 9)
    torch.manual_seed(1)
    vmf = VmfMixture(Shape(ANCHORS, trunk=24)).eval()
    x = geometry.uniform(60_000, generator(2))[None].expand(2, -1, -1)
    with torch.no_grad():
        mean = vmf.log_density(s, x).exp().mean(1) * 4 * math.pi
        assert ((mean - 1).abs() < 0.05).all()
        mass = GridSoftmax(Shape(ANCHORS, trunk=24), 50).eval().log_mass(s, torch.zeros(50) - math.log(50))
    assert torch.allclose(mass.exp().sum(1), torch.ones(2), atol=1e-5)


def test_the_field_learns_a_known_posterior() -> None:
    """Trained a little on clips that all lie in one cap, samples come to lie in it."""
    from engine.lab.train.flow import flow_loss

    torch.manual_seed(0)
    field = VelocityField(Shape(ANCHORS, width=48, trunk=24, blocks=2), dropout=0.0)
    s = sketch(32, 1)
    where = torch.tensor([0.0, 0.6, 0.8])
    g = generator(1)
    optimiser = torch.optim.Adam(field.parameters(), lr=5e-3)
    for _ in range(150):
        x1 = geometry.unit(where + 0.15 * torch.randn(32, 3, generator=g))
        loss = flow_loss(field, s, x1, g)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    wanted = told_by(field.eval(), s)
    with torch.no_grad():
        x = geometry.uniform(400, g)[None]
        moved = ode.move(lambda at, t: field(at, torch.full((1, 1, 1), t), wanted.rows(slice(0, 1))), x, ode.schedule(12))
    near = (moved.x @ where > math.cos(0.5)).float().mean()
    assert near > 0.8
