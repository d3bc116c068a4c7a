"""What is written in the picture, and which places it means."""

from __future__ import annotations

from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec, Kind, forgetting
from engine.models import cards


def _make(chosen: Chosen) -> Clue:
    from engine.clues.text.observe import TextObserver
    from engine.clues.text.score import log_likelihood

    return Clue(SPEC, TextObserver(times_s=chosen.texts_s).observe, log_likelihood)


SPEC = ClueSpec(
    name="text",
    title="text read in the picture",
    modality=Modality.PICTURE,
    doing="Reading what is written in the picture",
    make=_make,
    unload=forgetting("engine.clues.text.observe", "text_reader"),
    large=True,
    kinds=(Kind("text", "text read", "Read in the picture", Modality.PICTURE),),
    models=(cards.OCR, cards.TESSERACT, cards.LINGUA),
    votes=True,
    idle="",
    calibrated=True,
    weight_reason="1: every reading has its own probability; the dependence of repeated cues is allowed for within the clue",
    groups=("name", "phone code", "postal code", "domain", "language", "script", "sign text"),
)
