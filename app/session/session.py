"""One session: the clip that is open, its settings and edits, what is selected and shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

import engine
from app.figures.view import View
from app.session import jobs
from app.session.work import Preview, Reel, Work
from engine import Finding, Perception, Settings
from engine.case import CaseClip
from engine.core import Effect, Scratch, scratch_folder

_KEY = "session"
SHOWN = "clips_shown"  # sha256 of those whose picture was shown: they cannot be judged blind any more


@dataclass(frozen=True)
class Undoable:
    """One change of the analyst's mind: what was done, and how things stood before."""

    said: str
    before: Settings
    after: Settings


@dataclass(frozen=True)
class LoggedChange:
    """What the analyst did to the settings, ways back included, for the log of a case; never taken away again."""

    what: str
    before: Settings
    after: Settings
    why: str = ""
    who: str = ""
    scores: bool = True


@dataclass
class CaseLink:
    """The case that the open clip is kept in.

    Attributes:
        place: the case asked for; it is written to once the clip is judged.
        case_clip: the clip in it, or None while it is not there.
        entered: how many of the session's moves it contains.
        left: the case that the clip was kept in before.
        who: the name recorded in its log, as it was when the page was drawn: threads cannot ask.
    """

    place: str = ""
    case_clip: CaseClip | None = None
    work: Work | None = None
    entered: int = 0
    left: str = ""
    who: str = ""
    error: str = ""


@dataclass
class Session:
    """What one session works on."""

    scratch: Scratch = field(default_factory=scratch_folder)  # uploads and previews; gone with the session
    door: str = ""
    waiting: Path | None = None  # a sound or picture that was dropped first of several: the next may belong to it
    shared: dict[str, str] = field(default_factory=dict)
    poster: str = ""  # where the one picture of a still is served
    job: jobs.Job | None = None
    job_id: str = ""
    title: str = ""
    path: Path | None = None
    reader: Any = None
    perception: Perception | None = None
    settings: Settings = field(default_factory=Settings)
    edits: list[Undoable] = field(default_factory=list)
    undone: list[Undoable] = field(default_factory=list)
    moves: list[LoggedChange] = field(default_factory=list)
    case: CaseLink = field(default_factory=CaseLink)
    blind: bool = False
    sealed: Perception | None = None
    effects: dict[Settings, tuple[Effect, ...]] = field(default_factory=dict)
    message: str = ""
    peaks: tuple[float, ...] = ()
    judged: dict[Settings, Finding] = field(default_factory=dict)
    line: tuple[Finding, engine.Timeline] | None = None
    selected: str | None = None
    moment_s: float = 0.0
    seek: int = 0
    play: bool = False  # whether the player plays when it has gone where `seek` sends it
    layer: str = "sound"
    globe: bool = False
    view: View | None = None
    range_view: View = field(default_factory=lambda: View(15.0, 8.0, 0.0))
    preview: Preview | None = None
    reel: Reel | None = None
    reports: dict[str, tuple[Finding, Work]] = field(default_factory=dict)  # reports being made or made, by their kind
    direct_failed: bool = False
    error: str = ""
    note: str = ""

    @property
    def folder(self) -> Path:
        return Path(self.scratch.name)


def current() -> Session:
    """This session's state."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Session()
    found: Session = st.session_state[_KEY]
    return found
