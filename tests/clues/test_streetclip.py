"""StreetCLIP's adapter against CLIP itself, on a same-shaped model with random weights written to disk in the hub's format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.clues.streetclip import score
from engine.clues.streetclip.observe import MOST_FRAMES, StreetClipObserver
from engine.clues.streetclip.score import DOUBT, from_logits
from engine.core.clip import Clip, Frame, Interval
from engine.core.errors import WeightsError
from engine.models import streetclip
from engine.models.offline import go_offline
from engine.world import countries
from engine.world.grid import world_grid


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of StreetCLIP's picture size and output size, small inside, with a tokenizer of single bytes."""
    go_offline()
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    torch.manual_seed(0)
    letters = [chr(c) for c in range(33, 127)]
    vocabulary = {t: i for i, t in enumerate([*letters, *(c + "</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"])}
    text = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 1}
    text |= {"vocab_size": len(vocabulary), "eos_token_id": len(vocabulary) - 1, "bos_token_id": len(vocabulary) - 2}
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 1}
    vision |= {"patch_size": 56, "image_size": 336}
    model = CLIPModel(CLIPConfig(projection_dim=768, text_config=text, vision_config=vision))
    folder = tmp_path_factory.mktemp("streetclip")
    model.save_pretrained(folder, safe_serialization=True)
    CLIPImageProcessor(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336}).save_pretrained(folder)
    CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
    return folder


def frames(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (120 + 10 * i, 200, 3), dtype=np.uint8) for i in range(n)]


class Pictures:
    def __init__(self, duration_s: float = 12.0) -> None:
        self.clip = Clip("x.mp4", "0" * 64, 1, "mov", duration_s)
        self.skipped: dict[str, int] = {}

    def audio(self, *args: object, **kwargs: object) -> Iterator[None]:
        return iter(())

    def frames(self, times_s: list[float], interval: Interval | None = None, max_side_px: int | None = None) -> Iterator[Frame]:
        for time_s, rgb in zip(times_s, frames(len(times_s)), strict=True):
            yield Frame(time_s, rgb)

    def close(self) -> None:
        pass


def test_logits_are_those_of_the_model_itself(weights: Path) -> None:
    go_offline()
    import torch
    from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

    names = ["France", "the USA", "Bosnia and Herzegovina", "Chad"]
    ours = streetclip.CountryEncoder(names, weights, "cpu").logits(frames(5))
    model = CLIPModel.from_pretrained(weights, local_files_only=True).eval()
    tokenizer = CLIPTokenizer.from_pretrained(weights, local_files_only=True)
    tokens = tokenizer([streetclip.CAPTION.format(n) for n in names], padding="max_length", max_length=77, return_tensors="pt")
    pixels = CLIPImageProcessor.from_pretrained(weights)(images=frames(5), return_tensors="pt")
    with torch.inference_mode():
        theirs = model(**tokens, **pixels).logits_per_image.numpy()
    assert ours.shape == (5, 4) and np.allclose(ours, theirs, atol=1e-3)
    assert np.ptp(theirs) > 1e-2
    assert streetclip.CountryEncoder(names, weights, "cpu").logits([]).shape == (0, 4)


def test_the_clue_scores_every_cell_and_averages_frames(weights: Path) -> None:
    reader = Pictures(400.0)
    seen = StreetClipObserver(weights).observe(reader.clip, reader)
    assert len(seen) == MOST_FRAMES
    assert all(o.vector is not None and o.vector.shape == (len(countries.table()),) for o in seen)
    evidence = score.log_likelihood(seen, world_grid())
    assert evidence.abstained is None and np.ptp(evidence.log_likelihood) > 0
    assert np.allclose(score.log_likelihood(seen * 5, world_grid()).log_likelihood, evidence.log_likelihood)


def test_a_country_that_fits_gets_its_share_and_no_more() -> None:
    """One country ahead by 5: L is the softmax by area, less doubt; the mean of L over the land of countries is 1."""
    grid = world_grid()
    logits = np.zeros(len(countries.table()))
    japan = countries.number_of("JP")
    logits[japan] = 5.0
    log_l = from_logits(logits, grid)
    number = countries.of(grid)
    known = number >= 0
    area = grid.area_km2
    share = area[number == japan].sum() / area[known].sum()
    expected = (1 - DOUBT) * np.exp(5.0) / (share * np.exp(5.0) + 1 - share) + DOUBT
    assert np.allclose(log_l[number == japan], np.log(expected))
    assert np.isclose(np.average(np.exp(log_l[known]), weights=area[known]), 1.0)
    assert (log_l[~known] == 0.0).all()
    assert np.allclose(from_logits(logits + 30.0, grid), log_l)  # a constant says nothing
    assert from_logits(logits * 1000.0, grid).min() >= np.log(DOUBT) - 1e-9
    for bad in (logits[:-1], np.full_like(logits, np.nan)):
        with pytest.raises(ValueError, match="finite logit"):
            from_logits(bad, grid)


def test_without_weights_it_says_how_to_get_them(tmp_path: Path) -> None:
    reader = Pictures()
    assert StreetClipObserver(tmp_path).observe(reader.clip, reader) == ()
    assert score.log_likelihood((), world_grid(), folder=tmp_path).abstained == "StreetCLIP is not installed"


def test_damaged_weights_are_refused(weights: Path, tmp_path: Path) -> None:
    for file in weights.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        streetclip.CountryEncoder(["France"], tmp_path, "cpu").logits(frames(1))
