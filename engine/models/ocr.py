"""Text in pictures, by RapidOCR: PP-OCRv6 detection and recognition in ONNX, both inside the `rapidocr` package (Apache-2.0).

Reads the Latin alphabet with nearly all its accents, Greek, Chinese and Japanese. Left alone, RapidOCR downloads a model file
that is missing, logs to the terminal and takes all cores: here the files are given by path and hash, its log is silenced and
its threads are bounded.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.models import cards

MODEL_ID = cards.OCR.id
LEAST_SCORE = 0.5
MOST_LINES = 60
LONGEST_LINE = 160
_NOTHING = "\ufffd"
_FILES = {
    "PP-OCRv6_det_small.onnx": "det",
    "PP-OCRv6_rec_small.onnx": "rec",
    "ch_ppocr_mobile_v2.0_cls_mobile.onnx": "cls",
}
SHA256 = dict(cards.OCR.files)  # as shipped in rapidocr 3.10.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a frame.

    Attributes:
        text: as read, at most LONGEST_LINE characters, no control characters.
        score: the recogniser's own, 0 to 1.
        box: (left, top, right, bottom) as fractions of the frame.
        model: id of the recogniser that read it.
    """

    text: str
    score: float
    box: tuple[float, float, float, float]
    model: str = MODEL_ID


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A box that the detector found, and what the recogniser made of it.

    Attributes:
        text: as in Line; "" where nothing was read.
        score: the recogniser's own, 0 to 1.
        corners: (4, 2) x, y in pixels: left top, right top, right bottom, left bottom, as the text runs.
        size: (width, height) of the frame in pixels.
    """

    text: str
    score: float
    corners: NDArray[np.float64]
    size: tuple[int, int]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) as fractions of the frame."""
        at = np.clip(self.corners / self.size, 0.0, 1.0)
        (left, top), (right, bottom) = at.min(axis=0), at.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    def line(self, text: str = "", score: float = 0.0, model: str = MODEL_ID) -> Line:
        """What stands in it: as it was read, or as another recogniser read it."""
        return Line(text or self.text, score or self.score, self.bounds, model)


class TextReader:
    """Finds and reads text; loads its models on first use."""

    def __init__(self, threads: int = 2) -> None:
        self.threads = threads

    def read(self, rgb: NDArray[np.uint8]) -> tuple[Line, ...]:
        """Lines of an upright frame (height, width, 3), top to bottom, at most MOST_LINES.

        Raises:
            WeightsError: a model file of rapidocr is missing or is not the one it should be.
            ValueError: not an upright RGB frame.
        """
        return in_order([box.line() for box in self.boxes(rgb) if box.text and box.score >= LEAST_SCORE])

    @property
    def alone(self) -> TextReader:
        """This recogniser without any that others put beside it."""
        return self

    def boxes(self, rgb: NDArray[np.uint8]) -> tuple[Box, ...]:
        """All that the detector finds in a frame, read or not; errors as for `read`."""
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise ValueError("a frame to be read must be (height, width, 3) of uint8")
        height, width = rgb.shape[:2]
        if min(height, width) < 16:
            return ()
        with _quiet():
            found = self._engine(np.ascontiguousarray(rgb[:, :, ::-1]))
        if getattr(found, "txts", None) is None or found.boxes is None:
            return ()
        boxes = []
        for text, score, corners in zip(found.txts, found.scores, found.boxes, strict=True):
            clean = "".join(c if c.isprintable() else " " for c in text.replace(_NOTHING, "")).strip()[:LONGEST_LINE]
            sure = float(score) if np.isfinite(score) else 0.0
            boxes.append(Box(clean, sure, np.asarray(corners, dtype=np.float64), (width, height)))
        return tuple(boxes)

    @cached_property
    def _engine(self) -> Any:
        paths = {kind: str(model_file(name)) for name, kind in _FILES.items()}
        from engine.models import opencv  # noqa: F401 (what rapidocr uses, with its own sentence where it cannot be loaded)

        with _quiet():
            from rapidocr import RapidOCR

            engine: Any = RapidOCR(
                params={
                    "Global.log_level": "critical",
                    "Global.text_score": 0.0,  # what is read badly here may be read by `tesseract`
                    "Det.model_path": paths["det"],
                    "Rec.model_path": paths["rec"],
                    "Cls.model_path": paths["cls"],
                    "EngineConfig.onnxruntime.intra_op_num_threads": self.threads,
                    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                }
            )
        recognise = engine.recognize_txt

        def marked(images: Any) -> Any:
            """RapidOCR drops boxes in which nothing is read; with a mark for a text they stay."""
            found = recognise(images)
            if found.txts is not None:
                found.txts = tuple(text if text.strip() else _NOTHING for text in found.txts)
            return found

        engine.recognize_txt = marked
        return engine


def in_order(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Lines from top to bottom, at most MOST_LINES."""
    return tuple(sorted(lines, key=lambda line: (line.box[1] + line.box[3], line.box[0]))[:MOST_LINES])


@cache
def detector() -> Any:
    """The detector alone, as a session of ONNX Runtime, for `text_map`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # which keeps the most that any frame ever took
    options.log_severity_level = 4
    path = str(model_file("PP-OCRv6_det_small.onnx"))
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def text_map(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Chance that text covers each point of a frame (height, width, 3), (height, width): the detector alone, at the size given.

    Sides are rounded to multiples of 32, which the network wants, so the map may be a little smaller or larger than the frame.

    Raises:
        WeightsError: the model file is missing or is not the one it should be.
    """
    from PIL import Image

    height, width = (max(32, round(side / 32) * 32) for side in rgb.shape[:2])
    fitted = np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BILINEAR))
    scaled = (fitted[:, :, ::-1].astype(np.float32) / 255.0 - 0.5) / 0.5
    session = detector()
    found = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])})
    return np.asarray(found[0][0, 0], dtype=np.float32)


def model_file(name: str) -> Path:
    """Path of a model file inside the package.

    Raises:
        WeightsError: it is missing or differs from the one this program was tested with.
    """
    spec = importlib.util.find_spec("rapidocr")
    path = Path(spec.origin).parent / "models" / name if spec and spec.origin else None
    if path is None or not path.is_file():
        raise WeightsError(f"The text recogniser's file {name} is missing; install it with: pip install rapidocr==3.10.0")
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != SHA256[name]:
            raise WeightsError(
                f"The text recogniser's file {name} is not the one expected; run: pip install --force-reinstall rapidocr==3.10.0"
            )
    return path


@contextmanager
def _quiet() -> Iterator[None]:
    """RapidOCR sets up a handler of its own on import and on every start; nothing of it reaches the terminal."""
    log = logging.getLogger("RapidOCR")
    log.handlers.clear()
    log.propagate = False
    log.addHandler(logging.NullHandler())
    log.setLevel(logging.CRITICAL)
    yield
    log.handlers.clear()
    log.addHandler(logging.NullHandler())
