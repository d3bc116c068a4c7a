"""Files that came through the browser, a folder each: written piece by piece, bounded together, removed with their job.

They lie in the user's cache on this machine, readable by the user alone, until their clip is taken off the list or is too old.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
import unicodedata
from pathlib import Path

from engine.core import environment
from engine.core.errors import InputError
from engine.core.paths import kept_dir

SPARE_BYTES = 2_000_000_000  # left free on the disk
LEFT_ALONE_S = 6 * 3600.0  # an upload that nobody went on with for so long is removed
_ID = re.compile(r"[0-9a-f]{32}")


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
        free = shutil.disk_usage(self.folder).free - SPARE_BYTES
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

    def held_bytes(self, upload: str) -> int:
        """How much of an upload has come.

        Raises:
            InputError: there is no such upload.
        """
        folder, facts = self._facts(upload)
        part = folder / "part"
        return part.stat().st_size if part.is_file() else int(facts["size"])

    def append(self, upload: str, at_byte: int, data: bytes) -> int:
        """Write the next piece; returns how much there is now.

        Raises:
            InputError: the piece does not follow what is there, or is more than was announced.
        """
        folder, facts = self._facts(upload)
        part = folder / "part"
        held = self.held_bytes(upload)
        if not part.is_file() or at_byte != held:
            raise InputError(f"The upload goes on at byte {held:,}, not {at_byte:,}; send the file again.")
        if held + len(data) > int(facts["size"]):
            raise InputError("More was sent than the file is long; send it again.")
        with part.open("ab") as file:
            file.write(data)
        return held + len(data)

    def finish(self, upload: str) -> Path:
        """The whole file under its own name.

        Raises:
            InputError: something is missing yet.
        """
        folder, facts = self._facts(upload)
        path = folder / str(facts["name"])
        part = folder / "part"
        if part.is_file():
            if part.stat().st_size != int(facts["size"]):
                raise InputError("The upload is not complete; send the file again.")
            part.replace(path)
        return path

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
            raise InputError("There is no such upload any more; send the file again.")
        return folder, json.loads((folder / "facts.json").read_text(encoding="utf-8"))


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
    return f"_{made}" if made in ("part", "facts.json") else made
