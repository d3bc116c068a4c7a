"""Text read in the frames, and what it says of their place.

Perceiving: frames every two seconds, those that look like the last one passed over; lines of text by PP-OCRv6. A line seen in
many frames is one observation. Scoring: all lines of the interval are read as one text (`sign`), whatever an analyst has
dropped or added, and scored (`scoring`). Lines that stay at one spot of the frame while the picture changes are captions: they
speak of the programme, and are shown and not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from difflib import SequenceMatcher
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.clues.text import choice, frames, index, mirror, scoring, scripts, sign
from engine.clues.text.fold import squash
from engine.clues.text.reading import Reading
from engine.clues.text.spec import SPEC
from engine.core.clip import Clip, Interval, Reader
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import language, ocr, tesseract

LEAST_SCORE = 0.55
MOST_LINES = 80
LEAST_LETTERS, ALIKE = 8, 0.9  # of two lines that are readings of one sign


class TextClue:
    """What is written in the picture."""

    spec = SPEC
    name, modality, reads = SPEC.name, SPEC.modality, SPEC.reads
    models = (ocr.MODEL_ID, tesseract.MODEL_ID, language.MODEL_ID)

    def __init__(self, captions: bool = False, times_s: tuple[float, ...] = ()) -> None:
        """captions: score captions and subtitles too. times_s: frames to read; none takes one every two seconds."""
        self.captions = captions
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

    def log_likelihood(self, observations: tuple[Observation, ...], grid: Grid, when: date | None = None) -> Evidence:
        """Where such text is written, (cells,); abstains when it says nothing of a place."""
        own = tuple(o for o in observations if o.clue == self.name)
        if not own:
            return Evidence.silent(self.name, self.modality, grid, _with_missing("no text was read"))
        used = self.scored(own)
        if not used:
            return Evidence.silent(self.name, self.modality, grid, "all text read is captions of the programme", own)
        readings = read(used)
        if not readings:
            return Evidence.silent(
                self.name, self.modality, grid, _with_missing("the text read indicates no place and no language"), own
            )
        if scoring.region_mass(readings) < scoring.LEAST_MASS:
            return Evidence.silent(
                self.name, self.modality, grid, _with_missing("the text read is too vague to indicate a place"), own
            )
        log_l = scoring.log_likelihood(readings, grid)
        return Evidence(self.name, self.modality, grid, log_l, own, models=self.models, named=scoring.named(readings))

    def scored(self, observations: Sequence[Observation]) -> tuple[Observation, ...]:
        """The observations that count: read well enough or by a person, and no captions; the best MOST_LINES of them."""
        use = [o for o in observations if o.author != ocr.MODEL_ID or o.score >= LEAST_SCORE]
        use = [o for o in use if self.captions or not o.note.startswith(frames.CAPTION)]
        kept = set(sorted(range(len(use)), key=lambda i: -use[i].score)[:MOST_LINES])
        return tuple(o for i, o in enumerate(use) if i in kept)


def _with_missing(reason: str) -> str:
    """A reason to abstain, and the scripts that cannot be read on this machine, where that may be why."""
    missing = tesseract.missing()
    return f"{reason}. {missing.rstrip('.')}" if missing else reason


def read(observations: Sequence[Observation]) -> tuple[Reading, ...]:
    """What observations of text say together; each line counts once, and means the place that an analyst chose for it."""
    lines: dict[str, float] = {}
    chosen: dict[str, tuple[float, float, float]] = {}
    for o in observations:
        lines[o.label] = max(lines.get(o.label, 0.0), min(1.0, o.score))
        if o.by_analyst and o.vector is not None:
            chosen[o.label] = (float(o.vector[0]), float(o.vector[1]), o.score)
    kept = dict(distinct(tuple(lines.items())))
    lines = {text: score for text, score in lines.items() if text in kept or text in chosen}
    found = sign.read(tuple(lines), tuple(lines.values()))
    return choice.narrowed(found, tuple(lines), chosen) if chosen else found


@lru_cache(maxsize=256)
def distinct(lines: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """Lines (text, score) without those that are a worse reading of another: one sign seen in many shots counts once.

    Only whole words of the same digits are taken together: a route's number is a route of its own.
    """
    kept: list[tuple[str, float]] = []
    for text, score in sorted(lines, key=lambda x: -x[1]):
        if not any(_reads_alike(text, other) for other, _ in kept):
            kept.append((text, score))
    order = {text: i for i, (text, _) in enumerate(lines)}
    return tuple(sorted(kept, key=lambda x: order[x[0]]))


def _reads_alike(a: str, b: str) -> bool:
    x, y = squash(a), squash(b)
    if x == y:
        return bool(x) or a == b
    if min(len(x), len(y)) < LEAST_LETTERS or abs(len(x) - len(y)) > 2:
        return False
    if [c for c in x if c.isdigit()] != [c for c in y if c.isdigit()]:
        return False
    match = SequenceMatcher(None, x, y, autojunk=False)
    return match.real_quick_ratio() >= ALIKE and match.quick_ratio() >= ALIKE and match.ratio() >= ALIKE


def _observations(seen: Sequence[frames.Seen]) -> tuple[Observation, ...]:
    scored = [s for s in seen if not s.caption]
    texts: dict[str, float] = {}
    for s in scored:
        texts[s.text] = max(texts.get(s.text, 0.0), s.score)
    readings = sign.read(tuple(texts), tuple(texts.values())) if texts else ()
    notes = _notes(tuple(texts), readings)
    return tuple(
        Observation(
            clue=TextClue.name,
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
