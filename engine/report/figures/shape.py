"""Cells and regions as polygons in longitude and latitude, cut at the antimeridian and closed over the poles.

RFC 7946, section 3.1.9: a shape that crosses the antimeridian is cut in two; section 3.1.6: outer rings run counter-clockwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import h3.api.numpy_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from engine.core import sphere

_WORLD = box(-180.0, -90.0, 180.0, 90.0)
_STEEP_LAT_DEG = 80.0
_SEAM_DEG = 1e-6  # corners of neighbouring cells differ in the last digits
_HOLE_CELLS = 1.0  # holes smaller than this many of the finest cells are seams between sizes, not holes


@lru_cache(maxsize=40_000)
def cell_polygon(cell: int) -> Polygon | MultiPolygon:
    """The outline of an H3 cell in degrees (lon, lat); a cell that holds a pole reaches up to ±90."""
    lat, lon = np.array(h3.cell_to_boundary(np.uint64(cell)), dtype=np.float64).T
    if np.abs(lat).max() > _STEEP_LAT_DEG:
        # Edges are great circles; near a pole one spans so many meridians that a straight line in degrees is another line.
        edges = [sphere.great_circle(lat[i - 1], lon[i - 1], lat[i], lon[i], 16) for i in range(len(lat))]
        lat, lon = (np.concatenate([e[k][:-1] for e in edges]) for k in (0, 1))
    elif np.ptp(lon) < 180.0:
        return Polygon(np.column_stack([lon, lat]))  # H3 gives corners counter-clockwise
    return cut(lon, lat)


def cut(lon_deg: NDArray[np.float64], lat_deg: NDArray[np.float64]) -> Polygon | MultiPolygon:
    """The polygon of a ring whose longitudes may jump at ±180, each (n,), within ±180 degrees.

    Steps between neighbouring corners are taken the short way round. A ring that goes once around the globe holds the pole
    of its own hemisphere.
    """
    step = (np.diff(np.append(lon_deg, lon_deg[0])) + 180.0) % 360.0 - 180.0
    lon = lon_deg[0] + np.concatenate([[0.0], np.cumsum(step[:-1])])
    turn = float(step.sum())
    if abs(turn) > 180.0:
        pole = 90.0 if lat_deg.mean() > 0 else -90.0
        lon = np.concatenate([lon, [lon[0] + turn, lon[0] + turn, lon[0]]])
        lat = np.concatenate([lat_deg, [lat_deg[0], pole, pole]])
    else:
        lat = lat_deg
    ring = Polygon(np.column_stack([lon, lat]))
    if lon.min() >= -180.0 and lon.max() <= 180.0:
        return _right_handed(ring)
    parts = [
        shapely.intersection(shapely.transform(ring, lambda xy, by=by: xy + np.array([by, 0.0])), _WORLD)
        for by in (-360.0, 0.0, 360.0)
    ]
    return _right_handed(shapely.union_all(parts))


def region_shape(cells: Iterable[int] | NDArray[np.uint64]) -> MultiPolygon:
    """The union of cells of one or several resolutions, right-handed; seams between resolutions are closed."""
    cells = np.asarray(list(cells), dtype=np.uint64)
    if len(cells) == 0:
        return MultiPolygon()
    polygons = np.array([cell_polygon(int(c)) for c in cells], dtype=object)
    snapped = shapely.set_precision(polygons, _SEAM_DEG)
    resolution = (cells >> np.uint64(52)) & np.uint64(0xF)
    # Cells of one size fit edge to edge, which makes their union quick; the few sizes are then joined in earnest.
    parts = [shapely.coverage_union_all(shapely.get_parts(snapped[resolution == r])) for r in np.unique(resolution)]
    merged = parts[0] if len(parts) == 1 else shapely.union_all(parts, grid_size=_SEAM_DEG)
    least = _HOLE_CELLS * min(p.area for p in polygons)
    kept = [Polygon(p.exterior, [r for r in p.interiors if Polygon(r).area > least]) for p in polygons_of(merged)]
    shape = _right_handed(MultiPolygon(kept))
    return shape if isinstance(shape, MultiPolygon) else MultiPolygon([shape])


def polygons_of(shape: BaseGeometry) -> list[Polygon]:
    """The polygons a geometry is made of; points and lines, which cuts may leave behind, are dropped."""
    if isinstance(shape, Polygon):
        return [] if shape.is_empty else [shape]
    return [p for part in getattr(shape, "geoms", ()) for p in polygons_of(part)]


def _right_handed(shape: BaseGeometry) -> Polygon | MultiPolygon:
    parts = [shapely.geometry.polygon.orient(p, 1.0) for p in polygons_of(shape)]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)
