"""Metadata that FFmpeg leaves in the file or hands on in part: XMP, recorders' chunks, ID3, and places of MP4's user data.

Runs where the decoding does, in the fenced child. Every walk is bounded, and what is invalid ends it: a damaged chunk is left
out, never an error. A key says where it stood: "XMP exif:GPSLatitude", "GUANO Loc Position", "bext OriginationDate".
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from engine.media import id3, recorder_tags, xmp
from engine.media.source import Source

Tags = list[tuple[str, str]]
MOST_TAGS = 120
_MOST_STEPS = 20_000  # boxes or chunks looked at
_MOST_PARTS, _MOST_PART_BYTES, _MOST_READ_BYTES = 300, 3_000_000, 8_000_000  # XML made to be slow takes a second a megabyte
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid", b"styp", b"moof", b"sidx")
_INTO = (b"moov", b"udta", b"trak", b"meta")
_DEEPEST = 4
_FORMS = (b"WAVE", b"AVI ", b"AIFF", b"AIFC")
_W64 = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_LETTERS = re.compile(rb"[\x20-\x7e]{4}")


def tags(source: Source) -> tuple[tuple[str, str], ...]:
    """(key, value) of what is found, each once; at most MOST_TAGS, control characters as spaces.

    Raises:
        MediaError: the source has been closed.
    """
    found: dict[tuple[str, str], None] = {}
    for key, value in _found(_Parts(source)):
        clean = (_one_line(key)[:100], _one_line(value))
        if clean[1]:
            found[clean] = None
        if len(found) >= MOST_TAGS:
            break
    return tuple(found)


class _Parts:
    """The file, of which no more than a bounded part is read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.size = source.size_bytes
        self._left, self._parts = _MOST_READ_BYTES, _MOST_PARTS

    def head(self, at: int, size: int) -> bytes:
        """A few bytes of structure."""
        return self._source.pread(size, at) if 0 <= at < self.size else b""

    def part(self, at: int, size: int) -> bytes:
        """Content, at most _MOST_PART_BYTES of it; empty when enough has been read."""
        size = min(size, _MOST_PART_BYTES, self._left, self.size - at)
        if size <= 0 or self._parts == 0:
            return b""
        self._left -= size
        self._parts -= 1
        return self._source.pread(size, at)


def _found(parts: _Parts) -> Iterator[tuple[str, str]]:
    head = parts.head(0, 16)
    if (size := id3.length(head)) > 0:
        yield from id3.read(parts.part(0, size))
    if head[4:8] in _BOXES:
        yield from _in_boxes(parts, 0, parts.size, 0, [0])
    elif head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM"):
        yield from _in_chunks(parts, ">" if head[:4] in (b"RIFX", b"FORM") else "<")
    elif head == _W64:
        yield from _in_wave64(parts)


def _in_boxes(parts: _Parts, at: int, end: int, depth: int, steps: list[int]) -> Iterator[tuple[str, str]]:
    """Boxes of ISO 14496-12 and QuickTime."""
    while at + 8 <= end and steps[0] < _MOST_STEPS:
        steps[0] += 1
        head = parts.head(at, 32)
        if len(head) < 8:
            return
        size, kind, begin = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if size == 1 and len(head) >= 16:
            size, begin = int.from_bytes(head[8:16], "big"), at + 16
        stop = end if size == 0 else at + size
        if stop < begin or stop > end:  # cut off: what is there may still be read
            stop = end
            if size and size < 8:
                return
        if kind == b"uuid" and head[begin - at : begin - at + 16] == xmp.UUID:
            yield from xmp.read(parts.part(begin + 16, stop - begin - 16))
        elif kind == b"XMP_":
            yield from xmp.read(parts.part(begin, stop - begin))
        elif kind in (b"\xa9xyz", b"loci") and depth > 0:
            yield from _place_box(kind, parts.part(begin, min(stop - begin, 2_000)))
        elif kind in _INTO and depth < _DEEPEST:
            full = kind == b"meta" and head[begin - at + 4 : begin - at + 8] != b"hdlr"  # QuickTime's has no version before it
            yield from _in_boxes(parts, begin + (4 if full else 0), stop, depth + 1, steps)
        at = stop


def _place_box(kind: bytes, body: bytes) -> Tags:
    """QuickTime's ©xyz (length, language, ISO 6709) and 3GPP's loci (TS 26.244, 8.10)."""
    if kind == b"\xa9xyz":
        return [("udta ©xyz", body[4:].split(b"\0")[0].decode("utf-8", "replace"))] if len(body) > 4 else []
    wide = body[6:8] in (b"\xfe\xff", b"\xff\xfe")
    at = 6
    while at < len(body) and any(body[at : at + (2 if wide else 1)]):
        at += 2 if wide else 1
    name = body[6:at].decode("utf-16" if wide else "utf-8", "replace")
    at += 3 if wide else 2  # the end of the name, and the role of the place
    if len(body) < at + 12:
        return []
    lon, lat, alt = (v / 65_536 for v in struct.unpack_from(">3i", body, at))
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        return []
    return [("udta loci", f"{lat:+09.5f}{lon:+010.5f}{alt:+.1f}/{name}")]


def _in_chunks(parts: _Parts, order: str) -> Iterator[tuple[str, str]]:
    """Chunks of RIFF, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088), AVI and AIFF."""
    if parts.head(8, 4) not in _FORMS:
        return
    at, large = 12, 0
    for _ in range(_MOST_STEPS):
        head = parts.head(at, 20)
        if len(head) < 8 or not _LETTERS.fullmatch(head[:4]):
            return
        kind, size = head[:4], struct.unpack_from(order + "I", head, 4)[0]
        if kind == b"ds64" and len(head) >= 20 and size >= 16:
            large = struct.unpack_from("<Q", parts.head(at + 16, 8).ljust(8, b"\0"))[0]
        elif kind == b"data" and size == 0xFFFFFFFF:
            size = large or parts.size
        yield from _chunk(parts, kind, at + 8, size, order)
        at += 8 + size
        if size & 1 and (_LETTERS.fullmatch(parts.head(at + 1, 4)) or not _LETTERS.fullmatch(parts.head(at, 4))):
            at += 1  # an odd chunk is padded; some writers don't


def _in_wave64(parts: _Parts) -> Iterator[tuple[str, str]]:
    """Sony Wave64: chunks named by sixteen bytes, the first four as in RIFF, and a length that counts the head."""
    at = 40
    for _ in range(_MOST_STEPS):
        head = parts.head(at, 24)
        if len(head) < 24:
            return
        size = int.from_bytes(head[16:24], "little")
        if size < 24:
            return
        yield from _chunk(parts, head[:4], at + 24, size - 24, "<")
        at += (size + 7) // 8 * 8


def _chunk(parts: _Parts, kind: bytes, at: int, size: int, order: str) -> Tags:
    small = kind.lower()
    if small == b"id3 ":
        return id3.read(parts.part(at, size))
    if small == b"appl" and parts.head(at, 4) == b"XMP ":
        return xmp.read(parts.part(at + 4, size - 4))
    if small == b"list" and parts.head(at, 4) == b"INFO":
        return recorder_tags.info(parts.part(at, size), order)
    reader = recorder_tags.READERS.get(small)
    return reader(parts.part(at, size)) if reader else []


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\s]+", " ", text[:1_000]).strip()
