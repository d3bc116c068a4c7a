"""Examine on a film of several places: the list of scenes, the chooser, the timeline."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.figures.timeline import timeline
from engine import Moment, Timeline
from tests import films

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 240.0


def session_of(at: AppTest):  # type: ignore[no-untyped-def]
    return at.session_state["session"]


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> AppTest:
    places = ((3, "Ajuntament de Sitges", 0.02), (8, "Gemeente Utrecht", 0.4), (15, "", 0.05))
    film = films.write(tmp_path_factory.mktemp("film") / "travels.mp4", places)
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    at.run()
    at.text_input(key="path-first").input(str(film))
    next(b for b in at.button if b.label == "Open").click().run()
    end = time.monotonic() + WAIT_S
    while session_of(at).job is not None and time.monotonic() < end:
        time.sleep(0.3)
        at.run()
    at.run()
    assert not at.exception
    return at


def test_the_scenes_are_listed_with_their_verdicts_and_one_can_be_chosen(examined: AppTest) -> None:
    chooser = examined.selectbox(key="set_scene")
    assert len(chooser.options) == 4 and chooser.options[0] == "All 3 scenes as one"
    assert any(e.label.startswith("3 scenes") for e in examined.expander)
    chooser.set_value(2).run()
    assert not examined.exception
    b = session_of(examined)
    assert b.settings.interval is not None and b.settings.interval.start_s == pytest.approx(21.0, abs=0.3)
    assert examined.selectbox(key="set_scene").value == 2
    examined.selectbox(key="set_scene").set_value(0).run()
    assert session_of(examined).settings.interval is None


def test_the_timeline_is_drawn(examined: AppTest) -> None:
    assert len(examined.get("plotly_chart")) >= 1
    assert session_of(examined).line[1].moments


def test_the_chart_holds_a_point_for_every_moment_and_escapes_names() -> None:
    moments = (
        Moment("sound", 0.0, 3.0, True, 50.0, 10.0, "<b>x", 4.0, 900.0, ("<script>",), 1.0),
        Moment("picture", 0.0, 5.0, True, 40.0, 10.0, "y", 2.0, 0.0, (), 0.5),
        Moment("sound", 3.0, 6.0, False, look_s=3.0),
    )
    figure = timeline(Timeline(moments, "z", 40.0, 10.0, (2.0,), (3.0,)), 1.0, False)
    points = [t for t in figure.data if t.mode == "markers"]
    assert sorted(c for t in points for c in (t.customdata if t.customdata is not None else ())) == [0.5, 1.0, 3.0]
    told = " ".join(x for t in points for x in (t.text or ()))
    assert "<script>" not in told and "<b>x" not in told and "&lt;script&gt;" in told
    assert timeline(Timeline(()), 0.0, True).data is not None
