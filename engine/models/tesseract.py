"""Text of one line in scripts that PP-OCRv6 does not read, by Tesseract 5 (Apache-2.0), through `tesserocr`.

The models of eleven languages in seven scripts lie in assets/models/tesseract and are checked by hash. What Tesseract is given
decides what it reads: a line is cut out along its box with a margin of 6%, 60 pixels high, its contrast stretched, dark on light,
with a white border; where it finds no text line in that it takes the whole as one. The pixels are a stranger's: a line's size
and the time for it are bounded, and no thread is started.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.core.paths import ASSETS
from engine.models import cards

MODEL_ID = cards.TESSERACT.id
FOLDER = ASSETS / "models" / "tesseract"
SHA256 = dict(cards.TESSERACT.files)
HEIGHT_PX, BORDER_PX, MARGIN = 60, 15, 0.06
LEAST_SIDE_PX, LONGEST = 9.0, 32.0  # of a box in the frame; times its height
LINE_MS = 400  # after which a line is given up
LONGEST_LINE = 160
_SINGLE_LINE, _RAW_LINE, _LSTM = 7, 13, 1  # Tesseract's numbers for page segmentation and engine
_DPI = 100
_FRAME = " |_-—–.:;,'\"[](){}«»‘’“”*~=<>/\\"  # what a board's edge is read as


@dataclass(frozen=True, slots=True)
class Script:
    """A script, the languages whose models read it, and the letters that are its own."""

    name: str
    models: tuple[str, ...]
    letters: str


SCRIPTS = (
    Script("Cyrillic", ("rus", "ukr", "srp"), r"\p{Cyrillic}"),
    Script("Greek", ("ell",), r"\p{Greek}"),
    Script("Arabic", ("ara", "fas", "urd"), r"\p{Arabic}"),
    Script("Hebrew", ("heb",), r"\p{Hebrew}"),
    Script("Thai", ("tha",), r"\p{Thai}"),
    Script("Devanagari", ("hin",), r"\p{Devanagari}"),
    Script("Hangul", ("kor",), r"\p{Hangul}"),
)
_LETTER = regex.compile(r"\p{L}")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line reads as in one script: text, the mean confidence of its words 0 to 1, and whether every letter is of it."""

    script: Script
    text: str
    score: float
    whole: bool


@cache
def missing() -> str:
    """Why lines in these scripts cannot be read here, one sentence; "" where they can."""
    try:
        _library()
        for name in SHA256:
            _checked(name)
    except WeightsError as error:
        return str(error)
    return ""


def cut(
    rgb: NDArray[np.uint8], corners: NDArray[np.float64], margin: float = MARGIN, blur_px: float = 0.0
) -> NDArray[np.uint8] | None:
    """A box of a frame as Tesseract reads it best, (HEIGHT_PX + 2 BORDER_PX, width) grey; None where it is too small or long.

    Args:
        rgb: (height, width, 3).
        corners: (4, 2) x, y: left top, right top, right bottom, left bottom.
        margin: around the box, in parts of its height.
        blur_px: standard deviation of a blur, which takes noise away.
    """
    from engine.models.opencv import cv2

    across, down = corners[1] - corners[0], corners[3] - corners[0]
    wide, high = float(np.linalg.norm(across)), float(np.linalg.norm(down))
    if not (min(wide, high) >= LEAST_SIDE_PX and wide <= LONGEST * high):
        return None
    around = margin * high
    x, y = around * across / wide, around * down / high
    outer = corners + np.array([-x - y, x - y, x + y, -x + y])
    width = max(8, round(HEIGHT_PX * (wide + 2 * around) / (high + 2 * around)))
    target = np.array([[0, 0], [width, 0], [width, HEIGHT_PX], [0, HEIGHT_PX]], dtype=np.float32)
    warp = cv2.getPerspectiveTransform(outer.astype(np.float32), target)
    line = cv2.warpPerspective(rgb, warp, (width, HEIGHT_PX), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY).astype(np.float32)
    low, high_value = np.percentile(grey, (2.0, 98.0))
    stretched = np.clip((grey - low) / max(float(high_value - low), 1.0) * 255.0, 0.0, 255.0)
    if np.median(stretched) < 128.0:
        stretched = 255.0 - stretched
    grey_line = np.pad(stretched.astype(np.uint8), BORDER_PX, constant_values=255)
    return np.asarray(cv2.GaussianBlur(grey_line, (0, 0), blur_px) if blur_px > 0.0 else grey_line, dtype=np.uint8)


class LineReader:
    """Reads single lines; loads the model of a script when it is first tried."""

    def __init__(self) -> None:
        self._engines: dict[str, Any] = {}
        self._lock = threading.Lock()  # an engine holds one picture at a time

    def read(self, line: NDArray[np.uint8], script: Script) -> Reading:
        """What a line made by `cut` reads as in a script, by the surest of its models.

        Raises:
            WeightsError: tesserocr or the script's model is missing or not the one expected.
        """
        with self._lock:
            readings = [self._by(model, line, script) for model in script.models]
        return max(readings, key=lambda r: (r.whole, r.score))

    def _by(self, model: str, line: NDArray[np.uint8], script: Script) -> Reading:
        engine = self._engine(model)
        text, score = _read(engine, line, _SINGLE_LINE)
        if not text:
            text, score = _read(engine, line, _RAW_LINE)
        engine.Clear()
        letters = _LETTER.findall(text)
        own = regex.compile(script.letters)
        return Reading(script, text, score, bool(letters) and all(own.match(c) for c in letters))

    def _engine(self, model: str) -> Any:
        if model not in self._engines:
            library = _library()
            _checked(f"{model}.traineddata")
            try:
                engine = library.PyTessBaseAPI(path=str(FOLDER), lang=model, psm=_SINGLE_LINE, oem=_LSTM)
            except RuntimeError as error:
                raise WeightsError(f"Tesseract cannot load its model {model}; get the program's assets again.") from error
            engine.SetVariable("debug_file", os.devnull)
            self._engines[model] = engine
        return self._engines[model]


def _read(engine: Any, line: NDArray[np.uint8], segmentation: int) -> tuple[str, float]:
    """(text on one line, confidence 0 to 1) of a grey picture; ("", 0) where nothing was read in time."""
    engine.SetPageSegMode(segmentation)
    height, width = line.shape
    engine.SetImageBytes(np.ascontiguousarray(line).tobytes(), width, height, 1, width)
    engine.SetSourceResolution(_DPI)
    if not engine.Recognize(LINE_MS):
        return "", 0.0
    text = " ".join("".join(c if c.isprintable() else " " for c in engine.GetUTF8Text()).split())[:LONGEST_LINE]
    return text.strip(_FRAME), float(engine.MeanTextConf()) / 100.0


@cache
def _library() -> Any:
    """tesserocr, whose OpenMP is told on loading to start no thread.

    Raises:
        WeightsError: it is not installed, or cannot be loaded here.
    """
    try:
        with _one_thread():
            import tesserocr
    except (ImportError, OSError) as error:
        names = ", ".join(s.name for s in SCRIPTS)
        why = " (macOS 15 or newer is needed)" if sys.platform == "darwin" else ""
        raise WeightsError(f"Text in {names} is not read: tesserocr is missing; pip install tesserocr{why}.") from error
    return tesserocr


@contextmanager
def _one_thread() -> Iterator[None]:
    """OMP_THREAD_LIMIT is read once, when the library is loaded; other libraries' threads are left as they were."""
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_THREAD_LIMIT"]
        else:
            os.environ["OMP_THREAD_LIMIT"] = before


@cache
def _checked(name: str) -> None:
    path = FOLDER / name
    if not path.is_file():
        raise WeightsError(f"The model {path} is missing; get the program's assets again.")
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != SHA256[name]:
            raise WeightsError(f"The model {path} is not the one expected; get the program's assets again.")


def script_of(text: str) -> Script | None:
    """The script that most letters of a text are of, where it is one of SCRIPTS."""
    letters = _LETTER.findall(text)
    best = max(SCRIPTS, key=lambda s: len(regex.findall(s.letters, text)))
    return best if 2 * len(regex.findall(best.letters, text)) > len(letters) else None
