"""Slow things that a session does in a thread of its own, with progress, and that can be stopped.

The thread never calls Streamlit; pages look at it from time to time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import engine
from engine import Cancelled, EarwitnessError, Finding, Interval, Progress
from engine.media import preview_mp4

_LOG = logging.getLogger("earwitness.app")


class Work:
    """Something slow in a thread of its own, with progress, that can be stopped; the page looks at it now and then.

    Attributes:
        progress: its last step.
        made: what it came to.
        error: why it came to nothing, a sentence.
        cancelled: it was stopped.
    """

    wrong: ClassVar[str] = "Something went wrong inside Earwitness; the program's log names it. Please try another one."

    def __init__(self, title: str, do: Callable[[Callable[[Progress], None]], Any]) -> None:
        self.title = title
        self.progress: Progress | None = None
        self.made: Any = None
        self.error = ""
        self.cancelled = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(do,), name="work", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def fraction(self) -> float:
        return (self.progress.fraction or 0.0) if self.progress else 0.0

    def cancel(self) -> None:
        """Ask it to stop; it does at its next step."""
        self._stop.set()

    def report(self, progress: Progress) -> None:
        """Take note of a step; raises `Cancelled` when asked to stop."""
        if self._stop.is_set():
            raise Cancelled("Stopped as asked; nothing was kept.")
        self.progress = progress

    def _run(self, do: Callable[[Callable[[Progress], None]], Any]) -> None:
        try:
            self.report(Progress("starting"))
            made = do(self.report)
            self.report(Progress("done"))
            self.made = made
        except Cancelled:
            self.cancelled = True
        except EarwitnessError as error:
            self.error = str(error)
        except Exception:
            _LOG.exception("%s failed", self.title)
            self.error = self.wrong


class Written(Work):
    """Work that comes to a file."""

    @property
    def path(self) -> Path | None:
        made: Path | None = self.made
        return made


class Preview(Written):
    """A small copy of a interval for the browser's player."""

    wrong = "The player's copy could not be made; the file itself is untouched."

    def __init__(self, reader: Any, interval: Interval, folder: Path, track: int | None) -> None:
        self.interval = interval
        path = folder / f"preview-{track or 0}-{interval.start_s:.3f}.mp4"
        super().__init__("the preview", lambda report: preview_mp4(reader, interval, path, 480, report, track))


class Reel(Written):
    """The evidence reel of a finding."""

    wrong = "The reel could not be made; the file itself is untouched."

    def __init__(self, found: Finding, reader: Any, folder: Path) -> None:
        self.found = found
        super().__init__("the reel", lambda report: engine.write_reel(found, reader, folder / "reel.mp4", report))

    @property
    def failed(self) -> str:
        """Why there is no reel, or ""."""
        return "Stopped; no reel was kept." if self.cancelled else self.error
