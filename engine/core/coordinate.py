"""Coordinates as people and devices write them: degrees, minutes and seconds, ISO 6709, geo: addresses, Open Location Codes."""

from __future__ import annotations

import math
import re
import unicodedata

ISO_6709 = re.compile(
    r"([+-][0-9]{1,6}(?:\.[0-9]{1,12})?)([+-][0-9]{1,7}(?:\.[0-9]{1,12})?)([+-][0-9]{1,8}(?:\.[0-9]{1,12})?)?"
    r"(?:CRS[\w:]*)?(?:/(.*))?",
    re.DOTALL,
)
"""ISO 6709:2008 Annex H: latitude, longitude, altitude, and what follows the slash."""

_NUMBER = r"[0-9]{1,3}(?:[.][0-9]{1,12})?"
_SIGNED = re.compile(rf"\s*([+-]?{_NUMBER})\s*°?\s*(?:[,;/]\s*|\s+)([+-]?{_NUMBER})\s*°?\s*")
_GEO_URI = re.compile(rf"geo:([+-]?{_NUMBER}),([+-]?{_NUMBER})(?:,[+-]?[0-9.]{{1,12}})?(?:[;?].*)?", re.IGNORECASE | re.DOTALL)
"""RFC 5870: latitude, longitude, altitude, parameters."""

# Two numbers with decimal commas, kept apart by more than a comma: "33,47 -81,97", "33,47; -81,97", "33,47 N, 81,97 W".
_DECIMAL_COMMA = re.compile(r"(?<![0-9.,])([0-9]{1,3}),([0-9]{1,12})(?![0-9.,]*[.,][0-9])")
_PLUS_CODE = re.compile(r"([23456789CFGHJMPQRVWX]{8})\+([23456789CFGHJMPQRVWX]{2,7})?", re.IGNORECASE)
_PLUS_DIGITS = "23456789CFGHJMPQRVWX"

# Signs as keyboards, word processors and other scripts write them.
_SIGNS = str.maketrans(
    dict.fromkeys("−‐‑‒–—﹣－➖", "-")
    | dict.fromkeys("＋﹢", "+")
    | dict.fromkeys("º˚∘ᵒ゜", "°")
    | dict.fromkeys("′’‘ʹʼ´`＇‵׳", "'")
    | dict.fromkeys("″”“ʺ˝＂„״", '"')
    | dict.fromkeys("，、،", ",")
    | dict.fromkeys("．٫", ".")
    | dict.fromkeys("；؛", ";")
    | dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
)


def plain(text: str) -> str:
    """A text with the minus, degree, minute and second signs and the digits of any script as ASCII (and °) writes them."""
    known = text.translate(_SIGNS)
    digits = (str(d) if not c.isascii() and (d := unicodedata.decimal(c, None)) is not None else c for c in known)
    return " ".join("".join(digits).split())


def _angle_pattern(n: int) -> str:
    return (
        rf"(?P<d{n}>{_NUMBER})\s*[°:d ]?\s*(?:(?P<m{n}>{_NUMBER})\s*[':m ]?\s*)?"
        rf"(?:(?P<s{n}>{_NUMBER})\s*(?:\"|''|s)?\s*)?"
    )


_LETTERS_AFTER = re.compile(
    rf"\s*{_angle_pattern(1)}(?P<h1>[NSEWO])\s*[,;/]?\s*{_angle_pattern(2)}(?P<h2>[NSEWO])\s*", re.IGNORECASE
)
_LETTERS_BEFORE = re.compile(
    rf"\s*(?P<h1>[NSEWO])\s*{_angle_pattern(1)}[,;/]?\s*(?P<h2>[NSEWO])\s*{_angle_pattern(2)}", re.IGNORECASE
)
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
_LONGEST = 120
_LOOKS_LIKE_ONE = re.compile(r"[\d\s.,;:/+\-°'\"NSEWO]+", re.IGNORECASE)


def parse(text: str) -> tuple[float, float] | None:
    """(latitude, longitude) in degrees of a text that is one coordinate and nothing else, or None.

    Read are "33.47, -81.97", "33.47 N, 81.97 W", "33°28'15\\"N 81°58'30\\"W", "N 33 28.2 W 81 58.5", "+33.47-081.97/",
    "geo:33.47,-81.97", "865QF2CG+8X", and decimal commas where they cannot part two numbers ("33,47 -81,97").
    """
    found = readings(text)
    return found[0] if len(found) == 1 else None


def readings(text: str) -> tuple[tuple[float, float], ...]:
    """Every coordinate that a text may be: none, one, or two where the letter O is west (oeste, ouest) or east (Ost)."""
    text = plain(text)
    if not text or len(text) > _LONGEST:
        return ()
    found = [_of_numbers(text)]
    if found == [None]:
        found = _of_letters(_points(text))
    return tuple(dict.fromkeys(x for x in found if x is not None))


def _of_numbers(text: str) -> tuple[float, float] | None:
    if match := ISO_6709.fullmatch(text):
        return _on_earth(sexagesimal(match[1], 2), sexagesimal(match[2], 3))
    if match := _GEO_URI.fullmatch(text):
        return _on_earth(float(match[1]), float(match[2]))
    if match := _PLUS_CODE.fullmatch(text):
        return _of_plus_code((match[1] + (match[2] or "")).upper())
    if match := _SIGNED.fullmatch(text) or _SIGNED.fullmatch(_points(text)):
        return _on_earth(float(match[1]), float(match[2]))
    return None


def _of_letters(text: str) -> list[tuple[float, float] | None]:
    match = _LETTERS_AFTER.fullmatch(text) or _LETTERS_BEFORE.fullmatch(text)
    if match is None:
        return []
    first, second = (_angle(match, n) for n in "12")
    h1, h2 = match["h1"].upper(), match["h2"].upper()
    found = []
    for east in "WE" if "O" in h1 + h2 else "O":
        letters = (h1 + h2).replace("O", east)
        if letters[0] in "NS" and letters[1] in "EW":
            found.append(_on_earth(first * (-1 if letters[0] == "S" else 1), second * (-1 if letters[1] == "W" else 1)))
        elif letters[0] in "EW" and letters[1] in "NS":
            found.append(_on_earth(second * (-1 if letters[1] == "S" else 1), first * (-1 if letters[0] == "W" else 1)))
    return found


def _points(text: str) -> str:
    """Two decimal commas as points; a text with any other number of them, or with a point, stays as it is."""
    if "." in text or len(_DECIMAL_COMMA.findall(text)) != 2:
        return text
    return _DECIMAL_COMMA.sub(r"\1.\2", text)


def _of_plus_code(digits: str) -> tuple[float, float] | None:
    """Centre of a full Open Location Code without its plus sign (github.com/google/open-location-code, specification)."""
    south, west, high, wide = -90.0, -180.0, 400.0, 400.0
    for at in range(0, min(len(digits), 10), 2):
        if at + 1 >= len(digits):
            return None
        high, wide = high / 20.0, wide / 20.0
        south += _PLUS_DIGITS.index(digits[at]) * high
        west += _PLUS_DIGITS.index(digits[at + 1]) * wide
    for digit in digits[10:]:
        high, wide = high / 5.0, wide / 4.0
        row, column = divmod(_PLUS_DIGITS.index(digit), 4)
        south, west = south + row * high, west + column * wide
    return _on_earth(south + high / 2.0, west + wide / 2.0)


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
        letters: "NS" for a latitude, "EW" for a longitude: the letter of the positive direction first.
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
    return float(sum(p / 60**i for i, p in enumerate(parts)))


def _either_order(first: float, second: float) -> tuple[float, float] | None:
    return _on_earth(second, first) if abs(first) > 90 >= abs(second) else _on_earth(first, second)


def _altitude(text: str | None) -> float | None:
    return float(text) if text and abs(float(text)) < 100_000 else None


def looks_like_one(text: str) -> bool:
    """Whether a text is digits and signs of a coordinate, right or wrong, rather than a name."""
    text = plain(text)
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
