"""When what was perceived, as SVG: one row per thing, time from left to right, darker where the score is higher."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from engine.core.clip import Interval
from engine.media.source import shown
from engine.report import words
from engine.report.colour import modality_colour
from engine.report.perceived import Perceived

_LEFT, _WIDTH, _ROW, _TOP, _BOTTOM = 210, 770, 22, 6, 34
_PICTURE_KINDS = frozenset({"text", "scene"})
_MOST_BLOCKS = 600


def timeline(perceived: Sequence[Perceived], interval: Interval, cuts_s: Sequence[float] = ()) -> str:
    """Rows for these things over the interval; `cuts_s` are the shots' beginnings, drawn as thin lines."""
    height = _TOP + _ROW * len(perceived) + _BOTTOM
    scale = _WIDTH / interval.length_s
    bottom = _TOP + _ROW * len(perceived)
    lines = "".join(
        f'<path d="M{_LEFT + (c - interval.start_s) * scale:.1f} {_TOP}V{bottom}" class="cut"/>'
        for c in cuts_s
        if interval.start_s < c < interval.end_s
    )
    rows = "".join(_row(p, i, interval, scale) for i, p in enumerate(perceived))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 20} {height}" role="img" class="timeline" '
        f'aria-label="When each thing was perceived">{lines}{rows}{_axis(interval, scale, bottom)}</svg>'
    )


def _row(p: Perceived, at: int, interval: Interval, scale: float) -> str:
    y = _TOP + at * _ROW
    fill = modality_colour("picture" if p.best.kind in _PICTURE_KINDS else "sound")
    strongest = sorted(p.observations, key=lambda o: -o.score)[:_MOST_BLOCKS]
    blocks = []
    for o in sorted(strongest, key=lambda o: o.score):
        x = _LEFT + max(0.0, o.start_s - interval.start_s) * scale
        end = _LEFT + min(interval.length_s, max(o.end_s, o.start_s) - interval.start_s) * scale
        width = max(2.0, end - x)
        blocks.append(
            f'<rect x="{x:.1f}" y="{y + 4}" width="{width:.1f}" height="{_ROW - 8}" fill="{fill}" '
            f'fill-opacity="{0.08 + 0.8 * o.score:.2f}"/>'
        )
    name = escape(shown(p.title, 30))
    struck = ' text-decoration="line-through"' if p.dropped else ""
    return (
        f'<path d="M{_LEFT} {y + _ROW}h{_WIDTH}" class="rule"/>'
        f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end" class="axis"{struck}>{name}</text>{"".join(blocks)}'
    )


def _axis(interval: Interval, scale: float, y: int) -> str:
    step = next((s for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600) if interval.length_s / s <= 12), 7200)
    out = []
    first = int(-(-interval.start_s // step))
    k = first
    while k * step <= interval.end_s + 1e-9:
        x = _LEFT + (k * step - interval.start_s) * scale
        out.append(f'<path d="M{x:.1f} {y}v5" class="tick-line"/>')
        out.append(f'<text x="{x:.1f}" y="{y + 18}" text-anchor="middle" class="axis">{words.clock(k * step)}</text>')
        k += 1
    return "".join(out)
