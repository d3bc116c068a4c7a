"""Nothing leaves this machine, native code included: counted in a network namespace whose only resolver and peer are ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.core import memory, offline
from engine.core.paths import ROOT

GUARD = ROOT / "tests" / "offline_guard"
in_a_namespace = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's network namespaces")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four seconds of noise."""
    path = tmp_path / "noise.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(np.random.default_rng(0).normal(0, 3000, 4 * 48_000).astype("<i2").tobytes())
    return path


# ONNX Runtime 1.31 sends nothing where one of these is set, so that on a build server there would be nothing to find. Source:
# the names in its library, and trying them.
BUILD_SERVERS = {
    *("CI", "TF_BUILD", "GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "TRAVIS", "JENKINS_URL", "CODEBUILD_BUILD_ID", "BUILDKITE"),
    *("TEAMCITY_VERSION", "APPVEYOR", "BITBUCKET_BUILD_NUMBER", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "ORT_RUNNING_UNIT_TESTS"),
}


def environment(folder: Path) -> dict[str, str]:
    """As a person's: without the guard of the tests, which would stop Python before anything could be counted, without a build
    server's variables, and without any switch, which the program must set by itself."""
    removed = {*offline.SILENT, *offline.HUB, *BUILD_SERVERS, "EARWITNESS_GUARD_LOG"}
    kept = {k: v for k, v in os.environ.items() if k not in removed}
    places = {"HOME": "home", "XDG_CACHE_HOME": "home/cache", "XDG_DATA_HOME": "home/data"}
    own = {name: str(folder / where) for name, where in places.items()} | {"EARWITNESS_KEPT": str(folder / "kept")}
    return {**kept, **own, "PYTHONPATH": str(ROOT)}


def counted(command: list[str], folder: Path) -> dict[str, Any]:
    """What a command asked and where it went; skips where that cannot be counted."""
    result = folder / "counted.json"
    alone = ["unshare", "--map-root-user", "--net", "--mount", sys.executable, str(GUARD / "namespace.py"), str(result)]
    try:
        done = subprocess.run(
            [*alone, *command], env=environment(folder), cwd=folder, capture_output=True, text=True, timeout=280
        )
    except FileNotFoundError:
        pytest.skip("there is no program unshare (util-linux)")
    if done.returncode == 3 or (done.returncode and not result.exists() and "unshare" in done.stderr):
        pytest.skip(f"namespaces are not allowed here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found | {"said": done.stdout + done.stderr}


def walk(folder: Path, clip: Path, *what: str) -> dict[str, Any]:
    found = counted([sys.executable, str(GUARD / "walk.py"), str(folder), str(clip), *what], folder)
    assert found["returncode"] == 0, found["said"]
    return found


def assert_nothing_left(found: dict[str, Any], folder: Path) -> None:
    assert found["questions"] == [] and found["connections"] == []
    assert not [p for p in folder.rglob("*") if p.name in (".onnxruntime", "DeveloperTools", "Microsoft")]


_LEAVE = """
import socket, subprocess, sys
code = '''
import socket
try: socket.create_connection(("nobody.example", 443), timeout=5)
except OSError: pass
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp: udp.sendto(b"x", ("203.0.113.9", 123))
with socket.create_server(("127.0.0.1", 0)) as here: socket.create_connection(here.getsockname()).close()
'''
subprocess.run([sys.executable, "-c", code], check=True)
"""


@in_a_namespace
def test_what_leaves_is_counted(tmp_path: Path) -> None:
    """The tests below can fail: a name looked up, a connection and a datagram of a process's child, and not what stays here."""
    found = counted([sys.executable, "-c", _LEAVE], tmp_path)
    assert found["returncode"] == 0, found["said"]
    assert set(found["questions"]) == {"nobody.example"}
    assert found["connections"] == ["tcp 198.51.100.7:443", "udp 203.0.113.9:123"]


@in_a_namespace
def test_loading_every_native_library_asks_nobody(tmp_path: Path, clip: Path) -> None:
    assert_nothing_left(walk(tmp_path, clip, "libraries"), tmp_path)


@in_a_namespace
def test_a_page_and_a_foreign_page_ask_nobody(tmp_path: Path, clip: Path) -> None:
    assert_nothing_left(walk(tmp_path, clip, "app"), tmp_path)


@pytest.mark.slow
@in_a_namespace
@pytest.mark.parametrize("what", ["locate", "worker", "batch"])
def test_examining_asks_nobody(tmp_path: Path, clip: Path, what: str) -> None:
    assert_nothing_left(walk(tmp_path, clip, what), tmp_path)


_CREDENTIALS = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests" / "media")!r})
import signing
from pathlib import Path
from engine.media import credentials
from engine.media.source import Source
path = Path("a.jpg")
if not path.exists():
    path.write_bytes(signing.signed(signing.picture(), "image/jpeg", signing.chain(), "http://manifests.example/a.c2pa"))
if len(sys.argv) > 1:  # as c2pa is without our settings
    ours = credentials.settings
    def theirs(trusted):
        found = ours(trusted)
        found["verify"]["remote_manifest_fetch"] = True
        del found["core"]["allowed_network_hosts"]
        return found
    credentials.settings = theirs
source = Source(path)
source.open()
print(credentials.facts(source, "jpeg"))
"""


@in_a_namespace
def test_credentials_kept_elsewhere_are_not_fetched(tmp_path: Path) -> None:
    found = counted([sys.executable, "-c", _CREDENTIALS], tmp_path)
    assert found["returncode"] == 0 and "kept elsewhere: http://manifests.example/a.c2pa" in found["said"], found["said"]
    assert_nothing_left(found, tmp_path)
    fetched = counted([sys.executable, "-c", _CREDENTIALS, "fetch"], tmp_path)  # so that the test can fail
    assert set(fetched["questions"]) == {"manifests.example"} and fetched["connections"], fetched


# --- the switches -------------------------------------------------------------------------------------------------------

_RUNTIME = "import {first}onnxruntime; print('loaded')"


@pytest.mark.skipif(sys.platform != "linux", reason="where ONNX Runtime keeps its device id is known of Linux only")
@pytest.mark.parametrize("first", ["", "engine, "])
def test_onnx_runtime_keeps_no_device_id(tmp_path: Path, first: str) -> None:
    """Without `engine` it does, as soon as it is imported: the test can fail."""
    done = subprocess.run(
        [sys.executable, "-c", _RUNTIME.format(first=first)],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "loaded\n", done.stderr
    assert bool([p for p in tmp_path.rglob(".onnxruntime")]) == (not first)


_ENTRIES = {
    "the public list": "import engine",
    "command line": "import engine.cli",
    "worker": "import engine.case.jobs.worker",
    "decoder": "import engine.media.decoder",
    "process of a batch": "import engine.case.jobs.pool",
    "node of a cluster": "import engine.case.jobs.cluster",
    "server": "import app.__main__",
    "page": "import app.panels.style",
}


@pytest.mark.parametrize("entry", _ENTRIES)
def test_every_way_in_sets_the_switches_first(entry: str, tmp_path: Path) -> None:
    """Before any library that reads them is loaded, whatever the environment said; and what it starts inherits them."""
    code = f"""
import builtins, os, sys
real, readers = builtins.__import__, ("onnxruntime", "streamlit", "torch", "huggingface_hub", "pyarrow", "ray", "pyproj")
def noted(name, *rest):
    if name.split(".")[0] in readers and os.environ.get("ORT_DISABLE_TELEMETRY") != "1":
        print("too early:", name)
    return real(name, *rest)
builtins.__import__ = noted
{_ENTRIES[entry]}
from engine.core import memory, offline
wrong = [k for k, v in offline.SILENT.items() if os.environ.get(k) != v or memory.environment()[k] != v]
print(wrong)
"""
    contrary = dict.fromkeys(offline.SILENT, "contrary")
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path) | contrary, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "[]\n", done.stdout + done.stderr


def test_an_environment_made_for_a_child_has_the_switches() -> None:
    assert memory.environment({"ORT_DISABLE_TELEMETRY": "0", "A": "b"}).items() >= {**offline.SILENT, "A": "b"}.items()
