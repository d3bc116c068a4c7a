"""The list of clips on the first page: what outlasts the page, the browser and the worker."""

from __future__ import annotations

import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.panels.queue import _hover, _named, status_words
from app.server import route
from app.session import jobs, opening
from engine import Settings
from engine.case import JobStage, JobStatus, JobTicket, Queue

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 120.0


def new_session() -> AppTest:
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    at.run()
    assert not at.exception
    return at


def session_of(at: AppTest) -> Any:
    return at.session_state["session"]


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def until(at: AppTest, done: Any) -> None:
    end = time.monotonic() + WAIT_S
    while not done() and time.monotonic() < end:
        time.sleep(0.1)
        at.run()
    assert done() and not at.exception


@pytest.fixture(autouse=True)
def empty_list(kept: None) -> None:
    for name in jobs.queue().jobs():
        jobs.queue().cancel(name)
        end = time.monotonic() + 20
        while not jobs.queue().status(name).ended and time.monotonic() < end:
            time.sleep(0.1)
        jobs.queue().forget(name)


def noise(path: Path, seconds: float) -> Path:
    samples = np.random.default_rng(int(seconds)).normal(0, 2000, int(48_000 * seconds)).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(samples.tobytes())
    return path


def opened(at: AppTest, path: Path) -> None:
    at.text_input(key="path-first").input(str(path))
    next(b for b in at.button if b.label == "Open").click().run()


def test_the_result_is_there_after_the_browser_was_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_session()
    assert "Your clips" not in html(first)
    clip = noise(tmp_path / "walk <i>.wav", 4.0)
    opened(first, clip)
    first.button(key="leave").click().run()  # nobody waits for it
    assert session_of(first).job is None and "Your clips" in html(first)
    (ticket,) = jobs.queue().tickets()
    until(first, lambda: jobs.queue().status(ticket.id).state == "done")
    jobs.queue().stop_worker()
    monkeypatch.setattr(Queue, "ensure_worker", lambda self: None)  # nothing is computed twice: there is nobody to do it
    second = new_session()
    assert "walk &lt;i&gt;.wav" in html(second) and "examined just now" in html(second)
    second.button(key=f"open-{ticket.id}").click().run()
    until(second, lambda: session_of(second).perception is not None)
    assert session_of(second).perception.clip.path == str(clip)


def test_a_worker_that_died_is_said_to_have_and_the_clip_can_be_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.queue().stop_worker()
    monkeypatch.setattr(Queue, "ensure_worker", lambda self: None)
    at = new_session()
    opened(at, noise(tmp_path / "long.wav", 3.0))
    (ticket,) = jobs.queue().tickets()
    (jobs.queue().folder / ticket.id / "started").touch()  # as a worker leaves it that is killed
    at.run()
    assert len(at.error) == 1 and "killed" in at.error[0].value
    at.button(key="leave").click().run()
    assert "interrupted" in html(at)
    at.button(key=f"resume-{ticket.id}").click().run()
    assert jobs.queue().status(ticket.id).state == "waiting" and session_of(at).job is not None
    at.button(key="cancel").click().run()
    at.run()
    assert session_of(at).job is None and "Stopped" in at.info[0].value


def test_a_clip_is_listed_once_and_can_be_taken_off(tmp_path: Path) -> None:
    at = new_session()
    clip = noise(tmp_path / "twice.wav", 2.0)
    for _ in range(2):
        opened(at, clip)
        until(at, lambda: session_of(at).job is None)
        at.run()
        at.button(key="close").click().run()
    (ticket,) = jobs.queue().tickets()
    at.button(key=f"forget-{ticket.id}").click().run()
    assert jobs.queue().tickets() == () and "Your clips" not in html(at) and clip.is_file()


def test_an_upload_is_examined_and_removed_with_its_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "_installed", True)
    monkeypatch.setattr("app.components.upload.component._component", lambda: lambda **_: None)  # drawn by the browser alone
    at = new_session()
    data = noise(tmp_path / "dropped.wav", 2.0).read_bytes()
    address = session_of(at).door
    door = route._doors[address.rpartition("/")[2]]
    upload = door.uploads.begin("../dropped.wav", len(data))
    door.own.add(upload)
    door.uploads.append(upload, 0, data)
    with monkeypatch.context() as here:
        here.setattr(st, "session_state", {"session": session_of(at)})
        opening.arrived("0" * 32, False)
        assert "no such upload" in session_of(at).error
        session_of(at).error = ""
        opening.arrived(upload, True, 2)
    (ticket,) = jobs.queue().tickets()
    assert ticket.title == "dropped.wav" and jobs.queue().uploads.holds(ticket.path)
    until(at, lambda: jobs.queue().status(ticket.id).state == "done")
    jobs.queue().forget(ticket.id)
    assert not Path(ticket.path).exists()


@pytest.mark.parametrize("first", ["a.wav", "b.jpg"])
def test_a_sound_and_a_picture_dropped_together_are_one_clip(first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = {"a.wav": "b.jpg", "b.jpg": "a.wav"}[first]
    at = new_session()
    asked: list[tuple[str, str | None]] = []
    monkeypatch.setattr(opening, "upload_address", lambda: "")
    monkeypatch.setattr(route, "arrived", lambda _, upload: tmp_path / upload)
    monkeypatch.setattr(opening, "examine", lambda path, _, settings=None: asked.append((path.name, settings and settings.still)))
    with monkeypatch.context() as here:
        here.setattr(st, "session_state", {"session": session_of(at)})
        opening.arrived(first, True, 1)
        assert asked == []
        opening.arrived(second, False, 2)
        assert asked == [("a.wav", str(tmp_path / "b.jpg"))]
        opening.arrived("b.jpg", False, 1)
    assert asked[1:] == [("b.jpg", None)]


def test_a_sealed_clip_has_no_name_in_the_list() -> None:
    sealed = JobTicket("1", "/films/georgia.mp4", "georgia.mp4", Settings(), 0.0, sealed=True)
    assert _named(sealed) == "Sealed clip" and _hover(sealed) == ""
    seen = JobTicket("1", "/films/georgia.mp4", "georgia.mp4", Settings(), 0.0, sealed=True, shown=True)
    assert _named(seen) == "georgia.mp4"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (JobStatus("waiting"), "starting"),
        (JobStatus("waiting", ahead=2), "waiting for 2 others"),
        (JobStatus("running", (JobStage("reading text", 0.0, None, 3.0, 12.0),)), "reading text 25%"),
        (JobStatus("failed", error="<b>no</b>"), "&lt;b&gt;no&lt;/b&gt;"),
        (JobStatus("interrupted"), "interrupted"),
        (JobStatus("done", (JobStage("x", time.time() - 7300, time.time() - 7250),)), "examined 2 hours ago"),
        (JobStatus("done", said="3 clips examined, 0 were there"), "3 clips examined"),
    ],
)
def test_how_a_job_stands_in_words(status: JobStatus, told: str) -> None:
    assert told in status_words(JobTicket("1", "/a", "a", Settings(), time.time()), status)
