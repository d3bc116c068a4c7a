"""A projection scaled to a drawing, and shapes in it as paths of SVG."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from engine.report.figures.projection import Projection, azimuthal, equal_earth
from engine.report.figures.shape import polygons_of

_WORLD_WIDTH = 1000.0
_NEAR_WIDTH = 560.0


@dataclass(frozen=True, slots=True)
class View:
    """A projection scaled to a drawing: pixels per km, and where the projection's origin lies."""

    project: Projection
    scale: float
    x0: float
    y0: float
    width: float
    height: float

    def px(self, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) pixels of places in degrees."""
        x, y = self.project(lat_deg, lon_deg)
        return np.column_stack([self.x0 + x * self.scale, self.y0 - y * self.scale])


def world_view(width: float = _WORLD_WIDTH) -> View:
    """The whole Earth in Equal Earth."""
    right, _ = equal_earth(0.0, 180.0)
    _, top = equal_earth(90.0, 0.0)
    margin = width * 0.004
    scale = (width / 2 - margin) / float(right)
    height = 2 * (float(top) * scale + margin)
    return View(equal_earth, scale, width / 2, height / 2, width, height)


def near_view(lat_deg: float, lon_deg: float, radius_km: float) -> View:
    """A square around a place."""
    half = _NEAR_WIDTH / 2
    return View(azimuthal(lat_deg, lon_deg), half / radius_km, half, half, _NEAR_WIDTH, _NEAR_WIDTH)


def path_of(view: View, shape: BaseGeometry, step_deg: float = 0.0) -> str:
    """Closed path of all rings; long edges are divided, since a straight line on the globe is none on paper."""
    out = []
    for polygon in polygons_of(shape):
        whole = shapely.segmentize(polygon, step_deg) if step_deg else polygon
        for ring in (whole.exterior, *whole.interiors):
            out.append(ring_of(thinned(view.px(*np.array(ring.coords)[:-1, 1::-1].T))))
    return "".join(out)


def lines_of(view: View, shape: BaseGeometry) -> str:
    """Open paths of a line or several."""
    if hasattr(shape, "geoms"):
        return "".join(lines_of(view, g) for g in shape.geoms)
    if shape.is_empty or shape.geom_type != "LineString":
        return ""
    return line_of(thinned(view.px(*np.array(shape.coords)[:, 1::-1].T)))


def thinned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points closer than half a pixel to the one kept before are left out; the last stays."""
    if len(points) < 8:
        return points
    rounded = np.round(points * 1.2)
    keep = np.append(True, (np.diff(rounded, axis=0) != 0).any(axis=1))
    keep[-1] = True
    return points[keep]


def ring_of(points: NDArray[np.float64]) -> str:
    return line_of(points) + "z" if len(points) > 2 else ""


def line_of(points: NDArray[np.float64]) -> str:
    if len(points) < 2:
        return ""
    tenths = np.round(points * 10).astype(np.int64)
    step = np.diff(tenths, axis=0)
    head = f"M{tenths[0, 0] / 10:g} {tenths[0, 1] / 10:g}l"
    return head + " ".join(f"{dx / 10:g} {dy / 10:g}" for dx, dy in step.tolist())


def svg_of(width: float, height: float, title: str, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:.0f}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>{body}</svg>'
    )
