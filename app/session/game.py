"""The state of the page Learn: which clips, which one now, the pin, the hints taken, what the program made of it, the score."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import engine
from app.session import jobs, widgets
from app.session.work import Work
from engine import EarwitnessError, Finding
from engine.analysis import Lesson, lesson

_KEY = "learn"
_ONE_AT_A_TIME = "looking and listening"


@dataclass(frozen=True)
class Score:
    """One clip played: the guess (lat, lon) or None when it was given up, and how far both were."""

    title: str
    guess: tuple[float, float] | None
    km: float | None
    program_km: float | None
    points: int
    hints: int


@dataclass
class Game:
    """One session's game."""

    lessons: tuple[Lesson, ...] = ()
    folder: Path | None = None
    at: int = 0
    round: int = 0
    pin: tuple[float, float] | None = None
    hints: int = 0
    done: bool = False
    scores: dict[int, Score] = field(default_factory=dict)
    found: dict[Path, Finding] = field(default_factory=dict)
    failed: dict[Path, str] = field(default_factory=dict)
    work: Work | None = None
    work_on: Path | None = None
    error: str = ""

    @property
    def lesson(self) -> Lesson:
        return self.lessons[self.at]

    @property
    def question(self) -> str:
        """Names the question, so that a new one differs from the one before."""
        return f"{self.folder or 'own'}#{self.round}#{self.at}"


def game() -> Game:
    """This session's game, begun with the program's own clips."""
    own = widgets.value(_KEY)
    if not isinstance(own, Game):
        own = Game()
        widgets.put(_KEY, own)
        begin(own, None)
    return own


def begin(g: Game, folder: Path | None) -> None:
    """Play the clips of a folder, from the first; what cannot be read leaves the game as it was."""
    try:
        found = lesson.lessons(folder)
    except EarwitnessError as error:
        g.error = str(error)
        return
    g.lessons, g.folder, g.error = found, folder, ""
    g.scores.clear()
    g.round += 1
    go(g, 0)


def go(g: Game, at: int) -> None:
    """Turn to a clip; one already played shows its answer."""
    g.at = at % len(g.lessons)
    g.pin, g.hints, g.done = None, 0, False
    if g.at in g.scores:
        g.done, g.pin, g.hints = True, g.scores[g.at].guess, g.scores[g.at].hints


def onward(g: Game) -> None:
    """The next clip not played yet, or the next one."""
    order = [(g.at + 1 + k) % len(g.lessons) for k in range(len(g.lessons))]
    go(g, next((i for i in order if i not in g.scores), order[0]))


def look(g: Game) -> None:
    """Let the program examine the clip in the background, while the player thinks."""
    path = g.lesson.path
    if g.work is not None and not g.work.running:
        if isinstance(g.work.made, Finding) and g.work_on is not None:
            g.found[g.work_on] = g.work.made
        elif g.work_on is not None and not g.work.cancelled:
            g.failed[g.work_on] = g.work.error or "it could not be examined"
        g.work = None
    if path in g.found or path in g.failed or (g.work is not None and g.work_on == path):
        return
    if g.work is not None:
        g.work.cancel()
    g.work_on = path
    g.work = Work(_ONE_AT_A_TIME, lambda report: engine.judge(jobs.perceived(path, report)))


def program(g: Game) -> Finding | None:
    """What the program made of the clip, once it has looked."""
    return g.found.get(g.lesson.path)


def pin(g: Game, lat_deg: float, lon_deg: float) -> None:
    if not g.done:
        g.pin = (lat_deg, lon_deg)


def guess(g: Game) -> None:
    """Take the pin for the guess."""
    if g.pin is not None and not g.done:
        g.done = True


def give_up(g: Game) -> None:
    """Show the answer without a guess."""
    g.pin, g.done = None, True


def settle(g: Game) -> Score | None:
    """Write the score of a clip that is done, once the program has looked or failed to."""
    if not g.done:
        return None
    if g.at in g.scores:
        return g.scores[g.at]
    found = program(g)
    if found is None and g.lesson.path not in g.failed:
        return None
    placed = lesson.answer(found) if found else None
    program_km = lesson.points(g.lesson, placed.place.lat_deg, placed.place.lon_deg)[0] if placed and placed.place else None
    km, points = lesson.points(g.lesson, *g.pin, g.hints) if g.pin else (None, 0)
    g.scores[g.at] = Score(g.lesson.place, g.pin, km, program_km, points, g.hints)
    return g.scores[g.at]
