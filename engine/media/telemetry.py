"""Places that drones write into subtitles, and which of two numbers is the latitude where nothing says so.

Forms known from public recordings and reports (github.com/JuanIrache/DJI_SRT_Parser; github.com/CallMarcus/
dji-drone-metadata-embedder, docs/SRT_FORMATS.md and issue 324; exiftool's table of QuickTime streams):

- "[latitude: 64.1] [longitude: -21.9]", also "[longtitude : …]": Mavic 2 and 3, Air, Mini, Avata, Neo, Zenmuse;
- "GPS(-21.9,64.1,19)", "GPS (-21.9, 64.1, 19)": longitude first, then satellites: Phantom, Inspire, Mavic Pro, Mini, P4 RTK;
- "GPS(64.1,-21.9,0.0M)": latitude first where the altitude has its unit: Matrice 300;
- "GPS(W: 97.62, N: 30.21, 161)": Autel, also with a sign and with one inside the number ("-117.-9605");
- "Lat: 64.1 Lon: -21.9" and NMEA sentences ($GPRMC, $GPGGA), of action and dash cameras.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.core import coordinate
from engine.core.sphere import distance_km

LATITUDE_FIRST, LONGITUDE_FIRST = "latitude first", "longitude first"
LONGEST_BYTES = 4_000
_N = r"([+-]?[0-9]{1,4}(?:\.-?[0-9]{1,12})?)"
_VALUE = r"[\"']?\s*(?:[:=]\s*[\"']?([+-]?[0-9]{1,4}(?:\.-?[0-9]{1,12})?)|\s([+-]?[0-9]{1,3}\.[0-9]{1,12}))\s*°?\s*([NSEW]\b)?"
_LATITUDE = re.compile(rf"(?<![a-z])lat(?:itude)?{_VALUE}", re.IGNORECASE)
_LONGITUDE = re.compile(rf"(?<![a-z])(?:longt?itude|lontitude|lng|long?){_VALUE}", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"((?:lat|lon|lng)[a-z]{0,8}\W{1,4}[0-9]{1,3}),([0-9]{3,12})(?![0-9]*[.,][0-9])", re.IGNORECASE)
_PAIR = re.compile(rf"\bGPS\s*:\s*{_N}\s*,\s*{_N}", re.IGNORECASE)
_IN_WORDS = re.compile(
    r"(?:\b(?:GPS|HOME|POS(?:ITION)?)\b\W{0,3})?([NS0-9][0-9°'\"′″.,;:\sNSEW]{6,60}[NSEW0-9.'\"′″])", re.IGNORECASE
)
_LETTERED = re.compile(rf"\b(GPS|HOME)\s*\(\s*([NSEW])\s*:?\s*{_N}\s*,\s*([NSEW])\s*:?\s*{_N}", re.I)
_BARE = re.compile(
    rf"\b(GPS|HOME)\s*\(\s*{_N}\s*°?\s*,\s*{_N}\s*°?\s*(?:,\s*([+-]?[0-9]{{1,6}}(?:\.[0-9]{{1,6}})?)\s*([A-Za-z]{{0,2}}))?\s*\)",
    re.I,
)
_RMC = re.compile(r"\$G.RMC,[0-9.]*,([AV]),([0-9]{3,5}(?:\.[0-9]{1,8})?),([NS]),([0-9]{4,6}(?:\.[0-9]{1,8})?),([EW]),")
_GGA = re.compile(r"\$G.GGA,[0-9.]*,([0-9]{3,5}(?:\.[0-9]{1,8})?),([NS]),([0-9]{4,6}(?:\.[0-9]{1,8})?),([EW]),([0-9])")
_STAMP = re.compile(r"\b([12][0-9]{3}[-./:][0-9]{1,2}[-./:][0-9]{1,2}[ T][0-9]{1,2}:[0-9]{2}:[0-9]{2})\b")
_NOWHERE_DEG = 1e-4
NEAR_KM, FAR_KM = 50.0, 150.0
# The Gulf of Guinea is 400 km from any land here; some firmware of the Mavic 2 and Air 2 wrote radians.
_RADIANS = (math.pi / 2, math.pi)


@dataclass(frozen=True, slots=True)
class Reading:
    """Two numbers of one record.

    Attributes:
        time_s: clip time.
        first, second: degrees, in the order written; latitude and longitude where `named`.
        named: the record says which is which.
        form: what the altitude's form says of the order: LATITUDE_FIRST, LONGITUDE_FIRST or "".
        home: the two numbers of HOME as written, where it has bare ones.
        stamp: the date and time written beside it, or "".
    """

    time_s: float
    first: float
    second: float
    named: bool
    form: str = ""
    home: tuple[float, float] | None = None
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """How the bare pairs of a track are read.

    Attributes:
        order: LATITUDE_FIRST, LONGITUDE_FIRST, or "" where it is in doubt.
        why: what says so, or why it is in doubt.
    """

    order: str
    why: str


def text_of(data: bytes) -> str:
    """Text of a subtitle packet, whatever wraps it: MP4 puts its length before it, and may use UTF-16."""
    data = data[:LONGEST_BYTES]
    if len(data) >= 2 and int.from_bytes(data[:2], "big") <= len(data) - 2 and data[0] < 16:
        data = data[2 : 2 + int.from_bytes(data[:2], "big")]
    if data[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


def read(time_s: float, text: str) -> Reading | None:
    """The place that a record states, or None where it states none or has no fix (0, 0)."""
    text = re.sub(r"\\[Nnh]", "\n", text)  # line breaks of ASS
    reading = _sentence(time_s, text) or _by_name(time_s, text) or _bare(time_s, text)
    if reading is None or (abs(reading.first) < _NOWHERE_DEG and abs(reading.second) < _NOWHERE_DEG):
        return None
    stamp = _STAMP.search(text)
    return replace(reading, stamp=stamp[1] if stamp else "")


def order_of(readings: Sequence[Reading], anchors: Sequence[tuple[float, float]] = ()) -> Order:
    """Which number of the bare pairs is the latitude; one order for a whole track, since one device wrote it.

    What settles it, the strongest first: a number beyond 90, which is no latitude; places that say which is which, in the
    same track or elsewhere in the file; the altitude's form. Where the last two contradict each other it is in doubt.

    Args:
        readings: of one track.
        anchors: (lat_deg, lon_deg) of places stated otherwise in the file.
    """
    bare = [r for r in readings if not r.named]
    ranges = {LONGITUDE_FIRST for r in bare if abs(r.first) > 90} | {LATITUDE_FIRST for r in bare if abs(r.second) > 90}
    if len(ranges) == 1:
        return Order(ranges.pop(), "a number beyond 90 is no latitude")
    if len(ranges) == 2:
        return Order("", "some records can only have latitude first and others only longitude first")
    near = _by_neighbours(bare, [*anchors, *((r.first, r.second) for r in readings if r.named)])
    forms = {r.form for r in bare if r.form}
    said = near | forms
    if len(said) == 1:
        return Order(said.pop(), "another place in the file lies there" if near else "the form of the altitude")
    if len(said) == 2:
        return Order("", "the records contradict each other, or another place in the file")
    return Order("", "nothing says which number is the latitude")


def places_of(reading: Reading, order: str) -> tuple[tuple[float, float], ...]:
    """The (lat_deg, lon_deg) that a reading may mean: one where the order is known, else two; none beyond the Earth."""
    if reading.named:
        found = [(reading.first, reading.second)]
        if abs(reading.first) <= _RADIANS[0] and abs(reading.second) <= _RADIANS[1]:
            found.append((math.degrees(reading.first), math.degrees(reading.second)))
    else:
        found = [(reading.first, reading.second)] if order != LONGITUDE_FIRST else []
        found += [(reading.second, reading.first)] if order != LATITUDE_FIRST else []
    return tuple(dict.fromkeys((lat, lon) for lat, lon in found if abs(lat) <= 90 and abs(lon) <= 180))


def _by_neighbours(bare: Sequence[Reading], anchors: Sequence[tuple[float, float]]) -> set[str]:
    """The orders under which a bare pair lies near a place that says which is which, and the other order does not."""
    found = set()
    for r in bare[:: max(1, len(bare) // 50)]:
        one, other = (r.first, r.second), (r.second, r.first)
        known = list(anchors[:20])
        if r.home is not None and max(map(abs, r.home)) > 90:
            known.append(r.home if abs(r.home[1]) > 90 else (r.home[1], r.home[0]))
        for place in known:
            as_first, as_second = _apart_km(one, place), _apart_km(other, place)
            if as_first < NEAR_KM and as_second > FAR_KM:
                found.add(LATITUDE_FIRST)
            elif as_second < NEAR_KM and as_first > FAR_KM:
                found.add(LONGITUDE_FIRST)
    return found


def _apart_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    if abs(a[0]) > 90 or abs(b[0]) > 90:
        return math.inf
    return float(distance_km(a[0], a[1], b[0], b[1]))


def _number(text: str) -> float:
    """A number; one firmware of Autel writes the sign twice: "-117.-9605" (issue 324 above)."""
    return float(text.replace(".-", "."))


def _by_name(time_s: float, text: str) -> Reading | None:
    """A record that says which number is which: by name, by letters in brackets, or as people write coordinates."""
    text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    north, east = _LATITUDE.search(text), _LONGITUDE.search(text)
    if north and east:
        signed = (_lettered_one(north, "NS"), _lettered_one(east, "EW"))
        return None if signed[0] is None or signed[1] is None else Reading(time_s, signed[0], signed[1], named=True)
    place = None
    for match in _LETTERED.finditer(text):
        if match[1].upper() == "GPS":
            place = _lettered(match[2].upper(), _number(match[3]), match[4].upper(), _number(match[5]))
            break
    else:
        for match in _IN_WORDS.finditer(text):
            written = match[1].strip()
            if len(re.findall(r"[NSEW]", written, re.IGNORECASE)) == 2 and (place := coordinate.parse(written)):
                break
    return Reading(time_s, *place, named=True) if place else None


def _lettered_one(match: re.Match[str], letters: str) -> float | None:
    """A number with the letter that may follow it; None where they contradict each other."""
    value = _number(match[1] or match[2])
    letter = (match[3] or "").upper()
    if not letter:
        return value
    if letter not in letters or (value < 0 and letter == letters[0]):
        return None
    return -abs(value) if letter == letters[1] else value


def _lettered(a: str, first: float, b: str, second: float) -> tuple[float, float] | None:
    """(lat, lon) of two numbers with letters; a letter and a sign that agree count once, and contradiction gives None."""
    values = {}
    for letter, value in ((a, first), (b, second)):
        if value < 0 and letter in "NE":
            return None
        values["lat" if letter in "NS" else "lon"] = -abs(value) if letter in "SW" else value
    return (values["lat"], values["lon"]) if len(values) == 2 else None


def _bare(time_s: float, text: str) -> Reading | None:
    found: dict[str, re.Match[str]] = {}
    for match in _BARE.finditer(text):
        found.setdefault(match[1].upper(), match)
    gps, at_home = found.get("GPS"), found.get("HOME")
    if gps is None:
        pair = _PAIR.search(text)
        return Reading(time_s, _number(pair[1]), _number(pair[2]), named=False) if pair else None
    unit = gps[5] or ""
    # A unit is the Matrice 300's mark; a small one is in use with both orders.
    form = LATITUDE_FIRST if unit == "M" else LONGITUDE_FIRST if not unit else ""
    home = (_number(at_home[2]), _number(at_home[3])) if at_home else None
    return Reading(time_s, _number(gps[2]), _number(gps[3]), named=False, form=form, home=home)


def _sentence(time_s: float, text: str) -> Reading | None:
    """NMEA 0183: ddmm.mmm; a sentence without a fix (V, quality 0) states no place."""
    if match := _RMC.search(text):
        if match[1] == "V":
            return None
        return _nmea(time_s, match[2], match[3], match[4], match[5])
    if (match := _GGA.search(text)) and match[5] != "0":
        return _nmea(time_s, match[1], match[2], match[3], match[4])
    return None


def _nmea(time_s: float, lat: str, north: str, lon: str, east: str) -> Reading | None:
    values = []
    for text, letter in ((lat, north), (lon, east)):
        degrees, minutes = divmod(float(text), 100.0)
        if minutes >= 60:
            return None
        values.append((-1 if letter in "SW" else 1) * (degrees + minutes / 60))
    return Reading(time_s, values[0], values[1], named=True)
