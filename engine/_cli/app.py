"""`earwitness app [CLIP]`: the app in the browser, served to this machine alone."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from engine._cli import stop
from engine._cli.terminal import plain, say
from engine.core import memory
from engine.core.errors import InputError, MediaError, WeightsError
from engine.core.paths import ROOT

MAIN = ROOT / "app" / "server.py"

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
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness app`."""
    parser.add_argument("clip", metavar="CLIP", nargs="?", help="file to open at once")
    parser.add_argument("--port", type=int, metavar="N", help="port on 127.0.0.1 (default: 8501, or the next free one)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser; print the address only")


def run(args: argparse.Namespace) -> int:
    """Serve the app until it is stopped; Ctrl-C is the ordinary way to stop it."""
    words = command(args)
    stop.leave_alone()  # the server ends in its own time
    for remark in unheeded(os.environ):
        say(f"earwitness: {remark}")
    try:
        code = subprocess.run(words, cwd=ROOT, env=memory.environment(), check=False).returncode
    except KeyboardInterrupt:
        return 0
    return 0 if code in (0, -2, 130) else 1


def command(args: argparse.Namespace) -> list[str]:
    """The command line that serves the app.

    Raises:
        InputError: the port is out of range, or there is no such clip.
        WeightsError: the app's files or Streamlit are not installed.
    """
    if args.port is not None and not 1024 <= args.port <= 65535:
        raise InputError(f"Port {args.port} cannot be used; choose 1024 to 65535.")
    if not MAIN.is_file():
        raise WeightsError(f"The app's files are missing ({MAIN}); install Earwitness from a checkout: make app.")
    if importlib.util.find_spec("streamlit") is None:
        raise WeightsError("Streamlit is not installed; run: make app, or pip install -r requirements.lock")
    options = [*_ALWAYS, f"--server.headless={'true' if args.no_browser else 'false'}"]
    if args.port is not None:
        options.append(f"--server.port={args.port}")
    words = [sys.executable, "-m", "streamlit", "run", str(MAIN), *options]
    return [*words, "--", _clip(args.clip)] if args.clip else words


def unheeded(environment: Mapping[str, str]) -> list[str]:
    """What the environment asks of the server that would open it to others, and is not done, in sentences."""
    kept = {
        "STREAMLIT_SERVER_ADDRESS": ("127.0.0.1", "localhost", "::1"),
        "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": ("true", "1"),
        "STREAMLIT_SERVER_ENABLE_CORS": ("true", "1"),
    }
    return [
        f"{name}={plain(environment[name])} is not heeded; the app is served to this machine and its own pages alone."
        for name, harmless in kept.items()
        if name in environment and environment[name].strip().lower() not in harmless
    ]


def _clip(path: str) -> str:
    """The clip's path from the root of the disk, since the app runs in its own folder."""
    if not Path(path).is_file():
        raise MediaError(f"There is no file {plain(Path(path).name or path)}; check the path.")
    return os.path.realpath(path)
