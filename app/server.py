"""The server: Streamlit's pages with routes of our own beside them, for films from disk and uploads to disk.

Started by `earwitness app`, which binds it to this machine.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # only app/ is on the path
    sys.path.insert(0, str(ROOT))

from app import job, route  # noqa: E402


@asynccontextmanager
async def _life(_: st.App) -> AsyncIterator[None]:
    """When the server ends, an idle worker ends with it; one that examines a clip goes on, and is said to."""
    yield
    told = job.leave()
    if told:
        print(told, file=sys.stderr)


# Until the router has run once, Streamlit would take a page's own address for a script to be run by itself.
PagesManager.uses_pages_directory = False

app = st.App("main.py", routes=route.routes(), lifespan=_life)
