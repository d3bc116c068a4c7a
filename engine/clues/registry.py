"""The clues there are, in the order in which they are shown. A new clue is a file beside this one and a line in `clues`."""

from __future__ import annotations

from engine.clues.agclip.clue import AgClipClue
from engine.clues.atoms import clue as atoms
from engine.clues.atoms.clue import AtomsClue
from engine.clues.container.clue import ContainerClue
from engine.clues.hum.clue import HumClue
from engine.clues.picture.clue import PictureClue
from engine.clues.scene import clue as scene
from engine.clues.scene.clue import SceneClue
from engine.clues.species import clue as species
from engine.clues.species.clue import SpeciesClue
from engine.clues.speech import clue as speech
from engine.clues.speech.clue import SpeechClue
from engine.clues.streetclip.clue import StreetClipClue
from engine.clues.text import TextClue
from engine.clues.text.clue import text_reader
from engine.core.evidence import Clue
from engine.core.finding import Settings
from engine.models import ocr


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
