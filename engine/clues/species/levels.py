"""How much mass a region of the sound must hold to contain the true place as often as it says.

A posterior's own 50% region would hold half of the true places if the likelihood were right in every respect. It is not: ranges
are drawn too sharply, richness too coarsely. So the share of mass is calibrated by split conformal prediction (Vovk et al. 2005):
the level of a 50% region is that share of the mass which, on sounds of known place that had no part in the fit, held the place
half of the time. Lists that people vouch for and detections of a model have levels of their own, by how much information was
heard. Fitted by `earwitness lab calibrate-species`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.core.paths import ASSETS

FILE = ASSETS / "models" / "region_levels.json"
SOURCES = ("list", "detections")


@cache
def table() -> dict[str, Any]:
    """The fitted levels: for each of SOURCES `amount` (k,), nats in order, and `levels`, share to (k,).

    Raises:
        WeightsError: the file is missing or damaged.
    """
    try:
        fitted: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
        for source in SOURCES:
            amount = fitted[source]["amount"]
            if not amount or any(len(row) != len(amount) for row in fitted[source]["levels"].values()):
                raise ValueError(f"{source} has strata without levels")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{FILE} cannot be read ({error}); restore it from the repository") from None
    return fitted


def levels_at(source: str, amount: float, fitted: dict[str, Any] | None = None) -> tuple[tuple[float, float], ...]:
    """(share wanted, share of the mass needed) at an amount of information in nats, between those fitted in proportion."""
    own = (fitted or table())[source]
    middle = np.log1p(np.array(own["amount"], dtype=np.float64))
    found = [(float(share), float(np.interp(np.log1p(amount), middle, row))) for share, row in own["levels"].items()]
    return tuple(sorted(found))


def source_of(said: NDArray[np.bool_], chance: NDArray[np.float64]) -> str:
    """Which of SOURCES most of what was heard comes from: (s,) whether a person vouches for it, and the chances."""
    return SOURCES[0] if float(chance[said].sum()) > float(chance[~said].sum()) else SOURCES[1]
