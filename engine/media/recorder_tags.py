"""What field recorders write into chunks of a WAV file: GUANO, Broadcast Wave, iXML, Wildlife Acoustics, and RIFF's INFO.

FFmpeg reads `bext` and INFO too, but gives both the same names, so that one hides the other.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from engine.media import markup, xmp

Tags = list[tuple[str, str]]
MOST = 40
_LONGEST = 1_000


def guano(data: bytes) -> Tags:
    """GUANO 1.0: lines of "Key: value" in UTF-8 (guano-md.org, "GUANO Metadata Format")."""
    found: Tags = []
    for line in _text(data[:65_536]).splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip() and value.strip():
            found.append((f"GUANO {key.strip()[:60]}", value.strip()[:_LONGEST]))
        if len(found) >= MOST:
            break
    return found


def bext(data: bytes) -> Tags:
    """EBU Tech 3285: description 256, originator 32, reference 32, date 10 and time 8 characters; coding history at 602."""
    if len(data) < 338:
        return []
    fields = {
        "Description": data[:256],
        "Originator": data[256:288],
        "OriginatorReference": data[288:320],
        "CodingHistory": data[602 : 602 + _LONGEST],
    }
    found = [(f"bext {name}", text) for name, raw in fields.items() if (text := _line(raw))]
    day, time = _line(data[320:330]), _line(data[330:338])
    if re.fullmatch(r"[0-9]{4}.[0-9]{1,2}.[0-9]{1,2}", day) and not day.startswith("0000"):
        clock = re.fullmatch(r"([0-9]{2}).([0-9]{2}).([0-9]{2})", time)  # EBU lets a colon, hyphen, point or space part them
        day = re.sub(r"[^0-9]", "-", day)
        found.insert(0, ("bext OriginationDate", f"{day} {clock[1]}:{clock[2]}:{clock[3]}" if clock else day))
    return found


def ixml(data: bytes) -> Tags:
    """iXML 3.0: project, scene, notes, location and the broadcast date (gallery.co.uk/ixml)."""
    wanted = re.compile(
        r"PROJECT|SCENE|TAPE|NOTE|LOCATION_\w+|GPS\w*|LATITUDE|LONGITUDE|ALTITUDE|BWF_ORIGINAT\w+|LOCATION|DATE|DEVICE|ORIGINATOR"
    )
    found: Tags = []
    parts: dict[str, str] = {}
    for path, text in markup.leaves(data[:1_000_000]):
        name = path[-1].rpartition(" ")[2].upper()
        if name in ("BWF_ORIGINATION_DATE", "BWF_ORIGINATION_TIME"):
            parts[name] = text
        elif wanted.fullmatch(name):
            found.append((f"iXML {name}", text))
    if day := parts.get("BWF_ORIGINATION_DATE"):
        found.insert(0, ("iXML BWF_ORIGINATION_DATE", f"{day} {parts.get('BWF_ORIGINATION_TIME', '')}".strip()))
    return found[:MOST]


_WAMD = {1: "model", 2: "serial", 3: "software", 4: "name", 5: "start", 6: "GPS first", 10: "notes", 18: "microphone"}


def wamd(data: bytes) -> Tags:
    """Wildlife Acoustics' chunk: entries of number (uint16), length (uint32) and text, little-endian.

    Numbers as github.com/riggsd/guano-py reads them (wamd2guano).
    """
    found: Tags = []
    at = 0
    while at + 6 <= len(data) and len(found) < MOST:
        number, length = struct.unpack_from("<HI", data, at)
        body = data[at + 6 : at + 6 + length]
        if len(body) < length:
            break
        if number in _WAMD and (text := _line(body[:_LONGEST])):
            found.append((f"wamd {_WAMD[number]}", _plain_position(text) if number == 6 else text))
        at += 6 + length
    return found


def _plain_position(text: str) -> str:
    """ "WGS84,33.4735,N,81.9748,W,45" or "WGS84, 33.4735, -81.9748, 45" as "33.4735 N, 81.9748 W" or "33.4735, -81.9748"."""
    parts = [p.strip() for p in text.split(",")]
    if not parts[0].upper().startswith("WGS"):
        return text
    if len(parts) >= 5 and parts[2].upper() in ("N", "S"):
        return f"{parts[1]} {parts[2]}, {parts[3]} {parts[4]}"
    return ", ".join(parts[1:3])


def info(data: bytes, order: str) -> Tags:
    """A LIST chunk of type INFO: four letters, length, text (Microsoft and IBM, "Multimedia Programming Interface", 1991)."""
    found: Tags = []
    at = 4
    while data[:4] == b"INFO" and at + 8 <= len(data) and len(found) < MOST:
        key, length = data[at : at + 4], struct.unpack_from(order + "I", data, at + 4)[0]
        body = data[at + 8 : at + 8 + length]
        if not re.fullmatch(rb"[\x20-\x7e]{4}", key):
            break
        if text := _line(body[:_LONGEST]):
            found.append((f"INFO {key.decode('ascii').strip()}", text))
        at += 8 + length + (length & 1)
    return found


READERS: dict[bytes, Callable[[bytes], Tags]] = {
    b"guan": guano,
    b"bext": bext,
    b"ixml": ixml,
    b"wamd": wamd,
    b"_pmx": xmp.read,  # XMP specification, part 3, 1.1.3 (WAV) and 2.2 (AVI)
}
"""By the chunk's four letters in small ones."""


def _text(data: bytes) -> str:
    """Text in UTF-8, else in Windows' Latin-1, UTF-16 by its mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace").strip("\0")
    data = data.strip(b"\0")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _line(data: bytes) -> str:
    """A text field up to its first NUL, on one line."""
    if data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        data = data.partition(b"\0")[0]
    return re.sub(r"\s+", " ", _text(data)).strip()
