"""How a place is named in a line: as its finding has it."""

from __future__ import annotations

from engine import Located
from engine.case import ArchiveSpot
from engine.report.view import words


def spot_place(spot: ArchiveSpot) -> str:
    """Where a finding of the archive points, as the page Examine says it; one of an older version has its place alone."""
    return spot.where or spot.name or words.place(spot.lat_deg, spot.lon_deg)


def place_or_region(x: Located) -> str:
    """Where a modality points: a place, or a region where it points to no place."""
    return x.where or (words.place(x.place.lat_deg, x.place.lon_deg) if x.place else "")
