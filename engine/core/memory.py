"""Memory given back to the system.

The C library keeps what a program frees, in as many heaps as there are threads: of a film's many arrays, each freed soon,
hundreds of megabytes stay behind. A process that is started with ALLOCATOR in its environment keeps two heaps, and large arrays
lie outside of them; `give_back` returns the rest.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from engine.core.offline import SILENT

# glibc's names; other C libraries read none of them. Fixed thresholds keep large arrays out of the heaps for good: left alone,
# they rise with the first of them that is freed. A quarter of these costs 8% more time, in page faults; these cost 2%.
ALLOCATOR = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "16777216", "MALLOC_TRIM_THRESHOLD_": "67108864"}


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a process that lasts; what is set already stays, but for reports of use, which are off."""
    return {**ALLOCATOR, **(os.environ if given is None else given), **SILENT}


@cache
def _trim() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None  # no glibc


@contextmanager
def tidied(every_s: float = 10.0) -> Iterator[None]:
    """Give back again and again while something long goes on, and once when it is over."""
    over = threading.Event()

    def tidy() -> None:
        while not over.wait(every_s):
            give_back()

    thread = threading.Thread(target=tidy, name="tidy", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        give_back()


def give_back() -> None:
    """Return to the system what this process has freed; takes some milliseconds, and does nothing where that is unknown."""
    trim = _trim()
    if trim is not None:
        trim(0)
