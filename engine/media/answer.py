"""What a decoding child answers, looked at before anybody uses it.

The child may have been taken over by the file it reads, so its answers are as hostile as the file: whatever is not of the shape,
size and time that was asked for raises ValueError, KeyError or TypeError here, and `guard` ends the child.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.clip import AudioBlock, Clip, Frame, Interval, Programme, Stream
from engine.media.child import Bound
from engine.media.container import MAX_DURATION_S, MAX_PIXELS, MAX_SIDE_PX, MAX_TAG_CHARACTERS, MAX_TAGS
from engine.media.contents import Contents
from engine.media.piece import Layout, Piece
from engine.media.source import shown

if TYPE_CHECKING:
    from engine.media.shots import Seen

_SLACK_BYTES = 64_000_000
_WAIT_S, _WAIT_PER_S, _WAIT_PER_BYTE = 600.0, 10.0, 1e-4
_MOST_FPS = 1_000
_SMALL_BYTES = 32_768  # of the small picture that shots are cut by


def bound_of(clip: Clip, interval: Interval | None, bytes_per_s: float, at_once: float = 0.0) -> Bound:
    """What a request may cost.

    A clip's own word for its length is not always true (an MP3 of changing bit rate has to guess), so four times it and an hour
    are let through, unless an interval was asked for; the time grows with length and size, ten minutes at the least.

    Args:
        bytes_per_s: of answers, for a second of the clip.
        at_once: bytes whatever the length.
    """
    claimed_s = clip.duration_s if clip.duration_s is not None else MAX_DURATION_S
    reach_s = min(MAX_DURATION_S, 4 * claimed_s + 3600)
    length_s = min(reach_s, interval.length_s + 60) if interval else reach_s
    wait_s = _WAIT_S + min(_WAIT_PER_S * claimed_s, _WAIT_PER_BYTE * clip.size_bytes)
    return Bound(wait_s, int(bytes_per_s * length_s + at_once) + _SLACK_BYTES)


def bound_of_opening(size_bytes: int) -> Bound:
    """The same for opening a file, before anything is known of it."""
    return Bound(_WAIT_S + _WAIT_PER_BYTE * size_bytes, _SLACK_BYTES)


def bound_of_frames(clip: Clip, times: int | None, interval: Interval | None, max_side_px: int | None) -> Bound:
    """The same for frames: so many of them, or all."""
    side_px = min(max_side_px or MAX_SIDE_PX, MAX_SIDE_PX)
    frame_bytes = 3 * min(side_px * side_px, MAX_PIXELS)
    if times is None:
        return bound_of(clip, interval, frame_bytes * _MOST_FPS)
    return bound_of(clip, None, 0, at_once=(times + 1) * (frame_bytes + 200))


def audio_block(facts: dict[str, Any], payload: bytes, rate_hz: int) -> AudioBlock:
    """A block of sound."""
    if facts["rate_hz"] != rate_hz:
        raise ValueError("another rate than was asked for")
    return AudioBlock(_time_s(facts["start_s"]), rate_hz, np.frombuffer(payload, "<f4"))


def frame(facts: dict[str, Any], payload: bytes, max_side_px: int | None) -> Frame:
    """A picture."""
    return Frame(_time_s(facts["time_s"]), _picture(facts["shape"], payload, max_side_px))


def seen(facts: dict[str, Any], payload: bytes) -> Seen:
    """A frame as `shots` looks at it."""
    from engine.media.shots import Glance, Seen

    rows, columns, planes = (int(n) for n in facts["shape"])
    split = rows * columns * planes * 4
    if min(rows, columns, planes) < 1 or split > _SMALL_BYTES:
        raise ValueError("not a small picture")
    small = np.frombuffer(payload[:split], "<f4").reshape(rows, columns, planes)
    large = None if facts["frame"] is None else _picture(facts["frame"], payload[split:], None)
    time_s = _time_s(facts["time_s"])
    return Seen(Glance(time_s, small), None if large is None else Frame(time_s, large), bool(facts["key"]))


def sizes(payload: bytes) -> list[tuple[float, int]]:
    """Times and sizes of packets."""
    return [(_time_s(t), int(n)) for t, n in np.frombuffer(payload, "<f8").reshape(-1, 2)]


def packet(facts: dict[str, Any], payload: bytes) -> tuple[float, bytes]:
    """A packet as it is in the file."""
    return _time_s(facts["time_s"]), payload


def fact(facts: dict[str, Any], _: bytes) -> tuple[str, str, str]:
    """Something that the file tells of its making."""
    name, what, note = (facts[key] for key in ("name", "what", "note"))
    if not all(type(x) is str for x in (name, what, note)):
        raise TypeError("a fact of another kind")
    return shown(name, 40), shown(what, 300), shown(note, 600)


def contents(facts: dict[str, Any]) -> Contents:
    """What opening found."""
    streams = tuple(_stream(s) for s in facts["streams"][:1000])
    tags = tuple((str(k)[:200], str(v)[:MAX_TAG_CHARACTERS]) for k, v in facts["tags"][:MAX_TAGS])
    problems = tuple(str(p)[:500] for p in facts["problems"][:1000])
    layouts = tuple(layout(x) for x in facts["layouts"][:1000])
    programmes = tuple(Programme.of(p) for p in facts["programmes"][:1000])
    if not layouts or not all(p.name is None or (type(p.name) is str and len(p.name) <= 200) for p in programmes):
        raise ValueError("programmes of another shape")
    return Contents(str(facts["container"])[:200], streams, tags, problems, layouts, programmes, _number(facts["programme"]))


def layout(facts: dict[str, Any]) -> Layout:
    """Where the tracks of a programme lie."""
    duration_s = facts["duration_s"]
    if duration_s is not None and not (math.isfinite(duration_s) and 0 <= duration_s <= MAX_DURATION_S):
        duration_s = None
    pieces = tuple((int(index), tuple(_piece(p) for p in own)) for index, own in facts["pieces"][:1000])
    problems = tuple(str(p)[:500] for p in facts["problems"][:100])
    return Layout(_time_s(facts["origin_s"]), _number(facts["programme"]), duration_s, pieces, problems)


def _piece(facts: dict[str, Any]) -> Piece:
    ranges = tuple((int(first), int(end)) for first, end in facts["ranges"])
    end_s = None if facts["end_s"] is None else _time_s(facts["end_s"])
    return Piece(int(facts["index"]), _time_s(facts["origin_s"]), ranges, _time_s(facts["start_s"]), end_s)


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


_KINDS_OF_FACT = {
    int: ("index", "track", "rotation_deg"),
    str: ("kind", "codec"),
    bool: ("default", "decodable", "variable_fps", "attached_picture", "silent", "still"),
}
_PERHAPS = {
    (int,): ("rate_hz", "channels", "width_px", "height_px"),
    (int, float): ("duration_s", "fps"),
    (str,): ("language", "title", "layout"),
}


def _stream(facts: dict[str, Any]) -> Stream:
    for kind, names in _KINDS_OF_FACT.items():
        if not all(type(facts[n]) is kind for n in names):
            raise TypeError("a stream of other facts")
    for kinds, names in _PERHAPS.items():
        if not all(facts[n] is None or type(facts[n]) in kinds for n in names):
            raise TypeError("a stream of other facts")
    if not all(type(f) is str and len(f) <= 40 for f in facts["flags"]):
        raise TypeError("a stream of other facts")
    return Stream.of(facts)


def _time_s(value: Any) -> float:
    time_s = float(value)
    if not math.isfinite(time_s):
        raise ValueError("no time")
    return time_s


def _picture(shape: Any, payload: bytes, max_side_px: int | None) -> np.ndarray[Any, np.dtype[np.uint8]]:
    height, width = (int(n) for n in shape)
    if not (min(height, width) >= 1 and max(height, width) <= min(max_side_px or MAX_SIDE_PX, MAX_SIDE_PX)):
        raise ValueError("a picture of another size than was asked for")
    return np.frombuffer(payload, np.uint8).reshape(height, width, 3)
