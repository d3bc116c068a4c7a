"""Learn with the keyboard alone: set the pin, guess, read how far both were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


def test_guess_with_the_keyboard(page: Any, settled: Callable[[], None]) -> None:
    page.get_by_role("link", name="Learn").first.click()
    world = page.locator("svg.map")
    world.wait_for(timeout=120_000)
    guess = page.get_by_role("button", name="This is my guess")
    guess.wait_for()
    settled()
    assert guess.is_disabled(), "no guess without a pin"
    world.focus()
    for key in ("Shift+ArrowUp", "Shift+ArrowUp", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    page.get_by_text("Your pin:").first.wait_for()
    page.locator("button:enabled", has_text="This is my guess").first.wait_for()  # the pin has arrived
    settled()
    page.keyboard.press("Enter")
    page.get_by_text("Score board").wait_for(timeout=240_000)
    assert page.get_by_text("The answer: the Black Forest, Germany").count() == 1
    assert "km" in page.locator("svg.map").get_attribute("aria-label")
