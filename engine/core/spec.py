"""What a clue is: everything that the rest of the program has to know of it, said once.

A clue's folder holds a `SPEC`; `clues.registry` lists them. Command line, reports, app and reasoning loop over the specs and know
no clue by name. A spec is data and small functions: making one loads no model.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.core.card import Card
from engine.core.modality import Modality

if TYPE_CHECKING:
    from engine.core.evidence import Clue
    from engine.core.settings import Settings

_NAME = re.compile(r"[a-z][a-z ]{0,30}")
CALIBRATED = "1: its likelihood is calibrated and independent of the other clues"
UNCALIBRATED = "1: its likelihood is a choice, not calibrated, and independent of the other clues"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of observation, as lists, timelines and tables name it.

    Attributes:
        name: as in Observation.kind.
        title: one of them, in a word or two ("animal").
        heading: above a list of them ("Species heard").
        modality: of the clues that make it.
        listed: shown in timelines, lists and ELAN's tiers; a vector is not.
        tiered: a tier in ELAN's documents and a line in the evidence reel; what is shown by itself elsewhere is not.
        located: it can favour a place; a named sound such as a bell cannot.
        selected: a row in Raven's selection tables.
        scored: a clue can score it; a named sound is listed and nothing more.
        coded: its label is written for programs; people read the name alone.
    """

    name: str
    title: str
    heading: str
    modality: Modality
    listed: bool = True
    tiered: bool = True
    located: bool = True
    selected: bool = False
    scored: bool = True
    coded: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a clue is made from.

    Attributes:
        settings: track, stride and the like.
        frames_s: times of the frames to look at; none lets the clue choose, evenly.
        texts_s: the same of those to read.
    """

    settings: Settings
    frames_s: tuple[float, ...] = ()
    texts_s: tuple[float, ...] = ()


def forgetting(module: str, name: str) -> Callable[[], None]:
    """The `unload` of a clue whose model a cached function of this name holds; a module never imported holds none."""

    def unload() -> None:
        if module in sys.modules:
            getattr(sys.modules[module], name).cache_clear()

    return unload


@dataclass(frozen=True, slots=True, kw_only=True)
class ClueSpec:
    """One clue. A new clue has no vote and is not calibrated until its spec says so, with the reason.

    Attributes:
        name: in settings, JSON and tables; never shown.
        title: what people call what it perceives ("mains hum").
        modality: what it listens to or looks at.
        doing: what it does while it works, a clause fit before "failed" ("Listening for mains hum").
        make: the clue itself; imports its models when called, not before. None where only an analyst observes it.
        kinds: the kinds of observation it makes.
        models: the cards of all models it may speak through.
        wants: the model without which it has no result and that does not come with the program, or None.
        reads: the clue whose observations it scores, where it perceives nothing itself; else its own name.
        votes: it counts unless the analyst leaves it out.
        idle: why it does not count unless asked for, a clause; "" where it votes.
        condition: what the analyst states by asking for it, a clause ("the people heard are at the scene"); "" where nothing is.
        option: the command line's own option that asks for it, without its dashes, where it has a condition.
        weight_reason: why its weight is what it is before anybody changes it; by default, whether it is calibrated.
        calibrated: its likelihood was fitted and validated on material of known place; reports say so as reason of its weight.
        joined: the clue with which it is blended into one, by fitted numbers (`verdict.fuse`), or "".
        large: on long films it takes turns with the other large ones, to save memory.
        thread: clues of one modality that share a thread run one after the other; threads run side by side.
        unload: forgets its models; they are loaded again when wanted again.
        groups: groups of the cue table that this clue scores itself (`clues.cues.table`).
    """

    name: str
    title: str
    modality: Modality
    doing: str
    make: Callable[[Chosen], Clue] | None = field(repr=False, compare=False)
    kinds: tuple[Kind, ...]
    models: tuple[Card, ...]
    wants: Card | None = None
    reads: str = ""
    votes: bool = False
    idle: str = "off by default: what it adds is not known"
    condition: str = ""
    option: str = ""
    weight_reason: str = ""
    calibrated: bool = False
    joined: str = ""
    large: bool = False
    thread: str = ""
    unload: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name for a clue: small letters and spaces, at most 31")
        for what in ("title", "doing"):
            if not getattr(self, what).strip():
                raise ValueError(f"the clue {self.name} has no {what}")
        if not self.models:
            raise ValueError(f"the clue {self.name} names no model; a computation has a card, too")
        if self.votes == bool(self.idle):
            raise ValueError(f"the clue {self.name} either votes or says in `idle` why not")
        if bool(self.condition) != bool(self.option) or (self.condition and self.votes):
            raise ValueError(f"the clue {self.name} has a condition and an option, or neither; a clue that votes has none")
        if not self.weight_reason:
            object.__setattr__(self, "weight_reason", CALIBRATED if self.calibrated else UNCALIBRATED)
        if not self.reads:
            object.__setattr__(self, "reads", self.name)

    @property
    def beside(self) -> bool:
        """It stands beside sound and picture, and is fused with them only when asked for."""
        return self.modality is Modality.CONTAINER

    def scored(self, included: Collection[str]) -> bool:
        """Whether its likelihood is worked out: it votes, stands beside, or was asked for."""
        return self.votes or self.beside or self.name in included

    @property
    def model_ids(self) -> tuple[str, ...]:
        """Ids of its models."""
        return tuple(c.id for c in self.models)


@dataclass(frozen=True, slots=True)
class Registry:
    """All clues and models of a program, handed as data to whatever may not import them (`verdict`, `report`).

    What it does not know (a finding of another version) it names by its id.
    """

    clues: tuple[ClueSpec, ...] = ()
    cards: tuple[Card, ...] = ()

    def clue(self, name: str) -> ClueSpec | None:
        """The spec of this name."""
        return next((s for s in self.clues if s.name == name), None)

    def condition(self, clue: str) -> str:
        """What the analyst states by asking for a clue, or ""."""
        spec = self.clue(clue)
        return spec.condition if spec else ""

    def title(self, clue: str) -> str:
        """What people call what a clue perceives."""
        spec = self.clue(clue)
        return spec.title if spec else clue

    def kind(self, name: str) -> Kind | None:
        """A kind of observation."""
        return next((k for s in self.clues for k in s.kinds if k.name == name), None)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Every kind there is, once, in the order of the clues."""
        return tuple({k.name: k for s in self.clues for k in s.kinds}.values())

    @property
    def idle(self) -> tuple[ClueSpec, ...]:
        """The clues that count only when asked for."""
        return tuple(s for s in self.clues if not s.votes)

    def card(self, model: str) -> Card:
        """The card of a model."""
        every = (*(c for s in self.clues for c in s.models), *self.cards)
        return next((c for c in every if c.id == model), None) or Card.unknown(model)
