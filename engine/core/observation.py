"""What was heard, read or seen: the output of a model, or of the analyst's own ear and eye."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

ANALYST = "analyst"
MOMENT_S = 1.0  # by which the time of a frame may lie outside of what its file states
_KIND = re.compile(r"[a-z][a-z ]{0,30}")


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One thing perceived, with its time.

    Attributes:
        clue: the clue that made it ("species", "text", …).
        kind: one of those in the clue's spec. "sound" is a named sound that is nobody's range (dog, engine).
        label: what it is in the field's own terms (Latin name, the text read, "50 Hz").
        score: the model's own score, 0 to 1, uncalibrated.
        start_s: start in the clip.
        end_s: end in the clip; a still moment has end_s == start_s.
        name: the everyday name shown beside the label ("Great Tit"), or "".
        author: the model id, or "analyst" or "analyst:" and a name.
        box: (left, top, right, bottom) as fractions 0..1 of the upright frame, or None.
        note: a short remark ("caption of the broadcaster", "reads as a place: Augusta, Georgia").
        vector: (n,) float32 embedding or scores, or None; of a text by the analyst, the place it means: lat_deg, lon_deg.
    """

    clue: str
    kind: str
    label: str
    score: float
    start_s: float
    end_s: float
    name: str = ""
    author: str = "model"
    box: tuple[float, float, float, float] | None = None
    note: str = ""
    vector: NDArray[np.float32] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not _KIND.fullmatch(self.kind):
            raise ValueError(f"{self.kind!r} is no name for a kind of observation")
        if not np.isfinite([self.score, self.start_s, self.end_s]).all():
            raise ValueError(f"observation {self.label!r} has a score or time that is not finite")

    @property
    def by_analyst(self) -> bool:
        """Whether a person's word stands for it; its score is then the confidence that they stated."""
        return self.author == ANALYST or self.author.startswith(f"{ANALYST}:")

    def within(self, start_s: float, end_s: float) -> Observation | None:
        """The part of it that lies between two times of the clip; None where it lies outside them.

        A window is as long as a model makes it, and reaches beyond the sound; what is said of a time is said of the clip's own.
        A moment (a frame) outside by less than MOMENT_S is that of the nearer end.
        """
        first, last = max(self.start_s, start_s), min(self.end_s, end_s)
        if self.end_s <= self.start_s:
            if not start_s - MOMENT_S <= self.start_s <= end_s + MOMENT_S:
                return None
            first = last = min(first, end_s)
        elif last <= first:
            return None
        return self if (first, last) == (self.start_s, self.end_s) else replace(self, start_s=first, end_s=last)

    @property
    def value(self) -> tuple[object, ...]:
        """All that it says, to be compared: an observation equals none but itself, not even its copy that was kept and read."""
        meant = None if self.vector is None else tuple(self.vector.ravel().tolist())
        parts = (self.clue, self.kind, self.label, self.score, self.start_s, self.end_s, self.name, self.author, self.note)
        return (*parts, None if self.box is None else tuple(self.box), meant)

    @property
    def key(self) -> str:
        """What it is, whenever it was: all windows of one species share it. Used to drop and to count once."""
        return f"{self.clue}/{self.kind}/{self.label}"
