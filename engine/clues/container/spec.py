"""What the file itself claims of place and time."""

from __future__ import annotations

from engine.core.evidence import Clue, observe_nothing
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec, Kind
from engine.models import cards


def _make(_chosen: Chosen) -> Clue:
    from engine.clues.container.score import log_likelihood

    return Clue(SPEC, observe_nothing, log_likelihood)


SPEC = ClueSpec(
    name="container",
    title="place stated by the container",
    modality=Modality.CONTAINER,
    doing="Reading the file's metadata",
    make=_make,
    kinds=(Kind("tag", "file tag", "Stated by the file", Modality.CONTAINER, tiered=False),),
    models=(cards.CONTAINER,),
    idle="stated by the file itself: shown beside sound and picture, and fused with them only on request",
    weight_reason="not fused unless requested: the easiest evidence to forge",
)
