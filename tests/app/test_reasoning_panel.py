"""The Reasoning panel: the argument with its links, a cue noted by hand, and a tiny language model from a folder."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine.lab.data import tiny

ROOT = Path(__file__).resolve().parents[2]


def script() -> None:
    import streamlit as st

    from app.panels.reasoning import reasoning_panel
    from app.session import judging
    from app.session.session import current
    from engine import Clip, Interval, Observation, Perception, Stream

    b = current()
    if b.perception is None:
        seen = (
            Observation("text", "text", "Bristol City Council", 0.98, 2.0, 4.0, author="PP-OCRv6-small"),
            Observation("species", "species", "Parus major", 0.95, 0.0, 3.0, "Great Tit", "birdnet-v2.4"),
        )
        streams = (Stream(0, 1, "video", "h264"), Stream(1, 1, "audio", "aac"))
        b.perception = Perception(Clip("clip.mp4", "0" * 64, 1, "mp4", 10.0, streams), Interval(0.0, 10.0), seen)

    @st.fragment
    def draw() -> None:
        reasoning_panel(b, judging.finding(b))

    draw()


@pytest.fixture
def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path))
    at = AppTest.from_function(script, default_timeout=120)
    at.run()
    assert not at.exception
    return at


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def test_rules_speak_and_say_why_no_model_does(panel: AppTest) -> None:
    assert "Reasoning" in html(panel) and "no language model is installed" in html(panel)
    assert not [b for b in panel.button if b.key and b.key.startswith("ask-")]


def test_a_model_in_the_folder_is_asked(tmp_path: Path, panel: AppTest) -> None:
    tiny.vision_model(tmp_path / "qwen2.5-vl-3b")
    panel.run()
    panel.button(key="ask-small").click().run()
    end = time.monotonic() + 100
    while panel.session_state["asked"].work is not None and time.monotonic() < end:
        time.sleep(0.5)
        panel.run()
    assert not panel.exception
    held = panel.session_state["asked"]
    assert not held.error and len(held.made) == 1
    said = next(iter(held.made.values()))
    assert said.author == "qwen2.5-vl-3b" or "refused" in said.stands_in
