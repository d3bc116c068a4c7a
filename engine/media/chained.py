"""Files that were joined end to end: where the next one begins, in containers whose demuxers stop at the end of the first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.media.source import Source

_MOST_BOXES = 200_000
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067


def beginnings(source: Source, container: str) -> tuple[int, ...]:
    """First bytes of the recordings after the first one, in order."""
    if container.startswith("mov"):
        return tuple(_boxes(source))
    if container.startswith("matroska"):
        return tuple(_elements(source))
    if container == "wav":
        return tuple(_chunks(source))
    return ()


def _boxes(source: Source) -> Iterator[int]:
    """Every file type box but the first (ISO/IEC 14496-12, 4.2 and 4.3)."""
    at, seen = 0, False
    for _ in range(_MOST_BOXES):
        head = source.pread(16, at)
        if len(head) < 8:
            return
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if kind == b"ftyp":
            if seen:
                yield at
            seen = True
        if size < 8:
            return
        at += size


def _elements(source: Source) -> Iterator[int]:
    """Every EBML header but the first (RFC 8794); none behind a segment of unknown length."""
    at = 0
    for number in range(_MOST_BOXES):
        head = source.pread(12, at)
        if len(head) < 5:
            return
        kind, coded = int.from_bytes(head[:4], "big"), head[4]
        if kind == _EBML and number:
            yield at
        elif kind not in (_EBML, _SEGMENT) and number < 2:
            return
        width = 9 - coded.bit_length()
        if width > 8 or len(head) < 4 + width or head[0] < 0x10:
            return
        size = int.from_bytes(head[4 : 4 + width], "big") & ((1 << 7 * width) - 1)
        if size == (1 << 7 * width) - 1 or kind not in (_EBML, _SEGMENT):
            return
        at += 4 + width + size


def _chunks(source: Source) -> Iterator[int]:
    """Every RIFF WAVE behind the end of the one before it."""
    at = 0
    for number in range(_MOST_BOXES):
        head = source.pread(12, at)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return
        if number:
            yield at
        size = int.from_bytes(head[4:8], "little")
        at += 8 + size + size % 2
