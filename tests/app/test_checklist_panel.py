"""The checklist of things seen, on Examine: ticks are edits, they count, and can be undone; nothing a browser says is trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.figures import cuemaps
from engine.analysis import cue_groups
from engine.world.grid import world_grid


def script() -> None:
    import streamlit as st

    from app.panels.checklist import checklist_panel
    from app.session import judging
    from app.session.session import current
    from engine import Clip, Interval, Perception, Settings, Stream

    b = current()
    if b.perception is None:
        streams = (Stream(0, 1, "video", "h264", width_px=1280, height_px=720),)
        b.perception = Perception(Clip("clip.mp4", "0" * 64, 1, "mp4", 10.0, streams), Interval(0.0, 10.0), ())
        b.settings = Settings()

    @st.fragment
    def draw() -> None:
        checklist_panel(b, judging.finding(b))

    draw()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the component is given, caught on its way to the browser."""
    from app.components.checklist import component
    from app.session import media

    got: dict[str, Any] = {}
    monkeypatch.setattr(media, "frame", lambda *_: np.full((90, 160, 3), 120, np.uint8))
    monkeypatch.setattr(media, "served", lambda data, mime, name: f"/media/{name}")
    monkeypatch.setattr(component, "_component", lambda: lambda **given: got.update(given))
    return got


@pytest.fixture
def panel(shown: dict[str, Any]) -> AppTest:
    at = AppTest.from_function(script, default_timeout=120)
    at.run()
    at.toggle(key="checklist-on").set_value(True).run()
    assert not at.exception
    return at


def act(panel: AppTest, shown: dict[str, Any], **what: Any) -> None:
    """What the browser would report."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("app.components.checklist.component.widgets.reported", lambda _: what)
        for module in ("app.panels.checklist", "app.session.editing", "app.session.selecting"):
            patched.setattr(f"{module}.current", lambda: panel.session_state["session"])
        shown["on_act_change"]()
    panel.run()
    assert not panel.exception


def noted(panel: AppTest) -> dict[str, float]:
    return {o.label: o.score for o in panel.session_state["session"].settings.added}


def test_it_shows_every_cue_with_its_words(panel: AppTest, shown: dict[str, Any]) -> None:
    data = shown["data"]
    listed = {c["id"]: c for c in data["cues"]}
    assert set(listed) == {c.id for _, own in cue_groups() for c in own}
    palms = listed["veg-palms"]
    assert palms["group"] == "plants" and palms["where"] and palms["source"] and float(palms["most"]) > 1.0
    assert data["frame"] and data["noted"] == {} and data["usual"] == 0.9
    json.dumps(data)  # it goes to a browser


def test_a_tick_counts_is_weighed_anew_and_taken_back(panel: AppTest, shown: dict[str, Any]) -> None:
    act(panel, shown, do="note", id="bus-jeepney", sure=0.9)
    assert noted(panel) == {"bus-jeepney": 0.9} and shown["data"]["noted"] == {"bus-jeepney": 0.9}
    session = panel.session_state["session"]
    evidence = [e for f in session.judged.values() for e in f.evidence if e.clue == "cues" and e.abstained is None]
    assert evidence, "a cue that was noted must be scored"
    act(panel, shown, do="note", id="bus-jeepney", sure=0.6)
    assert noted(panel) == {"bus-jeepney": 0.6}
    assert [e.what for e in panel.session_state["session"].settings.edits] == ["add", "relabel"]
    act(panel, shown, do="drop", id="bus-jeepney")
    assert noted(panel) == {}
    act(panel, shown, do="note", id="bus-jeepney", sure=0.99)
    assert noted(panel) == {"bus-jeepney": 0.99}


@pytest.mark.parametrize(
    "what",
    [
        {"do": "note", "id": "no-such-cue", "sure": 0.9},
        {"do": "note", "id": "veg-palms", "sure": 7.0},
        {"do": "note", "id": "veg-palms", "sure": "0.9"},
        {"do": "note", "id": "<script>", "sure": 0.9},
        {"do": "note", "id": ["veg-palms"], "sure": 0.9},
        {"do": "launch", "id": "veg-palms", "sure": 0.9},
        {},
    ],
)
def test_what_a_browser_makes_up_changes_nothing(panel: AppTest, shown: dict[str, Any], what: dict[str, Any]) -> None:
    act(panel, shown, **what)
    assert noted(panel) == {} and not panel.session_state["session"].settings.edits


def test_maps_show_where_a_cue_is_found(tmp_path: Path) -> None:
    grid = world_grid()
    lat, _ = grid.lat_lon_deg
    sheet = cuemaps.map_sheet(grid, [(lat > 0).astype(float), (lat < 0).astype(float)], 2, dark=False)
    (tmp_path / "sheet.png").write_bytes(sheet)
    pixels = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGBA")).astype(int)
    assert pixels.shape == (cuemaps.HEIGHT, 2 * cuemaps.WIDTH, 4)
    # Central Europe (50° N, 15° E) and the Congo (10° S, 25° E); the Pacific (0°, 150° W) is empty on both.
    europe, congo, sea = (17, 97), (47, 102), (42, 15)
    blue = lambda at, tile: pixels[at[0], at[1] + tile * cuemaps.WIDTH, 2] - pixels[at[0], at[1] + tile * cuemaps.WIDTH, 0]  # noqa: E731
    assert blue(europe, 0) > 100 > blue(europe, 1) and blue(congo, 1) > 100 > blue(congo, 0)
    assert pixels[sea[0], sea[1], 3] == 0
