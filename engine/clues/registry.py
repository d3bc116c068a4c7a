"""The clues there are, in the order in which they are shown. A new clue is a folder beside this file and a line in `SPECS`."""

from __future__ import annotations

from engine.clues.agclip.spec import SPEC as AGCLIP
from engine.clues.atoms.spec import SPEC as ATOMS
from engine.clues.container.spec import SPEC as CONTAINER
from engine.clues.cues.spec import HEARD, SEEN
from engine.clues.hum.spec import SPEC as HUM
from engine.clues.picture.spec import SPEC as PICTURE
from engine.clues.scene.spec import SPEC as SCENE
from engine.clues.species.spec import SPEC as SPECIES
from engine.clues.speech.spec import SPEC as SPEECH
from engine.clues.streetclip.spec import SPEC as STREETCLIP
from engine.clues.sun.spec import SPEC as SUN
from engine.clues.text.spec import SPEC as TEXT
from engine.core.evidence import Clue
from engine.core.settings import Settings
from engine.core.spec import Chosen, ClueSpec, Registry
from engine.models.cards import CARDS

SPECS: tuple[ClueSpec, ...] = (SPECIES, AGCLIP, HUM, SPEECH, ATOMS, TEXT, PICTURE, STREETCLIP, SCENE, SUN, CONTAINER)


def clues(settings: Settings, frames_s: tuple[float, ...] = (), texts_s: tuple[float, ...] = ()) -> tuple[Clue, ...]:
    """Every clue, made for these settings; making one loads no model.

    Args:
        frames_s: times of the frames to look at; none lets each clue choose its own, evenly.
        texts_s: the same of those to read.
    """
    chosen = Chosen(settings, frames_s, texts_s)
    return tuple(spec.make(chosen) for spec in SPECS if spec.make is not None)


def spec(name: str) -> ClueSpec | None:
    """The spec of this name, or None: steps that are no clues, and clues of other versions, have none."""
    return next((s for s in SPECS if s.name == name), None)


def unload(name: str) -> None:
    """Forget the models of a clue; they are loaded again when they are wanted again."""
    known = spec(name)
    if known is not None:
        known.unload()


def clue_registry() -> Registry:
    """All clues and models, as data for rooms that may not import them."""
    return Registry((*SPECS, SEEN, HEARD), CARDS)
