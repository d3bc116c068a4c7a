"""The page Archive on a case made by hand, and what is there before one is open."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.session import archive, jobs
from engine.case.record import archive as records
from tests.case import casework

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 60.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return casework.make(tmp_path_factory.mktemp("archive") / "case")


@pytest.fixture
def page() -> AppTest:
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    at.run()
    at.switch_page("pages/archive.py").run()
    assert not at.exception
    return at


@pytest.fixture
def opened(page: AppTest, place: Path) -> AppTest:
    page.text_input(key="case-path-first").input(str(place))
    next(b for b in page.button if b.label == "Open").click().run()
    until = time.monotonic() + WAIT_S
    while book(page).work is not None and time.monotonic() < until:
        time.sleep(0.1)
        page.run()
    page.run()
    assert not page.exception and book(page).archive is not None, book(page).error
    return page


def book(at: AppTest) -> archive.ArchiveSession:
    held: archive.ArchiveSession = at.session_state["archive"]
    return held


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def test_before_a_case_is_open_it_says_what_one_is_and_how_to_make_one(page: AppTest) -> None:
    assert "Many clips at once" in page.title[0].value
    assert any("earwitness batch" in c.value for c in page.caption)


def test_a_folder_without_a_case_gets_a_sentence(page: AppTest, tmp_path: Path) -> None:
    page.text_input(key="case-path-first").input(str(tmp_path / "<b>[none]"))
    next(b for b in page.button if b.label == "Open").click().run()
    until = time.monotonic() + WAIT_S
    while book(page).work is not None and time.monotonic() < until:
        time.sleep(0.1)
        page.run()
    page.run()
    assert len(page.error) == 1 and "\\<b\\>\\[none\\]" in page.error[0].value


def test_all_findings_are_on_one_map_and_in_the_table(opened: AppTest) -> None:
    spec = opened.get("deck_gl_json_chart")[0].proto.json
    assert '"findings-sound-flat"' in spec and '"findings-picture-flat"' in spec and '"mapProvider"' not in spec
    assert len(opened.dataframe[0].value) == 3
    assert "3 findings: 1 same place, 1 different places, 1 cannot tell" in html(opened)
    assert "Golf &lt;b&gt;" in html(opened) and "<script>" not in html(opened)
    assert any("could not be examined" in e.label for e in opened.expander)


def test_filters_answer_at_once(opened: AppTest) -> None:
    opened.multiselect(key="case-verdict").set_value(["same place"]).run()
    assert len(opened.dataframe[0].value) == 1
    opened.multiselect(key="case-verdict").set_value([]).run()
    opened.text_input(key="case-species").input("raven").run()
    assert len(opened.dataframe[0].value) == 0 and "no finding matches" in html(opened)
    opened.text_input(key="case-species").input("").run()
    opened.text_input(key="case-near").input("33.5, -82").run()
    assert len(opened.dataframe[0].value) == 2
    opened.text_input(key="case-near").input("999, 999").run()
    assert len(opened.error) == 1
    opened.text_input(key="case-near").input("").run()
    opened.date_input(key="case-since").set_value(date(2024, 1, 1)).run()
    assert len(opened.dataframe[0].value) == 1
    assert not opened.exception


def test_two_findings_are_compared_side_by_side(opened: AppTest) -> None:
    b = book(opened)
    assert b.archive is not None
    archive.choose(b, tuple(e.id for e in b.archive.entries[:2]))
    opened.run()
    said = html(opened)
    assert "Side by side" in said and said.count(" apart") >= 2
    assert "the same recording in both" in said and " is heard there from 0:0" in said
    assert len(opened.get("deck_gl_json_chart")) == 3
    assert said.count("✓ both") >= 2
    opened.button_group(key="case-pair-modality").set_value("picture").run()
    opened.button(key="case-none").click().run()
    assert book(opened).chosen == () and not opened.exception


def test_a_pair_with_the_same_ambience_is_listed_and_can_be_compared(opened: AppTest) -> None:
    assert any(e.label == "The same ambience: 1 pair of clips" for e in opened.expander)
    opened.button(key="case-same-0").click().run()
    assert [e.sha256[0] for e in archive.chosen(book(opened))] == ["a", "b"]
    assert not opened.exception


def test_a_clip_that_is_gone_gets_a_sentence(opened: AppTest) -> None:
    b = book(opened)
    assert b.archive is not None
    archive.choose(b, (b.archive.entries[0].id,))
    opened.run()
    opened.button(key=f"case-examine-{b.archive.entries[0].id}").click().run()
    assert "no longer there" in opened.error[0].value


@pytest.mark.slow
def test_a_case_is_made_of_a_folder_by_the_worker_and_opened(page: AppTest, tmp_path: Path) -> None:
    from tests.case.test_batch import noise

    noise(tmp_path / "clips" / "one.wav", 8.0, 1)
    noise(tmp_path / "clips" / "two.wav", 8.0, 2)
    page.text_input(key="case-inputs").input(str(tmp_path / "clips"))
    page.text_input(key="case-target").input(str(tmp_path / "made"))
    next(b for b in page.button if b.label == "Examine them all").click().run()
    assert "2 clips will be examined" in page.info[0].value
    (ticket,) = [t for t in jobs.queue().tickets() if t.inputs]
    until = time.monotonic() + 240
    while not jobs.queue().status(ticket.id).ended and time.monotonic() < until:
        time.sleep(0.5)
    status = jobs.queue().status(ticket.id)
    assert status.state == "done", status
    assert len(records.read(str(tmp_path / "made")).entries) == 2
    page.run()
    page.button(key=f"open-{ticket.id}").click().run()
    until = time.monotonic() + WAIT_S
    while book(page).archive is None and time.monotonic() < until:
        time.sleep(0.2)
        page.run()
    assert "2 clips" in html(page)
