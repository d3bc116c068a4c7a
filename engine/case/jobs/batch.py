"""Many clips into one case: on this machine's cores, or on a Ray cluster.

Whoever examines a clip hands its outcome to the driver, which alone writes to the case, a clip at a time: what is written is
never lost, and what was not is examined when the batch is run again. What is there already (by content, models and settings) is
passed over.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from engine.case.jobs import cluster, pool
from engine.case.jobs.outcome import Outcome, bare
from engine.case.jobs.results import Results
from engine.case.record import codec
from engine.case.record.store import Case
from engine.case.record.table import write as tables
from engine.core.errors import Cancelled, DataError, InputError
from engine.core.file import read_paths
from engine.core.progress import Progress, ProgressCallback, silent
from engine.core.settings import Settings
from engine.media.fingerprint import METHOD

_SUFFIXES = (
    "3gp aac ac3 aif aiff amr asf avi caf f4v flac flv m2ts m4a m4v mka mkv mov mp2 mp3 mp4 mpeg mpg mts mxf",
    "oga ogg ogv opus ts vob wav webm wma wmv",
    "heic heif jpeg jpg png tif tiff webp",
)
SUFFIXES = frozenset(" ".join(_SUFFIXES).split())  # of files taken from folders; what is named is taken whatever it is called
_HASHED_AT_ONCE = 4
EXAMINING = "examining clips"  # the stage that counts clips finished

__all__ = ["SUFFIXES", "Summary", "batch_inputs", "keep", "run", "tables"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a batch did.

    Attributes:
        clips: how many were named.
        examined, kept, there: now, from a result that was kept, and those that were in the case before.
        problems: (path, why) of those that cannot be examined.
        failed: (path, why) of those judged without a clue that failed; the next run of the batch tries that clue again.
    """

    clips: int
    examined: int
    kept: int
    there: int
    problems: tuple[tuple[str, str], ...]
    failed: tuple[tuple[str, str], ...] = ()


def batch_inputs(inputs: Sequence[str]) -> tuple[str, ...]:
    """The clips that inputs name: files, folders (searched to the bottom), patterns, and lists (@FILE, a path a line).

    Raises:
        InputError: an input names nothing.
    """
    found: dict[str, None] = {}
    for name in inputs:
        paths = list(_named(name))
        if not paths:
            raise InputError(f"{name} names no clip; give files, folders, patterns or @LIST.")
        found.update(dict.fromkeys(str(Path(p).absolute()) for p in paths))
    return tuple(found)


def _named(name: str) -> Iterator[str]:
    if name.startswith("@"):
        base = Path(name[1:]).absolute().parent
        try:
            listed = read_paths(name[1:], base)
        except DataError as error:
            raise InputError(str(error)) from None
        yield from (str(base / path) for path in listed)
    elif Path(name).is_dir():
        for folder, folders, files in os.walk(name):  # links to folders are not followed, so there is no way round in circles
            folders.sort()
            yield from (str(Path(folder) / f) for f in sorted(files) if f.rsplit(".", 1)[-1].lower() in SUFFIXES)
    elif Path(name).exists():
        yield name
    else:
        yield from sorted(p for p in glob.glob(name, recursive=True) if Path(p).is_file())  # noqa: PTH207


def run(
    inputs: Sequence[str],
    case: Case,
    settings: Settings | None = None,
    results: Results | None = None,
    workers: int = 0,
    ray: str = "",
    progress: ProgressCallback = silent,
) -> Summary:
    """Examine clips and keep the findings in a case.

    Args:
        inputs: see `gather`.
        workers: processes on this machine; 0 chooses one per two cores.
        ray: address of a Ray cluster, or "auto"; "" works on this machine.

    Raises:
        InputError: an input names nothing, or Ray is not installed or not there.
        Cancelled: `progress` raised it; what was finished is in the case.
    """
    paths = batch_inputs(inputs)
    wanted, kept_in = codec.settings_to_json(settings or Settings()), (results or Results())
    there = _done(case, paths, settings or Settings(), progress)
    todo = [p for p in paths if p not in there]
    if ray:
        outcomes = cluster.outcomes(todo, wanted, kept_in, ray)
    else:
        outcomes = pool.outcomes(todo, wanted, kept_in, workers or max(1, (os.cpu_count() or 2) // 2))
    examined = kept = 0
    problems: list[tuple[str, str]] = []
    failed: list[tuple[str, str]] = []
    progress(Progress(EXAMINING, len(paths) - len(todo), len(paths), "clips"))
    with contextlib.closing(outcomes):
        for outcome in outcomes:
            keep(case, outcome)
            failed += [(outcome.path, why) for why in outcome.failed]
            if outcome.problem:
                problems.append((outcome.path, outcome.problem))
            elif outcome.kept:
                kept += 1
            else:
                examined += 1
            done = len(paths) - len(todo) + examined + kept + len(problems)
            progress(Progress(EXAMINING, done, len(paths), "clips"))
    return Summary(len(paths), examined, kept, len(paths) - len(todo), tuple(problems), tuple(failed))


def _done(case: Case, paths: Sequence[str], settings: Settings, progress: ProgressCallback) -> frozenset[str]:
    """Those of the paths whose findings under these settings, by the present program, are in the case and the files unchanged."""
    from engine.analysis.judge import perception_key

    wanted = _less_interval(codec.settings_to_json(settings))
    held: dict[str, set[str]] = {}
    for path, key, under in case.results():
        if _less_interval(under) == wanted:
            held.setdefault(path, set()).add(key)
    printed = case.fingerprints(METHOD)
    known = [p for p in paths if p in held]
    done = set()
    over = threading.Event()

    def unless_over(_: Progress) -> None:
        if over.is_set():
            raise Cancelled("Stopped as asked.")

    threads = ThreadPoolExecutor(_HASHED_AT_ONCE)
    try:
        hashed = threads.map(lambda path: bare(path, unless_over), known)
        for count, (path, clip) in enumerate(zip(known, hashed, strict=True), 1):
            if clip is not None and clip.sha256 in printed and perception_key(clip, settings) in held[path]:
                done.add(path)
            progress(Progress("checking what is already done", count, len(known), "clips"))
    finally:  # whoever stops need not wait for films of hundreds of gigabytes
        over.set()
        threads.shutdown(cancel_futures=True)
    return frozenset(done)


def _less_interval(settings: str) -> dict[str, object]:
    """Settings as of the whole clip: each scene's own interval taken away."""
    return {**json.loads(settings), "interval": None}


def keep(case: Case, outcome: Outcome) -> None:
    """Write what became of a clip into the case, in one transaction."""
    if outcome.clip is None:
        case.note("clip could not be opened", path=outcome.path, problem=outcome.problem)
    elif outcome.problem:
        case.add_clip(outcome.clip, outcome.problem)
    else:
        case.add_findings(outcome.clip, outcome.key, outcome.scenes, (METHOD, outcome.marks))
