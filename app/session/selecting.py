"""Which evidence, moment and map are selected, also by mouse and keyboard in the evidence list."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.session import editing, judging, media, widgets
from app.session.session import current


def go_to(moment_s: float) -> None:
    """Look at a moment: the player goes there, and the strongest thing perceived then is selected."""
    session = current()
    if session.perception is None:
        return
    seen = session.sealed if session.blind and session.sealed is not None else session.perception
    near = [o for o in seen.observations if o.start_s - 0.05 <= moment_s <= max(o.end_s, o.start_s) + 0.05]
    registry = judging.finding(session).registry
    there = [o for o in near if (kind := registry.kind(o.kind)) is None or kind.listed]
    best = max(there, key=lambda o: (o.kind in ("species", "text"), o.score), default=None)
    session.selected = best.key if best is not None else session.selected
    session.moment_s, session.seek = moment_s, session.seek + 1


def act(done: dict[str, Any]) -> None:
    """Do what was asked for in the evidence list, by mouse or key. It comes from the browser, so none of it is trusted."""
    session = current()
    if session.perception is None:
        return
    act_on, key, at, number = (done.get(k) for k in ("do", "key", "at", "number"))
    at_s = float(at) if isinstance(at, int | float) and not isinstance(at, bool) and np.isfinite(at) and at >= 0 else None
    seen = session.sealed if session.blind and session.sealed is not None else session.perception
    known = {o.key: o for o in (*seen.observations, *session.settings.added)}
    thing = known.get(key) if isinstance(key, str) else None
    if act_on == "select" and thing is not None:
        select(thing.key, at_s)
    elif act_on == "drop" and thing is not None and _can_be_dropped(thing.kind):
        editing.drop(thing.key, thing.name or thing.label)
    elif act_on == "undo":
        editing.undo()
    elif act_on == "redo":
        editing.redo()
    elif act_on == "interval" and at_s is not None:
        editing.draw_interval(at_s, done.get("to"))
    elif act_on == "map" and isinstance(number, int):
        show_map(number)
    elif act_on == "preview" and at_s is not None:
        session.moment_s = at_s
        media.start_preview(session, at_s)
    elif act_on == "unplayable":
        session.direct_failed = True


def _can_be_dropped(kind: str) -> bool:
    """What no clue scores has nothing to be left out of."""
    known = judging.finding(current()).registry.kind(kind)
    return known is None or known.scored


def show_map(number: int) -> None:
    """The map of this number, from 1; 5 turns flat into globe and back."""
    session = current()
    if number == 5:
        session.globe = not session.globe
        widgets.put("set_shape", "Globe" if session.globe else "Flat")
        return
    names = list(judging.layers_of(judging.finding(session)))
    if 1 <= number <= len(names):
        session.layer = names[number - 1]
        widgets.put("set_layer", session.layer)


def select(key: str | None, moment_s: float | None = None) -> None:
    """Look at a piece of evidence, at one of its moments."""
    session = current()
    session.selected = key
    if moment_s is not None:
        session.moment_s = moment_s
