"""The sun on Examine: a marking becomes an edit, and what is missing or wrong is said."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.components.shadow.component import likely_png, read_points

ROOT = Path(__file__).resolve().parents[2]


def script() -> None:
    from datetime import date

    import streamlit as st

    from app.panels.shadow import shadow_panel
    from app.session import judging
    from app.session.session import current
    from engine import Claim, Clip, Interval, Perception, Settings, Stream

    b = current()
    if b.perception is None:
        streams = (Stream(0, 1, "video", "h264", width_px=1280, height_px=720),)
        b.perception = Perception(Clip("clip.mp4", "0" * 64, 1, "mp4", 10.0, streams), Interval(0.0, 10.0), ())
        b.settings = Settings(claim=Claim(59.91, 10.75, date(2024, 6, 1), "Oslo", minute=600))

    @st.fragment
    def draw() -> None:
        shadow_panel(b, judging.finding(b))

    draw()


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    from app.session import media

    monkeypatch.setattr(media, "frame", lambda *_: np.full((90, 160, 3), 120, np.uint8))
    monkeypatch.setattr(media, "served", lambda data, mime, name: f"/media/{name}")
    at = AppTest.from_function(script, default_timeout=120)
    at.run()
    assert not at.exception
    at.toggle(key="shadow-on").set_value(True).run()
    assert not at.exception
    return at


def mark(at: AppTest, **points: tuple[float, float]) -> AppTest:
    at.session_state["shadow_points"] = ("0" * 64, points)
    return at.run()


POINTS = {"foot": (0.45, 0.75), "top": (0.45, 0.35), "tip": (0.62, 0.78)}


def test_the_claimed_day_and_time_are_where_it_starts(panel: AppTest) -> None:
    assert panel.date_input(key="shadow-day").value == date(2024, 6, 1)
    assert panel.time_input(key="shadow-from").value.hour == 9 and panel.time_input(key="shadow-to").value.hour == 10
    assert panel.selectbox(key="shadow-clock").value == "Clock of the place"


def test_a_marking_becomes_an_edit_that_can_be_undone(panel: AppTest) -> None:
    mark(panel, **POINTS)
    panel.button(key="shadow-go").click().run()
    assert not panel.exception
    session = panel.session_state["session"]
    assert [o.kind for o in session.settings.added] == ["shadow"] and [e.what for e in session.settings.edits] == ["add"]
    assert session.settings.added[0].label.startswith("foot=0.4500,0.7500 top=0.4500,0.3500 tip=0.6200,0.7800")
    assert session.selected == session.settings.added[0].key and len(session.edits) == 1
    own = [e for f in session.judged.values() for e in f.evidence if e.clue == "sun" and e.abstained is None]
    assert own


def test_points_that_fit_no_sun_cannot_be_added(panel: AppTest) -> None:
    mark(panel, foot=(0.5, 0.3), top=(0.5, 0.7), tip=(0.6, 0.4))
    assert panel.button(key="shadow-go").disabled


def test_without_a_day_nothing_is_made(panel: AppTest) -> None:
    mark(panel, **POINTS)
    panel.date_input(key="shadow-day").set_value(None).run()
    assert not panel.exception and panel.button(key="shadow-go").disabled


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        {"foot": [0.1, 0.2]},
        {"foot": [0.1], "top": [0.1, 0.2], "tip": [0, 0]},
        {"foot": ["a", 1], "top": [0, 0], "tip": [0, 0]},
        {"foot": [0.1, 7.0], "top": [0, 0], "tip": [0, 0]},
        {"foot": [True, 0.1], "top": [0, 0], "tip": [0, 0]},
        {"foot": [float("nan"), 0.1], "top": [0, 0], "tip": [0, 0]},
    ],
)
def test_points_of_the_browser_are_not_trusted(given: Any) -> None:
    assert read_points(given) is None


def test_the_map_is_a_picture() -> None:
    assert likely_png(np.zeros((150, 360), np.uint8), False).startswith("data:image/png;base64,")
