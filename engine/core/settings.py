"""What the analyst chose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from engine.core.claim import MOST_RADIUS_KM, Claim
from engine.core.clip import Interval
from engine.core.edit import MOST_WEIGHT, Edit
from engine.core.errors import SettingError
from engine.core.observation import Observation

PRIORS = ("mixture", "land", "observer", "population")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the analyst chose. Perceiving uses track, programme, interval, stride_s and quick; all else is used in scoring only.

    Attributes:
        prior: one of PRIORS: an even mixture of land and observer (default), land by area, observers, population.
        when: the date of the recording, or None for any time of the year.
        track: audio track, from 1; None for the main one (`Clip.choice`).
        programme: number or name of the programme of a transport stream that is read; None for the track's, or the main one.
        interval: the stretch looked at; None for the whole clip.
        stride_s: step between sound windows; None chooses 1.5 s up to 60 s of sound, 3 s beyond.
        radius_km: the place reported has the most mass within this radius.
        same_place_km: radius of the kernel that says what "the same place" is.
        dropped: keys of observations (Observation.key) left out of the scoring.
        added: observations the analyst made.
        left_out: clues that are not to be scored; also ids of models whose observations are not.
        included: clues that are off unless asked for (container, agclip, speech, scene, streetclip).
        claim: a place, and perhaps a day, that the clip is said to come from, to be tested.
        seed: for whatever is sampled.
        weights: (clue or modality, weight of its log-likelihood) where it is not 1; a modality's counts in "both" alone.
        edits: what the analyst did, first to last; made by `engine.core.edit.apply`, which lets the fields above follow.
        still: path of a still picture that is looked at beside a sound; None for none.
        quick: perceive only what has a vote; clues that are off unless asked for are not run.
    """

    prior: str = "mixture"
    when: date | None = None
    track: int | None = None
    interval: Interval | None = None
    stride_s: float | None = None
    radius_km: float = 100.0
    same_place_km: float = 50.0
    dropped: frozenset[str] = frozenset()
    added: tuple[Observation, ...] = ()
    left_out: frozenset[str] = frozenset()
    included: frozenset[str] = frozenset()
    claim: Claim | None = None
    seed: int = 0
    weights: tuple[tuple[str, float], ...] = ()
    edits: tuple[Edit, ...] = ()
    quick: bool = False
    programme: str | None = None
    still: str | None = None

    def __post_init__(self) -> None:
        if self.prior not in PRIORS:
            raise SettingError(f"There is no prior called {self.prior!r}; choose one of {', '.join(PRIORS)}.")
        if not 1.0 <= self.radius_km <= 5000.0:
            raise SettingError(f"A radius of {self.radius_km:g} km is out of range; choose 1 to 5,000 km.")
        if not 1.0 <= self.same_place_km <= MOST_RADIUS_KM:
            raise SettingError(
                f"A same-place radius of {self.same_place_km:g} km is out of range; choose 1 to {MOST_RADIUS_KM:g} km."
            )
        if self.stride_s is not None and not 0.1 <= self.stride_s <= 60.0:
            raise SettingError(f"A stride of {self.stride_s:g} s is out of range; choose 0.1 to 60 s.")
        for name, weight in self.weights:
            if not 0.0 <= weight <= MOST_WEIGHT:
                raise SettingError(f"A weight of {weight:g} for {name} is out of range; choose 0 to {MOST_WEIGHT:g}.")

    def but(self, **changes: Any) -> Settings:
        """A copy with these fields changed."""
        return replace(self, **changes)
