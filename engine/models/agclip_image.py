"""AG-CLIP on spectrograms: MobileNetV3-Large with a species head and a head into GeoCLIP's location space.

Loads the checkpoints that the authors' code writes (a plain state dict, species first and location last in
`classifier.3.2`), and those that `earwitness lab train-agclip-images` writes.

Sources: Chasmai et al. 2025, arXiv 2505.18726, section 4; cvl-umass/nat-sound2loc-code, `src/models.py` (names and shapes).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.models import cards, checkpoint, spectrogram
from engine.models.geoclip_location import DIMENSIONS
from engine.models.spectrogram import ImageSetting

if TYPE_CHECKING:
    import torch

HIDDEN = 128
BACKBONE_WIDTH = 1280
INATSOUNDS_SPECIES = 5547
MODEL_ID = cards.AGCLIP_IMAGES.id


def network(species: int = INATSOUNDS_SPECIES, shared_hidden: bool = True) -> torch.nn.Module:
    """The untrained network: images (n, 3, 224, 224) to (n, species + 512), species first.

    Args:
        shared_hidden: one hidden layer of 128 for both outputs, as in the authors' code, or one each, as in the paper.
    """
    import torch
    from torchvision.models import mobilenet_v3_large

    class Heads(torch.nn.Module):
        """Two perceptrons of one hidden layer, side by side."""

        def __init__(self) -> None:
            super().__init__()
            self.species, self.location = (
                torch.nn.Sequential(torch.nn.Linear(BACKBONE_WIDTH, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, out))
                for out in (species, DIMENSIONS)
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([self.species(x), self.location(x)], dim=-1)

    net = mobilenet_v3_large(weights=None)
    net.classifier[3] = (
        torch.nn.Sequential(
            torch.nn.Linear(BACKBONE_WIDTH, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, species + DIMENSIONS)
        )
        if shared_hidden
        else Heads()
    )
    return net


def load(path: Path, device: str = "cpu") -> torch.nn.Module:
    """The network with a checkpoint's weights, in evaluation mode; shapes are read off the checkpoint.

    Raises:
        WeightsError: missing, unreadable, or another network's.
    """
    state = checkpoint.read_state(path)
    shared = "classifier.3.2.weight" in state
    key = "classifier.3.2.weight" if shared else "classifier.3.species.2.weight"
    if key not in state:
        raise WeightsError(f"{path.name} has no layer {key}; give a checkpoint of AG-CLIP on MobileNetV3-Large.")
    species = len(state[key]) - (DIMENSIONS if shared else 0)
    if species < 1:
        raise WeightsError(f"{path.name} has no species outputs beside its 512 of location; give an AG-CLIP checkpoint.")
    net = network(species, shared)
    try:
        net.load_state_dict(state, strict=True)
    except RuntimeError as wrong:
        raise WeightsError(f"{path.name} does not fit MobileNetV3-Large; give a checkpoint of AG-CLIP.") from wrong
    return net.eval().to(device)


def shares_hidden(net: torch.nn.Module) -> bool:
    """Whether a loaded network has one hidden layer for both heads (the authors' code) or one each (the paper)."""
    import torch

    return isinstance(net.get_submodule("classifier.3"), torch.nn.Sequential)


def embed(
    net: torch.nn.Module, samples: NDArray[np.floating], s: ImageSetting, device: str = "cpu", batch: int = 64
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Species logits (windows, species) and location vectors (windows, 512), raw, of a recording.

    Args:
        samples: (n,) mono at s.rate_hz.

    Raises:
        ValueError: the sound is empty or not finite.
    """
    import torch

    level = spectrogram.levels(samples, s) if device == "cpu" else spectrogram.levels_torch(samples, s, device).cpu().numpy()
    cut = spectrogram.windows(level, s)
    with torch.inference_mode():
        out = np.concatenate(
            [net(spectrogram.images(cut[at : at + batch], s).to(device)).cpu().numpy() for at in range(0, len(cut), batch)]
        )
    return out[:, :-DIMENSIONS], out[:, -DIMENSIONS:]
