"""How locatable a view is, by CLIP: logistic regression on its image features (GeoReasoner's idea, Li et al. 2024).

The head is a file of 769 numbers, made by `earwitness lab locatability train`; CLIP itself comes from its local folder (see
`nets.geoclip_picture`). Nothing is shipped: without CLIP there is nothing to train on.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import DataError, WeightsError
from engine.core.file import opened
from engine.core.paths import models_dir
from engine.models import cards
from engine.models.geoclip_picture import PictureEncoder, clip_folder

FEATURES = 768
MODEL_ID = cards.CLIP_LOCATABILITY.id
_RIDGE = 1.0
_STEPS = 50
_MOST_BYTES = 1_000_000


def head_file() -> Path:
    """Where the head is looked for; it may not exist."""
    return models_dir() / "locatability" / "head.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Weights of the logistic regression.

    Attributes:
        weight: (768,) on unit CLIP features.
        bias: added to it.
        trained_on: images behind it.
    """

    weight: NDArray[np.float64] = field(repr=False)
    bias: float
    trained_on: int = 0

    def scores(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n,) chance of being locatable, of unit features (n, 768)."""
        if features.ndim != 2 or features.shape[1] != len(self.weight):
            raise ValueError(f"the head reads features of {len(self.weight)} numbers, not {features.shape}")
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(features @ self.weight + self.bias, -30, 30))))

    def save(self, path: Path) -> None:
        """Write it; the folder is made when it is missing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, weight=self.weight, bias=np.float64(self.bias), trained_on=np.int64(self.trained_on))

    @classmethod
    def load(cls, path: Path | None = None) -> Head:
        """Read it.

        Raises:
            WeightsError: it is missing, damaged or of another shape.
        """
        path = path or head_file()
        if not path.is_file():
            raise WeightsError(f"There is no locatability head at {path}; make one with: earwitness lab locatability train")
        try:
            with opened(path, _MOST_BYTES, "head") as file, np.load(file, allow_pickle=False) as kept:
                if sum(x.file_size for x in kept.zip.infolist()) > _MOST_BYTES:
                    raise ValueError("larger than any head")
                head = cls(kept["weight"].astype(np.float64), float(kept["bias"]), int(kept["trained_on"]))
        except (DataError, ValueError, KeyError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
            raise WeightsError(f"{path} is no locatability head; make it again: earwitness lab locatability train") from error
        if head.weight.shape != (FEATURES,) or not np.isfinite(head.weight).all() or not np.isfinite(head.bias):
            raise WeightsError(f"{path} does not fit CLIP ViT-L/14; make it again: earwitness lab locatability train")
        return head


def fit(features: NDArray[np.floating], labels: NDArray[np.bool_]) -> Head:
    """Fit by Newton steps with a ridge penalty on the weights, both classes weighing alike.

    Args:
        features: (n, 768) unit vectors.
        labels: (n,) whether each is locatable.

    Raises:
        DataError: one of the classes is empty, or a feature is not finite.
    """
    labels = np.asarray(labels, dtype=bool)
    if not labels.any() or labels.all():
        raise DataError("Locatable and unlocatable images are both needed; label some of each.")
    if not np.isfinite(features).all():
        raise DataError("A feature is not a finite number; look for damaged images.")
    x = np.concatenate([np.asarray(features, dtype=np.float64), np.ones((len(labels), 1))], axis=1)
    weight = np.where(labels, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))
    ridge = np.full(x.shape[1], _RIDGE)
    ridge[-1] = 1e-6
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (weight * (p - labels)) + ridge * beta
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        beta -= step
        if np.abs(step).max() < 1e-8:
            break
    return Head(beta[:-1], float(beta[-1]), len(labels))


class Scorer:
    """Frames to chances of being locatable; CLIP is loaded on first use.

    Args:
        head: the head, None loads the one in the models folder.
        folder: CLIP's folder; None takes the models folder.
    """

    def __init__(self, head: Head | None = None, folder: Path | None = None) -> None:
        self._given = head
        self.folder = folder

    @cached_property
    def _head(self) -> Head:
        return self._given or Head.load()

    @cached_property
    def _encoder(self) -> PictureEncoder:
        return PictureEncoder(self.folder)

    def score(self, rgb: NDArray[np.uint8]) -> float:
        """Of one upright frame (height, width, 3)."""
        return float(self._head.scores(self._encoder.clip_features([rgb]))[0])


def scorer() -> Scorer | None:
    """The scorer, where both CLIP and a head are installed; None where one is missing."""
    try:
        clip_folder()
        return Scorer(Head.load())
    except WeightsError:
        return None
