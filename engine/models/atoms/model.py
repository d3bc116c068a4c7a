"""The trained network at work: windows taken apart, and the dictionary it does so by."""

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
from engine.models.atoms import separation
from engine.models.atoms.grid import (
    BANDS,
    KERNEL_FRAMES,
    KERNELS,
    WINDOW_SAMPLES,
    grid_of,
    inverse,
    spread,
    transform,
    whole_frames,
)
from engine.models.atoms.scores import chances_of, counts_of, scores_of
from engine.models.atoms.separation import Rule, Trace

if TYPE_CHECKING:
    from engine.models.atoms.network import Network

MODEL_ID = cards.ATOMS.id
FOLDER = ASSETS / "models" / "atoms"
MOST_STEPS = 6
_SILENT = 1e-5  # a window that gets no louder is not taken apart


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
    def net(self) -> Network:
        """The network, loaded on first use; its shape is read off the weights."""
        return self._load(self.file)

    @cached_property
    def opinions(self) -> tuple[Network, ...]:
        """Networks that are asked, once and about the whole mixture, which labels are there; those that were trained."""
        asked = self.card.get("opinions", {}).get(self.file, ())
        return tuple(self._load(file) for file in asked if file in self.card["sha256"])

    def _load(self, file: str) -> Network:
        from safetensors import SafetensorError
        from safetensors.torch import load

        from engine.models.atoms.network import Network

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
        net = Network(len(self.labels), presence, decoder, residual_only=not presence)
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
            trace, _ = self.trace(_grids(transform(part)), most, None)
            out.append(scores_of(trace, self.rule))
        return np.concatenate(out) if out else np.zeros((0, len(self.labels)), np.float32)

    def drives(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, labels, KERNELS) how strongly each kernel is driven by windows (n, samples), pooled over time."""
        import torch

        with torch.inference_mode():
            power = torch.from_numpy(_grids(transform(windows))).to(self.device)
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

    def trace(
        self, power: NDArray[np.float32], most: int, wanted: Sequence[Sequence[int]] | None, stopping: bool = False
    ) -> tuple[Trace, NDArray[np.float32]]:
        """Run steps on power grids (n, BANDS, frames); also what is left (n, BANDS, frames). See `separation.trace`."""
        return separation.trace(self.net, self.opinions, self.rule, power, most, wanted, stopping)

    def _decompose(
        self, windows: NDArray[np.float32], wanted: Sequence[Sequence[str]] | None, most: int, stopping: bool
    ) -> tuple[Decomposition, ...]:
        spectrum = transform(windows)
        index = [[self.labels.index(k) for k in t] for t in wanted] if wanted is not None else None
        steps = max((len(t) for t in index), default=1) if index is not None else most
        trace, _ = self.trace(_grids(spectrum), max(1, steps), index, stopping and index is None)
        scores = scores_of(trace, self.rule)
        if index is not None:
            count = [len(t) for t in index]
        else:
            count = counts_of(trace, self.rule) if stopping else [len(trace.label)] * len(windows)
        assert trace.sparsity is not None
        out = []
        for i, window in enumerate(windows):
            if np.abs(window).max() <= _SILENT:
                out.append(Decomposition((), window, np.zeros(len(self.labels), np.float32)))
                continue
            found = self._steps(trace, i, count[i], spectrum[i], len(window))
            residual = window - np.stack([s.wave for s in found]).sum(axis=0) if found else window
            out.append(Decomposition(found, residual.astype(np.float32), scores[i], float(trace.sparsity[i])))
        return tuple(out)

    def _steps(self, trace: Trace, i: int, count: int, spectrum: NDArray[np.complex64], length: int) -> tuple[Step, ...]:
        """The first so many steps of window i, with their samples."""
        if not count:
            return ()
        masks = np.stack([trace.mask[k][i] for k in range(count)])
        waves = inverse(spectrum[None] * spread(masks, len(spectrum)), length)
        chances = [chances_of(trace, k, self.rule)[i] for k in range(count)]
        return tuple(
            Step(
                label=self.labels[trace.chosen[k][i]],
                kernel=int(trace.kernel[k][i]),
                chance=float(chances[k][trace.chosen[k][i]]),
                stop=float(chances[k][-1]),
                mask=trace.mask[k][i],
                active=trace.active[k][i],
                wave=waves[k],
            )
            for k in range(count)
        )


def _grids(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    return grid_of(whole_frames(spectrum))


def _slice(wanted: Sequence[Sequence[str]] | None, part: slice) -> Sequence[Sequence[str]] | None:
    return None if wanted is None else wanted[part]


@cache
def decomposer() -> Decomposer:
    """The shipped model, shared by clue, page and benchmark."""
    return Decomposer()
