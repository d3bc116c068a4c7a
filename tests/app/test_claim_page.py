"""The page Claim, as Streamlit runs it, on a built-in example."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import engine

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 120.0


def opened() -> AppTest:
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    at.run()
    at.switch_page("pages/claim.py").run()
    assert not at.exception
    return at


@pytest.fixture(scope="module")
def claimed() -> Iterator[AppTest]:
    """The golf example, examined from the Claim page."""
    at = opened()
    at.button(key="claim-golf_georgia").click().run()
    end = time.monotonic() + WAIT_S
    while session_of(at).job is not None and time.monotonic() < end:
        time.sleep(0.2)
        at.run()
    at.run()
    assert session_of(at).perception is not None and not at.exception
    yield at


def session_of(at: AppTest):  # type: ignore[no-untyped-def]
    return at.session_state["session"]


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def press(at: AppTest, label: str) -> None:
    next(b for b in at.button if b.label == label).click().run()
    assert not at.exception


def ask(at: AppTest, place: str, when: date | None = None) -> None:
    at.text_input(key="set_claim_text").set_value(place)
    at.date_input(key="set_claim_when").set_value(when)
    press(at, "Test")


def test_without_a_clip_it_says_what_to_do() -> None:
    at = opened()
    assert "Is it from where they say?" in at.title[0].value
    assert {b.key for b in at.button} >= {f"claim-{e.path.stem}" for e in engine.examples()} | {"to-examine"}


def test_a_name_that_many_places_bear_is_the_analysts_to_choose(claimed: AppTest) -> None:
    at, b = claimed, session_of(claimed)
    ask(at, "Augusta")
    assert b.settings.claim is None
    choice = at.selectbox(key="set_claim_which")
    assert choice.value is None and any("Maine" in o for o in choice.options)
    at.selectbox(key="set_claim_which").select_index(0).run()
    assert not at.exception
    assert b.settings.claim.name == "Augusta, Georgia, USA"
    said = html(at)
    assert "The picture fits the claim, the sound does not" in said
    assert "does not live there" in said and "Great Tit" in said
    spec = at.get("deck_gl_json_chart")[0].proto.json
    assert "claim-marks" in spec and "way-sound" in spec and "http" not in spec
    press(at, "Clear")
    assert b.settings.claim is None and "does not live there" not in html(at)


def test_a_day_a_coordinate_and_undo(claimed: AppTest) -> None:
    at, b = claimed, session_of(claimed)
    before = b.settings
    ask(at, "50.94 N, 6.96 E", date(2021, 12, 20))
    assert (b.settings.claim.lat_deg, b.settings.claim.lon_deg) == (50.94, 6.96)
    said = html(at)
    assert "not there in that week" in said and "Common Cuckoo" in said  # a bird of summer
    assert "<b>Week</b>" in said and "against the week" in said and "ew-now" in said
    at.button(key="claim-undo").click().run()
    assert b.settings == before and at.text_input(key="set_claim_text").value == ""


@pytest.mark.parametrize(
    ("text", "told"), [("Xyzzyville", "No place"), ("99, 10", "no coordinate on Earth"), ("France", "whole")]
)
def test_what_is_no_place_gets_one_sentence(claimed: AppTest, text: str, told: str) -> None:
    at = claimed
    ask(at, text)
    assert len(at.error) == 1 and told in at.error[0].value and session_of(at).settings.claim is None
    assert "Traceback" not in at.error[0].value


def test_the_claim_stands_on_the_maps_of_examine(claimed: AppTest) -> None:
    at, b = claimed, session_of(claimed)
    ask(at, "Augusta, Georgia", date(2021, 4, 10))
    at.switch_page("pages/examine.py").run()
    assert not at.exception
    assert "claim-marks" in at.get("deck_gl_json_chart")[0].proto.json
    at.button(key="focus-claim").click().run()
    assert not at.exception
    assert abs(b.view.lat_deg - 33.47) < 1.0 and abs(b.view.lon_deg + 81.97) < 1.0
    at.switch_page("pages/claim.py").run()
    assert at.text_input(key="set_claim_text").value == "Augusta, Georgia, USA"
