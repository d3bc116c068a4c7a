"""Places in the timed data tracks of cameras: GoPro's GPMF and Android's CAMM."""

from __future__ import annotations

import struct
from collections.abc import Iterator

Position = tuple[float, float, float]
"""Latitude and longitude in degrees, altitude in metres; unchecked."""


def positions(data: bytes) -> tuple[str, tuple[Position, ...]] | None:
    """(name of the track, positions) of one packet, or None when it is of neither format."""
    if data.startswith(b"DEVC"):
        return "GoPro track", tuple(_gopro(data))
    if len(data) in (28, 60) and data[:2] == b"\0\0":
        return "camera motion track", tuple(_camm(data))
    return None


def _camm(data: bytes) -> Iterator[Position]:
    """Android's Camera Motion Metadata: type 5 is three doubles, type 6 a longer record (developers.google.com, "CAMM")."""
    kind = struct.unpack_from("<H", data, 2)[0]
    if kind == 5 and len(data) == 28:
        yield struct.unpack_from("<3d", data, 4)
    elif kind == 6 and len(data) == 60:
        _, fixed, lat, lon, alt = struct.unpack_from("<diddf", data, 4)
        if fixed:
            yield lat, lon, alt


def _gopro(data: bytes) -> Iterator[Position]:
    """GPS5 and GPS9 of a GPMF payload, one fix per payload: the middle one (github.com/gopro/gpmf-parser, "KLV").

    The place of a payload without a lock (GPSF or the record's own fix field 0) is left out.
    """
    scale: tuple[float, ...] = ()
    locked = True
    for key, kind, size, count, body in _klv(data):
        if key == b"SCAL":
            code = {ord("l"): ">%di", ord("s"): ">%dh"}.get(kind)
            values = len(body) // (4 if kind == ord("l") else 2)
            scale = tuple(map(float, struct.unpack_from(code % values, body))) if code else ()
        elif key == b"GPSF" and len(body) >= 4:
            locked = struct.unpack_from(">I", body)[0] > 0
        elif key in (b"GPS5", b"GPS9") and count and size >= 12 and len(scale) >= 3 and all(scale[:3]):
            at = (count // 2) * size
            if key == b"GPS9" and size >= 32:
                locked = struct.unpack_from(">H", body, at + size - 2)[0] > 0
            lat, lon, alt = (v / s for v, s in zip(struct.unpack_from(">3i", body, at), scale, strict=False))
            if locked:
                yield lat, lon, alt
            return


def _klv(data: bytes, depth: int = 0) -> Iterator[tuple[bytes, int, int, int, bytes]]:
    """(key, type, element size, count, body) of a GPMF buffer, nested ones unrolled; stops where it is invalid."""
    at = 0
    while at + 8 <= len(data) and depth < 6:
        key = data[at : at + 4]
        kind, size, count = struct.unpack_from(">BBH", data, at + 4)
        length = size * count
        body = data[at + 8 : at + 8 + length]
        if len(body) < length:
            return
        if kind == 0:
            yield from _klv(body, depth + 1)
        else:
            yield key, kind, size, count, body
        at += 8 + (length + 3) // 4 * 4
