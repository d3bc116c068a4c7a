"""Writing made comparable: no case, no accents, no spaces, and a number for it.

Text recognition drops accents and spaces and signs are set in capitals, so names are compared without any of them. A name is
kept as a 64-bit hash: a million names then take 12 MB, and two different names share one once in 20 million million pairs.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

import regex

# Letters that do not decompose, as the languages themselves write them without the key on the keyboard.
_PLAIN = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "ŀ": "l", "ĳ": "ij"}
)
# Arabic letters that are one letter to a reader, written by another code in Arabic, Persian and Urdu.
_ARABIC = str.maketrans(
    {**dict.fromkeys("یىېۍےۓئ", "ي"), **dict.fromkeys("کڪ", "ك"), **dict.fromkeys("ہةۀەھۂۃ", "ه"), "ٱ": "ا", "ـ": None}
)
# Vowel signs of India and South East Asia are letters to a reader; tones, dots and joining signs are what recognisers lose.
_NOT_WORD = regex.compile(r"[^\p{L}\p{N}\u0900-\u0903\u093a-\u094c\u0980-\u0fff\u1000-\u109f\u1780-\u17ff]+")
_NOT_ASCII_WORD = re.compile(r"[^a-z0-9]+")
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}'’·]*|\p{N}+")
_CAMEL = regex.compile(r"(?<=\p{Ll}{2})(?=\p{Lu})")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line: as written, folded, and where it stands in the line."""

    text: str
    folded: str
    start: int
    end: int

    @property
    def capital(self) -> bool:
        return self.text[:1].isupper()


def fold(text: str) -> str:
    """Lower case without accents; words separated by single spaces."""
    if text.isascii():  # the same, four times as fast: a million names are folded when the tables are made
        return _NOT_ASCII_WORD.sub(" ", text.lower()).strip()
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).translate(_PLAIN).translate(_ARABIC)
    return str(_NOT_WORD.sub(" ", plain).strip())


def squash(text: str) -> str:
    """`fold` without spaces: what names are compared by."""
    return fold(text).replace(" ", "")


def key(squashed: str) -> int:
    """64-bit number of a squashed name."""
    return int.from_bytes(hashlib.blake2b(squashed.encode(), digest_size=8).digest(), "little")


def words(line: str) -> tuple[Word, ...]:
    """Words of a line; an elided article (d'Altafulla) and a change of case (ambTarragona) part words, as do hyphens."""
    found = []
    for match in _WORD.finditer(line):
        start = match.start()
        text = match.group().rstrip("'’·")
        pieces = _CAMEL.sub("\0", regex.sub(r"(?<=^\p{L}{1,2})['’]", "\0", text))
        for piece in pieces.split("\0"):
            at = line.find(piece, start)
            if piece:
                found.append(Word(piece, squash(piece), at, at + len(piece)))
                start = at + len(piece)
    return tuple(w for w in found if w.folded)
