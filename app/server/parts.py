"""What the server is made of: Streamlit's pages, routes of our own for films from disk and uploads to disk, and the gate.

`python -m app` serves it as `earwitness app` starts it; `streamlit run app/main.py` serves the same behind the same gate.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit import net_util
from streamlit.runtime.pages_manager import PagesManager

from app.server import route
from app.server.gate import Gate


def server_parts(
    announce: Callable[[str], None],
    ended: Callable[[], str],
    token: str | None = None,
    origins: Sequence[str] = (),
    port: int | None = None,
) -> dict[str, Any]:
    """What `st.App` is given beside its script.

    Args:
        announce: called with the address to open, once the server runs.
        ended: called when the server ends; what it returns is printed.
        token: what whoever asks must know; None makes one, "" asks for none.
        origins: further origins that are let in.
        port: the server's; None asks Streamlit for it.
    """
    token = secrets.token_urlsafe(32) if token is None else token
    _know_no_addresses()
    PagesManager.uses_pages_directory = False  # or a page's own address were a script to be run by itself, before the router ran

    @asynccontextmanager
    async def life(_: st.App) -> AsyncIterator[None]:
        """When the server ends, an idle worker ends with it; one that examines a clip goes on, and is said to."""
        announce(address(int(st.get_option("server.port")) if port is None else port, token))
        yield
        message = ended()
        if message:
            print(message, file=sys.stderr)

    return {"routes": route.routes(), "middleware": [Middleware(Gate, token=token, origins=origins)], "lifespan": life}


def address(port: int, token: str) -> str:
    """The address to open; it lets in whoever has it."""
    return f"http://127.0.0.1:{port}/" + (f"?token={token}" if token else "")


def print_address(where: str) -> None:
    """Print the address, for the person who started the server."""
    print(f"\nEarwitness runs, for this machine alone. Open it at\n\n    {where}\n", flush=True)


def _know_no_addresses() -> None:
    """Streamlit would ask the network for this machine's addresses, to compare an origin that it does not know."""
    net_util.get_internal_ip = net_util.get_external_ip = lambda: None
