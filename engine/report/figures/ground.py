"""Land, coasts and borders as shapely geometries, from the one set of outlines that all maps use."""

from __future__ import annotations

from functools import lru_cache

import shapely
from shapely.geometry import LineString, Polygon

from engine.world import land as world


@lru_cache(maxsize=3)
def land(detail: str) -> tuple[Polygon, ...]:
    """Land polygons in degrees (lon, lat), cut at the antimeridian; a ring that touches itself is mended."""
    made = [Polygon(rings[0], rings[1:]) for rings in world.polygons(detail) if len(rings[0]) > 3]
    return tuple(p if p.is_valid else shapely.make_valid(p) for p in made)


@lru_cache(maxsize=3)
def coasts(detail: str) -> tuple[LineString, ...]:
    """Coast lines in degrees, without seams at the antimeridian."""
    return tuple(LineString(line) for line in world.coasts(detail))


@lru_cache(maxsize=3)
def borders(detail: str) -> tuple[LineString, ...]:
    """Borders between countries in degrees."""
    return tuple(LineString(line) for line in world.borders(detail))
