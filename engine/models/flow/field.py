"""The learned velocity field, conditioned on what a clip's vectors say.

A small trunk reads the sketch of the map and the vectors themselves and corrects the anchors' masses. Were the posterior a
mixture
of round bumps at the anchors (mean y_a, spread s_a, mass w_a), the field that carries a uniform draw to it along geodesics would
be close to

    u(x, t) = sum_a p_a log_x(y_a) c r / (s_a² + c r²),    r = 1 - t,    p_a ∝ w_a vMF(x; y_a, 1 / (s_a² + c r²)),

c being the variance of a way's end about where it is now, per r²; a part of the mass lies anywhere and pulls nowhere. That is
where the network starts: it is given u for two learned values of c, and learns what to add, modulated by time and condition
(scale and shift of every layer). The sum is projected to the tangent plane.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from engine.models.flow.sketch import ATOMS, DIMENSIONS, INPUTS, SOUND, Sketch

RAW = SOUND + 2 * DIMENSIONS + len(ATOMS)
TIMES = 16
OCTAVES = 5
RAW_DROPPED = 0.5


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network; stored beside its weights."""

    anchors: int
    width: int = 128
    trunk: int = 192
    blocks: int = 4


@dataclass(frozen=True, slots=True, eq=False)
class Conditioning:
    """What the field knows of n clips: scale and shift of its layers (n, 1, …), the mixture's log mass and variance
    (n, 1, MOST), its centres (n, MOST, 3), and the log of the mass that lies anywhere (n, 1, 1)."""

    modulation: Tensor
    log_mass: Tensor
    centre: Tensor
    variance: Tensor
    anywhere: Tensor

    def rows(self, which: Tensor | slice) -> Conditioning:
        """Some of them."""
        return Conditioning(
            self.modulation[which], self.log_mass[which], self.centre[which], self.variance[which], self.anywhere[which]
        )


class Trunk(nn.Module):
    """Reads a sketch: (n, trunk)."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.share = nn.Linear(shape.anchors, shape.trunk)
        self.raw = nn.Linear(RAW, shape.trunk, bias=False)
        self.given = nn.Linear(len(INPUTS), shape.trunk, bias=False)
        self.middle = nn.Linear(shape.trunk, shape.trunk)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.raw.weight, std=0.02)

    def forward(self, s: Sketch) -> Tensor:
        raw = s.raw
        if self.training:  # the vectors themselves are easily learned by heart: half of the clips go without
            raw = raw * (torch.rand(len(raw), 1) >= RAW_DROPPED)
        first = self.share((s.share + 8.0).clamp(min=-2.0) / 3.0) + self.raw(raw) + self.given(s.given)
        h = self.dropout(nn.functional.silu(first))
        return h + self.dropout(nn.functional.silu(self.middle(h)))


class VelocityField(nn.Module):
    """See the module's text; `told` once per clip, then `forward` for every point and time."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        self.trunk = Trunk(shape, dropout)
        self.correct = nn.Linear(shape.trunk, shape.anchors)
        self.trust = nn.Parameter(torch.zeros(2))  # log: of the sketch's masses, of its variances
        self.stray = nn.Parameter(torch.zeros(1))  # log: of the mass that lies anywhere on the sphere
        self.log_c = nn.Parameter(torch.log(torch.tensor([1.5, 0.6])))
        self.enter = nn.Linear(3 + 6 * OCTAVES + 10, shape.width)
        self.blocks = nn.ModuleList(nn.Linear(shape.width, shape.width) for _ in range(shape.blocks))
        self.modulate = nn.Linear(shape.trunk, 2 * shape.width * (shape.blocks + 1))
        self.pace = nn.Linear(2 * TIMES + 1, 2 * shape.width * (shape.blocks + 1), bias=False)
        self.leave = nn.Linear(shape.width, 5)
        for layer in (self.correct, self.modulate, self.leave):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        for layer in (self.modulate, self.pace):
            nn.init.normal_(layer.weight, std=0.02)

    def conditioning(self, s: Sketch) -> Conditioning:
        """What the field needs to know of conditions, worked out once."""
        h = self.trunk(s)
        log_mass = self.trust[0].exp() * s.log_mass + self.correct(h).gather(1, s.index)
        variance = self.trust[1].exp() * s.spread**2
        rest = (1.0 - s.log_mass.exp().sum(1)).clamp(min=1e-3).log() + self.stray
        return Conditioning(self.modulate(h)[:, None], log_mass[:, None], s.centre, variance[:, None], rest[:, None, None])

    def forward(self, x: Tensor, t: Tensor, conditioning: Conditioning) -> Tensor:
        """Tangent velocities (n, m, 3) at points x (n, m, 3) and times t (n or 1, m or 1, 1)."""
        return self._run(x, t, conditioning, None)[0]

    def change(self, x: Tensor, t: Tensor, conditioning: Conditioning, along: Tensor) -> tuple[Tensor, Tensor]:
        """Velocities (n, m, 3), and how they change along tangents `along` (k, n, m, 3): (k, n, m, 3).

        Forward differentiation written out by hand: a tenth of the time of doing it by torch, the same numbers (a test).
        """
        v, changed = self._run(x, t, conditioning, along)
        assert changed is not None
        return v, changed

    def _run(self, x: Tensor, t: Tensor, conditioning: Conditioning, along: Tensor | None) -> tuple[Tensor, Tensor | None]:
        left = 1.0 - t
        one, two = (self._towards(x, left, conditioning, which, along) for which in (0, 1))
        waves, d_waves = _octaves(x, along)
        z = torch.cat([x, waves, one.u, two.u, one.seen, two.seen], dim=-1)
        d_z = torch.zeros(0)  # read only where a change is followed
        if along is not None:
            d_z = torch.cat([along, *_there(d_waves, one.d_u, two.d_u, one.d_seen, two.d_seen)], dim=-1)
        scale, shift = (conditioning.modulation + self.pace(_clock(t))).chunk(2, dim=-1)
        h = d_h = torch.zeros(())
        for k, layer in enumerate((self.enter, *self.blocks)):
            part = slice(k * self.shape.width, (k + 1) * self.shape.width)
            up = 1 + scale[..., part]
            y = layer(z) * up + shift[..., part]
            sigmoid = torch.sigmoid(y)
            h = h + y * sigmoid
            if along is not None:
                d_h = d_h + (d_z @ layer.weight.T) * (up * sigmoid * (1 + y * (1 - sigmoid)))
            z, d_z = h, d_h
        out = self.leave(h)
        gate, tilt = torch.sigmoid(out[..., 3:4]), out[..., 4:5]
        apart = one.u - two.u
        w = (gate + tilt) * apart + two.u + out[..., :3]
        rise = (x * w).sum(-1, keepdim=True)
        v = w - x * rise
        if along is None:
            return v, None
        d_out = d_h @ self.leave.weight.T
        d_one, d_two = _there(one.d_u, two.d_u)
        d_w = (d_out[..., 3:4] * gate * (1 - gate) + d_out[..., 4:5]) * apart + (gate + tilt) * (d_one - d_two)
        d_w = d_w + d_two + d_out[..., :3]
        d_rise = (along * w + x * d_w).sum(-1, keepdim=True)
        return v, d_w - along * rise - x * d_rise

    def _towards(self, x: Tensor, left: Tensor, conditioning: Conditioning, which: int, along: Tensor | None) -> _Pull:
        """u of the module's text for one c, what the network is told beside it, and how both change along tangents."""
        c, y = self.log_c[which].exp(), conditioning.centre
        sharp = 1.0 / (conditioning.variance + c * left**2)  # (n, m or 1, MOST)
        cosine = x @ y.transpose(-1, -2)
        # log of the normaliser of von Mises and Fisher per steradian, less log 2 pi
        log_bump = sharp.log() - torch.log1p(-torch.exp(-2.0 * sharp)) + sharp * (cosine - 1.0)
        log_w = conditioning.log_mass + log_bump
        held = torch.logsumexp(log_w, dim=-1, keepdim=True)
        total = torch.logaddexp(held, conditioning.anywhere - math.log(2.0))  # what lies anywhere pulls nowhere
        p = torch.exp(log_w - total)
        half = (1.0 - cosine) / 2
        lengthen = 1.0 + half * (2 / 3 + half * (8 / 15 + half * (16 / 35)))  # angle / sine, as a series
        q = p * sharp
        pull = q * lengthen * (c * left)
        drawn, weight = pull @ y, q.sum(-1, keepdim=True)
        rise = (x * drawn).sum(-1, keepdim=True)
        u = drawn - x * rise
        seen = torch.cat([total, weight.clamp(min=0.1).log()], dim=-1) / 4.0
        if along is None:
            return _Pull(u, seen, None, None)
        # everything changes through the cosines, y_a·e along e: sums over the anchors are taken before e is put in
        slope = 2 / 3 + half * (16 / 15 + half * (48 / 35))
        each = (q * (lengthen * sharp - slope / 2)) * (c * left)
        square = (each @ (y[..., :, None] * y[..., None, :]).flatten(-2)).unflatten(-1, (3, 3))  # (n, m, 3, 3)
        d_total = (along * (q @ y)).sum(-1, keepdim=True)
        d_drawn = (square @ along[..., None])[..., 0] - d_total * drawn
        d_weight = (along * ((q * sharp) @ y)).sum(-1, keepdim=True) - d_total * weight
        d_u = d_drawn - along * rise - x * (along * drawn + x * d_drawn).sum(-1, keepdim=True)
        d_log = torch.where(weight > 0.1, d_weight / weight.clamp(min=0.1), torch.zeros_like(d_weight))
        return _Pull(u, seen, d_u, torch.cat([d_total, d_log], dim=-1) / 4.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Pull:
    """u (n, m, 3), what is seen beside it (n, m, 2), and their changes (k, n, m, …) or None."""

    u: Tensor
    seen: Tensor
    d_u: Tensor | None
    d_seen: Tensor | None


def _there(*changes: Tensor | None) -> list[Tensor]:
    """Changes that are known, as they all are where a change is followed."""
    return [c for c in changes if c is not None]


def _octaves(x: Tensor, along: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Waves over the three axes, at 2, 4, … radians (…, 6 OCTAVES), and how they change along tangents."""
    rates = [2.0**k for k in range(1, OCTAVES + 1)]
    sines, cosines = [torch.sin(r * x) for r in rates], [torch.cos(r * x) for r in rates]
    changed = None
    if along is not None:
        d_sines = [r * c * along for r, c in zip(rates, cosines, strict=True)]
        d_cosines = [-r * s * along for r, s in zip(rates, sines, strict=True)]
        changed = torch.cat([*d_sines, *d_cosines], dim=-1)
    return torch.cat([*sines, *cosines], dim=-1), changed


def _clock(t: Tensor) -> Tensor:
    """(…, 2 TIMES + 1) time and its waves, and those of how late it is."""
    k = torch.arange(1, TIMES // 2 + 1, dtype=t.dtype, device=t.device) * math.pi
    late = -torch.log(1.02 - t) / 4.0
    return torch.cat([t, torch.sin(k * t), torch.cos(k * t), torch.sin(k * late), torch.cos(k * late)], dim=-1)


def shape_record(shape: Shape) -> dict[str, int]:
    """Plain numbers for the card."""
    return asdict(shape)
