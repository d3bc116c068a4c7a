"""The export menu: what takes seconds is written in a thread, which knows no session, for the clip it was asked for."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
import made

import engine
from app import exports, state
from engine import Cancelled, EarwitnessError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[state.Bench]:
    """The benches whose timeline was asked for; what needs models is left out."""
    seen: list[state.Bench] = []
    monkeypatch.setattr(state, "for_report", lambda b, found: (seen.append(b), found)[1])
    monkeypatch.setattr(engine, "explained", lambda found: found, raising=False)

    def unknown(*_: object) -> None:
        raise EarwitnessError("No range is known here.")

    monkeypatch.setattr(engine, "species_range", unknown, raising=False)
    return seen


def wait(b: state.Bench, kind: str) -> state.Work:
    work = b.papers[kind][1]
    deadline = time.monotonic() + 60
    while work.running and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not work.running
    return work


@pytest.mark.parametrize("paper", exports.PAPERS, ids=lambda p: p.kind)
def test_a_report_is_made_for_its_own_clip(asked: list[state.Bench], paper: exports.Paper) -> None:
    b, found = state.Bench(), made.finding()
    exports._start(b, found, paper, "clip")
    work = wait(b, paper.kind)
    assert work.error == "" and asked == [b] and b.papers[paper.kind][0] is found
    content = work.made if isinstance(work.made, bytes) else work.made.encode()
    assert content.startswith({"pdf": b"%PDF-", "html": b"<!doctype html>", "zip": b"PK"}[paper.kind])


def test_a_report_can_be_stopped_and_keeps_nothing(asked: list[state.Bench]) -> None:
    def write(*given: object) -> str:
        for _ in range(2000):
            given[3](exports.Progress("drawing"))  # type: ignore[operator]
            time.sleep(0.01)
        raise AssertionError("was not stopped")

    b = state.Bench()
    exports._start(b, made.finding(), exports.Paper("pdf", "PDF report", "application/pdf", "", write), "clip")  # type: ignore[arg-type]
    b.papers["pdf"][1].cancel()
    work = wait(b, "pdf")
    assert work.cancelled and work.made is None and issubclass(Cancelled, EarwitnessError)
