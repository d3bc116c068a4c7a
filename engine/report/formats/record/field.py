"""What the fields of records have in common: their documentation, and text that a file may have put there."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from engine.media.source import shown

_TEXT_LIMIT = 1000


def documented(doc: str) -> Any:
    """A field that says what it holds; `schema.json_schema` repeats it."""
    return field(metadata={"doc": doc})


def text(given: str) -> str:
    """Hostile text fit for the document."""
    return shown(given, _TEXT_LIMIT)
