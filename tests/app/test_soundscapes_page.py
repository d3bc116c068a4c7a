"""The page Soundscapes, as Streamlit runs it, with the real models."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine.clues import species_names

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 120.0


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path / "models"))
    at = AppTest.from_file(str(ROOT / "app" / "pages" / "soundscapes.py"), default_timeout=60)
    at.run()
    assert not at.exception
    return at


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def finish(at: AppTest) -> None:
    end = time.monotonic() + WAIT_S
    while at.session_state["soundscape"].work is not None and time.monotonic() < end:
        time.sleep(0.2)
        at.run()
    assert at.session_state["soundscape"].work is None, "the work did not end"
    assert not at.exception


def chosen(at: AppTest, kind: str) -> None:
    at.session_state["scape_kind"] = kind
    at.run()
    assert not at.exception


def test_empty_page_says_what_to_do(page: AppTest) -> None:
    assert any("Choose a species or a clip" in c.value for c in page.caption)
    assert "To place a clip, use Examine" in html(page)
    assert len(page.selectbox(key="scape_species").options) == len(species_names())


def test_a_species_gets_a_map_places_and_countries(page: AppTest) -> None:
    page.selectbox(key="scape_species").select("Poecile atricapillus").run()
    finish(page)
    said = html(page)
    assert "Black-capped Chickadee" in said and "Most similar places" in said and "Canada" in said
    assert "no recording is behind it" in said
    assert {b.label for b in page.get("download_button")} >= {"CSV, all land"}


def test_a_clip_is_heard_and_the_example_needs_no_typing(page: AppTest) -> None:
    chosen(page, "Clip")
    page.button(key="scape-vermont_chickadee").click().run()
    finish(page)
    assert "vermont_chickadee.mp4" in html(page) and "windows of 3 s" in html(page)


def test_a_path_that_is_none_gets_one_sentence(page: AppTest) -> None:
    chosen(page, "Clip")
    page.text_input(key="scape_path").input("/nowhere/[x](http://y)<b>.wav")
    next(b for b in page.button if b.label == "Listen").click().run()
    assert (
        len(page.error) == 1
        and "There is no file" in page.error[0].value
        and "<b>" not in page.error[0].value.replace("\\<b\\>", "")
    )


def test_a_file_without_sound_says_so(page: AppTest, tmp_path: Path) -> None:
    bad = tmp_path / "x.wav"
    bad.write_bytes(b"no sound")
    chosen(page, "Clip")
    page.text_input(key="scape_path").input(str(bad))
    next(b for b in page.button if b.label == "Listen").click().run()
    finish(page)
    assert len(page.error) == 1


def test_words_say_what_is_missing(page: AppTest) -> None:
    chosen(page, "Words")
    assert page.text_input(key="scape_words").disabled
    assert "earwitness models pull" in html(page)
