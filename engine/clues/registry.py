"""The clues there are, in the order in which they are shown. A new clue is a file beside this one and a line in `clues`."""

from __future__ import annotations

from engine.clues import atoms, scene, species, speech
from engine.clues.agclip import AgClipClue
from engine.clues.atoms import AtomsClue
from engine.clues.container import ContainerClue
from engine.clues.hum import HumClue
from engine.clues.picture import PictureClue
from engine.clues.scene import SceneClue
from engine.clues.species import SpeciesClue
from engine.clues.speech import SpeechClue
from engine.clues.streetclip import StreetClipClue
from engine.clues.text import TextClue
from engine.clues.text.clue import text_reader
from engine.core.evidence import Clue
from engine.core.finding import Settings
from engine.nets import ocr


def clues(settings: Settings, frames_s: tuple[float, ...] = (), texts_s: tuple[float, ...] = ()) -> tuple[Clue, ...]:
    """Every clue, made for these settings; making one loads nothing.

    Args:
        frames_s: times of the frames to look at; none lets each clue choose its own, evenly.
        texts_s: the same of those to read.
    """
    chosen = (lambda _reader, _interval: list(frames_s)) if frames_s else None
    return (
        SpeciesClue(settings.stride_s, settings.track),
        AgClipClue(),
        HumClue(settings.track),
        SpeechClue(settings.track),
        AtomsClue(settings.track),
        TextClue(times_s=texts_s),
        PictureClue(times_of=chosen),
        StreetClipClue(times_of=chosen),
        SceneClue(times_of=chosen),
        ContainerClue(),
    )


# What keeps the models of a clue, or of finding the shots, from one clip to the next.
_KEPT = {
    "species": species.listener,
    "speech": speech.voice_detector,
    "atoms": atoms.decomposer,
    "text": text_reader,
    "scene": scene.net,
    "shots": ocr.detector,
}


def let_go(name: str) -> None:
    """Forget the models of a clue, or of "shots"; they are loaded again when they are wanted again."""
    if name in _KEPT:
        _KEPT[name].cache_clear()
