"""Where things lie on disk."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import platformdirs

from engine.core import environment
from engine.core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
"""The checkout, or site-packages once installed: `engine` and `app` can be imported from here."""


def _shipped(name: str) -> Path:
    """A folder that comes with the program: inside `engine` when it is installed (scripts/wheel.py), beside it in a checkout."""
    installed = ROOT / "engine" / name
    return installed if installed.is_dir() else ROOT / name


ASSETS = _shipped("assets")
EXAMPLES = _shipped("examples")


def cache_dir() -> Path:
    """Folder for what can be computed again; EARWITNESS_CACHE overrides it. Created when missing.

    One that cannot be made or written to is said once; what would be kept there is gone when the program ends.

    Raises:
        InputError: there is no room for temporary files either.
    """
    return _writable(environment.folder("CACHE") or _of_user(platformdirs.user_cache_path))


def kept_dir() -> Path:
    """Folder of what was made of clips (results, jobs, uploads); EARWITNESS_KEPT overrides the cache's. As `cache_dir`."""
    named = environment.folder("KEPT")
    return _writable(named) if named else cache_dir()


def models_dir() -> Path:
    """Folder of downloaded or imported weights; EARWITNESS_MODELS overrides it. Not created."""
    named = environment.folder("MODELS") or _of_user(platformdirs.user_data_path)
    if named is None:
        return _scratch() / "models"
    return named if environment.folder("MODELS") else named / "models"


def data_dir() -> Path:
    """Folder of real material for tests and benchmarks; EARWITNESS_DATA overrides ../shared/data. May not exist."""
    return environment.folder("DATA") or ROOT.parent / "shared" / "data"


def made(folder: Path) -> Path:
    """The folder, made when it is missing.

    Raises:
        InputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise InputError(f"The folder {_shown(folder)} cannot be made ({reason}); choose another place.") from None
    return folder


def not_kept(error: OSError) -> None:
    """Say once that something that would be kept cannot be; the work goes on without."""
    reason = (error.strerror or "unknown reason").lower()
    environment.say_once(f"The result cannot be cached ({reason}); it is computed again next time.")


def _of_user(place: Callable[[str], Path]) -> Path | None:
    """A folder of the user's, or None for a user without a home."""
    try:
        found = place("earwitness")
    except (OSError, RuntimeError, KeyError):
        return None
    return found if found.is_absolute() else None


def _writable(folder: Path | None) -> Path:
    if folder is None:
        environment.say_once("You have no home folder, so nothing is cached after this run; set EARWITNESS_CACHE to a folder.")
        return _scratch()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
        reason = "it is write-protected"
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
    environment.say_once(
        f"The folder {_shown(folder)} cannot be used ({reason}), so nothing is cached after this run; "
        "set EARWITNESS_CACHE to another."
    )
    return _scratch()


@cache
def _scratch() -> Path:
    """A folder of this process alone, gone when it ends."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="earwitness-"))
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise InputError(f"There is no place for temporary files ({reason}); make room, or set TMPDIR to a folder.") from None
    owner = os.getpid()
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == owner else None)
    return folder


def _shown(folder: Path) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(folder)[:200])
