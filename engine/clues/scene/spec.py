"""Animals and things seen, and where they belong."""

from __future__ import annotations

from engine.clues.frames import times_of
from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec, Kind, forgetting
from engine.models import cards


def _make(chosen: Chosen) -> Clue:
    from engine.clues.scene.observe import SceneObserver
    from engine.clues.scene.score import log_likelihood

    return Clue(SPEC, SceneObserver(times_of=times_of(chosen)).observe, log_likelihood)


SPEC = ClueSpec(
    name="scene",
    title="animals and things seen",
    modality=Modality.PICTURE,
    doing="Looking for what the picture shows",
    make=_make,
    unload=forgetting("engine.clues.scene.observe", "net"),
    kinds=(Kind("scene", "scene", "Seen in the picture", Modality.PICTURE),),
    models=(cards.EFFICIENTNET, cards.BIRDNET_RANGE),
    idle="off by default: on photos of known place it rarely gave a result, and no certain gain",
)
