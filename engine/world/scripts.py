"""Scripts: which languages use one, and in which countries it is therefore to be seen."""

from __future__ import annotations

from functools import cache

from engine.world import countries
from engine.world.countries import Country
from engine.world.tables import rows

LATIN = "Latn"


@cache
def _by_language() -> dict[str, tuple[str, ...]]:
    return {language: tuple(scripts.split()) for language, scripts in rows("scripts")}


def of_language(language: str) -> tuple[str, ...]:
    """ISO 15924 scripts of a language ("sr" or "zh-TW"), the commonest first; Latin when nothing else is known."""
    held = _by_language()
    return held.get(language) or held.get(language.split("-")[0]) or (LATIN,)


@cache
def of_country(code: str) -> tuple[str, ...]:
    """Scripts of the languages listed for a country, in the order of the languages.

    Raises:
        SettingError: there is no such country.
    """
    found = [s for language in countries.by_code(code).languages for s in of_language(language)]
    return tuple(dict.fromkeys(found))


def countries_of(script: str, first_only: bool = True) -> tuple[Country, ...]:
    """Countries where a script is that of the first language listed (or of any language listed), most people first."""
    held = []
    for country in countries.table():
        used = of_language(country.languages[0]) if first_only and country.languages else of_country(country.code)
        if country.languages and script in used:
            held.append(country)
    return tuple(sorted(held, key=lambda c: -c.people))
