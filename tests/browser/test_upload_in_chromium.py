"""A file dropped in a real browser: sent in pieces, examined by the worker, played from disk, and there again after a reload."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]
MAP = "[data-testid=stDeckGlJsonChart]"


def film(path: Path) -> Path:
    """Seventeen megabytes of noise, three pieces, in 45 s: it is the sending that is tried."""
    samples = np.random.default_rng(0).normal(0, 2000, (45 * 96_000, 2)).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(96_000)
        out.writeframes(samples.tobytes())
    return path


def test_upload_wait_reload_open_again(page: Any, settled: Callable[[], None], tmp_path: Path) -> None:
    pieces: list[str] = []
    played: list[int] = []
    page.on("request", lambda r: pieces.append(r.url) if r.method == "PUT" and "/earwitness/upload/" in r.url else None)
    page.on("response", lambda r: played.append(r.status) if "/earwitness/media/" in r.url else None)
    page.get_by_text("Or look at an example").wait_for()
    page.locator("input[type=file]").first.set_input_files(film(tmp_path / "night in the woods.wav"))
    page.locator(MAP).first.wait_for(timeout=240_000)
    assert len(pieces) == 3 and [u.rpartition("at=")[2] for u in pieces] == ["0", str(2**23), str(2**24)]
    until = time.monotonic() + 30
    while not played and time.monotonic() < until:
        page.wait_for_timeout(200)
    assert played and set(played) <= {200, 206}
    page.screenshot(path=str(tmp_path / "1_result.png"))

    page.reload()
    row = page.locator(".ew-clip", has_text="night in the woods.wav")
    row.wait_for()
    settled()
    began = time.monotonic()
    page.locator("[class*=st-key-open-]").get_by_role("button").click()  # not the form's, which bears the same name
    page.locator(MAP).first.wait_for(timeout=60_000)
    assert time.monotonic() - began < 60
    settled()
    page.get_by_role("button", name="Open").first.click()
    page.get_by_role("button", name="Close this clip").click()
    row.wait_for()
    settled()
    page.locator("[class*=st-key-forget-]").get_by_role("button").first.click()
    row.wait_for(state="detached")
    assert not any(p.is_file() for p in (tmp_path / "kept" / "uploads").rglob("*")), "the uploaded copy stayed"
