"""The file itself: opened once, read-only, hashed, and read at any place by any number of readers at a time."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import weakref
from pathlib import Path

from engine.core.errors import MediaError
from engine.core.progress import Progress, ProgressCallback, silent

CHUNK_BYTES = 4 * 1024 * 1024
SHOWN_CHARACTERS = 80


def shown(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """Hostile text made fit for one line: control and direction-changing characters out, bounded to `limit`."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


class Source:
    """One regular file, opened read-only and identified by its sha256.

    Windows onto it share the descriptor but no position, so that audio and frames can be read side by side, and a file
    put at the same path later is never read by mistake.

    Attributes:
        path: where it was opened.
        size_bytes: its length when it was opened.
        sha256: hex digest of all its bytes, "" until `hash` has run.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.size_bytes = 0
        self.sha256 = ""
        self._fd = -1
        self._closing: weakref.finalize[..., Source] | None = None

    @classmethod
    def adopted(cls, fd: int, path: str, size_bytes: int, sha256: str) -> Source:
        """A source of a descriptor that another process opened and hashed."""
        source = cls(path)
        source._fd, source.size_bytes, source.sha256 = fd, size_bytes, sha256
        return source

    def descriptor(self) -> int:
        """The open descriptor, for a child process to inherit.

        Raises:
            MediaError: the source has been closed.
        """
        if self._fd < 0:
            raise MediaError(f"{self.name} has been closed; open the clip again.")
        return self._fd

    @property
    def name(self) -> str:
        """The file's own name, fit to be shown."""
        return shown(Path(self.path).name or self.path or "An empty path")

    def open(self) -> None:
        """Open the file.

        Raises:
            MediaError: there is no such file, or it is a folder, device, pipe or empty, or may not be read.
        """
        self.close()
        self._fd, self.size_bytes = _open_regular(self.path, self.name)
        self._closing = weakref.finalize(self, os.close, self._fd)  # also when nobody closes it

    def hash(self, progress: ProgressCallback = silent, stage: str = "hashing") -> str:
        """Read all bytes once, from the descriptor; progress in MB. Returns and keeps the hex digest."""
        self.sha256 = _digest(self._fd, self.size_bytes, self.name, progress, stage)
        return self.sha256

    def verify_unchanged(self, progress: ProgressCallback = silent) -> None:
        """Open the path afresh and hash it again.

        Raises:
            MediaError: the file at the path is gone or is not byte for byte the one that was opened.
        """
        fd, size_bytes = _open_regular(self.path, self.name)
        try:
            same = size_bytes == self.size_bytes and (
                _digest(fd, size_bytes, self.name, progress, "hashing again") == self.sha256
            )
        finally:
            os.close(fd)
        if not same:
            raise MediaError(
                f"{self.name} was changed while it was being examined; the findings belong to the file with SHA-256 "
                f"{self.sha256[:16]}…: examine it again."
            )

    def window(self, ranges: tuple[tuple[int, int], ...] = ()) -> Window:
        """A file object of its own position; closing it leaves the source open.

        Args:
            ranges: (first byte, byte after the last) of what it shows, one after the other; empty for the whole file.
        """
        if self._fd < 0:
            raise MediaError(f"{self.name} has been closed; open the clip again.")
        return Window(self, ranges)

    def pread(self, size: int, at: int) -> bytes:
        """Up to `size` bytes from byte `at`.

        Raises:
            MediaError: the source has been closed.
        """
        if self._fd < 0:
            raise MediaError(f"{self.name} has been closed; open the clip again.")
        return os.pread(self._fd, size, at)

    def close(self) -> None:
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        if self._closing is None:  # another's
            os.close(fd)
        else:
            self._closing()


class Window(io.RawIOBase):
    """A read-only view of a Source, as the demuxer wants it.

    Its name carries the suffix alone, as a hint for headerless formats; the demuxer never learns the path.
    """

    def __init__(self, source: Source, ranges: tuple[tuple[int, int], ...] = ()) -> None:
        self._source = source
        self._ranges = ranges or ((0, source.size_bytes),)
        self._size_bytes = sum(max(0, end - first) for first, end in self._ranges)
        self._at = 0
        suffix = Path(source.path).suffix.lower()
        self.name = "clip" + (suffix if re.fullmatch(r"\.[a-z0-9]{1,5}", suffix) else "")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            size = max(0, self._size_bytes - self._at)
        before = 0
        for first, end in self._ranges:
            length = max(0, end - first)
            if self._at < before + length:  # one range at a time: a reader that wants more asks again
                data = self._source.pread(min(size, before + length - self._at), first + self._at - before)
                self._at += len(data)
                return data
            before += length
        return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at


def _open_regular(path: str, name: str) -> tuple[int, int]:
    """Descriptor and size of a regular, non-empty file; the kind is asked before opening (opening a device may act on
    it) and again of what was opened (it may have been exchanged in between)."""
    try:
        _check_kind(Path(path).stat(), name)
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        raise MediaError(f"There is no file {name}; check the path.") from None
    except PermissionError:
        raise MediaError(f"{name} may not be read; give yourself permission to read it, or copy it.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not valid"
        raise MediaError(f"{name} cannot be opened ({reason}); check the path and the disk.") from None
    try:
        opened = os.fstat(fd)
        _check_kind(opened, name)
    except MediaError:
        os.close(fd)
        raise
    return fd, opened.st_size


def _check_kind(status: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise MediaError(f"{name} is a folder; give one video or audio file.")
    if not stat.S_ISREG(status.st_mode):
        raise MediaError(f"{name} is a device, pipe or socket, not a file; copy the recording to disk and open the copy.")
    if status.st_size == 0:
        raise MediaError(f"{name} is empty (0 bytes); copy it again from where it came from.")


def _digest(fd: int, size_bytes: int, name: str, progress: ProgressCallback, stage: str) -> str:
    digest = hashlib.sha256()
    done = 0
    try:
        while chunk := os.pread(fd, CHUNK_BYTES, done):
            digest.update(chunk)
            done += len(chunk)
            progress(Progress(stage, done / 1e6, size_bytes / 1e6, "MB"))
    except OSError as error:
        raise MediaError(f"{name} cannot be read to its end ({error.strerror}); copy it from a sound disk.") from None
    if done != size_bytes:
        raise MediaError(f"{name} changed its length while it was being read; wait until it is complete.")
    return digest.hexdigest()
