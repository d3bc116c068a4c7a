"""Unpacks the lines and polygons of assets/world, kept as integer steps of 1e-4 degrees."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

UNITS_PER_DEG = 10_000


def lines(arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> list[NDArray[np.float64]]:
    """Lines as (n, 2) longitudes and latitudes in degrees."""
    flat, sizes = _flat(arrays, prefix)
    return np.split(flat, np.cumsum(sizes)[:-1]) if len(sizes) else []


def _flat(arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    sizes = arrays[f"{prefix}sizes"].astype(np.int64)
    steps = np.stack([arrays[f"{prefix}x"], arrays[f"{prefix}y"]], axis=1).astype(np.int64)
    total = np.concatenate([np.zeros((1, 2), np.int64), np.cumsum(steps, axis=0)])
    starts = np.cumsum(sizes) - sizes
    # Each line's first step counts from the origin, so what the lines before it summed to is taken off.
    return (total[1:] - np.repeat(total[starts], sizes, axis=0)) / UNITS_PER_DEG, sizes


def polygons(arrays: Mapping[str, NDArray[np.generic]], prefix: str, starts: str) -> NDArray[np.object_]:
    """Polygons with their holes; arrays[starts] says which ring begins a polygon."""
    flat, sizes = _flat(arrays, prefix)
    rings = shapely.linearrings(flat, indices=np.repeat(np.arange(len(sizes)), sizes))
    owner = np.cumsum(arrays[starts].astype(np.int64)) - 1
    made: NDArray[np.object_] = shapely.polygons(rings, indices=owner)
    return made
