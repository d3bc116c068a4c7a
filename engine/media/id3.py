"""ID3v2.2 to 2.4 tags (id3.org): text frames, comments and an XMP packet; pictures and the rest are stepped over."""

from __future__ import annotations

import re
import struct

from engine.media import xmp

MOST_FRAMES, MOST = 2_000, 60
_LONGEST = 1_000
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_RENAMED = {"TYE": "TYER", "TDA": "TDAT", "TIM": "TIME", "TXX": "TXXX", "COM": "COMM", "TRC": "TSRC", "TRD": "TRDA"}
_WANTED = ("TDRC", "TYER", "TDAT", "TIME", "TRDA", "TXXX", "COMM", "TENC", "TSSE", "TPE1", "TIT2")


def length(head: bytes) -> int:
    """Bytes of the whole tag by its ten first, 0 when they begin none."""
    if len(head) < 10 or head[:3] != b"ID3" or head[3] not in (2, 3, 4) or any(b & 0x80 for b in head[6:10]):
        return 0
    return 10 + _seven(head[6:10])


def read(data: bytes) -> list[tuple[str, str]]:
    """(key, value) of a tag: ("ID3 TDRC", "2021-04-10T06:30:00"), ("ID3 TXXX:GEO", "48.85, 2.29"), ("ID3 COMM", …)."""
    size = min(length(data[:10]), len(data))
    if not size:
        return []
    version, flags, body = data[3], data[5], data[10:size]
    if flags & 0x80 and version < 4:
        body = body.replace(b"\xff\0", b"\xff")
    if flags & 0x40 and version > 2 and len(body) >= 4:  # an extended header; in 2.3 its length leaves out itself
        body = body[_seven(body[:4]) if version == 4 else 4 + struct.unpack(">I", body[:4])[0] :]
    found: list[tuple[str, str]] = []
    for name, frame in _frames(body, version):
        if name == "PRIV" and frame[:4] == b"XMP\0":
            found += xmp.read(frame[4:])
        elif name in _WANTED:
            found += _text_frame(name, frame[: 8 * _LONGEST])
        if len(found) >= MOST:
            break
    return _with_date(found)[:MOST]


def _frames(body: bytes, version: int) -> list[tuple[str, bytes]]:
    """Name and content of each frame; stops at padding and where a frame is invalid."""
    frames: list[tuple[str, bytes]] = []
    letters, head = (3, 6) if version == 2 else (4, 10)
    at = 0
    while at + head <= len(body) and len(frames) < MOST_FRAMES:
        name = body[at : at + letters]
        if not re.fullmatch(rb"[A-Z0-9]{3,4}", name):
            break
        if version == 2:
            size = int.from_bytes(body[at + 3 : at + 6], "big")
        elif version == 3 or any(b & 0x80 for b in body[at + 4 : at + 8]):  # some write 2.4 with plain lengths
            size = int.from_bytes(body[at + 4 : at + 8], "big")
        else:
            size = _seven(body[at + 4 : at + 8])
        content = body[at + head : at + head + size]
        if size == 0 or len(content) < size:
            break
        flags = body[at + 9] if version > 2 else 0
        at += head + size
        if flags & 0x0C if version == 4 else flags & 0xC0:  # packed or encrypted
            continue
        if version == 4:
            content = content[4 if flags & 1 else 0 :]
            content = content.replace(b"\xff\0", b"\xff") if flags & 2 else content
        text = name.decode("ascii")
        frames.append((_RENAMED.get(text, text), content))
    return frames


def _text_frame(name: str, frame: bytes) -> list[tuple[str, str]]:
    if not frame or frame[0] >= len(_ENCODINGS):
        return []
    encoding, body = _ENCODINGS[frame[0]], frame[1:]
    if name == "COMM":
        body = body[3:]  # the language
    parts = [p.strip() for p in _decoded(body, encoding).split("\0")]
    if name == "TXXX":
        return [(f"ID3 TXXX:{parts[0][:60]}", " ".join(parts[1:])[:_LONGEST])] if len(parts) > 1 and any(parts[1:]) else []
    if name == "COMM":
        parts = parts[1:]
    text = " ".join(p for p in parts if p)[:_LONGEST]
    return [(f"ID3 {name}", text)] if text else []


def _decoded(data: bytes, encoding: str) -> str:
    if encoding != "utf-16":
        return data.decode(encoding, "replace")
    # Each string of the frame has its own mark; some writers leave it out of all but the first.
    big = data[:2] == b"\xfe\xff"
    return data.decode("utf-16-be" if big else "utf-16-le", "replace").replace("\ufeff", "")


def _with_date(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """2.3 states year (TYER), day and month (TDAT "DDMM") and time (TIME "HHMM") apart: put together as TDRC."""
    parts = {key[4:]: value for key, value in found if key in ("ID3 TYER", "ID3 TDAT", "ID3 TIME")}
    rest = [(key, value) for key, value in found if key not in ("ID3 TYER", "ID3 TDAT", "ID3 TIME")]
    year, day, time = (parts.get(k, "") for k in ("TYER", "TDAT", "TIME"))
    if not re.fullmatch(r"[0-9]{4}", year):
        return rest
    said = year
    if re.fullmatch(r"[0-9]{4}", day):
        said += f"-{day[2:]}-{day[:2]}"
        said += f" {time[:2]}:{time[2:]}" if re.fullmatch(r"[0-9]{4}", time) else ""
    return [("ID3 TYER, TDAT, TIME", said), *rest]


def _seven(data: bytes) -> int:
    """A number of seven bits a byte."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number
