"""The checklist of things seen in a real browser: searched, ticked by keyboard, weighed anew, taken back, undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "vermont_chickadee.mp4"


def test_work_through_the_checklist(page: Any, settled: Callable[[], None]) -> None:
    page.get_by_role("textbox", name="Path of a file on this machine").first.fill(str(EXAMPLE))
    page.get_by_role("button", name="Open", exact=True).first.click()
    page.get_by_text("Work through it").first.wait_for(timeout=240_000)
    settled()
    page.get_by_text("Work through it").first.click()
    page.locator(".checklist .tile").first.wait_for(timeout=60_000)
    settled()
    groups = page.locator(".checklist .groups button")
    assert groups.count() > 10 and page.locator(".checklist .frame").evaluate("e => e.naturalWidth") > 100
    picture = page.locator(".checklist .tile .pic").first
    assert "url(" in picture.evaluate("e => getComputedStyle(e).backgroundImage")
    page.locator(".checklist .search").fill("conifer forest")
    tile = page.locator(".checklist .tile[data-id=veg-conifers]")
    tile.focus()
    about = page.locator(".checklist .about")
    assert "Found in" in about.inner_text() and "as likely as the land on average" in about.inner_text()
    page.keyboard.press("Enter")
    page.locator(".checklist .tile[data-id=veg-conifers][aria-pressed=true]").wait_for(timeout=60_000)
    settled()
    assert page.locator(".checklist .count").inner_text() == "1 noted"
    page.locator(".checklist .noted select").select_option(label="possible")
    page.get_by_text("confidence changed").first.wait_for(timeout=60_000)
    settled()
    page.locator(".checklist .noted button").click()
    page.locator(".checklist .count", has_text="nothing noted yet").wait_for(timeout=60_000)
    settled()
    page.get_by_role("button", name="Undo").first.click()
    page.locator(".checklist .count", has_text="1 noted").wait_for(timeout=60_000)
    settled()
