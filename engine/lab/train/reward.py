"""Rewards for answers about a place, 0 to 1 each: what a language model is trained on, and measured by.

An answer is the JSON of `reasoning.prompt.SCHEMA`, or the short form of the demonstration ({"continent", "country", "rests_on"}).
All rewards take the answers as text, so that what cannot be read earns nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis.rationale import answer
from engine.core import sphere
from engine.core.errors import DataError, SettingError
from engine.world import continents, countries
from engine.world.grid import world_grid

SCALE_KM = 2000.0  # a country this far from the truth earns 37%
_CONTINENT, _COUNTRY = 0.4, 0.6
SHORT, LONG = 20, 400  # characters of reasoning between which length costs nothing


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says: its country and continent (or ""), what it rests on, the length of its reasoning in characters."""

    country: str
    continent: str
    rests_on: tuple[str, ...]
    length: int
    whole: bool


def read(text: str) -> Said | None:
    """An answer, or None where it is no JSON object."""
    try:
        found = answer.parse(text)
    except DataError:
        return None
    if "candidates" in found:
        return _long(found)
    code, continent = str(found.get("country", "")).upper(), str(found.get("continent", ""))
    rests = found.get("rests_on", [])
    rests = [rests] if isinstance(rests, str) else rests if isinstance(rests, list) else []
    whole = set(found) == {"continent", "country", "rests_on"} and known(code)
    return Said(code if known(code) else "", continent, tuple(str(r) for r in rests), SHORT, whole)


def _long(found: dict[str, Any]) -> Said:
    given = found.get("candidates")
    held = [c for c in given if isinstance(c, dict) and known(str(c.get("country", "")))] if isinstance(given, list) else []
    odds = [(_number(c.get("log_odds")), str(c["country"]).upper()) for c in held]
    sentences = [s for s in found.get("sentences") or [] if isinstance(s, dict)]
    rests = [str(n) for s in sentences for n in (s.get("rests_on") or []) if isinstance(n, int)]
    length = sum(len(str(s.get("text", ""))) for s in sentences)
    return Said(max(odds)[1] if odds else "", "", tuple(rests), length, bool(odds) and bool(sentences))


def _number(x: Any) -> float:
    return float(x) if isinstance(x, int | float) and math.isfinite(x) else -math.inf


@lru_cache(maxsize=1024)
def known(code: str) -> bool:
    """Whether a country has this code and any land on the map."""
    try:
        return len(_cells(code.upper())) > 0
    except SettingError:
        return False


@lru_cache(maxsize=512)
def _cells(code: str) -> NDArray[np.float64]:
    """(n, 3) unit vectors of the cells of a country."""
    grid = world_grid()
    return grid.xyz[countries.of(grid) == countries.number_of(code)]


def km_to_country(code: str, lat_deg: float, lon_deg: float) -> float:
    """Kilometres from a place to a country: to the centre of its nearest map cell, 0 inside it.

    Raises:
        SettingError: there is no such country.
    """
    there = countries.at(lat_deg, lon_deg)
    if there is not None and there.code == code:
        return 0.0
    place = sphere.to_xyz(lat_deg, lon_deg)
    return float(sphere.pairwise_km(_cells(code), place[None]).min())


# --- the rewards ------------------------------------------------------------------------------------------------------------


def format_reward(texts: Sequence[str]) -> list[float]:
    """1 for an answer in the form asked for, 0.3 for a JSON object of another form."""
    found = [read(t) for t in texts]
    return [0.0 if s is None else 1.0 if s.whole else 0.3 for s in found]


def distance_reward(texts: Sequence[str], lat_deg: Sequence[float], lon_deg: Sequence[float]) -> list[float]:
    """exp(−km / SCALE_KM) of the likeliest country to the truth: smooth, 1 inside the country, 0 without an answer."""
    out = []
    for text, lat, lon in zip(texts, lat_deg, lon_deg, strict=True):
        said = read(text)
        out.append(math.exp(-km_to_country(said.country, lat, lon) / SCALE_KM) if said and said.country else 0.0)
    return out


def hierarchy_reward(texts: Sequence[str], lat_deg: Sequence[float], lon_deg: Sequence[float]) -> list[float]:
    """0.4 for the right continent, 0.6 more for the right country; a continent that contradicts the country earns nothing."""
    out = []
    for text, lat, lon in zip(texts, lat_deg, lon_deg, strict=True):
        said = read(text)
        if said is None or not said.country:
            out.append(0.0)
            continue
        own = _continent(said.country)
        if said.continent and said.continent != own:
            out.append(0.0)
            continue
        there = countries.at(lat, lon)
        right = there is not None and there.code == said.country
        out.append(_CONTINENT * (own == continents.of(lat, lon) or right) + _COUNTRY * right)
    return out


@lru_cache(maxsize=512)
def _continent(code: str) -> str:
    """The continent that most of a country's cells lie on."""
    lat, lon = sphere.to_lat_lon(_cells(code).mean(axis=0))
    return continents.of_country(code, float(lat), float(lon))


def grounding_reward(texts: Sequence[str], evidence: Sequence[Sequence[str]]) -> list[float]:
    """Share of what an answer rests on that is there to rest on; 0 where it names nothing."""
    out = []
    for text, held in zip(texts, evidence, strict=True):
        said = read(text)
        named = dict.fromkeys(said.rests_on) if said else {}
        out.append(sum(n in set(held) for n in named) / len(named) if named else 0.0)
    return out


def length_reward(texts: Sequence[str]) -> list[float]:
    """1 for reasoning of SHORT to LONG characters, falling to 0 at none and at three times LONG."""
    out = []
    for text in texts:
        said = read(text)
        n = said.length if said else 0
        out.append(min(1.0, n / SHORT) * min(1.0, max(0.0, 1.5 - n / (2 * LONG))))
    return out
