"""Coordinates as people and devices write them: decimal degrees, degrees with minutes and seconds, ISO 6709."""

from __future__ import annotations

import math
import re

ISO_6709 = re.compile(
    r"([+-][0-9]{1,6}(?:\.[0-9]{1,12})?)([+-][0-9]{1,7}(?:\.[0-9]{1,12})?)([+-][0-9]{1,8}(?:\.[0-9]{1,12})?)?"
    r"(?:CRS[\w:]*)?(?:/(.*))?",
    re.DOTALL,
)
"""ISO 6709:2008 Annex H: latitude, longitude, altitude, and what follows the slash."""

_NUMBER = r"[0-9]{1,3}(?:[.][0-9]{1,12})?"
_SIGNED = re.compile(rf"\s*([+-]?{_NUMBER})\s*°?\s*(?:[,;]\s*|\s+)([+-]?{_NUMBER})\s*°?\s*")


def _angle_pattern(n: int) -> str:
    return (
        rf"(?P<d{n}>{_NUMBER})\s*[°º:d ]?\s*(?:(?P<m{n}>{_NUMBER})\s*['′’:m ]?\s*)?"
        rf"(?:(?P<s{n}>{_NUMBER})\s*(?:\"|″|”|''|′′|s)?\s*)?"
    )


_LETTERS_AFTER = re.compile(
    rf"\s*{_angle_pattern(1)}(?P<h1>[NSEWO])\s*[,;]?\s*{_angle_pattern(2)}(?P<h2>[NSEWO])\s*", re.IGNORECASE
)
_LETTERS_BEFORE = re.compile(
    rf"\s*(?P<h1>[NSEWO])\s*{_angle_pattern(1)}[,;]?\s*(?P<h2>[NSEWO])\s*{_angle_pattern(2)}", re.IGNORECASE
)
_COMMA = r"[+-]?[0-9]{1,3},[0-9]{1,12}"
_DECIMAL_COMMAS = re.compile(rf"\s*({_COMMA})\s*°?(?:\s*;\s*|,\s+|\s+)({_COMMA})\s*°?\s*")
_METRES = r"[+-]?[0-9]{1,7}(?:\.[0-9]{1,12})?"
_URI = re.compile(rf"geo:([+-]?{_NUMBER}),([+-]?{_NUMBER})(?:,({_METRES}))?(?:;[\w=.;-]*)?", re.IGNORECASE)
_THREE = re.compile(rf"\s*([+-]?{_NUMBER})(?:[,;]\s*|\s+)([+-]?{_NUMBER})(?:[,;]\s*|\s+)({_METRES})\s*[mM]?\s*")
_TWO_ANGLES = re.compile(r"([^,;]{1,60}[NSEWO])\s*[,;\s]\s*([^,;]{1,60}[NSEWO])", re.IGNORECASE)
_NAMED = re.compile(
    r"\W*lat(?:itude)?\W*[:=]\s*(?P<lat>[^;]{1,40}?)\s*[,;/ ]\s*\W*(?:lon|lng|long|longt?itude)\W*[:=]\s*(?P<lon>[^;]{1,40}?)\W*",
    re.IGNORECASE,
)
_WORDS = re.compile(r"deg(?:rees?)?\.?|min(?:utes?)?\.?|sec(?:onds?)?\.?", re.IGNORECASE)
_SEPARATED = re.compile(r"[\s,°º:;'′’\"″”dms]+")
_NUMBER_OR_RATIO = re.compile(r"([0-9]{1,10}(?:\.[0-9]{1,12})?)(?:/([0-9]{1,10}))?")
_ONE_ANGLE = re.compile(
    r"\s*(?P<before>[A-Z])?\s*(?P<sign>[+-]?)\s*(?P<body>[0-9][^A-CE-LN-RT-Z]{0,90}?)\s*(?P<after>[A-Z])?\s*", re.IGNORECASE
)
_LONGEST = 100
_LOOKS_LIKE_ONE = re.compile(r"[\d\s.,;:+\-°º'′’\"″”/NSEWO]+", re.IGNORECASE)


def parse(text: str) -> tuple[float, float] | None:
    """(latitude, longitude) in degrees of a text that is a coordinate and nothing else, or None.

    Read are "33.47, -81.97", "33.47 N, 81.97 W", "33°28'15\\"N 81°58'30\\"W", "N 33 28.2 W 81 58.5" and "+33.47-081.97/".
    A comma parts latitude from longitude; it is a decimal comma only where both numbers have one and something else parts
    them ("33,47; -81,97").
    """
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    if not text or len(text) > _LONGEST:
        return None
    if match := _DECIMAL_COMMAS.fullmatch(text):
        return _on_earth(*(float(match[n].replace(",", ".")) for n in (1, 2)))
    if match := ISO_6709.fullmatch(text):
        return _on_earth(sexagesimal(match[1], 2), sexagesimal(match[2], 3))
    if match := _SIGNED.fullmatch(text):
        return _on_earth(float(match[1]), float(match[2]))
    match = _LETTERS_AFTER.fullmatch(text) or _LETTERS_BEFORE.fullmatch(text)
    if match is None:
        return None
    first, second = (_angle(match, n) for n in "12")
    letters = match["h1"].upper() + match["h2"].upper().replace("O", "W")
    if letters[0] in "NS" and letters[1] in "EW":
        return _on_earth(first * (-1 if letters[0] == "S" else 1), second * (-1 if letters[1] == "W" else 1))
    if letters[0] in "EWO" and letters[1] in "NS":
        return _on_earth(second * (-1 if letters[1] == "S" else 1), first * (-1 if letters[0] in "WO" else 1))
    return None


def stated(text: str) -> tuple[float, float, float | None] | None:
    """(latitude, longitude, altitude in metres or None) of a tag's value that is a place and nothing else, or None.

    Read are, beside what `parse` reads, "geo:48.85,2.29,35" (RFC 5870), "48.85, 2.29, 35 m", "lat=48.85 lon=2.29" and each of
    them in brackets. A first number beyond 90 is a longitude, since no latitude is.
    """
    text = text.strip().replace("\N{MINUS SIGN}", "-").strip("()[]{}").strip()
    if not text or len(text) > 2 * _LONGEST:
        return None
    if match := ISO_6709.fullmatch(text[:500]):
        place = _on_earth(sexagesimal(match[1], 2), sexagesimal(match[2], 3))
        return None if place is None else (*place, _altitude(match[3]))
    match = _URI.fullmatch(text) or _THREE.fullmatch(text)
    if match and (text[:4].lower() == "geo:" or ("." in match[1] and "." in match[2])):
        place = _either_order(float(match[1]), float(match[2]))
        return None if place is None else (*place, _altitude(match[3]))
    if match := _NAMED.fullmatch(text):
        lat, lon = angle(match["lat"], "NS"), angle(match["lon"], "EW")
        return None if lat is None or lon is None else (lat, lon, None)
    match = _SIGNED.fullmatch(text)
    place = _either_order(float(match[1]), float(match[2])) if match else parse(text) or _two_angles(text)
    return None if place is None else (*place, None)


def _two_angles(text: str) -> tuple[float, float] | None:
    """ "48 deg 51' 30\" N, 2 deg 17' 40\" E" and "-33.47 S, -70.65 W": a sign that says what the letter says counts once."""
    match = _TWO_ANGLES.fullmatch(text)
    if match is None:
        return None
    lat, lon = angle(match[1], "NS"), angle(match[2], "EW")
    return None if lat is None or lon is None else (lat, lon)


def angle(text: str, letters: str, reference: str = "") -> float | None:
    """Degrees of a latitude or a longitude by itself, or None where it is none or contradicts itself.

    Read are "-33.47", "33,47" (a decimal comma), "33 deg 28' 15.2\" N", "33,28.25N" and "33,28,15N" (XMP part 2, 1.2.7.4), and
    ratios as Exif has them: "33/1 28/1 1525/100".

    Args:
        letters: "NS" for a latitude, "EW" for a longitude: the letter of the positive sense first.
        reference: the letter or word of a separate tag ("S", "West").
    """
    text = _WORDS.sub(" ", text.strip().replace("\N{MINUS SIGN}", "-"))
    match = _ONE_ANGLE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    said = {w[:1].upper() for w in (match["before"], match["after"], reference.strip()) if w}
    degrees = _degrees(match["body"], bool(match["after"]))
    if len(said) > 1 or not said <= set(letters) or degrees is None or not degrees <= (90 if letters == "NS" else 180):
        return None
    negative = said == {letters[1]}
    if match["sign"] == "-" and said and not negative:
        return None  # "-33.47 N" says both
    return -degrees if negative or match["sign"] == "-" else degrees


def _degrees(body: str, lettered: bool) -> float | None:
    """Degrees of one to three numbers: degrees, minutes, seconds."""
    if re.fullmatch(r"[0-9]{1,3},[0-9]{3,12}" if lettered else r"[0-9]{1,3},[0-9]{1,12}", body.strip(" °º")):
        body = body.replace(",", ".")
    found = [_NUMBER_OR_RATIO.fullmatch(p) for p in _SEPARATED.split(body) if p]
    if not 1 <= len(found) <= 3 or not all(found):
        return None
    parts = []
    for match in found:
        assert match is not None
        under = float(match[2]) if match[2] else 1.0
        if under == 0.0:
            return None
        parts.append(float(match[1]) / under)
    if any(p >= 60 for p in parts[1:]) or any(p % 1 and any(parts[i + 1 :]) for i, p in enumerate(parts)):
        return None
    return sum(p / 60**i for i, p in enumerate(parts))


def _either_order(first: float, second: float) -> tuple[float, float] | None:
    return _on_earth(second, first) if abs(first) > 90 >= abs(second) else _on_earth(first, second)


def _altitude(text: str | None) -> float | None:
    return float(text) if text and abs(float(text)) < 100_000 else None


def looks_like_one(text: str) -> bool:
    """Whether a text is digits and signs of a coordinate, right or wrong, rather than a name."""
    return _LOOKS_LIKE_ONE.fullmatch(text) is not None and any(c.isdigit() for c in text)


def sexagesimal(text: str, degree_digits: int) -> float:
    """Degrees of a signed number whose count of digits before the point says whether minutes and seconds follow; else NaN."""
    sign = -1.0 if text[0] == "-" else 1.0
    whole, _, fraction = text[1:].partition(".")
    tail = float(f"0.{fraction}") if fraction else 0.0
    if len(whole) <= degree_digits:
        return sign * (int(whole) + tail)
    if len(whole) == degree_digits + 2:
        minutes = int(whole[-2:]) + tail
        return sign * (int(whole[:-2]) + minutes / 60) if minutes < 60 else math.nan
    if len(whole) == degree_digits + 4:
        minutes, seconds = int(whole[-4:-2]), int(whole[-2:]) + tail
        return sign * (int(whole[:-4]) + minutes / 60 + seconds / 3_600) if max(minutes, seconds) < 60 else math.nan
    return math.nan


def _angle(match: re.Match[str], n: str) -> float:
    degrees, minutes, seconds = (float(match[f"{part}{n}"] or 0.0) for part in "dms")
    broken = ("." in match[f"d{n}"] and match[f"m{n}"]) or ("." in (match[f"m{n}"] or "") and match[f"s{n}"])
    return math.nan if broken or minutes >= 60 or seconds >= 60 else degrees + minutes / 60 + seconds / 3600


def _on_earth(lat_deg: float, lon_deg: float) -> tuple[float, float] | None:
    if not (math.isfinite(lat_deg) and math.isfinite(lon_deg)) or abs(lat_deg) > 90 or abs(lon_deg) > 180:
        return None
    return lat_deg, lon_deg
