"""Which language signs are in, and where signs are in that language.

Two judges, each weak on the few words of a sign: lingua's letter trigrams, and how common each word is in each language. Their
log-likelihoods are added, each tempered, since letters and words of a text repeat each other's news.

Which language is known where differs on purpose, and `known_where` tells it:

    letters   `models.language.LANGUAGES`, ISO 639-1: what lingua tells apart and the recogniser reads
    words     `packed.LANGUAGES`, wordfreq's codes: what has a list of words; two codes differ from lingua's (`WORD_LISTS`)
    named     `NAMES`, codes as `normal` counts them, for languages that nobody tells on a sign, too (Galician, Korean)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.clues.text import tables, writing
from engine.clues.text.fold import Word
from engine.clues.text.index import gazetteer
from engine.clues.text.packed import LANGUAGES
from engine.core.errors import SettingError
from engine.models import language as lingua
from engine.world import countries

TRIGRAMS, WORDS = 0.5, 0.45  # tempers
_UNKNOWN_ZIPF = 2.3  # how common a word is that the list of a language does not hold
_FLOOR = 0.004  # share of signs in a language nobody lists for a country: shops, tourists, the recogniser's mistakes
_ENGLISH = 0.05  # the same for English
_RANKS = (0.9, 0.15, 0.06, 0.03)  # shares by place in GeoNames' list of a country's languages
_SAME = {"no": "nb", "nn": "nb", "fil": "tl", "bs": "hr", "sh": "hr"}  # distinguished by nobody on a sign in Latin letters

WORD_LISTS = {"tl": "fil", "hr": "sh"}  # lingua's code: wordfreq's, where they differ

NAMES = dict(
    pair.split(":")
    for pair in [
        "af:Afrikaans",
        "ar:Arabic",
        "be:Belarusian",
        "bg:Bulgarian",
        "ca:Catalan",
        "cs:Czech",
        "cy:Welsh",
        "da:Danish",
        "de:German",
        "el:Greek",
        "en:English",
        "es:Spanish",
        "et:Estonian",
        "eu:Basque",
        "fa:Persian",
        "fi:Finnish",
        "fr:French",
        "ga:Irish",
        "gl:Galician",
        "he:Hebrew",
        "hi:Hindi",
        "hr:Serbo-Croatian",
        "hu:Hungarian",
        "id:Indonesian",
        "is:Icelandic",
        "it:Italian",
        "ja:Japanese",
        "kk:Kazakh",
        "ko:Korean",
        "lt:Lithuanian",
        "lv:Latvian",
        "mk:Macedonian",
        "mr:Marathi",
        "ms:Malay",
        "nb:Norwegian",
        "nl:Dutch",
        "pl:Polish",
        "pt:Portuguese",
        "ro:Romanian",
        "ru:Russian",
        "sk:Slovak",
        "sl:Slovene",
        "sq:Albanian",
        "sr:Serbian",
        "sv:Swedish",
        "sw:Swahili",
        "th:Thai",
        "tl:Tagalog",
        "tr:Turkish",
        "uk:Ukrainian",
        "ur:Urdu",
        "vi:Vietnamese",
        "zh:Chinese",
    ]
)


def normal(language: str) -> str:
    """The code under which a language is counted here."""
    code = language.split("-")[0].lower()
    return _SAME.get(code, code)


def known_where() -> dict[str, tuple[bool, bool, bool]]:
    """Language, as counted here: whether its letters are known, its words, and its name."""
    letters = {normal(x) for x in lingua.LANGUAGES}
    words = {normal(x) for x in LANGUAGES}
    return {x: (x in letters, x in words, x in NAMES) for x in sorted(letters | words | set(NAMES))}


def log_chances(texts: Sequence[str], words: Sequence[Word]) -> dict[str, float]:
    """Natural log of each language's chance, all languages alike beforehand."""
    known = [g for w in dict.fromkeys(w.folded for w in words) if len(w) >= 2 and (g := gazetteer().zipf(w))]
    scores = {}
    for code, letters in lingua.log_scores(" ".join(texts)).items():
        scores[code] = TRIGRAMS * letters
    by_words = {}
    for code in scores:
        if (listed := WORD_LISTS.get(code, code)) in LANGUAGES:
            by_words[code] = WORDS * math.log(10.0) * sum(z.get(listed, _UNKNOWN_ZIPF) for z in known)
    # A language without a word list is taken to know the words a little worse than the best of the others does.
    spare = max(by_words.values(), default=0.0) - 2.0 - 0.3 * len(known)
    foreign = writing.foreign_letters(" ".join(texts))
    total = {code: s + by_words.get(code, spare) + foreign.get(code, 0.0) for code, s in scores.items()}
    peak = max(total.values())
    norm = peak + math.log(sum(math.exp(v - peak) for v in total.values()))
    merged: dict[str, float] = {}
    for code, value in total.items():
        merged[normal(code)] = merged.get(normal(code), 0.0) + math.exp(value - norm)
    return {code: math.log(max(p, 1e-12)) for code, p in merged.items()}


@cache
def shares(language: str) -> NDArray[np.float64]:
    """(regions,) share of public signs in this language, by region of the gazetteer."""
    codes = gazetteer().region_codes
    by_country = {c: _listed(language, c) for c in {code[:2] for code in codes}}
    held = {area: share for code, area, share in tables.language_shares() if normal(code) == language}
    return np.array([held.get(code, held.get(code[:2], by_country[code[:2]])) for code in codes])


def _listed(language: str, country: str) -> float:
    floor = _ENGLISH if language == "en" else _FLOOR
    try:
        spoken = ["hr" if x == "sr" else x for x in map(normal, countries.by_code(country).languages)]
    except SettingError:  # GeoNames lists places in areas that are no country of the table
        return floor
    rank = spoken.index(language) if language in spoken else len(_RANKS)
    return max(_RANKS[rank] if rank < len(_RANKS) else floor, floor)
