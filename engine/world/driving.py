"""On which side of the road people drive."""

from __future__ import annotations

from functools import cache

from engine.world import countries
from engine.world.tables import rows


@cache
def left() -> frozenset[str]:
    """Codes of the countries that keep left."""
    return frozenset(row[0] for row in rows("driving"))


def side(code: str) -> str:
    """ "left" or "right" for a country's code.

    Raises:
        SettingError: there is no such country.
    """
    return "left" if countries.by_code(code).code in left() else "right"
