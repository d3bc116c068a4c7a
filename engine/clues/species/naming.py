"""Names of species: BirdNET's own, and those that other lists give to the same bird.

Names are compared without case, accents, hyphens and the British spelling of grey; what still is unknown is looked up in
`assets/species/synonyms.csv`, where every name stands with its source.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from engine.core.paths import ASSETS
from engine.models import birdnet

_TABLE = ASSETS / "species" / "synonyms.csv"


@dataclass(frozen=True, slots=True)
class Synonym:
    """A name that another list gives to a class of BirdNET.

    Attributes:
        name: as that list has it.
        label: BirdNET's class.
        change: "renamed", "split" (a part of what BirdNET calls so) or "lumped" (more than that).
        source: the list.
    """

    name: str
    label: birdnet.Label
    change: str
    source: str

    @property
    def remark(self) -> str:
        """What has to be said when it is read as BirdNET's class, or ""."""
        kind = {"split": "part of", "lumped": "more than"}.get(self.change)
        return f"{self.name} is {kind} what BirdNET calls {self.label.common}, and is read as that." if kind else ""


def known(name: str) -> birdnet.Label | None:
    """The class of BirdNET that a name means: Latin or English, "Latin_English", "Latin, English", or None."""
    names = _names()
    for form in _forms(name):
        if form in names:
            return birdnet.labels()[names[form]]
    synonym = read_as(name)
    return synonym.label if synonym else None


def read_as(name: str) -> Synonym | None:
    """The synonym that a name is, or None where it is BirdNET's own or nobody knows it."""
    forms = _forms(name)
    if any(form in _names() for form in forms):
        return None
    return next((s for form in forms if (s := synonyms().get(form))), None)


@cache
def synonyms() -> dict[str, Synonym]:
    """All of them by their folded name."""
    latin = {label.latin: label for label in birdnet.labels()}
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {
            folded(r["name"]): Synonym(r["name"], latin[r["birdnet"]], r["change"], r["source"]) for r in csv.DictReader(file)
        }


def folded(name: str) -> str:
    """A name as it is compared: without case, accents, hyphens, and with American spelling."""
    plain = unicodedata.normalize("NFKD", name.replace("\u2019", "'").casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c)).replace("-", " ").replace("coloured", "colored")
    return " ".join(re.sub(r"\bgrey", "gray", bare).split())


def _forms(name: str) -> tuple[str, ...]:
    """The name, and its parts where it is a Latin and an English one together."""
    whole = folded(name)
    found = (whole, *re.split(r"_|, ", whole, maxsplit=1), whole.replace("_", " "))
    return tuple(dict.fromkeys(form.strip() for form in found if form.strip()))


@cache
def _names() -> dict[str, int]:
    english = {folded(label.common): i for i, label in enumerate(birdnet.labels())}
    return english | {folded(label.latin): i for i, label in enumerate(birdnet.labels())}
