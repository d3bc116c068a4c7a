"""Log-mel images of sound, as AG-CLIP sees them, in the two settings that exist: the paper's and its authors' code's.

Both paths, numpy on the processor and torchaudio on a graphics card, give the same numbers; frequencies lie along the first
axis with the low ones at the bottom (last row).

Sources: Chasmai et al. 2025, arXiv 2505.18726, section 4; the authors' public repository cvl-umass/nat-sound2loc-code,
`setup/get_spectrograms.py` and `src/dataset.py` (facts of the format). The mel scale is HTK's, 1127 ln(1 + f / 700), with
triangles that are straight in mel, not in hertz.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from engine.core.errors import SettingError

if TYPE_CHECKING:
    import torch

PIXELS = 224
_FLOOR = 1e-10


@dataclass(frozen=True, slots=True)
class ImageSetting:
    """How sound becomes images.

    Attributes:
        name: "paper" or "code".
        rate_hz: of the sound.
        n_fft: length of the transform; the window is padded with zeros to it.
        window: length of the Hann window in samples.
        hop: samples between frames.
        low_hz, high_hz: edges of the mel bins.
        mels: number of mel bins.
        frames: frames of one image; stride_frames: frames between images.
        quantised: whether levels are cut to 256 steps, as images on disk are.
        mean, std: normalisation of levels 0..1.
        shared_hidden: one hidden layer for both heads (the code) or one each (the paper).
        antialias: how images are made smaller; torchvision's own default since 0.17.
        single: whether the transform is of 32-bit floats, as in the authors' code, so that levels fall into the same steps.
    """

    name: str
    rate_hz: int = 22_050
    n_fft: int = 1_024
    window: int = 512
    hop: int = 128
    low_hz: float = 0.0
    high_hz: float = 11_025.0
    mels: int = 128
    frames: int = 512
    stride_frames: int = 256
    quantised: bool = True
    mean: float = 0.3342
    std: float = 0.1529
    shared_hidden: bool = True
    antialias: bool = True
    single: bool = True
    least_db: float = -100.0
    most_db: float = 0.0


SETTINGS = {
    "code": ImageSetting("code"),
    # 3 s every 1.5 s are 517 frames every 258 at 22,050 Hz and a stride of 128
    "paper": ImageSetting(
        "paper", n_fft=512, low_hz=50.0, frames=517, stride_frames=258, quantised=False, shared_hidden=False, single=False
    ),
}


def setting(name: str) -> ImageSetting:
    """The setting of that name.

    Raises:
        SettingError: there is none.
    """
    if name not in SETTINGS:
        raise SettingError(f"There is no spectrogram setting {name!r}; choose one of {', '.join(SETTINGS)}.")
    return SETTINGS[name]


def mel_from_hz(hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """HTK's mel scale."""
    return 1127.0 * np.log1p(np.asarray(hz, dtype=np.float64) / 700.0)


@cache
def mel_matrix(s: ImageSetting) -> NDArray[np.float64]:
    """(n_fft/2 + 1, mels) weights of each transform bin in each mel bin; the constant bin is left out, as in HTK."""
    bins = s.n_fft // 2 + 1
    at = mel_from_hz(np.linspace(0.0, s.rate_hz / 2.0, bins))[1:, None]
    edges = np.linspace(mel_from_hz(s.low_hz), mel_from_hz(s.high_hz), s.mels + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    weights = np.maximum(0.0, np.minimum((at - low) / (centre - low), (high - at) / (high - centre)))
    return np.vstack([np.zeros(s.mels), weights])


@cache
def _hann(length: int) -> NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)


def levels(samples: NDArray[np.floating], s: ImageSetting) -> NDArray[np.float64]:
    """Mel levels of a whole recording, 0..1 (−100 to 0 dB of full scale), (mels, frames), low frequencies last.

    Args:
        samples: (n,) mono at s.rate_hz, −1..1. Fewer than one window is filled with zeros.

    Raises:
        ValueError: empty, not flat, or a sample is not finite.
    """
    x = _checked(samples, s)
    kind = np.float32 if s.single else np.float64
    frames = np.lib.stride_tricks.sliding_window_view(x.astype(kind), s.window)[:: s.hop]
    magnitude = np.abs(scipy.fft.rfft(frames * _hann(s.window).astype(kind), s.n_fft)) * kind(2.0 / _hann(s.window).sum())
    mel = magnitude @ mel_matrix(s)
    return _scaled(20.0 * np.log10(np.maximum(_FLOOR, mel)), s).T[::-1]


def levels_torch(samples: NDArray[np.floating], s: ImageSetting, device: str = "cuda") -> torch.Tensor:
    """The same as `levels`, by torchaudio on a device; (mels, frames) float64 tensor there."""
    import torch
    import torchaudio

    x = torch.from_numpy(_checked(samples, s)).to(device)
    # torch puts a short window in the middle of the transform: the sound is padded so that frames start where numpy's do
    side = (s.n_fft - s.window) // 2
    magnitude = torchaudio.functional.spectrogram(
        torch.nn.functional.pad(x, (side, side)),
        pad=0,
        window=torch.from_numpy(_hann(s.window)).to(device),
        n_fft=s.n_fft,
        hop_length=s.hop,
        win_length=s.window,
        power=1.0,
        normalized=False,
        center=False,
    ) * (2.0 / float(_hann(s.window).sum()))
    mel = torch.from_numpy(mel_matrix(s)).to(device).T @ magnitude
    db = 20.0 * torch.log10(torch.clamp(mel, min=_FLOOR))
    scaled = (torch.clamp(db, s.least_db, s.most_db) - s.least_db) / (s.most_db - s.least_db)
    if s.quantised:
        scaled = torch.floor(scaled * 255.0) / 255.0
    return torch.flip(scaled, [0])


def windows(level: NDArray[np.float64], s: ImageSetting) -> NDArray[np.float64]:
    """Images cut out of a recording's levels, (n, mels, frames): every stride_frames, zeros added evenly at both sides.

    A recording of one image's length or less gives one image.
    """
    level = _padded(level, max(0, s.frames - level.shape[1]))
    count = -(-(level.shape[1] - s.frames) // s.stride_frames)
    level = _padded(level, s.stride_frames * count - level.shape[1] + s.frames)
    starts = range(0, level.shape[1] - s.frames + 1, s.stride_frames)
    return np.stack([level[:, a : a + s.frames] for a in starts])


def images(window: NDArray[np.float64] | torch.Tensor, s: ImageSetting) -> torch.Tensor:
    """Pictures for the network, (n, 3, 224, 224) float32, normalised, out of windows (n, mels, frames)."""
    import torch
    from torchvision.transforms.functional import InterpolationMode, resize

    x = torch.as_tensor(np.ascontiguousarray(window) if isinstance(window, np.ndarray) else window)
    x = x.to(torch.float32)[:, None]
    x = resize(x, [PIXELS, PIXELS], InterpolationMode.BILINEAR, antialias=s.antialias)
    return ((x - s.mean) / s.std).expand(-1, 3, -1, -1)


def _checked(samples: NDArray[np.floating], s: ImageSetting) -> NDArray[np.float64]:
    x = np.asarray(samples, dtype=np.float64)
    if x.ndim != 1 or len(x) == 0:
        raise ValueError("a spectrogram needs a flat, non-empty array of samples")
    if not np.isfinite(x).all():
        raise ValueError("the sound holds samples that are not finite")
    return np.pad(x, (0, max(0, s.window - len(x))))


def _scaled(db: NDArray[np.float64], s: ImageSetting) -> NDArray[np.float64]:
    scaled = (np.clip(db, s.least_db, s.most_db) - s.least_db) / (s.most_db - s.least_db)
    return np.floor(scaled * 255.0) / 255.0 if s.quantised else scaled


def _padded(level: NDArray[np.float64], by: int) -> NDArray[np.float64]:
    return np.pad(level, ((0, 0), (by // 2, by - by // 2))) if by > 0 else level
