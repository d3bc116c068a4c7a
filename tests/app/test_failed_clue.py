"""A clue that failed, on the page Examine: it is named with the remedy, and a button puts the clip into the queue once more."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import engine
from app.session import jobs
from engine.analysis.judge import examples
from engine.case import Queue
from engine.clues.text.observe import TextObserver
from engine.core.errors import DecoderError

ROOT = Path(__file__).resolve().parents[2]
QUICK = engine.Settings(quick=True)
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> str:
    """A job whose worker could not read the picture; its id."""
    found = [e.path for e in examples() if e.path.stem == "golf_georgia"]
    if not found:
        pytest.skip("needs the examples; make them with: python examples/make_examples.py")
    queue = jobs.queue()
    with monkeypatch.context() as patch:

        def fail(*_: object, **__: object) -> None:
            raise DecoderError("Decoding golf_georgia.mp4 took more than 6,000 MB [of memory]; leave it out.")

        patch.setattr(TextObserver, "observe", fail)
        patch.setattr(Queue, "ensure_worker", lambda _: None)
        queue.stop_worker()  # one that lives would take the job up
        made = queue.submit(found[0], QUICK, found[0].name)
        with engine.open_clip(found[0]) as reader:
            _, key, _ = queue.results.perceive(reader, QUICK)
        queue.settle(made, key)
    return made


def finish(at: AppTest) -> None:
    end = time.monotonic() + 200
    while at.session_state["session"].job is not None and time.monotonic() < end:
        time.sleep(0.2)
        at.run()
    at.run()
    assert not at.exception and at.session_state["session"].job is None


@pytest.mark.slow
def test_what_failed_is_named_and_examined_again_with_all_edits(listed: str) -> None:
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    at.run()
    at.button(key=f"open-{listed}").click().run()
    finish(at)
    b = at.session_state["session"]
    (said,) = [w.value for w in at.warning]
    assert said.startswith("Reading what is written in the picture failed") and "leave it out" in said.replace("\\", "")
    assert "\\[of memory\\]" in said, "what comes from a file is no markup"
    assert not any(o.clue == "text" for o in b.perception.observations)
    at.selectbox(key="set_prior").select("land").run()
    assert len(b.edits) == 1

    at.button(key="examine-again").click().run()
    assert b.job is not None, "it waits in the queue"
    finish(at)
    assert not at.warning and not b.perception.failed
    assert any(o.clue == "text" for o in b.perception.observations)
    assert b.settings.prior == "land" and b.settings.quick, "what the analyst chose stays"
    assert listed not in jobs.queue().jobs(), "the list has the clip once"
