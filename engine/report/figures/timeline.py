"""When what was perceived, as SVG: one row per thing, time from left to right, darker where the score is higher."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from engine.core.clip import Interval
from engine.core.modality import Modality
from engine.core.perceived import Perceived
from engine.core.spec import Registry
from engine.core.timeline import Timeline
from engine.media.source import shown
from engine.report.figures.colour import modality_colour
from engine.report.view import words

_LEFT, _WIDTH, _ROW, _TOP, _BOTTOM = 210, 770, 22, 6, 34
_MOST_BLOCKS = 600


def timeline(perceived: Sequence[Perceived], interval: Interval, registry: Registry, cuts_s: Sequence[float] = ()) -> str:
    """Rows for these things over the interval; `cuts_s` are the shots' beginnings, drawn as thin lines."""
    height = _TOP + _ROW * len(perceived) + _BOTTOM
    scale = _WIDTH / interval.length_s
    bottom = _TOP + _ROW * len(perceived)
    lines = "".join(
        f'<path d="M{_LEFT + (c - interval.start_s) * scale:.1f} {_TOP}V{bottom}" class="cut"/>'
        for c in cuts_s
        if interval.start_s < c < interval.end_s
    )
    rows = "".join(_row(p, i, interval, scale, _modality(p, registry)) for i, p in enumerate(perceived))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 20} {height}" role="img" class="timeline" '
        f'aria-label="When each observation was made">{lines}{rows}{_axis(interval, scale, bottom)}</svg>'
    )


def _modality(p: Perceived, registry: Registry) -> Modality:
    kind = registry.kind(p.best.kind)
    return kind.modality if kind else Modality.SOUND


def _row(p: Perceived, at: int, interval: Interval, scale: float, modality: Modality) -> str:
    y = _TOP + at * _ROW
    fill = modality_colour(modality)
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


_AWAY_TICKS_KM = (0, 250, 1000, 2500, 5000, 10_000, 20_000)
_HIGH = 150


def moments(line: Timeline, interval: Interval) -> str:
    """How far each modality points from the timeline's reference as time goes by; distances by their square root."""
    scale = _WIDTH / interval.length_s
    bottom = _TOP + _HIGH
    out = [
        f'<path d="M{_LEFT + (t - interval.start_s) * scale:.1f} {_TOP}V{bottom}" class="{kind}"/>'
        for kind, times in (("cut", line.cuts_s), ("scene-edge", line.scenes_s))
        for t in times[:_MOST_BLOCKS]
        if interval.start_s < t < interval.end_s
    ]
    for km in _AWAY_TICKS_KM:
        y = _y(km)
        out.append(f'<path d="M{_LEFT} {y:.1f}h{_WIDTH}" class="rule"/>')
        out.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" class="axis">{km:,} km</text>')
    for m in line.moments:
        x = _LEFT + max(0.0, m.start_s - interval.start_s) * scale
        width = max(2.0, (min(m.end_s, interval.end_s) - max(m.start_s, interval.start_s)) * scale)
        if not m.spoke:
            out.append(f'<rect x="{x:.1f}" y="{bottom + 1}" width="{width:.1f}" height="2" fill="#9aa1a8" fill-opacity=".5"/>')
            continue
        strength = 0.35 + 0.65 * min(1.0, m.gain_nats / 5.0)
        label = f"{words.modality(m.modality)} {words.span(m.start_s, m.end_s)}: {shown(m.place, 80)}, {words.km(m.away_km)} away"
        edge = ' class="seen"' if m.modality == "picture" else ""  # distinguished without colour too
        names = "; " + ", ".join(shown(x, 40) for x in m.labels) if m.labels else ""
        out.append(
            f'<rect x="{x:.1f}" y="{_y(m.away_km) - 3.5:.1f}" width="{width:.1f}" height="7" rx="2" '
            f'fill="{modality_colour(m.modality)}" fill-opacity="{strength:.2f}"{edge}>'
            f"<title>{escape(label + names)}</title></rect>"
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 20} {bottom + _BOTTOM}" role="img" '
        f'class="timeline" aria-label="Distance of sound and picture from the reference over time">{"".join(out)}'
        f"{_axis(interval, scale, bottom + 4)}</svg>"
    )


def _y(away_km: float) -> float:
    return _TOP + _HIGH * (1.0 - (min(max(away_km, 0.0), _AWAY_TICKS_KM[-1]) / _AWAY_TICKS_KM[-1]) ** 0.5)
