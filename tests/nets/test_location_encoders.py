"""SINR and SatCLIP from checkpoints of the same shape; harmonics against known values; poolings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from engine.core.errors import SettingError, WeightsError
from engine.models import location_encoders, pooling


def test_harmonics_have_the_published_constants():
    """Values of the generated table: 0.886 for degree 0, 1.535 cos θ for order 0 of degree 1, 0.4886 sin θ sin φ below."""
    lat, lon = np.array([12.0, -75.0]), np.array([33.0, -170.0])
    y = location_encoders.harmonics(lat, lon, 3)
    theta, phi = np.radians(lat + 90), np.radians(lon + 180)
    assert y[:, 0] == pytest.approx(np.full(2, 0.886226925452758))
    assert y[:, 1] == pytest.approx(0.48860251190292 * np.sin(theta) * np.sin(phi))
    assert y[:, 2] == pytest.approx(1.53499006191973 * np.cos(theta))
    assert y[:, 3] == pytest.approx(0.48860251190292 * np.sin(theta) * np.cos(phi))
    assert y[:, 6] == pytest.approx(2.97249547320451 * np.cos(theta) ** 2 - 0.990831824401503)
    assert y[:, 4] == pytest.approx(0.18209140509868 * (3.0 - 3.0 * np.cos(theta) ** 2) * np.sin(2 * phi))


def test_harmonics_of_high_degree_equal_scipy():
    lat, lon = np.array([40.0, -89.5, 0.0]), np.array([0.0, 100.0, 179.0])
    y = location_encoders.harmonics(lat, lon, 40)
    theta, phi = np.radians(lat + 90), np.radians(lon + 180)
    for degree, m in ((39, 39), (39, 7), (25, 1)):
        expected = np.sqrt(2) * (-1) ** m * sph_harm_y(degree, m, theta, phi).real
        assert y[:, degree * degree + degree + m] == pytest.approx(expected, abs=1e-9)


def test_satclip_checkpoint(tmp_path):
    torch.manual_seed(0)
    state = {
        "model.location.nnet.layers.0.weight": torch.randn(512, 100).double() / 100,
        "model.location.nnet.layers.0.bias": torch.randn(512).double() / 100,
        "model.location.nnet.layers.1.weight": torch.randn(512, 512).double() / 20,
        "model.location.nnet.layers.1.bias": torch.randn(512).double() / 20,
        "model.location.nnet.last_layer.weight": torch.randn(256, 512).double() / 20,
        "model.location.nnet.last_layer.bias": torch.randn(256).double() / 20,
        "model.visual.head.weight": torch.zeros(3, 3),
    }
    torch.save({"state_dict": state, "hyper_parameters": {"legendre_polys": 10}}, tmp_path / "satclip.ckpt")
    lat, lon = np.array([10.0, -40.0]), np.array([20.0, 150.0])
    got = location_encoders.SatClip(tmp_path / "satclip.ckpt").embed(lat, lon)
    x = torch.from_numpy(location_encoders.harmonics(lat, lon, 10))
    w = {k.removeprefix("model.location.nnet."): v for k, v in state.items()}
    x = torch.sin(30.0 * torch.nn.functional.linear(x, w["layers.0.weight"], w["layers.0.bias"]))
    x = torch.sin(torch.nn.functional.linear(x, w["layers.1.weight"], w["layers.1.bias"]))
    x = torch.nn.functional.linear(x, w["last_layer.weight"], w["last_layer.bias"])
    assert np.abs(got - torch.nn.functional.normalize(x, dim=1).numpy()).max() < 1e-6


def test_sinr_checkpoint(tmp_path):
    torch.manual_seed(0)
    state = {
        "feats.0.weight": torch.randn(256, 4),
        "feats.0.bias": torch.randn(256),
        "class_emb.weight": torch.randn(9, 256) / 99,
    }
    for block in (2, 3, 4, 5):
        for part in ("w1", "w2"):
            state[f"feats.{block}.{part}.weight"] = torch.randn(256, 256) / 30
            state[f"feats.{block}.{part}.bias"] = torch.randn(256) / 30
    torch.save({"state_dict": state, "params": {"num_filts": 256}}, tmp_path / "model.pt")
    encoder = location_encoders.Sinr(tmp_path / "model.pt")
    place = torch.tensor([[30.0 / 180, -10.0 / 90]])  # longitude first
    x = torch.cat([torch.sin(torch.pi * place), torch.cos(torch.pi * place)], dim=1)
    x = torch.relu(torch.nn.functional.linear(x, state["feats.0.weight"], state["feats.0.bias"]))
    for block in (2, 3, 4, 5):
        y = torch.relu(torch.nn.functional.linear(x, state[f"feats.{block}.w1.weight"], state[f"feats.{block}.w1.bias"]))
        x = x + torch.relu(torch.nn.functional.linear(y, state[f"feats.{block}.w2.weight"], state[f"feats.{block}.w2.bias"]))
    expected = torch.sigmoid(x @ state["class_emb.weight"].T).numpy()
    assert np.abs(encoder.occurrence([-10.0], [30.0]) - expected).max() < 1e-5
    assert encoder.embed([-10.0], [30.0]).shape == (1, 256)


def test_another_models_checkpoint_says_so(tmp_path):
    torch.save({"x": torch.zeros(2)}, tmp_path / "x.pt")
    with pytest.raises(WeightsError, match="SINR"):
        location_encoders.Sinr(tmp_path / "x.pt").embed([0.0], [0.0])


def test_poolings():
    x = np.array([[0.0, 0.0], [0.0, 0.2], [0.0, 0.1], [9.0, 9.0]])
    assert pooling.pooled(x, "average") == pytest.approx([2.25, 2.325])
    assert pooling.pooled(x, "max") == pytest.approx([9.0, 9.0])
    many = np.vstack([np.zeros((20, 2)) + np.arange(20)[:, None] * 1e-4, *[np.full((1, 2), 10.0 * k) for k in range(1, 5)]])
    assert pooling.pooled(many, "kmeans") == pytest.approx([0.00095, 0.00095], abs=1e-4)
    assert pooling.pooled(x[:1], "kmeans") == pytest.approx([0.0, 0.0])
    with pytest.raises(SettingError):
        pooling.pooled(x, "median")
    with pytest.raises(ValueError, match="at least one"):
        pooling.pooled(x[:0])


def test_transformer_ignores_absent_windows():
    torch.manual_seed(0)
    net = pooling.transformer(16, 8).eval()
    x = torch.randn(2, 5, 16)
    absent = torch.tensor([[False] * 3 + [True] * 2] * 2)
    with torch.no_grad():
        first = net(x, absent)
        x[:, 3:] = 99.0
        assert torch.allclose(first, net(x, absent), atol=1e-5)
        assert net(torch.randn(1, 40, 16), torch.zeros(1, 40, dtype=torch.bool)).shape == (1, 8)
