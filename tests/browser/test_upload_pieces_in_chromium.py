"""What the page sends, in a real browser, to the real routes alone: hashes, a piece twice, a file that changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.server import route
from engine.case import Uploads
from engine.core.paths import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
ASSETS = ROOT / "app" / "components" / "upload"
PIECE = 100_000


@pytest.fixture
def door(tmp_path: Path) -> str:
    return route.door(Uploads(tmp_path / "uploads"))


@pytest.fixture
def address(door: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(route, "_installed", False)
    start = (
        "<script type=module>import draw from '/upload.js'; window.came = [];"
        f"draw({{parentElement: document, data: {{door: '{door}', piece: {PIECE}, accept: '.wav'}},"
        " setTriggerValue: (_, what) => window.came.push(what)}); window.drawn = true</script>"
    )

    async def index(_: Request) -> Response:
        return HTMLResponse("<!doctype html><link rel=icon href='data:,'>" + (ASSETS / "upload.html").read_text("utf-8") + start)

    async def script(_: Request) -> Response:
        return Response((ASSETS / "upload.js").read_text("utf-8"), media_type="text/javascript")

    site = Starlette(routes=[*route.routes(), Route("/", index), Route("/upload.js", script)])
    server = uvicorn.Server(uvicorn.Config(site, host="127.0.0.1", port=0, log_level="error"))
    ready = threading.Event()
    started = server.startup

    async def startup(sockets: Any = None) -> None:
        await started(sockets)
        ready.set()

    server.startup = startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert ready.wait(30)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def page(chromium: str, address: str) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"])
        try:
            page = browser.new_page()
            page.goto(address)
            page.wait_for_function("window.drawn")
            yield page
        finally:
            browser.close()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "night.wav"
    path.write_bytes(np.random.default_rng(1).bytes(3 * PIECE + 77))
    return path


def test_what_the_browser_read_is_what_lies_on_the_disk(page: Any, door: str, film: Path) -> None:
    hashed: list[str | None] = []
    page.on("request", lambda r: hashed.append(r.headers.get("x-earwitness-sha256")) if r.method == "PUT" else None)
    page.locator("input[type=file]").set_input_files(film)
    page.wait_for_function("window.came.length == 1")
    path = route.arrived(door, page.evaluate("window.came[0].id"))
    assert path.read_bytes() == film.read_bytes() and path.name == "night.wav"
    assert len(hashed) == 4 and all(h is not None and len(h) == 64 for h in hashed)


def test_a_piece_that_is_damaged_on_its_way_is_sent_again(page: Any, door: str, film: Path) -> None:
    """And one that arrived although its answer was lost is stored once."""
    tried: list[str] = []

    def meddle(sent: Any) -> None:
        at = sent.request.url.rpartition("at=")[2]
        tried.append(at)
        if tried.count(at) > 1 or sent.request.method != "PUT":
            sent.continue_()
        elif at == "0":
            sent.continue_(post_data=bytes(PIECE))
        elif at == str(PIECE):
            sent.fetch()
            sent.abort()
        else:
            sent.continue_()

    page.route("**/earwitness/upload/*/*at=*", meddle)
    page.locator("input[type=file]").set_input_files(film)
    page.wait_for_function("window.came.length == 1")
    assert tried.count("0") == 2
    assert route.arrived(door, page.evaluate("window.came[0].id")).read_bytes() == film.read_bytes()


def test_a_file_that_changes_while_it_is_sent_is_refused(page: Any, tmp_path: Path, film: Path) -> None:
    changed: list[int] = []

    def change(sent: Any) -> None:
        if not changed:
            changed.append(1)
            film.write_bytes(bytes(3 * PIECE + 77))
        sent.continue_()

    page.route("**/earwitness/upload/*/*at=*", change)
    page.locator("input[type=file]").set_input_files(film)
    page.locator(".bad:not([hidden])").wait_for()
    assert "changed" in page.locator(".bad").inner_text()
    page.wait_for_function("document.querySelector('.busy').hidden")
    assert page.evaluate("window.came.length") == 0
