"""Writing results: checked before the work starts, whole or not at all, never over the clip."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine._cli.terminal import plain
from engine.core import scratch
from engine.core.errors import InputError

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Target:
    """Where one document goes: the option that named it and its path, "-" for stdout."""

    option: str
    path: str

    @property
    def is_stdout(self) -> bool:
        return self.path == STDOUT


def check(targets: Sequence[Target], clip: str) -> None:
    """See that every target can be written, before the long work.

    Raises:
        InputError: a target is the clip itself, a folder, named twice, or cannot be written.
    """
    seen: dict[str, str] = {}
    for target in targets:
        place = STDOUT if target.is_stdout else os.path.realpath(target.path)
        if place in seen:
            raise InputError(f"{seen[place]} and {target.option} both write to {plain(target.path)}; give two names.")
        seen[place] = target.option
        if not target.is_stdout:
            _check_file(target, Path(place), clip)


def write(target: Target, content: str | bytes) -> None:
    """Write a document; a file appears under its name only when it is whole.

    Raises:
        InputError: the disk is full or the place can no longer be written.
    """
    if target.is_stdout:
        assert isinstance(content, str), "what is not text is refused before the work"
        sys.stdout.write(content if content.endswith("\n") else content + "\n")
        sys.stdout.flush()
        return
    path = Path(os.path.realpath(target.path))
    data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    try:
        if path.exists() and not path.is_file():  # /dev/null, a pipe: nothing to replace
            path.write_bytes(data)
            return
        with _beside(path) as (descriptor, temporary):
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask())
            temporary.replace(path)
    except OSError as error:
        raise InputError(_cannot(target, error)) from None


def _check_file(target: Target, path: Path, clip: str) -> None:
    if not target.path:
        raise InputError(f"{target.option} needs a file name; give one, or - for the terminal.")
    if _is_same(path, clip):
        raise InputError(f"{target.option} would overwrite the clip itself; choose another name.")
    if path.is_dir():
        raise InputError(f"{target.option}: {plain(target.path)} is a folder; give a file name in it.")
    if not path.parent.is_dir():
        raise InputError(f"{target.option}: the folder of {plain(target.path)} does not exist; create it first.")
    try:
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, "it is write-protected")
        if not path.exists() or path.is_file():
            with _beside(path) as (descriptor, _):
                os.close(descriptor)
    except OSError as error:
        raise InputError(_cannot(target, error)) from None


def _is_same(path: Path, clip: str) -> bool:
    """Whether the path leads to the clip: by name, by link or by hard link."""
    try:
        return path.exists() and path.samefile(clip)
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[tuple[int, Path]]:
    """A new file in the folder of `path`, gone afterwards unless it was moved; on the same disk, so a move is atomic."""
    descriptor, name = scratch.draft(path.parent)
    try:
        yield descriptor, Path(name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot(target: Target, error: OSError) -> str:
    reason = (error.strerror or "unknown reason").lower()
    return f"{target.option}: {plain(target.path)} cannot be written ({reason}); choose another place."
