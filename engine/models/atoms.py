"""Acoustic atoms: a mixture-autoregressive sparse autoencoder that takes a mixture of sounds apart, loudest first.

A window of WINDOW_S is seen as levels on a grid of BANDS mel bands and FRAMES frames of 32 ms. With X the mixture and R what is
left of it, one step is

    h = encoder(R, X)                     u = kernels' drive (KERNELS per label, 8 a second),  a = relu(u): sparse activations
    k* = argmax over kernels of the drive pooled over time; its label is the step's, unless "stop" scores higher
    M = mask(h, a, label of k*)           M <= what earlier steps left
    part = M X,  R <- R - part

The dictionary holds BANDS x KERNEL_FRAMES levels per kernel, none negative; the label's activations times its kernels are its
levels as the dictionary sees them. In the faithful variant M comes from those levels alone; in the one shipped a small decoder,
given the label and the dictionary's levels, draws M finer. A second head says at every step which labels are still in R; a
label's score joins what it says before the label is taken with the steps' own choices. Networks that hear the mixture in one look
may be asked for a second opinion on which labels are there (`opinions` of the card). Parts and residual add up to the mixture,
sample by sample.

Source: after Su and Liu 2026, arXiv 2603.05708 (abstract and figures): mixtures with random, monotonically decreasing gains,
selection of the most activated kernel, subtraction of its reconstruction, cross-entropy for labels and a loss for the
reconstruction. Grid, encoder, decoder and the presence head are ours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.core.paths import ASSETS
from engine.models import cards

if TYPE_CHECKING:
    import torch

MODEL_ID = cards.ATOMS.id
LICENCE = cards.ATOMS.licence
FOLDER = ASSETS / "models" / "atoms"
RATE_HZ = 32_000
WINDOW_S = 4.0
WINDOW_SAMPLES = int(WINDOW_S * RATE_HZ)
FFT, HOP = 1024, 512
BANDS = 64
FRAMES = WINDOW_SAMPLES // HOP // 2  # a frame of the grid is the mean of two of the transform
FRAME_S = 2 * HOP / RATE_HZ
KERNELS = 4  # per label
KERNEL_FRAMES = 8
STRIDE = 4  # frames from one activation to the next
MOST_STEPS = 6
LOW_HZ, HIGH_HZ = 40.0, 15_500.0
_FLOOR = 1e-4


@cache
def filters() -> NDArray[np.float32]:
    """(BANDS, FFT / 2 + 1) triangular mel filters (O'Shaughnessy's scale), each of sum 1; none is narrower than a bin."""
    hz = np.fft.rfftfreq(FFT, 1.0 / RATE_HZ)
    mel = np.linspace(2595 * np.log10(1 + LOW_HZ / 700), 2595 * np.log10(1 + HIGH_HZ / 700), BANDS + 2)
    edge = 700 * (10 ** (mel / 2595) - 1)
    width = hz[1]
    low, mid, high = edge[:-2, None], edge[1:-1, None], edge[2:, None]
    low, high = np.minimum(low, mid - width), np.maximum(high, mid + width)
    bank = np.clip(np.minimum((hz - low) / (mid - low), (high - hz) / (high - mid)), 0.0, None)
    return (bank / bank.sum(axis=1, keepdims=True)).astype(np.float32)


@cache
def _to_bins() -> NDArray[np.float32]:
    """(BANDS, FFT / 2 + 1) weights, of sum 1 per bin, that spread a mask of bands over bins."""
    bank = filters() / filters().max(axis=1, keepdims=True)
    hz = np.fft.rfftfreq(FFT, 1.0 / RATE_HZ)
    centre = (filters() * hz).sum(axis=1)
    nearest = np.abs(hz[None] - centre[:, None]).argmin(axis=0)
    bank = bank + 1e-6 * np.eye(BANDS, dtype=np.float32)[nearest].T
    return (bank / bank.sum(axis=0)).astype(np.float32)


def _window() -> NDArray[np.float32]:
    # periodic sine window: its square overlaps to one at half its length
    return np.sin(np.pi * (np.arange(FFT) + 0.5) / FFT).astype(np.float32)


def transform(wave: NDArray[np.float32]) -> NDArray[np.complex64]:
    """(..., n) samples to (..., frames, FFT / 2 + 1), frames = ceil(n / HOP) + 1; `inverse` undoes it exactly."""
    n = wave.shape[-1]
    tail = -n % HOP
    padded = np.pad(wave, [(0, 0)] * (wave.ndim - 1) + [(HOP, HOP + tail)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT, axis=-1)[..., ::HOP, :]
    return np.fft.rfft(frames * _window(), axis=-1).astype(np.complex64)


def inverse(spectrum: NDArray[np.complex64], length: int) -> NDArray[np.float32]:
    """(..., frames, bins) back to (..., length) samples."""
    frames = np.fft.irfft(spectrum, FFT, axis=-1).astype(np.float32) * _window()
    first, second = frames[..., :HOP], frames[..., HOP:]
    blocks = first[..., 1:, :] + second[..., :-1, :]
    return blocks.reshape(*blocks.shape[:-2], blocks.shape[-2] * HOP)[..., :length]


def power_grid(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., n) samples to mean power (..., BANDS, frames of 32 ms)."""
    spectrum = transform(wave)
    return _grid_of(spectrum[..., : spectrum.shape[-2] - spectrum.shape[-2] % 2, :])


def _grid_of(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    power = (spectrum.real**2 + spectrum.imag**2) @ filters().T
    pairs = power.reshape(*power.shape[:-2], -1, 2, BANDS).mean(axis=-2)
    return np.swapaxes(pairs, -1, -2).astype(np.float32)


def network(
    labels: int, presence: bool = True, decoder: bool = True, autoregressive: bool = True, residual_only: bool = False
) -> torch.nn.Module:
    """The network in torch; see the module's text.

    Args:
        labels: how many.
        presence: with the head that says which labels are still there.
        decoder: with the decoder that draws masks finer than the dictionary does.
        autoregressive: whether it is used in steps; only says how it is to be read back.
        residual_only: whether the encoder sees nothing but what is left.
    """
    import torch
    from torch import nn
    from torch.nn import functional as f

    def block(i: int, o: int, stride: Any) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = labels
            self.autoregressive = autoregressive
            self.e1 = block(2, 24, (2, 1))
            self.e2 = block(24, 48, 2)
            self.e3 = block(48, 64, 1)
            self.e4 = block(64, 96, 2)
            self.e5 = block(96, 128, (2, 1))
            self.e6 = nn.Sequential(nn.Conv2d(128, 192, (4, 3), 1, (0, 1), bias=False), nn.BatchNorm2d(192), nn.ReLU())
            self.drop = nn.Dropout(0.2)
            self.drive = nn.Conv1d(192, labels * KERNELS, 1)
            self.level = nn.Conv1d(192, labels * KERNELS, 1)
            self.kernels = nn.Parameter(torch.rand(labels * KERNELS, BANDS, KERNEL_FRAMES) * 0.2)
            self.threshold = nn.Parameter(torch.full((), 3.0))  # of the labels, where they are asked for all at once
            self.stop = nn.Linear(384 + 1, 1)
            self.present = nn.Linear(384, labels) if presence else None
            self.has_decoder = decoder
            if decoder:
                self.told = nn.Embedding(labels, 192 + 64 + 24)
                nn.init.normal_(self.told.weight, 0.0, 0.3)
                self.d1 = nn.Conv1d(192, 24 * 16, 1)
                self.d2 = nn.Sequential(nn.Conv2d(24 + 64, 24, 3, 1, 1), nn.ReLU(inplace=True))
                self.d3 = nn.Sequential(nn.Conv2d(24 + 24, 12, 3, 1, 1), nn.ReLU(inplace=True))
                self.d4 = nn.Conv2d(12 + 4, 1, 3, 1, 1)

        @staticmethod
        def seen(power: torch.Tensor) -> torch.Tensor:
            """Levels (batch, bands, frames) as the encoder sees them, whatever the loudness of the whole."""
            scaled = power / power.mean((1, 2), keepdim=True).clamp(min=1e-12)
            return (torch.log(scaled + _FLOOR) + 4.0) / 4.0

        def encode(self, power: torch.Tensor, left: torch.Tensor) -> dict[str, torch.Tensor]:
            """Both (batch, bands, frames): power of the mixture, and the share of its amplitude that is left."""
            rest = power * left.square()
            x = torch.stack([self.seen(rest), self.seen(rest if residual_only else power)], 1)
            e1 = self.e1(x)
            e3 = self.e3(self.e2(e1))
            h = self.e6(self.e5(self.e4(e3))).squeeze(2).float()
            return self._heads(x, e1, e3, h, rest, power)

        def _heads(
            self, x: torch.Tensor, e1: torch.Tensor, e3: torch.Tensor, h: torch.Tensor, rest: torch.Tensor, power: torch.Tensor
        ) -> dict[str, torch.Tensor]:
            with torch.autocast(h.device.type, enabled=False):  # half precision is for the convolutions alone
                return self._full_heads(x, e1, e3, h, rest, power)

        def _full_heads(
            self, x: torch.Tensor, e1: torch.Tensor, e3: torch.Tensor, h: torch.Tensor, rest: torch.Tensor, power: torch.Tensor
        ) -> dict[str, torch.Tensor]:
            pooled = self.drop(torch.cat([h.mean(2), h.amax(2)], 1))
            share = (rest.sum((1, 2)) / power.sum((1, 2)).clamp(min=1e-12)).clamp(min=1e-6).log()[:, None] / 5.0
            drive = self.drive(self.drop(h))
            # soft maximum over time: a kernel that fires once strongly counts, and so does one that fires all along
            pooled_drive = (torch.logsumexp(2.0 * drive, 2) - float(np.log(drive.shape[2]))) / 2.0
            by_label = pooled_drive.reshape(len(power), self.count, KERNELS)
            found = {
                "x": x,
                "e1": e1,
                "e3": e3,
                "h": h,
                "active": torch.relu(drive) * f.softplus(self.level(h)),
                "kernel": by_label,
                "label": torch.logsumexp(by_label, 2),
                "stop": self.stop(torch.cat([pooled, share], 1)),
            }
            if self.present is not None:
                found["present"] = self.present(pooled)
            return found

        def dictionary_levels(self, state: dict[str, torch.Tensor], label: torch.Tensor) -> torch.Tensor:
            """(batch, bands, frames) fourth root of the label's power, relative to the mixture's mean, as its kernels make it."""
            rows = label[:, None] * KERNELS + torch.arange(KERNELS, device=label.device)
            active = torch.gather(state["active"], 1, rows[:, :, None].expand(-1, -1, state["active"].shape[2]))
            kernels = torch.relu(self.kernels)[rows]  # (batch, KERNELS, bands, KERNEL_FRAMES)
            frames = torch.einsum("bkt,bkfn->bftn", active, kernels)
            flat = frames.permute(0, 1, 3, 2).reshape(len(label), BANDS * KERNEL_FRAMES, -1)
            size = (frames.shape[2] - 1) * STRIDE + KERNEL_FRAMES
            laid = f.fold(flat, (1, size), (1, KERNEL_FRAMES), stride=(1, STRIDE)).squeeze(2)
            return laid[:, :, : state["x"].shape[3]]

        def mask(
            self, state: dict[str, torch.Tensor], label: torch.Tensor, power: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            """Mask on the mixture's amplitude and the dictionary's levels, both (batch, bands, frames)."""
            with torch.autocast(power.device.type, enabled=False):
                levels = self.dictionary_levels(state, label)
            if not self.has_decoder:
                scaled = power / power.mean((1, 2), keepdim=True).clamp(min=1e-12)
                return (levels.square() / (scaled + 1e-8).sqrt()).clamp(max=1.0), levels
            scale = self.told(label)
            a, b, c = (1.0 + t for t in scale.split([192, 64, 24], 1))
            frames = state["x"].shape[3]
            d = torch.relu(self.d1(state["h"] * a[:, :, None])).reshape(len(label), 24, 16, -1)
            d = f.interpolate(d, size=state["e3"].shape[2:], mode="nearest")
            d = self.d2(torch.cat([d, state["e3"] * b[:, :, None, None]], 1))
            d = f.interpolate(d, size=(BANDS // 2, frames), mode="nearest")
            d = self.d3(torch.cat([d, state["e1"] * c[:, :, None, None]], 1))
            d = f.interpolate(d, size=(BANDS, frames), mode="nearest")
            shown = torch.stack([torch.log(levels + 0.05), levels - torch.exp(state["x"][:, 1] - 1.0)], 1)
            return torch.sigmoid(self.d4(torch.cat([d, state["x"], shown], 1)).squeeze(1).float()), levels

    return Net()


@dataclass(frozen=True, slots=True)
class Rule:
    """How steps are chosen and scored; fitted on sounds that were not trained on.

    Attributes:
        presence: weight of the presence head's log-odds in the choice of the next label.
        stop: log-odds added to "stop".
        choice: weight of the steps' choices in a label's score, beside the presence head's.
    """

    presence: float = 0.0
    stop: float = 0.0
    choice: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One atom taken from a mixture.

    Attributes:
        label: what it is.
        kernel: which kernel of the dictionary was most active, 0 to labels * KERNELS - 1.
        chance: of the label among all that could be taken at this step, "stop" included.
        stop: the chance that nothing is left.
        mask: (BANDS, frames) share of the mixture's amplitude that was taken.
        active: (KERNELS, times) activations of the label's kernels, 8 a second.
        wave: (n,) samples.
    """

    label: str
    kernel: int
    chance: float
    stop: float
    mask: NDArray[np.float32] = field(repr=False)
    active: NDArray[np.float32] = field(repr=False)
    wave: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Decomposition:
    """A window taken apart: steps in order, what is left (n,), and every label's score (labels,), 0 to 1."""

    steps: tuple[Step, ...]
    residual: NDArray[np.float32] = field(repr=False)
    scores: NDArray[np.float32] = field(repr=False)
    sparsity: float = 0.0  # share of activations that are not zero in the mixture


@dataclass(slots=True)
class Trace:
    """What the network said at every step, for a batch of n windows."""

    label: list[NDArray[np.float32]] = field(default_factory=list)  # (n, labels) log of the unnormalised chance
    stop: list[NDArray[np.float32]] = field(default_factory=list)  # (n,)
    present: list[NDArray[np.float32]] = field(default_factory=list)  # (n, labels)
    taken: list[NDArray[np.bool_]] = field(default_factory=list)  # (n, labels) before the step
    chosen: list[NDArray[np.int64]] = field(default_factory=list)
    kernel: list[NDArray[np.int64]] = field(default_factory=list)
    mask: list[NDArray[np.float32]] = field(default_factory=list)
    active: list[NDArray[np.float32]] = field(default_factory=list)
    sparsity: NDArray[np.float32] | None = None
    others: NDArray[np.float32] | float = 0.0  # (n, labels) sum of the second opinions' log-odds


class Decomposer:
    """A trained network at work.

    Args:
        folder: where the weights and model.json are.
        file: name of the weights.
        device: "cpu" or "cuda".
    """

    def __init__(self, folder: Path = FOLDER, file: str = "weights.safetensors", device: str = "cpu") -> None:
        self.folder, self.file, self.device = folder, file, device

    @cached_property
    def card(self) -> dict[str, Any]:
        """What model.json says.

        Raises:
            WeightsError: it is missing or cannot be read.
        """
        card = self.folder / "model.json"
        if not card.is_file():
            raise WeightsError(f"{card} is missing; restore it from the repository, or run: earwitness lab train-atoms")
        try:
            held: dict[str, Any] = json.loads(card.read_text(encoding="utf-8"))
        except ValueError as wrong:
            raise WeightsError(f"{card} cannot be read; restore it from the repository.") from wrong
        return held

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.card["labels"])

    @cached_property
    def rule(self) -> Rule:
        held = self.card.get("rules", {}).get(self.file)
        return Rule(**held) if held else Rule()

    @cached_property
    def net(self) -> Any:
        """The network, loaded on first use; its shape is read off the weights."""
        return self._load(self.file)

    @cached_property
    def opinions(self) -> tuple[Any, ...]:
        """Networks that are asked, once and about the whole mixture, which labels are there; those that were trained."""
        asked = self.card.get("opinions", {}).get(self.file, ())
        return tuple(self._load(file) for file in asked if file in self.card["sha256"])

    def _load(self, file: str) -> Any:
        from safetensors import SafetensorError
        from safetensors.torch import load

        path = self.folder / file
        if not path.is_file():
            raise WeightsError(f"{path} is missing; restore it from the repository, or run: earwitness lab train-atoms")
        raw = path.read_bytes()
        if hashlib.sha256(raw).hexdigest() != self.card["sha256"].get(file):
            raise WeightsError(f"{path.name} is not the file its card names; restore it from the repository.")
        try:
            held = {k: v.float() if v.is_floating_point() else v for k, v in load(raw).items()}
        except SafetensorError as wrong:
            raise WeightsError(f"{path} cannot be read; restore it from the repository.") from wrong
        presence, decoder = "present.weight" in held, "d1.weight" in held
        net = network(len(self.labels), presence, decoder, residual_only=not presence)
        try:
            net.load_state_dict(held)
        except RuntimeError as wrong:
            raise WeightsError(f"{path.name} was trained for another network; run: earwitness lab train-atoms") from wrong
        return net.to(self.device).eval()

    @cached_property
    def kernels(self) -> NDArray[np.float32]:
        """(labels, KERNELS, BANDS, KERNEL_FRAMES) the dictionary: levels, none negative."""
        held = np.maximum(self.net.kernels.detach().cpu().numpy(), 0.0)
        return held.reshape(len(self.labels), KERNELS, BANDS, KERNEL_FRAMES)

    def decompose(
        self,
        windows: NDArray[np.float32],
        wanted: Sequence[Sequence[str]] | None = None,
        most: int = MOST_STEPS,
        batch: int = 16,
        stopping: bool = True,
    ) -> tuple[Decomposition, ...]:
        """Take windows apart.

        Args:
            windows: (n, samples) at RATE_HZ, each of WINDOW_SAMPLES or more.
            wanted: labels to be taken from each window, in this order, whatever the model thinks is there; None leaves it to the
                model.
            most: steps at most.
            stopping: whether the model may stop before; else it takes `most` steps from whatever sounds.

        Raises:
            ValueError: the shape is wrong, or a sample is not finite.
            WeightsError: the weights are missing.
        """
        return tuple(
            d for part, at in self._batches(windows, batch) for d in self._decompose(part, _slice(wanted, at), most, stopping)
        )

    def scores(self, windows: NDArray[np.float32], most: int = 4, batch: int = 32) -> NDArray[np.float32]:
        """(n, labels) how surely each label is there, 0 to 1, without parts."""
        out = []
        for part, _ in self._batches(windows, batch):
            trace, _ = self.trace(self._grids(transform(part)), most, None)
            out.append(scores_of(trace, self.rule))
        return np.concatenate(out) if out else np.zeros((0, len(self.labels)), np.float32)

    def drives(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, labels, KERNELS) how strongly each kernel is driven by windows (n, samples), pooled over time."""
        import torch

        with torch.inference_mode():
            power = torch.from_numpy(self._grids(transform(windows))).to(self.device)
            found: NDArray[np.float32] = self.net.encode(power, torch.ones_like(power))["kernel"].cpu().numpy()
        return found

    def _batches(self, windows: NDArray[np.float32], batch: int) -> Iterator[tuple[NDArray[np.float32], slice]]:
        windows = np.asarray(windows, dtype=np.float32)
        if windows.ndim != 2 or windows.shape[1] < WINDOW_SAMPLES:
            raise ValueError(f"windows must be (n, {WINDOW_SAMPLES} or more), not {windows.shape}")
        if not np.isfinite(windows).all():
            raise ValueError("a window holds samples that are not finite")
        for at in range(0, len(windows), batch):
            yield windows[at : at + batch], slice(at, at + batch)

    @staticmethod
    def _grids(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
        whole = spectrum.shape[1] - spectrum.shape[1] % 2
        return _grid_of(spectrum[:, :whole])

    def trace(
        self, power: NDArray[np.float32], most: int, wanted: Sequence[Sequence[int]] | None, stopping: bool = False
    ) -> tuple[Trace, NDArray[np.float32]]:
        """Run steps on power grids (n, BANDS, frames); also what is left (n, BANDS, frames).

        Args:
            most: so many steps, or, when stopping, at most so many.
            wanted: labels to be taken, by window.
            stopping: a window that stops is looked at no more; its last entries are repeated.
        """
        import torch

        x = torch.from_numpy(power).to(self.device)
        left = torch.ones_like(x)
        taken = np.zeros((len(power), len(self.labels)), dtype=bool)
        going = np.ones(len(power), dtype=bool)
        trace = Trace()
        with torch.inference_mode():
            if self.opinions:
                trace.others = np.sum([said_of(n, n.encode(x, left)).cpu().numpy() for n in self.opinions], axis=0)
            for step in range(most):
                on = np.flatnonzero(going)
                if not len(on):
                    break
                rows, at = np.arange(len(on)), torch.from_numpy(on).to(self.device)
                power_on, left_on, taken_on = x[at], left[at], taken[on]
                state = self.net.encode(power_on, left_on)
                label = state["label"].cpu().numpy()
                present = np.zeros_like(label)
                if "present" in state:  # two opinions of the same: the head's, and the kernels' own
                    own = ((state["present"] + state["label"] - self.net.threshold) / 2.0).cpu().numpy()
                    others = np.broadcast_to(trace.others, taken.shape)[on]
                    present = (own + others) / (1 + len(self.opinions))
                if step == 0:
                    trace.sparsity = (state["active"] > 1e-3).float().mean((1, 2)).cpu().numpy()
                preferred = np.where(taken_on, -np.inf, label + self.rule.presence * present)
                chosen = preferred.argmax(axis=1)
                if wanted is not None:
                    given = [wanted[i][step] if step < len(wanted[i]) else -1 for i in on.tolist()]
                    chosen = np.where(np.array(given) >= 0, given, chosen)
                mask, _ = self.net.mask(state, torch.from_numpy(chosen).to(self.device), power_on)
                mask = torch.minimum(mask, left_on)
                left[at] = left_on - mask
                stop = state["stop"].cpu().numpy()[:, 0]
                kernel = state["kernel"].cpu().numpy()[rows, chosen].argmax(axis=1)
                kernels = chosen[:, None] * KERNELS + np.arange(KERNELS)
                trace.taken.append(taken.copy())
                _note(trace.label, on, label, len(x))
                _note(trace.present, on, present, len(x))
                _note(trace.stop, on, stop, len(x))
                _note(trace.chosen, on, chosen, len(x))
                _note(trace.kernel, on, chosen * KERNELS + kernel, len(x))
                _note(trace.mask, on, mask.cpu().numpy(), len(x))
                _note(trace.active, on, state["active"].cpu().numpy()[rows[:, None], kernels], len(x))
                taken[on, chosen] = True
                if stopping:
                    going[on] = preferred.max(axis=1) >= stop + self.rule.stop
        return trace, left.cpu().numpy()

    def _decompose(
        self, windows: NDArray[np.float32], wanted: Sequence[Sequence[str]] | None, most: int, stopping: bool
    ) -> tuple[Decomposition, ...]:
        spectrum = transform(windows)
        index = [[self.labels.index(k) for k in t] for t in wanted] if wanted is not None else None
        steps = max((len(t) for t in index), default=1) if index is not None else most
        trace, _ = self.trace(self._grids(spectrum), max(1, steps), index, stopping and index is None)
        scores = scores_of(trace, self.rule)
        if index is not None:
            count = [len(t) for t in index]
        else:
            count = counts_of(trace, self.rule) if stopping else [len(trace.label)] * len(windows)
        sounding = np.abs(windows).max(axis=1) > 1e-5
        out = []
        for i, window in enumerate(windows):
            if not sounding[i]:
                out.append(Decomposition((), window, np.zeros(len(self.labels), np.float32)))
                continue
            chances = [chances_of(trace, k, self.rule)[i] for k in range(count[i])]
            masks = np.stack([trace.mask[k][i] for k in range(count[i])]) if count[i] else np.zeros((0, *trace.mask[0][i].shape))
            waves = inverse(spectrum[i][None] * spread(masks, spectrum.shape[1]), windows.shape[1])
            found = tuple(
                Step(
                    self.labels[trace.chosen[k][i]],
                    int(trace.kernel[k][i]),
                    float(chances[k][trace.chosen[k][i]]),
                    float(chances[k][-1]),
                    trace.mask[k][i],
                    trace.active[k][i],
                    waves[k],
                )
                for k in range(count[i])
            )
            assert trace.sparsity is not None
            residual = window - waves.sum(axis=0) if count[i] else window
            out.append(Decomposition(found, residual.astype(np.float32), scores[i], float(trace.sparsity[i])))
        return tuple(out)


def _note(noted: list[NDArray[Any]], on: NDArray[np.int64], values: NDArray[Any], count: int) -> None:
    """Append what a step said of the windows `on`; what was said last of the others stands."""
    if len(on) == count:
        noted.append(values)
        return
    every = noted[-1].copy()
    every[on] = values
    noted.append(every)


def said_of(net: Any, state: dict[str, Any]) -> torch.Tensor:
    """(batch, labels) log-odds that each label is there, as a network without steps says: by its presence head where that was
    trained, else by its kernels' drive."""
    said: torch.Tensor = state["label"] - net.threshold if net.has_decoder else state["present"]
    return said


def _slice(wanted: Sequence[Sequence[str]] | None, part: slice) -> Sequence[Sequence[str]] | None:
    return None if wanted is None else wanted[part]


def spread(masks: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Masks of the grid (n, BANDS, grid frames) over the transform's points (n, frames, FFT / 2 + 1)."""
    wide = np.repeat(np.swapaxes(masks, 1, 2), 2, axis=1)
    if wide.shape[1] < frames:
        wide = np.concatenate([wide, np.repeat(wide[:, -1:], frames - wide.shape[1], axis=1)], axis=1)
    return (wide[:, :frames] @ _to_bins()).astype(np.float32)


def chances_of(trace: Trace, step: int, rule: Rule) -> NDArray[np.float32]:
    """(n, labels + 1) chance of each label, and of "stop" last, to be this step's."""
    label = np.where(trace.taken[step], -np.inf, trace.label[step] + rule.presence * trace.present[step])
    z = np.concatenate([label, (trace.stop[step] + rule.stop)[:, None]], axis=1)
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return (z / z.sum(axis=1, keepdims=True)).astype(np.float32)


def counts_of(trace: Trace, rule: Rule) -> list[int]:
    """How many steps each window takes before "stop" is the likeliest."""
    going = np.ones(len(trace.stop[0]), dtype=bool)
    count = np.zeros(len(going), dtype=int)
    for k in range(len(trace.label)):
        going &= chances_of(trace, k, rule).argmax(axis=1) < trace.label[k].shape[1]
        count += going
    return [int(c) for c in count]


def scores_of(trace: Trace, rule: Rule) -> NDArray[np.float32]:
    """(n, labels) score of each label, 0 to 1.

    The steps' own say is the chance that the label is chosen at one of them, each step counting as much as it is likely to be
    reached. The presence head's is the mean of its log-odds at all steps before the label was taken. Both are joined as log-odds.
    """
    reached = np.ones((len(trace.stop[0]), 1))
    never = np.ones(trace.label[0].shape)
    total, seen = np.zeros(trace.label[0].shape), np.zeros(trace.label[0].shape)
    for k in range(len(trace.label)):
        chance = chances_of(trace, k, rule)
        never *= 1.0 - reached * chance[:, :-1]
        weight = np.where(trace.taken[k], 0.0, reached)
        total += weight * trace.present[k]
        seen += weight
        reached = reached * (1.0 - chance[:, -1:])
    said = np.clip(1.0 - never, 1e-6, 1.0 - 1e-6)
    z = rule.choice * np.log(said / (1.0 - said)) + total / np.maximum(seen, 1e-9)
    return (1.0 / (1.0 + np.exp(-z / (1.0 + rule.choice)))).astype(np.float32)


@cache
def decomposer() -> Decomposer:
    """The shipped model, shared by clue, page and benchmark."""
    return Decomposer()
