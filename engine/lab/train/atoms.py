"""Train acoustic atoms, and the networks they are measured against: `earwitness lab train-atoms`.

All share an encoder that is first trained, for `shared_steps`, to say which labels are in a mixture. Each then goes its own way,
with the same mixtures, batch and rates, for `own_steps` and, with the rate raised once more, for `more_steps`, so that all have
seen the same number of batches:

    classifier   the encoder with the presence head alone: a plain multi-label classifier
    one_pass     the sparse autoencoder without subtraction: all labels, and their parts, from the mixture at once
    atoms        the model that is shipped; its own_steps are those of one_pass, its more_steps are taken in steps
    faithful     steps with the residual alone, masks from the dictionary alone, no presence head: the description as read here

In training a step starts from a state that the model itself has reached: some labels are taken first, half of the time the true
ones, half of the time its own choices, each with the model's own mask. What is asked of it there: which label is the loudest of
those that are left (cross-entropy; "stop" when none is), how one of them sounds (squared error of mask and of the dictionary's
levels), few activations (their sum), and, of the model that is shipped, which labels are left at all (binary cross-entropy of the
kernels' own drive and of the presence head).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.core.paths import cache_dir, data_dir
from engine.lab.data import atoms as atoms_data
from engine.models import atoms

if TYPE_CHECKING:
    import torch

VARIANTS = ("classifier", "one_pass", "atoms", "faithful")
OPINIONS = ("classifier", "one_pass")  # that the shipped model asks beside its own, where they were trained
_MASK, _LEVELS, _FEW, _PRESENT, _CHOICE = 6.0, 0.5, 0.02, 6.0, 0.3


@dataclass(frozen=True, slots=True)
class TrainSetting:
    """How it is trained; see the module's text."""

    seed: int = 0
    shared_steps: int = 1000
    own_steps: int = 500
    more_steps: int = 400
    batch: int = 32
    rate: float = 2e-3
    more_rate: float = 1.2e-3
    decay: float = 0.02
    threads: int = 1
    device: str = "cpu"


def make(variant: str, labels: int) -> torch.nn.Module:
    """An untrained network of a variant."""
    return atoms.Network(
        labels,
        presence=variant != "faithful",
        decoder=variant in ("atoms", "one_pass"),
        residual_only=variant == "faithful",
    )


def first_kernels(mixer: atoms_data.Mixer, seed: int) -> NDArray[np.float32]:
    """(labels * KERNELS, bands, frames): centres of patches of each label's sounds, as fourth roots of power, of peak 1."""
    from sklearn.cluster import KMeans

    rng = np.random.default_rng(seed)
    out = []
    for grids in mixer.grids:
        patches = []
        for grid in grids:
            if grid.shape[1] < atoms.KERNEL_FRAMES:
                grid = np.pad(grid, ((0, 0), (0, atoms.KERNEL_FRAMES - grid.shape[1])))
            for at in rng.integers(0, grid.shape[1] - atoms.KERNEL_FRAMES + 1, 12):
                patch = grid[:, at : at + atoms.KERNEL_FRAMES] ** 0.25
                if patch.max() > 0:
                    patches.append((patch / patch.max()).reshape(-1))
        centres = KMeans(atoms.KERNELS, n_init=2, random_state=seed).fit(np.array(patches)).cluster_centers_
        out.append(centres.reshape(atoms.KERNELS, atoms.BANDS, atoms.KERNEL_FRAMES))
    return np.concatenate(out).astype(np.float32) * 0.5


@dataclass(slots=True)
class Tensors:
    """A batch on the device, and where each mixture stands: which labels are taken, how much is left."""

    power: torch.Tensor
    parts: torch.Tensor
    labels: torch.Tensor
    truth: torch.Tensor  # (batch, labels) bool
    left: torch.Tensor  # (batch, bands, frames)
    taken: torch.Tensor  # (batch, labels) bool

    @classmethod
    def of(cls, batch: atoms_data.Batch, labels: int, device: str) -> Tensors:
        import torch

        power, parts = torch.from_numpy(batch.power).to(device), torch.from_numpy(batch.parts).to(device)
        index = torch.from_numpy(batch.labels).to(device)
        truth = torch.zeros(len(power), labels + 1, dtype=torch.bool, device=device)
        truth.scatter_(1, index.where(index >= 0, labels), True)
        return cls(power, parts, index, truth[:, :labels], torch.ones_like(power), torch.zeros_like(truth[:, :labels]))

    def loudest_left(self) -> torch.Tensor:
        """(batch,) place in `labels` of the loudest sound that is not taken, or -1."""
        import torch

        known = self.labels >= 0
        free = known & ~torch.gather(self.taken, 1, self.labels.clamp(min=0))
        return torch.where(free.any(1), free.float().argmax(1), -1)


def reach(net: Any, t: Tensors, rng: np.random.Generator, untouched: float) -> None:
    """Take a random number of labels from each mixture, as the model would, and leave what is left.

    Args:
        untouched: share of the mixtures of which nothing is taken.
    """
    import torch

    count = (t.labels >= 0).sum(1)
    wanted = torch.from_numpy(rng.random(len(count))).to(count.device)
    some = ((wanted - untouched) / (1.0 - untouched) * (count - 0.001)).long() + 1  # 1 to all of them
    wanted = torch.where(wanted < untouched, 0, some.clamp(min=0, max=4))
    own = torch.from_numpy(rng.random(len(count)) < 0.5).to(count.device)
    net.eval()
    with torch.no_grad():
        for step in range(int(wanted.max())):
            on = torch.nonzero(wanted > step).squeeze(1)
            state = net.encode(t.power[on], t.left[on])
            chosen = state["label"].masked_fill(t.taken[on], -1e9).argmax(1)
            loudest = t.loudest_left()[on]
            true = torch.gather(t.labels[on], 1, loudest.clamp(min=0)[:, None]).squeeze(1)
            chosen = torch.where(own[on] | (loudest < 0), chosen, true)
            mask, _ = net.mask(state, chosen, t.power[on])
            t.left[on] -= torch.minimum(mask, t.left[on])
            t.taken[on, chosen] = True
    net.train()


def loss_of(net: Any, t: Tensors, variant: str, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """The losses of a variant on a batch, weighted."""
    import torch
    from torch.nn import functional as f

    if variant == "faithful":
        reach(net, t, rng, 0.4)
    elif variant == "atoms":  # every mixture twice: as it is, and with some of it taken out
        later = replace(t, left=t.left.clone(), taken=t.taken.clone())
        reach(net, later, rng, 0.0)
        t = Tensors(*(torch.cat([getattr(t, k), getattr(later, k)]) for k in Tensors.__slots__))
    state = net.encode(t.power, t.left)
    remaining = (t.truth & ~t.taken).float()
    losses: dict[str, torch.Tensor] = {}
    if variant in ("shared", "classifier", "atoms"):
        each = f.binary_cross_entropy_with_logits(state["present"], remaining, reduction="none")
        losses["present"] = _PRESENT * each.masked_fill(t.taken, 0.0).mean()
    if variant in ("shared", "one_pass"):
        losses["labels"] = _PRESENT * f.binary_cross_entropy_with_logits(state["label"] - net.threshold, remaining)
    elif variant == "atoms":
        each = f.binary_cross_entropy_with_logits(state["label"] - net.threshold, remaining, reduction="none")
        losses["labels"] = _PRESENT * each.masked_fill(t.taken, 0.0).mean()
    if variant in ("shared", "classifier"):
        return losses
    at = t.loudest_left()
    any_of = (torch.from_numpy(rng.random(len(at))).to(at.device) * (t.labels >= 0).sum(1)).long()
    if variant == "one_pass":  # any of the sounds, in no order
        at = any_of
    else:
        logits = torch.cat([state["label"].masked_fill(t.taken, -1e4), state["stop"]], 1)
        label = torch.gather(t.labels, 1, at.clamp(min=0)[:, None]).squeeze(1)
        losses["choice"] = (_CHOICE if variant == "atoms" else 1.0) * f.cross_entropy(
            logits, torch.where(at >= 0, label, net.count)
        )
    if variant == "atoms":  # parts of any of the sounds from what is whole, of the loudest from what is left
        at = torch.where(t.taken.any(1), at, any_of)
    losses["few"] = _FEW * state["active"].mean()
    on = torch.nonzero(at >= 0).squeeze(1)[::2]  # masks are dear: those of every second mixture
    if len(on):
        sub = {k: v[on] for k, v in state.items()}
        label = t.labels[on, at[on]]
        mask, levels = net.mask(sub, label, t.power[on])
        part, power = t.parts[on, at[on]], t.power[on]
        scale = power.mean((1, 2), keepdim=True)
        weight = (power / scale + 1e-6) ** 0.3
        weight = weight / weight.mean((1, 2), keepdim=True)
        ideal = (part / power.clamp(min=1e-9)).clamp(max=1.0)
        losses["mask"] = _MASK * (weight * (mask - ideal).square()).mean()
        losses["levels"] = _LEVELS * (levels - (part / scale) ** 0.25).square().mean()
    return losses


def train(
    net: Any, variant: str, mixer: atoms_data.Mixer, steps: int, s: TrainSetting, last: bool, rate: float | None = None
) -> None:
    """Train in place. `last`: the rate falls to nothing at the end."""
    import torch

    rng = np.random.default_rng([s.seed, sum(map(ord, variant))])
    torch.manual_seed(s.seed)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate or s.rate, weight_decay=s.decay, betas=(0.9, 0.98))

    def pace(step: int) -> float:
        warm = min(1.0, (step + 1) / 60)
        return warm * (0.5 + 0.5 * float(np.cos(np.pi * step / steps)) if last else 1.0)

    plan = torch.optim.lr_scheduler.LambdaLR(optimiser, pace)
    net.to(memory_format=torch.channels_last).train()
    began, sums = time.monotonic(), defaultdict[str, float](float)
    for step in range(steps):
        t = Tensors.of(mixer.batch(s.batch), net.count, s.device)
        with torch.autocast(torch.device(s.device).type, torch.bfloat16):
            losses = loss_of(net, t, variant, rng)
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        plan.step()
        for k, v in losses.items():
            sums[k] += float(v.detach())
        if (step + 1) % 50 == 0 or step + 1 == steps:
            said = "  ".join(f"{k} {v / (step % 50 + 1):.3f}" for k, v in sums.items())
            print(f"{variant} {step + 1}/{steps}  {time.monotonic() - began:.0f} s  {said}", flush=True)
            sums.clear()
    net.eval()


def shared_encoder(mixer: atoms_data.Mixer, labels: tuple[str, ...], s: TrainSetting) -> Any:
    """The encoder that all start from; one trained before on the same terms is taken from the cache."""
    from safetensors.torch import load_file, save_file

    key = f"{s.seed}-{s.shared_steps}-{s.batch}-{s.rate:g}-{len(labels)}-{sum(map(len, mixer.grids))}"
    file = cache_dir() / "atoms" / f"shared-{key}.safetensors"
    net = make("classifier", len(labels)).to(s.device)
    if file.is_file():
        net.load_state_dict(load_file(file))
        return net
    train(net, "shared", mixer, s.shared_steps, s, last=False)
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, file)
    return net


def take_over(net: Any, shared: Any) -> None:
    """Start from the shared encoder's weights, wherever names and shapes agree."""
    own = net.state_dict()
    own.update({k: v for k, v in shared.state_dict().items() if k in own and own[k].shape == v.shape})
    net.load_state_dict(own)


def save(net: Any, file: Path) -> str:
    """Write the weights in half precision; returns the file's hash."""
    from safetensors.torch import save_file

    held = {k: (v.half() if v.is_floating_point() else v).contiguous().cpu() for k, v in net.state_dict().items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(held, str(file))
    return hashlib.sha256(file.read_bytes()).hexdigest()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab train-atoms`."""
    s = TrainSetting()
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/sounds)")
    parser.add_argument("-o", "--output", type=Path, default=atoms.FOLDER, help="folder for weights and model.json")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--shared-steps", type=int, default=s.shared_steps)
    parser.add_argument("--own-steps", type=int, default=s.own_steps)
    parser.add_argument("--more-steps", type=int, default=s.more_steps)
    parser.add_argument("--batch", type=int, default=s.batch)
    parser.add_argument("--threads", type=int, default=s.threads)
    parser.add_argument("--device", default=s.device, help="cpu (default) or cuda")
    parser.add_argument("--seed", type=int, default=s.seed)


def run(args: argparse.Namespace) -> int:
    """Train every variant asked for, the shared encoder first, and write what was trained on what."""
    import torch

    s = TrainSetting(
        seed=args.seed, shared_steps=args.shared_steps, own_steps=args.own_steps, more_steps=args.more_steps,
        batch=args.batch, threads=args.threads, device=args.device,
    )  # fmt: skip
    torch.set_num_threads(s.threads)
    torch.manual_seed(s.seed)
    sounds = atoms_data.read_sounds(args.data or data_dir() / "sounds")
    labels = atoms_data.trainable_labels(sounds)
    parted = atoms_data.split(sounds, labels, s.seed)
    mixer = atoms_data.Mixer(parted.train, labels, s.seed)
    print(f"{len(labels)} labels, {len(parted.train)} clips to train on", flush=True)
    shared = shared_encoder(mixer, labels, s)
    hashes = {}
    first: dict[str, Any] = {}
    for variant in args.variants:
        net = make(variant, len(labels)).to(s.device)
        take_over(net, shared)
        with torch.no_grad():
            net.get_parameter("kernels").copy_(torch.from_numpy(first_kernels(mixer, s.seed)).to(s.device))
        # every variant sees the same sounds in the same mixtures
        if variant == "atoms" and "one_pass" in first:
            net.load_state_dict(first["one_pass"])
        else:
            begins = "one_pass" if variant == "atoms" else variant
            train(net, begins, atoms_data.Mixer(parted.train, labels, s.seed + 1), s.own_steps, s, last=True)
            first[variant] = {k: v.clone() for k, v in net.state_dict().items()}
        train(net, variant, atoms_data.Mixer(parted.train, labels, s.seed + 2), s.more_steps, s, last=True, rate=s.more_rate)
        name = "weights.safetensors" if variant == "atoms" else f"{variant}.safetensors"
        hashes[name] = save(net, args.output / name)
        write_card(args.output / "model.json", s, labels, parted, hashes)
        print(f"{args.output / name}", flush=True)
    return 0


def write_card(file: Path, s: TrainSetting, labels: tuple[str, ...], parted: atoms_data.Split, hashes: dict[str, str]) -> None:
    """What the program needs to know of the weights, and what was trained on, for those who measure."""
    held = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    trained = (*parted.train, *parted.validation)
    held.update(
        labels=list(labels),
        sha256={**held.get("sha256", {}), **hashes},
        opinions={"weights.safetensors": [f"{v}.safetensors" for v in OPINIONS]},
        setting=asdict(s),
        trained_sources=sorted({x.source for x in trained}),
        trained_authors=sorted({x.author for x in trained if x.author}),
        clips_by_licence=dict(Counter(x.licence for x in parted.train)),
        clips_by_label={k: sum(x.label == k for x in parted.train) for k in labels},
    )
    file.write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
