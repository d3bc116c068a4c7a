"""What an analyst notes by eye or ear: no model perceives it, and `analysis.rationale` scores it by the table of cues."""

from __future__ import annotations

from engine.core.modality import Modality
from engine.core.spec import ClueSpec
from engine.models import cards


def _spec(name: str, title: str, modality: Modality) -> ClueSpec:
    return ClueSpec(
        name=name,
        title=title,
        modality=modality,
        doing="Noting cues",
        make=None,
        kinds=(),
        models=(cards.CUE_TABLE,),
        votes=True,
        idle="",
    )


SEEN = _spec("cues", "what the analyst noted of the picture", Modality.PICTURE)
HEARD = _spec("cues heard", "what the analyst noted of the sound", Modality.SOUND)
