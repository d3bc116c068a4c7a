"""Telephone numbers, postal codes and web addresses on signs, and where they belong.

Telephone numbers by Google's libphonenumber (`phonenumbers`, Apache-2.0): which country a number is valid in, and the town its
area code belongs to. A number without a country code is read by the rules of the countries that the language suggests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.clues.text import language, tables
from engine.clues.text.fold import key, squash, words
from engine.clues.text.gazetteer import Candidate
from engine.clues.text.index import POSTAL_COUNTRIES, gazetteer
from engine.world import countries

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_PHONE = re.compile(r"(?:(?:\+|00)\s?)?\(?\d[\d\s()/.\-–]{5,18}\d")
_DOMAIN = re.compile(r"(?:https?://)?(?:www\.)?((?:[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?\.){1,4})([a-z]{2,12})(?![a-z@])", re.I)
_SHORTEST_LABEL = 3
_ZIP = re.compile(r"\b([A-Z]{2})[ .,]{0,2}(\d{5})(?:-\d{4})?\b")
_UK = re.compile(r"\b([A-Z]{1,2})(\d[A-Z\d]?) ?(\d[ABD-HJLNP-UW-Z]{2})\b")
_CANADA = re.compile(r"\b([ABCEGHJ-NPRSTVXY]\d[A-Z]) ?(\d[A-Z]\d)\b")
_DUTCH = re.compile(r"\b([1-9]\d{3}) ?([A-Z]{2})\b")
_CODE = re.compile(r"(?:\b([A-Z]{1,3})-)?\b(\d{3} \d{2}|\d{2}-\d{3}|\d{4}-\d{3}|\d{4,5})\b")
_GENERIC = frozenset(["com", "org", "net", "info", "biz", "eu", "io", "app", "online", "shop", "site", "co", "tv", "me"])
_OFFICE = (
    "stadt",
    "gemeente",
    "gemeinde",
    "ville",
    "mairie",
    "comune",
    "ajuntament",
    "aj",
    "ayto",
    "kommune",
    "kommun",
    "visit",
    "city",
    "villede",
)
_PREFIX = {
    "D": "DE",
    "F": "FR",
    "A": "AT",
    "B": "BE",
    "CH": "CH",
    "NL": "NL",
    "I": "IT",
    "E": "ES",
    "S": "SE",
    "SE": "SE",
    "DK": "DK",
    "L": "LU",
    "FI": "FI",
    "FIN": "FI",
    "N": "NO",
    "CZ": "CZ",
    "PL": "PL",
    "H": "HU",
    "SK": "SK",
    "LT": "LT",
    "LV": "LV",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A place a contact may belong to; spread and share as in `reading.Spot`."""

    lat_deg: float
    lon_deg: float
    spread_km: float
    share: float


@dataclass(frozen=True, slots=True)
class Contact:
    """A number, code or address, and where it belongs."""

    kind: str
    text: str
    line: int
    note: str
    chance: float
    spots: tuple[Place, ...] = ()
    areas: tuple[str, ...] = ()


def likely_countries(chances: dict[str, float]) -> tuple[str, ...]:
    """Countries by the language of the sign, likeliest first, at most 12."""
    g = gazetteer()
    total = sum((p * language.shares(code) for code, p in chances.items()), np.zeros(len(g.region_codes)))
    best: dict[str, float] = {}
    for code, share in zip(g.region_codes, total, strict=True):
        if share > 0.3:
            best[code[:2]] = max(best.get(code[:2], 0.0), float(share))
    people = {c.code: c.people for c in countries.table()}
    return tuple(sorted(best, key=lambda c: -best[c] * people.get(c, 0) ** 0.5)[:12])


def is_address(line: str) -> bool:
    """Whether a line is a web address or a number rather than language."""
    return bool(_DOMAIN.search(line)) and len(words(line)) <= 5


def find(line: str, number: int, near: tuple[str, ...]) -> Iterator[Contact]:
    """Contacts on a line; `near` are the countries its language suggests."""
    yield from _phones(line, number, near)
    yield from _domains(line, number)
    yield from _postal(line, number, near)


def _phones(line: str, number: int, near: tuple[str, ...]) -> Iterator[Contact]:
    import phonenumbers

    for match in list(_PHONE.finditer(line))[:4]:
        text = match.group().strip()
        digits = re.sub(r"\D", "", text)
        if not 8 <= len(digits) <= 15 and not (len(digits) >= 7 and text.startswith("0")):
            continue
        text_e164 = "+" + digits[2:] if text.startswith("00") and len(digits) > 10 else text
        national = not text_e164.startswith("+")
        if national and not (
            text.startswith(("0", "(0"))
            or re.search(r"(?i)\b(tel|phone|call|tlf|fon|t)\b", line)
            or re.fullmatch(r"\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}", text)
        ):
            continue
        found: list[tuple[str, str]] = []
        for country in near if national else (None,):
            try:
                parsed = phonenumbers.parse(text_e164, country)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(parsed):
                found.append((phonenumbers.region_code_for_number(parsed) or "", _town(parsed)))
        found = [(c, t) for c, t in found if c]
        if found:
            yield from _of_phone(text, number, found, national)


def _town(parsed: PhoneNumber) -> str:
    from phonenumbers import geocoder

    return str(geocoder.description_for_number(parsed, "en"))


def _of_phone(text: str, number: int, found: list[tuple[str, str]], national: bool) -> Iterator[Contact]:
    spots: list[tuple[Candidate, float]] = []
    for country, town in found:
        named = [c for c in gazetteer().find(squash(town.split(",")[0])) if c.country == country] if town else []
        if named:
            spots.append((max(named, key=lambda c: c.weight * (c.people + 1)), 1.0))
    sure = 0.6 if national else 0.9
    if spots and len(spots) == len(found):
        share = 1.0 / len(spots)
        best = spots[0][0]
        note = f"a telephone number of {best.name}, {countries.by_code(best.country).name}" + (
            " or of another country" if len(spots) > 1 else ""
        )
        # Head offices and service numbers sit elsewhere in the country more often than elsewhere in the world.
        yield Contact(
            "phone",
            text,
            number,
            note,
            sure * 0.85,
            tuple(Place(c.lat_deg, c.lon_deg, 6.0 + _reach(c.people), share) for c, _ in spots),
        )
    else:
        areas = tuple(dict.fromkeys(c for c, _ in found))
        yield Contact(
            "phone",
            text,
            number,
            f"a telephone number of {', '.join(countries.by_code(a).name for a in areas[:3])}",
            sure,
            areas=areas,
        )


def _reach(people: int) -> float:
    return float(1.6 * (max(people, 0) / 10_000.0) ** 0.4)


def _domains(line: str, number: int) -> Iterator[Contact]:
    for match in list(_DOMAIN.finditer(line))[:3]:
        labels, top = match.group(1).rstrip(".").lower().split("."), match.group(2).lower()
        labels = [x for x in labels if x != "www"]
        if len(labels[-1] if labels else "") < _SHORTEST_LABEL and "www" not in match.group().lower():
            continue  # "m.st." and "z.B." are abbreviations
        country = countries.by_domain(top)
        areas = tables.domains().get(top) or ((country.code,) if country else ())
        if not areas and top not in _GENERIC:
            continue
        if not areas and "www" not in match.group().lower():
            continue
        spots = _named_in(labels, areas)
        text = match.group()
        if spots:
            best = spots[0][0]
            places = tuple(Place(c.lat_deg, c.lon_deg, 1.5 + _reach(c.people), w) for c, w in spots)
            yield Contact(
                "domain",
                text,
                number,
                f"a web address of {best.name}, {countries.by_code(best.country).name}",
                0.85 if areas else 0.4,
                places,
            )
        if areas and not (spots and len(areas) == 1):
            yield Contact("domain", text, number, f"a web address under .{top}", 0.8, areas=areas)
        elif areas:
            yield Contact("domain", "." + top, number, f"a web address under .{top}", 0.8, areas=areas)


def _named_in(labels: list[str], areas: tuple[str, ...]) -> list[tuple[Candidate, float]]:
    """Places whose name a label is, with or without the word for a town hall."""
    for label in labels[::-1]:
        parts = [p for p in label.split("-") if p]
        forms = ["".join(parts), *(p for p in parts if len(p) >= 5)]
        forms += [f[len(o) :] for f in list(forms) for o in _OFFICE if f.startswith(o) and len(f) - len(o) >= 4]
        forms += [f[: -len(o)] for f in list(forms) for o in _OFFICE if f.endswith(o) and len(f) - len(o) >= 4]
        for form in forms:
            if len(form) < 4 or form in _OFFICE:
                continue
            found = [c for c in gazetteer().find(form) if not areas or c.country in {a[:2] for a in areas}]
            zipf = max(gazetteer().zipf(form).values(), default=0.0)
            if found and (found[0].people >= 100_000 or zipf < 4.0):
                weights = np.array([c.weight * (c.people + 300.0) ** 0.6 for c in found[:6]])
                return list(zip(found[:6], (weights / weights.sum()).tolist(), strict=True))
    return []


def _postal(line: str, number: int, near: tuple[str, ...]) -> Iterator[Contact]:
    def one(text: str, country: str, code: str, chance: float, spread_km: float) -> Iterator[Contact]:
        at = gazetteer().postal(country, squash(code))
        if at:
            note = f"a postal code of {countries.by_code(country).name}"
            yield Contact("postal", text, number, note, chance, (Place(at[0], at[1], spread_km, 1.0),))

    for m in _ZIP.finditer(line):
        if f"US.{m.group(1)}" in gazetteer().region_codes:
            yield from one(m.group(), "US", m.group(2), 0.93, 6.0)
            return
    for m in _UK.finditer(line):
        yield from one(m.group(), "GB", m.group(1), 0.9, 25.0)
        return
    for m in _CANADA.finditer(line):
        yield from one(m.group(), "CA", m.group(1), 0.9, 5.0)
        return
    for m in _DUTCH.finditer(line):
        if "NL" in near[:6]:
            yield from one(m.group(), "NL", m.group(1), 0.85, 4.0)
            return
    yield from _with_town(line, number, near)


def _with_town(line: str, number: int, near: tuple[str, ...]) -> Iterator[Contact]:
    """A code of digits counts where the town named after it has that code, or a country's letter stands before it."""
    for m in _CODE.finditer(line):
        code, letter = squash(m.group(2)), m.group(1)
        after = [w.folded for w in words(line[m.end() :])[:4]]
        towns = {key("".join(after[:n])) for n in range(1, len(after) + 1)}
        agreeing = []
        for country in [_PREFIX[letter]] if letter in _PREFIX else list(POSTAL_COUNTRIES):
            at = gazetteer().postal(country, code)
            if at and (at[2] in towns or (letter in _PREFIX and not after)):
                agreeing.append((country, at))
        if agreeing:
            share = 1.0 / len(agreeing)
            names = " or ".join(countries.by_code(c).name for c, _ in agreeing[:3])
            spots = tuple(Place(at[0], at[1], 5.0, share) for _, at in agreeing)
            yield Contact(
                "postal", line[m.start() : m.end() + 30].strip(), number, f"a postal code and its town: {names}", 0.93, spots
            )
            return
