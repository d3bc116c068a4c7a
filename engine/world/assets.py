"""The files of assets/world, read once. scripts/make_world.py makes them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import DataError
from engine.core.paths import ASSETS

WORLD = ASSETS / "world"


def path_of(name: str) -> Path:
    """Path of an asset.

    Raises:
        DataError: it isn't there.
    """
    path = WORLD / name
    if not path.is_file():
        raise DataError(f"The file {path} is missing; get the program's assets again, or run scripts/make_world.py.")
    return path


def arrays(name: str) -> dict[str, NDArray[np.generic]]:
    """The arrays of assets/world/{name}.npz; never unpickles."""
    with np.load(path_of(f"{name}.npz"), allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


@cache
def codes() -> tuple[str, ...]:
    """ISO 3166 two-letter codes in the order that the assets count countries by (XK for Kosovo)."""
    return tuple(path_of("codes.txt").read_text(encoding="ascii").split())


def text(array: NDArray[np.generic]) -> list[str]:
    """The lines of a text kept as bytes."""
    return array.tobytes().decode("utf-8").split("\n")
