"""A shadow as the analyst marks it, and when: written as one line of text, which is the observation's label.

    foot=0.4100,0.8000 top=0.4150,0.3500 tip=0.6200,0.8400 frame=1.7778 fov=65 heading=145±10 when=2024-06-01T10:00/11:00Z

Points are shares of the upright frame's width and height, from the left and the top. So nothing of a marking lies outside the
report, and anybody can score it again.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import date

from engine.core.errors import SettingError

MOST_DAYS = 366
LEAST_YEAR, MOST_YEAR = 1900, 2100
LEAST_FOV, MOST_FOV = 3.0, 150.0
HEADING_SD = 10.0  # degrees, where the analyst gives none
MOMENT_MIN = 10  # a time given to the minute is one within so many minutes on either side
FULL_FRAME = 43.267  # diagonal of 36 by 24 mm
DAY_MIN = 24 * 60
_DAY = r"(\d{4}-\d{2}-\d{2})"
_CLOCK = r"(\d{1,2}):(\d{2})(?::\d{2})?"
_WHEN = re.compile(rf"{_DAY}(?:/{_DAY})?(?:[T ]{_CLOCK}(?:/{_CLOCK})?)?(Z|[+-]\d{{2}}:?\d{{2}})?")
_NUMBER = r"-?\d+(?:\.\d+)?"

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class When:
    """When a shadow fell: every day from first to last, between two times of the clock.

    Attributes:
        first, last: days.
        start_min, end_min: minutes after midnight; the end may lie beyond midnight.
        offset_min: of the clock from UTC; None for the clock of the place, whichever it is.
    """

    first: date
    last: date
    start_min: int = 0
    end_min: int = DAY_MIN
    offset_min: int | None = 0

    def __post_init__(self) -> None:
        if not (LEAST_YEAR <= self.first.year <= MOST_YEAR and LEAST_YEAR <= self.last.year <= MOST_YEAR):
            raise SettingError(f"The shadow's day must lie between {LEAST_YEAR} and {MOST_YEAR}; give another.")
        if not 0 <= (self.last - self.first).days < MOST_DAYS:
            raise SettingError(f"The shadow's days are not in order, or more than {MOST_DAYS}; give the earlier one first.")
        if not (0 <= self.start_min < self.end_min <= self.start_min + DAY_MIN and self.start_min < DAY_MIN):
            raise SettingError("The shadow's times are not in order; give times of one day, such as 10:00/11:00.")
        if self.offset_min is not None and abs(self.offset_min) > 14 * 60:
            raise SettingError("No clock is more than 14 hours from UTC; correct the offset.")

    @classmethod
    def parse(cls, text: str) -> When:
        """Read "2024-06-01T10:00/11:00Z", "2024-06-01/2024-06-20T10:00/11:00+02:00", "2024-06-01T10:20" (the place's own
        clock) or "2024-06-01" (any time of that day).

        Raises:
            SettingError: it is none of these.
        """
        found = _WHEN.fullmatch(text.strip())
        try:
            if found is None:
                raise ValueError
            first = date.fromisoformat(found[1])
            last = date.fromisoformat(found[2]) if found[2] else first
            clocks = [(int(h), int(m)) for h, m in (found.group(3, 4), found.group(5, 6)) if h is not None]
            if any(h > 23 or m > 59 for h, m in clocks):
                raise ValueError
        except ValueError:
            raise SettingError(
                f'"{text.strip()[:60]}" is no time for a shadow; write 2024-06-01T10:00/11:00Z, with +02:00 in place of Z for '
                "another clock and nothing for the place's own."
            ) from None
        minutes = [60 * h + m for h, m in clocks]
        start, end = 0, DAY_MIN
        if len(minutes) == 1:
            start, end = minutes[0] - MOMENT_MIN, minutes[0] + MOMENT_MIN
            start, end = max(0, start), max(start, 0) + 2 * MOMENT_MIN
        elif minutes:
            start, end = minutes
            end += DAY_MIN if end <= start else 0
        return cls(first, last, start, end, _offset(found[7]))

    @property
    def text(self) -> str:
        """As `parse` reads it."""
        days = self.first.isoformat() + ("" if self.last == self.first else f"/{self.last.isoformat()}")
        zone = "" if self.offset_min is None else "Z" if not self.offset_min else _signed(self.offset_min)
        if self.end_min - self.start_min == DAY_MIN and not self.start_min:
            return days + zone
        return f"{days}T{_clock(self.start_min)}/{_clock(self.end_min)}{zone}"

    @property
    def said(self) -> str:
        """In words: "on 2024-06-01, 10:00 to 11:00 UTC"."""
        days = f"on {self.first}" if self.first == self.last else f"between {self.first} and {self.last}"
        zone = (
            "by the place's own clock" if self.offset_min is None else f"UTC{_signed(self.offset_min) if self.offset_min else ''}"
        )
        if self.end_min - self.start_min >= DAY_MIN:
            return f"{days}, at any time of the day, {zone}"
        return f"{days}, {_clock(self.start_min)} to {_clock(self.end_min)} {zone}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A shadow marked on a frame.

    Attributes:
        foot, top: of something upright, the foot where it stands on the ground; (x, y) as shares of width and height.
        tip: of the shadow of the top, on the ground.
        aspect: width of the frame by its height.
        when: when it fell.
        horizon: two points of the horizon, or None where it is not seen.
        fov_deg: horizontal field of view, or None where nobody knows the lens.
        heading_deg: where the camera looks, from north over east, or None; heading_sd_deg its standard deviation.
    """

    foot: Point
    top: Point
    tip: Point
    aspect: float
    when: When
    horizon: tuple[Point, Point] | None = None
    fov_deg: float | None = None
    heading_deg: float | None = None
    heading_sd_deg: float = HEADING_SD

    def __post_init__(self) -> None:
        points = (self.foot, self.top, self.tip, *(self.horizon or ()))
        if not all(math.isfinite(v) and -0.5 <= v <= 1.5 for p in points for v in p):
            raise SettingError("A point of the shadow lies far outside the frame; mark it where it is seen.")
        if not 0.2 <= self.aspect <= 5.0:
            raise SettingError("The frame of the shadow has an odd shape; give its width and height in pixels.")
        if self.length(self.foot, self.top) < 0.02:
            raise SettingError("Foot and top of the upright thing are too close to be measured; choose something taller.")
        if self.length(self.foot, self.tip) < 0.01:
            raise SettingError("The shadow's tip lies at the foot; mark the end of the shadow.")
        if self.horizon and self.length(*self.horizon) < 0.1:
            raise SettingError("The two points of the horizon are too close; mark them further apart.")
        if self.fov_deg is not None and not LEAST_FOV <= self.fov_deg <= MOST_FOV:
            raise SettingError(
                f"A field of view of {self.fov_deg:g}° is out of range; give {LEAST_FOV:g} to {MOST_FOV:g} degrees."
            )
        if self.heading_deg is not None and not math.isfinite(self.heading_deg):
            raise SettingError("The direction in which the camera looks is no number; give degrees from north over east.")
        if not 1.0 <= self.heading_sd_deg <= 90.0:
            raise SettingError("The uncertainty of the camera's direction is out of range; give 1 to 90 degrees.")

    def length(self, a: Point, b: Point) -> float:
        """Distance of two points in widths of the frame."""
        return math.hypot(a[0] - b[0], (a[1] - b[1]) / self.aspect)

    def but(self, when: When) -> Mark:
        """The same at another time."""
        return replace(self, when=when)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The box around the three points, within the frame: left, top, right, bottom."""
        x, y = zip(self.foot, self.top, self.tip, strict=True)
        left, top, right, bottom = (min(1.0, max(0.0, v)) for v in (min(x), min(y), max(x), max(y)))
        return left, top, right, bottom

    @property
    def text(self) -> str:
        """As `parse` reads it."""
        parts = [f"{name}={_pair(p)}" for name, p in (("foot", self.foot), ("top", self.top), ("tip", self.tip))]
        parts.append(f"frame={self.aspect:.4f}")
        if self.horizon:
            parts.append(f"horizon={_pair(self.horizon[0])},{_pair(self.horizon[1])}")
        if self.fov_deg is not None:
            parts.append(f"fov={self.fov_deg:.4g}")
        if self.heading_deg is not None:
            parts.append(f"heading={self.heading_deg % 360.0:.4g}±{self.heading_sd_deg:.3g}")
        return " ".join((*parts, f"when={self.when.text}"))

    @classmethod
    def parse(cls, text: str) -> Mark:
        """Read what `text` writes.

        Raises:
            SettingError: it is no marking.
        """
        given = dict(part.partition("=")[::2] for part in text.split()[:12])
        try:
            line = _numbers(given["horizon"], 4) if "horizon" in given else None
            heading, _, spread = given.get("heading", "").partition("±")
            return cls(
                foot=_point(given["foot"]),
                top=_point(given["top"]),
                tip=_point(given["tip"]),
                aspect=float(given["frame"]),
                when=When.parse(given["when"]),
                horizon=((line[0], line[1]), (line[2], line[3])) if line else None,
                fov_deg=float(given["fov"]) if "fov" in given else None,
                heading_deg=float(heading) if heading else None,
                heading_sd_deg=float(spread) if spread else HEADING_SD,
            )
        except (KeyError, ValueError):
            raise SettingError("A marked shadow cannot be read; mark it again.") from None


def fov_of_lens(focal_35mm: float, aspect: float) -> float:
    """Horizontal field of view in degrees of a lens of so many mm, 35 mm equivalent by the diagonal."""
    width_mm = FULL_FRAME * aspect / math.hypot(aspect, 1.0)
    return math.degrees(2.0 * math.atan(width_mm / (2.0 * focal_35mm)))


def _offset(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "Z":
        return 0
    digits = text[1:].replace(":", "")
    return (-1 if text[0] == "-" else 1) * (60 * int(digits[:2]) + int(digits[2:]))


def _signed(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _pair(p: Point) -> str:
    return f"{p[0]:.4f},{p[1]:.4f}"


def _numbers(text: str, many: int) -> tuple[float, ...]:
    if not re.fullmatch(rf"{_NUMBER}(?:,{_NUMBER}){{{many - 1}}}", text):
        raise ValueError
    return tuple(float(x) for x in text.split(","))


def _point(text: str) -> Point:
    x, y = _numbers(text, 2)
    return x, y
