"""Slow things that a session does in a thread of its own, with progress, and that can be told to stop.

The thread never calls Streamlit; pages look at it from time to time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import engine
from engine import Cancelled, EarwitnessError, Finding, Interval, Progress

_LOG = logging.getLogger("earwitness.app")


class Preview:
    """A small copy of a stretch for the browser's player, made in a thread."""

    def __init__(self, reader: Any, stretch: Interval, folder: Path, track: int | None) -> None:
        self.stretch = stretch
        self.path: Path | None = None
        self.failed = ""
        self.fraction = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(reader, folder, track), name="preview", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def cancel(self) -> None:
        self._stop.set()

    def _progress(self, progress: Progress) -> None:
        self.fraction = progress.fraction or 0.0
        if self._stop.is_set():
            raise Cancelled("Stopped as asked.")

    def _run(self, reader: Any, folder: Path, track: int | None) -> None:
        name = f"preview-{track or 0}-{self.stretch.start_s:.3f}.mp4"
        try:
            self.path = engine.preview_mp4(reader, self.stretch, folder / name, 480, self._progress, track)
        except Cancelled:
            pass
        except EarwitnessError as error:
            self.failed = str(error)
        except Exception:
            _LOG.exception("the preview failed")
            self.failed = "The player's copy could not be made; the file itself is untouched."


class Reel:
    """The evidence reel of a finding, made in a thread that can be told to stop."""

    def __init__(self, found: Finding, reader: Any, folder: Path) -> None:
        self.found = found
        self.path: Path | None = None
        self.failed = ""
        self.fraction = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(reader, folder), name="reel", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def cancel(self) -> None:
        """Ask it to stop; it does at the next frame."""
        self._stop.set()

    def _progress(self, progress: Progress) -> None:
        self.fraction = progress.fraction or 0.0
        if self._stop.is_set():
            raise Cancelled("Stopped as asked; nothing was kept.")

    def _run(self, reader: Any, folder: Path) -> None:
        try:
            self.path = engine.write_reel(self.found, reader, folder / "reel.mp4", self._progress)
        except Cancelled:
            self.failed = "Stopped; no reel was kept."
        except EarwitnessError as error:
            self.failed = str(error)
        except Exception:
            _LOG.exception("the reel failed")
            self.failed = "The reel could not be made; the file itself is untouched."


class Work:
    """Something slow in a thread of its own, with progress, that can be told to stop; the page looks at it now and then."""

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

    def cancel(self) -> None:
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
            self.error = "Something went wrong inside Earwitness; the program's log names it. Please try another one."
