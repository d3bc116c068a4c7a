"""Progress as a frozen record handed to a callback; raising `Cancelled` in the callback stops the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of work done.

    Attributes:
        stage: what is being done, in words ("listening for species").
        done: how much of the stage is done, in `unit`.
        total: how much there is, or None when nobody knows.
        unit: unit of done and total ("s", "windows", "frames", "MB").
        task: which of several tasks going on at the same time it belongs to ("sound", "picture"), or "". A new stage of a task
            ends the one before it in that task; a stage of no task ends all.
    """

    stage: str
    done: float = 0.0
    total: float | None = None
    unit: str = ""
    task: str = ""

    @property
    def fraction(self) -> float | None:
        """Share of the stage that is done, 0 to 1, or None when the total is unknown."""
        if not self.total:
            return None
        return min(1.0, max(0.0, self.done / self.total))


ProgressCallback = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """A callback that ignores progress."""
