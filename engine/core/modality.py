"""The ways in which a clip bears witness to a place."""

from __future__ import annotations

from enum import StrEnum


class Modality(StrEnum):
    """What a clue listens to or looks at; "both" is sound and picture fused."""

    SOUND = "sound"
    PICTURE = "picture"
    CONTAINER = "container"
    BOTH = "both"

    @property
    def title(self) -> str:  # type: ignore[override]  # a string's own title() is of no use here
        """As a heading."""
        return "Sound and picture together" if self is Modality.BOTH else self.value.capitalize()
