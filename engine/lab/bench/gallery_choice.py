"""Galleries to retrieve places from: uniform grids, land, the training places, their neighbours, any CSV.

Source: Chasmai et al. 2025, arXiv 2505.18726, appendix (galleries). A gallery made of the test's own places holds the answers;
its note says so, and it goes into the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SettingError
from engine.lab.data.dataset import Recording, read_predictions

GALLERIES = ("geoclip", "uniform1", "uniform0.5", "land", "train", "train-neighbours", "validation", "xcdc")
NEIGHBOUR_RESOLUTION = 5


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Places to choose from: (n,) degrees, and what must be said of them."""

    name: str
    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]
    note: str = ""


def geoclip_vectors(gallery: Gallery) -> NDArray[np.float32]:
    """(places, 512) GeoCLIP's unit vectors of a gallery, kept on disk: a hundred thousand take a minute to make."""
    from engine.models.geoclip_location import embed_cached

    name = "gallery" if gallery.name == "geoclip" else f"gallery-{gallery.name}"
    return np.asarray(embed_cached(name, gallery.lat_deg, gallery.lon_deg))


def gallery_of(
    name: str,
    train: Sequence[Recording] = (),
    validation: Sequence[Recording] = (),
    test: Sequence[Recording] = (),
) -> Gallery:
    """The gallery of that name, or of a CSV with latitude and longitude at that path.

    Raises:
        SettingError: no such gallery, or the recordings it is made of were not given.
        DataError: the CSV is missing or malformed.
    """
    if name == "geoclip":
        from engine.world.gallery import gallery

        return Gallery(name, *gallery())
    if name.startswith("uniform") and name in GALLERIES:
        return _uniform(name, float(name.removeprefix("uniform")))
    if name == "land":
        from engine.world.grid import world_grid

        return Gallery(name, *world_grid().lat_lon_deg)
    made_of = {"train": train, "train-neighbours": train, "validation": validation, "xcdc": test}
    if name in made_of:
        if not made_of[name]:
            raise SettingError(f"The gallery {name!r} is made of recordings that were not given; choose another or give them.")
        lat, lon = np.array([(r.lat_deg, r.lon_deg) for r in made_of[name]]).T
        if name == "train-neighbours":
            return _neighbours(lat, lon)
        note = "the gallery holds the answers" if name == "xcdc" else ""
        return Gallery(name, *_distinct(lat, lon), note)
    if Path(name).suffix == ".csv":
        held = read_predictions(Path(name))
        return Gallery(Path(name).stem, *_distinct(held.lat_deg, held.lon_deg))
    raise SettingError(f"There is no gallery {name!r}; choose one of {', '.join(GALLERIES)}, or give a CSV.")


def _uniform(name: str, step_deg: float) -> Gallery:
    lat = np.arange(-90.0, 90.0 + step_deg / 2, step_deg)
    lon = np.arange(-180.0, 180.0 - step_deg / 2, step_deg)
    grid = np.stack(np.meshgrid(lat, lon, indexing="ij"), axis=-1).reshape(-1, 2)
    grid = grid[(np.abs(grid[:, 0]) < 90.0) | (grid[:, 1] == -180.0)]  # a pole is one place
    return Gallery(name, grid[:, 0], grid[:, 1])


def _neighbours(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Gallery:
    cells = {int(h3.latlng_to_cell(a, b, NEIGHBOUR_RESOLUTION)) for a, b in zip(lat, lon, strict=True)}
    near = sorted({int(c) for cell in cells for c in h3.grid_disk(cell, 1)})
    centre = np.array([h3.cell_to_latlng(c) for c in near])
    return Gallery("train-neighbours", centre[:, 0], centre[:, 1])


def _distinct(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    places = np.unique(np.stack([lat, lon], axis=1), axis=0)
    return places[:, 0], places[:, 1]
