"""Unfinished work of dead processes is cleared, that of living ones is not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine.core import scratch
from engine.core.paths import ROOT

pytestmark = pytest.mark.skipif(scratch.fcntl is None, reason="needs the locks of Unix")
_MAKE = "from engine.core import scratch; s = scratch.scratch_folder({place!r}); print(s.name, flush=True); input()"


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "YOUNG_S", -1.0)


def other(place: str | None, folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that has made a folder and waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", _MAKE.format(place=place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
    )  # fmt: skip
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


@pytest.mark.parametrize("beside", [False, True])
def test_a_killed_process_leaves_nothing_for_long(tmp_path: Path, beside: bool) -> None:
    place = str(tmp_path) if beside else None
    process, folder = other(place, tmp_path)
    try:
        (folder / "film.mp4").write_bytes(b"x")
        assert scratch.clear_scratch(place) == 0 and folder.is_dir(), "a living process uses it"
    finally:
        process.kill()
        process.communicate()
    assert folder.is_dir()
    with scratch.scratch_folder(place) as own:
        assert not folder.exists() and Path(own).is_dir()
    assert not Path(own).exists()


def test_only_what_is_ours_is_cleared(tmp_path: Path) -> None:
    kept = [tmp_path / "earwitness-notes", tmp_path / ".other-x"]
    for folder in kept:
        folder.mkdir()
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / f"{scratch.PREFIX}link").symlink_to(target)
    os.mkfifo(tmp_path / f"{scratch.PREFIX}pipe")
    assert scratch.clear_scratch(tmp_path) == 0 and target.is_dir() and all(f.is_dir() for f in kept)


def test_a_draft_that_nobody_writes_any_more_is_cleared(tmp_path: Path) -> None:
    descriptor, fresh = scratch.draft(tmp_path)
    lost, old = scratch.draft(tmp_path)
    os.close(lost)
    for name in (fresh, old):
        os.utime(name, (1, 1))
    assert (
        scratch.clear_scratch(tmp_path) == 1 and Path(fresh).exists() and not Path(old).exists()
    )  # the first one is open and locked
    os.close(descriptor)


def test_a_folder_just_made_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may be about to lock it."""
    (tmp_path / f"{scratch.PREFIX}new").mkdir()
    monkeypatch.setattr(scratch, "YOUNG_S", 60.0)
    assert scratch.clear_scratch(tmp_path) == 0


def test_nobody_else_looks_in_and_a_folder_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    with scratch.scratch_folder() as name:
        assert scratch.home().stat().st_mode & 0o077 == 0 and Path(name).parent == scratch.home()
    scratch.home().chmod(0o777)  # as somebody else could have made it
    with scratch.scratch_folder() as name:
        assert Path(name).parent != tmp_path / f"earwitness-{os.getuid()}"
        assert Path(name).parent.stat().st_mode & 0o077 == 0
