"""`earwitness jobs`, on a queue of its own without a worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import cli
from engine.case.jobs.queue import Queue
from engine.core.settings import Settings


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    monkeypatch.setenv("EARWITNESS_KEPT", str(tmp_path))
    monkeypatch.setattr(Queue, "ensure_worker", lambda self: None)
    return Queue()


def test_jobs_are_listed_stopped_resumed_and_forgotten(queue: Queue, capsys: pytest.CaptureFixture[str]) -> None:
    job = queue.submit("/films/golf.mp4", Settings(), "golf\x1b[2J.mp4")
    queue.submit("/films/secret.mp4", Settings(), "secret.mp4", sealed=True)
    assert cli.main(["jobs"]) == 0
    said = capsys.readouterr().out
    assert job[-8:] in said and "waiting" in said and "\x1b" not in said and "secret" not in said and "sealed clip" in said
    assert cli.main(["jobs", "--cancel", job[-8:]]) == 0
    assert queue.status(job).state == "cancelled"
    assert cli.main(["jobs", "--resume", job]) == 0
    assert queue.status(job).state == "waiting"
    assert cli.main(["jobs", "--cancel", job]) == cli.main(["jobs", "--forget", job]) == 0
    assert job not in queue.jobs()
    for nonsense in ("", "../x", "0" * 8):
        assert cli.main(["jobs", "--cancel", nonsense]) == 2
    assert cli.main(["jobs", "--clear"]) == 0 and len(queue.jobs()) == 1  # one still waits
