"""GeoCLIP's picture side: frames to vectors in the space of GeoCLIP's location encoder.

CLIP ViT-L/14 (OpenAI, MIT) comes from a local folder in the hub's own format: config.json, preprocessor_config.json and
model.safetensors. The
small perceptron that maps its image features to places is in the installed package `geoclip` (MIT), as is the scale of the
logits. Nothing is fetched here; `earwitness models` says how to get the folder.

Source: Vivanco Cepeda et al. 2023, "GeoCLIP: Clip-Inspired Alignment between Locations and Images for Effective Worldwide
Geo-localization".
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.models import cards, catalog, checkpoint
from engine.models.offline import go_offline

if TYPE_CHECKING:
    import torch

MODEL_ID = cards.GEOCLIP.id
CLIP_FOLDER = "clip-vit-large-patch14"
BATCH = 16
_SHA256 = dict(cards.GEOCLIP.files)
_NEEDED = ("config.json", "preprocessor_config.json", "model.safetensors")


def clip_folder(folder: Path | None = None) -> Path:
    """The folder that holds CLIP, complete.

    Raises:
        WeightsError: it or one of its files is missing; the text says how to get it.
    """
    return catalog.folder_of(CLIP_FOLDER, _NEEDED, folder)


class PictureEncoder:
    """Frames to unit vectors; loads CLIP on first use, on a GPU when there is one.

    Args:
        folder: where CLIP is; None takes the models folder.
        device: "cpu", "cuda", "mps", or None for the best there is.
    """

    def __init__(self, folder: Path | None = None, device: str | None = None) -> None:
        self.folder = folder
        self.device = device

    @cached_property
    def _parts(self) -> tuple[Any, Any, torch.nn.Module, str]:
        go_offline()
        import torch
        from safetensors import SafetensorError
        from transformers import CLIPImageProcessor, CLIPModel

        folder = clip_folder(self.folder)
        catalog.vouch(CLIP_FOLDER, self.folder)
        device = self.device or ("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
        try:
            clip = CLIPModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval().to(device)
            processor = CLIPImageProcessor.from_pretrained(folder, local_files_only=True)
            head = torch.nn.Sequential(torch.nn.Linear(768, 768), torch.nn.ReLU(), torch.nn.Linear(768, 512))
            head.load_state_dict(checkpoint.read(package_file("image_encoder_mlp_weights.pth")))
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise WeightsError(f"CLIP in {folder} cannot be loaded ({_first_line(error)}); fetch it again.") from error
        return clip, processor, head.eval().to(device), device

    def embed(self, frames: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Unit vectors (n, 512) of upright frames (height, width, 3) uint8, in batches.

        Raises:
            WeightsError: CLIP is missing or damaged.
        """
        return self._encoded(frames, placed=True)

    def clip_features(self, frames: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """CLIP's own image features as unit vectors (n, 768), before GeoCLIP's perceptron; otherwise as `embed`."""
        return self._encoded(frames, placed=False)

    def _encoded(self, frames: Iterable[NDArray[np.uint8]], placed: bool) -> NDArray[np.float32]:
        import torch

        clip, processor, head, device = self._parts
        rows: list[NDArray[np.float32]] = []
        batch: list[NDArray[np.uint8]] = []

        def flush() -> None:
            if not batch:
                return
            pixels = processor(images=list(batch), return_tensors="pt")["pixel_values"].to(device)
            with torch.inference_mode():
                features = clip.get_image_features(pixel_values=pixels)
                features = features if isinstance(features, torch.Tensor) else features.pooler_output
                features = head(features) if placed else features
                rows.append(torch.nn.functional.normalize(features, dim=1).float().cpu().numpy())
            batch.clear()

        for frame in frames:
            batch.append(frame)
            if len(batch) == BATCH:
                flush()
        flush()
        return np.concatenate(rows) if rows else np.empty((0, 512 if placed else 768), dtype=np.float32)


def logit_scale() -> float:
    """The factor on the cosine that GeoCLIP was trained to."""
    import torch

    stored = checkpoint.read(package_file("logit_scale_weights.pth"))
    return float(torch.as_tensor(stored).exp())


def package_file(name: str) -> Path:
    """A weight file inside the installed package `geoclip`, its hash checked.

    Raises:
        WeightsError: it is missing or not the one expected.
    """
    spec = importlib.util.find_spec("geoclip")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError("GeoCLIP's package is missing; install it with: pip install --no-deps geoclip==1.2.3")
    file = Path(spec.submodule_search_locations[0]) / "model" / "weights" / name
    if not file.is_file():
        raise WeightsError(f"{name} is missing; install it with: pip install --no-deps geoclip==1.2.3")
    with file.open("rb") as f:
        if hashlib.file_digest(f, "sha256").hexdigest() != _SHA256[name]:
            raise WeightsError(f"{name} is not the file it should be; install geoclip==1.2.3 again.")
    return file


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
