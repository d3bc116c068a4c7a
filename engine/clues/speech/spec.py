"""Where somebody speaks, in which language, and which places are named."""

from __future__ import annotations

from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec, Kind, forgetting
from engine.models import cards


def _make(chosen: Chosen) -> Clue:
    from engine.clues.speech.observe import SpeechObserver
    from engine.clues.speech.score import log_likelihood

    return Clue(SPEC, SpeechObserver(chosen.settings.track).observe, log_likelihood)


SPEC = ClueSpec(
    name="speech",
    title="spoken language",
    modality=Modality.SOUND,
    doing="Listening for speech",
    make=_make,
    unload=forgetting("engine.clues.speech.observe", "voice_detector"),
    kinds=(
        Kind("speech", "speech", "Speech", Modality.SOUND, located=False),
        Kind("place said", "place named aloud", "Places named aloud", Modality.SOUND, located=False, scored=False),
    ),
    models=(cards.SILERO, cards.WHISPER_BASE, cards.WHISPER_SMALL),
    wants=cards.WHISPER_BASE,
    idle="off by default: narration and dialogue reflect the production, not the place",
    condition="the people heard are at the scene",
    option="people-at-scene",
)
