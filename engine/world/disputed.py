"""Areas whose country is disputed, by Natural Earth: assets/world/disputed.csv.

The map follows Natural Earth's default, which shows who administers a place; where Natural Earth itself says that this is
disputed, words say so too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import shapely

from engine.world.tables import rows


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """A disputed area.

    Attributes:
        name: as it stands in a sentence.
        drawn: codes of the countries it is drawn in.
        claimed: codes of the countries that claim it.
        outline: what of it lies in these countries is the area; None for all of them.
    """

    name: str
    drawn: tuple[str, ...]
    claimed: tuple[str, ...]
    outline: shapely.Polygon | None


@cache
def areas() -> tuple[Area, ...]:
    """All disputed areas, in the table's order."""
    return tuple(
        Area(name, tuple(drawn.split()), tuple(claimed.split()), _polygon(outline))
        for name, drawn, claimed, outline in rows("disputed")
    )


def _polygon(text: str) -> shapely.Polygon | None:
    numbers = [float(x) for x in text.split()]
    return shapely.Polygon(list(zip(numbers[::2], numbers[1::2], strict=True))) if numbers else None


def at(lat_deg: float, lon_deg: float, country: str) -> Area | None:
    """The disputed area that a place lies in, or None.

    Args:
        lat_deg, lon_deg: the place.
        country: code of the country that the map gives it to (`countries.at`).
    """
    lon = (lon_deg + 180.0) % 360.0 - 180.0
    for area in areas():
        if country in area.drawn and (area.outline is None or area.outline.covers(shapely.Point(lon, lat_deg))):
            return area
    return None
