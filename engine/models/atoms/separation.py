"""The loop over steps: at each, one label is chosen and its part taken out of what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.models.atoms.grid import KERNELS

if TYPE_CHECKING:
    from engine.models.atoms.network import Network, State

_ACTIVE = 1e-3  # an activation above it is not zero


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

    def note(self, on: NDArray[np.int64], count: int, **said: NDArray[Any]) -> None:
        """Append what a step said of the windows `on` of `count`, by field; what was said last of the others stands."""
        for name, values in said.items():
            noted = getattr(self, name)
            if len(on) < count:
                every = noted[-1].copy()
                every[on] = values
                values = every
            noted.append(values)


def trace(
    net: Network,
    opinions: Sequence[Network],
    rule: Rule,
    power: NDArray[np.float32],
    most: int,
    wanted: Sequence[Sequence[int]] | None = None,
    stopping: bool = False,
) -> tuple[Trace, NDArray[np.float32]]:
    """Run steps on power grids.

    Args:
        net: it takes the steps, on its own device.
        opinions: networks asked once, about the whole mixture.
        power: (n, BANDS, frames).
        most: so many steps, or, when stopping, at most so many.
        wanted: labels to be taken, by window.
        stopping: a window that stops is looked at no more; its last entries are repeated.

    Returns:
        What was said, and the share of the amplitude that is left (n, BANDS, frames).
    """
    import torch

    from engine.models.atoms.network import log_odds

    x = torch.from_numpy(power).to(net.threshold.device)
    left = torch.ones_like(x)
    taken = np.zeros((len(power), net.count), dtype=bool)
    going = np.ones(len(power), dtype=bool)
    noted = Trace()
    with torch.inference_mode():
        if opinions:
            noted.others = np.sum([log_odds(n, n.encode(x, left)).cpu().numpy() for n in opinions], axis=0)
        others = np.broadcast_to(noted.others, taken.shape)
        for step in range(most):
            on = np.flatnonzero(going)
            if not len(on):
                break
            at = torch.from_numpy(on).to(x.device)
            state = net.encode(x[at], left[at])
            if step == 0:
                noted.sparsity = (state["active"] > _ACTIVE).float().mean((1, 2)).cpu().numpy()
            label, stop = state["label"].cpu().numpy(), state["stop"].cpu().numpy()[:, 0]
            present = _present(net, state, others[on], len(opinions))
            preferred = np.where(taken[on], -np.inf, label + rule.presence * present)
            chosen = _chosen(preferred, [wanted[i] for i in on.tolist()] if wanted is not None else None, step)
            mask, _ = net.mask(state, torch.from_numpy(chosen).to(x.device), x[at])
            mask = torch.minimum(mask, left[at])
            left[at] -= mask
            kernel, active = _most_active(state, chosen)
            noted.taken.append(taken.copy())
            noted.note(on, len(x), label=label, present=present, stop=stop, chosen=chosen, kernel=kernel,
                       mask=mask.cpu().numpy(), active=active)  # fmt: skip
            taken[on, chosen] = True
            if stopping:
                going[on] = preferred.max(axis=1) >= stop + rule.stop
    return noted, left.cpu().numpy()


def _present(net: Network, state: State, others: NDArray[np.float32], opinions: int) -> NDArray[np.floating[Any]]:
    """(windows, labels) log-odds that each label is still there: the mean of the network's own and the second opinions'."""
    if "present" not in state:
        return np.zeros(state["label"].shape, np.float32)
    # two opinions of the same: the head's, and the kernels' own
    own = ((state["present"] + state["label"] - net.threshold) / 2.0).cpu().numpy()
    joined: NDArray[np.floating[Any]] = (own + others) / (1 + opinions)
    return joined


def _chosen(preferred: NDArray[np.float32], wanted: Sequence[Sequence[int]] | None, step: int) -> NDArray[np.int64]:
    """(windows,) the label wanted at this step, or where none is the one preferred."""
    chosen = preferred.argmax(axis=1)
    if wanted is None:
        return chosen
    given = np.array([labels[step] if step < len(labels) else -1 for labels in wanted])
    return np.where(given >= 0, given, chosen)


def _most_active(state: State, chosen: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(windows,) the most active kernel of the label chosen, and (windows, KERNELS, times) its label's activations."""
    rows = np.arange(len(chosen))
    kernel = state["kernel"].cpu().numpy()[rows, chosen].argmax(axis=1)
    kernels = chosen[:, None] * KERNELS + np.arange(KERNELS)
    return chosen * KERNELS + kernel, state["active"].cpu().numpy()[rows[:, None], kernels]
