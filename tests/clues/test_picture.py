"""GeoCLIP's picture side against the package's own, on the same weights written to disk in the hub's format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.clues.picture import score
from engine.clues.picture.observe import PictureObserver
from engine.clues.picture.score import mean_direction
from engine.core.clip import Clip, Frame, Interval
from engine.core.errors import WeightsError
from engine.models import geoclip_picture
from engine.models.offline import go_offline
from engine.world.gallery import gallery
from engine.world.grid import world_grid


@pytest.fixture(scope="module")
def clip_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of the real output size and a small inside, with random weights, in the real files."""
    go_offline()
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    torch.manual_seed(0)
    text = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 1, "projection_dim": 768}
    vision = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_hidden_layers": 2, "patch_size": 32}
    model = CLIPModel(CLIPConfig(projection_dim=768, text_config=text, vision_config={**vision, "projection_dim": 768}))
    folder = tmp_path_factory.mktemp("clip")
    model.save_pretrained(folder, safe_serialization=True)
    CLIPImageProcessor().save_pretrained(folder)
    return folder


def frames(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (120 + 10 * i, 200, 3), dtype=np.uint8) for i in range(n)]


class Pictures:
    def __init__(self) -> None:
        self.clip = Clip("x.mp4", "0" * 64, 1, "mov", 12.0)
        self.skipped: dict[str, int] = {}

    def audio(self, *args: object, **kwargs: object) -> Iterator[None]:
        return iter(())

    def frames(self, times_s: list[float], interval: Interval | None = None, max_side_px: int | None = None) -> Iterator[Frame]:
        for time_s, rgb in zip(times_s, frames(len(times_s)), strict=True):
            yield Frame(time_s, rgb)

    def close(self) -> None:
        pass


def test_numbers_equal_those_of_the_package(clip_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_offline()
    import sys

    import torch
    from geoclip import GeoCLIP
    from transformers import CLIPImageProcessor, CLIPModel

    picture = frames(1)[0]
    Image.fromarray(picture).save(tmp_path / "x.png")
    theirs_image = sys.modules["geoclip.model.image_encoder"].ImageEncoder

    def small(**_: object) -> torch.nn.Module:
        """The package's encoder, its hub look-ups replaced by the folder."""
        encoder = theirs_image.__new__(theirs_image)
        torch.nn.Module.__init__(encoder)
        encoder.CLIP = CLIPModel.from_pretrained(clip_weights, local_files_only=True)
        encoder.image_processor = CLIPImageProcessor.from_pretrained(clip_weights, local_files_only=True)
        encoder.mlp = torch.nn.Sequential(torch.nn.Linear(768, 768), torch.nn.ReLU(), torch.nn.Linear(768, 512))
        return encoder

    monkeypatch.setattr(sys.modules["geoclip.model.GeoCLIP"], "ImageEncoder", small)
    theirs = GeoCLIP()
    theirs.gps_gallery = theirs.gps_gallery[::50]
    places, shares = theirs.eval().predict(str(tmp_path / "x.png"), 5)

    vector = geoclip_picture.PictureEncoder(clip_weights, "cpu").embed([picture])[0]
    from engine.models.geoclip_location import location_encoder

    lat, lon = (x[::50] for x in gallery())
    logits = geoclip_picture.logit_scale() * location_encoder().embed(lat, lon).astype(np.float64) @ vector
    ours = np.exp(logits - logits.max())
    ours /= ours.sum()
    best = np.argsort(-ours)[:5]
    assert np.allclose(ours[best], shares.numpy(), rtol=1e-3)
    assert {(round(a, 3), round(b, 3)) for a, b in places.tolist()} == {(round(lat[i], 3), round(lon[i], 3)) for i in best}


def test_the_clue_scores_every_cell(clip_weights: Path) -> None:
    reader = Pictures()
    seen = PictureObserver(clip_weights).observe(reader.clip, reader)
    assert len(seen) == 3 and all(o.vector is not None and o.vector.shape == (512,) for o in seen)
    evidence = score.log_likelihood(seen, world_grid())
    assert evidence.abstained is None and np.ptp(evidence.log_likelihood) > 0
    repeated = score.log_likelihood(seen * 5, world_grid())
    assert np.allclose(repeated.log_likelihood, evidence.log_likelihood, atol=1e-4)  # averaged, not multiplied


def test_batches_do_not_change_the_vectors(clip_weights: Path) -> None:
    encoder = geoclip_picture.PictureEncoder(clip_weights, "cpu")
    many = frames(geoclip_picture.BATCH + 2)
    together = encoder.embed(many)
    assert np.allclose(together[-1], encoder.embed(many[-1:])[0], atol=1e-5)


def test_without_weights_it_says_so(tmp_path: Path) -> None:
    reader = Pictures()
    assert PictureObserver(tmp_path).observe(reader.clip, reader) == ()
    abstained = score.log_likelihood((), world_grid(), folder=tmp_path).abstained
    assert abstained == "CLIP ViT-L/14 is not installed"


def test_damaged_weights_are_refused(clip_weights: Path, tmp_path: Path) -> None:
    for file in clip_weights.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        geoclip_picture.PictureEncoder(tmp_path, "cpu").embed(frames(1))


def test_mean_direction_is_a_unit_vector() -> None:
    v = mean_direction(np.array([[3.0, 0.0], [0.0, 3.0]], dtype=np.float32))
    assert np.allclose(v, [2**-0.5, 2**-0.5])
