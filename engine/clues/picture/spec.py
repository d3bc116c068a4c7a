"""What the picture looks like, as GeoCLIP sees it."""

from __future__ import annotations

from engine.clues.frames import EMBEDDING, times_of
from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec
from engine.models import cards


def _make(chosen: Chosen) -> Clue:
    from engine.clues.picture.observe import PictureObserver
    from engine.clues.picture.score import log_likelihood

    return Clue(SPEC, PictureObserver(times_of=times_of(chosen)).observe, log_likelihood)


SPEC = ClueSpec(
    name="picture",
    title="look of the picture (GeoCLIP)",
    modality=Modality.PICTURE,
    doing="Looking for the place of the picture",
    make=_make,
    kinds=(EMBEDDING,),
    models=(cards.GEOCLIP, cards.GEOCLIP_LOCATION),
    wants=cards.CLIP,
    votes=True,
    idle="",
    weight_reason="1: a contrastive score with a fitted temperature, averaged over the frames of a shot",
)
