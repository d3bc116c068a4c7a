"""Names to places."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.clues.text import writing
from engine.clues.text.fold import key, squash
from engine.clues.text.packed import LANGUAGES, Arrays, text_list
from engine.core import sphere
from engine.core.errors import SettingError
from engine.world import countries

# How common a place's name is among all words (zipf) by its people: medians of names in wordfreq's lists.
_ZIPF_PER_DECADE, _ZIPF_AT_ONE = 0.9, -0.7
_OWN_SCRIPT = 0.8
_OWN_NAME_PEOPLE, _OWN_NAME_ZIPF, _OWN_NAME_EXCESS, _OWN_LANGUAGES = 50_000, 3.7, 1.2, 4


def zipf_of_place(people: float) -> float:
    """How common the name of a place of so many people is, log10 of uses in a thousand million words."""
    return _ZIPF_PER_DECADE * math.log10(max(people, 1.0)) + _ZIPF_AT_ONE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that a name may mean.

    Attributes:
        place: its number in the gazetteer.
        weight: how likely it is to be called so, 0 to 1: 1 for its main name.
        capital: of its country.
    """

    place: int
    name: str
    country: str
    region: int
    lat_deg: float
    lon_deg: float
    people: int
    weight: float
    capital: bool = False


class Gazetteer:
    """Places of GeoNames with at least 500 people, found by any of their names."""

    def __init__(self, arrays: Callable[[], Arrays]) -> None:
        self._made = arrays

    @cached_property
    def _arrays(self) -> Arrays:
        return self._made()

    @cached_property
    def _names(self) -> list[str]:
        return text_list(self._arrays["place_name"])

    @cached_property
    def region_codes(self) -> list[str]:
        """Country and first-level region ("ES.56") of each region number."""
        return text_list(self._arrays["region_code"])

    @cached_property
    def region_names(self) -> list[str]:
        """Name of each region, "" where none is known."""
        return text_list(self._arrays["region_name"])

    def listed_in(self, region: int) -> tuple[str, str]:
        """GeoNames' own country and code of a region: of "RU.UA-20", which is Russia's on the map, ("UA", "20")."""
        country, _, code = self.region_codes[region].partition(".")
        listed, _, own = code.partition("-")
        return (listed, own) if own and len(listed) == 2 and listed.isalpha() else (country, code)

    @cached_property
    def region_people(self) -> NDArray[np.float64]:
        """(regions,) people of the places in each region."""
        people = np.maximum(self._arrays["place_people"], 0).astype(np.float64)
        summed = np.bincount(self._arrays["place_region"], weights=people, minlength=len(self.region_codes))
        return np.asarray(summed, dtype=np.float64)

    def largest(self, country: str, region: int | None = None) -> Candidate | None:
        """The place with most people in a country (by code), or in a region of it."""
        own = np.array([code[:2] == country for code in self.region_codes])
        if region is not None:
            own &= np.arange(len(own)) == region
        people = np.where(own[self._arrays["place_region"]], self._arrays["place_people"], -1)
        at = int(people.argmax())
        return self._candidate(at, 1.0) if people[at] >= 0 else None

    @cached_property
    def country_codes(self) -> list[str]:
        """ISO two-letter codes of the countries that have a place."""
        return text_list(self._arrays["country_code"])

    @property
    def places_xyz(self) -> NDArray[np.float64]:
        """(places, 3) unit vectors."""
        return sphere.to_xyz(self._arrays["place_lat"], self._arrays["place_lon"])

    @property
    def place_region(self) -> NDArray[np.uint16]:
        """(places,) region number of each place."""
        return self._arrays["place_region"]

    def find(self, squashed: str) -> tuple[Candidate, ...]:
        """Places called so (`fold.squash`ed), most people first, at most 60."""
        rows = _rows(self._arrays["name_key"], key(squashed))
        found = [self._candidate(int(self._arrays["name_place"][r]), float(self._arrays["name_weight"][r])) for r in rows]
        script = writing.script_of(squashed)
        if script:  # the main name is in Latin letters; in the country's own any name is likely the one used
            found = [replace(c, weight=max(c.weight, _OWN_SCRIPT)) if c.country in writing.home(script) else c for c in found]
        found = [replace(c, weight=1.0) if c.weight < 1.0 and self._is_own_name(squashed, c) else c for c in found]
        return tuple(sorted(found, key=lambda c: -c.people * c.weight)[:60])

    def _is_own_name(self, squashed: str, place: Candidate) -> bool:
        """Whether the people who live there call it so (Firenze, München), though the table lists it under another name.

        The table doesn't say in which language a further name is. But in the languages of its country a place's own name is
        commoner than the foreign one, and about as common as a place of its size is ever mentioned.
        """
        if place.people < _OWN_NAME_PEOPLE:
            return False
        try:
            spoken = [x.split("-")[0].lower() for x in countries.by_code(place.country).languages[:_OWN_LANGUAGES]]
        except SettingError:
            return False
        own, listed = self.zipf(squashed), self.zipf(squash(place.name))
        expected = zipf_of_place(place.people)
        return any(
            max(_OWN_NAME_ZIPF, listed.get(code, 0.0) + 0.3) <= own.get(code, 0.0) <= expected + _OWN_NAME_EXCESS
            for code in ("sh" if x in ("sr", "hr", "bs") else x for x in spoken)
        )

    def known(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """(n,) whether any place has a name with this key."""
        held = self._arrays["name_key"]
        out: NDArray[np.bool_] = held[np.clip(np.searchsorted(held, keys), 0, len(held) - 1)] == keys
        return out

    def areas(self, squashed: str) -> tuple[int, ...]:
        """Regions (numbers from 0) and countries (−1 − number) called so."""
        rows = _rows(self._arrays["area_key"], key(squashed))
        return tuple(int(self._arrays["area_of"][r]) for r in rows)

    def parts(self, squashed: str) -> tuple[str, ...]:
        """Codes of the countries that have a county or another part below the first level called so (Isle of Wight)."""
        rows = _rows(self._arrays["part_key"], key(squashed))
        return tuple(self.country_codes[int(self._arrays["part_of"][r])] for r in rows)

    def postal(self, country: str, code: str) -> tuple[float, float, int] | None:
        """(lat, lon) in degrees and the key of the locality's name of a postal code, or None."""
        rows = _rows(self._arrays["postal_key"], key(country + code))
        if not len(rows):
            return None
        r = rows[0]
        return float(self._arrays["postal_lat"][r]), float(self._arrays["postal_lon"][r]), int(self._arrays["postal_name"][r])

    def zipf(self, squashed: str) -> dict[str, float]:
        """Language → how common the word is there (log10 of uses in a thousand million words); absent when rare."""
        rows = _rows(self._arrays["word_key"], key(squashed))
        return {LANGUAGES[self._arrays["word_language"][r]]: float(self._arrays["word_zipf"][r]) for r in rows}

    def _candidate(self, place: int, weight: float) -> Candidate:
        held = self._arrays
        region = int(held["place_region"][place])
        return Candidate(
            place,
            self._names[place],
            self.region_codes[region][:2],
            region,
            float(held["place_lat"][place]),
            float(held["place_lon"][place]),
            int(held["place_people"][place]),
            weight,
            place in self._capitals,
        )

    @cached_property
    def _capitals(self) -> frozenset[int]:
        return frozenset(self._arrays["capital"].tolist())


def _rows(keys: NDArray[np.uint64], wanted: int) -> range:
    k = np.uint64(wanted)
    return range(int(np.searchsorted(keys, k, side="left")), int(np.searchsorted(keys, k, side="right")))
