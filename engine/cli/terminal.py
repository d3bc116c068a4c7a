"""Text for a terminal: hostile characters out, styles only where they are wanted."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from typing import TextIO

from engine.media.source import shown as plain

__all__ = ["Pen", "columns", "plain", "say"]

_STYLES = {"bold": "1", "dim": "2", "sound": "33", "picture": "34", "both": "35"}


class Pen:
    """Writes lines to a stream; styled when it is a terminal and NO_COLOR is not set."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._styled = stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def styled(self, text: str, style: str) -> str:
        """The text in a style ("bold", "dim", or a modality's colour)."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._styled and style in _STYLES else text

    def line(self, text: str = "") -> None:
        print(text, file=self._stream)


def say(text: str) -> None:
    """One line to stderr; where nobody can read it, nothing."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(text, file=sys.stderr, flush=True)


def columns() -> int:
    """How wide text is set."""
    return max(60, min(110, shutil.get_terminal_size((100, 24)).columns))
