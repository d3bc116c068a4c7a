"""The process that does the jobs of a queue, one after another, with the models loaded once; run by `jobs`.

python -m engine.case.jobs.worker QUEUE RESULTS
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine.analysis.perceive import LONG_S
from engine.case.jobs.queue import JobStage, the_only_one
from engine.case.jobs.results import Results, write_whole
from engine.case.record import codec
from engine.core import memory
from engine.core.clip import Interval
from engine.core.errors import Cancelled, EarwitnessError
from engine.core.progress import Progress
from engine.core.settings import Settings

IDLE_S = 120.0  # without work for so long, it ends; the next job starts another
AFRESH = 75  # of `serve`: the process is to be started again
_WRITE_S = 0.15
_LOG = logging.getLogger("earwitness.worker")


def _full(stage: JobStage) -> bool:
    return bool(stage.total) and stage.done >= 0.9999 * float(stage.total or 0)


class ProgressFile:
    """Takes note of a job's steps in its folder; raises `Cancelled` when somebody asked to stop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stages: list[JobStage] = []
        self._written = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.time()
        at = next((i for i, s in enumerate(self.stages) if s.name == progress.stage and (s.ended is None or _full(s))), None)
        step: dict[str, Any] = {
            "done": float(progress.done),
            "total": progress.total,
            "unit": progress.unit,
            "task": progress.task,
        }
        if at is None:
            same = [
                i for i, s in enumerate(self.stages) if s.ended is None and (not progress.task or s.task in ("", progress.task))
            ]
            for i in same:
                self.stages[i] = replace(self.stages[i], ended=now)
            self.stages.append(JobStage(progress.stage, now, **step))
        else:
            stage = replace(self.stages[at], **step)
            # The last stage of a task has no successor that would end it.
            self.stages[at] = replace(stage, ended=now if _full(stage) else None)
        if at is None or now - self._written > _WRITE_S:
            self.write()
            if (self.folder / "cancel").exists():
                raise Cancelled("Stopped as asked; nothing was kept.")

    def write(self) -> None:
        self._written = time.time()
        write_whole(self.folder / "progress.json", json.dumps({"stages": [asdict(s) for s in self.stages]}).encode())

    def end(self) -> None:
        now = time.time()
        self.stages = [s if s.ended is not None else replace(s, ended=now) for s in self.stages]
        self.write()


def do(folder: Path, results: Results) -> dict[str, object]:
    """Do one job; returns its outcome."""
    facts = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    progress = ProgressFile(folder)
    try:
        settings = codec.settings_from_json(json.dumps(facts["settings"]))
        with memory.tidied():
            outcome = (_fill if facts.get("inputs") else _examine)(facts, settings, results, progress)
        progress.end()
        return {"state": "done", **outcome}
    except Cancelled:
        return {"state": "cancelled"}
    except EarwitnessError as error:
        return {"state": "failed", "error": str(error)}
    except MemoryError:
        return {
            "state": "failed",
            "error": "The memory of this machine ran out; close other programs, or choose a shorter interval.",
        }
    except Exception:
        _LOG.exception("examining %s failed", facts["path"])
        sentence = "Something went wrong inside Earwitness, not in your file; the job's log names it. Please try another clip."
        return {"state": "failed", "error": sentence}


def _examine(facts: dict[str, Any], settings: Settings, results: Results, progress: ProgressFile) -> dict[str, object]:
    """Perceive one clip."""
    from engine.media import open_clip

    progress(Progress("opening the file"))
    with open_clip(facts["path"], progress, settings) as reader:
        _, key, kept = results.perceive(reader, settings, progress)
        length_s = reader.clip.duration_s or 0.0
    return {"key": key, "kept": kept, "long": length_s > LONG_S and not kept}


def _fill(facts: dict[str, Any], settings: Settings, results: Results, progress: ProgressFile) -> dict[str, object]:
    """Examine many clips into a case, made when it is not there, and write its tables."""
    from engine.case.jobs import batch
    from engine.case.record.store import Case

    progress(Progress("looking for clips"))
    batch.batch_inputs(facts["inputs"])  # before a case is made for nothing
    place = facts["path"]
    with Case.at(place, facts["title"]) as case:
        done = batch.run(facts["inputs"], case, settings, results, progress=progress)
        batch.tables(case, Path(place))
    bad = f"; {len(done.problems):,} cannot be examined" if done.problems else ""
    partly = len({path for path, _ in done.failed})
    bad += f"; {partly:,} without a clue that failed; run it again to repeat that clue" if partly else ""
    return {"said": f"{done.examined + done.kept:,} clips examined, {done.there:,} already there{bad}"}


def warm(folder: Path) -> None:
    """Load what perceiving needs, by perceiving a few seconds of an example; stops as soon as there is a job."""
    from engine.analysis.judge import examples
    from engine.analysis.perceive import perceive
    from engine.media import open_clip

    def unless_wanted(_: Progress) -> None:
        if _next(folder) is not None:
            raise Cancelled("There is work to do.")

    for example in examples()[:1]:
        try:
            with open_clip(example.path, unless_wanted) as reader:
                perceive(reader, Settings(interval=Interval(0.0, 3.0)), unless_wanted)
        except Cancelled:
            return
        except Exception:
            _LOG.exception("loading the models ahead failed")


def serve(folder: Path, results: Results, idle_s: float = IDLE_S, ahead: bool = False) -> int:
    """Do the jobs of a queue until there has been none for idle_s; does nothing when another worker is at it.

    After a long film it ends with AFRESH: what so many threads and libraries have kept of it goes back with the process alone.

    Args:
        ahead: load the models before there is a job.
    """
    with the_only_one(folder / "worker.lock") as alone:
        if not alone:
            return 0
        write_whole(folder / "worker.json", json.dumps({"pid": os.getpid()}).encode())
        if ahead and _next(folder) is None:
            warm(folder)
        last = time.monotonic()
        while time.monotonic() - last < idle_s:
            job = _next(folder)
            if job is None:
                time.sleep(0.1)
                continue
            (job / "started").touch()
            outcome = do(job, results)
            with suppress(OSError):  # it was forgotten
                write_whole(job / "outcome.json", json.dumps(outcome).encode())
            last = time.monotonic()
            if outcome.get("long"):
                return AFRESH
    return 0


def _next(folder: Path) -> Path | None:
    return next((p.parent for p in sorted(folder.glob("*/job.json")) if _is_waiting(p.parent)), None)


def _is_waiting(job: Path) -> bool:
    return not (job / "started").exists() and not (job / "outcome.json").exists()


def main() -> int:
    """Command line of the process."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    again = sys.argv[3:] == ["again"]
    code = serve(Path(sys.argv[1]), Results(Path(sys.argv[2])), ahead=not again)
    if code == AFRESH:
        os.execv(sys.executable, [sys.executable, "-m", "engine.case.jobs.worker", *sys.argv[1:3], "again"])
    return code


if __name__ == "__main__":
    sys.exit(main())
