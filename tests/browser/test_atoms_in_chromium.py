"""Atoms as a teacher uses it: open an example, look at the steps, listen, browse the dictionary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.nets import atoms as nets

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(420),
    pytest.mark.skipif(not (nets.FOLDER / "weights.safetensors").is_file(), reason="the model is not there"),
]


def test_an_example_is_taken_apart_step_by_step(page: Any, tmp_path: Path) -> None:
    page.get_by_role("link", name="Atoms").first.click()
    page.get_by_text("Open a clip in Examine").wait_for()
    page.get_by_role("button", name="A chickadee in Vermont").last.click()
    page.get_by_text("Go on beyond the model's stop").click(timeout=180_000)
    page.get_by_text("What is left", exact=True).first.wait_for(timeout=180_000)
    assert page.locator("audio").count() >= 3
    steps = page.get_by_role("radio").or_(page.locator("[data-testid=stButtonGroup] button"))
    assert steps.count() >= 1
    dictionary = page.get_by_text("The dictionary: what each atom is made of")
    page.wait_for_function(  # the one of the page before the sound was opened goes when the page is drawn to its end
        "() => [...document.querySelectorAll('p')].filter(p => p.textContent.startsWith('The dictionary:')).length === 1"
    )
    dictionary.click()
    page.get_by_text("Kernel 4").wait_for()
    page.screenshot(path=str(tmp_path / "atoms.png"))
