"""Text read in the frames.

Frames every two seconds, those that look like the last one passed over; lines of text by PP-OCRv6, and by Tesseract where that
reads nothing it knows. A line seen in
many frames is one observation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.clues.text import frames, index, mirror, scripts, sign
from engine.clues.text.reading import Reading
from engine.clues.text.spec import SPEC
from engine.core.clip import Clip, Interval, Reader
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent


class TextObserver:
    """What is written in the picture."""

    def __init__(self, times_s: tuple[float, ...] = ()) -> None:
        """times_s: frames to read; none takes one every two seconds."""
        self.times_s = times_s

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """Read the frames of the interval.

        Returns:
            One observation per line and interval of time it is seen, in order of time; `note` says what it was read as.

        Raises:
            MediaError: the clip has no picture, or none that can be decoded.
        """
        seen = frames.read(clip, reader, interval, text_reader(), progress, self.times_s)
        if seen:
            index.prepare(progress)
            progress(Progress("looking up what was read"))
        return _observations(seen)

    def observe_image(self, rgb: NDArray[np.uint8]) -> tuple[Observation, ...]:
        """Read a single upright picture (height, width, 3) uint8."""
        lines, mirrored, _ = mirror.read(rgb, text_reader())
        return _observations(
            tuple(frames.Seen(line.text, line.score, 0.0, 0.0, line.box, False, mirrored, line.model) for line in lines)
        )


def _observations(seen: Sequence[frames.Seen]) -> tuple[Observation, ...]:
    scored = [s for s in seen if not s.caption]
    texts: dict[str, float] = {}
    for s in scored:
        texts[s.text] = max(texts.get(s.text, 0.0), s.score)
    readings = sign.read(tuple(texts), tuple(texts.values())) if texts else ()
    notes = _notes(tuple(texts), readings)
    return tuple(
        Observation(
            clue=SPEC.name,
            kind="text",
            label=s.text,
            score=s.score,
            start_s=s.start_s,
            end_s=s.end_s,
            author=s.model,
            box=s.box,
            note=frames.CAPTION
            if s.caption
            else "; ".join(filter(None, (mirror.NOTE * s.mirrored, scripts.written_in(s.text, readings), notes.get(s.text, "")))),
        )
        for s in seen
    )


def _notes(texts: Sequence[str], readings: Sequence[Reading]) -> dict[str, str]:
    """Text of a line → what it was read as; where it is nothing of its own, the language of the whole."""
    notes: dict[str, list[str]] = {}
    whole = ""
    for r in readings:
        if r.line >= 0:
            notes.setdefault(texts[r.line], []).append(r.note)
        elif r.languages[0][1] >= 0.6:
            whole = r.note
    return {t: "; ".join(notes.get(t, [])[:3]) or (whole if any(c.isalpha() for c in t) else "") for t in texts}


@cache
def text_reader() -> scripts.ScriptReader:
    """The one text reader of the program."""
    return scripts.ScriptReader()
