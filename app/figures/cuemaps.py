"""A sheet of small maps: where each cue is found, drawn once for all of them."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.figures.ground import DARK, LIGHT
from engine import Grid

WIDTH, HEIGHT = 180, 72
_NORTH = 84.0  # the map's upper edge; 2° a pixel
_FOUND, _FOUND_DARK = (0, 98, 190), (99, 170, 235)


def map_sheet(grid: Grid, chances: Sequence[NDArray[np.floating]], columns: int, dark: bool) -> bytes:
    """PNG of maps of 180 by 72 pixels in rows of so many: land, and on it how well each cell fits, 0 to 1.

    Args:
        grid: the cells, (n,).
        chances: of each map, (n,).
    """
    at = _cell_of_pixel(grid)
    ground, found = (np.array(c, np.float32) for c in ((DARK if dark else LIGHT).land[:3], _FOUND_DARK if dark else _FOUND))
    rows = -(-len(chances) // columns)
    out = np.zeros((rows * HEIGHT, columns * WIDTH, 4), np.uint8)
    for i, chance in enumerate(chances):
        share = np.asarray(chance, np.float32)[at][..., None]
        top, left = HEIGHT * (i // columns), WIDTH * (i % columns)
        tile = out[top : top + HEIGHT, left : left + WIDTH]
        tile[..., :3] = np.where(at[..., None] >= 0, ground + (found - ground) * share, 0)
        tile[..., 3] = np.where(at >= 0, 255, 0)
    file = io.BytesIO()
    Image.fromarray(out).quantize(64, method=Image.Quantize.FASTOCTREE).save(file, "PNG", optimize=False)
    return file.getvalue()


def _cell_of_pixel(grid: Grid) -> NDArray[np.int64]:
    row, column = np.mgrid[0:HEIGHT, 0:WIDTH]
    lat, lon = _NORTH - 2.0 * (row + 0.5), -180.0 + 2.0 * (column + 0.5)
    return grid.locate(lat.ravel(), lon.ravel()).reshape(HEIGHT, WIDTH)
