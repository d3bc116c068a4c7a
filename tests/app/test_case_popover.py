"""The open clip kept in a case: what the analyst did before and does after, documents, the way back from Archive."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import engine
from app.panels.case import _ANOTHER
from app.session import case, navigation
from app.session.session import Session
from engine.case.record import archive
from engine.case.record.store import Case
from engine.case.record.verify import verify

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 240.0
LEFT_OUT = "text clue left out"


@pytest.fixture
def page() -> AppTest:
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    at.run()
    at.button(key="example-golf_georgia").click().run()
    wait(at, lambda b: b.job is None)
    return at


def session_of(at: AppTest) -> Session:
    held: Session = at.session_state["session"]
    return held


def wait(at: AppTest, until) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + WAIT_S
    while not until(session_of(at)) and time.monotonic() < end:
        time.sleep(0.1)
        at.run()
    at.run()
    assert not at.exception and until(session_of(at)), session_of(at).case.error


def stop_reading(at: AppTest) -> None:
    """An edit that changes the verdict: signs are not scored, and the picture has nothing to say."""
    at.toggle(key="clue-text").set_value(False).run()
    assert not at.exception and session_of(at).settings.left_out == {"text"}


def keep_in(at: AppTest, place: str) -> None:
    if any(w.key == "keep-known" for w in at.selectbox):
        at.selectbox(key="keep-known").select(_ANOTHER).run()
    at.text_input(key="keep-place").input(place).run()
    press(at, "keep-go")


def press(at: AppTest, key: str) -> None:
    at.button(key=key).click().run()
    assert not at.exception


def test_work_on_a_clip_goes_into_the_case_and_comes_back_from_it(page: AppTest, tmp_path: Path) -> None:
    place = tmp_path / "case"
    stop_reading(page)
    press(page, "undo")
    page.text_input(key="name-keep").input("Ann").run()
    keep_in(page, str(place))
    wait(page, lambda b: b.case.case_clip is not None and b.case.entered == len(b.moves))
    stop_reading(page)
    b = session_of(page)
    with Case(str(place)) as kept:
        decided = kept.decisions()
        assert verify(kept).well and len(kept.findings()) == 1
    assert [d.what for d in decided] == [LEFT_OUT, f"undone: {LEFT_OUT}", LEFT_OUT]
    assert {d.who for d in decided} == {"Ann"}
    assert decided[0].factor_before == decided[1].factor_after == decided[2].factor_before is not None
    assert decided[0].factor_after is None

    found = b.judged[b.settings]
    made = case.exported(b, found, "json", "golf", lambda custody: engine.to_json(found, custody))
    document = json.loads(made)
    with Case(str(place)) as kept:
        verified = verify(kept, document["custody"]["head"])
        assert verified.well and verified.known_at and verified.files == 2
        edited = kept.findings()[-1]
    assert len(document["custody"]["decisions"]) == 3
    assert archive.settings_of(str(place), edited.id) == b.settings
    (entry,) = [e for e in archive.read(str(place)).entries if e.id == edited.id]
    assert entry.title == "golf_georgia.mp4, edited"


def test_a_case_that_cannot_be_made_leaves_the_clip_as_it_is(page: AppTest, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    keep_in(page, str(tmp_path / "file" / "case"))
    wait(page, lambda b: b.case.work is None)
    assert session_of(page).case.case_clip is None and "cannot be made" in " ".join(e.value for e in page.error)


def test_a_finding_of_a_case_is_opened_with_its_edits_and_written_on(page: AppTest, tmp_path: Path) -> None:
    place = str(tmp_path / "case")
    keep_in(page, place)
    wait(page, lambda b: b.case.case_clip is not None)
    stop_reading(page)
    press(page, "keep-result")
    settings = session_of(page).settings
    edited = next(e for e in archive.read(place).entries if e.edits)
    press(page, "close")
    page.switch_page("pages/archive.py").run()
    page.session_state[navigation.CASE] = place
    page.run()
    end = time.monotonic() + WAIT_S
    while page.session_state["archive"].work is not None and time.monotonic() < end:
        time.sleep(0.1)
        page.run()
    page.run()
    page.session_state["archive"].chosen = (edited.id,)
    page.run()
    press(page, f"case-examine-{edited.id}")
    page.switch_page("pages/examine.py").run()
    wait(page, lambda b: b.job is None and b.case.case_clip is not None)
    assert session_of(page).settings == settings
    press(page, "undo")
    with Case(place) as kept:
        assert kept.decisions()[-1].what == f"undone: {LEFT_OUT}"
