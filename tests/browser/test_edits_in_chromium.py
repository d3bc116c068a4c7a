"""The analyst's edits in a real browser: an interval selected and heard, a bird added, undone and redone by key."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

MAP = "[data-testid=stDeckGlJsonChart]"


def until(page: Any, holds: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait for what no selector waits for."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        page.wait_for_timeout(200)


@pytest.mark.slow
def test_select_an_interval_add_a_bird_and_take_it_back(page: Any, settled: Callable[[], None], tmp_path: Path) -> None:
    page.get_by_text("Golf in Georgia").first.wait_for()
    page.get_by_role("button", name="Examine it").first.click()
    page.locator(MAP).first.wait_for(timeout=240_000)
    evidence = page.get_by_role("listbox", name="Evidence")
    evidence.get_by_text("Common Cuckoo").wait_for()
    settled()

    line = page.get_by_role("slider", name="Timeline of the clip")
    box = line.bounding_box()
    page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 10, steps=6)
    page.mouse.up()
    drawn = page.get_by_role("group", name="The interval selected on the timeline")
    drawn.get_by_role("button", name="Play").click()
    player = page.locator(".evidence video")  # in a shadow root, which the document's own selectors do not enter
    until(page, lambda: player.evaluate("v => v.currentTime") > 3)
    drawn.get_by_role("button", name="Analyse this interval").click()
    page.get_by_text("Your edits").wait_for()
    page.get_by_text("interval: 0:03", exact=False).first.wait_for()
    settled()
    drawn.get_by_role("button", name="Analyse all").click()
    page.get_by_text("interval: all of it").wait_for()
    settled()
    page.screenshot(path=str(tmp_path / "1_interval.png"))

    page.get_by_role("button", name="Add").first.click()
    page.get_by_label("Species, Latin or English").fill("coal tit")
    page.keyboard.press("Enter")
    chosen = page.locator("[data-testid=stSelectbox] input")
    until(page, lambda: "Coal Tit (Periparus ater)" in chosen.evaluate_all("all => all.map(i => i.value)"))
    page.get_by_role("button", name="Add it").click()
    evidence.get_by_text("Coal Tit").wait_for()
    settled()
    page.screenshot(path=str(tmp_path / "2_added.png"))
    page.keyboard.press("Escape")
    evidence.get_by_text("Coal Tit").click()
    page.keyboard.press("u")
    evidence.get_by_text("Coal Tit").wait_for(state="detached")
    page.keyboard.press("r")
    evidence.get_by_text("Coal Tit").wait_for()

    page.get_by_text("Edits and what each did").click()
    page.get_by_text("Coal Tit added", exact=False).last.wait_for()
    page.screenshot(path=str(tmp_path / "3_history.png"))
