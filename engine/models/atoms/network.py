"""The network in torch: encoder, dictionary, heads, and the decoder that draws masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as f

from engine.models.atoms.grid import BANDS, KERNEL_FRAMES, KERNELS, STRIDE

_FLOOR = 1e-4
_H, _E1, _E3 = 192, 24, 64  # channels of what the encoder gives to heads and decoder
_STATE = 2 * _H  # mean and maximum over time
State = dict[str, Tensor]


def _block(i: int, o: int, stride: Any) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


def _relative(power: Tensor) -> Tensor:
    """Power by the mean of its window, so that the loudness of the whole does not matter."""
    return power / power.mean((1, 2), keepdim=True).clamp(min=1e-12)


def seen(power: Tensor) -> Tensor:
    """Levels (batch, bands, frames) as the encoder sees them."""
    return (torch.log(_relative(power) + _FLOOR) + 4.0) / 4.0


class Network(nn.Module):
    """See the text of the package. The names of layers are those of the weights' files.

    Args:
        labels: how many.
        presence: with the head that says which labels are still there.
        decoder: with the decoder that draws masks finer than the dictionary does.
        residual_only: whether the encoder sees nothing but what is left.
    """

    def __init__(self, labels: int, presence: bool = True, decoder: bool = True, residual_only: bool = False) -> None:
        super().__init__()
        self.count, self.has_decoder, self.residual_only = labels, decoder, residual_only
        self.e1 = _block(2, _E1, (2, 1))
        self.e2 = _block(_E1, 48, 2)
        self.e3 = _block(48, _E3, 1)
        self.e4 = _block(_E3, 96, 2)
        self.e5 = _block(96, 128, (2, 1))
        self.e6 = nn.Sequential(nn.Conv2d(128, _H, (4, 3), 1, (0, 1), bias=False), nn.BatchNorm2d(_H), nn.ReLU())
        self.drop = nn.Dropout(0.2)
        self.drive = nn.Conv1d(_H, labels * KERNELS, 1)
        self.level = nn.Conv1d(_H, labels * KERNELS, 1)
        self.kernels = nn.Parameter(torch.rand(labels * KERNELS, BANDS, KERNEL_FRAMES) * 0.2)
        self.threshold = nn.Parameter(torch.full((), 3.0))  # of the labels, where they are asked for all at once
        self.stop = nn.Linear(_STATE + 1, 1)
        self.present = nn.Linear(_STATE, labels) if presence else None
        if decoder:
            self.told = nn.Embedding(labels, _H + _E3 + _E1)
            nn.init.normal_(self.told.weight, 0.0, 0.3)
            self.d1 = nn.Conv1d(_H, 24 * 16, 1)
            self.d2 = nn.Sequential(nn.Conv2d(24 + _E3, 24, 3, 1, 1), nn.ReLU(inplace=True))
            self.d3 = nn.Sequential(nn.Conv2d(24 + _E1, 12, 3, 1, 1), nn.ReLU(inplace=True))
            self.d4 = nn.Conv2d(12 + 4, 1, 3, 1, 1)

    def encode(self, power: Tensor, left: Tensor) -> State:
        """What is seen and said.

        Args:
            power: (batch, bands, frames) of the mixture.
            left: likewise, the share of its amplitude that is left.

        Returns:
            "x", "e1", "e3" and "h": what the encoder saw, coarser and coarser; and what `_heads` gives.
        """
        rest = power * left.square()
        x = torch.stack([seen(rest), seen(rest if self.residual_only else power)], 1)
        e1 = self.e1(x)
        e3 = self.e3(self.e2(e1))
        h = self.e6(self.e5(self.e4(e3))).squeeze(2).float()
        with torch.autocast(h.device.type, enabled=False):  # half precision is for the convolutions alone
            return {"x": x, "e1": e1, "e3": e3, "h": h, **self._heads(h, rest, power)}

    def _heads(self, h: Tensor, rest: Tensor, power: Tensor) -> State:
        """Of every label activations "active" over time, "kernel" and "label" pooled; "stop", and "present" where trained."""
        pooled = self.drop(torch.cat([h.mean(2), h.amax(2)], 1))
        share = (rest.sum((1, 2)) / power.sum((1, 2)).clamp(min=1e-12)).clamp(min=1e-6).log()[:, None] / 5.0
        drive = self.drive(self.drop(h))
        # soft maximum over time: a kernel that fires once strongly counts, and so does one that fires all along
        pooled_drive = (torch.logsumexp(2.0 * drive, 2) - float(np.log(drive.shape[2]))) / 2.0
        by_label = pooled_drive.reshape(len(power), self.count, KERNELS)
        said = {
            "active": torch.relu(drive) * f.softplus(self.level(h)),
            "kernel": by_label,
            "label": torch.logsumexp(by_label, 2),
            "stop": self.stop(torch.cat([pooled, share], 1)),
        }
        return said if self.present is None else said | {"present": self.present(pooled)}

    def mask(self, state: State, label: Tensor, power: Tensor) -> tuple[Tensor, Tensor]:
        """Mask on the mixture's amplitude and the dictionary's levels, both (batch, bands, frames)."""
        with torch.autocast(power.device.type, enabled=False):
            levels = self._dictionary_levels(state, label)
        if self.has_decoder:
            return self._drawn(state, label, levels), levels
        return (levels.square() / (_relative(power) + 1e-8).sqrt()).clamp(max=1.0), levels

    def _dictionary_levels(self, state: State, label: Tensor) -> Tensor:
        """(batch, bands, frames) fourth root of the label's power, relative to the mixture's mean, as its kernels make it."""
        rows = label[:, None] * KERNELS + torch.arange(KERNELS, device=label.device)
        active = torch.gather(state["active"], 1, rows[:, :, None].expand(-1, -1, state["active"].shape[2]))
        kernels = torch.relu(self.kernels)[rows]  # (batch, KERNELS, bands, KERNEL_FRAMES)
        frames = torch.einsum("bkt,bkfn->bftn", active, kernels)
        flat = frames.permute(0, 1, 3, 2).reshape(len(label), BANDS * KERNEL_FRAMES, -1)
        size = (frames.shape[2] - 1) * STRIDE + KERNEL_FRAMES
        overlaid = f.fold(flat, (1, size), (1, KERNEL_FRAMES), stride=(1, STRIDE)).squeeze(2)
        return overlaid[:, :, : state["x"].shape[3]]

    def _drawn(self, state: State, label: Tensor, levels: Tensor) -> Tensor:
        """(batch, bands, frames) the decoder's mask: from coarse to fine, what the encoder saw weighted by label."""
        frames = state["x"].shape[3]
        a, b, c = (1.0 + t for t in self.told(label).split([_H, _E3, _E1], 1))
        d = torch.relu(self.d1(state["h"] * a[:, :, None])).reshape(len(label), 24, 16, -1)
        d = f.interpolate(d, size=state["e3"].shape[2:], mode="nearest")
        d = self.d2(torch.cat([d, state["e3"] * b[:, :, None, None]], 1))
        d = f.interpolate(d, size=(BANDS // 2, frames), mode="nearest")
        d = self.d3(torch.cat([d, state["e1"] * c[:, :, None, None]], 1))
        d = f.interpolate(d, size=(BANDS, frames), mode="nearest")
        shown = torch.stack([torch.log(levels + 0.05), levels - torch.exp(state["x"][:, 1] - 1.0)], 1)
        return torch.sigmoid(self.d4(torch.cat([d, state["x"], shown], 1)).squeeze(1).float())


def log_odds(net: Network, state: State) -> Tensor:
    """(batch, labels) log-odds that each label is there, as a network without steps says: by its presence head where that was
    trained, else by its kernels' drive."""
    said: Tensor = state["label"] - net.threshold if net.has_decoder else state["present"]
    return said
