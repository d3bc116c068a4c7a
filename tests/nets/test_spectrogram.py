"""Images and network against an independent reading of the authors' format, in scipy and plain torchvision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from scipy import signal

from engine.core.errors import SettingError, WeightsError
from engine.models import agclip_image, spectrogram

CODE = spectrogram.setting("code")


def _reference_image(x: np.ndarray) -> np.ndarray:
    """uint8 (128, frames) as the published preparation makes it: scipy's STFT, HTK mels of 0 to 11,025 Hz, −100..0 dB."""
    window = signal.windows.hann(512, sym=False)
    _, _, stft = signal.stft(
        x,
        1,
        window,
        512,
        384,
        1024,
        detrend=False,
        return_onesided=True,
        boundary=None,
        padded=False,
        scaling="spectrum",
    )
    magnitude = (np.abs(stft) * window.sum() * 2 / window.sum()).T
    mel = lambda f: 1127.0 * np.log(1 + f / 700.0)  # noqa: E731
    bins = mel(np.linspace(0, 11025, 513)[1:, None])
    edges = np.linspace(mel(0.0), mel(11025.0), 130)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.pad(np.maximum(0, np.minimum(rising, falling)), [[1, 0], [0, 0]])
    db = np.clip(20 * np.log10(np.maximum(1e-10, magnitude @ weights)), -100, 0)
    return np.flip(((db + 100) / 100 * 255).astype(np.uint8).T, axis=0)


def _reference_windows(image: np.ndarray) -> np.ndarray:
    """512 columns every 256, zeros split over both sides."""
    if image.shape[1] <= 512:
        pad = 512 - image.shape[1]
        image = np.pad(image, ((0, 0), (pad // 2, pad - pad // 2)))
    count = (image.shape[1] - 512 + 255) // 256
    pad = 256 * count - image.shape[1] + 512
    image = np.pad(image, ((0, 0), (pad // 2, pad - pad // 2)))
    return np.stack([image[:, i * 256 : i * 256 + 512] for i in range(count + 1) if i * 256 + 512 <= image.shape[1]])


def _sound(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(int(22050 * seconds)) / 22050
    return (0.3 * np.sin(2 * np.pi * (1500 + 900 * np.sin(3 * t)) * t) + 0.01 * rng.standard_normal(len(t))).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.5, 2.9, 3.0, 7.3])
def test_images_equal_the_published_preparation(seconds: float):
    x = _sound(seconds)
    theirs = _reference_image(x)
    ours = spectrogram.levels(x, CODE) * 255
    assert ours.shape == theirs.shape
    different = np.abs(ours - theirs) > 1e-6
    assert different.mean() < 1e-5  # rounding at a step's edge
    windows = spectrogram.windows(theirs / 255.0, CODE) * 255
    assert (windows.round().astype(np.uint8) == _reference_windows(theirs)).all()


def test_low_frequencies_are_at_the_bottom():
    t = np.arange(22050) / 22050
    low = spectrogram.levels(np.sin(2 * np.pi * 200 * t), CODE).mean(axis=1)
    high = spectrogram.levels(np.sin(2 * np.pi * 9000 * t), CODE).mean(axis=1)
    assert low.argmax() > 110 and high.argmax() < 20


@pytest.mark.parametrize("name", ["code", "paper"])
def test_torchaudio_gives_the_same_numbers(name: str):
    s = spectrogram.setting(name)
    x = _sound(4.1, 3)
    assert np.abs(spectrogram.levels_torch(x, s, "cpu").numpy() - spectrogram.levels(x, s)).max() < 1e-4


def test_paper_setting_hears_three_seconds_and_leaves_out_what_is_below_50_hz():
    s = spectrogram.setting("paper")
    assert s.frames * s.hop / s.rate_hz == pytest.approx(3.0, abs=0.005)
    assert s.stride_frames * s.hop / s.rate_hz == pytest.approx(1.5, abs=0.005)
    matrix = spectrogram.mel_matrix(s)
    hz = np.linspace(0, 11025, len(matrix))
    assert matrix.shape == (257, 128) and matrix[hz <= 50].sum() == 0 and matrix[hz > 50].sum() > 0


def test_bad_sound_and_setting_raise():
    with pytest.raises(ValueError, match="finite"):
        spectrogram.levels(np.array([0.0, np.nan]), CODE)
    with pytest.raises(ValueError, match="non-empty"):
        spectrogram.levels(np.array([]), CODE)
    with pytest.raises(SettingError, match="choose one of"):
        spectrogram.setting("other")


def _authors_network(species: int) -> torch.nn.Module:
    net = torchvision.models.mobilenet_v3_large()
    net.classifier[3] = torch.nn.Sequential(torch.nn.Linear(1280, 128), torch.nn.ReLU(), torch.nn.Linear(128, species + 512))
    return net


def test_a_checkpoint_of_theirs_gives_their_output(tmp_path):
    torch.manual_seed(0)
    theirs = _authors_network(5547).eval()
    path = tmp_path / "checkpoint_49.pt"
    torch.save(theirs.state_dict(), path)
    x = _sound(5.0, 1)
    image = _reference_windows(_reference_image(x))
    prepared = torchvision.transforms.Compose(
        [
            torchvision.transforms.Resize((224, 224)),
            torchvision.transforms.Normalize((0.3342,) * 3, (0.1529,) * 3),
        ]
    )(torch.tensor(np.stack([image] * 3, axis=1)).float() / 255.0)
    with torch.no_grad():
        expected = theirs(prepared).numpy()
    species, location = agclip_image.embed(agclip_image.load(path), x, CODE)
    assert species.shape == (len(image), 5547) and location.shape == (len(image), 512)
    assert np.abs(np.concatenate([species, location], 1) - expected).max() < 1e-4


def test_both_head_layouts_are_read_off_the_checkpoint(tmp_path):
    from safetensors.torch import save_file

    torch.manual_seed(1)
    net = agclip_image.network(40, shared_hidden=False)
    path = tmp_path / "weights.safetensors"
    save_file(net.state_dict(), path)
    species, location = agclip_image.embed(agclip_image.load(path), _sound(3.0), spectrogram.setting("paper"))
    assert species.shape[1] == 40 and location.shape[1] == 512


def test_wrong_checkpoints_say_so(tmp_path):
    with pytest.raises(WeightsError, match="no checkpoint"):
        agclip_image.load(tmp_path / "none.pt")
    text = tmp_path / "text.pt"
    text.write_text("no weights")
    with pytest.raises(WeightsError, match="can be read"):
        agclip_image.load(text)
    other = tmp_path / "other.pt"
    torch.save({"weight": torch.zeros(3)}, other)
    with pytest.raises(WeightsError, match=r"classifier\.3"):
        agclip_image.load(other)
    torch.save({"classifier.3.2.weight": torch.zeros(600, 128)}, other)
    with pytest.raises(WeightsError, match="does not fit"):
        agclip_image.load(other)
