"""StreetCLIP: which country a picture of streets or countryside fits, zero-shot.

A CLIP ViT-L/14 at 336 px, trained on street views and captions that name their place. It comes from a local folder in the hub's
own format, its tokenizer included; nothing is fetched here, and `earwitness models` says how to get the folder. CC BY-NC 4.0.

Source: Haas, Alberti, Skreta 2023, "Learning Generalized Zero-Shot Learners for Open-Domain Image Geolocalization", arXiv
2302.00275.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.models import cards, catalog
from engine.models.offline import go_offline

MODEL_ID = cards.STREETCLIP.id
FOLDER = "streetclip"
CAPTION = "A Street View photo in {}."
_TEXTS_AT_ONCE, _FRAMES_AT_ONCE = 64, 4
_NEEDED = ("config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")


def streetclip_folder(folder: Path | None = None) -> Path:
    """The folder that holds StreetCLIP, complete.

    Raises:
        WeightsError: it or one of its files is missing; the text says how to get it.
    """
    return catalog.folder_of(FOLDER, _NEEDED, folder)


class CountryEncoder:
    """Frames to a logit for each place named; loads StreetCLIP on first use, on a GPU when there is one.

    Args:
        names: places as a caption names them ("United States").
        folder: where StreetCLIP is; None takes the models folder.
        device: "cpu", "cuda", "mps", or None for the best there is.
    """

    def __init__(self, names: Sequence[str], folder: Path | None = None, device: str | None = None) -> None:
        self.names = tuple(names)
        self.folder = folder
        self.device = device

    @cached_property
    def _parts(self) -> tuple[Any, Any, Any, str]:
        go_offline()
        import torch
        from safetensors import SafetensorError
        from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

        folder = streetclip_folder(self.folder)
        catalog.vouch(FOLDER, self.folder)
        device = self.device or ("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
        try:
            clip = CLIPModel.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype=torch.float32)
            processor = CLIPImageProcessor.from_pretrained(folder, local_files_only=True)
            tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise WeightsError(f"StreetCLIP in {folder} cannot be loaded ({first}); fetch it again.") from error
        return clip.eval().to(device), processor, tokenizer, device

    @cached_property
    def _texts(self) -> Any:
        """(names, d) unit vectors of the captions."""
        import torch

        clip, _, tokenizer, device = self._parts
        rows = []
        for at in range(0, len(self.names), _TEXTS_AT_ONCE):
            captions = [CAPTION.format(name) for name in self.names[at : at + _TEXTS_AT_ONCE]]
            tokens = tokenizer(captions, padding=True, truncation=True, return_tensors="pt").to(device)
            with torch.inference_mode():
                rows.append(_unit(clip.get_text_features(**tokens)))
        return torch.cat(rows)

    def logits(self, frames: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, names) scale · cos of upright frames (height, width, 3) uint8 with each caption.

        Raises:
            WeightsError: StreetCLIP is missing or damaged.
        """
        import torch

        clip, processor, _, device = self._parts
        rows: list[NDArray[np.float32]] = []
        batch: list[NDArray[np.uint8]] = []

        def flush() -> None:
            if batch:
                pixels = processor(images=list(batch), return_tensors="pt")["pixel_values"].to(device)
                with torch.inference_mode():
                    found = clip.logit_scale.exp() * _unit(clip.get_image_features(pixel_values=pixels)) @ self._texts.T
                rows.append(found.float().cpu().numpy())
                batch.clear()

        for frame in frames:
            batch.append(frame)
            if len(batch) == _FRAMES_AT_ONCE:
                flush()
        flush()
        return np.concatenate(rows) if rows else np.empty((0, len(self.names)), dtype=np.float32)


def _unit(features: Any) -> Any:
    import torch

    features = features if isinstance(features, torch.Tensor) else features.pooler_output
    return torch.nn.functional.normalize(features, dim=1)
