"""Ctrl-C and SIGTERM: seconds, one sentence, exit code 1, nobody left behind, and the next run goes on."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.case.jobs.batch import _done
from engine.case.jobs.results import Results, write_whole
from engine.case.record.store import Case
from engine.case.record.verify import verify
from engine.core.finding import Settings
from engine.core.paths import ROOT
from engine.core.progress import Progress

MOST_S = 5.0
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="waits for the end of processes as Linux tells it")


def noise(path: Path, seed: int, seconds: float = 1.0) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(np.random.default_rng(seed).normal(0, 2000, int(16_000 * seconds)).astype("<i2").tobytes())


def gone(pid: int, most_s: float) -> bool:
    """Whether a process ends within so many seconds."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with contextlib.closing(selectors.PollSelector()) as selector:
        selector.register(fd, selectors.EVENT_READ)
        ended = bool(selector.select(most_s))
    os.close(fd)
    return ended


@contextlib.contextmanager
def process(words: list[str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "EARWITNESS_KEPT": str(tmp_path / "kept")}
    heeding = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job ignores it
    heeding += f"import runpy; sys.argv[:] = {words!r}; runpy.run_module({words[0]!r}, run_name='__main__', alter_sys=True)"
    started = subprocess.Popen(
        [sys.executable, "-c", heeding],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.communicate()


@pytest.mark.parametrize(
    ("number", "times"),
    [
        (signal.SIGINT, 1),
        pytest.param(signal.SIGTERM, 1, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, 2, marks=pytest.mark.slow),
    ],
)
def test_a_batch_stops_in_seconds_and_says_what_is_finished(tmp_path: Path, number: signal.Signals, times: int) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    noise(clips / "0.wav", 0)
    for i in (1, 2, 3):
        noise(clips / f"{i}.silent.wav", i)
    words = ["tests.case.halting", "batch", str(clips), "-o", str(tmp_path / "case"), "--workers", "2"]
    with process(words, tmp_path) as driver:
        assert driver.stdout is not None
        at_work = [int(pid) for _ in range(2) for pid in driver.stdout.readline().split()[2:]]
        assert len(at_work) == 4, driver.communicate()
        began = time.monotonic()
        for _ in range(times):  # a terminal's Ctrl-C goes to every process of the group
            os.killpg(driver.pid, number) if number == signal.SIGINT else driver.send_signal(number)
        _, said = driver.communicate(timeout=60)
        took_s = time.monotonic() - began
        assert driver.returncode == 1 and "Traceback" not in said
        assert took_s < MOST_S
        if times == 1:
            assert "1 of 4 clips are finished and in the case" in said and "go on with the other 3" in said, said
        assert all(gone(pid, 10.0) for pid in at_work), "a worker or a decoder outlived the batch"
    with Case(tmp_path / "case") as case:
        assert [Path(c.path).name for c in case.clips()] == ["0.wav"] and verify(case).well


DEAF = """
import sys, threading, time
from engine import cli
from engine.cli import jobs

def run(_):
    threading.Thread(target=time.sleep, args=(600,)).start()
    print("working", flush=True)
    while True:
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            if {through}:
                raise

jobs.run = run
sys.argv[1:] = ["jobs"]
sys.exit(cli.main())
"""


@pytest.mark.parametrize("through", [True, False])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_does_not_come_back_is_ended(tmp_path: Path, number: signal.Signals, through: bool) -> None:
    """A thread works on for long, whether the main thread heeds the interrupt or a library swallows it."""
    script = tmp_path / "deaf.py"
    script.write_text(DEAF.format(through=through))
    code = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); exec(open({str(script)!r}).read())"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "EARWITNESS_KEPT": str(tmp_path)}
    stubborn = subprocess.Popen([sys.executable, "-c", code], stdout=-1, stderr=-1, text=True, env=env)
    try:
        assert stubborn.stdout and stubborn.stdout.readline() == "working\n"
        began = time.monotonic()
        stubborn.send_signal(number)
        _, said = stubborn.communicate(timeout=30)
        assert time.monotonic() - began < MOST_S
        assert stubborn.returncode == 1 and "Stopped; nothing was written" in said
    finally:
        stubborn.kill()
        stubborn.communicate()


def test_an_interrupt_that_a_library_swallows_still_stops(tmp_path: Path) -> None:
    from engine.cli import output, stop

    target = output.Target("--json", str(tmp_path / "f.json"))
    with stop.stoppable(to_the_end=False):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            output.write(target, "{}")
    assert not (tmp_path / "f.json").exists()
    output.write(target, "{}")
    assert (tmp_path / "f.json").read_text() == "{}\n" or (tmp_path / "f.json").read_text() == "{}"


def test_what_was_written_before_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from engine.cli import output, stop

    with stop.stoppable(to_the_end=False):
        output.write(output.Target("--json", str(tmp_path / "f.json")), "{}")
        stop.say()
    assert f"written before that: {tmp_path / 'f.json'}" in capfd.readouterr().err


def test_who_stops_while_hashing_does_not_wait_for_long_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.case.jobs import batch

    asked: list[int] = []

    def endless(path: str, progress: object) -> None:
        asked.append(1)
        with contextlib.suppress(Exception):
            while True:
                progress(Progress("hashing"))  # type: ignore[operator]

    def stopped(_: Progress) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "bare", lambda path, progress: None if path == "0" else endless(path, progress))
    with Case.create(tmp_path / "case") as case:
        under = batch.codec.settings_to_json(Settings())
        monkeypatch.setattr(Case, "results", lambda self: [(str(i), "k", under) for i in range(9)])
        with pytest.raises(KeyboardInterrupt):
            _done(case, [str(i) for i in range(9)], Settings(), stopped)


def test_what_an_ended_process_was_writing_is_removed_in_time(tmp_path: Path) -> None:
    results = Results(tmp_path)
    left, fresh = tmp_path / ".part-old", tmp_path / ".part-new"
    for path in (left, fresh):
        path.write_bytes(b"half")
    os.utime(left, (time.time() - 7200,) * 2)
    results._prune()
    assert not left.exists() and fresh.exists()
    write_whole(tmp_path / "x", b"whole")
    assert (tmp_path / "x").read_bytes() == b"whole"
