"""Text without spaces (Chinese, Japanese, Korean, Thai signs), parted at the longest names of places.

東京都新宿区役所 is 東京都 · 新宿区 · 役所: from the left, the longest name known is taken. Any two characters may spell some
village's name, so a name counts only where the writing makes it one: with the character of a municipality behind it (都 市 区 …),
with a title behind it (役所, 駅; assets/cues/titles.csv) or, in Thai, before it (สถานี), behind another name, or at the beginning
where it is a large city's.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import regex

from engine.clues.text import tables
from engine.clues.text.fold import Word, key, squash
from engine.clues.text.index import gazetteer

LONGEST, LONGEST_THAI = 8, 24  # characters of a name
LARGE_PEOPLE = 200_000
_RUN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}ー々ヶ]{3,}|[\p{Thai}]{5,}")
_THAI = regex.compile(r"\p{Thai}")
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
    thai = _THAI.match(text) is not None
    while at < len(text):
        title = _title(text, at) if after_name else _title_before(text, at) if thai else None
        found = title or _name(text, at, after_name)
        if found is None:
            at, after_name = at + 1, False
            continue
        if rest < at:
            pieces.append(_piece(word, rest, at))
        pieces.append(_piece(word, at, at + found[0], found[1]))
        at = rest = at + found[0]
        after_name = thai or title is None
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
    return _longest(text, at, _titles(False), 1)


def _title_before(text: str, at: int) -> tuple[int, str] | None:
    """The same of titles that stand before a name."""
    return _longest(text, at, _titles(True), 4)


def _longest(text: str, at: int, titles: frozenset[str], least: int) -> tuple[int, str] | None:
    for size in range(min(LONGEST_THAI, len(text) - at), least - 1, -1):
        folded = squash(text[at : at + size])
        if folded in titles:
            return size, folded
    return None


def _name(text: str, at: int, after_name: bool) -> tuple[int, str] | None:
    """(characters, folded) of the longest name that begins here and that the writing makes one."""
    thai = _THAI.match(text) is not None
    for size in range(min(LONGEST_THAI if thai else LONGEST, len(text) - at), 2 if thai else 1, -1):
        own = text[at : at + size]
        if thai and at + size < len(text) and squash(text[at + size]) != text[at + size]:
            continue  # a tone belongs to the letter before it
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
def _titles(before: bool) -> frozenset[str]:
    return frozenset("".join(t.phrase) for t in tables.titles() if t.before == before and not "".join(t.phrase).isascii())
