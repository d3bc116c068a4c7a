"""Progress of the benchmarks that go through files one after another."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def counted(items: Sequence[T], what: str) -> Iterator[T]:
    """The items, one after another; how many are done stands on stderr, where a person looks at it.

    Args:
        what: the items in words.
    """
    for done, item in enumerate(items, 1):
        yield item
        if sys.stderr.isatty():
            end = "\n" if done == len(items) else ""
            print(f"\r{what}: {done} of {len(items)}", end=end, file=sys.stderr, flush=True)
