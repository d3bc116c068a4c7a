"""A real server under the guard, and a real browser whose every request and complaint is noted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(guarded_env: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The address that the app prints, token included, started as a person starts it; fails the test when it tried to leave
    this machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path / "server.log"
    command = [sys.executable, "-m", "engine.cli", "app", "--no-browser", "--port", str(port)]
    with log.open("w", encoding="utf-8") as sink:
        process = subprocess.Popen(
            command, env=guarded_env, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield printed_address(process, log, port)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)
    left = Path(guarded_env["EARWITNESS_GUARD_LOG"])
    assert not left.exists(), f"the server tried to leave this machine: {left.read_text('utf-8')}"
    said = log.read_text("utf-8")
    assert "Traceback" not in said, said


def printed_address(process: subprocess.Popen[bytes], log: Path, port: int) -> str:
    """What the server printed once it answers."""
    deadline = time.monotonic() + 90
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                break
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, f"no server: {log.read_text('utf-8')}"
            time.sleep(0.3)
    return next(word for word in log.read_text("utf-8").split() if word.startswith(f"http://127.0.0.1:{port}/?token="))


class Watch:
    """What a page asked for and complained of."""

    def __init__(self, page: Any) -> None:
        self.outside: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda ws: self._asked(ws.url))
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("response", lambda r: self.complaints.append(f"{r.status} {r.url}") if r.status >= 400 else None)

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in ("127.0.0.1", "localhost"):
            self.outside.append(url)

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")


# Streamlit says on its outermost element whether a page is being drawn. While it is, elements come, move and go, and what is
# clicked at may be gone before the click has arrived: so a test acts when the page is drawn to its end, and then waits for what
# the act leads to and what stays.
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"


@pytest.fixture
def settled(page: Any) -> Callable[[], None]:
    """Waits until the page is drawn to its end, and stays so over a number of frames: a click is a few frames on its way before
    Streamlit says that it draws again. To be called after waiting for what an act leads to, where that can be seen."""

    def wait() -> None:
        page.evaluate("() => { window.frames_still = 0; }")
        page.wait_for_function(
            "settled => { window.frames_still = document.querySelector(settled) ? window.frames_still + 1 : 0;"
            " return window.frames_still > 10; }",
            arg=SETTLED,
            polling="raf",
            timeout=240_000,
        )

    return wait


@pytest.fixture
def page(chromium: str, server: str, tmp_path: Path) -> Iterator[Any]:
    """The app in a window of 1440 by 900. No name outside resolves; any request there and any complaint fails."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    arguments = [
        "--no-sandbox",
        "--disable-background-networking",
        "--use-gl=swiftshader",
        "--enable-unsafe-swiftshader",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=arguments)
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(60_000)
            watch = Watch(page)
            page.goto(server)
            page.locator(SETTLED).wait_for(state="attached")
            yield page
            page.screenshot(path=str(tmp_path / "last.png"))
        finally:
            browser.close()
    assert not watch.outside, f"the page asked for something outside this machine: {watch.outside}"
    assert not watch.complaints, watch.complaints
