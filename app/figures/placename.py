"""How a place is named in a line: itself where it is pinned down, else the region."""

from __future__ import annotations

from engine import Located
from engine.case import ArchiveSpot
from engine.report.view import words


def spot_place(spot: ArchiveSpot) -> str:
    """The place where it is pinned down, the region where it is not, as on the page Examine."""
    if spot.region and spot.area_km2 > PINNED_KM2:
        return spot.region
    return spot.name or words.place(spot.lat_deg, spot.lon_deg)


PINNED_KM2 = 60_000.0  # a 90% region wider than this (about Ireland's size) is named as a region, not as a town


def place_or_region(x: Located) -> str:
    """The place where it is pinned down, the region where it is not."""
    if x.region and x.regions_km2.get(0.9, 0.0) > PINNED_KM2:
        return x.region
    return (x.place.name or words.place(x.place.lat_deg, x.place.lon_deg)) if x.place else ""
