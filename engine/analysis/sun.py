"""The sun and the analyst: a shadow marked as an edit, what it does to the map while it is marked, which times fit a place, and
whether a claimed time is one of daylight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.clues.sun import geometry, score
from engine.clues.sun.mark import DAY_MIN, HEADING_SD, MOMENT_MIN, Mark, When, fov_of_lens
from engine.clues.sun.observe import daylight_frames
from engine.clues.sun.spec import SHADOW, SPEC
from engine.core.claim import Claim, SunAtClaim
from engine.core.clip import Clip
from engine.core.edit import MOST_TEXT, Edit, signed
from engine.core.errors import SettingError
from engine.core.observation import ANALYST, Observation
from engine.world import sun
from engine.world.grid import world_grid

__all__ = [
    "HEADING_SD",
    "Fit",
    "Mark",
    "Preview",
    "When",
    "aspect_of",
    "fits",
    "fov_of_lens",
    "mark_shadow",
    "preview",
    "raster",
    "size_of",
    "stated_when",
]

RASTER = (150, 360)  # rows from 84 degrees north to 66 south, columns from 180 degrees west
_TOP_DEG = 84.0
LEAST_DAYLIGHT = 2  # frames with a blue sky before anything is made of them
DARK_DEG = sun.NAUTICAL_DEG  # a camera still makes a blue sky of the twilight above it


def mark_shadow(mark: Mark, at_s: float, confidence: float, author: str = "", note: str = "") -> Edit:
    """A shadow that the analyst marked on the frame at a moment.

    Args:
        confidence: chance that the marking is right: this thing's shadow, this time.

    Raises:
        SettingError: no sun throws such a shadow, or time or confidence are invalid.
    """
    if not 0.0 < confidence <= 1.0:
        raise SettingError(f"A confidence of {confidence:g} is out of range; choose more than 0 and at most 1.")
    if not np.isfinite(at_s) or at_s < 0:
        raise SettingError(f"The time {at_s:g} s is not valid; give one within the clip.")
    low, mid, high = geometry.directions(mark).interval()
    turned = f", camera looks towards {mark.heading_deg % 360:.0f}°" if mark.heading_deg is not None else ""
    name = f"Shadow: the sun about {mid:.0f}° up"
    remark = f"the sun {low:.0f} to {high:.0f}° up (90%), {mark.when.said}{turned}"
    kept = f"{remark}. {note}" if note else remark
    seen = Observation(SPEC.name, SHADOW, mark.text, confidence, at_s, at_s, name, signed(author), mark.box, kept[:MOST_TEXT])
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    return Edit("add", seen.key, (seen,), " ".join(author.split())[:80] or ANALYST, confidence, kept[:MOST_TEXT], stamp)


def aspect_of(clip: Clip) -> float:
    """Width of the clip's upright frames by their height.

    Raises:
        SettingError: the clip has no pictures, or does not state their size.
    """
    width, height = size_of(clip)
    return width / height


def size_of(clip: Clip) -> tuple[int, int]:
    """(width, height) of the clip's upright frames in pixels; errors as for `aspect_of`."""
    choice = clip.choice("video")
    stream = choice.stream if choice else None
    if stream is None or not stream.width_px or not stream.height_px:
        raise SettingError("The clip has no pictures on which a shadow could be marked.")
    turned = stream.rotation_deg % 180 != 0
    return (stream.height_px, stream.width_px) if turned else (stream.width_px, stream.height_px)


def stated_when(observations: Sequence[Observation]) -> When | None:
    """When the file itself says that it was recorded, or None; a day alone leaves the time open."""
    for o in observations:
        if o.clue == "container" and o.name == "creation time":
            try:
                at = datetime.fromisoformat(o.label)
                if len(o.label) <= 10:
                    return When(at.date(), at.date(), offset_min=None)
                ahead = at.utcoffset()
                offset = None if ahead is None else round(ahead.total_seconds() / 60)
                start = at - timedelta(minutes=MOMENT_MIN)
                minute = 60 * start.hour + start.minute
                return When(start.date(), start.date(), minute, minute + 2 * MOMENT_MIN, offset)
            except (ValueError, SettingError):
                continue
    return None


# --- while it is marked ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """What a marking says before it is made an edit.

    Attributes:
        low_deg, elevation_deg, high_deg: median and 90% interval of the sun's elevation.
        area_share: share of the map's area that holds 90% of the likelihood.
        picture: (150, 360) uint8, 0 to 255: the likelihood by its highest, for a map from 84° north to 66° south; land alone.
    """

    low_deg: float
    elevation_deg: float
    high_deg: float
    area_share: float
    picture: NDArray[np.uint8] = field(repr=False)


def preview(mark: Mark) -> Preview:
    """The marking's likelihood over the world, in a fraction of a second.

    Raises:
        SettingError: no sun throws such a shadow, or none at that time.
    """
    low, mid, high = geometry.directions(mark).interval()
    grid = world_grid()
    values = score.likelihood(mark, grid)
    if not values.max() > 0.0:
        raise SettingError("At the time given, the sun stands nowhere where this shadow puts it; check points and time.")
    mass = values * grid.area_km2
    order = np.argsort(-values)
    held = np.cumsum(mass[order]) / mass.sum()
    area = float(grid.area_km2[order[: int(np.searchsorted(held, 0.9)) + 1]].sum() / grid.area_km2.sum())
    at = raster()
    shown = np.where(at >= 0, np.round(255.0 * (values / values.max())[at]), 0.0).astype(np.uint8)
    return Preview(low, mid, high, area, shown)


@cache
def raster() -> NDArray[np.int64]:
    """(150, 360) number of the world grid's cell at the middle of each degree; -1 at sea."""
    rows, columns = RASTER
    lat = np.repeat(_TOP_DEG - 0.5 - np.arange(rows), columns)
    lon = np.tile(np.arange(columns) - 179.5, rows)
    return world_grid().locate(lat, lon).reshape(rows, columns)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How well each time of a year fits a marking at one place.

    Attributes:
        days: of the year.
        hours: of the place's own clock, (m,).
        fit: (days, m) by its highest, 1 where it fits best; NaN where the sun is down.
        said: the same in a sentence.
    """

    days: tuple[date, ...]
    hours: NDArray[np.float64] = field(repr=False)
    fit: NDArray[np.float64] = field(repr=False)
    said: str


def fits(mark: Mark, lat_deg: float, lon_deg: float) -> Fit:
    """Which times fit a marking at a known place; the day in the marking gives the year and, where it is one day, the sentence.

    Raises:
        SettingError: no sun throws such a shadow.
    """
    when = mark.when
    days, hours, fit = score.fit_by_time(mark, lat_deg, lon_deg, when.first.year)
    if when.first != when.last:
        return Fit(tuple(days), hours, fit, f"Times of {when.first.year} at which the sun stands where the shadow puts it.")
    own = np.nan_to_num(fit[(when.first - days[0]).days])
    good = np.flatnonzero(own >= 0.1)
    if not len(good):
        said = f"On {when.first} the sun never stands there where this shadow puts it."
    else:
        runs = np.split(good, np.flatnonzero(np.diff(good) > 1) + 1)
        half = (hours[1] - hours[0]) / 2
        spans = [f"{_clock(hours[r[0]] - half)} to {_clock(hours[r[-1]] + half)}" for r in runs]
        said = f"On {when.first} this shadow fits {' and '.join(spans)} by the clocks there."
    return Fit(tuple(days), hours, fit, said)


def _clock(hours: float) -> str:
    minutes = round(60 * hours)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


# --- a claimed time --------------------------------------------------------------------------------------------------------


def at_claim(claim: Claim, observations: Sequence[Observation]) -> SunAtClaim | None:
    """Where the sun stood at a claimed place and time, and whether the frames show daylight; None where no day is claimed.

    Where no time of day is claimed, the whole day is asked for.
    """
    if claim.when is None:
        return None
    zone = sun.zone_at(claim.lat_deg, claim.lon_deg)
    minutes = np.arange(0, DAY_MIN, 5) if claim.minute is None else np.array([claim.minute])
    midnight = datetime(claim.when.year, claim.when.month, claim.when.day, tzinfo=UTC).timestamp()
    ahead = np.array([sun.offset_min(zone, claim.when, int(m)) for m in minutes])
    elevation, azimuth = sun.positions(claim.lat_deg, claim.lon_deg, midnight + 60.0 * (minutes - ahead))
    highest = int(np.argmax(elevation))
    frames = daylight_frames(observations)
    return SunAtClaim(
        elevation_deg=float(elevation[highest]),
        azimuth_deg=float(azimuth[highest]),
        light=sun.light_of(float(elevation[highest])),  # the air lifts no sun over the threshold of day that is not above it
        whole_day=claim.minute is None,
        zone=zone,
        daylight_frames=frames,
        contradicted=frames >= LEAST_DAYLIGHT and float(elevation[highest]) < DARK_DEG,
    )
