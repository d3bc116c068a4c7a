"""The wheel: it holds what the program reads, and works where it is installed apart from the checkout."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GUARD = ROOT / "tests" / "offline_guard"
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is under version control, or of all that might be: building leaves its own files."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("app", "assets", "engine", "examples", "scripts"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what is installed already."""
    stale = checkout / "build" / "lib" / "engine" / "gone.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("left by an earlier build\n", encoding="utf-8")
    folder = tmp_path_factory.mktemp("wheel")
    words = [*PIP, "wheel", ".", "--no-index", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run(words, cwd=checkout, check=True, timeout=120)
    (made,) = folder.iterdir()
    return made


def tracked(*folders: str) -> set[str]:
    """The files under version control; where there is no git, those that lie there."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        words = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", *folders]
        listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30).stdout.split("\0")
        return {name for name in listed if name and (ROOT / name).is_file()}
    found = (p for folder in folders for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(ROOT).as_posix() for p in found}


def test_the_wheel_holds_all_that_is_read_and_no_test(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        card = next(archive.read(name).decode() for name in archive.namelist() if name.endswith("/METADATA"))
    assert not {name for name in tracked("engine", "app") if name not in names}
    assert not {name for name in tracked("assets", "examples") if f"engine/{name}" not in names}
    assert {name.partition("/")[0] for name in names} == {"engine", "app"}
    assert "engine/gone.py" not in names, "what an earlier build left behind is in the wheel"
    assert "Requires-Dist: torch==2.11.0" in card and "Description-Content-Type: text/markdown" in card
    assert "Project-URL" not in card, "an address in the card must be one that exists"


@pytest.mark.slow
def test_a_source_archive_holds_what_the_wheel_is_made_of(checkout: Path, tmp_path: Path) -> None:
    code = "from setuptools import build_meta; import sys; print(build_meta.build_sdist(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=checkout, capture_output=True, text=True, check=True, timeout=120
    )
    made = tmp_path / done.stdout.splitlines()[-1]
    shutil.unpack_archive(made, tmp_path, filter="data")
    root = tmp_path / made.name.removesuffix(".tar.gz")
    assert (root / "scripts" / "wheel.py").is_file()
    assert not {name for name in tracked("engine", "app", "assets", "examples") if not (root / name).is_file()}


# --- installed apart --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([*PIP, "install", "--no-index", "--no-deps", "--target", str(folder), str(wheel)], check=True, timeout=120)
    return folder


@pytest.fixture
def environment(installed: Path, tmp_path: Path) -> dict[str, str]:
    """Without the checkout: the packages it needs come from the environment of the tests."""
    own = {
        "PYTHONPATH": os.pathsep.join([str(installed), str(GUARD)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "EARWITNESS_KEPT": str(tmp_path / "kept"),
        "EARWITNESS_GUARD_LOG": str(tmp_path / "left_this_machine.log"),
    }
    return {**os.environ, **own}


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file."""
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


def run(environment: dict[str, str], folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_installed_program_finds_its_own_files(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import engine; from engine.core import paths; from engine.world.places import describe_place;"
        "print(paths.ASSETS, paths.EXAMPLES, engine.examples()[0].path, sep='\\n'); print(describe_place(51.5, -0.1))"
    )
    assets, examples, clip, place = run(environment, tmp_path, "-c", code).splitlines()
    assert (assets, examples) == (str(installed / "engine" / "assets"), str(installed / "engine" / "examples"))
    assert Path(clip).is_relative_to(installed) and Path(clip).is_file() and "London" in place
    assert run(environment, tmp_path, "-m", "engine.cli", "--version") == "earwitness 0.1.0\n"
    assert "[missing]" in run({**environment, "EARWITNESS_MODELS": str(tmp_path)}, tmp_path, "-m", "engine.cli", "models")


def test_the_settings_of_the_app_hold_where_it_is_installed(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """Whatever a home folder or the folder it is started from says."""
    for folder in (tmp_path / ".streamlit", tmp_path / "home" / ".streamlit"):
        folder.mkdir(parents=True)
        said = '[server]\naddress = "0.0.0.0"\n[browser]\ngatherUsageStats = true\n[theme]\nbaseFontSize = 99\n'
        (folder / "config.toml").write_text(said, encoding="utf-8")
    code = (
        "import json, app, pathlib; from streamlit import config;"
        "config._main_script_path = str(pathlib.Path(app.__file__).with_name('main.py'));"
        "config.get_config_options(force_reparse=True);"
        "names = ['server.address', 'server.maxUploadSize', 'browser.gatherUsageStats', 'theme.baseFontSize',"
        " 'theme.light.primaryColor', 'client.showErrorDetails'];"
        "print(json.dumps([config.get_option(n) for n in names]))"
    )
    said = run({**environment, "HOME": str(tmp_path / "home")}, tmp_path, "-c", code).splitlines()[-1]
    assert json.loads(said) == ["127.0.0.1", 500, False, 14, "#217380", "none"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_example_is_located_where_it_is_installed(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """With reports and a case, and nothing is written where the program lies."""
    before = files_of(installed)
    clip = str(installed / "engine" / "examples" / "vermont_chickadee.mp4")
    reports = [word for kind in ("json", "html", "pdf") for word in (f"--{kind}", f"r.{kind}")]
    said = run(environment, tmp_path, "-m", "engine.cli", "locate", clip, "--quick", *reports, "--case", "case")
    assert "Vermont" in said and "chickadee" in said.lower()
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["schema"] == "earwitness.finding/1"
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF") and "<html" in (tmp_path / "r.html").read_text("utf-8")
    assert files_of(installed) == before
    log = tmp_path / "left_this_machine.log"
    assert not log.exists() or not log.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_app_answers_where_it_is_installed(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    before = files_of(installed)
    with served(environment, tmp_path) as port:
        deadline = time.monotonic() + 90
        while not healthy(port):
            assert time.monotonic() < deadline, (tmp_path / "app.log").read_text("utf-8")
            time.sleep(0.3)
        address = next(w for w in (tmp_path / "app.log").read_text("utf-8").split() if "?token=" in w)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        assert b"<script" in opener.open(address, timeout=20).read()
    assert files_of(installed) == before


@contextlib.contextmanager
def served(environment: dict[str, str], folder: Path) -> Iterator[int]:
    """The app's port, as long as it is wanted."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "engine.cli", "app", "--no-browser", "--port", str(port)]
    with (folder / "app.log").open("wb") as log:
        server = subprocess.Popen(words, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def healthy(port: int) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
        return bool(answer.read() == b"ok")
    return False
