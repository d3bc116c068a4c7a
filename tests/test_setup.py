"""The set-up: the lock is whole and is what is installed, unsuitable machines get one sentence, the server stays at home."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from test_imports import files, imports

ROOT = Path(__file__).resolve().parents[1]


def locked() -> list[tuple[str, str, str]]:
    """(name, version, marker or "") of every line of the lock."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            assert "--hash=sha256:" in line, line
            match = re.match(r"([\w.-]+)==(\S+)(?: ; (.*?))?\s+--hash", line)
            assert match, f"not a pinned version: {line[:80]}"
            found.append((canonicalize_name(match[1]), match[2], (match[3] or "").strip()))
    return found


def test_the_lock_holds_everything_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wrong = []
    for asked in map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["test"]]):
        of_it = [v for name, v, marker in locked() if name == canonicalize_name(asked.name) and _here(marker)]
        if _here(str(asked.marker or "")) and not (len(of_it) == 1 and of_it[0] in asked.specifier):
            wrong.append(f"{asked}: locked {of_it}")
    assert not wrong, f"run make lock: {wrong}"


def test_every_package_imported_is_asked_for() -> None:
    """None that is only there because another one needs it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    asked = {canonicalize_name(Requirement(line).name) for line in [*project["dependencies"], *extras]}
    brought_by = metadata.packages_distributions()
    imported = {name.partition(".")[0] for file in [*files("engine"), *files("app")] for _, name in imports(file)}
    # _typeshed is there for type checkers alone.
    foreign = imported - sys.stdlib_module_names - {"engine", "app", "setuptools", "_typeshed"}
    assert not {name for name in foreign if not asked & set(map(canonicalize_name, brought_by.get(name, [name])))}


def _here(marker: str) -> bool:
    return not marker or Marker(marker).evaluate()


def test_what_is_installed_is_what_is_locked() -> None:
    here = [(name, version) for name, version, marker in locked() if _here(marker)]
    assert len(here) == len(dict(here)), "two versions of one package for one machine"
    wrong = []
    for name, version in here:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "nothing"
        if found != version:
            wrong.append(f"{name}: locked {version}, installed {found}")
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("system", "machine", "python"), [("linux", "x86_64", p) for p in ("3.11", "3.13")] + [("darwin", "arm64", "3.12")]
)
def test_the_lock_gives_each_platform_its_own(system: str, machine: str, python: str) -> None:
    environment = {
        "sys_platform": system,
        "platform_system": system.capitalize(),
        "platform_machine": machine,
        "python_version": python,
        "python_full_version": f"{python}.4",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    names = [name for name, _, marker in locked() if not marker or Marker(marker).evaluate(environment)]
    assert len(names) == len(set(names))
    assert {"torch", "torchvision", "torchaudio", "streamlit", "ai-edge-litert", "av", "opencv-python-headless"} <= set(names)
    assert "opencv-python" not in names, "the windowed OpenCV wants libGL"
    assert "flow-matching" not in names and "tensorflow" not in names
    assert any(name.startswith("nvidia-") for name in names) == (system == "linux")


def test_the_command_is_installed() -> None:
    (script,) = [s for s in metadata.entry_points(group="console_scripts") if s.name == "earwitness"]
    assert callable(script.load())


# --- unsuitable machines ----------------------------------------------------------------------------------------------


@pytest.fixture
def machine(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Run setup.sh on a made-up machine: uname and others answer what the test says."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "grep", "awk", "df", "cat", "ldd"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)

    def run(system: str = "Linux", processor: str = "x86_64", **answers: str) -> subprocess.CompletedProcess[str]:
        answers["uname"] = f'[ "$1" = -s ] && echo {system} || echo {processor}'
        for name, body in answers.items():
            tool = tools / name
            tool.unlink(missing_ok=True)
            tool.write_text(f"#!{shutil.which('sh')}\n{body}\n", encoding="utf-8")
            tool.chmod(0o755)
        command = [shutil.which("sh") or "sh", str(ROOT / "scripts" / "setup.sh"), str(tmp_path / "venv")]
        return subprocess.run(command, env={"PATH": str(tools)}, cwd=ROOT, capture_output=True, text=True, timeout=60)

    return run


GLIBC = "echo 'ldd (GNU libc) 2.36'"
OLD_PYTHON = "exit 1"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"processor": "aarch64"}, "Linux x86-64 and macOS arm64"),
        ({"system": "Darwin", "processor": "x86_64"}, "Linux x86-64 and macOS arm64"),
        ({"system": "MINGW64_NT-10.0", "processor": "x86_64"}, "Linux x86-64 and macOS arm64"),
        ({"system": "Darwin", "processor": "arm64", "sw_vers": "echo 13.6.1"}, "macOS 14 or newer"),
        ({"ldd": "echo 'musl libc (x86_64)' >&2; exit 1"}, "glibc"),
        ({"ldd": GLIBC}, "Python 3.11, 3.12, 3.13 or 3.14"),
        ({"ldd": GLIBC, "python3": OLD_PYTHON}, "Python 3.11, 3.12, 3.13 or 3.14"),
        ({"ldd": GLIBC, "python3": 'case "$2" in *venv*) exit 1 ;; esac'}, "python3-venv"),
        (
            {"ldd": GLIBC, "python3": "exit 0", "df": "echo; echo /dev/x 9 9 1000000 9 /"},
            "9 GB of free disk here, and there are 1 GB",
        ),
    ],
)
def test_an_unsuitable_machine_gets_one_clear_sentence(machine, given: dict[str, str], says: str) -> None:  # type: ignore[no-untyped-def]
    done = machine(**given)
    assert done.returncode == 2
    assert says in done.stderr and done.stderr.count("\n") == 1
    assert done.stdout == ""


# --- the server -------------------------------------------------------------------------------------------------------


def test_the_server_stays_at_home() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["enableXsrfProtection"] is True
    assert config["browser"]["gatherUsageStats"] is False
    assert config["browser"]["serverAddress"] in ("127.0.0.1", "localhost")


def test_every_server_setting_is_known_to_streamlit() -> None:
    code = (
        "import tomllib, streamlit.config as c; c.get_config_options();"
        "o = set(c._config_options_template);"
        "t = tomllib.load(open('.streamlit/config.toml', 'rb'));"
        "print(sorted(f'{s}.{k}' for s, v in t.items() for k, x in v.items() if not isinstance(x, dict) and f'{s}.{k}' not in o))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_continuous_integration_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text(encoding="utf-8").splitlines()
