"""Lines of text over the frames of a clip: which frames to read, which lines are the same, which are captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.clues.text import mirror
from engine.clues.text.fold import squash
from engine.core.clip import Clip, Frame, Interval, Reader
from engine.core.progress import Progress, ProgressCallback
from engine.models.ocr import MODEL_ID, Line, TextReader

STEP_S = 2.0
MOST_FRAMES = 60  # of one interval; a longer one is sampled more thinly
MAX_SIDE_PX = 1280
CAPTION = "caption of the programme, not scored"
_SAME_FRAME = 6.0  # mean difference of 32 × 18 grey thumbnails (0 to 255) below which a frame is not read again
_NEW_PICTURE = 25.0  # above which the picture is another one
_SAME_TEXT = 0.8


@dataclass(frozen=True, slots=True)
class Seen:
    """A line of text and the interval in which it is seen; box where it was read best; mirrored: read in the mirrored picture;
    model: id of the recogniser."""

    text: str
    score: float
    start_s: float
    end_s: float
    box: tuple[float, float, float, float]
    caption: bool
    mirrored: bool = False
    model: str = MODEL_ID


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    time_s: float
    thumbnail: NDArray[np.float32]
    lines: tuple[Line, ...]
    mirrored: bool


def times(interval: Interval) -> NDArray[np.float64]:
    """Times in s at which an interval is looked at: every STEP_S, at most MOST_FRAMES."""
    count = int(np.clip(np.ceil(interval.length_s / STEP_S), 1, MOST_FRAMES))
    step = interval.length_s / count
    return np.asarray(interval.start_s + step * (np.arange(count) + 0.5), dtype=np.float64)


def read(
    clip: Clip,
    reader: Reader,
    interval: Interval | None,
    text_reader: TextReader,
    progress: ProgressCallback,
    times_s: Sequence[float] = (),
) -> tuple[Seen, ...]:
    """Read the text of an interval's frames, in order of time: of those at times_s, or of some evenly spread."""
    whole = interval or Interval(0.0, max(clip.duration_s or 0.0, 0.04))
    at = np.array(sorted(times_s)) if times_s else times(whole)
    done: list[_Read] = []
    in_vain = 0
    for number, frame in enumerate(reader.frames(at.tolist(), max_side_px=MAX_SIDE_PX), 1):
        small = _thumbnail(frame)
        last = done[-1] if done else None
        if last is not None and np.abs(last.thumbnail - small).mean() < _SAME_FRAME:
            done.append(_Read(frame.time_s, small, last.lines, last.mirrored))
        else:
            lines, mirrored, tried = mirror.read(frame.rgb, text_reader, in_vain < mirror.TRIES)
            in_vain = 0 if mirrored else in_vain + tried
            done.append(_Read(frame.time_s, small, lines, mirrored))
        progress(Progress("reading text", number, len(at), "frames"))
    return tuple(sorted(_mark_captions(_join(done, whole), done), key=lambda s: (s.start_s, s.box[1])))


def _thumbnail(frame: Frame) -> NDArray[np.float32]:
    height, width = frame.rgb.shape[:2]
    rows = np.linspace(0, height - 1, 18 * 4).astype(int)
    columns = np.linspace(0, width - 1, 32 * 4).astype(int)
    grey = frame.rgb[rows][:, columns].mean(axis=2, dtype=np.float32)
    out: NDArray[np.float32] = grey.reshape(18, 4, 32, 4).mean(axis=(1, 3))
    return out


def _same(a: str, b: str) -> bool:
    x, y = squash(a), squash(b)
    if x == y:
        return True
    if min(len(x), len(y)) < 4 or abs(len(x) - len(y)) > 0.3 * max(len(x), len(y)):
        return False
    return SequenceMatcher(None, x, y, autojunk=False).ratio() >= _SAME_TEXT


def _join(done: Sequence[_Read], whole: Interval) -> list[Seen]:
    """Lines of neighbouring frames that read alike become one, written as they were read best."""
    step = max(whole.length_s / max(len(done), 1), STEP_S)
    seen: list[Seen] = []
    running: list[int] = []
    for frame in done:
        running = [i for i in running if frame.time_s - seen[i].end_s <= 2.5 * step]
        for line in frame.lines:
            found = next((i for i in running if _same(seen[i].text, line.text)), None)
            if found is None:
                running.append(len(seen))
                seen.append(Seen(line.text, line.score, frame.time_s, frame.time_s, line.box, False, frame.mirrored, line.model))
            elif line.score > seen[found].score:
                seen[found] = replace(
                    seen[found],
                    end_s=frame.time_s,
                    text=line.text,
                    score=line.score,
                    box=line.box,
                    mirrored=frame.mirrored,
                    model=line.model,
                )
            else:
                seen[found] = replace(seen[found], end_s=frame.time_s)
    return seen


def _mark_captions(seen: Sequence[Seen], done: Sequence[_Read]) -> Iterator[Seen]:
    """A caption keeps its spot while the picture behind it changes; a subtitle lies low, in the middle, and comes and goes."""
    low_middle = [s for s in seen if s.box[1] > 0.72 and abs((s.box[0] + s.box[2]) / 2 - 0.5) < 0.12]
    subtitles = len({round(s.start_s, 1) for s in low_middle}) >= 3
    for s in seen:
        fixed = [f for f in done if s.start_s <= f.time_s <= s.end_s and any(_stays(s, line) for line in f.lines)]
        changes = sum(np.abs(a.thumbnail - b.thumbnail).mean() > _NEW_PICTURE for a, b in pairwise(fixed))
        yield replace(s, caption=changes >= 1 or (subtitles and s in low_middle))


def _stays(seen: Seen, line: Line) -> bool:
    return _same(seen.text, line.text) and max(abs(a - b) for a, b in zip(seen.box, line.box, strict=True)) < 0.03
