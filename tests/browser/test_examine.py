"""The whole way, as a person goes it: open the example, see the map, drop a bird, take it back, turn to the globe."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

MAP = "[data-testid=stDeckGlJsonChart]"


def pixels_of_map(page: Any) -> NDArray[np.int16]:
    """What the map shows, (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(page.locator(MAP).first.screenshot())).convert("RGB"), dtype=np.int16)


def drawn_map(page: Any, other_than: NDArray[np.int16] | None = None, within_s: float = 60.0) -> NDArray[np.int16]:
    """The map when it has been drawn and stands still, and differs from the one given.

    An empty canvas has one colour; land, sea and mass make many.
    """
    deadline, before = time.monotonic() + within_s, None
    while time.monotonic() < deadline:
        now = pixels_of_map(page)
        colours = len(np.unique(now.reshape(-1, 3)[::7], axis=0))
        still = before is not None and before.shape == now.shape and (np.abs(before - now).max(axis=2) > 8).mean() < 0.0005
        if colours > 20 and still and (other_than is None or differs(now, other_than)):
            return now
        before = now
        page.wait_for_timeout(500)
    raise AssertionError(f"the map was not drawn in {within_s:g} s, or did not change")


def differs(a: NDArray[np.int16], b: NDArray[np.int16]) -> bool:
    return a.shape != b.shape or bool((np.abs(a - b).max(axis=2) > 12).mean() > 0.005)


def banner(page: Any) -> str:
    return page.locator(".ew-banner").inner_text()


def test_open_the_example_drop_a_bird_and_turn_the_globe(page: Any, settled: Callable[[], None], tmp_path: Path) -> None:
    page.get_by_text("Golf in Georgia").first.wait_for()
    page.get_by_role("button", name="Examine it").first.click()
    page.locator(MAP).first.wait_for(timeout=180_000)
    settled()
    page.get_by_role("radio", name="Sound", exact=True).or_(page.get_by_role("button", name="Sound", exact=True)).first.click()
    settled()
    first = drawn_map(page)
    told = banner(page)
    page.screenshot(path=str(tmp_path / "1_opened.png"))

    evidence = page.get_by_role("listbox", name="Evidence")
    assert {"Great Tit", "Common Cuckoo"} <= set(evidence.locator("b").all_inner_texts())

    page.get_by_role("checkbox", name="Great Tit counts").uncheck()
    page.get_by_text("Your edits").wait_for()
    settled()
    without = drawn_map(page, other_than=first)
    assert banner(page) != told
    page.screenshot(path=str(tmp_path / "2_dropped.png"))

    page.get_by_role("button", name="Undo").first.click()
    page.get_by_text("Your edits").wait_for(state="detached")
    settled()
    page.locator(".ew-banner").scroll_into_view_if_needed()  # the button is further down, and the header covers the map there
    again = drawn_map(page, other_than=without)
    until = time.monotonic() + 60
    while differs(again, first) and time.monotonic() < until:
        page.wait_for_timeout(1000)
        again = drawn_map(page, other_than=without)
    assert banner(page) == told
    assert not differs(again, first), f"the map does not return to what it was: {again.shape}, {first.shape}"

    page.get_by_role("radio", name="Globe").or_(page.get_by_role("button", name="Globe")).first.click()
    drawn_map(page, other_than=first)
    page.screenshot(path=str(tmp_path / "3_globe.png"))


def test_a_path_that_is_not_there_gets_a_sentence(page: Any) -> None:
    page.get_by_role("textbox", name="Path of a file on this machine").first.fill("/nowhere/<img src=x onerror=alert(1)>.mp4")
    page.get_by_role("button", name="Open", exact=True).first.click()
    alert = page.locator("[data-testid=stAlert]").first
    alert.wait_for()
    assert "no file" in alert.inner_text().lower()
    assert page.locator("img[src=x]").count() == 0
