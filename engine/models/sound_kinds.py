"""What a window of sound is made of: animals of four kinds, music, voices, machines, or something else.

A linear classifier on BirdNET's logits. BirdNET's last layer is linear and has more classes than its embedding has dimensions, so
that a linear function of the embedding is one of the logits, and nothing has to be read out of the middle of the network. Trained
by `earwitness lab train-sound-kinds`, which says on which sounds; see docs/validation.md for how often it is right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from engine.core.errors import WeightsError
from engine.core.paths import ASSETS
from engine.models import birdnet, cards

MODEL_ID = cards.SOUND_KINDS.id
KINDS = ("bird", "frog", "insect", "mammal", "music", "voice", "machine", "other")
ANIMALS = KINDS[:4]
NAMES = {
    "bird": "birds",
    "frog": "frogs",
    "insect": "insects",
    "mammal": "mammals",
    "music": "music",
    "voice": "voices",
    "machine": "machines",
    "other": "something else",
}
FILE = ASSETS / "models" / "sound_kinds.npz"

# The few genera among BirdNET's species that are no birds; its labels do not say so.
_GENERA = {
    "frog": "Acris Anaxyrus Dryophytes Eleutherodactylus Gastrophryne Hyliola Incilius Lithobates Pseudacris Scaphiopus Spea",
    "insect": (
        "Allonemobius Amblycorypha Anaxipha Atlanticus Conocephalus Cyrtoxipha Eunemobius Gryllus Miogryllus Neoconocephalus "
        "Neonemobius Oecanthus Orchelimum Orocharis Phyllopalpus Pterophylla Scudderia"
    ),
    "mammal": "Alouatta Canis Odocoileus Sciurus Tamias Tamiasciurus",
}
_KIND_OF = {genus: kind for kind, genera in _GENERA.items() for genus in genera.split()}


@dataclass(frozen=True, slots=True, eq=False)
class SoundKinds:
    """The classifier.

    Attributes:
        weights: (6522, 8) of BirdNET's logits, kinds in the order of KINDS.
        bias: (8,).
    """

    weights: NDArray[np.float32] = field(repr=False)
    bias: NDArray[np.float32] = field(repr=False)

    def __post_init__(self) -> None:
        if self.weights.shape != (len(birdnet.labels()), len(KINDS)) or self.bias.shape != (len(KINDS),):
            raise ValueError(
                f"weights {self.weights.shape} and bias {self.bias.shape} are not those of {len(KINDS)} kinds of sound"
            )
        if not (np.isfinite(self.weights).all() and np.isfinite(self.bias).all()):
            raise ValueError("the weights of the kinds of sound are not finite")

    def chances(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Chance of each kind, (n, 8) with rows of sum 1, of windows whose logits are (n, 6522)."""
        out: NDArray[np.float32] = softmax(logits @ self.weights + self.bias, axis=1).astype(np.float32)
        return out


@cache
def sound_kinds() -> SoundKinds:
    """The shipped classifier.

    Raises:
        WeightsError: its file is missing or damaged.
    """
    if not FILE.is_file():
        raise WeightsError(f"{FILE} is missing; restore it from the repository, or run: earwitness lab train-sound-kinds")
    try:
        with np.load(FILE, allow_pickle=False) as held:
            return SoundKinds(held["weights"].astype(np.float32), held["bias"].astype(np.float32))
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise WeightsError(f"{FILE} cannot be read ({error}); restore it from the repository") from None


def kind_of(index: int) -> str:
    """Which of ANIMALS a species of BirdNET is, by its class."""
    return _KIND_OF.get(birdnet.labels()[index].latin.split()[0], "bird")
