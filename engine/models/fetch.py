"""Getting weights onto this machine: from the hub, a mirror of it, a web folder, or a folder such as a stick or a file share.

`earwitness models pull` and `make weights` are the only ways here, and the only code that uses the network. What has arrived is
kept beside the models until it is complete, so that a transfer that was cut goes on where it ended. Every file is checked against
the catalogue's hash before it counts as installed; a mirror need not be trusted for that reason, and is refused for models whose
hashes the catalogue does not know.
"""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import WeightsError
from engine.core.paths import made, models_dir
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import catalog
from engine.models.catalog import Entry, WeightFile

if TYPE_CHECKING:
    import httpx

PARTIAL = ".partial"
_SPARE = 200_000_000  # bytes left free besides
_BLOCK = 1 << 20
_MOST_BYTES = 64_000_000  # of a file whose size the catalogue does not know
_TIMEOUT_S = 30.0
_TRIES, _WAIT_S, _LONGEST_WAIT_S = 2, 0.5, 8.0  # in a row without a byte
HUB = "https://huggingface.co"


def pull(known: Entry, progress: ProgressCallback = silent, source: str = "") -> Path:
    """Fetch an entry, check it, and put it into the models folder.

    Args:
        source: "" for the hub; the address of a mirror of the hub, or of a web folder with the files; or a folder.

    Raises:
        WeightsError: the source cannot be reached or lacks a file, there is no space, or a file is not that of the catalogue.
    """
    if source and not _is_address(source):
        return catalog.take(known, _folder_of(known, Path(source).expanduser()), progress)
    if source and not known.vouched:
        raise WeightsError(
            f"The catalogue has no hashes of {known.card.title}, so that files from {source} cannot be checked; fetch it from "
            f"the hub, or bring a folder that you trust."
        )
    beside = partial(known)
    made(beside)
    left = [f for f in known.files if not _complete(beside / f.name, f)]
    _check_space(known, left, beside)
    hashes: dict[str, str] = {}
    with _in_words(known, source or "the hub", beside):
        for f in known.files:
            if f in left:
                _fetch(known, f, source, beside, progress)
            hashes[f.name] = _check(known, f, source, beside, progress)
    target = catalog.put(known, beside, hashes)
    shutil.rmtree(beside, ignore_errors=True)
    return target


def partial(known: Entry) -> Path:
    """Where the files of an entry are kept until all have arrived."""
    return models_dir() / f"{known.id}{PARTIAL}"


def arrived_bytes(known: Entry) -> int:
    """How much of an entry was fetched by a transfer that did not end."""
    return sum(p.stat().st_size for p in partial(known).rglob("*") if p.is_file())


def _is_address(source: str) -> bool:
    return source.startswith(("https://", "http://"))


def _folder_of(known: Entry, folder: Path) -> Path:
    for candidate in (folder / known.id, folder):
        if all((candidate / f.name).is_file() for f in known.files):
            return candidate
    names = ", ".join(f.name for f in known.files)
    raise WeightsError(f"{folder} does not hold {known.card.title}; give the address of a mirror, or a folder with {names}.")


def _complete(path: Path, f: WeightFile) -> bool:
    """Whether a file that was fetched before is there whole; its hash is read with the others'."""
    return path.is_file() and bool(f.sha256) and f.size_bytes in (None, path.stat().st_size)


def _check_space(known: Entry, left: list[WeightFile], folder: Path) -> None:
    needed = sum(f.size_bytes or 0 for f in left) - sum(p.stat().st_size for p in folder.rglob("*.incomplete"))
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE:
        raise WeightsError(_no_space(known, folder, free))


def _no_space(known: Entry, folder: Path, free: int) -> str:
    return (
        f"{known.card.title} needs {known.size_bytes / 1e9:.1f} GB in {folder.parent}, and {free / 1e9:.1f} GB are free there; "
        f"make room, or name another folder in EARWITNESS_MODELS."
    )


@contextmanager
def _in_words(known: Entry, source: str, beside: Path) -> Iterator[None]:
    """Faults of the network and the disk as one sentence each."""
    try:
        yield
    except WeightsError:
        raise
    except Exception as error:  # a dozen kinds of the client, of the disk, and of addresses that are none
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise WeightsError(_no_space(known, beside, shutil.disk_usage(beside).free)) from error
        kept = arrived_bytes(known)
        goes_on = f" {kept / 1e6:,.0f} MB have arrived; the same command goes on from there." if kept > 1_000_000 else ""
        raise WeightsError(
            f"{known.card.title} could not be fetched from {source} ({_kind(error)}).{goes_on} Without a network, fetch it "
            f"elsewhere and bring the folder: earwitness models import FOLDER"
        ) from error


def _kind(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"the server answered {status}" if status else type(error).__name__


def _fetch(known: Entry, f: WeightFile, source: str, beside: Path, progress: ProgressCallback) -> None:
    """One file into the folder; goes on where an earlier transfer ended, and tries again where one is cut on the way.

    The hub's own library begins anew whenever it is called again, so that 1.7 GB over a poor line would never arrive.
    """
    import httpx

    with httpx.Client(follow_redirects=True, timeout=_TIMEOUT_S, trust_env=True) as client:
        address = _address(client, known, f, source)
        begun, tries = beside / f"{f.name}.incomplete", 0
        while True:
            before = _size(begun)
            try:
                _transfer(client, address, f, begun, progress)
                break
            except httpx.TransportError:
                tries = 0 if _size(begun) > before else tries + 1
                if tries > _TRIES:
                    raise
                time.sleep(min(_LONGEST_WAIT_S, 2.0**tries * _WAIT_S))
    begun.replace(beside / f.name)


def _address(client: httpx.Client, known: Entry, f: WeightFile, source: str) -> str:
    """Where a source has a file: as the hub lays them out, or in a web folder by the model's id, or in one by itself.

    Raises:
        WeightsError: it has it nowhere.
    """
    base = (source or HUB).rstrip("/")
    ways = [f"{base}/{known.source}/resolve/{known.revision}/{f.name}"]
    ways += [f"{base}/{known.id}/{f.name}", f"{base}/{f.name}"] if source else []
    for way in ways:
        answer = client.head(way)
        if answer.is_success:
            return way
        if answer.status_code not in (403, 404, 405):
            answer.raise_for_status()
    raise WeightsError(f"{base} has no {f.name} of {known.card.title}; give the address of a mirror, or of a folder with it.")


def _transfer(client: httpx.Client, address: str, f: WeightFile, begun: Path, progress: ProgressCallback) -> None:
    """One request, from where the file ends so far.

    Raises:
        WeightsError: more is sent than the file can hold.
    """
    have, most = _size(begun), f.size_bytes or _MOST_BYTES
    with client.stream("GET", address, headers={"Range": f"bytes={have}-"} if have else {}) as answer:
        if answer.status_code == 416:  # nothing is left to be sent, or what is there is no beginning of it
            begun.unlink()
        answer.raise_for_status()
        have = have if answer.status_code == 206 else 0
        with begun.open("ab" if have else "wb") as file:
            for block in answer.iter_bytes(_BLOCK):
                have += len(block)
                if have > most:
                    raise WeightsError(f"{address} sends more than {f.name} can hold; it is another file.")
                file.write(block)
                progress(Progress(f"fetching {f.name}", have / 1e6, most / 1e6 if f.size_bytes else None, "MB"))


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _check(known: Entry, f: WeightFile, source: str, beside: Path, progress: ProgressCallback) -> str:
    """The file's hash, which is the catalogue's; another file is thrown away, so that the next try begins anew."""
    try:
        return catalog.check_file(beside / f.name, f, progress)
    except WeightsError as error:
        with suppress(OSError):
            (beside / f.name).unlink()
        raise WeightsError(
            f"{f.name} from {source or known.source} is not the file of the catalogue and was thrown away; try another source."
        ) from error
