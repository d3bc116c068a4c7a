"""What somebody says of a clip, where and when it was made, and what the evidence says to that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from engine.core.comparison import Support, UnderPrior, odds_of
from engine.core.errors import SettingError

CLAIM_RADIUS_KM = 50.0
MOST_RADIUS_KM = 500.0  # of a claim and of "the same place": what the factors are calibrated for
LIVES, NOT_THEN, NOT_THERE = "lives there", "not in that week", "does not live there"


class ClaimVerdict(StrEnum):
    """What the evidence says to a claim."""

    SUPPORTS = "supports the claim"
    REGION = "supports the region"  # of the claim: places 500 to 1,000 km from it fit as well
    AGAINST = "speaks against the claim"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Claim:
    """A place, and perhaps a day, that a clip is said to come from.

    Attributes:
        lat_deg, lon_deg: WGS 84, longitude -180 to 180.
        when: the day, or None.
        name: the place as the analyst knows it, or "".
        radius_km: how closely the place is stated: the standard deviation of a Gaussian around it.
        source: who says so: "analyst" or "container".
        minute: time of the day by the place's own clock, in minutes after midnight, or None.
    """

    lat_deg: float
    lon_deg: float
    when: date | None = None
    name: str = ""
    radius_km: float = CLAIM_RADIUS_KM
    source: str = "analyst"
    minute: int | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lat_deg) and math.isfinite(self.lon_deg)):
            raise SettingError("The claimed place has a coordinate that is no number; give latitude and longitude in degrees.")
        if abs(self.lat_deg) > 90.0 or abs(self.lon_deg) > 180.0:
            raise SettingError(
                f"{self.lat_deg:g}, {self.lon_deg:g} lies beyond the Earth; give a latitude of -90 to 90 and a longitude of "
                "-180 to 180 degrees."
            )
        if self.minute is not None and not (0 <= self.minute < 24 * 60 and self.when is not None):
            raise SettingError("A claimed time of the day needs a claimed day, and lies between 00:00 and 23:59.")
        if not 5.0 <= self.radius_km <= MOST_RADIUS_KM:
            raise SettingError(f"A claim's radius of {self.radius_km:g} km is out of range; choose 5 to {MOST_RADIUS_KM:g} km.")


@dataclass(frozen=True, slots=True)
class ClaimFactor:
    """How much more likely the evidence of one modality is if the claim is true than if the clip is from elsewhere.

    Attributes:
        modality: "sound", "picture", "both", or "season": what was heard at the claimed place in the week claimed, against any
            other week there.
        verdict: what it says to the claim.
        support: of core.comparison.VERBAL_SCALE, for the headline, the weakest under all priors.
        log10_raw: log10 of the likelihood ratio before calibration.
        log10_factor: calibrated and bounded; > 0 supports the claim.
        log10_low, log10_high: 95% interval of the calibrated factor, from the bootstrap of its validation.
        at_bound: the factor would be more extreme if more validation supported it.
        things: recordings, photos or both of known place behind the calibration.
        distance_km: from the place this modality reports to the claimed one; None where it reports none.
        region: smallest share (0.5, 0.9, 0.95) of the posterior whose region holds the claimed place; 1.0 outside of all.
        by_prior: under every prior; empty for the season.
        reason: why there is no result, or "".
        rests_on: what the factor rests on alone ("one species: Wrentit"), which limits it to weak support, or "".
    """

    modality: str
    verdict: ClaimVerdict
    support: Support
    log10_raw: float
    log10_factor: float
    log10_low: float
    log10_high: float
    at_bound: bool
    things: int
    distance_km: float | None = None
    region: float = 1.0
    by_prior: tuple[UnderPrior, ...] = ()
    reason: str = ""
    rests_on: str = ""

    @property
    def odds(self) -> str:
        """The factor as "about 90 : 1", towards whichever proposition it speaks for."""
        return odds_of(self.log10_factor)


@dataclass(frozen=True, slots=True)
class Resident:
    """A species, and whether it is at home at the claimed place.

    Attributes:
        key: Observation.key; "" for one that was not heard.
        latin, name: Latin and everyday name.
        score: best score heard, 0 when it was not.
        chance: calibrated chance that it was heard rightly.
        best_week: highest chance over the year that it is recorded at the claimed place.
        then: highest chance in the week claimed and the two beside it; None without a date.
        weeks: (48,) chance in each of BirdNET's weeks.
        home: LIVES, NOT_THEN or NOT_THERE.
        doubt: why it must not decide anything, or "".
    """

    key: str
    latin: str
    name: str
    score: float
    chance: float
    best_week: float
    then: float | None
    weeks: tuple[float, ...]
    home: str
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class SunAtClaim:
    """The sun at a claimed place and time; where no time of the day is claimed, at its highest on that day.

    Attributes:
        elevation_deg: of its centre as the air shows it; below 0 it is down.
        azimuth_deg: from north over east.
        light: "day", "civil twilight", "nautical twilight", "astronomical twilight" or "night".
        whole_day: no time of the day is claimed.
        zone: IANA name of the place's time zone.
        daylight_frames: frames in which a blue sky was seen.
        contradicted: there are enough of these, and no sun to light them.
    """

    elevation_deg: float
    azimuth_deg: float
    light: str
    whole_day: bool
    zone: str
    daylight_frames: int = 0
    contradicted: bool = False


@dataclass(frozen=True, slots=True)
class ClaimTest:
    """A claim tested.

    Attributes:
        claim: what is said.
        place: the claimed place in words.
        verdict: what all modalities together say to it.
        support: words of the verbal scale for it.
        reason: why there is no result, or "".
        factors: by modality, both together, and the season when a date was claimed.
        heard: species heard, best first, and whether they are at home there.
        absent: easily heard species that are to be expected there and were not heard: weak evidence, never scored.
        expected: how many such species are to be expected there.
        week: the claimed week, BirdNET's 1 to 48, or None.
        before_edits: log10 ratio of the verdict as first computed, or None when nothing was edited; 0 where it could not tell.
        sun: where the sun stood then, or None where no day is claimed; in no ratio.
    """

    claim: Claim
    place: str
    verdict: ClaimVerdict
    support: Support
    reason: str
    factors: tuple[ClaimFactor, ...]
    heard: tuple[Resident, ...] = ()
    absent: tuple[Resident, ...] = ()
    expected: int = 0
    week: int | None = None
    before_edits: float | None = None
    sun: SunAtClaim | None = None

    def by(self, modality: str) -> ClaimFactor | None:
        """The factor of this modality, or None when there is none."""
        return next((f for f in self.factors if f.modality == modality), None)

    @property
    def main(self) -> ClaimFactor | None:
        """The factor that the verdict rests on: both modalities where the clip has both, else the one it has."""
        return self.by("both") or next((f for f in self.factors if f.modality != "season"), None)
