"""Mains hum, and which countries have supplies of its frequency."""

from __future__ import annotations

from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec, Kind
from engine.models import cards


def _make(chosen: Chosen) -> Clue:
    from engine.clues.hum.observe import HumObserver
    from engine.clues.hum.score import log_likelihood

    return Clue(SPEC, HumObserver(chosen.settings.track).observe, log_likelihood)


SPEC = ClueSpec(
    name="hum",
    title="mains hum",
    modality=Modality.SOUND,
    doing="Listening for mains hum",
    make=_make,
    kinds=(Kind("hum", "mains hum", "Mains hum", Modality.SOUND),),
    models=(cards.HUM,),
    votes=True,
    idle="",
    groups=("mains",),
)
