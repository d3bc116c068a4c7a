"""Signs of currencies on prices, and the countries that pay in them."""

from __future__ import annotations

from functools import cache

from engine.world import countries
from engine.world.countries import Country
from engine.world.tables import rows


@cache
def signs() -> dict[str, tuple[str, ...]]:
    """Sign to the ISO 4217 codes that it may stand for, the commonest first."""
    return {sign: tuple(codes.split()) for sign, codes in rows("currency_symbols")}


def countries_of(sign: str) -> tuple[Country, ...]:
    """Countries that pay in a currency with this sign or this ISO code; empty when nobody does."""
    codes = signs().get(sign, (sign.upper(),))
    return tuple(dict.fromkeys(c for code in codes for c in countries.by_currency(code)))
