"""The log's chain: each entry's hash covers its content and the hash before it, so that nothing can be changed, put in or taken
out in the middle without all later hashes changing.

What it cannot show by itself: that the chain was written anew from some entry on, or cut short at its end, by somebody who may
write to the database. Whoever holds an earlier head (it is printed in every report and bundle) can tell: `verify --head`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: number from 1, when (ISO 8601, UTC), who, what, facts (canonical JSON), the hash before it and its own."""

    seq: int
    at: str
    who: str
    what: str
    facts: str
    previous: str
    hash: str

    @classmethod
    def following(cls, last: Entry | None, at: str, who: str, what: str, facts: Mapping[str, Any]) -> Entry:
        """The entry that follows the last one."""
        seq, previous = (last.seq + 1, last.hash) if last else (1, START)
        text = canonical(facts)
        return cls(seq, at, who, what, text, previous, digest_of(seq, at, who, what, text, previous))


def digest_of(seq: int, at: str, who: str, what: str, facts: str, previous: str) -> str:
    """Hash of an entry's content: sha256 of the canonical JSON of all of it."""
    return sha256_of(canonical([seq, at, who, what, facts, previous]))


def canonical(value: Any) -> str:
    """JSON in one form only: sorted keys, no spaces, no characters beyond ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def faults(entries: Iterable[Entry]) -> Iterator[str]:
    """What is wrong with a chain, a sentence each."""
    previous, expected = START, 1
    for e in entries:
        if e.seq != expected:
            yield f"Log: entry {expected} is missing; the next one there is {e.seq}."
        elif e.previous != previous:
            yield f"Log: entry {e.seq} does not follow the one before it; one of them was changed or exchanged."
        if not _own(e):
            yield f"Log: entry {e.seq} ({e.what}) was altered after it was written."
        previous, expected = e.hash, (e.seq if isinstance(e.seq, int) else expected) + 1


def _own(e: Entry) -> bool:
    """Whether an entry's hash is that of its content; what is there may be of any type, since SQLite keeps what it is given."""
    try:
        return digest_of(e.seq, e.at, e.who, e.what, e.facts, e.previous) == e.hash
    except (TypeError, ValueError):
        return False
