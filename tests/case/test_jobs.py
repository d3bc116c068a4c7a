"""Jobs in a process of their own: results, refusals, cancelling, a worker that dies."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.case.jobs import queue as jobs
from engine.case.jobs import worker
from engine.case.jobs.queue import JobStatus, Queue
from engine.case.jobs.results import Results
from engine.case.jobs.upload import Uploads
from engine.core.errors import DataError, SettingError
from engine.core.progress import Progress
from engine.core.settings import Settings


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    queue = Queue(tmp_path / "jobs", Results(tmp_path / "results"))
    yield queue
    queue.stop_worker()


def noise(path: Path, seconds: float) -> Path:
    samples = (np.random.default_rng(0).normal(0, 2000, int(48_000 * seconds))).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(samples.tobytes())
    return path


def ended(queue: Queue, job: str) -> JobStatus:
    while not (status := queue.status(job)).ended:
        time.sleep(0.05)
    return status


def test_the_same_content_is_perceived_once(queue: Queue, tmp_path: Path) -> None:
    first = queue.submit(noise(tmp_path / "a.wav", 3.0), Settings(), "a")
    copy = queue.submit(noise(tmp_path / "copy of a.wav", 3.0), Settings(prior="land"))
    other = queue.submit(tmp_path / "a.wav", Settings(stride_s=1.0))
    done = [ended(queue, job) for job in (first, copy, other)]
    assert [s.state for s in done] == ["done"] * 3
    assert [s.kept for s in done] == [False, True, False]  # another prior perceives nothing new, another stride does
    assert done[0].key == done[1].key != done[2].key
    assert (
        queue.result(copy).clip.path.endswith("copy of a.wav")
        or queue.result(copy).clip.sha256 == queue.result(first).clip.sha256
    )
    assert queue.ticket(first).title == "a"
    assert all(stage.ended is not None for stage in done[0].stages)


def test_a_file_that_is_no_clip_fails_with_its_sentence(queue: Queue, tmp_path: Path) -> None:
    (tmp_path / "letter.mp4").write_text("Dear Sir or Madam")
    status = ended(queue, queue.submit(tmp_path / "letter.mp4", Settings()))
    assert status.state == "failed"
    assert "letter.mp4" in status.error
    with pytest.raises(DataError):
        queue.result(queue.jobs()[0])


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_soon(queue: Queue, tmp_path: Path) -> None:
    long = queue.submit(noise(tmp_path / "long.wav", 240.0), Settings(stride_s=0.2))
    waiting = queue.submit(noise(tmp_path / "b.wav", 1.0), Settings())
    queue.cancel(waiting)
    assert queue.status(waiting).state == "cancelled"
    while queue.status(long).state == "waiting":
        time.sleep(0.05)
    queue.cancel(long)
    assert ended(queue, long).state == "cancelled"
    assert not list(queue.results.folder.glob("*.npz"))


def test_a_worker_that_dies_leaves_a_job_that_can_be_resumed(queue: Queue, tmp_path: Path) -> None:
    job = queue.submit(noise(tmp_path / "c.wav", 120.0), Settings(stride_s=0.2))
    while queue.status(job).state == "waiting":
        time.sleep(0.05)
    queue.stop_worker()
    assert queue.status(job).state == "interrupted"
    again = Queue(queue.folder, queue.results)  # as after the program was started anew
    assert again.status(job).state == "interrupted"
    noise(tmp_path / "c.wav", 2.0)  # so that the second run is short
    again.resume(job)
    assert ended(again, job).state == "done"
    again.forget(job)
    assert not again.jobs()
    again.stop_worker()


@pytest.mark.parametrize("job", ["", "../x", "/etc", "a b"])
def test_a_job_is_no_path(queue: Queue, job: str) -> None:
    with pytest.raises(SettingError):
        queue.status(job)


def test_damaged_results_are_made_anew(tmp_path: Path) -> None:
    results = Results(tmp_path)
    key = "0" * 64
    (tmp_path / f"{key}.npz").write_bytes(b"PK not one")
    assert results.get(key) is None
    assert not (tmp_path / f"{key}.npz").exists()
    with pytest.raises(DataError):
        results.get("../../etc/passwd")


def test_a_lane_that_is_through_has_ended_though_nothing_follows_it(tmp_path: Path) -> None:
    told = worker.ProgressFile(tmp_path)
    told(Progress("listening", 5.0, 10.0, "s", "sound"))
    told(Progress("looking", 1.0, 2.0, "frames", "picture"))
    told(Progress("listening", 10.0, 10.0, "s", "sound"))
    told(Progress("listening", 10.0, 10.0, "s", "sound"))
    assert [(s.name, s.ended is None) for s in told.stages] == [("listening", False), ("looking", True)]


def test_who_starts_a_worker_while_one_is_killed_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue(tmp_path / "jobs", Results(tmp_path / "results"), Uploads(tmp_path / "uploads"))
    real_popen, real_kill = subprocess.Popen, os.killpg
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    old = real_popen(sleep, start_new_session=True)
    (queue.folder / "worker.json").write_text(json.dumps({"pid": old.pid}))
    lock = (queue.folder / "worker.lock").open("a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    queue._worker = old
    other = threading.Thread(target=queue.ensure_worker)

    def kill(pid: int, sign: int) -> None:
        real_kill(pid, sign)
        lock.close()
        other.start()
        time.sleep(0.5)  # long enough for it to start one, were it not made to wait

    monkeypatch.setattr(os, "killpg", kill)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: real_popen(sleep, start_new_session=True))
    queue.stop_worker()
    other.join(10)
    assert queue._alive()
    monkeypatch.undo()
    assert queue._worker is not None
    queue._worker.kill()
    queue._worker.wait()


def test_a_worker_that_does_not_heed_is_ended_before_the_command_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `earwitness jobs --cancel` does: a thread that saw to it later would end with the command."""
    queue = Queue(tmp_path / "jobs", Results(tmp_path / "results"), Uploads(tmp_path / "uploads"))
    monkeypatch.setattr(jobs, "GRACE_S", 0.2)
    monkeypatch.setattr(Queue, "ensure_worker", lambda self: None)
    job = queue.submit(noise(tmp_path / "a.wav", 1.0), Settings())
    code = (
        "import fcntl, json, os, sys, time\nfrom pathlib import Path\nfolder = Path(sys.argv[1])\n"
        "lock = (folder / 'worker.lock').open('a')\nfcntl.flock(lock, fcntl.LOCK_EX)\n"
        "(folder / 'worker.json').write_text(json.dumps({'pid': os.getpid()}))\nprint('at work', flush=True)\ntime.sleep(600)\n"
    )
    words = [sys.executable, "-c", code, str(queue.folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as deaf:
        assert deaf.stdout and deaf.stdout.readline() == "at work\n"
        (queue.folder / job / "started").touch()
        queue.cancel(job, wait=True)
        assert deaf.wait(10) < 0
    assert queue.status(job).state == "cancelled"
