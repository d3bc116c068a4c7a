"""Output that goes nowhere is a sentence and exit code 2, whenever it shows: at once, or at the interpreter's last flush."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.case.record.store import Case

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("words", [["--help"], ["case", "log", "CASE"], ["--version"]])
def test_a_full_device(tmp_path: Path, words: list[str]) -> None:
    Case.create(tmp_path / "case", "x").close()
    command = [sys.executable, "-m", "engine.cli", *(str(tmp_path / "case") if w == "CASE" else w for w in words)]
    with FULL.open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and "no space left" in done.stderr, done.stderr
        quiet = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, timeout=60)
        assert quiet.returncode == 0 and quiet.stdout
        wrong = subprocess.run([*command[:3], "case", "list", "/nowhere"], stdout=full, stderr=full, timeout=60)
        assert wrong.returncode == 2
