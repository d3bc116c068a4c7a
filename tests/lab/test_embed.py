"""Vectors of clips, their maps, and tables of them."""

from __future__ import annotations

import argparse

import numpy as np
import pytest

from engine.core.errors import MediaError, SettingError
from engine.core.paths import data_dir
from engine.lab.data import embed
from engine.models import birdnet

soundfile = pytest.importorskip("soundfile")


def test_what_stands_before_the_classes_is_found_again():
    from engine.lab.data.simulate import class_layer

    weights, bias = class_layer()
    e = np.abs(np.random.default_rng(0).standard_normal(1024)) * 0.1
    logits = weights @ e + bias
    assert np.abs(logits).max() < 15
    assert np.abs(embed.before_classes(1 / (1 + np.exp(-logits))) - e).max() < 1e-3


def test_command_writes_a_table_and_names_what_it_cannot_read(tmp_path, capsys):
    import pandas as pd

    folder = data_dir() / "recordings"
    if not (folder / "manifest.csv").is_file():
        pytest.skip(f"{folder} is not there")
    clip = min(folder.glob("*.ogg"), key=lambda p: p.stat().st_size)
    broken = tmp_path / "broken.ogg"
    broken.write_bytes(b"no sound")
    parser = argparse.ArgumentParser()
    embed.add_arguments(parser)
    out = tmp_path / "x.parquet"
    assert embed.run(parser.parse_args([str(clip), str(broken), "-o", str(out)])) == 2
    assert "broken.ogg" in capsys.readouterr().out
    table = pd.read_parquet(out)
    assert list(table["model"]) == ["agclip"] and len(table["vector"][0]) == 512
    assert embed.sound_embedding(clip, "birdnet").vector.shape == (1024,)


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(SettingError, match="choose one of"):
        embed.sound_embedding(tmp_path / "x.wav", "other")
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(48000, np.float32), 48000)
    with pytest.raises(MediaError):
        embed.sound_embedding(silent, "birdnet")
    with pytest.raises(SettingError, match="--checkpoint"):
        embed.sound_embedding(silent, "agclip-images")
    assert birdnet.RATE_HZ == 48000
