"""What a camera wrote into a picture: Exif (CIPA DC-008), as tags of the file. Anybody can edit it, so it is only heard."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from PIL import Image

ORIENTATION = 0x0112
_EXIF, _GPS = 0x8769, 0x8825
_WANTED = {
    0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software", 0x0132: "DateTime", 0x013B: "Artist",
    0x013C: "HostComputer", 0x8298: "Copyright",
}  # fmt: skip
_WANTED_EXIF = {
    0x829A: "ExposureTime", 0x829D: "FNumber", 0x8827: "PhotographicSensitivity", 0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized", 0x920A: "FocalLength", 0xA405: "FocalLengthIn35mmFilm", 0xA431: "BodySerialNumber",
    0xA433: "LensMake", 0xA434: "LensModel", 0xA420: "ImageUniqueID",
}  # fmt: skip
_OFFSETS = {"DateTime": 0x9010, "DateTimeOriginal": 0x9011, "DateTimeDigitized": 0x9012}
_DAMAGE = (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, OverflowError, ArithmeticError, AttributeError,
           RuntimeError, EOFError)  # fmt: skip


def orientation(image: Image.Image) -> int:
    """1 to 8, how the picture has to be turned; 1 (not at all) where nothing sensible is said."""
    try:
        said = image.getexif().get(ORIENTATION, 1)
    except _DAMAGE:
        return 1
    # A HEIC's own box says how to turn it, and pi-heif has done so.
    return said if isinstance(said, int) and 1 <= said <= 8 and image.format != "HEIF" else 1


def tags(image: Image.Image) -> tuple[tuple[str, str], ...]:
    """(key, value) of what Exif states: ("EXIF Model", "X100"), ("EXIF GPSLatitude", "51.5 N"); what is damaged is left out."""
    try:
        held = image.getexif()
        own, more, place = dict(held), dict(held.get_ifd(_EXIF)), dict(held.get_ifd(_GPS))
    except _DAMAGE:
        return ()
    found = [*_named(own, _WANTED, more), *_named(more, _WANTED_EXIF, more), *_place(place)]
    return tuple((f"EXIF {name}", text) for name, text in found if text)


def thumbnail(image: Image.Image) -> bytes:
    """The small JPEG that cameras put beside the picture, in the second directory of the block; b"" when there is none."""
    data = image.info.get("exif", b"")
    if not isinstance(data, bytes):
        return b""
    data = data.removeprefix(b"Exif\0\0")
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    first = number(4, 4)
    second = number(first + 2 + 12 * number(first, 2), 4)
    if not 0 < second < len(data):
        return b""
    places = [second + 2 + 12 * n for n in range(min(number(second, 2), 100))]
    held = {number(at, 2): number(at + 8, 4) for at in places}
    begin, size = held.get(0x0201, 0), held.get(0x0202, 0)  # JPEGInterchangeFormat and its length
    return data[begin : begin + size] if begin > 0 and 0 < size < 1_000_000 else b""


def _named(own: Mapping[int, Any], wanted: Mapping[int, str], offsets: Mapping[int, Any]) -> Iterator[tuple[str, str]]:
    for number, name in wanted.items():
        if number not in own:
            continue
        text = _text(own[number])
        if name in _OFFSETS and text:
            offset = _text(offsets.get(_OFFSETS[name], ""))
            text += offset if len(offset) == 6 and offset[0] in "+-" else ""
        yield name, text


def _place(place: Mapping[int, Any]) -> Iterator[tuple[str, str]]:
    """Latitude, longitude, height above the sea, the satellites' time, and where the lens pointed."""
    for name, number, letters, most in (("GPSLatitude", 2, "NS", 90.0), ("GPSLongitude", 4, "EW", 180.0)):
        degrees, side = _degrees(place.get(number)), _text(place.get(number - 1, "")).upper()
        if degrees is not None and degrees <= most and len(side) == 1 and side in letters:
            yield name, f"{degrees:.6f} {side}"
    height = _number(place.get(6))
    if height is not None:
        below = place.get(5) in (1, b"\x01")
        yield "GPSAltitude", f"{-height if below else height:.1f}"
    day, clock = _text(place.get(29, "")), place.get(7)
    parts = [_number(x) for x in clock] if isinstance(clock, tuple) else []
    if day and len(parts) == 3 and all(p is not None and 0 <= p < 100 for p in parts):
        hour, minute, second = (int(p or 0) for p in parts)
        yield "GPSDateTime", f"{day.replace(':', '-')}T{hour:02}:{minute:02}:{second:02}Z"
    towards = _number(place.get(17))
    if towards is not None and 0 <= towards <= 360:
        yield "GPSImgDirection", f"{towards:.1f}"


def _degrees(value: Any) -> float | None:
    """Degrees of (degrees, minutes, seconds)."""
    if not isinstance(value, tuple) or not 1 <= len(value) <= 3:
        return None
    parts = [_number(x) for x in value]
    if any(p is None for p in parts):
        return None
    return sum(float(p or 0.0) / 60.0**i for i, p in enumerate(parts))


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except _DAMAGE:
        return None
    return number if math.isfinite(number) else None


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, tuple):
        value = " ".join(_text(v) for v in value[:8])
    if not isinstance(value, str):
        number = _number(value)
        return "" if number is None else f"{number:g}"
    return " ".join(value.replace("\0", " ").split())[:1_000]
