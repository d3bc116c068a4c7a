"""What the file itself claims of place and time."""

from __future__ import annotations

from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec, Kind
from engine.models import cards


def _make(_chosen: Chosen) -> Clue:
    from engine.clues.container.clue import ContainerClue

    return ContainerClue()


SPEC = ClueSpec(
    name="container",
    title="place stated by the container",
    modality=Modality.CONTAINER,
    doing="Reading the file's own claims",
    make=_make,
    kinds=(Kind("tag", "file tag", "Stated by the file", Modality.CONTAINER, tiered=False),),
    models=(cards.CONTAINER,),
    idle="a claim of the file itself: it stands beside sound and picture until it is asked for",
    weight_reason="not fused unless asked for: the easiest of all evidence to forge",
)
