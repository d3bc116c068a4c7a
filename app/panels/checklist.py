"""What you see, on Examine: a checklist of cues with a picture of each, worked through beside a frame.

Each tick is an edit by the analyst: it counts at once, is listed with what it did, and can be undone.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import streamlit as st
from PIL import Image

from app.components.checklist.component import checklist
from app.panels.style import dark, plain, tip
from app.session import caches, editing, media, selecting, widgets
from app.session.session import Session, current
from engine import EarwitnessError, Finding
from engine.analysis import cue_groups, cue_most, drop_cue, note_cue
from engine.clues import cue_sheet, cue_where
from engine.core import CONFIDENCES

_COLUMNS = 16
_USUAL = "probable"
_WHAT = (
    "Houses, plants, roads, plates, land: cues that no model here detects. Tick what you plainly see, not what would fit a "
    "guess. Each counts by a table with sources; what all of them together are worth was fitted on pictures of known place. "
    "What the program has read itself is not counted twice."
)


def checklist_panel(session: Session, found: Finding) -> None:
    """Draw it; nothing while the sound is being judged blind."""
    if session.blind or not (found.clip.video_tracks or found.clip.audio_tracks):
        return
    seen = bool(found.clip.video_tracks)
    title, about = ("What you see", "a checklist of two minutes") if seen else ("What you hear", "cues of the sound")
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f"<span class='ew-h'>{title}</span> <span class='ew-dim ew-edits'>{tip(about, _WHAT)}</span>")
            st.space("stretch")
            st.toggle("Work through it", key="checklist-on")
        if widgets.value("checklist-on"):
            _working(session, found, seen)


def _working(session: Session, found: Finding, seen: bool) -> None:
    frame = ""
    if seen:
        whole = found.interval
        widgets.default("checklist-at", float(min(max(session.moment_s, whole.start_s), whole.end_s)))
        if whole.length_s > 0.5:
            st.slider("Frame at, s", float(whole.start_s), float(whole.end_s), key="checklist-at", step=0.5)
        frame = _frame(session, float(widgets.value("checklist-at") or 0.0))
    cues = _cues(seen)
    ids = tuple(c["id"] for c in cues)
    judged = {e.clue for e in found.evidence if e.abstained is None}
    read = {g for s in found.registry.clues if s.name in judged for g in s.groups}
    rows = -(-len(ids) // _COLUMNS)
    maps = caches.cue_maps(ids, _COLUMNS, dark())
    checklist(
        [{**c, "judged": c["group"] in read} for c in cues],
        _noted(session),
        CONFIDENCES,
        dict(CONFIDENCES)[_USUAL],
        {"url": media.served(_sheet(ids), "image/svg+xml", "cue-pictures"), "columns": _COLUMNS, "rows": rows},
        {"url": media.served(maps, "image/png", f"cue-maps-{'dark' if dark() else 'light'}"), "columns": _COLUMNS, "rows": rows},
        frame,
        _tick,
    )


@lru_cache(maxsize=2)
def _cues(seen: bool) -> tuple[dict[str, Any], ...]:
    """All cues of the picture and the sound, or those of the sound alone."""
    own = [c for _, group in cue_groups() for c in group if seen or c.modality == "sound"]
    return tuple(
        {
            "id": c.id,
            "group": c.group,
            "what": c.what,
            "meaning": c.meaning,
            "where": cue_where(c),
            "most": f"{most:.0f}" if (most := cue_most(c)) >= 9.5 else f"{most:.1f}",
            "doubt": c.doubt,
            "source": c.source.rstrip("."),
            "at": at,
        }
        for at, c in enumerate(own)
    )


@lru_cache(maxsize=2)
def _sheet(ids: tuple[str, ...]) -> bytes:
    return cue_sheet(ids, _COLUMNS).encode()


def _frame(session: Session, at_s: float) -> str:
    try:
        frame = media.frame(session, at_s)
    except EarwitnessError as error:
        st.error(plain(error, 400))
        return ""
    if frame is None:
        st.caption("No picture can be decoded at that moment.")
        return ""
    return media.served(_jpeg(frame.tobytes(), (frame.shape[1], frame.shape[0])), "image/jpeg", "checklist-frame")


@lru_cache(maxsize=4)
def _jpeg(data: bytes, shape: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", shape, data).save(out, "JPEG", quality=88)
    return out.getvalue()


def _noted(session: Session) -> dict[str, float]:
    """Cues that the analyst noted, with the confidence."""
    return {o.label: o.score for o in session.settings.added if o.clue == "cues"}


def _tick(cue: str, sure: float | None) -> None:
    session = current()
    again = cue in _noted(session)
    perception = session.perception
    if perception is None:
        return
    at_s = float(widgets.value("checklist-at") or perception.interval.start_s)
    at_s = min(max(at_s, perception.interval.start_s), perception.interval.end_s)
    if sure is None:
        editing.do(lambda: drop_cue(cue, editing.analyst()))
    elif editing.do(lambda: note_cue(cue, at_s, at_s, sure, editing.analyst(), again=again)):
        selecting.select(session.settings.added[-1].key, at_s)
