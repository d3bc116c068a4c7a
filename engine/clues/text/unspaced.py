"""Text without spaces (Chinese, Japanese, Korean signs), parted at the longest names of places.

東京都新宿区役所 is 東京都 · 新宿区 · 役所: from the left, the longest name known is taken. Any two characters may spell some
village's name, so a name counts only where the writing makes it one: with the character of a municipality behind it (都 市 区 …),
with a title behind it (役所, 駅; assets/cues/titles.csv), behind another name, or at the beginning where it is a large city's.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import regex

from engine.clues.text import tables
from engine.clues.text.fold import Word, key, squash
from engine.clues.text.index import gazetteer

LONGEST = 8  # characters of a name
LARGE_PEOPLE = 200_000
_RUN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}ー々ヶ]{3,}")
_UNIT = frozenset("都道府県市区町村郡省县縣區乡鄉镇鎮州旗島岛시군구읍면동도")


def parted(word: Word) -> tuple[Word, ...]:
    """A word of a script without spaces in its names, titles and what is left; itself where it holds no name.

    A piece that is called so only without the character of a municipality (大阪府) is folded without it.
    """
    text = word.text
    if _RUN.fullmatch(text) is None or _known(word.folded):
        return (word,)
    pieces: list[Word] = []
    at = rest = 0
    after_name = False
    while at < len(text):
        title = _title(text, at) if after_name else None
        found = title or _name(text, at, after_name)
        if found is None:
            at, after_name = at + 1, False
            continue
        if rest < at:
            pieces.append(_piece(word, rest, at))
        pieces.append(_piece(word, at, at + found[0], found[1]))
        at = rest = at + found[0]
        after_name = title is None
    if not pieces:
        return (word,)
    if rest < len(text):
        pieces.append(_piece(word, rest, len(text)))
    return tuple(pieces)


def _piece(word: Word, start: int, end: int, folded: str = "") -> Word:
    text = word.text[start:end]
    return Word(text, folded or squash(text), word.start + start, word.start + end)


def _title(text: str, at: int) -> tuple[int, str] | None:
    """(characters, folded) of the longest title that begins here."""
    for size in range(min(LONGEST, len(text) - at), 0, -1):
        folded = squash(text[at : at + size])
        if folded in _titles():
            return size, folded
    return None


def _name(text: str, at: int, after_name: bool) -> tuple[int, str] | None:
    """(characters, folded) of the longest name that begins here and that the writing makes one."""
    for size in range(min(LONGEST, len(text) - at), 1, -1):
        own = text[at : at + size]
        folded, unit = squash(own), own[-1] in _UNIT
        if unit and size > 2 and not _known(folded):
            folded = squash(own[:-1])
        if not _known(folded):
            continue
        if (unit and size > 2) or after_name or _title(text, at + size) is not None:
            return size, folded
        if at == 0 and max((c.people for c in gazetteer().find(folded)), default=0) >= LARGE_PEOPLE:
            return size, folded
    return None


def _known(folded: str) -> bool:
    held = gazetteer()
    return bool(held.known(np.array([key(folded)], dtype=np.uint64))[0]) or bool(held.areas(folded))


@cache
def _titles() -> frozenset[str]:
    return frozenset("".join(t.phrase) for t in tables.titles() if not t.before and not "".join(t.phrase).isascii())
