"""Everyday sounds that a mixture is made of."""

from __future__ import annotations

from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import Chosen, ClueSpec, Kind, forgetting
from engine.models import cards


def _make(chosen: Chosen) -> Clue:
    from engine.clues.atoms.observe import AtomsObserver
    from engine.clues.atoms.score import log_likelihood

    return Clue(SPEC, AtomsObserver(chosen.settings.track).observe, log_likelihood)


SPEC = ClueSpec(
    name="atoms",
    title="everyday sounds (acoustic atoms)",
    modality=Modality.SOUND,
    doing="Taking the sound apart",
    make=_make,
    unload=forgetting("engine.models.atoms", "decomposer"),
    large=True,
    kinds=(Kind("atom", "acoustic atom", "Acoustic atoms", Modality.SOUND, tiered=False, located=False),),
    models=(cards.ATOMS, cards.SOUNDTRACK),
    idle="off by default: few everyday sounds indicate a place, and films often take them from sound libraries",
)
