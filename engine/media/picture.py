"""Frames: upright, in square pixels, at the size asked for, by their timestamps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideData
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from engine.core.clip import Frame, Interval
from engine.core.errors import SettingError
from engine.media.container import check_size, frames_of, in_seconds, in_ticks, is_encrypted, open_container, packets, prepare
from engine.media.interlace import made_whole
from engine.media.piece import Piece, piece_at
from engine.media.source import Source

if TYPE_CHECKING:
    from av.container import InputContainer

    Timed = tuple[float, VideoFrame]

MAX_JUMP_S = 600.0  # beyond the clip's own length, a later jump than this is a broken clock
MAX_STEP_BACK_S = 1.0  # a longer step back is a clock set anew, as at a splice in a broadcast
SEEK_AHEAD_S = 2.0  # without an index, targets nearer than this are reached by decoding on
_RUN_UPS_S = (0.0, 3.0, 12.0, 60.0)
_FINE = 0.3  # of the lines: a picture shrunk further has both fields in each of its lines
_PIXEL_ASPECTS = (0.25, 4.0)
_HD_LINES = 720  # BT.709 where nothing is said and the picture is at least this high (Rec. ITU-R BT.709, BT.601)


def read_all(
    source: Source,
    pieces: tuple[Piece, ...],
    interval: Interval | None,
    max_side_px: int | None,
    skipped: dict[str, int],
) -> Iterator[Frame]:
    """Every frame of the interval (or the clip) whose time lies in it, in order of time."""
    with _Walk(source, pieces, skipped) as walk:
        if interval is not None:
            walk.go_to(interval.start_s)
        while (found := walk.step()) is not None:
            if interval is not None and found[0] >= interval.end_s:
                return
            if interval is None or found[0] >= interval.start_s:
                yield walk.frame(found, max_side_px)


def read_at(
    source: Source,
    pieces: tuple[Piece, ...],
    times_s: Iterable[float],
    max_side_px: int | None,
    skipped: dict[str, int],
) -> Iterator[Frame]:
    """One frame for every time, the nearest, in the order given; seeks only where that is the shorter way.

    Raises:
        SettingError: a time is negative or not finite.
    """
    with _Walk(source, pieces, skipped) as walk:
        for time_s in times_s:
            if not math.isfinite(time_s) or time_s < 0:
                raise SettingError(f"There is no frame at {time_s:g} s; give times in seconds from the clip's start.")
            found = walk.nearest(time_s)
            if found is not None:
                yield walk.frame(found, max_side_px)


class _Walk:
    """Walks a stream forward, keeping the last two frames, and seeks when the target lies behind or far ahead."""

    def __init__(self, source: Source, pieces: tuple[Piece, ...], skipped: dict[str, int]) -> None:
        self._source, self._pieces, self._skipped = source, pieces, skipped
        self._number = 0
        self._pending: Timed | None = None
        self._before: Timed | None = None
        self._after: Timed | None = None
        self._ended = False

    def __enter__(self) -> _Walk:
        self._container = open_container(self._source, self._piece.ranges)
        self._begin()
        return self

    @property
    def _piece(self) -> Piece:
        return self._pieces[self._number]

    @property
    def _index(self) -> int:
        return self._piece.index

    @property
    def _origin_s(self) -> float:
        return self._piece.origin_s

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def frame(self, found: Timed, max_side_px: int | None) -> Frame:
        """A decoded frame as pixels."""
        aspect = pixel_aspect(self._container, self._index)
        return Frame(found[0], to_rgb(found[1], max_side_px, self._source.name, aspect))

    def step(self) -> Timed | None:
        """The next frame, or None at the end."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            return pending
        while (found := next(self._decoded, None)) is None and self._number + 1 < len(self._pieces):
            self._open(self._number + 1)
        return found

    def go_to(self, time_s: float) -> None:
        """Go on from a frame at or before time_s; from the first one where the clip starts later."""
        number = piece_at(self._pieces, time_s)
        if number != self._number:
            self._open(number)
        self._forget()
        # A container without an index lands anywhere, and decoding begins at the next key frame: try further back.
        for back_s in _RUN_UPS_S:
            if time_s - self._piece.start_s <= back_s or not self._seek(time_s - back_s):
                break
            self._begin()
            self._pending = next(self._decoded, None)
            if self._pending is not None and self._pending[0] <= time_s:
                return
        self._open(number)
        self._forget()

    def nearest(self, time_s: float) -> Timed | None:
        """The frame nearest to time_s, or None when the stream holds no frame at all."""
        if self._is_shorter_to_seek(time_s):
            self.go_to(time_s)
        while not self._ended and (self._after is None or self._after[0] < time_s):
            following = self.step()
            if following is None:
                self._ended = True
            else:
                self._before, self._after = self._after, following
        near = [x for x in (self._before, self._after) if x is not None]
        return min(near, key=lambda x: abs(x[0] - time_s)) if near else None

    def _open(self, number: int) -> None:
        """Start a piece from its beginning."""
        self._container.close()
        self._number = number
        self._container = open_container(self._source, self._piece.ranges)
        self._begin()

    def _begin(self) -> None:
        self._decoded = _decoded(self._container, self._piece, self._skipped)

    def _forget(self) -> None:
        self._pending = self._before = self._after = None
        self._ended = False

    def _is_shorter_to_seek(self, time_s: float) -> bool:
        if self._after is None:
            return time_s > SEEK_AHEAD_S and not self._ended
        if time_s < (self._before or self._after)[0]:
            return True
        if self._ended or time_s <= self._after[0]:
            return False
        key_s = self._key_before(time_s)
        return key_s > self._after[0] if key_s is not None else time_s - self._after[0] > SEEK_AHEAD_S

    def _key_before(self, time_s: float) -> float | None:
        """Time of the last indexed key frame at or before time_s; None when the container has no index."""
        stream = self._container.streams[self._index]
        if len(stream.index_entries) < 2:
            return None
        found = stream.index_entries.search_timestamp(round(in_ticks(stream, time_s + self._origin_s)))
        if found < 0:
            return None
        return in_seconds(stream, stream.index_entries[found].timestamp) - self._origin_s

    def _seek(self, to_s: float) -> bool:
        stream = self._container.streams[self._index]
        try:
            # Rounded: a tick short of a key frame would lead to the one before it.
            self._container.seek(min(round(in_ticks(stream, to_s + self._origin_s)), 2**62), stream=stream)
        except (av.error.FFmpegError, OSError, ValueError, OverflowError):
            return False
        return True


def _decoded(container: InputContainer, piece: Piece, skipped: dict[str, int]) -> Iterator[Timed]:
    """(clip time, frame) in order of presentation, time never running backwards."""
    index, origin_s = piece.index, piece.origin_s
    stream = container.streams[index]
    prepare(stream)
    step_s = float(1 / (stream.average_rate or stream.guessed_rate or 25))
    length_s = (container.duration or 0) / av.time_base
    last_s, shift_s = piece.start_s - step_s, 0.0
    first = True
    for packet in packets(container, index, skipped):
        if is_encrypted(packet):
            skipped["video"] += 1
            continue
        try:
            frames = frames_of(packet)
        except (av.error.FFmpegError, ValueError, MemoryError):
            skipped["video"] += 1
            continue
        for frame in frames:
            if not isinstance(frame, VideoFrame):
                continue
            at_s = last_s + step_s if frame.time is None else frame.time - origin_s + shift_s
            if not piece.holds(at_s):
                continue  # left behind by another clock
            absurd = at_s - last_s > MAX_JUMP_S and at_s - piece.start_s > length_s
            if not first and (absurd or at_s < last_s - MAX_STEP_BACK_S):
                shift_s += last_s + step_s - at_s
                at_s = last_s + step_s
                skipped["clock"] = skipped.get("clock", 0) + 1
            first = False
            last_s = max(at_s, last_s, piece.start_s)
            yield last_s, frame


def pixel_aspect(container: InputContainer, index: int) -> float:
    """Width of a pixel over its height; 1 when the container does not say or says something absurd."""
    stream = container.streams[index]
    if not isinstance(stream, av.VideoStream):
        return 1.0
    said = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return float(said) if said and _PIXEL_ASPECTS[0] <= said <= _PIXEL_ASPECTS[1] else 1.0


def to_rgb(frame: VideoFrame, max_side_px: int | None, name: str = "the clip", pixel_aspect: float = 1.0) -> NDArray[np.uint8]:
    """(height, width, 3) uint8: deinterlaced where it is torn, scaled to square pixels by swscale, then turned upright.

    Raises:
        MediaError: the frame is too large (see container.check_size).
    """
    check_size(frame.width, frame.height, name)
    matrix = display_matrix(frame)
    width, height = fitted(frame.width, frame.height, max_side_px, pixel_aspect)
    if height > _FINE * frame.height:
        frame = made_whole(frame)
    interpolation = src_colorspace = None
    if (width, height) != (frame.width, frame.height):
        interpolation = "BILINEAR" if width * 2 > frame.width else "AREA"
    if int(frame.colorspace) == 2 and "rgb" not in frame.format.name and "gbr" not in frame.format.name:
        src_colorspace = "ITU709" if frame.height >= _HD_LINES else "ITU601"
    rgb = frame.reformat(width, height, "rgb24", src_colorspace=src_colorspace, interpolation=interpolation).to_ndarray()
    return upright(np.asarray(rgb, dtype=np.uint8), matrix)


def fitted(width_px: int, height_px: int, max_side_px: int | None, pixel_aspect: float = 1.0) -> tuple[int, int]:
    """Width and height in square pixels, the longer side at most max_side_px; never enlarged to reach it."""
    width, height = width_px * max(pixel_aspect, 1.0), height_px / min(pixel_aspect, 1.0)
    scale = min(1.0, max_side_px / max(width, height)) if max_side_px else 1.0
    return max(1, round(width * scale)), max(1, round(height * scale))


def display_matrix(frame: VideoFrame) -> tuple[int, int, int, int] | None:
    """(a, b, c, d) of the display matrix as found (16.16 fixed point): x' = a·x + c·y, y' = b·x + d·y; None without."""
    held: object = frame.side_data  # PyAV's stub knows of motion vectors alone
    if not isinstance(held, SideDataContainer) or SideData.DISPLAYMATRIX not in held:
        return None
    data = held[SideData.DISPLAYMATRIX]
    m = np.frombuffer(bytes(data), dtype="=i4", count=9)
    return int(m[0]), int(m[1]), int(m[3]), int(m[4])


def upright(rgb: NDArray[np.uint8], matrix: tuple[int, int, int, int] | None) -> NDArray[np.uint8]:
    """Apply a display matrix's quarter turn and mirroring to (height, width, 3) (ISO/IEC 14496-12, track header)."""
    if matrix is None:
        return rgb
    a, b, c, d = matrix
    if abs(a) + abs(d) >= abs(b) + abs(c):
        mirror_x, mirror_y = a < 0, d < 0
    else:
        rgb = rgb.transpose(1, 0, 2)
        mirror_x, mirror_y = c < 0, b < 0
    return np.ascontiguousarray(rgb[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1])
