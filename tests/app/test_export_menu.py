"""The export menu: what takes seconds is written in a thread, which knows no session, for the clip it was asked for."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
import made

import engine
from app.panels.export import REPORTS, ReportKind, _start
from app.session import judging
from app.session.session import Session
from app.session.work import Work
from engine import Cancelled, EarwitnessError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """The sessions whose timeline was asked for; what needs models is left out."""
    seen: list[Session] = []
    monkeypatch.setattr(judging, "for_report", lambda session, found: (seen.append(session), found)[1])
    monkeypatch.setattr(engine, "explained", lambda found: found, raising=False)

    def unknown(*_: object) -> None:
        raise EarwitnessError("No range is known here.")

    monkeypatch.setattr(engine, "species_range", unknown, raising=False)
    return seen


def wait(b: Session, kind: str) -> Work:
    work = b.reports[kind][1]
    deadline = time.monotonic() + 60
    while work.running and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not work.running
    return work


@pytest.mark.parametrize("paper", REPORTS, ids=lambda p: p.kind)
def test_a_report_is_made_for_its_own_clip(asked: list[Session], paper: ReportKind) -> None:
    b, found = Session(), made.finding()
    _start(b, found, paper, "clip")
    work = wait(b, paper.kind)
    assert work.error == "" and asked == [b] and b.reports[paper.kind][0] is found
    content = work.made if isinstance(work.made, bytes) else work.made.encode()
    assert content.startswith({"pdf": b"%PDF-", "html": b"<!doctype html>", "zip": b"PK"}[paper.kind])


def test_a_report_can_be_stopped_and_keeps_nothing(asked: list[Session]) -> None:
    def write(*given: object) -> str:
        for _ in range(2000):
            given[3](engine.Progress("drawing"))  # type: ignore[operator]
            time.sleep(0.01)
        raise AssertionError("was not stopped")

    b = Session()
    _start(b, made.finding(), ReportKind("pdf", "PDF report", "application/pdf", "", write), "clip")  # type: ignore[arg-type]
    b.reports["pdf"][1].cancel()
    work = wait(b, "pdf")
    assert work.cancelled and work.made is None and issubclass(Cancelled, EarwitnessError)
