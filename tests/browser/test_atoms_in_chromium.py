"""Atoms as a teacher uses it: open an example, look at the steps, listen, browse the dictionary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.models import atoms as nets

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(420),
    pytest.mark.skipif(not (nets.FOLDER / "weights.safetensors").is_file(), reason="the model is not there"),
]


def test_an_example_is_taken_apart_step_by_step(page: Any, settled: Callable[[], None], tmp_path: Path) -> None:
    page.get_by_role("link", name="Atoms").first.click()
    page.get_by_text("Open a clip in Examine").wait_for()
    settled()
    page.get_by_role("button", name="A chickadee in Vermont").last.click()
    beyond = page.locator("label", has_text="Continue past the model's stop")
    beyond.wait_for(timeout=180_000)
    settled()
    beyond.click()
    steps = page.get_by_role("radio").or_(page.locator("[data-testid=stButtonGroup] button"))
    steps.nth(3).wait_for()  # four of them now, whatever the model thinks
    settled()
    assert beyond.locator("input").is_checked()
    page.get_by_text("What is left", exact=True).first.wait_for()
    assert page.locator("audio").count() >= 3
    page.get_by_text("The dictionary: what each atom is made of").click()
    page.get_by_text("Kernel 4").wait_for()
    page.screenshot(path=str(tmp_path / "atoms.png"))
