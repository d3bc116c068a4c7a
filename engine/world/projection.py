"""A flat picture of the whole Earth in which areas are true: the Equal Earth projection, and SVG paths in it.

Source: B. Šavrič, T. Patterson, B. Jenny, "The Equal Earth map projection", International Journal of Geographical
Information Science 33(3), 2019, equations 2 to 7.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

A1, A2, A3, A4 = 1.340264, -0.081106, 0.000893, 0.003796
_M = np.sqrt(3.0) / 2.0
_STEP_DEG = 2.0


def equal_earth(lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x to the east and y to the north, in Earth radii, of places in degrees; longitude within -180..180."""
    theta = np.arcsin(_M * np.sin(np.radians(np.asarray(lat_deg, dtype=np.float64))))
    t2 = theta * theta
    t6 = t2 * t2 * t2
    slope = A1 + 3.0 * A2 * t2 + t6 * (7.0 * A3 + 9.0 * A4 * t2)
    x = np.radians(np.asarray(lon_deg, dtype=np.float64)) * np.cos(theta) / (_M * slope)
    y = theta * (A1 + A2 * t2 + t6 * (A3 + A4 * t2))
    return x, y


WIDTH = 2.0 * float(equal_earth(0.0, 180.0)[0])
HEIGHT = 2.0 * float(equal_earth(90.0, 0.0)[1])


def to_page(lat_deg: ArrayLike, lon_deg: ArrayLike, width_px: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Page coordinates (x right, y down) on a world map width_px wide, WIDTH : HEIGHT in shape, 0°N 0°E in the middle."""
    x, y = equal_earth(lat_deg, lon_deg)
    scale = width_px / WIDTH
    return (x + WIDTH / 2.0) * scale, (HEIGHT / 2.0 - y) * scale


def svg_path(lines: Iterable[NDArray[np.float64]], width_px: float, closed: bool = False, digits: int = 1) -> str:
    """The `d` of an SVG path of lines (n, 2) of longitude and latitude that don't cross the antimeridian.

    Points that fall on the same spot of the page are left out; long straight edges are bent as the projection bends them.
    """
    parts = []
    for line in lines:
        dense = _dense(np.asarray(line, dtype=np.float64))
        x, y = to_page(dense[:, 1], dense[:, 0], width_px)
        xy = np.round(np.column_stack([x, y]), digits)
        moved = np.ones(len(xy), dtype=bool)
        moved[1:] = (xy[1:] != xy[:-1]).any(axis=1)
        xy = xy[moved]
        if len(xy) < (3 if closed else 2):
            continue
        points = [f"{a:.{digits}f},{b:.{digits}f}" for a, b in xy.tolist()]
        parts.append("M" + "L".join(points) + ("Z" if closed else ""))
    return "".join(parts)


def _dense(line: NDArray[np.float64]) -> NDArray[np.float64]:
    steps = np.abs(np.diff(line, axis=0)).max(axis=1) if len(line) > 1 else np.zeros(0)
    if not (steps > _STEP_DEG).any():
        return line
    pieces = [line[:1]]
    for start, end, step in zip(line[:-1], line[1:], steps, strict=True):
        t = np.linspace(0.0, 1.0, int(np.ceil(step / _STEP_DEG)) + 1 if step > _STEP_DEG else 2)[1:, None]
        pieces.append(start + t * (end - start))
    return np.concatenate(pieces)
