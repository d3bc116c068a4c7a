"""Location encoders beside GeoCLIP's, read out of their authors' checkpoints: SINR's and SatCLIP's.

SINR: sine and cosine of longitude and latitude, then a residual network of width 256; the vector before the class layer.
SatCLIP: spherical harmonics up to degree L, then a sinusoidal network of two layers of 512; 256 numbers.

Sources: Cole et al. 2023, "Spatial implicit neural representations for global-scale species mapping" (elijahcole/sinr,
`models.py`, names and shapes); Klemmer et al. 2023, "SatCLIP" (microsoft/satclip, `location_encoder.py` and the generated
`spherical_harmonics_ylm.py`, whose terms of order 0 are pi times the orthonormal ones and whose others lack the Condon-Shortley
sign: its checkpoints were trained so).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from engine.core import sphere
from engine.core.errors import WeightsError
from engine.models.checkpoint import read_state


class Encoder(Protocol):
    """Places to unit vectors."""

    name: str

    def embed(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float32]:
        """(n, d) unit vectors of places in degrees."""
        ...


class GeoClip:
    """GeoCLIP's, as an Encoder."""

    name = "geoclip"

    def embed(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float32]:
        """(n, 512) unit vectors."""
        from engine.models.geoclip_location import location_encoder

        return location_encoder().embed(lat_deg, lon_deg)


class Sinr:
    """SINR's features, and its species.

    Args:
        path: checkpoint of SINR's training (a dict with "state_dict").
    """

    name = "sinr"

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _weights(self) -> dict[str, NDArray[np.float64]]:
        return _arrays(self.path, "feats.0.weight", "SINR")

    def features(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float64]:
        """(n, width) vectors before the class layer."""
        lat, lon = sphere.to_lat_lon(sphere.to_xyz(lat_deg, lon_deg))
        at = np.stack([lon / 180.0, lat / 90.0], axis=-1).reshape(-1, 2)
        x = np.concatenate([np.sin(np.pi * at), np.cos(np.pi * at)], axis=1)
        w = self._weights
        x = np.maximum(0.0, x @ w["feats.0.weight"].T + w["feats.0.bias"])
        block = 2
        while f"feats.{block}.w1.weight" in w:
            y = np.maximum(0.0, x @ w[f"feats.{block}.w1.weight"].T + w[f"feats.{block}.w1.bias"])
            x = x + np.maximum(0.0, y @ w[f"feats.{block}.w2.weight"].T + w[f"feats.{block}.w2.bias"])
            block += 1
        return x

    def occurrence(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float64]:
        """(n, species) chance of each of the checkpoint's species."""
        return expit(self.features(lat_deg, lon_deg) @ self._weights["class_emb.weight"].T)

    def embed(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float32]:
        """(n, width) unit vectors."""
        return _unit(self.features(lat_deg, lon_deg))


class SatClip:
    """SatCLIP's location encoder.

    Args:
        path: checkpoint such as satclip-vit16-l40.ckpt; L is read off the width of its first layer.
    """

    name = "satclip"

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _weights(self) -> dict[str, NDArray[np.float64]]:
        return _arrays(self.path, "nnet.layers.0.weight", "SatCLIP", prefixes=("model.location.", "location."))

    def embed(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float32]:
        """(n, 256) unit vectors."""
        w = self._weights
        degree = round(w["nnet.layers.0.weight"].shape[1] ** 0.5)
        x = harmonics(lat_deg, lon_deg, degree)
        layer = 0
        while f"nnet.layers.{layer}.weight" in w:
            turn = 30.0 if layer == 0 else 1.0
            x = np.sin(turn * (x @ w[f"nnet.layers.{layer}.weight"].T + w[f"nnet.layers.{layer}.bias"]))
            layer += 1
        return _unit(x @ w["nnet.last_layer.weight"].T + w["nnet.last_layer.bias"])


def harmonics(lat_deg: ArrayLike, lon_deg: ArrayLike, degrees: int) -> NDArray[np.float64]:
    """(n, degrees²) real spherical harmonics as SatCLIP has them: orders −l..l of each degree l, order 0 times pi.

    The angle from the pole is latitude + 90°, the azimuth longitude + 180°.
    """
    lat, lon = (np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (lat_deg, lon_deg))
    polar, azimuth = np.radians(lat + 90.0), np.radians(lon + 180.0)
    x, s = np.cos(polar), np.sin(polar)
    out = np.empty((len(lat), degrees * degrees))
    diagonal = np.full(len(lat), np.sqrt(1.0 / (4.0 * np.pi)))  # fully normalised, which stays finite at high degrees
    for m in range(degrees):
        if m:
            diagonal = diagonal * s * np.sqrt((2 * m + 1) / (2 * m))
        before, now = np.zeros_like(x), diagonal
        for degree in range(m, degrees):
            if degree > m:
                a = np.sqrt((4 * degree**2 - 1) / (degree**2 - m**2))
                b = np.sqrt(((degree - 1) ** 2 - m**2) / (4 * (degree - 1) ** 2 - 1)) if degree > m + 1 else 0.0
                before, now = now, a * (x * now - b * before)
            at = degree * degree + degree
            if m == 0:
                out[:, at] = np.pi * now
            else:
                out[:, at + m] = np.sqrt(2.0) * now * np.cos(m * azimuth)
                out[:, at - m] = np.sqrt(2.0) * now * np.sin(m * azimuth)
    return out


def _arrays(path: Path, needed: str, whose: str, prefixes: tuple[str, ...] = ("",)) -> dict[str, NDArray[np.float64]]:
    state = read_state(path)
    for prefix in (*prefixes, ""):
        if prefix + needed in state:
            return {k.removeprefix(prefix): v.double().numpy() for k, v in state.items() if k.startswith(prefix) and v.ndim}
    raise WeightsError(f"{path.name} has no layer {needed}; give a checkpoint of {whose}.")


def _unit(x: NDArray[np.float64]) -> NDArray[np.float32]:
    return (x / np.maximum(1e-12, np.linalg.norm(x, axis=1, keepdims=True))).astype(np.float32)
