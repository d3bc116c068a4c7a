"""Work waiting to be done in a process of its own: what the app starts, watches and stops.

A queue is a folder; a job is a folder in it:

    job.json        what is to be done, written by `submit`
    started         the worker took it up
    progress.json   its stages so far
    cancel          somebody asked to stop
    outcome.json    done (with the result's key), failed (with the sentence) or cancelled
    shown           sha256 of the clip, once its result was shown to the analyst

A job examines one clip, or fills a case with many. Everything is read from these files and from one lock that the worker holds
as long as it lives, so that jobs outlast the page, the browser and the server that started them, and a worker that was killed
leaves a job that says so. Results are kept by content (`results`).
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.case.jobs.results import Results, write_whole
from engine.case.jobs.upload import Uploads
from engine.case.record import codec
from engine.core import memory
from engine.core.errors import DataError, SettingError
from engine.core.paths import ROOT, kept_dir
from engine.core.perception import Perception
from engine.core.settings import Settings

GRACE_S = 4.0  # to react to being asked to stop, before the worker is killed
STARTING_S = 30.0
MOST_JOBS = 40  # ended ones beyond this number are forgotten, the oldest first
KEPT_DAYS = 30.0
_QUIET_S = 3600.0  # after which a quiet job is forgotten that nobody came for
_ENDED = ("done", "failed", "cancelled")
_NO_JOB = "There is no such job any more; open the clip again."


@dataclass(frozen=True, slots=True)
class JobStage:
    """One stage of a job: its name, when it began and ended (seconds since 1970), and how far it is."""

    name: str
    began: float
    ended: float | None = None
    done: float = 0.0
    total: float | None = None
    unit: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How a job stands.

    Attributes:
        state: "waiting", "running", "done", "failed", "cancelled" or "interrupted" (the worker died: `resume` it).
        ahead: jobs before it in the queue.
        error: the sentence to show when it failed.
        key: of the result, when it is done.
        kept: whether the result was there from before.
        said: what came of it, in a sentence, where there is no result by key.
    """

    state: str
    stages: tuple[JobStage, ...] = ()
    ahead: int = 0
    error: str = ""
    key: str = ""
    kept: bool = False
    said: str = ""

    @property
    def ended(self) -> bool:
        return self.state in _ENDED or self.state == "interrupted"


@dataclass(frozen=True, slots=True)
class JobTicket:
    """What was submitted.

    Attributes:
        path: the clip; of a batch, the folder of the case.
        sealed: the sound is to be judged before anything else is shown.
        shown: whether the result was shown to the analyst.
        inputs: of a batch, what goes into the case; empty for a single clip.
        quiet: not for the analyst's list; forgotten by whoever asked for it.
    """

    id: str
    path: str
    title: str
    settings: Settings
    created: float
    sealed: bool = False
    shown: bool = False
    inputs: tuple[str, ...] = ()
    quiet: bool = False


class Queue:
    """The jobs of one folder.

    Args:
        folder: None for the user's own.
        results, uploads: where results are kept, and what came through the browser; None for the user's own.
    """

    def __init__(self, folder: Path | None = None, results: Results | None = None, uploads: Uploads | None = None) -> None:
        self.folder = folder or kept_dir() / "jobs"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.results = results or Results()
        self.uploads = uploads or Uploads()
        self._worker: subprocess.Popen[bytes] | None = None
        self._spawned = 0.0
        self._lock = threading.Lock()

    def submit(
        self, path: str | os.PathLike[str], settings: Settings, title: str = "", sealed: bool = False, quiet: bool = False
    ) -> str:
        """Put a clip into the queue and see that a worker is there; returns the job's id. `sealed`, `quiet`: see `Ticket`."""
        return self._add(os.fspath(Path(path).absolute()), settings, title, sealed=sealed, quiet=quiet)

    def submit_batch(self, inputs: Sequence[str], case: str | os.PathLike[str], settings: Settings, title: str = "") -> str:
        """Put a batch into the queue: many clips (see `batch.gather`) into one case; returns the job's id."""
        return self._add(os.fspath(Path(case).absolute()), settings, title, inputs=list(inputs))

    def _add(self, path: str, settings: Settings, title: str, **more: object) -> str:
        self.tidy()
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        chosen = json.loads(codec.settings_to_json(settings))
        facts = {"path": path, "title": title, "created": time.time(), "settings": chosen, **more}
        (self.folder / name).mkdir()
        write_whole(self.folder / name / "job.json", json.dumps(facts).encode())
        self.ensure_worker()
        return name

    def ticket(self, job: str) -> JobTicket:
        """What a job is about.

        Raises:
            SettingError: there is no such job.
        """
        folder = self._job(job)
        facts = _read(folder / "job.json")
        if facts is None:
            raise SettingError(_NO_JOB)
        settings = codec.settings_from_json(json.dumps(facts["settings"]))
        sealed, quiet, inputs = bool(facts.get("sealed")), bool(facts.get("quiet")), tuple(facts.get("inputs") or ())
        shown = (folder / "shown").exists()
        return JobTicket(job, facts["path"], facts["title"], settings, facts["created"], sealed, shown, inputs, quiet)

    def listed(self) -> tuple[JobTicket, ...]:
        """The analyst's jobs, newest first."""
        return tuple(t for t in self.tickets() if not t.quiet)

    def tickets(self) -> tuple[JobTicket, ...]:
        """All jobs, newest first; what cannot be read is left out."""
        found = []
        for job in reversed(self.jobs()):
            with suppress(SettingError, DataError, KeyError):
                found.append(self.ticket(job))
        return tuple(found)

    def status(self, job: str) -> JobStatus:
        """How a job stands, as its files tell."""
        folder = self._job(job)
        if not (folder / "job.json").is_file():
            return JobStatus("failed", error=_NO_JOB)
        stages = _stages(folder)
        if (ended := _outcome(folder, stages)) is not None:
            return ended
        alive = self._alive()
        if (folder / "started").exists():
            if not alive:
                # The worker may have ended after its outcome was looked for and before its lock was tried.
                asked = (folder / "cancel").exists()
                return _outcome(folder, stages) or JobStatus("cancelled" if asked else "interrupted", stages)
            return JobStatus("running", stages)
        if not alive:
            self.ensure_worker()
        waiting = [j for j in self.jobs() if j < job and not (self.folder / j / "outcome.json").exists()]
        return JobStatus("waiting", stages, len([j for j in waiting if not self._stale(j, alive)]))

    def jobs(self) -> tuple[str, ...]:
        """Ids of all jobs, oldest first."""
        return tuple(sorted(p.parent.name for p in self.folder.glob("*/job.json")))

    def result(self, job: str) -> Perception:
        """What a finished job perceived.

        Raises:
            DataError: it is not finished, or its result was removed since.
        """
        status = self.status(job)
        found = self.results.get(status.key) if status.state == "done" and status.key else None
        if found is None:
            raise DataError("The result of this job is no longer there; examine the clip again.")
        return found

    def settle(self, job: str, key: str) -> None:
        """Note that the result of a job was kept from before, so that nobody need do it; one that has ended stays as it is."""
        folder = self._job(job)
        if folder.is_dir() and not (folder / "outcome.json").exists():
            write_whole(folder / "outcome.json", json.dumps({"state": "done", "key": key, "kept": True}).encode())

    def note_shown(self, job: str, sha256: str) -> None:
        """Note that the analyst has seen the result: the clip of these bytes cannot be judged blind any more."""
        folder = self._job(job)
        if folder.is_dir():
            (folder / "shown").write_text(sha256, encoding="ascii")

    def shown_sha256(self, job: str) -> str:
        """Of the clip that a job showed, or ""."""
        try:
            return (self._job(job) / "shown").read_text(encoding="ascii", errors="replace")
        except OSError:
            return ""

    def was_shown(self, sha256: str) -> bool:
        """Whether a listed job showed a clip of these bytes."""
        return any(self.shown_sha256(job) == sha256 for job in self.jobs())

    def cancel(self, job: str, wait: bool = False) -> None:
        """Ask a job to stop. A worker that doesn't within GRACE_S is killed, which frees its memory and the GPU's.

        Args:
            wait: until it has stopped, as whoever ends at once has to.
        """
        folder = self._job(job)
        if not folder.is_dir() or (folder / "outcome.json").exists():
            return
        (folder / "cancel").touch()
        if not (folder / "started").exists():
            write_whole(folder / "outcome.json", b'{"state": "cancelled"}')
            return
        seeing = threading.Thread(target=self._see_it_stop, args=(folder,), daemon=True)
        seeing.start()
        if wait:
            seeing.join()

    def resume(self, job: str) -> None:
        """Take up an interrupted, failed or cancelled job again; what was kept of it is used."""
        folder = self._job(job)
        for name in ("outcome.json", "started", "cancel", "progress.json"):
            (folder / name).unlink(missing_ok=True)
        self.ensure_worker()

    def forget(self, job: str) -> None:
        """Remove an ended job, and the upload it was about unless another job is; its result stays."""
        folder = self._job(job)
        if not self.status(job).ended:
            return
        facts = _read(folder / "job.json") or {}
        shutil.rmtree(folder, ignore_errors=True)
        settings = facts.get("settings")
        still = settings.get("still") if isinstance(settings, dict) else None
        wanted = self._files()
        for path in {str(facts.get("path", "")), *([still] if isinstance(still, str) else [])} - wanted:
            self.uploads.remove(path)

    def tidy(self) -> None:
        """Forget what ended long ago, and remove uploads that no job is about."""
        ended = [t for t in self.tickets() if self.status(t.id).ended]
        now = time.time()
        for number, t in enumerate(ended):
            if number >= MOST_JOBS or t.created < now - (_QUIET_S if t.quiet else KEPT_DAYS * 86_400):
                self.forget(t.id)
        self.uploads.tidy(self._files())

    def _files(self) -> frozenset[str]:
        """Paths of what the listed jobs are about."""
        tickets = self.tickets()
        return frozenset(t.path for t in tickets) | {t.settings.still for t in tickets if t.settings.still}

    def busy(self) -> bool:
        """Whether a job is running or waiting."""
        return any(not self.status(j).ended for j in self.jobs())

    def ensure_worker(self) -> None:
        """Start the worker when none lives."""
        with self._lock:
            starting = self._worker is not None and self._worker.poll() is None and time.time() - self._spawned < STARTING_S
            if starting or _held(self.folder / "worker.lock"):
                return
            others = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and p != str(ROOT)]
            with (self.folder / "worker.log").open("ab") as log:
                self._worker = subprocess.Popen(
                    [sys.executable, "-m", "engine.case.jobs.worker", str(self.folder), str(self.results.folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env={**memory.environment(), "PYTHONPATH": os.pathsep.join([*others, str(ROOT)])},
                    start_new_session=True,
                )
            self._spawned = time.time()

    def stop_worker(self) -> None:
        """Kill the worker, whoever started it; running jobs are interrupted."""
        with self._lock:  # or the one that somebody starts when this one is dead would be killed for it
            pid = _read(self.folder / "worker.json")
            if pid and _held(self.folder / "worker.lock"):
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(int(pid["pid"]), signal.SIGKILL)
            if self._worker is not None:
                with suppress(ProcessLookupError):
                    self._worker.kill()
                self._worker.wait()
                self._worker = None

    def _alive(self) -> bool:
        if _held(self.folder / "worker.lock"):
            return True
        return self._worker is not None and self._worker.poll() is None

    def _stale(self, job: str, alive: bool) -> bool:
        return (self.folder / job / "started").exists() and not alive

    def _see_it_stop(self, folder: Path) -> None:
        until = time.monotonic() + GRACE_S
        while time.monotonic() < until:
            if (folder / "outcome.json").exists() or not self._alive():
                return
            time.sleep(0.1)
        self.stop_worker()
        with suppress(OSError):  # it was forgotten as soon as its worker was dead
            if not (folder / "outcome.json").exists():
                write_whole(folder / "outcome.json", b'{"state": "cancelled"}')
        self.ensure_worker()  # for those that wait

    def _job(self, job: str) -> Path:
        if not job or set(job) - set("0123456789abcdef-"):
            raise SettingError("There is no such job; open the clip again.")
        return self.folder / job


def _outcome(folder: Path, stages: tuple[JobStage, ...]) -> JobStatus | None:
    held = _read(folder / "outcome.json")
    if held is None:
        return None
    error, key, said = (str(held.get(name, "")) for name in ("error", "key", "said"))
    return JobStatus(str(held["state"]), stages, kept=bool(held.get("kept")), error=error, key=key, said=said)


def _stages(folder: Path) -> tuple[JobStage, ...]:
    held = _read(folder / "progress.json")
    return tuple(JobStage(**s) for s in held["stages"]) if held else ()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _held(path: Path) -> bool:
    """Whether somebody holds the lock on this file."""
    try:
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except OSError:
        return True


@contextmanager
def the_only_one(path: Path, within_s: float = 2.0) -> Iterator[bool]:
    """Hold the lock on this file if it is free; yields whether it was. Those who only look hold it for a moment as well, so it
    is tried again for a while."""
    until = time.monotonic() + within_s
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > until:
                    yield False
                    return
                time.sleep(0.05)
        yield True
