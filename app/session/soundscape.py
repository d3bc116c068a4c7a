"""The state of the page Soundscapes: the affinity shown and the work that makes the next one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

import engine
from app.figures.ground import ground_json
from app.session.session import current as current_session
from app.session.work import Work
from engine import Progress
from engine.clues import affinity_countries, affinity_places


@dataclass(frozen=True)
class Seen:
    """An affinity and what is said of it."""

    affinity: engine.Affinity
    places: tuple[engine.Match, ...]
    countries: tuple[engine.Match, ...]


@dataclass
class Soundscape:
    """What the page Soundscapes works on."""

    work: Work | None = None
    seen: Seen | None = None
    ranked: tuple[engine.Match, ...] = ()
    error: str = ""
    note: str = ""


def current() -> Soundscape:
    """This session's."""
    if "soundscape" not in st.session_state:
        st.session_state["soundscape"] = Soundscape()
    found: Soundscape = st.session_state["soundscape"]
    return found


def see(title: str, make: Callable[[Callable[[Progress], None]], engine.Affinity]) -> None:
    """Make an affinity in the background and show it."""

    def do(report: Callable[[Progress], None]) -> Seen:
        affinity = make(report)
        ground_json("medium")
        return Seen(affinity, affinity_places(affinity), affinity_countries(affinity))

    start_work(title, do)


def start_work(title: str, do: Callable[[Callable[[Progress], None]], Any]) -> None:
    """Start something slow for the page Soundscapes; what ran before is stopped."""
    s = current()
    if s.work is not None:
        s.work.cancel()
    s.error = s.note = ""
    s.work = Work(title, do)


def take_work(s: Soundscape) -> None:
    """Take over what finished work made, or its error."""
    work = s.work
    if work is None or work.running:
        return
    s.work = None
    s.error = work.error
    s.note = "Stopped." if work.cancelled else ""
    if isinstance(work.made, Seen):
        s.seen, s.ranked = work.made, ()
    elif work.made is not None:
        s.ranked = work.made


def kept_upload(upload: Any) -> Path:
    """An upload written to this session's folder, which goes away with it."""
    folder = current_session().folder / "soundscape"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    suffix = "".join(c for c in Path(upload.name).suffix[:12] if c.isalnum() or c == ".")
    path = folder / f"clip{suffix}"
    path.write_bytes(upload.getbuffer())
    return path
