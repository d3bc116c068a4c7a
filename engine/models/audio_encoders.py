"""Audio encoders of others, read out of their authors' files: CLAP, GeoCLAP's and TaxaBind's (both CLAP within), Wav2CLIP.

None of them is needed by the program; `earwitness bench table1` compares with those whose weights the user has put into the
models folder. Long sound is cut into pieces whose vectors are averaged, so that a result does not hang on a random cut.

Sources (names and shapes): transformers' ClapAudioModelWithProjection; mvrl/geoclap `train.py` (audio model under
"audio_encoder.model"); mvrl/TaxaBind `LocationBind/location_encoder.py` (GeoCLIP's layout); descriptinc/lyrebird-wav2clip
`model/resnet.py` (ResNet-18 on the log of a power spectrogram: 16 kHz, 512 points, hop 353; then a perceptron of 512).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.models.checkpoint import read_state
from engine.models.offline import go_offline

if TYPE_CHECKING:
    import torch

PIECE_S = 10.0
WAV2CLIP_N_FFT, WAV2CLIP_HOP = 512, 353


class AudioEncoder(Protocol):
    """Sound to one vector."""

    name: str
    rate_hz: int

    def embed(self, samples: NDArray[np.floating]) -> NDArray[np.float32]:
        """(d,) unit vector of mono sound (n,) at rate_hz.

        Raises:
            ValueError: the sound is empty or not finite.
            WeightsError: the weights are missing or another model's.
        """
        ...


class Clap:
    """CLAP from a folder in the hub's format, or with the weights of a checkpoint that holds such a model.

    Args:
        folder: config.json, preprocessor_config.json and, unless `checkpoint` is given, model.safetensors.
        checkpoint: file whose state dict has the model below `prefix`; GeoCLAP's is "audio_encoder.model.".
    """

    name = "clap"
    rate_hz = 48_000

    def __init__(self, folder: Path, checkpoint: Path | None = None, prefix: str = "audio_encoder.model.") -> None:
        self.folder, self.checkpoint, self.prefix = folder, checkpoint, prefix

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        go_offline()
        from safetensors import SafetensorError
        from transformers import ClapAudioConfig, ClapAudioModelWithProjection, ClapConfig, ClapFeatureExtractor

        needed = ["config.json", "preprocessor_config.json", *([] if self.checkpoint else ["model.safetensors"])]
        missing = [n for n in needed if not (self.folder / n).is_file()]
        if missing:
            raise WeightsError(f"{self.folder / missing[0]} is missing; bring the folder of laion/clap-htsat-fused there.")
        try:
            extractor = ClapFeatureExtractor.from_pretrained(self.folder, local_files_only=True)
            if self.checkpoint is None:
                net = ClapAudioModelWithProjection.from_pretrained(self.folder, local_files_only=True, use_safetensors=True)
            else:
                held = ClapConfig.from_pretrained(self.folder, local_files_only=True)
                config = held.audio_config if isinstance(held.audio_config, ClapAudioConfig) else ClapAudioConfig()
                net = ClapAudioModelWithProjection(config)
                net.load_state_dict(_below(read_state(self.checkpoint), self.prefix, self.checkpoint), strict=False)
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as wrong:
            reason = (str(wrong).strip().splitlines() or [type(wrong).__name__])[0][:200]
            raise WeightsError(f"CLAP in {self.folder} cannot be loaded ({reason}); fetch it again.") from wrong
        return extractor, net.eval()

    def embed(self, samples: NDArray[np.floating]) -> NDArray[np.float32]:
        """(512,) unit vector, the mean over pieces of 10 s."""
        import torch

        extractor, net = self._parts
        rows = []
        for piece in _pieces(samples, self.rate_hz):
            # one at a time: of several short ones the extractor would mark a random one as long
            x = extractor(piece, sampling_rate=self.rate_hz, return_tensors="pt", padding="repeatpad", truncation="fusion")
            with torch.inference_mode():
                rows.append(net(**x).audio_embeds[0].float().numpy())
        return _unit(np.mean(rows, axis=0))


class Wav2Clip:
    """Wav2CLIP from its own checkpoint.

    Args:
        path: checkpoint with "audio_encoder.*" and "audio_transform.*".
    """

    name = "wav2clip"
    rate_hz = 16_000

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _net(self) -> torch.nn.Module:
        import torch
        from torchvision.models import resnet18

        state = read_state(self.path)
        encoder = resnet18(weights=None)
        encoder.conv1 = torch.nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        encoder.fc = torch.nn.Identity()
        linear, relu = torch.nn.Linear, torch.nn.ReLU
        head = torch.nn.Sequential(linear(512, 512), relu(), torch.nn.Identity(), linear(512, 512))
        own = _below(state, "audio_encoder.", self.path)
        own = {k: v for k, v in own.items() if not k.startswith(("fc.", "spectrogram."))}
        try:
            encoder.load_state_dict(own, strict=True)
            head.load_state_dict(_below(state, "audio_transform.sequential.", self.path), strict=True)
        except RuntimeError as wrong:
            raise WeightsError(f"{self.path.name} does not fit Wav2CLIP; give its own checkpoint.") from wrong
        return torch.nn.Sequential(encoder, head).eval()

    def embed(self, samples: NDArray[np.floating]) -> NDArray[np.float32]:
        """(512,) unit vector, the mean over pieces of 10 s."""
        import torch

        rows = []
        window = torch.hann_window(WAV2CLIP_N_FFT)
        for piece in _pieces(samples, self.rate_hz):
            sound = torch.from_numpy(np.pad(piece, (0, max(0, WAV2CLIP_N_FFT - len(piece)))))
            power = torch.stft(sound, WAV2CLIP_N_FFT, WAV2CLIP_HOP, window=window, return_complex=True).abs() ** 2
            level = torch.log(power + 1e-7)
            level = (level - level.mean()) / (level.std() + 1e-9)
            with torch.inference_mode():
                rows.append(self._net(level[None, None])[0].numpy())
        return _unit(np.mean(rows, axis=0))


def _below(state: dict[str, torch.Tensor], prefix: str, path: Path) -> dict[str, torch.Tensor]:
    held = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    if not held:
        raise WeightsError(f"{path.name} has nothing below {prefix!r}; give the checkpoint of the model itself.")
    return held


def _pieces(samples: NDArray[np.floating], rate_hz: int) -> Iterator[NDArray[np.float32]]:
    sound = np.asarray(samples, dtype=np.float32)
    if sound.ndim != 1 or len(sound) == 0 or not np.isfinite(sound).all():
        raise ValueError("an encoder needs mono sound of finite numbers, at least one")
    size = int(PIECE_S * rate_hz)
    for at in range(0, len(sound), size):
        if at == 0 or len(sound) - at >= size // 4:  # a short end says little and would count as much as the rest
            yield sound[at : at + size]


def _unit(x: NDArray[np.floating]) -> NDArray[np.float32]:
    return (x / max(1e-12, float(np.linalg.norm(x)))).astype(np.float32)
