"""The whole way of the spectrogram model on a tiny folder: recordings, training, checkpoint, places."""

from __future__ import annotations

import argparse

import numpy as np
import pytest
import torch

from engine.core.errors import DataError
from engine.lab.train import agclip_images as train_images
from engine.models import agclip_image, spectrogram

soundfile = pytest.importorskip("soundfile")


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    rows = ["id,file,lat,lon"]
    for i in range(6):
        t = np.arange(22050 * 2) / 22050
        tone = 0.3 * np.sin(2 * np.pi * (1000 if i % 2 else 5000) * t) + 0.01 * rng.standard_normal(len(t))
        soundfile.write(tmp_path / f"{i}.wav", tone.astype(np.float32), 22050)
        rows.append(f"{i},{i}.wav,{45 if i % 2 else -30},{10 if i % 2 else 140}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_one_epoch_end_to_end(folder, capsys):
    parser = argparse.ArgumentParser()
    train_images.add_arguments(parser)
    out = folder / "model"
    args = parser.parse_args(["folder", str(folder), "--epochs", "1", "--batch", "4", "--gallery", "land", "-o", str(out)])
    assert train_images.run(args) == 0
    assert "kept epoch 1" in capsys.readouterr().out
    net = agclip_image.load(out / "weights.safetensors")
    species, location = agclip_image.embed(net, np.zeros(22050, np.float32), spectrogram.setting("paper"))
    assert species.shape[1] == 6522 and location.shape[1] == 512


def test_loss_has_the_papers_weight():
    """A perfect location vector and a coin's toss for each of 100 species: 0.01 · 100 ln 2 and the contrastive rest."""
    place = torch.eye(512)[:4]
    out = torch.cat([torch.zeros(4, 100), place], dim=1)
    listed = torch.zeros(4, 100)
    contrast = np.log(np.exp(3.681) + 3) - 3.681
    assert float(train_images.loss_of(out, place, listed)) == pytest.approx(np.log(2) + contrast, rel=1e-4)


def test_nothing_to_train_on_is_said(folder):
    with pytest.raises(DataError, match="both splits"):
        train_images.train((), (), spectrogram.setting("paper"), train_images.Schedule(epochs=1))
