"""How the tables of names and words are kept: arrays by name, texts as bytes, languages by their number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
# Languages of wordfreq written in scripts that the recogniser reads.
LANGUAGES = tuple(
    [
        "ca",
        "cs",
        "da",
        "de",
        "en",
        "es",
        "fi",
        "fil",
        "fr",
        "hu",
        "id",
        "is",
        "it",
        "lt",
        "lv",
        "ms",
        "nb",
        "nl",
        "pl",
        "pt",
        "ro",
        "sh",
        "sk",
        "sl",
        "sv",
        "tr",
        "vi",
        "ar",
        "bg",
        "el",
        "fa",
        "he",
        "hi",
        "ko",
        "mk",
        "ru",
        "sr",
        "uk",
        "ur",
    ]
)


def packed_texts(texts: list[str]) -> NDArray[np.uint8]:
    """Texts without line breaks, as bytes."""
    return np.frombuffer("\n".join(texts).encode(), dtype=np.uint8)


def text_list(array: NDArray[np.uint8]) -> list[str]:
    """The lines of a text kept as bytes."""
    return array.tobytes().decode().split("\n")
