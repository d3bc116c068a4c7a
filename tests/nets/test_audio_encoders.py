"""CLAP, GeoCLAP's and TaxaBind's files and Wav2CLIP's, written here with random weights in their authors' own layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.errors import WeightsError
from engine.models.audio_encoders import Clap, Wav2Clip
from engine.models.geoclip_location import LocationEncoder, location_encoder, weights_path
from engine.models.offline import go_offline


def tone(rate_hz: int, seconds: float, hz: float = 3000.0) -> np.ndarray:
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    return (0.3 * np.sin(2 * np.pi * hz * t) + 0.01 * np.random.default_rng(0).standard_normal(len(t))).astype(np.float32)


@pytest.fixture(scope="module")
def clap_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CLAP in the hub's format, projecting to 512 as the real one."""
    go_offline()
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    torch.manual_seed(0)
    text = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 99}
    audio = {
        "patch_embeds_hidden_size": 16,
        "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 2, 2, 2],
        "hidden_size": 128,
        "projection_dim": 512,
        "enable_fusion": True,
    }
    folder = tmp_path_factory.mktemp("clap")
    ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=512)).save_pretrained(folder)
    ClapFeatureExtractor().save_pretrained(folder)
    return folder


def test_clap_gives_what_the_library_gives(clap_folder: Path) -> None:
    from transformers import ClapAudioModelWithProjection, ClapFeatureExtractor

    sound = tone(48_000, 4.0)
    got = Clap(clap_folder).embed(sound)
    net = ClapAudioModelWithProjection.from_pretrained(clap_folder, local_files_only=True).eval()
    x = ClapFeatureExtractor.from_pretrained(clap_folder)(
        sound, sampling_rate=48_000, return_tensors="pt", padding="repeatpad", truncation="fusion"
    )
    with torch.inference_mode():
        expected = torch.nn.functional.normalize(net(**x).audio_embeds, dim=1)[0].numpy()
    assert got.shape == (512,) and np.abs(got - expected).max() < 1e-5
    long = Clap(clap_folder).embed(tone(48_000, 21.0))  # two pieces and a stub: the same every time
    assert np.array_equal(long, Clap(clap_folder).embed(tone(48_000, 21.0)))


def test_geoclaps_checkpoint_holds_the_audio_model_below_a_prefix(clap_folder: Path, tmp_path: Path) -> None:
    from transformers import ClapAudioModelWithProjection

    own = ClapAudioModelWithProjection.from_pretrained(clap_folder, local_files_only=True).state_dict()
    changed = {k: v + 0.01 if v.is_floating_point() and v.ndim > 1 else v for k, v in own.items()}
    state = {f"audio_encoder.model.{k}": v for k, v in changed.items()} | {"sat_encoder.fc.weight": torch.zeros(2, 2)}
    torch.save({"state_dict": state, "hyper_parameters": {"sat_encoder": "SatMAE", "fc_dim": 512}}, tmp_path / "geoclap.ckpt")
    sound = tone(48_000, 3.0)
    got = Clap(clap_folder, tmp_path / "geoclap.ckpt").embed(sound)
    assert np.abs(got - Clap(clap_folder).embed(sound)).max() > 1e-4
    torch.save({"state_dict": {f"audio_encoder.model.{k}": v for k, v in own.items()}}, tmp_path / "same.ckpt")
    assert np.abs(Clap(clap_folder, tmp_path / "same.ckpt").embed(sound) - Clap(clap_folder).embed(sound)).max() < 1e-6


def wav2clip_state() -> dict[str, torch.Tensor]:
    """Names and shapes of the published checkpoint: ResNet-18 for one channel, an unused class layer, a perceptron."""
    from torchvision.models import resnet18

    torch.manual_seed(0)
    net = resnet18(weights=None)
    net.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    state = {f"audio_encoder.{k}": v for k, v in net.state_dict().items()}
    state["audio_encoder.spectrogram.window"] = torch.hann_window(512)
    for layer in (0, 3):
        state[f"audio_transform.sequential.{layer}.weight"] = torch.randn(512, 512) / 20
        state[f"audio_transform.sequential.{layer}.bias"] = torch.randn(512) / 20
    return state


def test_wav2clip_gives_what_its_layers_give(tmp_path: Path) -> None:
    from torchaudio.transforms import Spectrogram
    from torchvision.models import resnet18

    state = wav2clip_state()
    torch.save({"state_dict": state}, tmp_path / "wav2clip.pt")
    sound = tone(16_000, 2.0)
    got = Wav2Clip(tmp_path / "wav2clip.pt").embed(sound)
    x = torch.log(Spectrogram(n_fft=512, hop_length=353)(torch.from_numpy(sound)[None, None]) + 1e-7)
    x = (x - x.mean()) / (x.std() + 1e-9)
    net = resnet18(weights=None)
    net.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    own = {k.removeprefix("audio_encoder."): v for k, v in state.items() if k.startswith("audio_encoder.")}
    net.load_state_dict({k: v for k, v in own.items() if not k.startswith("spectrogram")})
    net.fc = torch.nn.Identity()
    with torch.inference_mode():
        y = net.eval()(x)
        w = {k.removeprefix("audio_transform.sequential."): v for k, v in state.items() if "audio_transform" in k}
        y = torch.relu(y @ w["0.weight"].T + w["0.bias"]) @ w["3.weight"].T + w["3.bias"]
    assert np.abs(got - torch.nn.functional.normalize(y, dim=1)[0].numpy()).max() < 1e-5


def test_taxabinds_location_encoder_has_geoclips_layout(tmp_path: Path) -> None:
    state = torch.load(weights_path(), map_location="cpu", weights_only=True)
    torch.save({"state_dict": {f"location_encoder.{k}": v for k, v in state.items()}}, tmp_path / "location.pt")
    lat, lon = np.array([10.0, -45.0]), np.array([20.0, 170.0])
    assert np.abs(LocationEncoder(tmp_path / "location.pt").embed(lat, lon) - location_encoder().embed(lat, lon)).max() < 1e-6
    torch.save({"LocEnc0.capsule.0.b": torch.zeros(3, 2)}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="like GeoCLIP's"):
        LocationEncoder(tmp_path / "other.pt").embed(lat, lon)


def test_what_is_missing_or_wrong_is_said(tmp_path: Path, clap_folder: Path) -> None:
    with pytest.raises(WeightsError, match="clap-htsat-fused"):
        Clap(tmp_path / "none").embed(tone(48_000, 1.0))
    with pytest.raises(WeightsError, match="no checkpoint"):
        Wav2Clip(tmp_path / "none.pt").embed(tone(16_000, 1.0))
    torch.save({"x": torch.zeros(2)}, tmp_path / "x.pt")
    with pytest.raises(WeightsError, match="audio_encoder"):
        Wav2Clip(tmp_path / "x.pt").embed(tone(16_000, 1.0))
    with pytest.raises(ValueError, match="finite"):
        Clap(clap_folder).embed(np.array([np.nan], dtype=np.float32))
