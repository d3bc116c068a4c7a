"""Which script a text is in, where signs are written in it, and which of its languages the letters rule out."""

from __future__ import annotations

import csv
from functools import cache

import regex

from engine.core.paths import ASSETS
from engine.world import countries

# Name in Unicode -> codes of ISO 15924, as assets/world/scripts.csv has them.
_CODES = {
    "Cyrillic": ("Cyrl",),
    "Greek": ("Grek",),
    "Arabic": ("Arab",),
    "Hebrew": ("Hebr",),
    "Thai": ("Thai",),
    "Devanagari": ("Deva",),
    "Hangul": ("Kore",),
}
UNCASED = regex.compile(r"[\p{Arabic}\p{Hebrew}\p{Thai}\p{Devanagari}\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}]")
VOWELLESS = regex.compile(r"[\p{Arabic}\p{Hebrew}]")
_OWN = {name: regex.compile(rf"\p{{{name}}}") for name in _CODES}
_LETTER = regex.compile(r"\p{L}")

# Letters that a language's alphabet has (its own), or has not although others of the script do.
_CYRILLIC_OF = {
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "be": "абвгдеёжзійклмнопрстуўфхцчшыьэюя",
    "bg": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "sr": "абвгдђежзијклљмнњопрстћуфхцчџш",
    "mk": "абвгдѓежзѕијклљмнњопрстќуфхцчџш",
}
_ARABIC_NOT = {"ar": "پچژگیکےہٹڈڑںھ", "fa": "ةىيكےہٹڈڑںھ", "ur": "ةىك"}
_EACH_FOREIGN = 2.0  # nats a letter costs a language that does not have it; recognisers err
_MOST_FOREIGN = 4


@cache
def script_of(text: str) -> str:
    """The script, of those in this file, that more than half of the letters are of; "" for another."""
    letters = len(_LETTER.findall(text))
    counts = {name: len(own.findall(text)) for name, own in _OWN.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if 2 * counts[best] > letters else ""


@cache
def home(script: str) -> frozenset[str]:
    """Codes of the countries in one of whose languages signs are written in a script (GeoNames' languages, CLDR's scripts)."""
    with (ASSETS / "world" / "scripts.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        spoken = {r["language"] for r in rows if set(_CODES[script]) & set(r["scripts"].split())}
    return frozenset(c.code for c in countries.table() if spoken & {x.split("-")[0].lower() for x in c.languages})


def foreign_letters(text: str) -> dict[str, float]:
    """Language → what its alphabet says of a text in log units, at most 0, for the languages of Cyrillic and Arabic letters."""
    lower = regex.sub(r"[\W\d_\p{M}]", "", text.lower())
    script = script_of(text)
    if script == "Cyrillic":
        counts = {code: sum(c not in held for c in lower) for code, held in _CYRILLIC_OF.items()}
    elif script == "Arabic":
        counts = {code: sum(c in lacking for c in lower) for code, lacking in _ARABIC_NOT.items()}
    else:
        return {}
    return {code: -_EACH_FOREIGN * min(n, _MOST_FOREIGN) for code, n in counts.items()}
