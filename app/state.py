"""What lasts between two runs of a page: the clip on the bench, the job that examines it, the analyst's edits, caches.

The only place that touches `st.session_state`.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime import get_instance

import engine
from app import route
from app.job import Job, queue
from app.maps import View, ground_json
from app.work import Preview, Reel, Work
from engine import Clip, EarwitnessError, Finding, Grid, Interval, Perception, Progress, Settings
from engine.analysis import edit_step, setting_choice
from engine.analysis import edits as engine_edits
from engine.analysis import effects as engine_effects
from engine.analysis import species_range as engine_species_range
from engine.analysis import warm_up as engine_warm_up
from engine.case import CaseClip, JobTicket
from engine.clues import affinity_countries, affinity_places
from engine.core import Choice, Effect, Scratch, Step, chosen_settings, edit_steps, edited, scratch_folder, untouched
from engine.media import excerpt_wav
from engine.report.view import edits as edit_words
from engine.report.view import words

_LOG = logging.getLogger("earwitness.app")
_BENCH = "bench"
_OPENED = "opened_with"
_SHOWN = "clips_shown"  # sha256 of those whose picture was shown: they cannot be judged blind any more
_TURN_TO = "turn_to"
CASE = "case_place"
OUTLINES = "outlines"

IN_MEMORY_BYTES = 24_000_000  # played as it is without the server's own routes: it then passes through memory
WHOLE_PREVIEW_S = 150.0  # up to this length the whole clip gets a preview, beyond it a stretch around the moment looked at
STRETCH_S = 60.0
MOST_JUDGED = 112  # a film's scenes among them
LEAST_STRETCH_S = 1.0
NAME = "analyst_name"


@dataclass(frozen=True)
class Edit:
    """One change of the analyst's mind: what was done, and how things stood before."""

    said: str
    before: Settings
    after: Settings


@dataclass(frozen=True)
class Move:
    """What the analyst did to the settings, ways back included, for the log of a case; never taken away again."""

    what: str
    before: Settings
    after: Settings
    why: str = ""
    who: str = ""
    scores: bool = True


@dataclass
class Filing:
    """The case that the clip on the bench is kept in.

    Attributes:
        place: the case asked for; it is written to once the clip is judged.
        filed: the clip in it, or None while it is not there.
        entered: how many of the bench's moves it holds.
        left: the case that the clip was kept in before.
        who: whose name its log bears, as it was when the page was drawn: threads cannot ask.
    """

    place: str = ""
    filed: CaseClip | None = None
    work: Work | None = None
    entered: int = 0
    left: str = ""
    who: str = ""
    error: str = ""


@dataclass
class Bench:
    """What one session works on."""

    scratch: Scratch = field(default_factory=scratch_folder)  # uploads and previews; gone with the session
    door: str = ""
    shared: dict[str, str] = field(default_factory=dict)
    job: Job | None = None
    job_id: str = ""
    title: str = ""
    path: Path | None = None
    reader: Any = None
    perception: Perception | None = None
    settings: Settings = field(default_factory=Settings)
    edits: list[Edit] = field(default_factory=list)
    undone: list[Edit] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    filing: Filing = field(default_factory=Filing)
    blind: bool = False
    sealed: Perception | None = None
    effects: dict[Settings, tuple[Effect, ...]] = field(default_factory=dict)
    told: str = ""
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
    papers: dict[str, tuple[Finding, Work]] = field(default_factory=dict)  # reports being made or made, by their kind
    direct_failed: bool = False
    error: str = ""
    note: str = ""

    @property
    def folder(self) -> Path:
        return Path(self.scratch.name)


def bench() -> Bench:
    """This session's bench."""
    if _BENCH not in st.session_state:
        st.session_state[_BENCH] = Bench()
    found: Bench = st.session_state[_BENCH]
    return found


# --- opening ------------------------------------------------------------------------------------------------------------


def open_path(text: str) -> None:
    """Examine the file at a path typed or pasted, quotes and ~ allowed."""
    b = bench()
    path = Path(text.strip().strip("'\"").removeprefix("file://")).expanduser()
    if not text.strip():
        b.error = "No path was given; paste the full path of a film, a broadcast or a recording."
    elif not path.is_file():
        b.error = f"There is no file at {path}; check the path, or drop the file onto the page."
    else:
        examine(path, path.name)


def opened_with(path: str) -> None:
    """Examine the clip that the program was started with, once in a session."""
    if _OPENED not in st.session_state:
        st.session_state[_OPENED] = True
        open_path(path)


def door() -> str:
    """Where this session's page sends its uploads."""
    b = bench()
    b.door = b.door or route.door(queue().uploads)
    return b.door


def arrived(upload: str, more: bool) -> None:
    """A file came in whole: examine it, or queue it when others follow. It stays as long as its job is listed."""
    b = bench()
    try:
        path = route.arrived(door(), upload)
    except EarwitnessError as error:
        b.error = str(error)
        return
    if more or b.job is not None:
        queue().submit(path, Settings(), path.name, _asked_blind())
    else:
        examine(path, path.name)


def _asked_blind() -> bool:
    return bool(value("blind-first") or value("blind-again"))


def examine(path: Path, title: str, settings: Settings | None = None, blind: bool | None = None, case: str = "") -> None:
    """Put a clip on the bench and start the job.

    Args:
        blind: judge the sound before anything else is shown; None asks the switch on the first page.
        case: the case it is kept in, or "".
    """
    judged, blind = settings or Settings(), _asked_blind() if blind is None else blind
    settings = judged.but(interval=None)  # the whole clip is perceived, whatever is looked at first
    own = settings.track, settings.programme
    same = [t for t in queue().listed() if t.path == str(path.absolute()) and (t.settings.track, t.settings.programme) == own]
    job = queue().submit(path, settings, title, blind)
    for old in same:
        if old.sealed == blind and queue().status(old.id).ended:
            if old.shown:
                queue().note_shown(job, queue().shown_sha256(old.id))
            queue().forget(old.id)
    wait_for(queue().ticket(job), blind)
    b = bench()
    b.settings, b.filing.place = judged, case
    steps_ = [step for step in edit_steps(judged) if step[0].what != "judgement"]  # what was judged blind stays judged
    b.edits = [Edit(edit_words.brief(made), before, after) for made, before, after in steps_]


def examine_again() -> None:
    """Put the clip on the bench into the queue once more: what failed is tried again, and nothing else; the edits stay."""
    b = bench()
    if b.path is not None:
        examine(b.path, b.title, b.settings, b.blind, b.filing.place)


def reopen(job: str) -> None:
    """Put a listed clip on the bench again: nothing that was kept is computed twice."""
    try:
        ticket = queue().ticket(job)
    except EarwitnessError as error:
        bench().error = str(error)
        return
    wait_for(ticket, _asked_blind() or (ticket.sealed and not ticket.shown))


def wait_for(ticket: JobTicket, blind: bool) -> None:
    """Take a listed job to the bench."""
    b = bench()
    clear(b)
    b.path, b.title, b.settings, b.blind = Path(ticket.path), ticket.title, ticket.settings, blind
    b.job = Job(ticket)


def forget_job(job: str) -> None:
    """Take an ended job off the list, and its uploaded copy off the disk."""
    queue().forget(job)


def forget_all() -> None:
    """Take every ended job off the list, and remove uploaded copies and all kept results."""
    for ticket in queue().tickets():
        queue().forget(ticket.id)
    queue().results.clear()


def open_case(place: str) -> None:
    """Show a case on the page Archive."""
    st.session_state[CASE] = place
    turn_to("pages/archive.py")


def turn_to(page: str) -> None:
    """Show this page next; called from callbacks, which may not turn pages themselves."""
    st.session_state[_TURN_TO] = page


def turn() -> None:
    """Turn to the page that a callback asked for."""
    page = st.session_state.pop(_TURN_TO, None)
    if page:
        st.switch_page(page)


def leave_running(b: Bench) -> None:
    """Go back to the first page; the worker goes on with the clip."""
    clear(b)


def clear(b: Bench) -> None:
    """Take the clip off the bench and forget the edits. The worker goes on with its jobs; whatever else runs is told to stop."""
    if b.job is not None:
        b.job.leave()
    if b.preview is not None:
        b.preview.cancel()
    if b.reel is not None:
        b.reel.cancel()
    for _, work in b.papers.values():
        work.cancel()
    if b.filing.work is not None:
        b.filing.work.cancel()
    if b.reader is not None:
        b.reader.close()
    for address in b.shared.values():
        route.withdraw(address)
    for name, made in vars(Bench(scratch=b.scratch, door=b.door)).items():
        setattr(b, name, made)
    for key in [k for k in st.session_state if isinstance(k, str) and k.startswith("set_")]:
        del st.session_state[key]


def take(b: Bench) -> None:
    """Take over what a finished job found, or its error."""
    job = b.job
    if job is None or job.running:
        return
    b.job, b.job_id = None, job.ticket.id
    if job.perception is None:
        b.error = job.error
        b.note = "Stopped. The file is untouched." if job.cancelled else ""
        return
    b.perception, b.reader, b.error, b.note = job.perception, job.reader, "", ""
    b.judged, b.peaks = {}, job.peaks
    if job.found is not None and not b.blind:
        b.judged = {f.settings: f for f in (job.found, *job.found.film)}
    if b.blind and not job.perception.clip.audio_tracks:
        b.blind, b.note = False, "There is no sound to be judged blind; everything is shown."
    shown = st.session_state.setdefault(_SHOWN, set())
    sha256 = job.perception.clip.sha256
    if b.blind and (sha256 in shown or queue().was_shown(sha256)):
        b.blind = False
        b.note = "This clip was shown before, so it can no longer be judged blind; everything is shown."
    if not b.blind:
        shown.add(sha256)
        queue().note_shown(b.job_id, sha256)
    b.sealed = engine_edits.sound_alone(job.perception) if b.blind else None
    spoke = [x.modality for x in finding(b).located if x.spoke]
    b.layer = ("both" if "both" in spoke else spoke[0]) if spoke else finding(b).located[0].modality


# --- judging ------------------------------------------------------------------------------------------------------------


def finding(b: Bench) -> Finding:
    """The finding under the present settings; no model runs, and settings seen before cost nothing."""
    return judged(b, b.settings)


def judged(b: Bench, settings: Settings) -> Finding:
    """The finding under these settings."""
    assert b.perception is not None
    if settings not in b.judged:
        first = judged(b, untouched(settings)) if edited(settings) else None
        while len(b.judged) >= MOST_JUDGED:
            b.judged.pop(next(iter(b.judged)))
        seen = b.sealed if b.blind and b.sealed is not None else b.perception
        found = engine.judge(seen, settings, first=first)
        b.judged[settings] = engine_edits.sound_finding(found) if b.blind else found
    return b.judged[settings]


def effects(b: Bench) -> tuple[Effect, ...]:
    """What each clue and observation does under the present settings; worked out when asked for, and kept."""
    if b.settings not in b.effects:
        while len(b.effects) >= 6:
            b.effects.pop(next(iter(b.effects)))
        found = finding(b)
        b.effects[b.settings] = engine_effects(found.perception, b.settings, found)
    return b.effects[b.settings]


def steps(b: Bench) -> list[Step]:
    """Every edit of the analyst with what it did, first to last."""
    out, at = [], judged(b, untouched(b.settings))
    for made, _, after in edit_steps(b.settings):
        then = judged(b, after) if made.scores else at
        out.append(edit_step(made, at, then))
        at = then
    return out


def choices(b: Bench) -> list[Choice]:
    """Every setting of scoring that is not the default, with what it does."""
    differ = chosen_settings(b.settings)
    return [setting_choice(n, held, default, judged(b, other), judged(b, b.settings)) for n, held, default, other in differ]


def parts(b: Bench) -> tuple[Interval, ...]:
    """The scenes of the clip, in order; one when it is short."""
    return engine.scenes(b.perception) if b.perception is not None and not b.blind else ()  # scenes are cuts of the picture


def film(b: Bench) -> tuple[Finding, ...]:
    """The scenes judged so far under the present settings."""
    if b.blind or len(parts(b)) < 2:
        return ()
    there = (b.judged.get(b.settings.but(interval=part)) for part in parts(b))
    return tuple(f for f in there if f is not None)


def timeline(b: Bench) -> engine.Timeline:
    """Where each sense points as time goes by, under the present settings; the last one is kept."""
    if b.line is None or b.line[0] is not finding(b):
        b.line = (finding(b), engine.timeline_of(finding(b)))
    return b.line[1]


def for_report(b: Bench, found: Finding) -> Finding:
    """A finding with what a report shows beside it: the timeline, and a film's scenes."""
    scenes = film(b) if b.settings.interval is None else ()
    return replace(found, timeline=timeline(b), film=scenes if len(scenes) == len(parts(b)) else ())


def start_reel() -> None:
    """Make the reel of what is shown now; one that is being made is stopped."""
    b = bench()
    if b.perception is None or b.blind:
        return
    if b.reel is not None:
        b.reel.cancel()
    b.reel = Reel(for_report(b, finding(b)), b.reader, b.folder)


def go_to(moment_s: float) -> None:
    """Look at a moment: the player goes there, and the strongest thing perceived then is selected."""
    b = bench()
    if b.perception is None:
        return
    seen = b.sealed if b.blind and b.sealed is not None else b.perception
    near = [o for o in seen.observations if o.start_s - 0.05 <= moment_s <= max(o.end_s, o.start_s) + 0.05]
    there = [o for o in near if o.kind != "embedding"]
    best = max(there, key=lambda o: (o.kind in ("species", "text"), o.score), default=None)
    b.selected = best.key if best is not None else b.selected
    b.moment_s, b.seek = moment_s, b.seek + 1


def change(said: str, **changes: Any) -> None:
    """An edit: the settings change, and undo knows how they were. A setting that makes no sense leaves all as it was."""
    b = bench()
    try:
        after = b.settings.but(**changes)
    except EarwitnessError as error:
        b.error = str(error)
        return
    b.error = ""
    if after == b.settings:
        return
    b.edits.append(Edit(said, b.settings, after))
    b.moves.append(Move(said, b.settings, after))
    b.undone.clear()
    b.settings = after


def do(make: Callable[[], engine.Edit]) -> bool:
    """Make an edit of the analyst's hand and let it count; what makes no sense leaves all as it was, with a sentence."""
    b = bench()
    try:
        made = make()
        after = engine.apply_edit(b.settings, made)
    except EarwitnessError as error:
        b.error = str(error)
        return False
    b.error, b.told = "", ""
    said = edit_words.brief(made)
    b.edits.append(Edit(said, b.settings, after))
    b.moves.append(Move(said, b.settings, after, made.note, made.author, made.scores))
    b.undone.clear()
    b.settings = after
    return True


def analyst() -> str:
    """The name that the analyst gave, or ""; it lasts as long as the session."""
    return str(st.session_state.get(NAME, ""))


def drop(key: str, title: str) -> None:
    """Leave a species or sign out of the scoring, or take it in again."""
    b = bench()
    own = {o.key for o in b.settings.added}
    if key in b.settings.dropped and key not in own:
        do(lambda: engine_edits.restore(key, analyst(), title))
    else:
        do(lambda: engine_edits.drop(key, analyst(), title=title))


def undo() -> None:
    """Take back the last edit; what was judged blind stays judged."""
    b = bench()
    if b.edits:
        b.undone.append(b.edits.pop())
        b.settings = b.undone[-1].before
        b.moves.append(Move(f"taken back: {b.undone[-1].said}", b.undone[-1].after, b.settings))
        b.error = ""
        show_settings(b.settings)


def redo() -> None:
    """Do again what was taken back last."""
    b = bench()
    if b.undone:
        b.edits.append(b.undone.pop())
        b.settings = b.edits[-1].after
        b.moves.append(Move(f"done again: {b.edits[-1].said}", b.edits[-1].before, b.settings))
        b.error = ""
        show_settings(b.settings)


def reveal(opinion: str, confidence: float) -> None:
    """Record the judgement of the sound and show everything; there is no way back for this clip in this session."""
    b = bench()
    if not b.blind:
        return
    sealed = finding(b)
    if not do(lambda: engine_edits.judgement(sealed, opinion, confidence, analyst())):
        return
    b.blind, b.sealed, b.preview = False, None, None
    st.session_state.setdefault(_SHOWN, set()).add(sealed.clip.sha256)
    queue().note_shown(b.job_id, sealed.clip.sha256)
    b.judged, b.effects, b.edits, b.undone = {}, {}, [], []
    b.selected, b.view = None, None
    spoke = [x.modality for x in finding(b).located if x.spoke]
    b.layer = "both" if "both" in spoke else spoke[0] if spoke else "sound"
    st.session_state.pop("set_layer", None)


def show_settings(settings: Settings) -> None:
    """Let the widgets show these settings; called from callbacks, before the widgets are drawn."""
    st.session_state["set_prior"] = settings.prior
    st.session_state["set_when"] = settings.when
    st.session_state["set_radius"] = round(settings.radius_km)
    if "set_interval" in st.session_state:
        interval = settings.interval or (bench().perception.interval if bench().perception else None)
        if interval is not None:
            st.session_state["set_interval"] = (interval.start_s, interval.end_s)


def value(key: str) -> Any:
    """What the widget of this key holds."""
    return st.session_state.get(key)


def put(key: str, held: Any) -> None:
    """Set what a widget holds, from a callback or before the widget is drawn."""
    st.session_state[key] = held


def told(key: str, name: str = "act") -> dict[str, Any] | None:
    """What a component of our own reported under a name, from its callback; None when it was nothing of ours."""
    held = st.session_state.get(key)
    act = held.get(name) if hasattr(held, "get") else getattr(held, name, None)
    return act if isinstance(act, dict) else None


def forget(key: str) -> None:
    """Drop what a widget or page held under this key."""
    st.session_state.pop(key, None)


# --- what the desk says -----------------------------------------------------------------------------------------------


def layers_of(found: Finding) -> dict[str, str]:
    """The maps there are: one per sense judged, and all outlines where there are several."""
    names = {x.modality: {"both": "Both"}.get(x.modality, words.modality(x.modality)) for x in found.located}
    if len(found.located) > 1:
        names[OUTLINES] = "All outlines"
    return names


def act(done: dict[str, Any]) -> None:
    """Do what was done in the desk, by mouse or key. It comes from the browser, so nothing in it is taken on trust."""
    b = bench()
    if b.perception is None:
        return
    act_on, key, at, number = (done.get(k) for k in ("do", "key", "at", "number"))
    at_s = float(at) if isinstance(at, int | float) and not isinstance(at, bool) and np.isfinite(at) and at >= 0 else None
    seen = b.sealed if b.blind and b.sealed is not None else b.perception
    known = {o.key: o for o in (*seen.observations, *b.settings.added)}
    thing = known.get(key) if isinstance(key, str) else None
    if act_on == "select" and thing is not None:
        select(thing.key, at_s)
    elif act_on == "drop" and thing is not None and thing.kind != "sound":
        drop(thing.key, thing.name or thing.label)
    elif act_on == "undo":
        undo()
    elif act_on == "redo":
        redo()
    elif act_on == "interval" and at_s is not None:
        draw_interval(at_s, done.get("to"))
    elif act_on == "map" and isinstance(number, int):
        show_map(number)
    elif act_on == "stretch" and at_s is not None:
        b.moment_s = at_s
        start_preview(b, at_s)
    elif act_on == "unplayable":
        b.direct_failed = True


def draw_interval(start_s: float, end: object) -> None:
    """Look at a stretch drawn on the timeline; one that is no stretch, or all of it, is everything."""
    b = bench()
    whole = b.perception.interval if b.perception else None
    if whole is None:
        return
    end_s = float(end) if isinstance(end, int | float) and not isinstance(end, bool) and np.isfinite(end) else 0.0
    start_s, end_s = max(whole.start_s, round(start_s, 1)), min(whole.end_s, round(end_s, 1))
    everything = end_s - start_s < LEAST_STRETCH_S or (start_s <= whole.start_s + 0.1 and end_s >= whole.end_s - 0.1)
    interval = None if everything else Interval(start_s, end_s)
    change("stretch: all of it" if everything else f"stretch: {words.span(start_s, end_s)}", interval=interval)
    show_settings(b.settings)


def show_map(number: int) -> None:
    """The map of this number, from 1; 5 turns flat into globe and back."""
    b = bench()
    if number == 5:
        b.globe = not b.globe
        put("set_shape", "Globe" if b.globe else "Flat")
        return
    names = list(layers_of(finding(b)))
    if 1 <= number <= len(names):
        b.layer = names[number - 1]
        put("set_layer", b.layer)


# --- sound and pictures -------------------------------------------------------------------------------------------------


def select(key: str | None, moment_s: float | None = None) -> None:
    """Look at a piece of evidence, at one of its moments."""
    b = bench()
    b.selected = key
    if moment_s is not None:
        b.moment_s = moment_s


def samples(b: Bench, interval: Interval) -> tuple[NDArray[np.float32], int]:
    """Mono sound of a short stretch and its rate in Hz, from the file itself."""
    rate_hz = 48_000
    blocks = [x.samples for x in b.reader.audio(rate_hz, interval, b.settings.track)]
    return (np.concatenate(blocks) if blocks else np.zeros(rate_hz // 10, np.float32)), rate_hz


def excerpt(b: Bench, interval: Interval) -> bytes:
    """The same stretch as a WAV file."""
    return excerpt_wav(b.reader, interval, 48_000, b.settings.track)


def frame(b: Bench, time_s: float) -> NDArray[np.uint8] | None:
    """The picture (height, width, 3) shown at a moment, small; None where there is none."""
    found = next(iter(b.reader.frames([time_s], max_side_px=720)), None)
    return None if found is None else found.rgb


@dataclass(frozen=True)
class Playable:
    """What the player is given: where it is served, and which stretch of the clip it holds."""

    url: str
    start_s: float
    end_s: float
    has_picture: bool


def playable(b: Bench) -> Playable | None:
    """The clip itself where browsers can play it, else a preview; None while that is being made."""
    assert b.perception is not None and b.path is not None
    clip = b.perception.clip
    length_s = clip.duration_s or 0.0
    if b.blind:
        return _sound_only(b, length_s)
    mime = _direct_mime(clip, b.settings.track)
    has_picture = bool(clip.video_tracks)
    if mime and not b.direct_failed:
        return Playable(_sent(b, b.path, mime), 0.0, length_s, has_picture)
    if b.preview is None:
        start_preview(b, b.moment_s)
    assert b.preview is not None
    if b.preview.path is None:
        return None
    stretch = b.preview.stretch
    return Playable(_sent(b, b.preview.path, "video/mp4"), stretch.start_s, stretch.end_s, has_picture)


def _sent(b: Bench, path: Path, mime: str) -> str:
    """Where the browser gets a file: from disk in ranges, or out of memory where only the pages were started."""
    if not route.installed():
        return served(str(path), mime, "clip")
    name = str(path)
    if name not in b.shared:
        b.shared[name] = route.share(path, mime)
    return b.shared[name]


def _sound_only(b: Bench, length_s: float) -> Playable:
    """The sound around the moment looked at and nothing else: the browser is not sent what must not be seen."""
    start_s = 0.0 if length_s <= STRETCH_S else min(max(0.0, b.moment_s - STRETCH_S / 4), length_s - STRETCH_S)
    stretch = Interval(start_s, start_s + min(STRETCH_S, max(length_s, 1.0)))
    url = served(excerpt_wav(b.reader, stretch, 24_000, b.settings.track), "audio/wav", "sound")
    return Playable(url, stretch.start_s, stretch.end_s, False)


def start_preview(b: Bench, moment_s: float) -> None:
    """Make a preview of the whole clip, or of the stretch around a moment of a long one."""
    assert b.perception is not None
    length_s = b.perception.clip.duration_s or STRETCH_S
    if length_s <= WHOLE_PREVIEW_S:
        stretch = Interval(0.0, length_s)
    else:
        start_s = min(max(0.0, moment_s - STRETCH_S / 4), length_s - STRETCH_S)
        stretch = Interval(start_s, start_s + STRETCH_S)
    if b.preview is not None:
        b.preview.cancel()
    b.preview = Preview(b.reader, stretch, b.folder, b.settings.track)


_MIMES = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
}
_PICTURES = {"video/mp4": {"h264", "av1"}, "video/webm": {"vp8", "vp9", "av1"}}
_SOUNDS = {"video/mp4": {"aac", "mp3"}, "video/webm": {"opus", "vorbis"}}


def _direct_mime(clip: Clip, track: int | None) -> str:
    """The type under which a browser will play the file as it is, or ""."""
    names = clip.container.split(",")
    mime = next((m for name, m in _MIMES.items() if name in names), "")
    if not mime or len(clip.audio_tracks) > 1 or len(clip.video_tracks) > 1:
        return ""
    if clip.size_bytes > IN_MEMORY_BYTES and not route.installed():
        return ""
    if mime.startswith("audio/"):
        return "" if clip.video_tracks else mime
    pictures, sounds = {s.codec for s in clip.video_tracks}, {s.codec for s in clip.audio_tracks}
    return mime if pictures <= _PICTURES[mime] and sounds <= _SOUNDS[mime] else ""


def served(data: bytes | str, mime: str, name: str) -> str:
    """Where this program serves some bytes, or a file of that path, to the browser of this session.

    Streamlit's own media endpoint is used: what `st.video` and `st.audio` use, without their widgets.
    """
    return get_instance().media_file_mgr.add(data, mime, f"earwitness-{name}")


def ground_urls() -> dict[str, str]:
    """Where land, coast and borders are served: the browser fetches them once."""
    return {kind: served(document, "application/json", kind) for kind, document in ground_json("medium").items()}


@lru_cache(maxsize=64)
def species_range(latin: str, when: date | None) -> tuple[Grid, NDArray[np.floating]]:
    """Where a species is recorded, as `engine.species_range`; kept."""
    return engine_species_range(latin, when)


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Load models and tables in the background, once, while the analyst chooses a clip."""

    def load() -> None:
        try:
            engine_warm_up()
            ground_json("medium")
        except Exception as error:
            _LOG.warning("warming up failed: %s", error)

    thread = threading.Thread(target=load, name="warm-up", daemon=True)
    thread.start()
    return thread


def callback(what: Callable[..., None], *given: Any) -> dict[str, Any]:
    """Keyword arguments that make a button call something."""
    return {"on_click": what, "args": given}


def default(key: str, held: Any) -> None:
    """What a widget shows when it is drawn for the first time."""
    if key not in st.session_state:
        st.session_state[key] = held


# --- soundscapes --------------------------------------------------------------------------------------------------------


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


def soundscape() -> Soundscape:
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
    """Start something slow for the page Soundscapes; what ran before is told to stop."""
    s = soundscape()
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
    folder = bench().folder / "soundscape"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    suffix = "".join(c for c in Path(upload.name).suffix[:12] if c.isalnum() or c == ".")
    path = folder / f"clip{suffix}"
    path.write_bytes(upload.getbuffer())
    return path
