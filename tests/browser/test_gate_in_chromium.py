"""The way in, as the program opens it: from a file that only the analyst can read, to a page whose address has no token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app import __main__ as server_process

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
REFUSED = "Earwitness is running, but this browser has no access yet."


def test_the_page_that_opens_the_app_leads_into_it(page: Any, server: str, tmp_path: Path) -> None:
    """A browser sends a strict cookie neither with what a file opened nor with where that leads: the gate asks once more."""
    bare = server.partition("?")[0]
    fresh = page.context.browser.new_context().new_page()
    fresh.goto(bare)
    fresh.get_by_text(REFUSED).wait_for()

    opening = tmp_path / "opening.html"
    opening.write_text(server_process._OPENING.format(where=server), encoding="utf-8")
    fresh.goto(opening.as_uri())
    fresh.get_by_text("Or look at an example").wait_for()
    assert fresh.url == bare and fresh.evaluate("document.cookie").find("earwitness") == -1
    assert fresh.evaluate("document.referrer") in ("", bare)
    assert server.partition("token=")[2] not in fresh.evaluate("performance.getEntriesByType('resource').map(e => e.name).join()")


def test_a_page_elsewhere_reads_nothing(page: Any, server: str) -> None:
    """Another port of this machine, to whose pages the browser gives our cookie with every request."""
    address = server.partition("?")[0].rstrip("/")
    ours = page.context.browser.new_context()
    ours.new_page().goto(server)
    assert any(cookie["name"].startswith("earwitness-") for cookie in ours.cookies(address))
    outside = ours.new_page()
    outside.route(
        "http://127.0.0.1:9/**", lambda route: route.fulfill(body="<p>a page of somebody else</p>", content_type="text/html")
    )
    outside.goto("http://127.0.0.1:9/")
    tried = outside.evaluate(
        """async address => {
            const socket = new WebSocket(address.replace('http', 'ws') + '/_stcore/stream', ['streamlit']);
            const opened = new Promise(done => { socket.onopen = () => done(true); socket.onerror = () => done(false); });
            const fetched = fetch(address + '/_stcore/host-config', {credentials: 'include'}).then(() => true, () => false);
            const frame = document.createElement('iframe');
            frame.src = address + '/';
            const framed = new Promise(done => { frame.onload = () => {
                try { done(frame.contentDocument ? 'empty' : 'refused'); } catch { done('refused'); } } });
            document.body.append(frame);
            return [await opened, await fetched, await framed];
        }""",
        address,
    )
    assert tried[:2] == [False, False]
    inside = [f for f in outside.frames if f.url.startswith(address)]
    assert not any("Earwitness" in f.content() or "root" in f.content() for f in inside if f.url != "about:blank")
