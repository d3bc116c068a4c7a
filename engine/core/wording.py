"""Names joined in a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str]) -> str:
    """One name; two with "and"; of more, commas before the last two; nothing of none."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
