"""PLONK's checkpoints: same-shaped random weights written to disk, loaded, sampled, and refused when damaged."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine.core.errors import WeightsError
from engine.models.flow import plonk

SHAPE = {"input_dim": 3, "dim": 32, "depth": 2, "expansion": 4, "cond_dim": 12}


def names(dim: int, depth: int, expansion: int, cond_dim: int, input_dim: int) -> dict[str, tuple[int, ...]]:
    """Every tensor of a released checkpoint and its shape, written down from the package, not from our own network."""
    out = {
        "time_embedder.encode_time.freqs": (dim // 8,),
        "time_embedder.map_time.0.weight": (dim, dim // 4),
        "time_embedder.map_time.0.bias": (dim,),
        "time_embedder.map_time.2.weight": (dim, dim),
        "time_embedder.map_time.2.bias": (dim,),
        "cond_mapper.weight": (dim, cond_dim),
        "cond_mapper.bias": (dim,),
        "initial_mapper.weight": (dim, input_dim),
        "initial_mapper.bias": (dim,),
        "final_adaln.1.weight": (2 * dim, dim),
        "final_adaln.1.bias": (2 * dim,),
        "final_linear.weight": (input_dim, dim),
        "final_linear.bias": (input_dim,),
    }
    for k in range(depth):
        out |= {
            f"blocks.{k}.mlp.0.weight": (expansion * dim, dim),
            f"blocks.{k}.mlp.0.bias": (expansion * dim,),
            f"blocks.{k}.mlp.3.weight": (dim, expansion * dim),
            f"blocks.{k}.mlp.3.bias": (dim,),
            f"blocks.{k}.ada_map.1.weight": (3 * dim, dim),
            f"blocks.{k}.ada_map.1.bias": (3 * dim,),
        }
    return out


# what diff-plonk 0.4's own network gave on the weights of `checkpoint` with seed 0, run apart from this program's packages
PACKAGE = [
    [0.07930437, -0.77996558, 0.63596791],
    [1.26938546, -0.40601444, -0.63178134],
    [0.72584802, -0.17039883, -0.96832412],
]
PACKAGE_TIMES = [0.0, 0.0754228, 0.2327668, 0.4755613, 0.7183558, 0.8756999, 0.9511226, 0.9820575, 0.9939246, 0.9983591, 1.0]


def checkpoint(folder: Path, shape: dict[str, int] = SHAPE, seed: int = 0) -> Path:
    """Random weights in a released checkpoint's form."""
    g = torch.Generator().manual_seed(seed)
    state = {k: 0.2 * torch.randn(s, generator=g) for k, s in names(**shape).items()}
    waves = shape["dim"] // 4
    state["time_embedder.encode_time.freqs"] = (1 / 10_000) ** (2 * torch.arange(waves // 2) / waves)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(shape))
    return folder


@pytest.mark.slow
def test_loads_samples_on_the_sphere_and_is_seeded(tmp_path: Path) -> None:
    model = plonk.Plonk(checkpoint(tmp_path))
    picture = np.linspace(-1, 1, 12, dtype=np.float32)
    drawn = model.sample(picture, 60, seed=3, density=True)
    assert np.abs(np.linalg.norm(drawn.xyz, axis=1) - 1).max() < 1e-6
    assert np.array_equal(drawn.xyz, model.sample(picture, 60, seed=3, density=True).xyz)
    assert not np.allclose(drawn.xyz, model.sample(-picture, 60, seed=3).xyz, atol=1e-3)
    assert np.abs(model.log_density(picture, drawn.xyz) - drawn.log_density).mean() < 0.03
    sharp = model.sample(picture, 60, seed=3, guidance=3.0)
    assert sharp.label == "sharpened" and drawn.label == "posterior"


@pytest.mark.slow
def test_released_sizes_load(tmp_path: Path) -> None:
    """Width 512, 12 blocks, StreetCLIP's 1,024 numbers: 36.8 million weights."""
    released = {"input_dim": 3, "dim": 512, "depth": 12, "expansion": 4, "cond_dim": 1024}
    model = plonk.Plonk(checkpoint(tmp_path, released))
    assert sum(p.numel() for p in model.net.parameters()) == sum(
        math.prod(s) for k, s in names(**released).items() if "freqs" not in k
    )
    assert model.sample(np.ones(1024, np.float32), 2).xyz.shape == (2, 3)


def test_outputs_of_the_package_itself(tmp_path: Path) -> None:
    """The package's numbers on the same random weights."""
    net = plonk.Plonk(checkpoint(tmp_path)).net
    x = torch.nn.functional.normalize(torch.tensor([[0.3, -0.5, 0.8], [0.0, 0.0, 1.0], [-1.0, 0.2, 0.1]]), dim=1)
    wanted = torch.linspace(-1, 1, 12)[None]
    out = torch.stack([net(x[k : k + 1][None], torch.tensor([[g]]), wanted)[0, 0] for k, g in enumerate((0.0, 0.37, 1.0))])
    assert torch.allclose(out, torch.tensor(PACKAGE), atol=2e-5)


def test_schedule() -> None:
    times = plonk.times(10)
    assert times == sorted(times)
    assert np.allclose(times, PACKAGE_TIMES, atol=1e-6)


def test_what_is_missing_or_damaged_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"config\.json of PLONK is missing"):
        plonk.Plonk(tmp_path / "nowhere")
    folder = checkpoint(tmp_path / "a")
    (folder / "config.json").write_text(json.dumps({**SHAPE, "dim": 64}))
    with pytest.raises(WeightsError, match="does not fit"):
        plonk.Plonk(folder)
    (folder / "config.json").write_text("{}")
    with pytest.raises(WeightsError, match="no PLONK checkpoint"):
        plonk.Plonk(folder)
    with pytest.raises(ValueError, match="12 finite numbers"):
        plonk.Plonk(checkpoint(tmp_path / "b")).sample(np.ones(5, np.float32), 2)


def test_a_picture_is_placed_from_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tiny StreetCLIP and a tiny PLONK on disk, one picture in, one line and one record out."""
    import argparse

    from PIL import Image
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

    from engine.lab.train import plonk_place

    torch.manual_seed(0)
    size = {"image_size": 32, "patch_size": 8}
    tiny = CLIPVisionConfig(hidden_size=12, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, **size)
    CLIPVisionModel(tiny).save_pretrained(tmp_path / "clip")
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(tmp_path / "clip")
    Image.new("RGB", (50, 40), (30, 120, 60)).save(tmp_path / "green.png")
    parser = argparse.ArgumentParser()
    plonk_place.add_arguments(parser)
    folder, out = checkpoint(tmp_path / "plonk"), tmp_path / "out.json"
    wanted = [str(folder), str(tmp_path / "green.png"), "--streetclip", str(tmp_path / "clip"), "--json", str(out)]
    assert plonk_place.run(parser.parse_args(wanted)) == 0
    assert "green.png" in capsys.readouterr().out
    record = json.loads(out.read_text())[0]
    assert abs(record["lat_deg"]) <= 90 and record["label"] == "posterior"
    with pytest.raises(WeightsError, match="StreetCLIP is missing"):
        plonk_place.run(parser.parse_args([*wanted[:2], "--streetclip", str(tmp_path / "none")]))
