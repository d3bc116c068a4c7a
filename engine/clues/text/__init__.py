"""Text read in the picture: one clue in several files."""

from __future__ import annotations

from engine.clues.text.clue import TextClue

__all__ = ["TextClue"]
