"""The page Models: what is there and what is missing, told without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine.models import CATALOGUE, weights_state

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path / "models"))
    at = AppTest.from_file(str(ROOT / "app" / "pages" / "models.py"), default_timeout=60)
    at.run()
    assert not at.exception
    return at


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def test_every_model_has_a_licence_and_missing_ones_a_way(page: AppTest) -> None:
    assert "BirdNET" in html(page)
    assert "licence not stated" not in html(page)
    for known in CATALOGUE:
        assert known.card.title in html(page)
    assert html(page).count("missing") == len(CATALOGUE) == len(page.code) - 1  # and make weights, once


def test_a_folder_without_weights_gets_one_sentence(page: AppTest, tmp_path: Path) -> None:
    page.text_input[0].input(str(tmp_path))
    next(b for b in page.button if b.label == "Import").click().run()
    assert len(page.error) == 1 and "holds no model" in page.error[0].value
    assert not page.exception


def test_a_file_of_another_content_is_refused(page: AppTest, tmp_path: Path) -> None:
    known = CATALOGUE[0]
    for f in known.files:
        (tmp_path / f.name).write_bytes(b"not the weights")
    page.text_input[0].input(str(tmp_path))
    next(b for b in page.button if b.label == "Import").click().run()
    assert len(page.error) == 1
    assert weights_state(known) == "missing"
