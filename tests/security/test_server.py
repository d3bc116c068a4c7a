"""The app is served to this machine alone, believes its own pages alone, and says so when it was told otherwise."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import __main__ as server_process
from app import exposure
from app.__main__ import _orders, _parsed
from engine.cli import app as command
from engine.core.errors import InputError
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


def test_what_must_hold_is_said_in_both_places_of_settings() -> None:
    """The one beside main.py is read last by Streamlit, from whatever folder it is started."""
    whole, least = (
        tomllib.loads((ROOT / folder / ".streamlit" / "config.toml").read_text(encoding="utf-8")) for folder in ("", "app")
    )
    for section, held in least.items():
        assert held.items() <= whole[section].items()
    given, _ = _parsed(command.command(argparse.Namespace(clip=None, port=None, no_browser=False))[3:])
    for name, value in given.items():
        section, _, option = name.partition(".")
        assert least[section][option] == value, name


_NUDGE = """
from streamlit import config
from streamlit.web import bootstrap, skills
skills.agent_harness_present = lambda: True
skills.detect_installed_skills = lambda *_: False
skills._install_completeness = lambda *_: "none"
bootstrap.load_config_options({"server.headless": False})
said = [skills.nudge_suppression_reason(None)]
from app.__main__ import _parsed
from engine.cli import app as command
import argparse
words = command.command(argparse.Namespace(clip=None, port=None, no_browser=False))
ours = _parsed(words[3:])[0]
bootstrap.load_config_options(ours)
said.append(skills.nudge_suppression_reason(None))
bootstrap.load_config_options({**ours, "server.headless": False})
said.append(skills.nudge_suppression_reason(None))
print(said)
"""


def test_streamlit_does_not_offer_to_install_things(tmp_path: Path) -> None:
    """Left alone it does, to whoever has a coding assistant; and it would be enough that the message is hidden."""
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", _NUDGE], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["['',", "'headless',", "'welcome_hidden']"]


def test_a_command_line_names_neither_token_nor_origin() -> None:
    words = command.command(
        argparse.Namespace(clip=None, port=8600, no_browser=True, no_token=False, allow_origin=["http://a:1"])
    )
    assert not any("token" in word or "http://a" in word for word in words)


@pytest.mark.parametrize(
    ("text", "read"),
    [("http://localhost:9000", "http://localhost:9000"), ("HTTPS://Box.example:443/", "https://box.example"),
     ("http://[::1]:9000", "http://[::1]:9000"), ("localhost:9000", None), ("*", None), ("http://a/b", None),
     ("http://x@a", None), ("http://a:99999", None), ("file:///tmp", None), ("", None), ("http://a?b", None)],
)  # fmt: skip
def test_origins_are_read_as_browsers_send_them(text: str, read: str | None) -> None:
    if read is not None:
        assert command._origin(text) == read
        return
    with pytest.raises(InputError):
        command._origin(text)


def test_without_orders_a_token_is_made() -> None:
    for text in ("", "nonsense\n", "[]\n", '{"token": "x"}\n'):
        read, write = os.pipe()
        os.write(write, text.encode())
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as given:
            assert _orders(given).token is None  # "" would ask for none


def test_a_browser_is_opened_by_way_of_a_file_that_only_this_user_can_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A browser's command line is everybody's to see; the token is not in it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened: list[str] = []

    def see(address: str) -> None:
        page = Path(urllib.request.url2pathname(address.removeprefix("file://")))
        assert "http://127.0.0.1:8501/?token=the-token" in page.read_text("utf-8")
        assert page.parent.stat().st_mode & 0o077 == 0
        opened.append(address)
        raise KeyboardInterrupt  # the end of the server

    monkeypatch.setattr(webbrowser, "open", see)
    with pytest.raises(KeyboardInterrupt):
        server_process._open("http://127.0.0.1:8501/?token=the-token")
    assert opened[0].startswith("file://") and "the-token" not in opened[0]
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


# --- the server itself ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def started(words: list[str], ours: dict[str, str], folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, int]]:
    """A server that answers: its process, all that it printed so far, its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = folder / "server.log"
    environment = {**os.environ, **ours, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, *[w.format(port=port) for w in words]],
            env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
        )  # fmt: skip
    try:
        until(lambda: answers(port) or process.poll() is not None, 90)
        assert process.poll() is None, log.read_text("utf-8")
        yield process, log.read_text("utf-8"), port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(holds: Callable[[], bool], within_s: float) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.1)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
            return bool(answer.read() == b"ok")
    except OSError:
        return False


def is_free(port: int) -> bool:
    with socket.socket() as link:
        return link.connect_ex(("127.0.0.1", port)) != 0


APP = ["-m", "engine.cli", "app", "--no-browser", "--port", "{port}"]


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_port_is_free_when_the_command_is_killed(how: signal.Signals, tmp_path: Path) -> None:
    """The signal goes to the command alone, not to the server that it started; a half-open request holds nothing up."""
    ours = {"EARWITNESS_KEPT": str(tmp_path / "kept"), "TMPDIR": str(tmp_path)}
    with started(APP, ours, tmp_path) as (process, said, port), socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(b"GET / HT")
        address = next(word for word in said.split() if "?token=" in word)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        assert b"<script" in opener.open(address).read()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/")
        assert refused.value.code == 403
        os.kill(process.pid, how)
        process.wait(30)
        until(lambda: is_free(port), 15)
        if sys.platform == "linux":
            until(lambda: not [p for p in Path("/proc").glob("[0-9]*") if _is_server(p, port)], 15)


def _is_server(process: Path, port: int) -> bool:
    try:
        return f"--server.port={port}".encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False


def test_the_pages_alone_are_behind_the_gate_too(tmp_path: Path) -> None:
    """`streamlit run app/main.py`, from a folder whose settings would open it to everybody."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text('[server]\naddress = "0.0.0.0"\n', encoding="utf-8")
    words = ["-m", "streamlit", "run", str(ROOT / "app" / "main.py"), "--server.port={port}"]
    with started(words, {"EARWITNESS_KEPT": str(tmp_path / "kept")}, tmp_path) as (_, said, port):
        assert f"http://127.0.0.1:{port}/?token=" in said and "0.0.0.0" not in said
        for headers in ({}, {"Host": f"rebound.example:{port}"}, {"Origin": "http://elsewhere.example"}):
            asked = urllib.request.Request(f"http://127.0.0.1:{port}/", headers=headers)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(asked)
            assert refused.value.code == 403
