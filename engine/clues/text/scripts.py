"""Lines in the scripts that PP-OCRv6 does not read: which boxes are read again, in which script, and what is then believed.

The recogniser of Latin, Chinese and Japanese letters finds the lines of every script, and reads those of another as nothing, or
as letters that look alike: Москва as "MockBa", ΑΘΗΝΑ as "AOHNA". A box that it did not read well, whose words are in no
language's list and no place's name, is read again by Tesseract, script after script. A reading is believed at a confidence of
SURE with every letter in the script, at CLEAR where it holds no word that is known. Where none is, the line is cut anew, without
its margin and blurred, and what is then read as surely is believed if it holds a word or a name that is known; so is what two
of these cuts give letter for letter, less surely, if all of it is known: Tesseract is often unsure of what it reads rightly,
and two cuts hardly err into the same known name. A believed reading replaces the other, and lines beside it of look-alike
letters alone are read again in its script, too; where that fails they are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import regex
from numpy.typing import NDArray

from engine.clues.text import language, unspaced
from engine.clues.text.fold import squash, words
from engine.clues.text.index import gazetteer
from engine.clues.text.reading import Reading as SignReading
from engine.clues.text.span import CJK
from engine.models import ocr, tesseract
from engine.models.ocr import Box, Line, TextReader
from engine.models.tesseract import SCRIPTS, LineReader, Reading, Script

SURE, CLEAR = 0.85, 0.93  # confidence from which a reading is believed, and from which no other script is tried
LEAST_LANGUAGE = 0.5  # chance from which a language is named
LEAST_LETTERS, LEAST_UNKNOWN, LEAST_KNOWN = 3, 5, 0.3
READ_WELL, READ_WELL_ASIAN = 0.8, 0.85  # PP-OCR's score
SECOND_CUTS = ((0.0, 0.0), (0.0, 1.6), (tesseract.MARGIN, 1.0))  # margin, blur in px
SECOND_SCRIPTS = 3
# Of what two cuts read alike: the least confidence for so many letters, the share of it that is known, and what it counts as.
AGREED, ALL_KNOWN, AGREED_SCORE = ((4, 0.4), (6, 0.05)), 0.9, 0.6
MOST_BOXES = 10  # of one frame, the tallest
_LOOK_ALIKE = {
    "Cyrillic": regex.compile(r"[ABEKMHOPCTYXaeopcyxuknmbhrgtwiIёËïÏèÈ3460-9\W]+"),
    "Greek": regex.compile(r"[ABEZHIKMNOPTYXovuknpaxytw0-9\W]+"),
}
_LETTERS = regex.compile(r"\p{L}")
_TOKEN = regex.compile(r"\p{L}[\p{L}\p{M}]*")
_LATIN, _GREEK = regex.compile(r"\p{Latin}"), regex.compile(r"\p{Greek}")


class ScriptReader(TextReader):
    """PP-OCRv6, and Tesseract for what it does not read."""

    def __init__(self, threads: int = 2) -> None:
        super().__init__(threads)
        self._alone = TextReader(threads)
        self._lines = LineReader()

    @property
    def alone(self) -> TextReader:
        """PP-OCRv6 without Tesseract."""
        return self._alone

    def boxes(self, rgb: NDArray[np.uint8]) -> tuple[Box, ...]:
        """As PP-OCRv6 finds them."""
        return self._alone.boxes(rgb)

    def read(self, rgb: NDArray[np.uint8]) -> tuple[Line, ...]:
        """Lines of an upright frame (height, width, 3), top to bottom; errors as for `TextReader.read`."""
        boxes = self.boxes(rgb)
        if tesseract.missing():
            return ocr.in_order(_plain(boxes))
        again = self._again(rgb, boxes)
        found = {tesseract.script_of(line.text) for line in again.values()}
        kept = [(n, b) for n, b in enumerate(boxes) if n not in again and _shown(b)]
        plain = [b for _, b in kept if not any(s is not None and _looks_alike(b.text, s) for s in found)]
        return ocr.in_order([*again.values(), *_plain(plain)])

    def _again(self, rgb: NDArray[np.uint8], boxes: Sequence[Box]) -> dict[int, Line]:
        """Number of a box → the line that Tesseract reads in it."""
        tried = sorted((n for n, b in enumerate(boxes) if not read_well(b)), key=lambda n: -_height(boxes[n]))[:MOST_BOXES]
        found: dict[int, Line] = {}
        order = list(SCRIPTS)
        for n in tried:
            reading = self._read(rgb, boxes[n], order)
            if reading is not None:
                found[n] = boxes[n].line(reading.text, reading.score, tesseract.MODEL_ID)
                order.remove(reading.script)  # a frame's signs are mostly in one script
                order.insert(0, reading.script)
        for script in dict.fromkeys(s for line in found.values() if (s := tesseract.script_of(line.text))):
            alike = [n for n, b in enumerate(boxes) if n not in found and n not in tried and _looks_alike(b.text, script)]
            for n in alike[:MOST_BOXES]:
                reading = self._read(rgb, boxes[n], (script,))
                if reading is not None:
                    found[n] = boxes[n].line(reading.text, reading.score, tesseract.MODEL_ID)
        return found

    def _read(self, rgb: NDArray[np.uint8], box: Box, order: Iterable[Script]) -> Reading | None:
        line = tesseract.cut(rgb, box.corners)
        if line is None:
            return None
        readings: list[Reading] = []
        for script in order:
            reading = self._lines.read(line, script)
            readings.append(reading)
            if believed(reading) and reading.score >= CLEAR and known_share(reading) > 0.5:
                return reading
        sure = [r for r in readings if believed(r)]
        if sure:
            return max(sure, key=lambda r: (round(known_share(r), 1), r.score))
        whole = sorted((r for r in readings if r.whole), key=lambda r: -r.score)
        known = max(whole[SECOND_SCRIPTS:], key=lambda r: (round(known_share(r), 1), len(r.text)), default=None)
        likely = [*whole[:SECOND_SCRIPTS], *([known] if known and known_share(known) >= LEAST_KNOWN else [])]
        again = [
            self._lines.read(other, r.script)
            for margin, blur_px in SECOND_CUTS
            if (other := tesseract.cut(rgb, box.corners, margin, blur_px)) is not None
            for r in likely
        ]
        surest = max((r for r in again if believed(r) and known_share(r) >= LEAST_KNOWN), key=lambda r: r.score, default=None)
        return surest or agreed([*readings, *again])


def written_in(text: str, readings: Sequence[SignReading]) -> str:
    """The script of a line, and the language where it is sure enough: "Cyrillic letters, Russian"; "" in Latin."""
    script = tesseract.script_of(text)
    if script is None:
        return ""
    likely = next((r.languages[0] for r in readings if r.kind == "language" and r.languages), None)
    named = language.NAMES.get(likely[0], "") if likely and likely[1] >= LEAST_LANGUAGE else ""
    return f"{script.name} letters" + (f", {named}" if named else "")


def believed(reading: Reading) -> bool:
    """Whether a reading is sure enough, and long enough to be anything; one of unknown words must be surer and longer."""
    letters = len(_LETTERS.findall(reading.text))
    if not reading.whole or reading.score < SURE or letters < (2 if reading.script.name == "Hangul" else LEAST_LETTERS):
        return False
    return known_share(reading) >= LEAST_KNOWN or (reading.score >= CLEAR and letters >= LEAST_UNKNOWN)


def agreed(readings: Sequence[Reading]) -> Reading | None:
    """What two cuts of a line or more read alike, the surest of it; None where there is nothing, or not all of it is known."""
    alike = Counter((r.script.name, r.text) for r in readings if r.whole)
    several = [r for r in readings if alike[r.script.name, r.text] >= 2 and _sure_together(r) and known_share(r) >= ALL_KNOWN]
    best = max(several, key=lambda r: (alike[r.script.name, r.text], r.score), default=None)
    return best and replace(best, score=max(best.score, AGREED_SCORE))


def _sure_together(reading: Reading) -> bool:
    letters = len(_LETTERS.findall(reading.text))
    return any(letters >= least and reading.score >= score for least, score in AGREED)


def known_share(reading: Reading) -> float:
    """Share of its letters, 0 to 1, in words that are in a list of the script's languages, or a place's name."""
    g = gazetteer()
    pieces = [p for w in words(reading.text) for p in (unspaced.parted(w) if not g.zipf(w.folded) else (w,))]
    known = sum(len(p.folded) for p in pieces if len(p.folded) >= 2 and (g.zipf(p.folded) or g.find(p.folded)))
    return known / max(sum(len(p.folded) for p in pieces), 1)


def read_well(box: Box) -> bool:
    """Whether PP-OCRv6 read what is there: numbers, Chinese or Japanese surely, or words that a language or a place has."""
    letters = _LETTERS.findall(box.text)
    if not letters:
        return box.score >= READ_WELL and any(c.isdigit() for c in box.text)
    if len(CJK.findall(box.text)) >= 0.5 * len(letters):
        return box.score >= READ_WELL_ASIAN
    if not _LATIN.search(box.text):
        return False
    return box.score >= READ_WELL and _has_known_word(box.text)


def _has_known_word(text: str) -> bool:
    g = gazetteer()
    found = [w for w in words(text) if w.folded[0].isalpha()]
    if any(_LATIN.search(w.text) and not all(_LATIN.match(c) for c in _LETTERS.findall(w.text)) for w in found):
        return False  # letters of two scripts in one word
    whole = [squash(t) for t in _TOKEN.findall(text)]  # not parted at a change of case: "MockBa" is no "Mock"
    known = sum(len(t) for t in whole if len(t) >= 3 and (g.zipf(t) or g.find(t)))
    return 2 * known >= sum(map(len, whole)) or bool(g.find(squash(text)))


def _plain(boxes: Iterable[Box]) -> list[Line]:
    return [b.line() for b in boxes if _shown(b) and not _is_mixed(b.text)]


def _is_mixed(text: str) -> bool:
    """Whether a word has Greek letters among Latin ones ("IEIPAIAΣ"): neither script's, and no name in either."""
    return any(_LATIN.search(w.text) and _GREEK.search(w.text) for w in words(text))


def _shown(box: Box) -> bool:
    return bool(box.text) and box.score >= ocr.LEAST_SCORE


def _looks_alike(text: str, script: Script) -> bool:
    held = _LOOK_ALIKE.get(script.name)
    return held is not None and bool(_LETTERS.search(text)) and held.fullmatch(text) is not None


def _height(box: Box) -> float:
    return float(np.linalg.norm(box.corners[3] - box.corners[0]))
