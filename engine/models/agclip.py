"""AG-CLIP on BirdNET's scores: the species scores of an interval of sound to a vector in GeoCLIP's location space.

Runs in numpy: the network is small, and the program need not load torch for it. With s the scores of all classes, those of at
least 0.02 kept, and V one vector of location space per class (it starts as the class's range, seen through GeoCLIP's eyes),

    u = (logit s + 3.9) / 6,  v = sigmoid(0.85 logit s - 0.9),  x = V'u,  y = V'v,  n = max(1, sum v),
    h = gelu(A [norm x, norm y, ln n] + k[week]),   h = h + gelu(B h + b),   f = exp(c0 + c1 ln n) y + F h + d,

and with f = [f_g, f_r], g GeoCLIP's unit vector of a place (512) and r what BirdNET's range model makes of the place before its
class layer, any time of the year, brought down to 256 numbers,

    8 f_g · g(place) + f_r · r(place) = log p(scores | place) + constant:

the network is trained with a softmax over all places, the places' own frequency added to the logits, so that it has nothing to
learn about that. A second head says which species live there. f_g alone is AG-CLIP in GeoCLIP's space; f_r makes up for what
512 numbers made for pictures do not know of ranges.

Source: after Chasmai et al. 2025, arXiv 2505.18726, section 4 (AG-CLIP); input, width, f_r and the softmax over all places are
ours.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, expit

from engine.core.errors import WeightsError
from engine.core.paths import ASSETS
from engine.models import birdnet, cards
from engine.models.geoclip_location import DIMENSIONS

MODEL_ID = cards.AGCLIP.id
GEOCLIP_WEIGHT = 8.0
GEOCLIP_PART = slice(0, DIMENSIONS)
RANGE_PART = slice(DIMENSIONS, DIMENSIONS + 256)
LICENCE = cards.AGCLIP.licence
FOLDER = ASSETS / "models" / "agclip_birdnet"
LEAST_SCORE = 0.02
MOST_CLASSES = 40
_LEAST_LOGIT = float(np.log(LEAST_SCORE / (1 - LEAST_SCORE)))


def level_weights(logit: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """u and v of the module's text."""
    logit = np.asarray(logit, dtype=np.float32)
    return (logit + np.float32(3.9)) / np.float32(6.0), expit(np.float32(0.85) * logit - np.float32(0.9))


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted on recordings of known place.

    Attributes:
        temperature: log-likelihoods are divided by it.
        floor: share of the likelihood that is the same everywhere: how often the answer is plainly wrong.
    """

    temperature: float = 1.0
    floor: float = 0.0


class AgClip:
    """The shipped network.

    Args:
        folder: where weights.safetensors and calibration.json are.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    @cached_property
    def _weights(self) -> dict[str, NDArray[np.float32]]:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        file = self.folder / "weights.safetensors"
        if not file.is_file():
            raise WeightsError(f"{file} is missing; restore it from the repository, or run: earwitness lab train-agclip")
        raw = file.read_bytes()
        card = self.folder / "model.json"
        expected = json.loads(card.read_text(encoding="utf-8"))["sha256"] if card.is_file() else None
        if expected and hashlib.sha256(raw).hexdigest() != expected:
            raise WeightsError(f"{file.name} is not the file its card names; restore it from the repository.")
        try:
            held = load(raw)
        except SafetensorError as wrong:
            raise WeightsError(f"{file} cannot be read; restore it from the repository.") from wrong
        weights = {k: v.astype(np.float32) for k, v in held.items()}
        if weights.get("species_vector", np.empty((0, 0))).shape[0] != len(birdnet.labels()):
            raise WeightsError(f"{file.name} was trained for other classes than BirdNET's; restore it from the repository.")
        return weights

    @property
    def range_projection(self) -> NDArray[np.float32]:
        """(1024, 256) from the range model's activations to the numbers of a place that `RANGE_PART` is multiplied with."""
        return self._weights["range_projection"]

    @cached_property
    def calibration(self) -> Calibration:
        """The fitted calibration, that of an uncalibrated network when none is beside the weights."""
        file = self.folder / "calibration.json"
        return Calibration(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else Calibration()

    def _forward(self, scores: NDArray[np.floating], week: int | None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """f (n, 768) and h (n, width) of the module's text.

        Args:
            scores: (n, 6522) or (6522,), 0..1; only the best MOST_CLASSES of at least LEAST_SCORE count.
            week: BirdNET's week, or None.

        Raises:
            ValueError: wrong shape, or a score that is not a number from 0 to 1.
        """
        w = self._weights
        table = w["species_vector"]
        s = np.atleast_2d(np.asarray(scores, dtype=np.float32))
        if s.ndim != 2 or s.shape[1] != len(table):
            raise ValueError(f"AG-CLIP hears {len(table)} scores, not {s.shape}")
        if not np.isfinite(s).all() or (s < 0).any() or (s > 1).any():
            raise ValueError("a score is not a number from 0 to 1")
        x, y = (np.zeros((len(s), table.shape[1]), dtype=np.float32) for _ in range(2))
        log_n = np.zeros((len(s), 1), dtype=np.float32)
        for i, row in enumerate(s):
            heard = np.flatnonzero(row >= LEAST_SCORE)
            heard = heard[np.argsort(-row[heard], kind="stable")[:MOST_CLASSES]]
            p = np.minimum(row[heard].astype(np.float64), 1.0 - 3e-7)  # BirdNET's log-odds end at 15
            u, v = level_weights(np.log(p / (1 - p)).astype(np.float32))
            x[i], y[i], log_n[i] = u @ table[heard], v @ table[heard], np.log(max(1.0, float(v.sum())))
        joined = np.concatenate([_norm(x), _norm(y), log_n], axis=1)
        h = _gelu(joined @ w["enter.weight"].T + w["week.weight"][0 if week is None else week])
        h = h + _gelu(h @ w["middle.weight"].T + w["middle.bias"])
        direct = np.exp(w["temper"][0] + w["temper"][1] * log_n)
        return direct * y + h @ w["location.weight"].T + w["location.bias"], h

    def embed(self, scores: NDArray[np.floating], week: int | None = None) -> NDArray[np.float32]:
        """f of the module's text, (n, 768), GEOCLIP_PART first; not of unit length: its length says how sure it is.

        Args:
            scores: (n, 6522) or (6522,), 0..1; only the best MOST_CLASSES of at least LEAST_SCORE count.
            week: BirdNET's week, or None.

        Raises:
            ValueError: wrong shape, or a score that is not a number from 0 to 1.
        """
        return self._forward(scores, week)[0]

    def logits(
        self, f: NDArray[np.float32], geoclip: NDArray[np.float32], range_hidden: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """log p(scores | place) up to a constant, (places,), of one vector f (768,).

        Args:
            geoclip: (places, 512) unit vectors.
            range_hidden: (places, 1024), `RangeModel.hidden` without a week.
        """
        through = self._weights["range_projection"] @ f[RANGE_PART]  # (1024,): the places need not be projected
        return geoclip @ (np.float32(GEOCLIP_WEIGHT) * f[GEOCLIP_PART]) + range_hidden @ through

    def checklist(self, scores: NDArray[np.floating], week: int | None = None) -> NDArray[np.float32]:
        """(n, 6522) chance that each species lives where this was recorded."""
        w = self._weights
        inner = np.maximum(0.0, self._forward(scores, week)[1] @ w["species.0.weight"].T + w["species.0.bias"])
        return expit(inner @ w["species.2.weight"].T + w["species.2.bias"])


@cache
def agclip() -> AgClip:
    """The one shipped network of this process."""
    return AgClip()


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return (0.5 * x * (1.0 + erf(x / np.sqrt(2.0)))).astype(np.float32)


def _norm(x: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = x - x.mean(axis=-1, keepdims=True)
    return (centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)).astype(np.float32)
