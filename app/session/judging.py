"""The finding under the present settings and what is worked out from it. No model runs here."""

from __future__ import annotations

from dataclasses import replace

import engine
from app.session.session import Session
from engine import Finding, Interval, Settings
from engine.analysis import edit_step, setting_choice
from engine.analysis import edits as engine_edits
from engine.analysis import effects as engine_effects
from engine.core import Choice, Effect, Step, chosen_settings, edit_steps, edited, untouched
from engine.report.view import words

OUTLINES = "outlines"
MOST_JUDGED = 112  # a film's scenes among them


def finding(session: Session) -> Finding:
    """The finding under the present settings; no model runs, and settings seen before cost nothing."""
    return judged(session, session.settings)


def judged(session: Session, settings: Settings) -> Finding:
    """The finding under these settings."""
    assert session.perception is not None
    if settings not in session.judged:
        first = judged(session, untouched(settings)) if edited(settings) else None
        while len(session.judged) >= MOST_JUDGED:
            session.judged.pop(next(iter(session.judged)))
        seen = session.sealed if session.blind and session.sealed is not None else session.perception
        found = engine.judge(seen, settings, first=first)
        session.judged[settings] = engine_edits.sound_finding(found) if session.blind else found
    return session.judged[settings]


def effects(session: Session) -> tuple[Effect, ...]:
    """What each clue and observation does under the present settings; worked out when asked for, and kept."""
    if session.settings not in session.effects:
        while len(session.effects) >= 6:
            session.effects.pop(next(iter(session.effects)))
        found = finding(session)
        session.effects[session.settings] = engine_effects(found.perception, session.settings, found)
    return session.effects[session.settings]


def steps(session: Session) -> list[Step]:
    """Every edit of the analyst with what it did, first to last."""
    out, at = [], judged(session, untouched(session.settings))
    for made, _, after in edit_steps(session.settings):
        then = judged(session, after) if made.scores else at
        out.append(edit_step(made, at, then))
        at = then
    return out


def choices(session: Session) -> list[Choice]:
    """Every setting of scoring that is not the default, with what it does."""
    differ = chosen_settings(session.settings)
    return [
        setting_choice(n, value, default, judged(session, other), judged(session, session.settings))
        for n, value, default, other in differ
    ]


def scenes(session: Session) -> tuple[Interval, ...]:
    """The scenes of the clip, in order; one when it is short."""
    return (
        engine.scenes(session.perception) if session.perception is not None and not session.blind else ()
    )  # scenes are cuts of the picture


def judged_scenes(session: Session) -> tuple[Finding, ...]:
    """The scenes judged so far under the present settings."""
    if session.blind or len(scenes(session)) < 2:
        return ()
    there = (session.judged.get(session.settings.but(interval=part)) for part in scenes(session))
    return tuple(f for f in there if f is not None)


def timeline(session: Session) -> engine.Timeline:
    """Where each modality points as time goes by, under the present settings; the last one is kept."""
    if session.line is None or session.line[0] is not finding(session):
        session.line = (finding(session), engine.timeline_of(finding(session)))
    return session.line[1]


def for_report(session: Session, found: Finding) -> Finding:
    """A finding with what a report shows beside it: the timeline, and a film's scenes."""
    film = judged_scenes(session) if session.settings.interval is None else ()
    return replace(found, timeline=timeline(session), film=film if len(film) == len(scenes(session)) else ())


def layers_of(found: Finding) -> dict[str, str]:
    """The maps there are: one per modality judged, and all outlines where there are several."""
    names = {str(x.modality): {"both": "Both"}.get(x.modality, words.modality(x.modality)) for x in found.located}
    if len(found.located) > 1:
        names[OUTLINES] = "All outlines"
    return names
