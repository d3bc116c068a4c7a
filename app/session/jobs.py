"""A clip on its way through the worker, as one session waits for it.

The models run in the worker's process (`engine.Queue`); here the file is opened for the page, and what the worker perceived is
judged, which is array work that every change of mind does again. No thread waits for the worker: the page looks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import engine
from app.figures.ground import ground_json
from engine import Cancelled, Clip, EarwitnessError, Finding, Perception, Progress
from engine.analysis import perception_key
from engine.case import JobStage, JobStatus, JobTicket, Queue
from engine.core import kept_dir

_LOG = logging.getLogger("earwitness.app")
PEAKS = 360
LONGEST_PEAKS_S = 600.0
_INSIDE = "Something went wrong inside Earwitness, not in your file; the program's log names it. Please try another clip."


def queue() -> Queue:
    """The user's jobs."""
    return _queue(str(kept_dir()))


@lru_cache(maxsize=8)
def _queue(_: str) -> Queue:
    return Queue()


def perceived(path: Path, report: Callable[[Progress], None]) -> Perception:
    """What the worker perceives in a clip that the analyst did not open; the calling thread waits.

    Raises:
        MediaError: it cannot be examined; the text says why.
        Cancelled: `report` raised it.
    """
    waited = queue().submit(path, engine.Settings(), path.name, quiet=True)
    try:
        while not (status := queue().status(waited)).ended:
            now = next((s for s in reversed(status.stages) if s.ended is None), None)
            report(Progress(now.name, now.done, now.total, now.unit) if now else Progress("starting"))
            time.sleep(0.2)
        if status.state != "done":
            raise engine.MediaError(status.error or "The process that examined it ended; try it again.")
        return queue().result(waited)
    except Cancelled:
        queue().cancel(waited)
        raise
    finally:
        queue().forget(waited)


def leave() -> str:
    """Called when the server ends: an idle worker is ended; returns what to say of one that works on, or ""."""
    if not _queue.cache_info().currsize:
        return ""
    if not queue().busy():
        queue().stop_worker()
        return ""
    return "A clip is still being examined in the background; its result will be there when you start the app again."


class Job:
    """One clip that this session waits for."""

    def __init__(self, ticket: JobTicket) -> None:
        self.ticket = ticket
        self.clip: Clip | None = None
        self.reader: Any = None
        self.perception: Perception | None = None
        self.found: Finding | None = None
        self.peaks: tuple[float, ...] = ()
        self.error = ""
        self.cancelled = False
        self._over = self._again = False
        self._status = JobStatus("waiting")
        self._own: list[JobStage] = []
        self._stop = threading.Event()
        self._opening = threading.Thread(target=self._open, name="open", daemon=True)
        self._judging: threading.Thread | None = None
        self._opening.start()

    @property
    def title(self) -> str:
        return self.ticket.title

    @property
    def settings(self) -> engine.Settings:
        return self.ticket.settings

    @property
    def status(self) -> JobStatus:
        """How it stood when it was looked at last."""
        return self._status

    @property
    def stages(self) -> tuple[JobStage, ...]:
        """What was done so far, by the worker and here; while the worker is at it, what is done here beside it is no news."""
        own = self._own if self._status.state == "done" else []
        return (*self._status.stages, *own)

    @property
    def running(self) -> bool:
        """Whether there is something to wait for; takes the next step when the worker has ended."""
        if not self._over:
            self._look()
        return not self._over

    @property
    def interrupted(self) -> bool:
        """Whether the worker died over it."""
        return not self._over and self._status.state == "interrupted"

    def cancel(self) -> None:
        """Ask it to stop, here and in the worker."""
        self._stop.set()
        queue().cancel(self.ticket.id)

    def resume(self) -> None:
        """Take it up again after its worker died."""
        queue().resume(self.ticket.id)
        self._status = JobStatus("waiting")

    def leave(self) -> None:
        """This session waits no longer; the worker goes on."""
        self._stop.set()
        if self.perception is None and self.reader is not None:
            self.reader.close()

    def _look(self) -> None:
        judging = self._judging
        if judging is not None:
            self._over = not judging.is_alive() and self._judging is judging
            return
        self._status = queue().status(self.ticket.id)
        state = self._status.state
        if state == "failed":
            self.error, self._over = self._status.error, True
        elif state == "cancelled":
            self.cancelled = self._over = True
        elif state == "done" and not self._opening.is_alive():
            if self.reader is None:
                self._over = True  # `error` says why
                return
            self._judging = threading.Thread(target=self._judge, name="judge", daemon=True)
            self._judging.start()
        if self._over and self.reader is not None:
            self.reader.close()

    def _open(self) -> None:
        """Open the file for the page. A result that was kept of these very bytes needs no worker."""
        try:
            self._note(Progress("opening the file again"))
            reader = engine.open_clip(self.ticket.path, self._note, self.settings).__enter__()
            self.clip, self.reader = reader.clip, reader
            key = perception_key(reader.clip, self.settings)
            if queue().results.get(key) is not None:
                queue().settle(self.ticket.id, key)
            self.peaks = _peaks(reader, self.settings.track)
            reader.rest()  # the worker's children do the decoding now
        except Cancelled:
            pass
        except EarwitnessError as error:
            self.error = str(error)
        except Exception:
            _LOG.exception("opening %s failed", self.ticket.path)
            self.error = _INSIDE

    def _judge(self) -> None:
        try:
            cached = queue().results.get(self._status.key)
            if cached is None or cached.clip.sha256 != self.reader.clip.sha256:
                self._examine_again()
                return
            perception = replace(cached, clip=self.reader.clip)
            self._note(Progress("drawing the map"))
            self.found = engine.judge_film(perception, self.settings, self._note)  # fills the caches as well
            ground_json("medium")
            self.perception = perception
        except Cancelled:
            self.cancelled = True
        except EarwitnessError as error:
            self.error = str(error)
        except Exception:
            _LOG.exception("judging %s failed", self.ticket.path)
            self.error = _INSIDE
        finally:
            self._own = [s if s.ended is not None else replace(s, ended=time.time()) for s in self._own]

    def _examine_again(self) -> None:
        """The kept result was removed, or the file is another one by now: once, it is examined again."""
        if self._again:
            self.error = "The file changes while it is examined; wait until it is complete, and open it again."
            return
        self._again = True
        queue().resume(self.ticket.id)
        self._status = JobStatus("waiting")
        self._judging = None

    def _unless_left(self, _: Progress) -> None:
        if self._stop.is_set():
            raise Cancelled("Stopped as asked; nothing was kept.")

    def _note(self, progress: Progress) -> None:
        self._unless_left(progress)
        now, done = time.time(), float(progress.done)
        if self._own and self._own[-1].name == progress.stage:
            self._own[-1] = replace(self._own[-1], done=done, total=progress.total, unit=progress.unit)
            return
        self._own = [s if s.ended is not None else replace(s, ended=now) for s in self._own]
        self._own.append(JobStage(progress.stage, now, done=done, total=progress.total, unit=progress.unit))


def _peaks(reader: Any, track: int | None) -> tuple[float, ...]:
    """How loud the clip is in PEAKS steps of its length, 0 to 1, for the timeline; nothing for long clips and silent ones."""
    length_s = reader.clip.duration_s or 0.0
    if not reader.clip.audio_tracks or not 0.0 < length_s <= LONGEST_PEAKS_S:
        return ()
    loud = np.zeros(PEAKS)
    try:
        for block in reader.audio(8_000, None, track):
            at = ((block.start_s + np.arange(len(block.samples)) / block.rate_hz) / length_s * PEAKS).astype(int)
            np.maximum.at(loud, np.clip(at, 0, PEAKS - 1), np.abs(block.samples))
    except EarwitnessError:
        return ()
    top = float(loud.max())
    return tuple(float(x) for x in np.round(np.sqrt(loud / top), 3)) if top > 0 else ()
