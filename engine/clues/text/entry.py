"""A place as the analyst types it: a coordinate, or a name of the gazetteer, with region or country behind commas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cache

from engine.clues.text.fold import fold, squash
from engine.clues.text.gazetteer import Candidate, Gazetteer
from engine.clues.text.index import gazetteer
from engine.core import coordinate, sphere
from engine.core.claim import CLAIM_RADIUS_KM, Claim
from engine.core.errors import SettingError
from engine.world import continents, countries, disputed
from engine.world.tables import rows

MOST_CANDIDATES = 12
_SAME_KM = 15.0  # a town and its municipality, listed twice
_LONGEST = 120
_FURTHER = 0.5  # weight of a name that is not the one the place is listed by, at most
_LEAST_SHARE = 0.02  # of the likeliest: alternate names of much smaller places are left out
# A city of so many people, so many times larger than the next place of its name, is meant when nothing is added to it.
_CITY_PEOPLE, _CITY_TIMES = 300_000, 10.0
# A country or region this small is a place itself, within the usual radius of a claim (Singapore, Luxembourg).
_PLACE_KM2 = 5_000.0
_OWN_CITY_PEOPLE = 50_000  # a region whose own town of its name is at least this large lends it its name (New York, Zürich)
_CITY_OF_REGION = 0.2  # or a town elsewhere with this share of the region's people


def find_places(text: str, when: date | None = None, radius_km: float = CLAIM_RADIUS_KM) -> tuple[Claim, ...]:
    """The places that a text may mean, most people first; one when it is a coordinate, or a city far larger than its namesakes.

    A country or a region is no place: a claim is tested as a Gaussian around a point, calibrated on points, and the middle of a
    country says nothing of it. It is refused with a sentence that asks for a town, and so are villages that bear its name unless
    their country is added.

    Args:
        text: "33.47, -81.97", "33°28'N 81°58'W", "+33.47-081.97/", "Augusta", "Augusta, Georgia", "Augusta GA", "London, ON".
        when, radius_km: passed on to each claim.

    Raises:
        SettingError: it is empty, no coordinate on Earth, a whole country or region, or no name of a place of at least 500
            people.
        DataError: the packages that the gazetteer is made from are missing.
    """
    every, likeliest = _found(text, when, radius_km)
    return every[:1] if likeliest else every


def one_place(
    text: str, when: date | None = None, radius_km: float = CLAIM_RADIUS_KM, say: Callable[[str], None] | None = None
) -> Claim:
    """The one place that a text means.

    Args:
        say: is given a sentence when one of several places of the name was taken.

    Raises:
        SettingError: there is none, or there are several; the text then lists them with what to write for each.
    """
    every, likeliest = _found(text, when, radius_km)
    if len(every) == 1:
        return every[0]
    if likeliest:
        if say:
            other = every[1].name
            say(f"{text!r} is taken as {every[0].name}, by far the largest place of that name; for another write e.g. {other!r}.")
        return every[0]
    names = [c.name for c in every]
    listed = "; ".join(
        f"({n}) {c.name} ({c.lat_deg:.2f}, {c.lon_deg:.2f})" if c.name else f"({n}) {c.lat_deg:.4f}, {c.lon_deg:.4f}"
        for n, c in enumerate(every, 1)
    )
    how = f'Add the region or country after a comma, as in "{names[0]}", or give the numbers' if names[0] else "Give the numbers"
    raise SettingError(f"{text!r} may be any of these: {listed}. {how}.")


def _found(text: str, when: date | None, radius_km: float) -> tuple[tuple[Claim, ...], bool]:
    """The places, and whether the first of several is meant as long as nothing is added."""
    text = " ".join(text.split())
    if not text:
        raise SettingError("No place was given; write a town, such as Augusta, Georgia, or a latitude and a longitude.")
    if len(text) > _LONGEST:
        raise SettingError("That is too long for a place; write a town and its country, or a latitude and a longitude.")
    at = coordinate.readings(text)
    if at:
        return tuple(Claim(*x, when=when, radius_km=radius_km) for x in at), False
    if coordinate.looks_like_one(text) and not any(c.isalpha() for c in text):
        raise SettingError(f"{text!r} is no coordinate on Earth; write latitude, longitude in degrees, such as 33.47, -81.97.")
    table = gazetteer()
    for name, qualifiers in _readings(text):
        named = [c for c in _named(table, name) if all(_lies_in(table, c, q) for q in qualifiers)]
        found = _or_refused(table, text, name, qualifiers, named)
        if found:
            claims = tuple(
                Claim(round(c.lat_deg, 4), round(c.lon_deg, 4), when, label(table, c), radius_km) for c in found[:MOST_CANDIDATES]
            )
            return claims, len(found) > 1 and _far_larger(found)
    raise SettingError(f"No place of at least 500 people is called {text!r}; check it, or give a latitude and a longitude.")


def _far_larger(found: Sequence[Candidate]) -> bool:
    first, second = (c.people * c.weight**2 for c in found[:2])
    return found[0].people >= _CITY_PEOPLE and first >= _CITY_TIMES * second


def _or_refused(
    table: Gazetteer, text: str, name: str, qualifiers: Sequence[str], found: Sequence[Candidate]
) -> Sequence[Candidate]:
    """The places found, unless the name is first of all that of a country or a region.

    Raises:
        SettingError: it is.
    """
    if not qualifiers and squash(name) in _parts_of_the_world():
        raise SettingError(f"{text!r} is a whole part of the world; name a town in it, or give a latitude and a longitude.")
    if not qualifiers and squash(name).removeprefix("the") in _disputed_areas() and not _countries(table, name):
        raise SettingError(f"{text!r} is a whole region; name a town in it, or give a latitude and a longitude.")
    if not qualifiers:
        _refuse_part(table, text, name, found)
    known_city = any(c.weight >= 1.0 and c.people >= _OWN_CITY_PEOPLE for c in found)
    codes = _countries(table, name, translated=not known_city) if not qualifiers else ()
    for code in codes:
        own = [c for c in found if c.country == code]
        if own and countries.by_code(code).area_km2 <= _PLACE_KM2:
            return own
    regions = [r for r in _regions(table, name, qualifiers) if codes or not _is_a_city(table, r, found)]
    if codes or regions:
        raise SettingError(_refusal(table, text, name, codes, regions, found))
    return found


def _refuse_part(table: Gazetteer, text: str, name: str, found: Sequence[Candidate]) -> None:
    """Nothing, unless the name is that of a county or island of a country that has no town called so, and no city's elsewhere.

    Raises:
        SettingError: it is.
    """
    if _countries(table, name) or _regions(table, name, ()) or any(c.people >= _CITY_PEOPLE for c in found):
        return
    codes = [code for code in table.parts(squash(name)) if all(c.country != code for c in found)]
    if not codes:
        return
    where = " or ".join(countries.by_code(code).in_text for code in dict.fromkeys(codes))
    said = f"{text!r} is a whole county or island in {where}; name a town in it, or give a latitude and a longitude"
    others = "; ".join(f'({n}) "{_written(table, c)}"' for n, c in enumerate([c for c in found if c.weight >= 1.0][:3], 1))
    raise SettingError(f"{said}; if a place of that name is meant, write {others}." if others else f"{said}.")


def _is_a_city(table: Gazetteer, region: int, found: Sequence[Candidate]) -> bool:
    """Whether a region's name means rather a city: its own, or one that has a good part of as many people."""
    own = any(c.region == region and c.people >= _OWN_CITY_PEOPLE for c in found)
    # A capital that its surroundings are called after has more people than they, and lies in a region of its own (Moscow).
    own = own or any(c.country == table.region_codes[region][:2] and c.people >= table.region_people[region] for c in found)
    return own or any(c.weight >= 1.0 and c.people >= _CITY_OF_REGION * table.region_people[region] for c in found)


def _refusal(
    table: Gazetteer, text: str, name: str, codes: Sequence[str], regions: Sequence[int], found: Sequence[Candidate]
) -> str:
    """Why a country or region is no claim, with a town of it, and how to say which place of that name is meant."""
    called = [countries.by_code(code).in_text for code in codes]
    for r in regions:
        if table.region_codes[r][:2] not in codes:
            called.append(f"{table.region_names[r] or name} in {countries.by_code(table.region_codes[r][:2]).in_text}")
    town = table.largest(codes[0]) if codes else table.largest(table.region_codes[regions[0]][:2], regions[0])
    such = f", such as {_written(table, town)}" if town else ""
    what = " or ".join(called[:4])
    said = f"{text!r} is a whole region or country ({what}); name a town in it{such}, or give a latitude and a longitude"
    own = [c for c in found if c.weight >= 1.0 or c.country in codes][:3]
    if own:
        others = "; ".join(f'({n}) "{_written(table, c)}"' for n, c in enumerate(own, 1))
        said += f"; if a place of that name is meant, write {others}"
    return said + "."


def _written(table: Gazetteer, c: Candidate) -> str:
    """A place as it can be typed: a city that is its own country is named twice."""
    called = label(table, c).removesuffix(" (disputed)")
    return called if "," in called else f"{called}, {countries.by_code(c.country).name}"


@cache
def _disputed_areas() -> frozenset[str]:
    return frozenset(squash(area.name).removeprefix("the") for area in disputed.areas() if area.outline is not None)


@cache
def _parts_of_the_world() -> frozenset[str]:
    names = {*continents.CONTINENTS, "America", "Americas", "Middle East", "Far East"}
    names |= {region for _, region in rows("regions")} | {name for (name,) in rows("landscapes")}
    own = {squash(c.name) for c in countries.table()} | set(_short_names())
    return frozenset(squash(n) for n in names) - own


@cache
def _short_names() -> dict[str, tuple[str, ...]]:
    return {squash(name): tuple(codes.split()) for name, codes in rows("country_names")}


@cache
def _abbreviations() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for short, division in rows("abbreviations"):
        found.setdefault(squash(short), []).append(division)
    return {short: tuple(divisions) for short, divisions in found.items()}


def _countries(table: Gazetteer, name: str, translated: bool = True) -> tuple[str, ...]:
    """Codes of the countries called so: by short name, name, ISO code in capitals, or (translated) name in another language."""
    squashed = squash(name)
    if squashed in _short_names():
        return _short_names()[squashed]
    letters = name.replace(".", "").strip()
    own = [c.code for c in countries.table() if squash(c.name) == squashed or (letters.isupper() and letters in (c.code, c.iso3))]
    if own or not translated:
        return tuple(own)
    return tuple(table.country_codes[-1 - a] for a in table.areas(squashed) if a < 0)[:1]


def _regions(table: Gazetteer, name: str, qualifiers: Sequence[str]) -> tuple[int, ...]:
    """First-level regions called so that lie in all of the countries named behind."""
    found = [a for a in table.areas(squash(name)) if a >= 0]
    letters = name.replace(".", "").strip()
    if letters.isupper() and f"US.{letters}" in table.region_codes:
        found.append(table.region_codes.index(f"US.{letters}"))
    if letters.isupper() or len(squash(name)) > 3:
        found += [table.region_codes.index(d) for d in _abbreviations().get(squash(name), ()) if d in table.region_codes]
    known = [set(_countries(table, q)) for q in qualifiers]
    return tuple(dict.fromkeys(a for a in found if all({table.region_codes[a][:2], table.listed_in(a)[0]} & k for k in known)))


def label(table: Gazetteer, c: Candidate) -> str:
    """Name, region and country: "Augusta, Georgia, USA"; "Sevastopol, Crimea, Russia (disputed)"."""
    area = disputed.at(c.lat_deg, c.lon_deg, c.country)
    named = area.name.removeprefix("the ") if area else ""
    parts = (c.name, table.region_names[c.region] or named, countries.by_code(c.country).name)
    return ", ".join(dict.fromkeys(x for x in parts if x)) + (" (disputed)" if area else "")


def _readings(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, qualifiers): what stands behind commas qualifies; without commas the last words may; then St. for Saint."""
    parts = [p.strip() for p in text.replace("，", ",").replace("、", ",").split(",") if fold(p)]
    found = [(parts[0], tuple(parts[1:]))] if parts else []
    words = text.split()
    if len(parts) == 1:
        found += [(" ".join(words[:at]), (" ".join(words[at:]),)) for at in range(len(words) - 1, 0, -1)]
    yield from found
    for name, qualifiers in found:
        first, _, rest = name.partition(" ")
        if rest and (other := {"saint": "St", "st": "Saint", "sainte": "Ste", "ste": "Sainte"}.get(squash(first))):
            yield f"{other} {rest}", qualifiers


def _named(table: Gazetteer, name: str) -> list[Candidate]:
    """Places of this name, each once. An alternate name counts where it means a larger place than any that has it as its own."""
    # A name that the people there use, too, is still a further one beside a place's own: Victoria is not Hong Kong's.
    squashed = squash(name)
    every = [c if squash(c.name) == squashed else replace(c, weight=min(c.weight, _FURTHER)) for c in table.find(squashed)]
    every.sort(key=lambda c: -c.people * c.weight)
    own = max((c.people for c in every if c.weight >= 1.0), default=0)
    least = own or _LEAST_SHARE * max((c.people * c.weight for c in every), default=0.0)
    kept: list[Candidate] = []
    for c in every:
        if c.weight < 1.0 and c.people * c.weight <= least:
            continue
        if all(c.country != k.country or sphere.distance_km(c.lat_deg, c.lon_deg, k.lat_deg, k.lon_deg) > _SAME_KM for k in kept):
            kept.append(c)
    return kept


def _lies_in(table: Gazetteer, c: Candidate, qualifier: str) -> bool:
    """Whether a candidate lies in the region or country of this name, or of these letters.

    Where the country is disputed, both GeoNames' and the map's are right.
    """
    squashed = squash(qualifier)
    listed, region = table.listed_in(c.region)
    codes = _countries(table, qualifier) or _countries(table, qualifier.upper() if len(squashed) <= 3 else qualifier)
    if {c.country, listed} & set(codes) or squashed.upper() == region:
        return True
    if f"{listed}.{region}" in _abbreviations().get(squashed, ()):
        return True
    area = disputed.at(c.lat_deg, c.lon_deg, c.country)
    if area is not None and squash(area.name.removeprefix("the ")) == squashed.removeprefix("the"):
        return True
    return any(a == c.region if a >= 0 else table.country_codes[-1 - a] in (c.country, listed) for a in table.areas(squashed))
