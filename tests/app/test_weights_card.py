"""What is off for want of weights, on Examine and Models; and the offer to look again once they are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine.clues import registry
from engine.core.grid import Grid
from engine.core.settings import Settings
from engine.models import catalog
from engine.world.grid import world_grid


def script() -> None:
    import streamlit as st

    from app.panels.weights import look_again, weights_card
    from app.session import judging
    from app.session.session import current
    from engine import Clip, Interval, Perception, Settings, Stream

    b = current()
    if b.perception is None:
        streams = (Stream(0, 1, "video", "h264", width_px=1280, height_px=720),)
        b.perception = Perception(Clip("clip.mp4", "0" * 64, 1, "mp4", 10.0, streams), Interval(0.0, 10.0), ())
        b.settings = Settings()
    weights_card(open_at_once=True)
    found = judging.finding(b)
    look_again(found, lambda: st.session_state.update(asked=True))


def install(folder: Path, model: str) -> None:
    known = catalog.entry(model)
    (folder / model).mkdir(parents=True)
    for f in known.files:
        (folder / model / f.name).write_bytes(b"")


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path))
    return tmp_path


@pytest.fixture
def shown(models: Path) -> AppTest:
    at = AppTest.from_function(script, default_timeout=120)
    at.run()
    assert not at.exception
    return at


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def test_it_says_what_is_off_what_it_would_bring_and_who_measured_it(shown: AppTest) -> None:
    said = html(shown)
    assert "3 clues are off for want of weights" in [e.label for e in shown.expander]
    assert "CLIP ViT-L/14 would bring a location for pictures without any writing" in said
    assert "GeoCLIP&#x27;s authors report 14, 34, 51, 70 and 84%" in said and "2309.16020" in said
    assert said.index("CLIP ViT-L/14") < said.index("StreetCLIP"), "what votes comes first"
    assert any("make weights" in c.value for c in shown.code)


def test_what_is_installed_is_not_listed(shown: AppTest, models: Path) -> None:
    install(models, "streetclip")
    shown.run()
    assert "StreetCLIP" not in html(shown) and "2 clues are off for want of weights" in [e.label for e in shown.expander]


def test_a_result_made_without_offers_to_look_again(shown: AppTest, models: Path) -> None:
    assert not [b for b in shown.button if b.key == "look-again"]
    install(models, "clip-vit-large-patch14")
    shown.run()
    assert "CLIP ViT-L/14 is installed now; this result was made without." in [i.value.replace("\\", "") for i in shown.info]
    shown.button(key="look-again").click().run()
    assert shown.session_state["asked"]


@pytest.mark.parametrize("clue", [c.name for c in registry.clues(Settings())])
def test_why_a_clue_is_silent_is_one_plain_sentence(clue: str, models: Path) -> None:
    """With nothing installed and nothing perceived; the remedy stands on the card, not in the reason."""
    grid = Grid.of(world_grid().cells[:40])
    own = next(c for c in registry.clues(Settings()) if c.name == clue)
    why = own.log_likelihood((), grid, None).abstained
    assert why and len(why) <= 120 and "\n" not in why and "`" not in why and "earwitness " not in why
    assert not why.endswith(".") and ". " not in why


def test_every_model_that_a_clue_wants_says_what_it_brings() -> None:
    for spec in registry.SPECS:
        if spec.wants is not None:
            assert spec.wants.brings and not spec.wants.included
            assert any(e.id == spec.wants.id for e in catalog.CATALOGUE)
