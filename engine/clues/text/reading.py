"""One thing that a text says of its place, and the places it may mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.clues.text.gazetteer import Candidate
from engine.clues.text.index import gazetteer
from engine.core.errors import SettingError
from engine.world import countries

_STATES = ("US", "CA", "AU")  # where GeoNames' first-level regions bear the names people use


@dataclass(frozen=True, slots=True)
class Spot:
    """A place a reading may mean: degrees, how far signs of it are spread in km, and its share of the reading."""

    lat_deg: float
    lon_deg: float
    spread_km: float
    share: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing a text says of its place.

    Attributes:
        kind: "place", "area", "phone", "postal", "domain", "word", "currency" or "language".
        text: the words it was read in.
        line: number of the line, or −1 for the whole text.
        note: in words, for people.
        chance: that it is right and speaks of here.
        spots: places it may mean, shares adding up to 1.
        areas: regions ("ES.56") or countries ("ES") it may mean instead.
        languages: (language, chance) for kind "language".
    """

    kind: str
    text: str
    line: int
    note: str
    chance: float
    spots: tuple[Spot, ...] = ()
    areas: tuple[str, ...] = ()
    languages: tuple[tuple[str, float], ...] = field(default=())


def spread_km(people: int) -> float:
    """How far from its centre signs of a place stand: 1.5 km for a village, 12 km for a city of a million."""
    return float(1.5 + 1.6 * (max(people, 0) / 10_000.0) ** 0.4)


def area_names(areas: Sequence[str]) -> str:
    """Areas in words, shortened."""
    names = []
    for code in areas[:3]:
        country = countries.by_code(code[:2]).name if code[:2] not in ("XK",) else "Kosovo"
        region = gazetteer().region_names[gazetteer().region_codes.index(code)] if "." in code else ""
        names.append(
            f"{region}, {country}" if region and code[:2] in _STATES else f"part of {country}" if "." in code else country
        )
    return " or ".join(dict.fromkeys(names)) + (" or elsewhere" if len(areas) > 3 else "")


def place_name(candidate: Candidate) -> str:
    """ "Augusta, Georgia, USA" or "Altafulla, Spain"."""
    region = gazetteer().region_names[candidate.region] if candidate.country in _STATES else ""
    try:
        country = countries.by_code(candidate.country).name
    except SettingError:
        country = candidate.country
    return ", ".join(dict.fromkeys(x for x in (candidate.name, region, country) if x))
