"""The server's process, as `earwitness app` starts it: `python -m app [--section.option=value …] [-- CLIP]`.

What nobody else on the machine should read in the list of processes comes as one line of JSON on standard input: the token, the
origins let in, whether to open a browser. Standard input then stays open as long as whoever started the server lives: when it
ends, however that came about, the server ends too, and its port is free.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, TextIO

from engine.core import clear_scratch, scratch_folder

ADDRESS, FIRST_PORT, MOST_PORTS = "127.0.0.1", 8501, 100
ENDING_S = 5.0
_OPENING = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url={where}"><title>Earwitness</title></head>
<body><a href="{where}">Open Earwitness</a></body></html>"""


@dataclass(frozen=True)
class Orders:
    """What came on standard input.

    Attributes:
        token: None makes one, "" asks for none.
        watched: whether somebody keeps the other end open of standard input.
    """

    token: str | None = None
    origins: tuple[str, ...] = ()
    browser: bool = False
    watched: bool = False


def main(argv: Sequence[str]) -> int:
    """Serve until stopped."""
    orders = _orders(sys.stdin)
    options, clip = _parsed(argv)
    listening = _bound(options.pop("server.port", None))
    if listening is None:
        print("earwitness: The port is taken; choose another one with --port.", file=sys.stderr)
        return 2
    with listening:
        return _serve(listening, orders, options, clip)


def _serve(listening: socket.socket, orders: Orders, options: dict[str, Any], clip: list[str]) -> int:
    import uvicorn
    from streamlit import config
    from streamlit.web import bootstrap

    folder, port = Path(__file__).resolve().parent, listening.getsockname()[1]
    sys.argv = [str(folder / "main.py"), *clip]
    config._main_script_path = sys.argv[0]
    bootstrap.load_config_options({**options, "server.port": port})

    from app.server.parts import print_address, server_parts
    from app.server.patience import PatientProtocol
    from app.session import jobs

    def announce(where: str) -> None:
        print_address(where)
        if orders.browser and _has_a_screen():
            threading.Thread(target=_open, args=(where,), name="browser", daemon=True).start()

    import streamlit as st

    clear_scratch()
    made = st.App(sys.argv[0], **server_parts(announce, jobs.leave, orders.token, orders.origins, port))
    runner = uvicorn.Server(
        uvicorn.Config(
            made, host=ADDRESS, port=port, http=PatientProtocol, ws="websockets-sansio", access_log=False, use_colors=False,
            log_level="warning", proxy_headers=False, server_header=False, timeout_graceful_shutdown=int(ENDING_S) - 2,
            ws_max_size=int(config.get_option("server.maxMessageSize")) * 2**20, ws_ping_interval=30, ws_ping_timeout=30,
            ws_per_message_deflate=bool(config.get_option("server.enableWebsocketCompression")),
        )
    )  # fmt: skip
    if orders.watched:
        threading.Thread(target=_end_with, args=(sys.stdin, runner), name="parent", daemon=True).start()
    runner.run(sockets=[listening])
    return 0 if runner.started else 1


def _orders(given: TextIO) -> Orders:
    """The line on standard input; without one, as when a person starts it, a token is made and no browser opened."""
    if given is None or given.isatty():
        return Orders()
    try:
        facts = json.loads(given.readline(100_000))
        return Orders(str(facts["token"]), tuple(map(str, facts["origins"])), bool(facts["browser"]), watched=True)
    except (ValueError, KeyError, TypeError):
        return Orders()


def _parsed(argv: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Streamlit's options by their dotted names, and what stands behind "--"."""
    cut = argv.index("--") if "--" in argv else len(argv)
    pairs = [word.removeprefix("--").partition("=") for word in argv[:cut]]
    return {name: _value(name, value) for name, _, value in pairs}, list(argv[cut + 1 :])


def _value(name: str, text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if name == "server.allowedHosts":
        return text.split(",")
    return text


def _bound(port: str | None) -> socket.socket | None:
    """A socket that listens on this machine alone, at the port named or the first free one; None where there is none."""
    ports = [int(port)] if port is not None else range(FIRST_PORT, FIRST_PORT + MOST_PORTS)
    for candidate in ports:
        made = socket.socket(socket.AF_INET)
        if os.name != "nt":  # where it would let two servers share a port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((ADDRESS, candidate))
            made.listen(512)
        except OSError as error:
            made.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            made.setblocking(False)
            return made
    return None


def _end_with(given: TextIO, runner: Any) -> None:
    """End when standard input does: gently, and if that hangs, at once."""
    with contextlib.suppress(OSError, ValueError):
        while given.readline(100_000):
            pass
    runner.should_exit = True
    threading.Event().wait(ENDING_S)
    os._exit(0)


def _has_a_screen() -> bool:
    """Without one, what would be started is a browser for the terminal, or nothing."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _open(where: str) -> None:
    """Open the address in a browser by way of a page that only this user can read: its command line is everybody's to see."""
    with scratch_folder() as folder:
        page = Path(folder) / "earwitness.html"
        page.write_text(_OPENING.format(where=escape(where)), encoding="utf-8")
        webbrowser.open(page.as_uri())
        threading.Event().wait()  # the page goes with the server


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
