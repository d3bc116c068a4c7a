"""Places that tags state for a whole clip, whatever container they stand in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.core import coordinate
from engine.core.coordinate import ISO_6709, sexagesimal
from engine.media.source import shown

SHOWN_CHARACTERS = 200
_NOWHERE_DEG = 1e-4  # cameras without a fix write +00.0000+000.0000
_PLACE_KEYS = re.compile(
    r"location|iso6709|\bxyz\b|©xyz|\bloci\b|geo|gps|coordinates|lat ?[-_/]?l(?:on|ng)|\bposition\b|\bloc\b", re.IGNORECASE
)
_NO_PLACE = re.compile(
    r"(?:version|time|time ?stamp|date|accuracy|dop|speed|track|direction|bearing|status|altitude|elevation)(?:ref)?$",
    re.IGNORECASE,
)
# "latitude", "GPSLatitude", "XMP exif:GPSLatitude", "geo_lat": what stands before the word parts one pair from another.
_LATITUDE = re.compile(r"(?P<before>.*?)(?P<gps>gps[ _-]?)?lat(?:itude)?", re.IGNORECASE)
_LONGITUDES = ("longitude", "longtitude", "lon", "lng", "long")  # DJI's own XMP has it misspelt
_ALTITUDES = {"guano loc position": "guano loc elevation", "ixml location_gps": "ixml location_altitude"}


@dataclass(frozen=True, slots=True)
class Fix:
    """A place that a container claims.

    Attributes:
        lat_deg, lon_deg: WGS 84.
        alt_m: metres above the reference, or None.
        name: a name written beside it, or "".
        source: the tag or track it was read from.
        time_s: clip time of a timed fix, None for one of the whole clip.
    """

    lat_deg: float
    lon_deg: float
    alt_m: float | None = None
    name: str = ""
    source: str = ""
    time_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """What looks like a place and is none that can be drawn.

    Attributes:
        text: as it stands there, or both readings.
        source: the tag or track.
        why: what is wrong with it.
    """

    text: str
    source: str
    why: str


def fix_of(
    lat: float, lon: float, alt_m: float | None = None, name: str = "", source: str = "", time_s: float | None = None
) -> Fix | None:
    """A fix, or None of what is no number, lies beyond the Earth, or is what a receiver writes without a fix (0, 0)."""
    if not (math.isfinite(lat) and math.isfinite(lon)) or abs(lat) > 90 or abs(lon) > 180:
        return None
    if abs(lat) < _NOWHERE_DEG and abs(lon) < _NOWHERE_DEG:
        return None
    return Fix(lat, lon, alt_m if alt_m is None or math.isfinite(alt_m) else None, name, source, time_s)


def parse_iso6709(text: str, source: str = "") -> Fix | None:
    """Read an ISO 6709:2008 Annex H string: ±DD.D±DDD.D, ±DDMM.M±DDDMM.M or ±DDMMSS.S±DDDMMSS.S, altitude, CRS, "/".

    What follows the slash is taken for a place name (3GPP's `loci`). Returns None when it is not one, lies outside
    the Earth, or is the +00.0000+000.0000 of a camera without a fix.
    """
    match = ISO_6709.fullmatch(text.strip().replace("\N{MINUS SIGN}", "-")[:500])
    if match is None:
        return None
    lat, lon = sexagesimal(match[1], 2), sexagesimal(match[2], 3)
    alt = float(match[3]) if match[3] and abs(float(match[3])) < 100_000 else None
    return fix_of(lat, lon, alt, shown((match[4] or "").strip(), SHOWN_CHARACTERS), source)


def places(tags: Iterable[tuple[str, str]]) -> tuple[tuple[Fix, ...], tuple[Unclear, ...]]:
    """(places, what looks like one and is none) of the tags; each place once, in the order found."""
    tags = [(key, value.strip()) for key, value in tags]
    found: dict[tuple[float, float], Fix] = {}
    unclear: list[Unclear] = []
    for result in (*_by_value(tags), *_by_pair(tags)):
        if isinstance(result, Unclear):
            unclear.append(result)
            continue
        same = (round(result.lat_deg, 4), round(result.lon_deg, 4))
        first = found.setdefault(same, result)
        if first is not result:
            name, alt_m = first.name or result.name, first.alt_m if first.alt_m is not None else result.alt_m
            found[same] = replace(first, name=name, alt_m=alt_m)
    return tuple(found.values()), tuple(unclear)


def _by_value(tags: list[tuple[str, str]]) -> Iterable[Fix | Unclear]:
    """Tags whose value is a place by itself. FFmpeg joins values of the same name by semicolons."""
    values = {key.lower(): value for key, value in tags}
    for key, value in tags:
        if not _PLACE_KEYS.search(key) or _NO_PLACE.search(key):
            continue
        source = shown(key, 60)
        parts = [value] if _read(value, source) is not None or ";" not in value else [p for p in value.split(";") if p.strip()]
        for part in parts[:20]:
            fix = _read(part, source)
            if fix is not None:
                height = values.get(_ALTITUDES.get(key.lower(), ""))
                yield fix if fix.alt_m is not None or height is None else replace(fix, alt_m=_metres(height))
            elif _is_wrong(part) and not _is_half(part):
                yield Unclear(shown(part.strip(), 100), source, "it is no place on Earth, or contradicts itself")


def _is_half(text: str) -> bool:
    """Whether a value is a latitude or a longitude by itself, which its other half is sought for elsewhere."""
    return coordinate.angle(text, "NS") is not None or coordinate.angle(text, "EW") is not None


def _read(text: str, source: str) -> Fix | None:
    if fix := parse_iso6709(text, source):
        return fix
    if "." not in text and not re.search(r"[NSEWO°]", text, re.IGNORECASE) and len(re.findall(r"[0-9],[0-9]", text)) < 2:
        return None  # two whole numbers may be anything
    stated = coordinate.stated(text[:300])
    return None if stated is None else fix_of(*stated, source=source)


def _is_wrong(text: str) -> bool:
    """Whether a text is a coordinate in all but its values: not one that says that there was no fix, nor a number alone."""
    numbers = re.findall(r"[0-9]+[.,][0-9]+", text)
    parted = re.search(r"[,;\s]|.[+-]", text.strip()) is not None
    return (
        len(numbers) in (2, 3) and parted and coordinate.looks_like_one(text) and any(float(n.replace(",", ".")) for n in numbers)
    )


def _by_pair(tags: list[tuple[str, str]]) -> Iterable[Fix | Unclear]:
    """Latitude and longitude in a tag each, with letters and altitude in others where there are any."""
    values: dict[str, list[str]] = {}
    for key, value in tags:
        values.setdefault(re.sub(r"-(eng|und)$", "", key.lower()), []).append(value)
    for key, own in values.items():
        match = _LATITUDE.fullmatch(key)
        if match is None:
            continue
        before, gps = match["before"], match["gps"] or ""
        other = next(
            (k for word in _LONGITUDES for g in dict.fromkeys((gps, "gps", "")) if (k := before + g + word) in values), None
        )
        if other is None:
            continue
        height = next((values[k][0] for g in (gps, "gps", "") if (k := f"{before}{g}altitude") in values), "")
        for lat_text, lon_text in zip(own, values[other], strict=False):
            lat = coordinate.angle(lat_text, "NS", values.get(key + "ref", [""])[0])
            lon = coordinate.angle(lon_text, "EW", values.get(other + "ref", [""])[0])
            source = _source_of(key, tags)
            if lat is None or lon is None:
                if any(c.isdigit() and c != "0" for c in lat_text + lon_text):
                    yield Unclear(shown(f"{lat_text}, {lon_text}", 100), source, "it is no place on Earth, or contradicts itself")
            elif fix := fix_of(lat, lon, _metres(height), source=source):
                yield fix


def _source_of(key: str, tags: list[tuple[str, str]]) -> str:
    """The key as it is written."""
    return shown(next(k for k, _ in tags if re.sub(r"-(eng|und)$", "", k.lower()) == key), 80)


def _metres(text: str) -> float | None:
    """Metres of "45", "45.2 m" or "452/10"; None of none."""
    match = re.fullmatch(r"([+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?)(?:/([0-9]{1,9}))?\s*m?", text.strip(), re.IGNORECASE)
    if match is None or (match[2] and not int(match[2])):
        return None
    metres = float(match[1]) / (float(match[2]) if match[2] else 1.0)
    return metres if abs(metres) < 100_000 else None


def is_name(text: str) -> bool:
    """Whether a tag's value is a place in words, rather than a coordinate."""
    return _read(text, "") is None and not coordinate.looks_like_one(text) and any(c.isalpha() for c in text)
