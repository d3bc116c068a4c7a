"""Types: mypy finds nothing, and what it is told to pass over bears a code and a reason."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_IGNORED = re.compile(r"#\s*type:\s*ignore(?P<rest>.*)$")
_REASONED = re.compile(r"\[[a-z-]+(, [a-z-]+)*\]  # \S.+")
STRICT = {"engine.core.*", "engine.verdict.*", "engine.analysis.*", "engine.clues.*"}


@pytest.mark.parametrize("room", ["engine", "app"])
def test_nothing_is_passed_over_without_a_code_and_a_reason(room: str) -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := _IGNORED.search(line)) and not _REASONED.fullmatch(found["rest"])
    ]
    assert not bare


def test_the_settings_hold_no_blanket() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert "exclude" not in settings and set(settings["packages"]) == {"engine", "app"}
    strict = {m for o in settings["overrides"] if o.get("disallow_untyped_defs") for m in o["module"]}
    assert strict >= STRICT
    for table in (settings, *settings["overrides"]):
        assert not {"ignore_errors", "follow_imports", "disable_error_code"} & set(table)
        modules = table.get("module", ())
        assert not table.get("ignore_missing_imports") or not any(m.startswith(("engine", "app", "*")) for m in modules)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_mypy_finds_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
