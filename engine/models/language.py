"""Which language a text is in: lingua's trigram models (Stahl, Apache-2.0), limited to languages the recogniser can read.

The full models take 800 MB and ten seconds to load, the trigram models 55 MB and a third of a second; on words of a sign both
need the help of a word list (`clues.text.language`).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from engine.models import cards

MODEL_ID = cards.LINGUA.id
LANGUAGES = tuple(
    [
        "af",
        "ca",
        "cs",
        "cy",
        "da",
        "de",
        "en",
        "es",
        "et",
        "eu",
        "fi",
        "fr",
        "ga",
        "hr",
        "hu",
        "id",
        "is",
        "it",
        "ja",
        "lt",
        "lv",
        "ms",
        "nb",
        "nl",
        "pl",
        "pt",
        "ro",
        "sk",
        "sl",
        "sq",
        "sv",
        "sw",
        "tl",
        "tr",
        "vi",
        "zh",
        "el",
        "ar",
        "be",
        "bg",
        "fa",
        "he",
        "hi",
        "kk",
        "ko",
        "mk",
        "mr",
        "ru",
        "sr",
        "th",
        "uk",
        "ur",
    ]
)


def log_scores(text: str) -> dict[str, float]:
    """Natural log of lingua's confidence for each language of LANGUAGES; all alike when the text holds no letters."""
    found = {
        v.language.iso_code_639_1.name.lower(): v.value for v in _detector().compute_language_confidence_values(text.lower())
    }
    if sum(found.values()) <= 0.0:
        return {language: -math.log(len(LANGUAGES)) for language in LANGUAGES}
    return {language: math.log(max(found.get(language, 0.0), 1e-12)) for language in LANGUAGES}


@cache
def _detector() -> Any:
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [getattr(IsoCode639_1, language.upper()) for language in LANGUAGES]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_low_accuracy_mode().build()
