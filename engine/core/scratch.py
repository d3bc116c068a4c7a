"""Unfinished work on disk: folders and files that are gone when their process is done with them, also when it was killed.

Each is locked (flock) by the process that made it, and the system gives the lock back however that process ends. What nobody has
locked any more is cleared by the next one that makes something in the same place. The names begin with PREFIX, so that nothing
else is ever touched.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # pragma: no cover  (no Unix: then nothing is known of others, and nothing of theirs is cleared)
    fcntl = None  # type: ignore[assignment]  # a module elsewhere

PREFIX = ".earwitness-"
YOUNG_S = 60.0  # between the making of a folder and its locking; nothing is younger and dead
IDLE_S = 3600.0  # a file may be written by its name, without the lock: it is dead when nothing was written for so long


class Scratch:
    """A folder for this process alone, removed on leaving, on `cleanup`, with the object, or by the next process.

    Attributes:
        name: its path.
    """

    def __init__(self, beside: str | os.PathLike[str] | None = None) -> None:
        """
        Args:
            beside: folder to make it in; None makes it in the user's own folder for temporary files.

        Raises:
            OSError: it cannot be written there.
        """
        place = home() if beside is None else Path(beside)
        clear_scratch(place)
        self._folder = tempfile.TemporaryDirectory(prefix=PREFIX, dir=place, ignore_cleanup_errors=True)
        self.name = self._folder.name
        self._lock = _locked(self.name)

    def cleanup(self) -> None:
        """Remove it, with all that is in it."""
        self._folder.cleanup()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, *_: object) -> None:
        self.cleanup()

    def __del__(self) -> None:
        lock = getattr(self, "_lock", None)
        if lock is not None:
            with suppress(OSError):
                os.close(lock)


def scratch_folder(beside: str | os.PathLike[str] | None = None) -> Scratch:
    """A folder for unfinished work; see `Scratch`."""
    return Scratch(beside)


def draft(beside: str | os.PathLike[str], suffix: str = ".part") -> tuple[int, str]:
    """An unfinished file in a folder, to be moved over the finished one: its open descriptor and its path.

    What others left there unfinished is cleared.

    Raises:
        OSError: it cannot be written there.
    """
    _clear_once(os.fspath(beside))
    descriptor, name = tempfile.mkstemp(prefix=PREFIX, suffix=suffix, dir=beside)
    if fcntl is not None:
        with suppress(OSError):  # a share without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor, name


def clear_scratch(place: str | os.PathLike[str] | None = None) -> int:
    """Remove what dead processes left unfinished in a folder; returns how many. What a living one uses stays.

    Args:
        place: the folder; None stands for the user's own for temporary files.
    """
    if fcntl is None:
        return 0
    gone = 0
    with suppress(OSError), os.scandir(home() if place is None else place) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and not entry.is_symlink() and _is_dead(entry):
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path)
                    else:
                        os.unlink(entry.path)  # noqa: PTH108
                    gone += 1
    return gone


@cache
def _clear_once(place: str) -> None:
    """Once per process: small files are written again and again."""
    clear_scratch(place)


def home() -> Path:
    """The user's own folder for temporary files, made when missing; nobody else may look into it.

    Raises:
        OSError: there is no place for temporary files.
    """
    whose = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"earwitness-{whose}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    now = folder.lstat()
    if not stat.S_ISDIR(now.st_mode) or (hasattr(os, "getuid") and (now.st_uid != whose or now.st_mode & 0o077)):
        # Anybody may make a folder of this name there: one that is not ours alone is left, and a new one made.
        return _other_home()
    return folder


@cache
def _other_home() -> Path:
    return Path(tempfile.mkdtemp(prefix="earwitness-"))


def _is_dead(entry: os.DirEntry[str]) -> bool:
    try:
        now = entry.stat(follow_symlinks=False)
        folder = stat.S_ISDIR(now.st_mode)
        if not folder and not stat.S_ISREG(now.st_mode):
            return False
        if hasattr(os, "getuid") and now.st_uid != os.getuid():
            return False
        if time.time() - max(now.st_mtime, now.st_ctime if folder else 0.0) < (YOUNG_S if folder else IDLE_S):
            return False
        lock = _locked(entry.path)
    except OSError:
        return False
    if lock is None:
        return False
    os.close(lock)
    return True


def _locked(path: str) -> Any:
    """A descriptor that holds the lock on a file or folder; None where somebody else does, or there are no locks."""
    if fcntl is None:
        return None
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
