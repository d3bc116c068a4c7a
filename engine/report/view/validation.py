"""The validation sheet: what the method was tested on, what came out, and the command that anybody can run again.

The figures lie in `assets/validation.json`, one entry per experiment, and nowhere else in the program; a test holds them to the
README, the log and the fitted models.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.core.comparison import Comparison
from engine.core.errors import DataError
from engine.core.paths import ASSETS

FILE = ASSETS / "validation.json"
SCHEMA = "earwitness.validation/1"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One experiment.

    Attributes:
        title: what was asked.
        conditions: on what, how many, and what was not kept apart.
        command: what made the figures.
        seed: of whatever was drawn.
        date: when it was run, ISO 8601.
        source: the document that tells of it.
        columns, rows: the figures as they are stated there.
        remark: what else has to be known.
    """

    title: str
    conditions: str
    command: str
    seed: int
    date: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str


@dataclass(frozen=True, slots=True)
class Tested:
    """What the tests had, for a clip to be held against.

    Attributes:
        recordings, photos: how many stand behind the figures of sound and of picture.
        kind: of recordings.
        length_s: shortest and longest recording.
        codecs, copies: codings of the recordings, and that of the copies made.
        full_band_hz, lowpass_hz: upper end of what the recordings hold, and of the copies that were cut.
        continents: recordings by continent.
        clues: those whose figures were measured together.
        same_place_km, same_km: radius of the kernel scored; distance up to which a test pair counts as one place.
        regions_hold: how many of 100 regions of 50 and of 90% of the sound held the true place.
    """

    recordings: int
    photos: int
    kind: str
    length_s: tuple[float, float]
    codecs: tuple[str, ...]
    copies: str
    full_band_hz: float
    lowpass_hz: float
    continents: Mapping[str, int]
    clues: tuple[str, ...]
    same_place_km: float
    same_km: float
    regions_hold: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the factor for one place against two.

    Attributes:
        pairs, same_pairs: trials, and those of a recording at its own place.
        things: recordings behind them.
        effective: how many independent trials those at the own place and those elsewhere are worth, counted by region.
        log10_low, log10_high: the bounds, which count only so many.
        cllr: of pairs of a recording and a photo that nothing was fitted on, with its 95% interval.
        near: how many pairs from places near each other were called one place, in words.
        drawn: how often two places drawn apart fall near each other, in words.
    """

    pairs: int
    same_pairs: int
    things: int
    effective: tuple[int, int]
    log10_low: float
    log10_high: float
    cllr: str
    near: str
    drawn: str


@cache
def sheets() -> tuple[Sheet, ...]:
    """Every experiment, in the order of the file.

    Raises:
        DataError: the file is missing or malformed.
    """
    try:
        return tuple(
            Sheet(**{**s, "columns": tuple(s["columns"]), "rows": tuple(map(tuple, s["rows"]))}) for s in _facts()["sheets"]
        )
    except (KeyError, TypeError):
        raise _damaged() from None


@cache
def tested() -> Tested:
    """What the tests had; errors as for `sheets`."""
    try:
        facts = dict(_facts()["tested"])
        return Tested(**facts | {k: tuple(facts[k]) for k in ("length_s", "codecs", "clues", "regions_hold")})
    except (KeyError, TypeError):
        raise _damaged() from None


@cache
def factor() -> Behind:
    """What stands behind the factor; errors as for `sheets`."""
    try:
        facts = dict(_facts()["factor"])
        return Behind(**facts | {"effective": tuple(facts["effective"])})
    except (KeyError, TypeError):
        raise _damaged() from None


def behind(pairs: int) -> str:
    """How many trials a factor rests on, and how much material they share."""
    f = factor()
    if pairs != f.pairs:  # another calibration than the one the sheet tells of
        return f"{pairs:,} trials of known distance"
    return f"{pairs:,} trials of {f.things} recordings, each compared with every place, {f.same_pairs} with its own"


def regions_hold() -> str:
    """How often regions contained the true place, as measured; shown with every region."""
    t = tested()
    return (
        f"Measured on {t.recordings} recordings of known place: the sound's 50% region contained the true place in "
        f"{t.regions_hold[0]}, the 90% region in {t.regions_hold[1]} of 100 cases. For pictures, and for sound and picture "
        f"together, this was not measured."
    )


def bound_rows(c: Comparison) -> Iterator[tuple[str, str]]:
    """(name, sentence) on why no stronger factor is reported, and on the quality of the method."""
    f = factor()
    if c.pairs != f.pairs:
        return
    if c.at_bound:
        yield (
            "Bound",
            f"No stronger factor is reported, however clear the clip: it rests on {behind(c.pairs)}. Counted by region of the "
            f"world they are worth {f.effective[0]} independent trials at the own place and {f.effective[1]} elsewhere, and one "
            f"more misleading trial than was found among them cannot be excluded.",
        )
    yield (
        "Quality of the method",
        f"Cllr {f.cllr} on pairs of a recording and a photo that nothing was fitted on (0 is perfect, 1 no information). Where "
        f"its interval includes 1, the tests do not exclude that such factors carry no information; see the validation sheet.",
    )


@cache
def _facts() -> dict[str, Any]:
    try:
        facts = json.loads(FILE.read_text(encoding="utf-8"))
        if facts["schema"] != SCHEMA:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError):
        raise _damaged() from None
    return dict(facts)


def _damaged() -> DataError:
    return DataError(f"The validation sheet {FILE.name} cannot be read; install the program again.")
