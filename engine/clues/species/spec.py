"""Animals heard, and where they live."""

from __future__ import annotations

from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec, Kind
from engine.models import cards


def _make(chosen: Chosen) -> Clue:
    from engine.clues.species.clue import SpeciesClue

    return SpeciesClue(chosen.settings.stride_s, chosen.settings.track)


def _unload() -> None:
    from engine.clues.species.clue import listener

    listener.cache_clear()


SPEC = ClueSpec(
    name="species",
    title="species heard",
    modality=Modality.SOUND,
    doing="Listening for animals",
    make=_make,
    unload=_unload,
    large=True,
    thread="animals",
    kinds=(
        Kind("species", "animal", "Species heard", Modality.SOUND, selected=True),
        Kind("sound", "other sound", "Other sounds", Modality.SOUND, located=False, selected=True, scored=False),
    ),
    models=(cards.BIRDNET, cards.BIRDNET_RANGE),
    votes=True,
    idle="",
    calibrated=True,
    weight_reason=(
        "1: calibrated on recordings of known place; the dependence of species heard together is allowed for within the clue"
    ),
    groups=("sound of an animal",),
)
