"""Several pieces of work at the same time, with one progress callback that never leaves the caller's thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from engine.core.errors import Cancelled
from engine.core.progress import Progress, ProgressCallback

T = TypeVar("T")
_LOOK_S = 0.1


def run_in_parallel(works: Sequence[tuple[str, Callable[[ProgressCallback], T]]], progress: ProgressCallback) -> list[T]:
    """Run named pieces of work in threads of their own; results in the order given.

    Each is handed a callback of its own. What it reports is passed on to `progress` from the thread that called this, with the
    name as the lane. When `progress` raises, every piece stops at its next report, and the error goes on to the caller; so it
    does when a piece fails, the first in the order given.

    Args:
        works: (name, function of a progress callback); the functions share nothing that is not safe to share.
    """
    if len(works) == 1:
        return [works[0][1](progress)]
    reports: queue.SimpleQueue[Progress] = queue.SimpleQueue()
    stop = threading.Event()

    def report_for(task: str) -> ProgressCallback:
        def report(step: Progress) -> None:
            if stop.is_set():
                raise Cancelled("Stopped as asked; nothing was kept.")
            reports.put(replace(step, task=task))

        return report

    with ThreadPoolExecutor(max(1, len(works)), thread_name_prefix="task") as pool:
        futures = [pool.submit(work, report_for(name)) for name, work in works]
        try:
            while not all(f.done() for f in futures):
                _pass_on(reports, progress, _LOOK_S)
                if any(f.done() and f.exception() for f in futures):
                    break
            _pass_on(reports, progress, 0.0)
        finally:
            stop.set()
    return _results(futures)


def _pass_on(reports: queue.SimpleQueue[Progress], progress: ProgressCallback, wait_s: float) -> None:
    """Hand on what was reported, waiting a little for the first."""
    try:
        step = reports.get(timeout=wait_s) if wait_s else reports.get_nowait()
        while True:
            progress(step)
            step = reports.get_nowait()
    except queue.Empty:
        return


def _results(futures: Sequence[Future[T]]) -> list[T]:
    failures = [e for f in futures if (e := f.exception()) is not None]
    # A piece that was stopped because another failed says no more than that.
    failure = next((e for e in failures if not isinstance(e, Cancelled)), failures[0] if failures else None)
    if failure is not None:
        raise failure
    return [f.result() for f in futures]
