"""What was heard and seen, ready to be shown: species with their spectrogram, sound and range map, frames with boxes, tables."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from engine.core.clip import Reader
from engine.core.errors import EarwitnessError
from engine.core.finding import Finding
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.perceived import HEARD_SCORE, Perceived
from engine.media.source import shown
from engine.report.figures import map as maps
from engine.report.figures.spectrogram import excerpt
from engine.report.view import edits, words

Ranges = Callable[[str, date | None], tuple[Grid, NDArray[np.float32]]]

_MOST_FRAMES = 6
_FRAME_PX = 960
_NOTHING = Markup("")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing perceived, for a table."""

    title: str
    label: str
    score: str
    windows: int
    spans: str
    note: str


@dataclass(frozen=True, slots=True)
class Card:
    """One species with what can be heard and seen of it."""

    row: Row
    window: str
    spectrogram: Markup = _NOTHING
    wav: Markup = _NOTHING
    range: Markup = _NOTHING
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Still:
    """A frame with what was read or seen in it."""

    time: str
    uri: Markup
    texts: tuple[str, ...]


def row(p: Perceived) -> Row:
    spans = ", ".join(words.span(a, b) for a, b in p.spans[:8])
    more = f" and {len(p.spans) - 8} more" if len(p.spans) > 8 else ""
    faint = p.best.kind == "species" and p.best.score < HEARD_SCORE and not p.added
    notes = (
        "faint: below the detection threshold" if faint else "",
        "left out by the analyst" if p.dropped else "",
        "added by the analyst" if p.added and p.best.by_analyst else "read in from a table" if p.added else "",
        f"confirmed by the analyst: {edits.sure(p.confirmed)}" if p.confirmed and not p.added else "",
        p.best.note,
    )
    remark = shown("; ".join(n for n in notes if n), 240)
    label = p.best.label if p.best.name and p.best.name != p.best.label else ""
    return Row(shown(p.title, 120), shown(label, 120), f"{p.best.score:.2f}", p.windows, spans + more, remark)


def card(p: Perceived, finding: Finding, reader: Reader | None, ranges: Ranges | None) -> Card:
    o = p.best
    spectrogram = wav = drawn = Markup("")
    problem = ""
    if reader is not None and reader.clip.audio_tracks:
        try:
            heard = excerpt(reader, o.start_s, o.end_s, finding.settings.track)
            spectrogram, wav = Markup(heard.spectrogram), Markup(heard.wav)
        except EarwitnessError as error:
            problem = shown(str(error), 300)
    if ranges is not None:
        try:
            grid, chance = ranges(o.label, finding.settings.when)
            drawn = Markup(maps.range_map(grid, chance, f"Where {shown(p.title, 80)} is recorded"))
        except EarwitnessError as error:
            problem = shown(f"{problem} {error}".strip(), 300)
    return Card(row(p), words.span(o.start_s, o.end_s), spectrogram, wav, drawn, problem)


def stills(finding: Finding, reader: Reader | None) -> tuple[Still, ...]:
    """Frames that hold boxes, the best first, in order of time."""
    if reader is None or not reader.clip.video_tracks:
        return ()
    by_time: dict[float, list[Observation]] = {}
    for o in finding.perception.observations:
        if o.box is not None:
            by_time.setdefault(o.start_s, []).append(o)
    best = sorted(sorted(by_time, key=lambda t: -max(o.score for o in by_time[t]))[:_MOST_FRAMES])
    try:
        frames = list(reader.frames(best, max_side_px=_FRAME_PX)) if best else []
    except EarwitnessError:
        return ()
    dropped = finding.settings.dropped
    return tuple(_still(t, frame.rgb, tuple(by_time[t]), dropped) for t, frame in zip(best, frames, strict=False))


def _still(time_s: float, rgb: NDArray[np.uint8], seen: tuple[Observation, ...], dropped: frozenset[str]) -> Still:
    from engine.media.draw import annotate, marks_of

    data = io.BytesIO()
    Image.fromarray(annotate(rgb, marks_of(seen, dropped))).save(data, "JPEG", quality=85)
    uri = "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")
    ordered = sorted(seen, key=lambda o: -o.score)
    return Still(
        words.clock(time_s), Markup(uri), tuple(shown(f"{o.label}{f' ({o.note})' if o.note else ''}", 160) for o in ordered)
    )
