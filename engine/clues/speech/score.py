"""Where a language is spoken: a witness to who made the film rather than to where it was made.

Only the language is scored, and only when the analyst asks for it (`ClueSpec.votes`). With p(l) the mean
chance of language l over the windows and s(l, x) the share of people at x who speak it daily,

    L(x) = sum over l of p(l) * (DOUBT + (1 - DOUBT) * s(l, x) / mean(s)),

the mean being taken over the land by area; DOUBT is the chance that the language has nothing to do with the place: narration,
dubbing, travellers. No two places differ by more than MOST_FACTOR. Both are choices, not fits. Shares are by country: GeoNames'
order of its languages, overruled by assets/cues/spoken.csv.
"""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.clues.speech.codes import SPEECH, normal
from engine.clues.speech.observe import LEAST_SPEECH_S
from engine.clues.speech.spec import SPEC
from engine.core.errors import DataError, MissingWeights
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.paths import ASSETS
from engine.models import whisper
from engine.world import countries

LEAST_CHANCE = 0.5  # of the commonest language over all windows; below it nobody knows
DOUBT = 0.25
MOST_FACTOR = 30.0
_RANKS = (0.85, 0.12, 0.05, 0.02)  # shares by place in GeoNames' list of a country's languages
_FLOOR, _ENGLISH = 0.003, 0.03  # shares of a language that a country doesn't list: visitors, films


def log_likelihood(
    observations: tuple[Observation, ...], grid: Grid, when: date | None = None, folder: Path | None = None
) -> Evidence:
    """Where the language is spoken, (cells,); abstains without speech, without Whisper, or when the language is unclear."""
    own = tuple(o for o in observations if o.clue == SPEC.name)
    chances = language_chances(own)
    if not chances:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, _why_silent(own, folder), own)
    if max(chances.values()) < LEAST_CHANCE:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, "the spoken language is unclear", own)
    log_l = np.log(likelihood(chances, grid))
    log_l = np.maximum(log_l, log_l.max() - np.log(MOST_FACTOR))
    return Evidence(SPEC.name, SPEC.modality, grid, log_l, own, models=(whisper.MODEL_ID,))


def _why_silent(own: tuple[Observation, ...], folder: Path | None) -> str:
    if not own:
        return "no speech was detected"
    try:
        whisper.whisper_folder(folder)
    except MissingWeights as error:
        return error.reason
    return f"no window of 30 s holds {LEAST_SPEECH_S:g} s of speech in a language that Whisper tells"


def language_chances(observations: tuple[Observation, ...]) -> dict[str, float]:
    """Mean chance of each language over the windows asked; an analyst's word counts as certain and overrules."""
    named = [o for o in observations if o.kind == "speech" and o.label != SPEECH]
    said = {normal(o.label) for o in named if o.by_analyst}
    if said:
        return {language: 1.0 / len(said) for language in sorted(said)}
    windows = len({o.start_s for o in named})
    chances: dict[str, float] = {}
    for o in named:
        chances[normal(o.label)] = chances.get(normal(o.label), 0.0) + min(1.0, max(0.0, o.score)) / windows
    return chances


def likelihood(chances: dict[str, float], grid: Grid) -> NDArray[np.float64]:
    """L of the module's text, (cells,), before its cap; what no language accounts for says nothing."""
    weight = grid.area_km2 / grid.area_km2.sum()
    total = np.full(len(grid), max(0.0, 1.0 - sum(chances.values())))
    number = countries.of(grid)
    for language, chance in chances.items():
        share = np.append(shares(language), _FLOOR)[number]  # the last is no country's (-1)
        total += chance * (DOUBT + (1.0 - DOUBT) * share / float(share @ weight))
    return total


@cache
def shares(language: str) -> NDArray[np.float64]:
    """(countries,) share of people who speak a language daily, in the order of `countries.table`."""
    held = {country: share for code, country, share in _stated() if code == language}
    floor = _ENGLISH if language == "en" else _FLOOR
    out = np.full(len(countries.table()), floor)
    for i, country in enumerate(countries.table()):
        spoken = [normal(code) for code in country.languages]
        if country.code in held:
            out[i] = held[country.code]
        elif language in spoken and spoken.index(language) < len(_RANKS):
            out[i] = max(floor, _RANKS[spoken.index(language)])
    return out


@cache
def _stated() -> tuple[tuple[str, str, float], ...]:
    path = ASSETS / "cues" / "spoken.csv"
    if not path.is_file():
        raise DataError(f"The table {path} is missing; get the program's assets again.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return tuple((row["language"], row["country"], float(row["share"])) for row in rows)
