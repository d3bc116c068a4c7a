"""Who made the models that spoke, under which licence. A result always says so."""

from __future__ import annotations

from collections.abc import Iterable

from engine.core.card import Card
from engine.core.spec import Registry


def credits(models: Iterable[str], registry: Registry) -> tuple[Card, ...]:
    """Cards of these models, in order; one that the registry does not know is named by its id."""
    return tuple(registry.card(m) for m in dict.fromkeys(models))


def licence_note(models: Iterable[str], registry: Registry) -> str:
    """One sentence on what the models' licences mean for the use of this result; "" when none restricts it."""
    bound = [c for c in credits(models, registry) if c.non_commercial]
    if not bound:
        return ""
    licences = ", ".join(dict.fromkeys(c.licence for c in bound))
    names = ", ".join(c.title for c in bound)
    return f"{names}: licensed for non-commercial use only ({licences})."
