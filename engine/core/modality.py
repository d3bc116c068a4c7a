"""The ways in which a clip bears witness to a place."""

from __future__ import annotations

from enum import StrEnum


class Modality(StrEnum):
    """What a clue listens to or looks at; "both" is sound and picture fused."""

    SOUND = "sound"
    PICTURE = "picture"
    CONTAINER = "container"
    BOTH = "both"
