"""Results kept by content: the same file, models and settings are never perceived twice, by app, command line or batch."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from engine.analysis.judge import perception_key, result_key
from engine.analysis.perceive import perceive
from engine.case.record import codec
from engine.core import scratch
from engine.core.clip import Reader
from engine.core.errors import DataError
from engine.core.paths import kept_dir, made, not_kept
from engine.core.perception import Perception
from engine.core.progress import ProgressCallback, silent
from engine.core.settings import Settings

MOST_BYTES = 2_000_000_000


class Results:
    """A folder of perceptions, each under its key. Safe for many processes: files appear whole or not at all.

    One in which clues failed is kept under a key of its own (`result_key`), so that nobody takes it for the whole; `KEY.without`
    names that key, and whoever perceives the clip next runs the clues that failed, and nothing else.
    """

    def __init__(self, folder: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self.most_bytes = most_bytes

    @property
    def folder(self) -> Path:
        """Where they lie; made when missing.

        Raises:
            InputError: it cannot be made.
        """
        return made(self._folder or kept_dir() / "results")

    def get(self, key: str) -> Perception | None:
        """The perception kept under a key, or None; a damaged file is removed."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            perception = codec.loads(data)
        except DataError:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        with suppress(OSError):  # a folder that can be read only
            os.utime(path)  # the least recently used go first
        return perception

    def put(self, key: str, perception: Perception) -> None:
        """Keep a perception; where there is no room for it, that is said and the work goes on."""
        try:
            write_whole(self._path(key), codec.dumps(perception))
            self._prune()
        except OSError as error:
            not_kept(error)

    def perceive(
        self, reader: Reader, settings: Settings, progress: ProgressCallback = silent, again: bool = False
    ) -> tuple[Perception, str, bool]:
        """What is perceived in a clip: kept from before, or now; what failed before is tried again.

        Args:
            again: perceive all of it even when a result is kept.

        Returns:
            (perception, its key, whether all of it was kept from before). The path of the clip is the reader's in either case.

        Raises:
            MediaError, SettingError: see `engine.analysis.judge.perceive`.
        """
        key = perception_key(reader.clip, settings)
        kept = None if again else self.get(key)
        if kept is not None:
            return replace(kept, clip=reader.clip), key, True
        partial = None if again else self._partial(key)
        before = None if partial is None else replace(partial, clip=reader.clip)
        perception = perceive(reader, settings, progress, before)
        verify: Callable[[], None] | None = getattr(reader, "verify_unchanged", None)
        if verify is not None:
            verify()
        return perception, self._keep(key, perception, settings), False

    def _partial(self, key: str) -> Perception | None:
        """What is kept of a clip in which clues failed."""
        try:
            return self.get(self._pointer(key).read_text(encoding="ascii"))
        except (OSError, ValueError, DataError):
            return None

    def _keep(self, key: str, perception: Perception, settings: Settings) -> str:
        own = result_key(perception.clip, settings, perception.failed)
        self.put(own, perception)
        try:
            if own == key:
                self._pointer(key).unlink(missing_ok=True)
            else:
                write_whole(self._pointer(key), own.encode("ascii"))
        except OSError as error:
            not_kept(error)
        return own

    def _pointer(self, key: str) -> Path:
        return self._path(key).with_suffix(".without")

    def _path(self, key: str) -> Path:
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            raise DataError("A key of a result is 64 hexadecimal digits; examine the clip again.")
        return self.folder / f"{key}.npz"

    def clear(self) -> None:
        """Remove all of them."""
        for path in (*self.folder.glob("*.npz"), *self.folder.glob("*.without")):
            path.unlink(missing_ok=True)

    def _prune(self) -> None:
        """Remove the least recently used until the folder is within its size, and what an ended process left unfinished."""
        scratch.clear_scratch(self.folder)
        held = []
        for path in self.folder.glob("*.npz"):
            try:
                status = path.stat()
            except OSError:
                continue
            held.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in held)
        for _, size, path in sorted(held):
            if total <= self.most_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that others see the old one or the new one, never a part."""
    handle, name = scratch.draft(path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
