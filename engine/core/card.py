"""The card of a model: what a result has to say of whatever spoke."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """A model, or a computation that speaks like one. Written in `models.cards`, or in the spec of the clue that brings it.

    Attributes:
        id: as in Provenance.models and Observation.author.
        title: what people call it.
        purpose: what it does, a clause that follows its title.
        licence: its licence's name.
        source: who made it and where it is described.
        sha256: hex digest of its weights, or "" where it is not one fixed file.
        non_commercial: the licence forbids commercial use.
        included: it comes with the program or its packages; others are fetched, or given by the user.
        brings: what a result has with it and lacks without, a clause after "brings", or "".
        figure: how well it does by its makers' own account, with its source, a sentence, or "".
        files: (name, sha256) of each, where it is several fixed files.
    """

    id: str
    title: str
    purpose: str
    licence: str
    source: str
    sha256: str = ""
    non_commercial: bool = False
    files: tuple[tuple[str, str], ...] = ()
    included: bool = True
    brings: str = ""
    figure: str = ""

    @property
    def absent(self) -> str:
        """What a clue says that abstains for want of it."""
        return f"{self.title} is not installed"

    @classmethod
    def unknown(cls, model: str) -> Card:
        """The card of a model of which nothing but its id is known, such as one in a finding of another version."""
        return cls(model, model, "", "licence not stated", "")
