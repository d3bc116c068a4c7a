"""The app is served to this machine alone, believes its own pages alone, and says so when it was told otherwise."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import exposure
from engine._cli import app as command
from engine.core.paths import ROOT


def test_the_command_fixes_address_and_protection_whatever_the_environment_says() -> None:
    words = command.command(argparse.Namespace(clip=None, port=None, no_browser=True))
    for option in ("--server.address=127.0.0.1", "--server.enableXsrfProtection=true", "--server.enableCORS=true"):
        assert option in words
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1" and config["server"]["enableXsrfProtection"] is True


def test_an_environment_that_would_open_it_is_named() -> None:
    asked = {
        "STREAMLIT_SERVER_ADDRESS": "0.0.0.0\x1b[31m",
        "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false",
        "STREAMLIT_SERVER_ENABLE_CORS": "TRUE",
    }
    said = command.unheeded(asked)
    assert [s.split("=")[0] for s in said] == ["STREAMLIT_SERVER_ADDRESS", "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION"]
    assert all(s.isprintable() and "not heeded" in s for s in said)
    assert command.unheeded({"STREAMLIT_SERVER_ADDRESS": "127.0.0.1", "HOME": "/"}) == []


@pytest.mark.parametrize(
    ("address", "open_to_others"),
    [("127.0.0.1", False), ("127.8.9.1", False), ("::1", False), ("[::1]", False), ("localhost", False), (None, True),
     ("", True), ("0.0.0.0", True), ("::", True), ("192.168.1.4", True), ("localhost.example.org", True)],
)  # fmt: skip
def test_addresses(address: str | None, open_to_others: bool) -> None:
    assert bool(exposure.sentences(address, True)) == open_to_others
    assert len(exposure.sentences(address, False)) == 1 + open_to_others


def _page() -> None:
    from app import exposure

    exposure.warn()


def test_a_page_of_a_server_started_otherwise_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"server.address": "0.0.0.0", "server.enableXsrfProtection": False}
    ordinary = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: told[name] if name in told else ordinary(name))
    at = AppTest.from_function(_page).run()
    assert not at.exception
    assert ["listens on 0.0.0.0" in at.error[0].value, "XSRF" in at.error[1].value] == [True, True]
    told.update({"server.address": "127.0.0.1", "server.enableXsrfProtection": True})
    assert not AppTest.from_function(_page).run().error


def test_every_page_goes_through_it() -> None:
    assert "exposure.warn()" in (Path(ROOT) / "app" / "main.py").read_text(encoding="utf-8")
