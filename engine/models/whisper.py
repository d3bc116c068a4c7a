"""Which language is spoken: the language tokens of a Whisper model, from a local folder in the hub's format.

One pass of the encoder over 30 s and one step of the decoder: the softmax over its language tokens. Nothing is transcribed, and
nothing is fetched; `earwitness models` says how to get the folder.

Source: Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", section 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.models import cards, catalog
from engine.models.offline import go_offline

MODEL_ID = cards.WHISPER.id
FOLDER = "whisper-small"
RATE_HZ = 16_000
WINDOW_S = 30.0
_NEEDED = ("config.json", "generation_config.json", "preprocessor_config.json", "model.safetensors")


def whisper_folder(folder: Path | None = None) -> Path:
    """The folder that holds Whisper, complete.

    Raises:
        WeightsError: it or one of its files is missing; the text says how to get it.
    """
    return catalog.folder_of(FOLDER, _NEEDED, folder)


class LanguageListener:
    """Says which language is spoken; loads Whisper on first use, on a GPU when there is one.

    Args:
        folder: where Whisper is; None takes the models folder.
        device: "cpu", "cuda", "mps", or None for the best there is.
    """

    def __init__(self, folder: Path | None = None, device: str | None = None) -> None:
        self.folder = folder
        self.device = device

    @cached_property
    def _parts(self) -> tuple[Any, Any, tuple[str, ...], list[int], str]:
        go_offline()
        import torch
        from safetensors import SafetensorError
        from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

        folder = whisper_folder(self.folder)
        catalog.vouch(FOLDER, self.folder)
        device = self.device or ("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
        try:
            model = WhisperForConditionalGeneration.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
            extractor = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
            tokens = dict(vars(model.generation_config)["lang_to_id"])
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise WeightsError(f"Whisper in {folder} cannot be loaded ({first}); fetch it again.") from error
        names = tuple(token.strip("<|>") for token in tokens)
        return model.eval().to(device), extractor, names, list(tokens.values()), device

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages it knows (ISO 639: "de", "haw"), in the order of `chances`."""
        return self._parts[2]

    def chances(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """(n, languages) softmax over the language tokens, of n windows of mono sound at RATE_HZ, each at most WINDOW_S long.

        Raises:
            WeightsError: Whisper is missing or damaged.
            ValueError: a window is empty, too long or not finite.
        """
        import torch

        model, extractor, _, tokens, device = self._parts
        rows = []
        for window in windows:
            if not 0 < len(window) <= WINDOW_S * RATE_HZ or not np.isfinite(window).all():
                raise ValueError(f"Whisper hears windows of up to {WINDOW_S:g} s of finite samples, not {np.shape(window)}")
            features = extractor(window, sampling_rate=RATE_HZ, return_tensors="pt").input_features.to(device)
            start = torch.full((1, 1), model.generation_config.decoder_start_token_id, device=device, dtype=torch.long)
            with torch.inference_mode():
                logits = model(input_features=features, decoder_input_ids=start, use_cache=False).logits[0, -1, tokens]
            rows.append(torch.softmax(logits.float(), dim=0).cpu().numpy())
        return np.stack(rows) if rows else np.empty((0, len(tokens)), dtype=np.float32)
