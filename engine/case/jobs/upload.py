"""Files that came through the browser, a folder each: written piece by piece, bounded together, removed with their job.

They lie in the user's cache on this machine, readable by the user alone, until their clip is taken off the list or is too old.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from engine.core import environment
from engine.core.errors import InputError
from engine.core.paths import kept_dir

SPARE_BYTES = 2_000_000_000  # left free on the disk
LEFT_ALONE_S = 6 * 3600.0  # an upload that nobody went on with for so long is removed
MOST_PIECES = 100_000
_READ_BYTES = 1 << 20
_ID = re.compile(r"[0-9a-f]{32}")
_GONE = "There is no such upload any more; send the file again."
_OWN = ("part", "facts.json", "pieces")  # files of ours beside an upload


class PieceError(InputError):
    """A piece did not arrive as it was sent; the same piece may be sent again."""


class _Piece(NamedTuple):
    """A piece that is on the disk; `compared`: with the sender's own hash."""

    at: int
    size: int
    sha256: str
    compared: bool


class Uploads:
    """A folder of uploads.

    Args:
        folder: None for the user's own.
        most_bytes: of all of them together; None for what EARWITNESS_UPLOADS_GB allows.
    """

    def __init__(self, folder: Path | None = None, most_bytes: int | None = None) -> None:
        self._folder = folder
        self.most_bytes = environment.uploads_bytes() if most_bytes is None else most_bytes

    @property
    def folder(self) -> Path:
        """Where they lie; made when missing, for the user alone."""
        folder = self._folder or kept_dir() / "uploads"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def begin(self, name: str, size_bytes: int) -> str:
        """Make room for a file; returns the upload's id.

        Raises:
            InputError: it is empty, or there is no room for it.
        """
        if size_bytes <= 0:
            raise InputError("The file is empty; choose a film or a recording.")
        with _locked(self.folder):  # or two that begin at once would both be given what is left
            free = shutil.disk_usage(self.folder).free - SPARE_BYTES - self._to_come()
            room = min(self.most_bytes - self.size_bytes(), free)
            if size_bytes > room:
                raise InputError(
                    f"The file has {size_bytes / 1e9:,.1f} GB, and there is room for {max(0.0, room) / 1e9:,.1f} GB of uploads; "
                    "forget clips of the list, or give the file by its path: nothing is copied then."
                )
            upload = secrets.token_hex(16)
            folder = self.folder / upload
            folder.mkdir(mode=0o700)
            (folder / "facts.json").write_text(json.dumps({"name": safe_name(name), "size": size_bytes}), encoding="utf-8")
            (folder / "part").touch(mode=0o600)
        return upload

    def received_bytes(self, upload: str) -> int:
        """How much of an upload has come without a gap: where it goes on.

        Raises:
            InputError: there is no such upload.
        """
        folder, facts = self._facts(upload)
        return _reach(_pieces(folder)) if (folder / "part").is_file() else int(str(facts["size"]))

    def append(self, upload: str, at_byte: int, data: bytes, sha256: str = "") -> int:
        """Write a piece where it belongs, in any order; the same piece again changes nothing. Returns how much has come without
        a gap.

        Args:
            sha256: of the piece as the sender read it, in hex; "" when the sender says none, and then nothing is compared.

        Raises:
            PieceError: it is not what was sent; it may be sent again.
            InputError: there is no such upload, the piece is another one than was sent for this place before, or is more than
                was announced.
            OSError: the disk is full; what was there stays.
        """
        digest = hashlib.sha256(data).hexdigest()
        if sha256 and sha256.lower() != digest:
            raise PieceError("A piece was changed on its way; it has to be sent again.")
        with self._working(upload) as (folder, facts):
            if not (folder / "part").is_file():
                raise InputError("The upload is complete already; send the file again to send another.")
            end = at_byte + len(data)
            if at_byte < 0 or end > int(str(facts["size"])):
                raise InputError("More was sent than the file is long; send it again.")
            pieces = _pieces(folder)
            piece = _Piece(at_byte, len(data), digest, bool(sha256))
            if any((p.at, p.size, p.sha256) == piece[:3] for p in pieces):
                return _reach(pieces)
            if not data or any(p.at < end and at_byte < p.at + p.size for p in pieces) or len(pieces) >= MOST_PIECES:
                raise InputError(
                    f"The upload goes on at byte {_reach(pieces):,}, and another came for {at_byte:,}: the file changed, "
                    "or was sent twice; send it again."
                )
            _write_at(folder / "part", data, at_byte)
            with (folder / "pieces").open("a", encoding="ascii") as file:
                file.write(f"{piece.at} {piece.size} {piece.sha256} {int(piece.compared)}\n")
            return _reach([*pieces, piece])

    def finish(self, upload: str, sha256: str = "") -> Path:
        """The whole file under its own name.

        What lies on the disk is read again and compared with what the sender read: with SHA-256 of the SHA-256 of its pieces,
        in their order (a hash tree of one level, whose pieces and length are fixed: two files of one such hash would be two
        inputs of one SHA-256). A browser can compute that natively and piece by piece; it has no SHA-256 of a stream.

        Args:
            sha256: that hash in hex; needed where pieces came with theirs.

        Raises:
            InputError: something is missing yet, or the file on the disk is not what was sent.
        """
        with self._working(upload) as (folder, facts):
            path, part, size = folder / str(facts["name"]), folder / "part", int(str(facts["size"]))
            if not part.is_file():
                return path
            pieces = sorted(_pieces(folder))
            if _reach(pieces) != size or part.stat().st_size != size:
                raise InputError("The upload is not complete; send the file again.")
            if not sha256 and any(p.compared for p in pieces):
                raise InputError("The upload is not complete, since it was not compared with the file; send the file again.")
            if sha256 and sha256.lower() != _tree(part, pieces):
                raise InputError(
                    "What arrived is not what was sent; the file changed meanwhile, or the disk is failing. Send it again."
                )
            part.replace(path)
            return path

    @contextmanager
    def _working(self, upload: str) -> Iterator[tuple[Path, dict[str, object]]]:
        """One piece of work on an upload at a time, over all threads and processes that share the folder."""
        folder, _ = self._facts(upload)
        try:
            with _locked(folder):
                yield self._facts(upload)
        except FileNotFoundError:
            raise InputError(_GONE) from None

    def _to_come(self) -> int:
        """Bytes that were announced and are not on the disk yet."""
        total = 0
        for folder in self._folders():
            with suppress(OSError, ValueError, KeyError):
                size = int(json.loads((folder / "facts.json").read_text(encoding="utf-8"))["size"])
                total += max(0, size - (folder / "part").stat().st_blocks * 512)
        return total

    def remove(self, upload: str | os.PathLike[str]) -> None:
        """Remove an upload, named by its id or by its file; anything else is left alone."""
        folder = Path(upload)
        if len(folder.parts) > 1:
            folder = folder.parent if folder.parent.parent == self.folder else Path("-")
        if _ID.fullmatch(folder.name):
            shutil.rmtree(self.folder / folder.name, ignore_errors=True)

    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Whether a file is an upload."""
        return Path(path).parent.parent == self.folder

    def size_bytes(self) -> int:
        """What all of them take, those that are still coming at their full size."""
        total = 0
        for folder in self._folders():
            try:
                total += int(json.loads((folder / "facts.json").read_text(encoding="utf-8"))["size"])
            except (OSError, ValueError, KeyError):
                continue
        return total

    def tidy(self, keep: frozenset[str]) -> None:
        """Remove uploads that none of these paths names and nobody wrote to for a while."""
        for folder in self._folders():
            if any(Path(p).parent == folder for p in keep):
                continue
            try:
                last = max(p.stat().st_mtime for p in folder.iterdir())
            except (OSError, ValueError):
                last = 0.0
            if time.time() - last > LEFT_ALONE_S:
                shutil.rmtree(folder, ignore_errors=True)

    def _folders(self) -> list[Path]:
        return [p for p in self.folder.iterdir() if _ID.fullmatch(p.name) and p.is_dir()]

    def _facts(self, upload: str) -> tuple[Path, dict[str, object]]:
        folder = self.folder / upload
        if not _ID.fullmatch(upload) or not (folder / "facts.json").is_file():
            raise InputError(_GONE)
        return folder, json.loads((folder / "facts.json").read_text(encoding="utf-8"))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)  # of this opening: it keeps out threads as well as processes
        yield
    finally:
        os.close(fd)


def _pieces(folder: Path) -> list[_Piece]:
    """The pieces that are on the disk; a line that was not written to its end counts for nothing."""
    try:
        lines = (folder / "pieces").read_text(encoding="ascii").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    rows = [line.split() for line in lines if line.endswith("\n")]
    return [_Piece(int(r[0]), int(r[1]), r[2], r[3] == "1") for r in rows if len(r) == 4]


def _reach(pieces: Sequence[_Piece]) -> int:
    """How far the pieces go without a gap."""
    at = 0
    for piece in sorted(pieces):
        if piece.at != at:
            break
        at += piece.size
    return at


def _write_at(path: Path, data: bytes, at: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        view = memoryview(data)
        while view:
            written = os.pwrite(fd, view, at)
            view, at = view[written:], at + written
    finally:
        os.close(fd)


def _tree(path: Path, pieces: Sequence[_Piece]) -> str:
    """SHA-256 of the SHA-256 of each piece as it lies on the disk, in hex."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        for piece in pieces:
            one, left = hashlib.sha256(), piece.size
            while left and (data := file.read(min(left, _READ_BYTES))):
                one.update(data)
                left -= len(data)
            whole.update(one.digest())
    return whole.hexdigest()


def safe_name(name: str) -> str:
    """A file name that stays in its folder and shows what it is: no separators, no control or direction characters, no dot in
    front, at most 120 bytes."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join("_" if unicodedata.category(c)[0] == "C" else c for c in last).strip().lstrip(".")
    stem, dot, suffix = kept.rpartition(".")
    if not dot or not stem or not suffix.isalnum() or len(suffix) > 8:
        stem, suffix = kept, ""
    end = f".{suffix}" if suffix else ""
    stem = stem.encode()[: 120 - len(end.encode())].decode(errors="ignore").strip()
    made = f"{stem or 'clip'}{end}"
    return f"_{made}" if made in _OWN else made
