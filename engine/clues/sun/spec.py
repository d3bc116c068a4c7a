"""Where the sun stood, by a shadow that the analyst marked, and whether the picture shows daylight."""

from __future__ import annotations

from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec, Kind
from engine.models import cards


def _make(_chosen: Chosen) -> Clue:
    from engine.clues.sun.observe import SunObserver
    from engine.clues.sun.score import log_likelihood

    return Clue(SPEC, SunObserver().observe, log_likelihood)


SHADOW, DAYLIGHT = "shadow", "daylight"

SPEC = ClueSpec(
    name="sun",
    title="the sun by a marked shadow",
    modality=Modality.PICTURE,
    doing="Looking for daylight",
    make=_make,
    kinds=(
        Kind(SHADOW, "shadow", "Shadows marked", Modality.PICTURE, coded=True),
        Kind(DAYLIGHT, "daylight", "Daylight", Modality.PICTURE, listed=False, tiered=False, located=False, scored=False),
    ),
    models=(cards.SUN,),
    votes=True,
    idle="",
    weight_reason=(
        "1: only what the analyst marked is scored, with the marking's own uncertainty; bounded by the stated confidence, and "
        "measured on simulated scenes alone"
    ),
)
