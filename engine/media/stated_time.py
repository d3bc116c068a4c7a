"""Times as tags state them: ISO 8601, Exif, what recorders write into comments, and clocks that were never set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

_CLOCK_FIRST_YEAR, _FIRST_YEAR, _LAST_YEAR = 1985, 1880, 2100
# Zero of NTFS and ASF, QuickTime, Unix, DOS, and the satellites' own calendar: what a clock reads that was never set.
_NEVER_SET = (date(1601, 1, 1), date(1904, 1, 1), date(1970, 1, 1), date(1980, 1, 1), date(1980, 1, 6))
_LONGEST = 80
_DATED = re.compile(
    r"(?:UTC\s+)?(?P<y>[0-9]{4})(?P<by>[-:./]?)(?P<m>[0-9]{1,2})(?P=by)(?P<d>[0-9]{1,2})"
    r"(?:[T\s_,]+(?P<h>[0-9]{1,2}):?(?P<n>[0-9]{2})(?::?(?P<s>[0-9]{2})(?:[.,][0-9,]{1,9})?)?"
    r"\s*(?P<zone>Z|UTC|GMT|(?:(?:UTC|GMT)\s*)?[+-][0-9]{1,2}(?::?[0-9]{2})?)?)?",
    re.IGNORECASE,
)
_YEAR = re.compile(r"([0-9]{4})(?:-(?:[0-9]{2}))?")
# "Recorded at 19:17:30 14/12/2019 (UTC+3) by AudioMoth 24F31901603710E3 at gain setting 2 …" (AudioMoth firmware 1.0 and later)
_RECORDED = re.compile(
    r"Recorded at ([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,6})? ([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) "
    r"\((UTC(?:[+-][0-9]{1,2}(?::[0-9]{2})?)?)\)"
)
_RECORDER = re.compile(r"\bby (AudioMoth [0-9A-F]{8,20})\b")


@dataclass(frozen=True, slots=True)
class StatedTime:
    """A time as a tag states it.

    Attributes:
        when: the time, or the day at midnight; aware where the offset from UTC is stated.
        whole_day: the tag states a day and no time of it.
    """

    when: datetime
    whole_day: bool = False

    @property
    def label(self) -> str:
        """ISO 8601: "2021-04-10T06:30:00-04:00" or "2021-04-10"."""
        return self.when.date().isoformat() if self.whole_day else self.when.isoformat(timespec="seconds")


def parse_time(text: str, clock: bool = False) -> StatedTime | None:
    """Read a time, or None where it is none, or what a clock reads that was never set.

    Args:
        text: "2021-04-10T06:30:00-04:00", "2021:04:10 06:30:00", "2021.4.10 6:30:00", "20210410T063000Z", "2021-04-10" and
            the like; fractions of a second are left out.
        clock: the time is a counter of the container (`creation_time`), which no recording of before 1985 has.
    """
    text = text.strip(" \t\r\n\0")
    match = _DATED.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None or (not match["by"] and (len(match["m"]), len(match["d"])) != (2, 2)):
        return None
    year, month, day, hour, minute = (int(match[name] or 0) for name in ("y", "m", "d", "h", "n"))
    seconds = min(int(match["s"] or 0), 59)  # a leap second
    try:
        when = datetime(year, month, day, hour, minute, seconds, tzinfo=_zone(match["zone"]))
    except ValueError:
        return None
    return StatedTime(when, match["h"] is None) if _was_set(when, clock) else None


def parse_year(text: str) -> str | None:
    """A year or a month that is all a tag states: "2021", "2021-04"; None where it is none."""
    match = _YEAR.fullmatch(text.strip(" \t\r\n\0")[:_LONGEST])
    return match[0] if match and _FIRST_YEAR <= int(match[1]) <= _LAST_YEAR and match[1] not in ("1904", "1970") else None


def parse_comment(text: str) -> tuple[StatedTime | None, str]:
    """(time, recorder) of a recorder's own comment, None and "" where it names none.

    Day before month, as AudioMoth writes it whatever the country (github.com/OpenAcousticDevices/AudioMoth-Firmware-Basic).
    """
    text = text[:1_000]
    recorder = match[1] if (match := _RECORDER.search(text)) else ""
    match = _RECORDED.search(text)
    if match is None:
        return None, recorder
    hour, minute, second, day, month, year = (int(match[i]) for i in range(1, 7))
    try:
        when = datetime(year, month, day, hour, minute, second, tzinfo=_zone(match[7]))
    except ValueError:
        return None, recorder
    return (StatedTime(when) if _was_set(when, clock=True) else None), recorder


def _zone(text: str | None) -> timezone | None:
    """The zone of "Z", "UTC", "+02:00", "-0430", "UTC+3"; None of none.

    Raises:
        ValueError: no place on Earth has such an offset.
    """
    if text is None:
        return None
    shift = re.sub(r"(?i)^(?:UTC|GMT|Z)\s*", "", text)
    if not shift:
        return UTC
    digits = shift[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 14 or minutes > 59:
        raise ValueError("no such zone")
    return timezone((-1 if shift[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))


def _was_set(when: datetime, clock: bool) -> bool:
    if not (_CLOCK_FIRST_YEAR if clock else _FIRST_YEAR) <= when.year <= _LAST_YEAR:
        return False
    return all(abs((when.date() - zero).days) > 1 or (not clock and zero.year == 1980 and when.hour + when.minute > 0)
               for zero in _NEVER_SET)  # fmt: skip
