"""GeoCLIP's location encoder: a place on Earth to a 512-dimensional vector that looks and sounds like it.

Equal Earth projection, then three capsules of random Fourier features (σ = 1, 16, 256) and a perceptron, summed. The
weights are read out of the installed package `geoclip` (MIT); the package itself is not imported, because that imports
the image encoder, which looks for CLIP on a model hub.

Sources: Vivanco Cepeda et al. 2023, "GeoCLIP", section 3.2; Šavrič et al. 2018, "The Equal Earth map projection".
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.core import scratch, sphere
from engine.core.errors import WeightsError
from engine.core.grid import WORLD_RESOLUTION, Grid
from engine.core.paths import cache_dir, not_kept
from engine.models import cards, checkpoint

if TYPE_CHECKING:
    import torch

MODEL_ID = cards.GEOCLIP_LOCATION.id
LICENCE = cards.GEOCLIP_LOCATION.licence
DIMENSIONS = 512
LOGIT_SCALE = 3.6810  # what GeoCLIP's own training ended on, as a plain factor on the cosine
SIGMAS = (1.0, 16.0, 256.0)
_FILE = "location_encoder_weights.pth"
_SHA256 = cards.GEOCLIP_LOCATION.sha256
_EQUAL_EARTH = (1.340264, -0.081106, 0.000893, 0.003796)
_SCALE = 66.50336 / 180.0


@cache
def weights_path() -> Path:
    """Path of the encoder's weights inside the installed package, their hash checked.

    Raises:
        WeightsError: the package or file is missing or is not the one expected.
    """
    spec = importlib.util.find_spec("geoclip")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError("GeoCLIP's location encoder is missing; install it with: pip install --no-deps geoclip==1.2.3")
    file = Path(spec.submodule_search_locations[0]) / "model" / "weights" / _FILE
    if not file.is_file():
        raise WeightsError(f"{_FILE} is missing from geoclip; install it again: pip install --no-deps geoclip==1.2.3")
    with file.open("rb") as f:
        if hashlib.file_digest(f, "sha256").hexdigest() != _SHA256:
            raise WeightsError(f"{_FILE} is not the file it should be; install geoclip==1.2.3 again.")
    return file


def equal_earth(lat_lon_deg: torch.Tensor) -> torch.Tensor:
    """Places (n, 2) in degrees, latitude first, on the plane as GeoCLIP scales it, (n, 2), x first."""
    import torch

    a1, a2, a3, a4 = _EQUAL_EARTH
    lat, lon = torch.deg2rad(lat_lon_deg[:, 0]), torch.deg2rad(lat_lon_deg[:, 1])
    root3 = torch.sqrt(torch.tensor(3.0))
    theta = torch.asin(root3 / 2 * torch.sin(lat))
    x = 2 * root3 * lon * torch.cos(theta) / (3 * (9 * a4 * theta**8 + 7 * a3 * theta**6 + 3 * a2 * theta**2 + a1))
    y = a4 * theta**9 + a3 * theta**7 + a2 * theta**3 + a1 * theta
    return torch.stack((x, y), dim=1) * (_SCALE * 180.0) / 180


class LocationEncoder:
    """The frozen encoder. One instance is enough; see `location_encoder`.

    Args:
        path: weights of another encoder of this layout, such as TaxaBind's; None takes GeoCLIP's own.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path

    @cached_property
    def _weights(self) -> dict[str, torch.Tensor]:
        if self.path is not None:
            return self._others(self.path)
        held: dict[str, torch.Tensor] = checkpoint.read(weights_path())
        return held

    def _others(self, path: Path) -> dict[str, torch.Tensor]:
        state = {k.removeprefix("location_encoder."): v for k, v in checkpoint.read_state(path).items()}
        shapes = {"capsule.0.b": (256, 2), "capsule.1.weight": (1024, 512), "head.0.weight": (DIMENSIONS, 1024)}
        for k in range(len(SIGMAS)):
            for part, shape in shapes.items():
                if tuple(state.get(f"LocEnc{k}.{part}", np.empty(0)).shape) != shape:
                    raise WeightsError(
                        f"{path.name} has no layer LocEnc{k}.{part} of {shape}; give a location encoder like GeoCLIP's."
                    )
        return state

    def forward(self, lat_lon_deg: torch.Tensor) -> torch.Tensor:
        """Raw vectors (n, 512) of places (n, 2) in degrees, float32, without gradient to the weights."""
        import torch
        from torch.nn.functional import linear, relu

        at = equal_earth(lat_lon_deg)
        total = torch.zeros(len(at), DIMENSIONS, device=at.device)
        for k in range(len(SIGMAS)):
            own = f"LocEnc{k}."
            w = {n.removeprefix(own): t.to(at.device) for n, t in self._weights.items() if n.startswith(own)}
            turn = 2 * np.pi * at @ w["capsule.0.b"].T
            x = torch.cat((torch.cos(turn), torch.sin(turn)), dim=-1)
            for layer in (1, 3, 5):
                x = relu(linear(x, w[f"capsule.{layer}.weight"], w[f"capsule.{layer}.bias"]))
            total += linear(x, w["head.0.weight"], w["head.0.bias"])
        return total

    def embed(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float32]:
        """Unit vectors of places.

        Args:
            lat_deg, lon_deg: (n,) degrees.

        Returns:
            (n, 512) float32, each of length 1.

        Raises:
            ValueError: a coordinate is NaN, infinite or beyond a pole.
            WeightsError: the weights are missing.
        """
        import torch

        lat, lon = sphere.to_lat_lon(sphere.to_xyz(lat_deg, lon_deg))  # one turn of longitude, checked
        places = torch.from_numpy(np.stack([lat, lon], axis=-1).astype(np.float32).reshape(-1, 2))
        out = np.empty((len(places), DIMENSIONS), dtype=np.float32)
        with torch.inference_mode():
            for at in range(0, len(places), 4096):
                raw = self.forward(places[at : at + 4096])
                out[at : at + 4096] = torch.nn.functional.normalize(raw, dim=1).numpy()
        return out


@cache
def location_encoder() -> LocationEncoder:
    """The one encoder of this process."""
    return LocationEncoder()


def embed_cached(name: str, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.float32]:
    """Unit vectors (n, 512) of many places, kept on disk in the cache folder; memory-mapped, read-only.

    Args:
        name: a word for the file, such as "world" or "gallery"; the key is a hash of the places.
    """
    key = hashlib.sha256(np.ascontiguousarray(np.stack([lat_deg, lon_deg])).tobytes() + _SHA256.encode()).hexdigest()[:16]
    folder = cache_dir() / "geoclip"
    file = folder / f"{name}-{key}.npy"
    if not file.is_file():
        vectors = location_encoder().embed(lat_deg, lon_deg)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _keep(file, vectors)
        except OSError as error:
            not_kept(error)
            return vectors
    return np.load(file, mmap_mode="r")


def _keep(file: Path, vectors: NDArray[np.float32]) -> None:
    """Write beside and rename, so that a second process never reads half a file."""
    handle, beside = scratch.draft(file.parent, ".npy")
    os.close(handle)
    try:
        np.save(beside, vectors)
        Path(beside).replace(file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


class _Known:
    """Vectors already at hand: those of the last whole resolution-3 grid, and of single cells met since."""

    def __init__(self) -> None:
        self.cells: NDArray[np.uint64] = np.empty(0, dtype=np.uint64)
        self.vectors: NDArray[np.float32] = np.empty((0, DIMENSIONS), dtype=np.float32)
        self.single: dict[int, NDArray[np.float32]] = {}


_KNOWN = _Known()
_SINGLE_LIMIT = 60_000


def grid_embeddings(grid: Grid) -> NDArray[np.float32]:
    """Unit vectors (cells, 512) of the centres of a grid's cells.

    Whole resolution-3 grids are kept on disk; the few cells of a refined grid, which change with every clip, are
    computed once each and remembered for as long as the process lives.
    """
    lat, lon = grid.lat_lon_deg
    if (grid.resolution == WORLD_RESOLUTION).all():
        vectors = embed_cached("grid", lat, lon)
        if len(grid) >= len(_KNOWN.cells):
            _KNOWN.cells, _KNOWN.vectors = grid.cells, vectors
        return vectors
    out = np.empty((len(grid), DIMENSIONS), dtype=np.float32)
    known = np.zeros(len(grid), dtype=bool)
    if len(_KNOWN.cells):
        at = np.clip(np.searchsorted(_KNOWN.cells, grid.cells), 0, len(_KNOWN.cells) - 1)
        known = _KNOWN.cells[at] == grid.cells
        out[known] = _KNOWN.vectors[at[known]]
    missing = np.flatnonzero(~known)
    new = [i for i in missing if int(grid.cells[i]) not in _KNOWN.single]
    if len(_KNOWN.single) + len(new) > _SINGLE_LIMIT:
        _KNOWN.single.clear()
        new = list(missing)
    if new:
        fresh = location_encoder().embed(lat[new], lon[new])
        _KNOWN.single.update(zip((int(c) for c in grid.cells[new]), fresh, strict=True))
    for i in missing:
        out[i] = _KNOWN.single[int(grid.cells[i])]
    return out
