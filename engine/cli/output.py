"""Writing results: checked before the work starts, each by itself, whole or not at all, never over what is examined.

A file that is there already is replaced, in one step and only when the new one is whole; a document that cannot be made or
written leaves the old file, and all other documents are written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from engine.cli import stop
from engine.cli.terminal import plain, say
from engine.core import scratch
from engine.core.errors import Cancelled, EarwitnessError, InputError

T = TypeVar("T")
STDOUT = "-"
_ITS_OTHER_NAMES = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_LEAST_FREE_BYTES = 1_000_000  # less room than this holds no report


@dataclass(frozen=True, slots=True)
class Target:
    """Where one document goes: the option that named it and its path, "-" for stdout.

    Attributes:
        file_only: it is put in its place as a file, and so cannot go into a pipe or /dev/null.
    """

    option: str
    path: str
    file_only: bool = False

    @property
    def is_stdout(self) -> bool:
        return self.path == STDOUT or self.path in _ITS_OTHER_NAMES


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be made or written.

    Attributes:
        option: the option that asked for it.
        why: a sentence that ends with the remedy.
        exit_code: 2 when what was given is at fault, 1 when the program is.
    """

    option: str
    why: str
    exit_code: int


def tried(option: str, do: Callable[[], T], debug: bool = False) -> T | Failure:
    """What comes of it, or why nothing did: one document that fails takes no other with it. Being stopped is no failure.

    Args:
        debug: print the traceback too.
    """
    try:
        return do()
    except (Cancelled, BrokenPipeError):
        raise
    except Exception as error:
        if debug:
            traceback.print_exc()
        return Failure(option, _why(option, error), error.exit_code if isinstance(error, EarwitnessError) else 1)


def ended(failures: Sequence[Failure]) -> int:
    """Say what was not written, a line each; returns the exit code."""
    for f in failures:
        say(f"not written: {plain(f.why, limit=600)}")
    return min((f.exit_code for f in failures), default=0)


def _why(option: str, error: Exception) -> str:
    said = str(error)
    if isinstance(error, EarwitnessError):
        return said if said.startswith(option) else f"{option}: {said}"
    if isinstance(error, MemoryError):
        return f"{option}: the memory ran out; close other programs, then ask for it again."
    kind = type(error).__name__
    return f"{option}: something went wrong inside Earwitness ({kind}: {said[:200]}); run it again with --debug for the details."


def check(targets: Sequence[Target], clip: str, inputs: Sequence[str] = ()) -> None:
    """See that every target can be written, before the long work.

    Args:
        clip: what is examined.
        inputs: other files that are read.

    Raises:
        InputError: a target is the clip or another input itself, a folder, named twice, or cannot be written.
    """
    seen: dict[object, str] = {}
    for target in targets:
        place, path = _identity(target)
        if place in seen:
            raise InputError(f"{seen[place]} and {target.option} both write to {plain(target.path)}; give two names.")
        seen[place] = target.option
        if not target.is_stdout:
            _check_file(target, path, clip, inputs)


def check_folder(option: str, folder: Path) -> None:
    """See that files can be written into a folder, which is made when it is not there.

    Raises:
        InputError: they cannot.
    """
    target = Target(option, os.fspath(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _beside(folder / "file") as (descriptor, _):
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise InputError(_cannot(target, error)) from None


def write(target: Target, content: str | bytes) -> None:
    """Write a document; a file appears under its name only when it is whole.

    Raises:
        InputError: the disk is full or the place can no longer be written.
    """
    stop.check()
    if target.is_stdout:
        assert isinstance(content, str), "what is not text is refused before the work"
        _print(target, content if content.endswith("\n") else content + "\n")
        return
    data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    try:
        path = Path(os.path.realpath(target.path))
        if path.exists() and not path.is_file():  # /dev/null, a pipe: nothing to replace
            _pour(path, data)
            return
        with _beside(path) as (descriptor, temporary):
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask())
            temporary.replace(path)
            stop.wrote(target.path)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(_cannot(target, error)) from None


def _print(target: Target, text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(_cannot(target, error)) from None


def _pour(path: Path, data: bytes) -> None:
    """Write into a device or a pipe; a pipe that nobody reads is not waited for."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "wb") as file:
        os.set_blocking(descriptor, True)
        file.write(data)


def _identity(target: Target) -> tuple[object, Path]:
    """What tells one place from another, whatever it is called, and its path."""
    if target.is_stdout:
        return STDOUT, Path(STDOUT)
    try:
        path = Path(os.path.realpath(target.path))
        if path.is_file():
            found = path.stat()
            return (found.st_dev, found.st_ino), path
        return os.fspath(path), path
    except (OSError, ValueError) as error:
        raise InputError(_cannot(target, error)) from None


def _check_file(target: Target, path: Path, clip: str, inputs: Sequence[str]) -> None:
    if not target.path:
        raise InputError(f"{target.option} needs a file name; give one, or - for the terminal.")
    if _is_same(path, clip):
        raise InputError(f"{target.option} would overwrite the clip itself; choose another name.")
    for other in inputs:
        if _is_same(path, other):
            raise InputError(f"{target.option} would overwrite {plain(other)}, which is read; choose another name.")
    try:
        if path.is_dir():
            raise InputError(f"{target.option}: {plain(target.path)} is a folder; give a file name in it.")
        if not path.parent.is_dir():
            raise InputError(f"{target.option}: the folder of {plain(target.path)} does not exist; create it first.")
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, "it is write-protected")
        if path.exists() and not path.is_file():
            _check_device(target, path)
            return
        with _beside(path) as (descriptor, _):
            os.close(descriptor)
        if shutil.disk_usage(path.parent).free < _LEAST_FREE_BYTES:
            raise OSError(28, "no space left on device")
    except (OSError, ValueError) as error:
        raise InputError(_cannot(target, error)) from None


def _check_device(target: Target, path: Path) -> None:
    """A pipe, a terminal or /dev/null may be written to; a disk or another device is no place for a document."""
    mode = path.stat().st_mode
    if not target.file_only and (stat.S_ISFIFO(mode) or os.path.realpath(path) == os.devnull):
        return
    if not target.file_only and stat.S_ISCHR(mode):
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            if os.isatty(descriptor):
                return
        finally:
            os.close(descriptor)
    raise InputError(f"{target.option}: {plain(target.path)} is no file but a device or a pipe; give a file name.")


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


def _cannot(target: Target, error: OSError | ValueError) -> str:
    reason = (getattr(error, "strerror", "") or "no name that a file can have").lower()
    return f"{target.option}: {plain(target.path)} cannot be written ({reason}); choose another place."
