"""Nothing leaves this machine: the guard sees attempts, hub libraries make none, command line and server make none."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from engine.core.paths import EXAMPLES

ROOT = Path(__file__).resolve().parents[1]
CLIP = EXAMPLES / "vermont_chickadee.mp4"
OUTSIDE = "192.0.2.1"  # kept for documentation (RFC 5737): never anybody's address


def tried(env: dict[str, str]) -> str:
    """What processes with this environment tried to reach, one a line."""
    log = Path(env["EARWITNESS_GUARD_LOG"])
    return log.read_text(encoding="utf-8") if log.exists() else ""


def python(code: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, timeout=240)


# --- the guard --------------------------------------------------------------------------------------------------------


@pytest.mark.tries_the_network
def test_the_guard_refuses_and_notes_what_leaves() -> None:
    guard = sys.modules["offline_guard"]
    with pytest.raises(OSError, match="blocked by the tests"):
        socket.create_connection((OUTSIDE, 80), timeout=1)
    with pytest.raises(OSError, match="blocked by the tests"):
        socket.getaddrinfo("example.org", 443)
    with pytest.raises(OSError, match="blocked by the tests"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect((OUTSIDE, 1))  # sends nothing, but is how a program asks for its own address
    with pytest.raises(OSError, match="blocked by the tests"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(b"x", (OUTSIDE, 53))
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen("http://example.org", timeout=1)
    assert len(guard.attempts) == 5


def test_the_guard_lets_this_machine_talk_to_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=2):
        assert socket.getaddrinfo("localhost", 80)


def test_the_guard_is_loaded_in_processes_that_tests_start(guarded_env: dict[str, str]) -> None:
    done = python("import socket; socket.create_connection(('192.0.2.1', 80), 1)", guarded_env)
    assert done.returncode != 0 and OUTSIDE in tried(guarded_env)


# --- hub libraries ----------------------------------------------------------------------------------------------------

_ASK_HUB = """
import contextlib, os, sys, tempfile
for name in [k for k in os.environ if k.startswith(("HF_", "TRANSFORMERS_"))]:
    del os.environ[name]
os.environ["HF_HOME"] = tempfile.mkdtemp()
{before}
import huggingface_hub, transformers
{after}
with contextlib.suppress(Exception):
    huggingface_hub.hf_hub_download("nobody/nothing", "model.safetensors")
    print("downloaded")
with contextlib.suppress(Exception):
    huggingface_hub.snapshot_download("nobody/nothing")
    print("downloaded")
with contextlib.suppress(Exception):
    transformers.CLIPModel.from_pretrained("openai/clip-vit-large-patch14")
    print("downloaded")
with contextlib.suppress(Exception):
    transformers.AutoProcessor.from_pretrained("openai/clip-vit-large-patch14")
    print("downloaded")
"""
_BARS = "print('bars', transformers.utils.logging.is_progress_bar_enabled())"
_GO = "from engine.models.offline import go_offline; go_offline()"


@pytest.mark.parametrize("moment", [pytest.param("before", marks=pytest.mark.slow), "after"])
def test_hub_libraries_ask_nobody(moment: str, guarded_env: dict[str, str]) -> None:
    """Whether they are told before they are imported, or when somebody else has imported them already."""
    code = _ASK_HUB.format(before=_GO if moment == "before" else "", after=_GO if moment == "after" else "")
    done = python(code + _BARS, guarded_env)
    assert done.returncode == 0, done.stderr
    assert "downloaded" not in done.stdout and "bars False" in done.stdout
    assert tried(guarded_env) == ""


def test_hub_libraries_do_ask_when_left_alone(guarded_env: dict[str, str]) -> None:
    """The test above can fail: without the switch the same calls go out. Stopped at the first, since they try for minutes."""
    asking = subprocess.Popen([sys.executable, "-c", _ASK_HUB.format(before="", after="")], env=guarded_env, cwd=ROOT)
    try:
        while asking.poll() is None and not tried(guarded_env):
            time.sleep(0.2)
    finally:
        asking.kill()
        asking.wait()
    assert "huggingface.co" in tried(guarded_env)


# --- command line and server ------------------------------------------------------------------------------------------


def test_locate_asks_nobody(guarded_env: dict[str, str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "engine.cli", "locate", str(CLIP), "--json", str(report)]
    done = subprocess.run(command, env=guarded_env, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "chickadee" in (done.stdout + report.read_text(encoding="utf-8")).lower()
    assert tried(guarded_env) == ""


def test_the_server_asks_nobody_and_listens_here_only(guarded_env: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "engine.cli", "app", "--no-browser", "--port", str(port)]
    log = (tmp_path / "server.log").open("w+", encoding="utf-8")
    server = subprocess.Popen(
        command, env=guarded_env, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                    assert answer.read() == b"ok"
                break
            except OSError:
                assert server.poll() is None, f"the server stopped: {Path(log.name).read_text(encoding='utf-8')}"
                assert time.monotonic() < deadline, "the server did not start in 60 s"
                time.sleep(0.3)
        if sys.platform == "linux":
            assert listening_addresses(port) == {"127.0.0.1"}
    finally:
        os.killpg(server.pid, 15)
        server.wait(20)
        log.close()
    assert tried(guarded_env) == ""


def listening_addresses(port: int) -> set[str]:
    """IPv4 and IPv6 addresses on which something listens at a port, from Linux's own table."""
    found = set()
    for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        table = Path(f"/proc/net/{name}")
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            local, state = line.split()[1], line.split()[3]
            host, at = local.split(":")
            if state == "0A" and int(at, 16) == port:
                raw = bytes.fromhex(host)
                # each 32-bit word is in the machine's order
                words = b"".join(raw[i : i + 4][::-1] for i in range(0, len(raw), 4))
                found.add(socket.inet_ntop(family, words))
    return found
