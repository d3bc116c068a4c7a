"""Works side by side: one callback in the caller's thread, order of results, stopping, failing."""

from __future__ import annotations

import threading
import time

import pytest

from engine.core.errors import Cancelled, MediaError
from engine.core.parallel import run_in_parallel
from engine.core.progress import Progress, ProgressCallback, silent


def steps(stage: str, n: int, pause_s: float = 0.005):  # type: ignore[no-untyped-def]
    def work(progress: ProgressCallback) -> str:
        for i in range(n):
            progress(Progress(stage, i, n))
            time.sleep(pause_s)
        return stage

    return work


def test_results_come_in_the_order_given_and_reports_in_the_callers_thread() -> None:
    told: list[Progress] = []
    threads = set()

    def note(step: Progress) -> None:
        told.append(step)
        threads.add(threading.get_ident())

    assert run_in_parallel([("slow", steps("a", 20)), ("quick", steps("b", 3))], note) == ["a", "b"]
    assert threads == {threading.get_ident()}
    assert len([p for p in told if p.task == "slow"]) == 20 and len([p for p in told if p.task == "quick"]) == 3
    assert {p.stage for p in told if p.task == "slow"} == {"a"}


def test_one_work_alone_needs_no_thread() -> None:
    def work(_: ProgressCallback) -> int:
        return threading.get_ident()

    assert run_in_parallel([("only", work)], silent) == [threading.get_ident()]


def test_raising_in_the_callback_stops_all() -> None:
    alive = []

    def endless(progress: ProgressCallback) -> None:
        try:
            while True:
                progress(Progress("on and on"))
                time.sleep(0.005)
        finally:
            alive.append(False)

    def stop(step: Progress) -> None:
        raise Cancelled("Stopped as asked; nothing was kept.")

    with pytest.raises(Cancelled):
        run_in_parallel([("a", endless), ("b", endless)], stop)
    assert alive == [False, False]


def test_a_failure_stops_the_others_and_is_what_the_caller_hears() -> None:
    def failing(_: ProgressCallback) -> None:
        time.sleep(0.02)
        raise MediaError("It is damaged; copy it again.")

    with pytest.raises(MediaError, match="damaged"):
        run_in_parallel([("long", steps("a", 10_000)), ("bad", failing)], silent)
