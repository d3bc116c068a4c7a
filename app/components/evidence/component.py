"""Player, timeline and evidence list in one piece, with the keyboard.

It is one component because its parts must follow each other without asking the server: a click on a window seeks and plays at
once, and only then tells Python what was chosen. All text from files is set as text, never as HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from app.session import media, widgets
from engine import Finding, Perceived, gather
from engine.core import Registry

MOST_ROWS = 60
MOST_SPANS = 300
CLOSEST = 400  # spans nearer to each other than this share of the clip are drawn as one: nobody could tell them apart
LEAST_SHOWN = 0.1

_ASSETS = Path(__file__).parent


@cache
def _component() -> Any:
    html, css, js = ((_ASSETS / name).read_text("utf-8") for name in ("evidence.html", "evidence.css", "evidence.js"))
    return st.components.v2.component("earwitness_evidence", html=html, css=css, js=js)


def listed_evidence(finding: Finding) -> tuple[tuple[Perceived, ...], int]:
    """What is worth a row, strongest first, and how much was left out as too faint or too much.

    Of the container's tags only those that state a place are evidence, and they come last: they are the easiest to forge.
    """
    hidden = {k.name for k in finding.registry.kinds if not k.listed}
    stated = {k.name for k in finding.registry.kinds if k.modality == "container"}
    every = [p for p in gather(finding) if p.best.kind not in hidden and (p.best.kind not in stated or p.best.vector is not None)]
    worth = [p for p in every if p.best.score >= LEAST_SHOWN or p.dropped or p.added]
    worth.sort(key=lambda p: (p.best.kind in stated, not can_locate(p, finding.registry), -p.best.score))
    return tuple(worth[:MOST_ROWS]), len(every) - len(worth[:MOST_ROWS])


def can_locate(p: Perceived, registry: Registry) -> bool:
    """Whether it can say anything of a place: not a named sound, nor speech, nor a text that reads as nothing in particular."""
    kind = registry.kind(p.best.kind)
    return (kind is None or kind.located) and (p.best.kind != "text" or any(o.note for o in p.observations))


def is_scored(kind: str, registry: Registry) -> bool:
    """Whether a clue can score an observation of this kind; a named sound is listed and nothing more."""
    known = registry.kind(kind)
    return known is None or known.scored


def modality_of(kind: str, registry: Registry) -> str:
    """The modality an observation of this kind belongs to, "" where nobody knows the kind."""
    known = registry.kind(kind)
    return known.modality if known else ""


def evidence_list(
    finding: Finding,
    rows: tuple[Perceived, ...],
    left_out: int,
    playable: media.Playable | None,
    waiting: str,
    selected: str | None,
    moment_s: float,
    seek: int,
    peaks: tuple[float, ...],
    on_act: Callable[[dict[str, Any]], None],
    play: bool = False,
) -> None:
    """Draw it.

    Args:
        waiting: why there is no player yet, or "".
        moment_s: where the player goes when `seek` has grown.
        peaks: how loud the clip is, in even steps of its length, 0 to 1; may be empty.
        play: whether it plays on from there.
        on_act: called, as a callback, with what was done: {"do": "select", …}; see `selecting.act`.
    """
    key = "evidence"

    def acted() -> None:
        act = widgets.reported(key)
        if act and isinstance(act.get("do"), str):
            on_act(act)

    _component()(
        key=key,
        data={
            "url": playable.url if playable else "",
            "poster": playable.poster if playable else "",
            "start": playable.start_s if playable else 0.0,
            "end": playable.end_s if playable else 0.0,
            "picture": bool(finding.clip.video_tracks),
            "waiting": waiting,
            "duration": finding.clip.duration_s or finding.interval.end_s,
            "from": finding.interval.start_s,
            "to": finding.interval.end_s,
            "rows": [_row(p, finding.registry, finding.clip.duration_s or finding.interval.end_s) for p in rows],
            "leftOut": left_out,
            "selected": selected or "",
            "moment": moment_s,
            "seek": seek,
            "play": play,
            "peaks": list(peaks),
        },
        on_act_change=acted,
    )


def joined_spans(spans: Sequence[tuple[float, float]], length_s: float) -> list[list[float]]:
    """Spans as they can be seen on a timeline: close ones joined, so that hours of them stay light."""
    out: list[list[float]] = []
    for start_s, end_s in spans:
        if out and start_s - out[-1][1] < length_s / CLOSEST:
            out[-1][1] = max(out[-1][1], end_s)
        else:
            out.append([start_s, end_s])
    return [[round(a, 2), round(b, 2)] for a, b in out[:MOST_SPANS]]


def _row(p: Perceived, registry: Registry, length_s: float) -> dict[str, Any]:
    best = p.best
    kind = registry.kind(best.kind)
    return {
        "key": p.key,
        "title": p.title[:120],
        "label": best.label[:160] if best.label != p.title and not (kind and kind.coded) else "",
        "kind": kind.title if kind else best.kind,
        "modality": modality_of(best.kind, registry),
        "counts": is_scored(best.kind, registry),
        "mute": not can_locate(p, registry),
        "score": round(best.score, 2),
        "best": [best.start_s, best.end_s],
        "windows": p.windows,
        "spans": joined_spans(p.spans, length_s),
        "dropped": p.dropped,
        "added": p.added,
        "confirmed": bool(p.confirmed) and not p.added,
    }
