"""Animals heard, and where they live."""

from __future__ import annotations

from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec, Kind, forgetting
from engine.models import cards


def _make(chosen: Chosen) -> Clue:
    from engine.clues.species.observe import SpeciesObserver
    from engine.clues.species.score import log_likelihood

    return Clue(SPEC, SpeciesObserver(chosen.settings.stride_s, chosen.settings.track).observe, log_likelihood)


MADE_OF = "kind of sound"

SPEC = ClueSpec(
    name="species",
    title="species heard",
    modality=Modality.SOUND,
    doing="Listening for animals",
    make=_make,
    unload=forgetting("engine.clues.species.observe", "listener"),
    large=True,
    thread="animals",
    kinds=(
        Kind("species", "animal", "Species heard", Modality.SOUND, selected=True),
        Kind("sound", "other sound", "Other sounds", Modality.SOUND, located=False, selected=True, scored=False),
        Kind(
            MADE_OF,
            "kind of sound",
            "What the sound is made of",
            Modality.SOUND,
            tiered=False,
            located=False,
            scored=False,
        ),
    ),
    models=(cards.BIRDNET, cards.BIRDNET_RANGE, cards.SOUND_KINDS),
    votes=True,
    idle="",
    calibrated=True,
    weight_reason=(
        "1: calibrated on recordings of known place; the dependence of species heard together is allowed for within the clue"
    ),
    groups=("sound of an animal",),
)
