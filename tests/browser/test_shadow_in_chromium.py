"""A shadow marked in a real browser: dragged, moved with the keyboard, added, and undone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine.lab.bench import sun as bench

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


@pytest.fixture
def scene(tmp_path: Path) -> tuple[bench.Scene, Path]:
    """A rendered scene as a film of two seconds."""
    found = next(s for s in bench.scenes(7) if 30.0 < s.elevation_deg < 50.0 and s.mark.horizon)
    path = tmp_path / "pole.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(bench.picture(found)), format="rgb24")
        for i in range(20):
            frame.pts = i
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return found, path


def test_mark_a_shadow(page: Any, settled: Callable[[], None], scene: tuple[bench.Scene, Path]) -> None:
    found, path = scene
    page.get_by_role("textbox", name="Path of a file on this machine").first.fill(str(path))
    page.get_by_role("button", name="Open", exact=True).first.click()
    page.get_by_text("Mark a shadow").first.wait_for(timeout=240_000)
    settled()
    began = time.monotonic()
    page.get_by_text("Mark a shadow").first.click()
    page.locator("svg.photo .point").first.wait_for(timeout=60_000)
    settled()
    page.locator("[data-testid=stDateInput]", has_text="Day").first.locator(
        "[role=spinbutton]"
    ).first.scroll_into_view_if_needed()
    days = page.locator("[data-testid=stDateInput]")
    day = next(days.nth(i) for i in range(days.count()) if days.nth(i).inner_text().strip().startswith("Day"))
    day.locator("[role=spinbutton]").first.click()
    page.keyboard.type(f"{found.mark.when.first:%Y%m%d}")
    page.locator(".shadow .said").click()  # a date is taken when its field is left
    page.locator(".shadow .said", has_text="° up").wait_for(timeout=60_000)
    settled()
    before = page.locator(".shadow .said").inner_text()
    for name, point in (("foot", found.mark.foot), ("top", found.mark.top), ("tip", found.mark.tip)):
        page.locator(f"[data-name={name}]").scroll_into_view_if_needed()
        ring, photo = page.locator(f"[data-name={name}] .ring").bounding_box(), page.locator("svg.photo").bounding_box()
        page.mouse.move(ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2)
        page.mouse.down()
        page.mouse.move(photo["x"] + point[0] * photo["width"], photo["y"] + point[1] * photo["height"], steps=8)
        page.mouse.up()
        settled()
    assert page.locator(".shadow .said").inner_text() != before, "the sentence follows the points"
    tip = page.locator("[data-name=tip]")
    was = float(tip.get_attribute("aria-valuenow"))
    assert was == pytest.approx(100 * found.mark.tip[0], abs=0.6)
    tip.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    assert float(tip.get_attribute("aria-valuenow")) == pytest.approx(was, abs=0.11)
    settled()
    assert page.locator(".shadow .map image").count() == 2, "the likelihood lies on the land"
    page.get_by_role("button", name="Add the shadow").click()
    page.get_by_text("Shadow: the sun about").first.wait_for(timeout=60_000)
    settled()
    assert time.monotonic() - began < 60.0, "marking takes less than a minute"
    page.get_by_role("button", name="Undo").first.click()
    settled()
    assert page.get_by_role("button", name="Redo").first.is_enabled()
