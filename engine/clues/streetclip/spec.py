"""Which country the picture looks like, as StreetCLIP sees it."""

from __future__ import annotations

from engine.clues.frames import EMBEDDING, times_of
from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec
from engine.models import cards


def _make(chosen: Chosen) -> Clue:
    from engine.clues.streetclip.observe import StreetClipObserver
    from engine.clues.streetclip.score import log_likelihood

    return Clue(SPEC, StreetClipObserver(times_of=times_of(chosen)).observe, log_likelihood)


SPEC = ClueSpec(
    name="streetclip",
    title="country of a street view (StreetCLIP)",
    modality=Modality.PICTURE,
    doing="Looking for the country of the picture",
    make=_make,
    kinds=(EMBEDDING,),
    models=(cards.STREETCLIP,),
    wants=cards.STREETCLIP,
    idle="off by default: it uses the same frames as GeoCLIP, and what it adds has not been measured",
)
