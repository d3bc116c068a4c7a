"""What all tests share: nothing leaves this machine, real material is found by EARWITNESS_DATA, Chromium where there is one."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker a core: threads of several workers on the same cores wait for each other in loops, and take ten times as long.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")

from engine.core import paths

ROOT = Path(__file__).resolve().parents[1]
GUARD_FOLDER = Path(__file__).parent / "offline_guard"


def _load_guard():  # type: ignore[no-untyped-def]
    # By path: the module's name is Python's own hook, and a distribution may have one of its own already loaded.
    spec = importlib.util.spec_from_file_location("offline_guard", GUARD_FOLDER / "sitecustomize.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["offline_guard"] = module
    spec.loader.exec_module(module)
    return module


guard = _load_guard()


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test during which anything tried to reach another machine, also when the library swallowed the error."""
    guard.attempts.clear()
    yield
    if "tries_the_network" not in request.keywords:
        assert not guard.attempts, f"tried to leave this machine: {guard.attempts}"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real material; tests that need it are skipped where it is absent."""
    folder = paths.data_dir()
    if not folder.is_dir():
        pytest.skip(f"needs real material, and there is no folder {folder}; set EARWITNESS_DATA to it")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium or Chrome; tests that drive one are skipped where there is none."""
    named = os.environ.get("CHROMIUM")
    for name in (named, "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    mac = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    if mac.is_file():
        return str(mac)
    pytest.skip("needs a Chromium; install one (apt install chromium) or name it in the variable CHROMIUM")


@pytest.fixture
def guarded_env(tmp_path: Path) -> dict[str, str]:
    """Environment for a process that must not reach another machine; what it tried is in the file GUARD_LOG names."""
    path = [str(GUARD_FOLDER), str(ROOT)]
    if os.environ.get("PYTHONPATH"):
        path.append(os.environ["PYTHONPATH"])
    own = {"EARWITNESS_GUARD_LOG": str(tmp_path / "left_this_machine.log"), "EARWITNESS_KEPT": str(tmp_path / "kept")}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), **own}
