"""Facts of a clip and of a job, as lines: the file, its stages, what failed, which models contributed. Every text is escaped."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import streamlit as st

from app.panels.style import clean, plain, tip
from app.session.session import Undoable
from engine import Clip, Finding, Settings, credits
from engine.case import JobStage
from engine.report import licence_note
from engine.report.view import words


def clip_facts(clip: Clip, title: str, settings: Settings, sealed: bool = False) -> None:
    """One line on the file; a sealed one has neither name nor picture."""
    said = [f"<b title='{clean(clip.path, 400)}'>{clean('Sealed clip' if sealed else title, 70)}</b>"]
    if clip.is_still:
        said.append("<span>still picture</span>")
    elif clip.duration_s is not None:
        said.append(f"<span>{words.clock(clip.duration_s)}</span>")
    looked_at = clip.choice("video")
    for s in [looked_at.stream] if looked_at else clip.video_tracks[:1]:
        fps = f", {s.fps:.3g} fps" if s.fps else ""
        said.append(f"<span>{s.width_px or '?'}×{s.height_px or '?'}{fps}, {clean(s.codec, 12)}</span>")
    if not clip.video_tracks and not sealed:
        said.append("<span>no picture</span>")
    tracks = clip.audio_tracks
    if tracks:
        main = clip.choice("audio")
        track = next((s for s in tracks if s.track == settings.track), main.stream if main else tracks[0])
        rate = f" {track.rate_hz / 1000:g} kHz" if track.rate_hz else ""
        said.append(
            f"<span>{clean(track.codec, 12)} {clean(track.layout or '', 12)}{rate} (track {track.track} of {len(tracks)})</span>"
        )
    else:
        said.append("<span>no sound</span>")
    if not sealed:
        said.append(f"<span>{words.size(clip.size_bytes)}</span>")
    said.append(f"<span title='SHA-256 {clean(clip.sha256)}'>sha256 {clean(clip.sha256[:4])}…{clean(clip.sha256[-3:])}</span>")
    for name, sha256 in clip.beside if not sealed else ():
        said.append(f"<span title='SHA-256 {clean(sha256)}'>with the picture {clean(name, 60)}</span>")
    if clip.problems:
        remarks = clean(" ".join(clip.problems), 600)
        count = f"{len(clip.problems)} remark{'s' if len(clip.problems) > 1 else ''}"
        said.append(f"<span><span class='ew-tip' title='{remarks}'>⚠ {count} on the file</span></span>")
    st.html(f"<div class='ew-facts'>{said[0]}{''.join(said[1:])}</div>")


def failed_clues(finding: Finding, again: Callable[[], None]) -> None:
    """Which clues failed, why, and a way to try them again; nothing when none did."""
    why = list(finding.perception.failed.values())
    if not why:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        many = "This was" if len(why) == 1 else "These were"
        listed = "  \n".join(plain(x, 400) for x in why)
        st.warning(f"{listed}  \n{many} left out of the result.", icon=":material/sync_problem:", width="stretch")
        st.button(
            "Examine again",
            key="examine-again",
            icon=":material/refresh:",
            help="Runs only what failed; your edits are kept.",
            on_click=again,
        )


def edit_chips(made: Sequence[Undoable]) -> None:
    """What the analyst changed, oldest first."""
    chips = "".join(f"<span class='ew-chip'>{clean(e.said, 70)}</span>" for e in made[-8:])
    more = f"<span class='ew-dim'>{len(made) - 8} earlier, </span>" if len(made) > 8 else ""
    st.html(f"<div class='ew-edits'>Your edits: {more}{chips}</div>")


def job_stages(done: Sequence[JobStage]) -> None:
    """The stages a job went through, with times and how far it is."""
    rows = []
    for s in done:
        share = f"{min(1.0, s.done / s.total):.0%}" if s.total and s.ended is None else ""
        mark = "✓" if s.ended is not None else "…"
        seconds = max(0.0, (s.ended or time.time()) - s.began)
        rows.append(
            f"<tr><td>{mark} {clean(s.name, 60)}</td><td class='ew-num'>{share}</td><td class='ew-num'>{seconds:.1f} s</td></tr>"
        )
    st.html(f"<table class='ew-stages'>{''.join(rows)}</table>")


def models_used(finding: Finding) -> None:
    """Which models contributed, and what their licences mean for the use of the result."""
    said = ", ".join(
        tip(c.title, f"{c.purpose}; {c.licence}; {c.source}; sha256 {c.sha256[:16] or 'unknown'}")
        for c in credits(finding.provenance.models, finding.registry)
    )
    note = licence_note(finding.provenance.models, finding.registry)
    silent = ", ".join(tip(finding.registry.title(e.clue), e.abstained) for e in finding.evidence if e.abstained is not None)
    spoke = f"Models used: {said}. {clean(note, 300)}" if said else ""
    quiet = f" No evidence from (reasons on hover): {silent}." if silent else ""
    if spoke or quiet:
        st.html(f"<div class='ew-edits ew-dim'>{spoke}{quiet}</div>")
