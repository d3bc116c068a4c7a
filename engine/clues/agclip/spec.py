"""The soundscape as a whole, as AG-CLIP hears it."""

from __future__ import annotations

from engine.core.evidence import Clue, observe_nothing
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec
from engine.models import cards


def _make(_chosen: Chosen) -> Clue:
    from engine.clues.agclip.score import log_likelihood

    return Clue(SPEC, observe_nothing, log_likelihood)


SPEC = ClueSpec(
    name="agclip",
    title="soundscape as a whole (AG-CLIP)",
    modality=Modality.SOUND,
    doing="Comparing the soundscape with places",
    make=_make,
    kinds=(),
    models=(cards.BIRDNET, cards.AGCLIP, cards.GEOCLIP_LOCATION),
    reads="species",
    votes=True,
    idle="",
    calibrated=True,
    joined="species",
    thread="animals",
    weight_reason="pooled with the species into one likelihood by a fitted weight; the weight of the species applies",
)
