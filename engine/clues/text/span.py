"""A run of words on a sign that may be a name, and what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine.clues.text import tables, writing
from engine.clues.text.fold import Word
from engine.clues.text.gazetteer import Candidate
from engine.clues.text.index import gazetteer

LONGEST_NAME = 5  # words
LEAST_LETTERS, MOST_LETTERS = 3, 48
CJK = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_STREET_ENDINGS = ("strasse", "stralle", "straat", "gatan", "vagen")


@dataclass(frozen=True, slots=True)
class Token:
    """A word and the number of its line."""

    word: Word
    line: int


@dataclass(frozen=True, slots=True)
class Sign:
    """The words of a sign.

    Attributes:
        tokens: all words, line after line.
        sizes: (lines,) words on each.
        scores: (lines,) the recogniser's score of each, 0 to 1.
        chances: language → the chance that the sign is in it.
    """

    tokens: tuple[Token, ...]
    sizes: tuple[int, ...]
    scores: tuple[float, ...]
    chances: Mapping[str, float]

    @classmethod
    def of(cls, lines: Sequence[Sequence[Word]], scores: Sequence[float], chances: Mapping[str, float]) -> Sign:
        """A sign from the words of its lines."""
        tokens = tuple(Token(w, n) for n, line in enumerate(lines) for w in line)
        return cls(tokens, tuple(map(len, lines)), tuple(scores), chances)

    def chance(self, code: str) -> float:
        """The chance that the sign is in the language of this code."""
        return self.chances.get(code, 0.0)


@dataclass(frozen=True, eq=False)
class Span:
    """Words `first` up to `last` of a sign, last not among them."""

    sign: Sign
    first: int
    last: int

    @property
    def tokens(self) -> tuple[Token, ...]:
        return self.sign.tokens[self.first : self.last]

    @property
    def line(self) -> int:
        """Number of the line that it begins on."""
        return self.sign.tokens[self.first].line

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its words, folded."""
        return tuple(t.word.folded for t in self.tokens)

    @cached_property
    def letters(self) -> str:
        """Its words without spaces: what names are looked up by."""
        return "".join(self.words)

    @cached_property
    def text(self) -> str:
        """Its words as written."""
        return " ".join(t.word.text for t in self.tokens)

    @property
    def score(self) -> float:
        """Of its lines the lowest score of the recogniser."""
        return min(self.sign.scores[t.line] for t in self.tokens)

    @property
    def over_two_lines(self) -> bool:
        return self.tokens[-1].line != self.line

    @property
    def whole_line(self) -> bool:
        """Whether it is as long as its line."""
        return self.sign.sizes[self.line] == self.last - self.first

    @property
    def may_be_name(self) -> bool:
        """Whether it is neither too short nor too long for one; two characters of East Asia may be a name."""
        n = len(self.letters)
        return LEAST_LETTERS <= n <= MOST_LETTERS or (n == LEAST_LETTERS - 1 and CJK.search(self.letters) is not None)

    @cached_property
    def titles(self) -> tuple[tables.Title, ...]:
        """Titles that stand before or after it, on its line or at the end of the one above; longest first."""
        return tuple(t for t in tables.titles() if self._beside(t)) or self._below()

    @property
    def title(self) -> tables.Title | None:
        """The longest of its titles."""
        return self.titles[0] if self.titles else None

    @property
    def in_street(self) -> bool:
        """Whether a street's word stands beside it (Rue de Paris, Bremer Straße)."""
        tokens, streets = self.sign.tokens, tables.street_words()
        before = [t.word.folded for t in tokens[max(0, self.first - 2) : self.first] if t.line == self.line]
        after = [t.word.folded for t in tokens[self.last : self.last + 1] if t.line == self.line]
        if any((w,) in streets or w.endswith(_STREET_ENDINGS) for w in after):
            return True
        return any(tuple(before[i:]) in streets for i in range(len(before)))

    def in_region_after(self, found: Sequence[Candidate]) -> tuple[tuple[Candidate, ...], int]:
        """Of the places meant, those in the region or country named right after it, and how many words name that.

        Burlington, Vermont; Augusta, GA.
        """
        g = gazetteer()
        for n in (1, 2, 3):
            after = self.sign.tokens[self.last : self.last + n]
            if len(after) < n or after[-1].line - self.line > 1 or not after[0].word.capital:
                break
            codes = self._state(after[0]) if n == 1 else set()
            codes = codes or _area_codes("".join(t.word.folded for t in after))
            inside = tuple(c for c in found if g.region_codes[c.region] in codes or c.country in codes)
            if inside:
                return inside, n
        return (), 0

    def in_region_before(self, found: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Of the places meant, those in the region or city named right before, as addresses without spaces go (東京都新宿区)."""
        tokens = self.sign.tokens
        if self.first == 0 or not CJK.match(tokens[self.first].word.text) or tokens[self.first - 1].line != self.line:
            return ()
        before, g = tokens[self.first - 1].word.folded, gazetteer()
        if not CJK.match(before):
            return ()
        above, codes = {c.region for c in g.find(before)[:3]}, _area_codes(before)
        return tuple(c for c in found if c.region in above or g.region_codes[c.region] in codes or c.country in codes)

    def _beside(self, title: tables.Title) -> bool:
        n, tokens = len(title.phrase), self.sign.tokens
        at = self.first - n if title.before else self.last
        return (
            0 <= at <= len(tokens) - n
            and tuple(t.word.folded for t in tokens[at : at + n]) == title.phrase
            and abs(tokens[at].line - self.line) <= 1
        )

    def _below(self) -> tuple[tables.Title, ...]:
        """Logos set the name above: PARIS / VILLE DE."""
        tokens, below = self.sign.tokens, self.line + 1
        ends = self.last < len(tokens) and tokens[self.last].line == below
        begins = self.first == 0 or tokens[self.first - 1].line < self.line
        if not (ends and begins):
            return ()
        phrase = tuple(t.word.folded for t in tokens if t.line == below)
        return tuple(t for t in tables.titles() if t.before and t.phrase == phrase)

    def _state(self, after: Token) -> set[str]:
        """The state that two capitals on its line stand for."""
        two = len(after.word.text) == 2 and after.word.text.isupper() and after.line == self.line
        return {f"US.{after.word.text}"} if two else set()


def spans(sign: Sign) -> Iterator[Span]:
    """Runs of up to LONGEST_NAME words, on one line or over its end, that begin with a capital or a letter that has none."""
    for first, token in enumerate(sign.tokens):
        if not (token.word.capital or writing.UNCASED.match(token.word.text)) or not token.word.folded[0].isalpha():
            continue
        for last in range(first + 1, min(first + LONGEST_NAME, len(sign.tokens)) + 1):
            if sign.tokens[last - 1].line - token.line > 1:
                break
            yield Span(sign, first, last)


def _area_codes(squashed: str) -> set[str]:
    g = gazetteer()
    return {g.region_codes[a] if a >= 0 else g.country_codes[-1 - a] for a in g.areas(squashed)}
