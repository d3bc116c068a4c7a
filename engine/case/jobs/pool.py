"""A batch on this machine's cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker

from engine.case.jobs.outcome import Outcome, bare, examine
from engine.case.jobs.results import Results
from engine.media import jail

MOST_ATTEMPTS = 2  # a clip on which two workers died is noted and passed over
_AHEAD = 2  # clips handed out per worker, so that none waits for the driver


def outcomes(paths: Sequence[str], settings: str, results: Results, workers: int) -> Generator[Outcome, None, None]:
    """Outcomes as they come.

    When a worker dies, all are lost with what they were at, and nobody knows whose clip it was: those clips are examined again
    one at a time, so that the one that kills is known, and then all workers go on. Whoever stops early leaves no worker behind:
    what they were at is examined by the next batch.
    """
    waiting: deque[str] = deque(paths)
    suspects: deque[tuple[str, int]] = deque()
    while waiting or suspects:
        alone = bool(suspects)
        count = 1 if alone else min(workers, len(waiting))
        pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _prepare, (count, os.getpid()))
        out: dict[Future[Outcome], tuple[str, int]] = {}
        try:
            while out or (suspects if alone else waiting):
                while (suspects if alone else waiting) and len(out) < (1 if alone else _AHEAD * count):
                    path, attempts = suspects.popleft() if alone else (waiting.popleft(), 0)
                    try:
                        with _uninterrupted():
                            out[pool.submit(examine, path, settings, str(results.folder))] = path, attempts
                    except BrokenProcessPool:
                        waiting.appendleft(path)  # it never reached a worker
                        raise
                for future in wait(out, return_when=FIRST_COMPLETED).done:
                    outcome = future.result()
                    del out[future]
                    yield outcome
        except BrokenProcessPool:
            for path, attempts in out.values():
                if alone and attempts + 1 >= MOST_ATTEMPTS:
                    yield Outcome(path, bare(path), problem="The worker crashed on it twice; examine it alone to see why.")
                else:
                    suspects.append((path, attempts + alone))
        finally:
            processes = list((pool._processes or {}).values())  # which `shutdown` forgets
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.kill()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Workers started within never see Ctrl-C, which a terminal sends to all processes: their driver ends them."""
    resource_tracker.ensure_running()  # starting it unblocks what is blocked here
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare(workers: int, driver: int) -> None:
    """Once per worker: it ends with its driver, and takes its share of the cores."""
    jail.end_with(driver)
    share = max(1, (os.cpu_count() or 2) // workers)
    os.environ.setdefault("OMP_NUM_THREADS", str(share))
