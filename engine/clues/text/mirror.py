"""Mirrored pictures: front cameras and edited films show signs the wrong way round, and a recogniser reads gibberish with doubt.

Where what was read is little sure, or nothing was read, the picture is read mirrored too; the mirrored reading is taken where it
is clearly surer. Thresholds are judgement: letters of 71 photos of known place read at 0.55 to 0.80 the wrong way round, and a
mirrored sign reads at 0.80, at 0.99 when it is turned back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.models import tesseract
from engine.models.ocr import Line, TextReader

NOTE = "read after mirroring: the picture is mirrored"
SURE, SURER = 0.93, 0.06  # score of letters from which a reading is sure, and by how much the mirrored one must be surer
LEAST_LETTERS = 8
LEAST_SHARE = 0.8  # of the letters read as it stands that the mirrored picture must yield
TRIES = 4  # pictures of one interval read mirrored without success, after which no more are


def read(rgb: NDArray[np.uint8], text_reader: TextReader, try_mirrored: bool = True) -> tuple[tuple[Line, ...], bool, bool]:
    """Lines of an upright frame (height, width, 3), boxes as it stands; whether they are mirrored; whether that was tried."""
    plain = text_reader.read(rgb)
    score, letters = _sure(plain)
    scripts = any(line.model == tesseract.MODEL_ID for line in plain)  # believed only where every letter is of the script
    if scripts or not try_mirrored or (letters and score >= SURE):
        return plain, False, False
    turned = text_reader.alone.read(np.ascontiguousarray(rgb[:, ::-1]))
    other, found = _sure(turned)
    if found >= max(LEAST_LETTERS, LEAST_SHARE * letters) and other >= max(SURE, score + SURER):
        return tuple(replace(line, box=_back(line.box)) for line in turned), True, True
    return plain, False, True


def _sure(lines: Sequence[Line]) -> tuple[float, int]:
    """(mean score of the letters and digits, how many)."""
    counts = [sum(c.isalnum() for c in line.text) for line in lines]
    total = sum(counts)
    return (sum(n * line.score for n, line in zip(counts, lines, strict=True)) / total if total else 0.0), total


def _back(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return 1.0 - right, top, 1.0 - left, bottom
