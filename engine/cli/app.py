"""`earwitness app [CLIP]`: the app in the browser, served to this machine alone."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from engine.cli import stop
from engine.cli.terminal import plain, say
from engine.core import memory
from engine.core.errors import InputError, MediaError, WeightsError
from engine.core.paths import ROOT

MAIN = ROOT / "app" / "main.py"

# Said here as well as in .streamlit/config.toml, so that no setting in a home folder or the environment opens the app to the
# network, reports usage, or looks up an address.
_ALWAYS = (
    "--server.address=127.0.0.1",
    "--browser.serverAddress=127.0.0.1",
    "--browser.gatherUsageStats=false",
    "--server.enableXsrfProtection=true",
    "--server.enableCORS=true",  # Streamlit's word for refusing pages from elsewhere
    "--server.fileWatcherType=none",
    "--client.showSidebarNavigation=false",
    "--server.baseUrlPath=",
    "--server.allowedHosts=127.0.0.1,localhost,::1",
    # With either of these Streamlit also leaves out its offer to install things for a coding assistant. The browser is opened
    # by the server itself, which knows the token.
    "--server.headless=true",
    "--logger.hideWelcomeMessage=true",
)
_ENDING_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness app`."""
    parser.add_argument("clip", metavar="CLIP", nargs="?", help="file to open")
    parser.add_argument("--port", type=int, metavar="N", help="port on 127.0.0.1 (default: 8501, or the next free one)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser; print the address only")
    parser.add_argument(
        "--no-token",
        action="store_true",
        help="do not ask for the token in the address: every user of this machine can then see your work",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="URL",
        help="another address of the app in your browser, for forwarded ports, such as http://localhost:9000",
    )


def run(args: argparse.Namespace) -> int:
    """Serve the app until it is stopped; Ctrl-C is the ordinary way to stop it.

    The server lives as long as this process does: it reads our end of its standard input, which closes with us.
    """
    stop.leave_alone()  # the server ends in its own time
    words, origins = command(args), [_origin(text) for text in args.allow_origin]
    for remark in unheeded(os.environ):
        say(f"earwitness: {remark}")
    token = "" if args.no_token else secrets.token_urlsafe(32)
    orders = json.dumps({"token": token, "origins": origins, "browser": not args.no_browser})
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    server = subprocess.Popen(words, cwd=ROOT, env={**memory.environment(), "PYTHONPATH": path}, stdin=subprocess.PIPE)
    try:
        assert server.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it says itself why it ended
            server.stdin.write(orders.encode() + b"\n")
            server.stdin.flush()
        code = server.wait()
    except KeyboardInterrupt:
        _end(server)
        return 0
    return code if code == 2 else 0 if code in (0, -2, 130) else 1


def _end(server: subprocess.Popen[bytes]) -> None:
    """Let the server end in good order; what hangs, or a second Ctrl-C, ends it at once."""
    try:
        if server.stdin is not None:
            server.stdin.close()
        server.wait(_ENDING_S)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        server.kill()
        server.wait()


def command(args: argparse.Namespace) -> list[str]:
    """The command line that serves the app.

    Raises:
        InputError: the port is out of range.
        MediaError: there is no such clip.
        WeightsError: the app's files, Streamlit or OpenCV are not installed.
    """
    if args.port is not None and not 1024 <= args.port <= 65535:
        raise InputError(f"Port {args.port} cannot be used; choose 1024 to 65535.")
    if not MAIN.is_file():
        raise WeightsError(f"The app's files are missing ({MAIN}); install Earwitness again.")
    if importlib.util.find_spec("streamlit") is None:
        raise WeightsError("Streamlit is not installed; run: make app, or pip install .")
    importlib.import_module("engine.models.opencv")  # which says what is missing before anybody waits for a page
    options = list(_ALWAYS)
    if args.port is not None:
        options.append(f"--server.port={args.port}")
    words = [sys.executable, "-m", "app", *options]
    return [*words, "--", _clip(args.clip)] if args.clip else words


def unheeded(environment: Mapping[str, str]) -> list[str]:
    """What the environment asks of the server that would open it to others, and is not done, in sentences."""
    kept = {
        "STREAMLIT_SERVER_ADDRESS": ("127.0.0.1", "localhost", "::1"),
        "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": ("true", "1"),
        "STREAMLIT_SERVER_ENABLE_CORS": ("true", "1"),
    }
    return [
        f"{name}={plain(environment[name])} is ignored; the app serves this machine only."
        for name, harmless in kept.items()
        if name in environment and environment[name].strip().lower() not in harmless
    ]


def _origin(text: str) -> str:
    """An origin as a browser sends it.

    Raises:
        InputError: it is no address of a server.
    """
    try:
        parts = urlsplit(text.strip().lower())
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0  # the port is checked when it is read
    except ValueError:
        named = False
    if not named or "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise InputError(f"{plain(text)} is no address of a server; give one such as http://localhost:9000.")
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{parts.netloc.removesuffix(f':{usual}').removesuffix(':')}"


def _clip(path: str) -> str:
    """The clip's path from the root of the disk, since the app runs in its own folder."""
    if not Path(path).is_file():
        raise MediaError(f"There is no file {plain(Path(path).name or path)}; check the path.")
    return os.path.realpath(path)
