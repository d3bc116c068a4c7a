"""`earwitness lab train-flow`: train the flow, and the heads it is measured against, on simulated clips.

Conditional flow matching (Chen & Lipman 2024, equation 9): a uniform draw x0, the true place x1 (scattered over its cell), a
time t; the field at the geodesic's x_t is regressed on the geodesic's velocity. Each clip gives DRAWS pairs of x0 and t; half of
the times are uniform, half nearer the end by the solver's own schedule. What is kept is a running mean of the weights.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine.core.errors import SettingError
from engine.core.paths import ASSETS
from engine.lab.data import flow_data
from engine.lab.train.agclip import Neighbours
from engine.models import cards
from engine.models.flow import geometry, ode
from engine.models.flow.field import Shape, VelocityField, shape_record
from engine.models.flow.model import Shipped
from engine.models.flow.rivals import GridSoftmax, VmfMixture
from engine.models.flow.sketch import Heat, Sketch
from engine.world.grid import world_grid

FOLDER = ASSETS / "models" / "flow"
LICENCE = cards.FLOW.licence
DRAWS = 8
SPREAD_KM = 60.0
LAG = 0.998


@dataclass(frozen=True, slots=True)
class FlowSetting:
    """What was trained, and how. minutes and steps: whichever comes first ends the learning-rate schedule."""

    seed: int = 0
    clips: int = 24_000
    minutes: float = 20.0
    steps: int = 4000
    batch: int = 96
    rate: float = 2e-3
    decay: float = 0.01
    dropout: float = 0.1
    threads: int = 1
    start: str = ""  # hash of the flow's weights that training went on from, or "" for fresh ones


def times(n: int, generator: torch.Generator) -> Tensor:
    """(n, DRAWS, 1) times in 0..1; see the module's text."""
    u = torch.rand(n, DRAWS, 1, generator=generator)
    late = 1.0 + ode.LATE - torch.exp(math.log(1.0 + ode.LATE) + (math.log(ode.LATE) - math.log(1.0 + ode.LATE)) * u)
    pick = torch.rand(n, DRAWS, 1, generator=generator) < 0.5
    return torch.where(pick, u, late).clamp(max=0.9995)


def flow_loss(field: VelocityField, s: Sketch, x1: Tensor, generator: torch.Generator) -> Tensor:
    """Mean squared difference of field and geodesic velocity, over n clips and DRAWS draws each."""
    n = len(x1)
    x0 = geometry.uniform(n * DRAWS, generator).reshape(n, DRAWS, 3)
    t = times(n, generator)
    x, v = geometry.geodesic(x0, x1[:, None].expand(-1, DRAWS, -1), t)
    return ((field(x, t, field.conditioning(s)) - v) ** 2).sum(-1).mean()


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The networks: the flow's with a running mean of its weights."""

    field: VelocityField
    vmf: VmfMixture
    softmax: GridSoftmax


def train(
    data: flow_data.Pool, setting: FlowSetting, say: Callable[[str], None] = print, start: Shipped | None = None
) -> Trained:
    """Train all three on the same batches; reproducible from the seed as long as steps, not minutes, end it.

    Args:
        start: weights to go on from; None starts anew.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(setting.threads)
    try:
        return _train(data, setting, say, start)
    finally:
        torch.set_num_threads(threads)


def _train(data: flow_data.Pool, setting: FlowSetting, say: Callable[[str], None], start: Shipped | None) -> Trained:
    torch.manual_seed(setting.seed)
    generator = torch.Generator().manual_seed(setting.seed)
    rng = np.random.default_rng([setting.seed, 7])
    grid = world_grid()
    shape = Shape(anchors=data.sketch.share.shape[1])
    nets = Trained(VelocityField(shape, setting.dropout), VmfMixture(shape, setting.dropout), GridSoftmax(shape, len(grid)))
    if start is not None:
        vmf, softmax = start.rivals(len(grid))
        nets = Trained(start.field().train(), vmf.train(), softmax.train())
        for layer in (x for m in (nets.field, nets.vmf, nets.softmax) for x in m.modules() if isinstance(x, nn.Dropout)):
            layer.p = setting.dropout
    kept = copy.deepcopy(nets.field)
    near = Neighbours.of(grid, 13)
    closeness = grid.area_km2[near.index] * np.exp(-near.distance_km / SPREAD_KM)
    target = torch.from_numpy((closeness / closeness.sum(1, keepdims=True)).astype(np.float32))
    near_index, log_area = torch.from_numpy(near.index), flow_data.atlas().log_area
    modules: tuple[nn.Module, ...] = (nets.field, nets.vmf, nets.softmax)
    optimisers = [torch.optim.AdamW(m.parameters(), lr=setting.rate, weight_decay=setting.decay) for m in modules]
    began, shown, step = time.monotonic(), [], 0
    while True:
        done = max(step / setting.steps, (time.monotonic() - began) / (60 * setting.minutes))
        if done >= 1.0:
            break
        rows = torch.from_numpy(rng.integers(0, len(data.cell), setting.batch))
        s, cell = data.sketch.rows(rows).floats(), data.cell[rows]
        x1 = data.xyz[rows]
        losses = (
            flow_loss(nets.field, s, x1, generator),
            -nets.vmf.log_density(s, x1[:, None]).mean(),
            -(target[cell] * nets.softmax.log_mass(s, log_area).gather(1, near_index[cell])).sum(1).mean(),
        )
        for module, optimiser, loss in zip(modules, optimisers, losses, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = setting.rate * min(1.0, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * done))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
        lag = min(LAG, (step + 1) / (step + 10))
        with torch.no_grad():
            for mean, now in zip(kept.parameters(), nets.field.parameters(), strict=True):
                mean.lerp_(now, 1 - lag)
        shown.append([x.item() for x in losses])
        step += 1
        if step % 100 == 0:
            flow, vmf, softmax = np.mean(shown[-100:], axis=0)
            say(f"step {step}  {time.monotonic() - began:.0f} s  flow {flow:.4f}  vmf {vmf:.3f}  softmax {softmax:.3f}")
    say(f"{step} steps of {setting.batch} clips in {time.monotonic() - began:.0f} s")
    return Trained(kept.eval(), nets.vmf.eval(), nets.softmax.eval())


def save(nets: Trained, setting: FlowSetting, heat: Heat, quality: dict[int, float], folder: Path, command: str) -> None:
    """Write flow.safetensors, rivals.safetensors (half precision) and model.json with their hashes and what made them."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    hashes = {}
    for name, held in (("flow", {"field": nets.field}), ("rivals", {"vmf": nets.vmf, "softmax": nets.softmax})):
        tensors = {f"{k}.{n}": v.half().contiguous() for k, m in held.items() for n, v in m.state_dict().items()}
        save_file(tensors, folder / f"{name}.safetensors", metadata={"licence": LICENCE})
        hashes[name] = hashlib.sha256((folder / f"{name}.safetensors").read_bytes()).hexdigest()
    card = {
        "model": "flow-s2",
        "sha256": hashes,
        "licence": LICENCE,
        "command": command,
        "shape": shape_record(nets.field.shape),
        "heat": asdict(heat),
        "training_prior": "places uniform by area over the cells of the world grid",
        "picture_quality_percent_within_km": {str(k): round(v, 1) for k, v in quality.items()},
        "setting": asdict(setting),
    }
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab train-flow`."""
    d = FlowSetting()
    parser.add_argument("--clips", type=int, default=d.clips, help=f"how many to simulate (default: {d.clips})")
    parser.add_argument("--minutes", type=float, default=d.minutes, help=f"wall-clock limit (default: {d.minutes:g})")
    parser.add_argument("--steps", type=int, default=d.steps, help=f"limit by count (default: {d.steps})")
    parser.add_argument("--batch", type=int, default=d.batch)
    parser.add_argument("--rate", type=float, default=d.rate, help=f"of learning (default: {d.rate:g})")
    parser.add_argument("--dropout", type=float, default=d.dropout)
    parser.add_argument("--start", type=Path, default=None, help="folder of weights to go on from (default: start anew)")
    parser.add_argument("--seed", type=int, default=d.seed)
    parser.add_argument("--threads", type=int, default=d.threads)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for weights and card (default: assets/models/flow)")


def run(args: argparse.Namespace) -> int:
    """Simulate, fit the modalities' worth, train, write."""
    if args.steps < 1 or args.minutes <= 0 or args.clips < 1 or args.batch < 2:
        raise SettingError("--steps and --clips take at least 1, --batch at least 2, --minutes more than 0.")
    start = Shipped(args.start) if args.start else None
    setting = FlowSetting(
        args.seed, args.clips, args.minutes, args.steps, args.batch, args.rate, dropout=args.dropout, threads=args.threads,
        start=start.card["sha256"]["flow"] if start else "",
    )  # fmt: skip
    torch.set_num_threads(args.threads)
    quality = flow_data.picture_quality(1000)
    print("degraded pictures, percent within km: " + ", ".join(f"{k}: {v:.0f}" for k, v in quality.items()), flush=True)
    heat = start.heat if start else flow_data.fit_heat()
    print(f"temperature of the inputs' scores: {heat}", flush=True)
    data = flow_data.pool(args.clips, args.seed, heat, lambda line: print(line, flush=True))
    nets = train(data, setting, lambda line: print(line, flush=True), start)
    options = f"--clips {args.clips} --minutes {args.minutes:g} --steps {args.steps} --batch {args.batch} --seed {args.seed}"
    options += f" --rate {args.rate:g} --dropout {args.dropout:g}" + (f" --start {args.start}" if args.start else "")
    save(nets, setting, heat, quality, args.out, f"earwitness lab train-flow {options}")
    print(f"written to {args.out}")
    return 0
