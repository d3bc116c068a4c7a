"""Interlaced pictures made whole: where two fields of a frame show two moments, its lines are torn like a comb.

Such a frame is recognised by what is measured in it, not by its flag alone: a flag may be missing or wrong, and film sent as
segmented
frames is flagged interlaced though its two fields are of one moment. Only the torn points are made anew, from the lines of one
field (libavfilter's `estdif`, which looks for the slope of edges); everything else of the frame is kept as it is.
The measure of combing is that of Donald Graft's Telecide and its successors (five lines above each other, weighted 1 -3 4 -3 1).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from engine.media.container import points_of

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

TORN = 9 * 6  # of the weighted sum, on a scale of 0..255 luma times 6
_COLUMNS = 96  # measured, evenly spread
_FLAGGED_SHARE, _UNFLAGGED_SHARE = 0.002, 0.01  # of the measured points that are torn
_MOST_SHIFT_PX = 48
_BETTER = 0.7  # of the difference between two fields, where one is shifted to lie over the other
_PLANAR = {"yuv420p": 2, "yuvj420p": 2, "yuv422p": 1, "yuvj422p": 1, "yuv411p": 1}  # luma lines to a line of chroma
_FEWEST_LINES = 32


def made_whole(frame: VideoFrame) -> VideoFrame:
    """The frame itself, or a copy with its torn points made anew where two moments are woven into it."""
    if frame.height < _FEWEST_LINES or frame.width < _COLUMNS or not _is_torn(frame):
        return frame
    try:
        return _mended(frame)
    except (av.error.FFmpegError, ValueError, MemoryError):
        return frame  # a torn picture rather than none


def _is_torn(frame: VideoFrame) -> bool:
    luma = _luma(frame)
    if luma is None:
        return False
    share = float(_combed(luma[:, :: max(1, frame.width // _COLUMNS)]).mean())
    if frame.interlaced_frame:
        return share > _FLAGGED_SHARE
    return share > _UNFLAGGED_SHARE and _has_moved(luma)


def _luma(frame: VideoFrame) -> NDArray[np.uint8] | None:
    """(height, width) of brightness, 0..255, without a copy where there is one; None for what is never interlaced."""
    name = frame.format.name
    if name in _PLANAR or name in ("gray", "nv12", "nv21", "yuv444p", "yuvj444p"):
        plane = frame.planes[0]
        return points_of(plane).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    if name.startswith(("yuv420p1", "yuv422p1", "yuv444p1")) and name.endswith("le"):
        plane, bits = frame.planes[0], int(name[7:9])
        words = points_of(plane).view("<u2").reshape(-1, plane.line_size // 2)[: frame.height, : frame.width]
        return (words >> (bits - 8)).astype(np.uint8)
    return None


def _combed(luma: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(height - 4, width) whether each point from the third line on is torn from the lines above and below it."""
    y = luma.astype(np.int16)
    up, down = y[1:-3] - y[2:-2], y[3:-1] - y[2:-2]
    between = ((up > 3) & (down > 3)) | ((up < -3) & (down < -3))  # both neighbours brighter, or both darker
    torn = np.abs(y[:-4] + 4 * y[2:-2] + y[4:] - 3 * (y[1:-3] + y[3:-1])) > TORN
    alike = np.abs(y[:-4] - y[4:]) < 2 * np.maximum(np.abs(up), np.abs(down))
    return torn & between & alike


def _has_moved(luma: NDArray[np.uint8]) -> bool:
    """Whether one field lies better over the other when it is shifted sideways: fine stripes of a picture do not."""
    rows = luma[: luma.shape[0] // 2 * 2].astype(np.int16)
    top, bottom = rows[2::2], rows[1:-1:2]
    top = (rows[:-2:2] + top) // 2  # at the height of the bottom field's lines
    torn = np.flatnonzero(_combed(luma[:, :: max(1, luma.shape[1] // _COLUMNS)]).mean(axis=1) > _UNFLAGGED_SHARE)
    lines = np.unique(np.clip(torn // 2, 0, len(top) - 1))[:: max(1, len(torn) // 400)]
    if len(lines) < 4 or luma.shape[1] < 4 * _MOST_SHIFT_PX:
        return False
    a, b = top[lines], bottom[lines][:, _MOST_SHIFT_PX:-_MOST_SHIFT_PX]
    width = b.shape[1]

    def difference(shift: int) -> float:
        return float(np.abs(a[:, _MOST_SHIFT_PX + shift : _MOST_SHIFT_PX + shift + width] - b).mean())

    still = difference(0)
    shifted = min(difference(s) for s in (*range(-_MOST_SHIFT_PX, 0), *range(1, _MOST_SHIFT_PX + 1)))
    return still > 0 and shifted < _BETTER * still


def _mended(frame: VideoFrame) -> VideoFrame:
    """A copy with the torn points taken from one field."""
    if frame.format.name not in _PLANAR:
        whole = "yuv422p" if "422" in frame.format.name or "444" in frame.format.name else "yuv420p"
        plain = frame.reformat(format=whole)
    else:
        plain = frame
    smooth = _one_field(plain)
    luma = _luma(plain)
    assert luma is not None
    mask = np.zeros(luma.shape, bool)
    mask[2:-2] = _combed(luma)
    mask = _grown(mask)
    for number, plane in enumerate(smooth.planes):
        own = plain.planes[number]
        kept = points_of(own).reshape(-1, own.line_size)[: own.height, : own.width]
        made = points_of(plane).reshape(-1, plane.line_size)[: plane.height, : plane.width].copy()
        here = mask if number == 0 else _shrunk(mask, own.height, own.width)
        made[~here] = kept[~here]
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : plane.width] = made
        data = rows.tobytes()
        plane.update(data + bytes(max(0, plane.buffer_size - len(data))))
    return smooth


def _one_field(frame: VideoFrame) -> VideoFrame:
    """The frame with every other line made from the lines around it."""
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25))
    mend, sink = graph.add("estdif", "mode=frame:deint=all"), graph.add("buffersink")
    source.link_to(mend)
    mend.link_to(sink)
    graph.configure()
    graph.vpush(frame)
    graph.vpush(None)
    return graph.vpull()


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask with the points around it: combing is seen where it is strongest, and reaches a little further."""
    rows = mask.copy()
    rows[1:] |= mask[:-1]
    rows[:-1] |= mask[1:]
    rows[2:] |= mask[:-2]
    rows[:-2] |= mask[2:]
    out = rows.copy()
    for step in range(1, 5):
        out[:, step:] |= rows[:, :-step]
        out[:, :-step] |= rows[:, step:]
    return out


def _shrunk(mask: NDArray[np.bool_], height: int, width: int) -> NDArray[np.bool_]:
    """The mask at the size of a plane of chroma."""
    tall, wide = mask.shape[0] // height, mask.shape[1] // width
    cut = mask[: height * tall, : width * wide]
    small = cut.reshape(cut.shape[0] // tall, tall, cut.shape[1] // wide, wide).any(axis=(1, 3))
    out = np.zeros((height, width), bool)
    out[: small.shape[0], : small.shape[1]] = small
    return out
