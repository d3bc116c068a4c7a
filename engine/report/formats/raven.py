"""A Finding as a selection table of Raven: a row a species or sound heard in a window, for review in Raven Pro or Raven Lite.

Tab-separated, a header, one view (Spectrogram 1); columns and their names as in the Raven Pro 1.6 User's Manual, "Selection
tables". Frequencies span what the detector listens to, since it gives none. Confidence is the model's own score. What the
analyst left out is not in it. `engine.analysis.edits.read_table` reads it back.
"""

from __future__ import annotations

import math

from engine.core.finding import Finding
from engine.core.observation import Observation
from engine.core.perceived import HEARD_SCORE, gather
from engine.media.source import shown
from engine.report.formats.record import clip_name
from engine.report.view.text import fit

COLUMNS = (
    "Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)", "Begin File",
    "Scientific Name", "Common Name", "Confidence", "Annotation",
)  # fmt: skip
LOW_HZ, HIGH_HZ = 0, 15_000  # BirdNET's band


def to_raven(finding: Finding) -> str:
    """The table, windows of HEARD_SCORE or more and all that the analyst put in, in order of time."""
    name = clip_name(finding.clip)
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(_row(i, o, name, _top_hz(finding))) for i, o in enumerate(_selections(finding), 1)]
    return fit("\n".join(lines) + "\n")


def _selections(finding: Finding) -> list[Observation]:
    selected = {k.name for k in finding.registry.kinds if k.selected}
    heard = [
        o
        for p in gather(finding)
        if p.best.kind in selected and not p.dropped
        for o in p.observations
        if o.score >= HEARD_SCORE or o.by_analyst
    ]
    return sorted(heard, key=lambda o: (o.start_s, o.end_s, -o.score, o.label))


def _row(number: int, o: Observation, clip: str, high_hz: int) -> tuple[str, ...]:
    name = shown(o.name or o.label, 120)
    author = "" if not o.by_analyst else f"{name}, by {shown(o.author, 80)}"
    return (
        str(number), "Spectrogram 1", "1", _ms(o.start_s), _ms(max(o.end_s, o.start_s)), str(LOW_HZ), str(high_hz), clip,
        shown(o.label, 120), name, f"{o.score:.4f}", author or name,
    )  # fmt: skip


def _ms(seconds: float) -> str:
    """A time to the millisecond, never rounded up: beyond the end of the clip there is nothing to select."""
    return f"{math.floor(seconds * 1000.0 + 1e-6) / 1000.0:.3f}"


def _top_hz(finding: Finding) -> int:
    """The upper edge of the selections: the detector's, or half of the clip's rate where that is lower."""
    rates = [s.rate_hz for s in finding.clip.streams if s.kind == "audio" and s.rate_hz]
    return min(HIGH_HZ, math.floor(min(rates) / 2)) if rates else HIGH_HZ
