"""Where a language is spoken: evidence of the place only if the people heard are at the scene, which no program can hear.

Only the language is scored, and only when the analyst says that they are (`ClueSpec.condition`); places that are named aloud
never are. With p(l) the mean chance of language l over the windows whose language is clear and s(l, x) the share of people at x
who speak it daily,

    L(x) = 1 - RIGHT * sum over l of p(l) + RIGHT * sum over l of p(l) * (DOUBT + (1 - DOUBT) * s(l, x) / mean(s)),

the mean being taken over the land by area; what no language accounts for favours no place. Languages of different windows are
alternatives, added and not multiplied: one of them may be the place's, the others those of travellers. DOUBT is the chance that
the language has nothing to do with the place; RIGHT that Whisper names it rightly. No two places differ by more than MOST_FACTOR.
DOUBT and MOST_FACTOR are choices, not fits. Shares are by country: assets/cues/speakers.csv (Unicode CLDR), overruled by
spoken.csv.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.clues.speech.codes import SPEECH, normal
from engine.clues.speech.observe import LEAST_CHANCE, LEAST_SPEECH_S
from engine.clues.speech.spec import SPEC
from engine.core.errors import DataError, MissingWeights
from engine.core.evidence import Evidence
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.paths import ASSETS
from engine.models import whisper
from engine.world import countries

DOUBT = 0.25
RIGHT = (30 + 1) / (30 + 2)  # 30 of 30 windows of real speech (`earwitness bench speech --spoken`), by Laplace's rule
MOST_FACTOR = 30.0
_FLOOR, _ENGLISH = 0.003, 0.03  # shares of a language that a country doesn't list: visitors, films
# CLDR counts those who can hold a conversation, too. Where one of these has no status and is nobody's, few speak it daily.
_LEARNT, _DAILY = frozenset(("de", "en", "es", "fr", "it", "ru")), 0.1
_LISTED = (0.85, 0.12, 0.05, 0.02)  # but where GeoNames lists it, as much by its place in the list
_ALIKE = {"hi": ("hi", "ur"), "ur": ("hi", "ur"), "id": ("id", "ms"), "ms": ("id", "ms")}  # in speech often taken for the other


def log_likelihood(
    observations: tuple[Observation, ...], grid: Grid, when: date | None = None, folder: Path | None = None
) -> Evidence:
    """Where the language is spoken, (cells,); abstains without speech, without Whisper, or when the language is unclear."""
    own = tuple(o for o in observations if o.clue == SPEC.name)
    named = tuple(o for o in own if o.kind == "speech" and o.label != SPEECH)
    if not named:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, _why_silent(own, folder), own)
    chances = language_chances(named)
    if not chances:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, "the spoken language is unclear", own)
    log_l = np.log(likelihood(chances, grid))
    log_l = np.maximum(log_l, log_l.max() - np.log(MOST_FACTOR))
    models = tuple(dict.fromkeys(o.author for o in named if o.author in SPEC.model_ids))
    return Evidence(SPEC.name, SPEC.modality, grid, log_l, own, models=models)


def _why_silent(own: tuple[Observation, ...], folder: Path | None) -> str:
    if not own:
        return "no speech was detected"
    try:
        whisper.whisper_folder(folder)
    except MissingWeights as error:
        return error.reason
    return f"no window of 30 s holds {LEAST_SPEECH_S:g} s of speech in a language that Whisper tells"


def language_chances(named: Sequence[Observation]) -> dict[str, float]:
    """Mean chance of each language over the windows in which one is clear; an analyst's word is certain and overrules."""
    said = {normal(o.label) for o in named if o.by_analyst}
    if said:
        return {language: 1.0 / len(said) for language in sorted(said)}
    windows: dict[float, dict[str, float]] = {}
    for o in named:
        own = windows.setdefault(o.start_s, {})
        own[normal(o.label)] = own.get(normal(o.label), 0.0) + min(1.0, max(0.0, o.score))
    clear = [w for w in windows.values() if max(w.values()) >= LEAST_CHANCE]
    chances: dict[str, float] = {}
    for window in clear:
        for language, chance in window.items():
            chances[language] = chances.get(language, 0.0) + chance / max(1.0, sum(window.values())) / len(clear)
    return chances


def likelihood(chances: dict[str, float], grid: Grid) -> NDArray[np.float64]:
    """L of the module's text, (cells,), before its cap; what no language accounts for says nothing."""
    weight = grid.area_km2 / grid.area_km2.sum()
    total = np.full(len(grid), max(0.0, 1.0 - RIGHT * sum(chances.values())))
    number = countries.of(grid)
    for language, chance in chances.items():
        share = np.append(shares(language), _FLOOR)[number]  # the last is no country's (-1)
        total += RIGHT * chance * (DOUBT + (1.0 - DOUBT) * share / float(share @ weight))
    return total


@cache
def shares(language: str) -> NDArray[np.float64]:
    """(countries,) share of people who speak a language daily, in the order of `countries.table`."""
    out = np.zeros(len(countries.table()))
    for code in _ALIKE.get(language, (language,)):
        held = {row["country"]: float(row["share"]) for row in _rows("spoken.csv") if row["language"] == code}
        counted = {row["country"]: row for row in _rows("speakers.csv") if row["language"] == code}
        for i, country in enumerate(countries.table()):
            if country.code in held:
                out[i] += held[country.code]
            elif country.code in counted:
                out[i] += _daily(code, country, counted[country.code])
    return np.clip(out, _ENGLISH if language == "en" else _FLOOR, 1.0)


def _daily(language: str, country: countries.Country, row: dict[str, str]) -> float:
    share = float(row["share"])
    if row["status"] or language not in _LEARNT:
        return share
    spoken = [normal(code) for code in country.languages][: len(_LISTED)]
    listed = _LISTED[spoken.index(language)] if language in spoken else 0.0
    return max(_DAILY * share, min(share, listed))


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    path = ASSETS / "cues" / name
    if not path.is_file():
        raise DataError(f"The table {path} is missing; get the program's assets again.")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(line for line in file if not line.startswith("#")))
