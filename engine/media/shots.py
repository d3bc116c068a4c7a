"""Shots: intervals of film between two cuts, found in the decoder at a fraction of a full decode's price.

Two passes. The first decodes key frames alone (packets of other frames are not even fed). Two neighbouring key frames
that look alike and lie close together have no cut between them; nor have those that differ little while no packet between
them is much larger than the others. The intervals that remain are decoded without the
frames nothing depends on and without the loop filter, which changes no picture enough to matter here.

A hard cut is a jump between two frames' small pictures that stands out from its neighbours and lasts (a flash does
not). A dissolve is a straight line between two unlike pictures (a pan is a bent one), a fade a short dark pause.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from engine.core.clip import Frame, Interval, Shot
from engine.core.progress import Progress, ProgressCallback, silent
from engine.media.container import check_size, frames_of, in_ticks, is_encrypted, open_container, packets, points_of, prepare
from engine.media.picture import pixel_aspect, to_rgb

if TYPE_CHECKING:
    from engine.media.piece import Piece
    from engine.media.reader import FileReader
    from engine.media.source import Source

BLIND_S = 3.0  # key frames further apart than this can hide a shot that comes and goes between them
ALIKE = 4.0  # mean difference of small pictures (0..255) below which two frames show the same shot
JUMP = 7.0  # … above which two neighbouring frames may be a cut
CALM_CHANGE, CALM_S = 14.0, 15.0  # key frames that differ less and lie nearer are asked for the bytes between them
CALM_PACKETS, _ROW = 24, 12
MOST_GRAIN = 0.8  # of the change from frame to frame where nothing moves
ROW_OF_KEYS_S = 0.1  # key frames nearer than this stand in a row: film coded without any other frames
SAME_COLOURS = 0.96  # Bhattacharyya coefficient of the colours of two key frames of one view
OUTSTANDING = 2.2  # times the 85th percentile of the bytes between them, of one packet, or …
OUTSTANDING_RANK, OUTSTANDING_RANKED = 5, 1.7  # … times the fifth largest, where every so many packets are large by themselves
OUTSTANDING_ROW = 2.0  # times the median, of the mean of 12 packets
STANDS_OUT = 3.5  # times the usual jump around it
GRADUAL_S = 0.8
DISSOLVE_CHANGE = 10.0  # as JUMP, over GRADUAL_S
DISSOLVE_BEND = 0.35  # distance of the picture between from the mean of both ends, as a share of half the change
DISSOLVE_LIKENESS = 0.5  # correlation of the layouts at both ends
BLACK_LUMA, MAX_BLACK_S = 24.0, 3.0
MAX_FRAMES = 6
LONG_S = 12.0  # no interval of a shot longer than this goes without a frame that stands for it
MIN_SHOT_S = 0.4
WATCHED_PX = 480  # longer side of the frames that a watcher is shown
# Length decoded at once of an interval in which everything moves, and of its neighbours on each side.
PIECE_S, OVERLAP_S = 60.0, 6.0
_FRAME_S = 0.04
_ROWS, _COLUMNS, _BLOCK = 18, 32, 4
_PLANAR_8_BIT = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv411p", "yuv440p"}


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """What is kept of a frame: its time and a small picture (18, 32, 3) in YUV, 0..255."""

    time_s: float
    small: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """What is kept of a key frame: its time, its colours (see `look`) and how far it is from the one before it (0..255)."""

    time_s: float
    look: NDArray[np.float32]
    change: float


class Watcher(Protocol):
    """Whoever wants to look at frames as they pass by: asked by time, then handed the frame and whether it is a key frame.

    Attributes:
        every_s: wants no frame nearer than this to one that it has seen.
        times_s: of the frames it has seen, in order.
    """

    every_s: float

    @property
    def times_s(self) -> Sequence[float]: ...

    def wants(self, time_s: float) -> bool: ...

    def see(self, frame: Frame, key: bool) -> None: ...


def cut(
    reader: FileReader,
    interval: Interval | None = None,
    progress: ProgressCallback = silent,
    track: int | None = None,
    watcher: Watcher | None = None,
) -> tuple[Shot, ...]:
    """Cut a clip, or an interval of it, into shots; together they cover it without gap or overlap.

    Args:
        progress: in seconds of film; may raise Cancelled.
        track: video track from 1; None takes the default one.
        watcher: shown upright frames at reduced size, key frames first and then those decoded for the cuts, not in order.

    Returns:
        Shots in order; empty when the interval holds no frame.

    Raises:
        MediaError: the clip has no pictures or none that can be decoded.
    """
    if reader.clip.has_one_picture:
        return _one_picture(reader, interval)
    sizes: list[tuple[float, int]] = []
    keys = list(_keys(_glances(reader, interval, track, progress, "looking for cuts", True, watcher, sizes)))
    wanted = _joined(_unclear(keys, interval, reader.clip.duration_s, np.array(sorted(sizes)).reshape(-1, 2)))
    sizes.clear()
    cuts: list[float] = []
    seen: list[float] = [k.time_s for k in keys]
    looks: list[tuple[float, NDArray[np.float32]]] = [(k.time_s, k.look) for k in keys]
    total_s = sum(b - a for a, b in wanted)
    done_s = 0.0
    for start_s, end_s in wanted:

        def within(step: Progress, before_s: float = done_s, from_s: float = start_s) -> None:
            progress(Progress(step.stage, before_s + max(0.0, step.done - from_s), total_s, "s"))

        glances = _glances(reader, Interval(start_s, end_s), track, within, "finding the cuts", False, watcher)
        for piece, from_s, to_s in _pieces(glances):
            own = [g for g in piece if from_s <= g.time_s < to_s]
            seen += [g.time_s for g in own]
            looks += [(g.time_s, look(g)) for g in own[:: max(1, len(own) // 200)]]
            cuts += [t for t in find_cuts(piece) if from_s <= t < to_s]
        done_s += end_s - start_s
    if not seen:
        return ()
    first_s = interval.start_s if interval else 0.0
    end_s = max(max(seen) + _FRAME_S, reader.clip.duration_s or 0.0)
    end_s = min(end_s, interval.end_s) if interval else end_s
    shots = _shots(first_s, end_s, max(seen), cuts, np.array([g.time_s for g in keys]))
    looks_s = np.array([t for t, _ in looks])
    every = np.stack([x for _, x in looks])
    return tuple(replace(shot, look=_look_of(shot, looks_s, every)) for shot in shots)


def _one_picture(reader: FileReader, interval: Interval | None) -> tuple[Shot, ...]:
    """A still picture is one shot of one frame."""
    frames = list(reader.frames([0.0], max_side_px=WATCHED_PX))
    if not frames:
        return ()
    only = glance(VideoFrame.from_ndarray(frames[0].rgb, "rgb24"), 0.0)
    start_s, end_s = (interval.start_s, interval.end_s) if interval else (0.0, _FRAME_S)
    found = look(only)
    return (Shot(start_s, end_s, (start_s,), found / max(float(np.linalg.norm(found)), 1e-9)),)


def _keys(glances: Iterable[Glance]) -> Iterator[Key]:
    """What is kept of key frames: of hours their small pictures would be much."""
    before: Glance | None = None
    for g in glances:
        yield Key(g.time_s, look(g), float(np.abs(before.small - g.small).mean()) if before is not None else np.inf)
        before = g


def _pieces(glances: Iterable[Glance]) -> Iterator[tuple[list[Glance], float, float]]:
    """(glances, from_s, to_s): an interval piece by piece, each to be searched for cuts from from_s to to_s alone.

    What is given beside it on both sides lets a cut stand out, or not, as it would in the whole.
    """
    held: list[Glance] = []
    from_s = -np.inf
    for g in glances:
        held.append(g)
        if g.time_s - held[0].time_s >= PIECE_S + 2 * OVERLAP_S:
            to_s = g.time_s - OVERLAP_S
            yield held, from_s, to_s
            held, from_s = [h for h in held if h.time_s >= to_s - OVERLAP_S], to_s
    if held:
        yield held, from_s, np.inf


def find_cuts(glances: list[Glance]) -> list[float]:
    """Times at which a new shot starts, hard and gradual, among successive glances."""
    if len(glances) < 2:
        return []
    times_s = np.array([g.time_s for g in glances])
    small = np.stack([g.small for g in glances])
    jumps = np.abs(np.diff(small, axis=0)).mean(axis=(1, 2, 3))
    hard = [i + 1 for i in range(len(jumps)) if _is_hard(i, jumps, small)]
    found = list(hard)
    for i in [*_blackouts(times_s, small), *_dissolves(times_s, small)]:
        # The slope into a blackout looks like a dissolve, and so does a hard cut from a second away.
        if all(abs(times_s[i] - times_s[j]) > (GRADUAL_S if j in hard else 2 * GRADUAL_S) for j in found):
            found.append(i)
    return sorted(float(times_s[i]) for i in found)


def _is_hard(i: int, jumps: NDArray[np.float32], small: NDArray[np.float32]) -> bool:
    """Whether the step from glance i to i + 1 is a cut."""
    if jumps[i] < JUMP or jumps[i] < jumps[max(0, i - 2) : i + 3].max():
        return False
    around = np.concatenate([jumps[max(0, i - 5) : i], jumps[i + 1 : i + 6]])
    usual, most = (max(float(f(around)), 1.0) if len(around) else 1.0 for f in (np.median, np.max))
    # Where everything moves, a cut is recognised by towering over all jumps around it.
    if jumps[i] < STANDS_OUT * usual and not (jumps[i] >= 3 * JUMP and jumps[i] >= 1.7 * most):
        return False
    # A flash or a bad frame is gone a few frames later, and was not there a few frames before its end.
    last = len(small) - 1
    sides = ((max(0, i - 1), min(last, i + 3)), (max(0, i - 3), min(last, i + 2)))
    return all(float(np.abs(small[b] - small[a]).mean()) > 0.6 * JUMP for a, b in sides)


def _dissolves(times_s: NDArray[np.float64], small: NDArray[np.float32]) -> list[int]:
    """Middles of dissolves: the pictures half of GRADUAL_S before and after differ, in layout too, and the one between
    is their mean. In a pan it is not; where only the light changes, the layout stays."""
    before = np.searchsorted(times_s, times_s - GRADUAL_S / 2)
    after = np.minimum(np.searchsorted(times_s, times_s + GRADUAL_S / 2), len(times_s) - 1)
    change = np.abs(small[after] - small[before]).mean(axis=(1, 2, 3))
    bend = np.abs(small - (small[after] + small[before]) / 2).mean(axis=(1, 2, 3)) / np.maximum(change / 2, 1e-3)
    fits = (change >= DISSOLVE_CHANGE) & (bend <= DISSOLVE_BEND) & (after - before >= 4)
    found: list[int] = []
    for i in np.argsort(np.where(fits, -change, np.inf)):
        if not fits[i]:
            break
        alike = _likeness(small[before[i]], small[after[i]]) > DISSOLVE_LIKENESS
        if not alike and all(abs(times_s[i] - times_s[j]) > 2 * GRADUAL_S for j in found):
            found.append(int(i))
    return found


def _blackouts(times_s: NDArray[np.float64], small: NDArray[np.float32]) -> list[int]:
    """Ends of dark pauses of less than MAX_BLACK_S between brighter pictures: fades through black."""
    dark = small[..., 0].mean(axis=(1, 2)) < BLACK_LUMA
    edges = np.flatnonzero(np.diff(dark.astype(int)))
    return [int(b + 1) for a, b in itertools.pairwise(edges) if dark[b] and not dark[a] and times_s[b] - times_s[a] < MAX_BLACK_S]


def _likeness(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Correlation of two small pictures' luma; 1 when both are flat."""
    x, y = a[..., 0] - a[..., 0].mean(), b[..., 0] - b[..., 0].mean()
    power = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum()) / power if power > 1e-3 else 1.0


def _unclear(
    keys: list[Key], interval: Interval | None, duration_s: float | None, sizes: NDArray[np.float64]
) -> Iterator[tuple[float, float]]:
    """Stretches that may hold a cut, from the key frames and from all packets' (time, bytes), in order."""
    first_s = interval.start_s if interval else 0.0
    last_s = interval.end_s if interval else (duration_s or (keys[-1].time_s if keys else 0.0)) + 1.0
    points = [k for k in keys if first_s <= k.time_s < last_s]
    times_s = np.array([k.time_s for k in points])
    changes = np.array([k.change if np.isfinite(k.change) else 0.0 for k in points])
    grain = min(MOST_GRAIN, float(np.quantile(changes, 0.1))) if len(changes) else 0.0
    travelled = np.cumsum(np.maximum(0.0, changes - grain))
    edges = [first_s, *times_s, last_s]
    between = [None, *points, None]
    open_s: float | None = None
    for (a_s, b_s), (a, b) in zip(itertools.pairwise(edges), itertools.pairwise(between), strict=True):
        change = b.change if a is not None and b is not None else np.inf
        if a is None or b is None:
            clear = b_s - a_s <= (BLIND_S if a is None else 0.05)
        elif b_s - a_s <= ROW_OF_KEYS_S:
            # Where every frame is a key frame, neighbours are alike in a dissolve too; its ends differ by no more than the sum.
            i, j = np.searchsorted(times_s, [b_s - GRADUAL_S, b_s])
            clear = bool(travelled[j] - travelled[i] < DISSOLVE_CHANGE)
        else:
            clear = b_s - a_s <= BLIND_S and change < ALIKE
            if not clear and change < CALM_CHANGE:
                # Moved, but in the same colours: the same shot, or another one of the same view, which parts no places.
                same = b_s - a_s <= BLIND_S and float(a.look @ b.look) >= SAME_COLOURS
                clear = same or (b_s - a_s <= CALM_S and _calm(sizes, a_s, b_s))
        if clear and open_s is not None:
            yield open_s, a_s + 0.5
            open_s = None
        elif not clear and open_s is None:
            open_s = max(0.0, a_s - 0.5)
    if open_s is not None and last_s > open_s:
        yield open_s, last_s


def _joined(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those that overlap as one: no frame is looked at twice, and none lacks its neighbours."""
    out: list[tuple[float, float]] = []
    for start_s, end_s in intervals:
        if out and start_s <= out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], end_s)
        else:
            out.append((start_s, end_s))
    return out


def _calm(sizes: NDArray[np.float64], a_s: float, b_s: float) -> bool:
    """Whether the packets between two key frames show no sudden change of the picture: it costs bytes.

    The first frame of a new shot is coded afresh, a packet much larger than those around it; a dissolve makes a row of larger
    ones. A shot that comes and goes makes two such packets, so the fifth largest still tells what is usual; the 85th percentile
    does not where most frames are coded from both sides and one in five is not.
    """
    first, beyond = np.searchsorted(sizes[:, 0], [a_s + 0.01, b_s - 0.01])
    own = sizes[first:beyond, 1]
    if len(own) < CALM_PACKETS:
        return False
    usual = float(np.quantile(own, 0.85))
    ranked = float(np.partition(own, -OUTSTANDING_RANK)[-OUTSTANDING_RANK])
    row = np.convolve(own, np.full(_ROW, 1.0 / _ROW), "valid")
    single = max(OUTSTANDING * usual, OUTSTANDING_RANKED * ranked)
    return bool(own.max() < single and row.max() < OUTSTANDING_ROW * float(np.median(row)))


def _shots(first_s: float, end_s: float, last_frame_s: float, cuts: list[float], keys_s: NDArray[np.float64]) -> tuple[Shot, ...]:
    """Shots from first_s to end_s; the last one lasts as long as the sound does."""
    starts = [first_s]
    for at_s in sorted(cuts):
        if at_s - starts[-1] >= MIN_SHOT_S and end_s - at_s >= MIN_SHOT_S / 2:
            starts.append(at_s)
    ends = [*starts[1:], max(end_s, starts[-1] + _FRAME_S)]
    return tuple(
        Shot(a, b, _times_for(a, min(b, max(last_frame_s + _FRAME_S, a + _FRAME_S)), keys_s))
        for a, b in zip(starts, ends, strict=True)
    )


def _times_for(start_s: float, end_s: float, keys_s: NDArray[np.float64]) -> tuple[float, ...]:
    """Key frames inside the shot, one for each 5 s, evenly spread; where there is none for LONG_S, a time between."""
    count = int(np.clip(np.ceil((end_s - start_s) / 5.0), 1, MAX_FRAMES))
    # Just before the end a key frame may already belong to the next shot's dissolve.
    inside = keys_s[(keys_s >= start_s - 1e-3) & (keys_s < end_s - 0.1)]
    times = {float(inside[i]) for i in np.linspace(0, len(inside) - 1, min(count, len(inside))).round().astype(int)}
    if not times:
        times = {start_s + min(0.5, (end_s - start_s) / 2)}
    edges = [start_s, *sorted(times), end_s]
    for a, b in itertools.pairwise(edges):
        if b - a > LONG_S and len(times) < MAX_FRAMES:
            times.add((a + b) / 2)
    return tuple(sorted(times))


def look(glance: Glance) -> NDArray[np.float32]:
    """(128,) square roots of the shares of a small picture's points in bins of luma (8) and both chromas (4 each)."""
    luma = np.minimum(glance.small[..., 0] // 32, 7)
    # Chroma keeps to the middle of its range; bins of equal width there would all but merge.
    u, v = (np.digitize(glance.small[..., c], (112.0, 126.0, 140.0)) for c in (1, 2))
    bins = (luma.astype(np.int64) * 16 + u * 4 + v).ravel()
    return np.sqrt(np.bincount(bins, minlength=128) / len(bins)).astype(np.float32)


def _look_of(shot: Shot, times_s: NDArray[np.float64], looks: NDArray[np.float32]) -> NDArray[np.float32] | None:
    inside = (times_s >= shot.start_s - 1e-3) & (times_s < shot.end_s)
    if not inside.any():
        return None
    mean = looks[inside].mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)


def _glances(
    reader: FileReader,
    interval: Interval | None,
    track: int | None,
    progress: ProgressCallback,
    stage: str,
    only_keys: bool,
    watcher: Watcher | None = None,
    sizes: list[tuple[float, int]] | None = None,
) -> Iterator[Glance]:
    """Glances at the key frames, or at all frames that others depend on, of an interval; the watcher sees what it wants."""
    end_s = interval.end_s if interval else reader.clip.duration_s
    for seen in reader.walk(interval, track, only_keys, watcher, sizes):
        yield seen.glance
        if watcher is not None and seen.frame is not None and watcher.wants(seen.frame.time_s):
            watcher.see(seen.frame, seen.key)
        progress(Progress(stage, seen.glance.time_s, end_s, "s"))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One frame that passed by: its glance, itself at reduced size if somebody may want it, and whether it is a key frame."""

    glance: Glance
    frame: Frame | None
    key: bool


def walk(
    source: Source,
    pieces: tuple[Piece, ...],
    interval: Interval | None,
    only_keys: bool,
    wants: Callable[[float], bool] | None,
    sizes: list[tuple[float, int]] | None,
) -> Iterator[Seen]:
    """Decode the key frames, or all frames that others depend on, of an interval.

    Args:
        wants: asked for each frame by time; a frame that is wanted comes along at reduced size.
        sizes: filled with (time, bytes) of the packets that are no key frames, decoded or not.
    """
    for number, piece in enumerate(pieces):
        following = pieces[number + 1].start_s if number + 1 < len(pieces) else math.inf
        if interval is not None and (piece.start_s >= interval.end_s or following <= interval.start_s):
            continue
        yield from _walk_piece(source, piece, interval, only_keys, wants, sizes)


def _walk_piece(
    source: Source,
    piece: Piece,
    interval: Interval | None,
    only_keys: bool,
    wants: Callable[[float], bool] | None,
    sizes: list[tuple[float, int]] | None,
) -> Iterator[Seen]:
    index, origin_s = piece.index, piece.origin_s
    with open_container(source, piece.ranges) as container:
        stream = container.streams[index]
        prepare(stream)
        aspect = pixel_aspect(container, index)
        if not only_keys:
            stream.codec_context.skip_frame = "NONREF"
            stream.codec_context.options = {**stream.codec_context.options, "skip_loop_filter": "all"}
        if interval is not None and interval.start_s > piece.start_s:
            try:
                container.seek(int(in_ticks(stream, interval.start_s + origin_s)), stream=stream)
            except (av.error.FFmpegError, OSError, ValueError, OverflowError):
                container.seek(0)
        for packet in packets(container, index, {}):
            if sizes is not None and packet.pts is not None and not packet.is_keyframe:
                sizes.append((float(packet.pts * packet.time_base) - origin_s, packet.size))
            if (only_keys and packet.size and not packet.is_keyframe) or is_encrypted(packet):
                continue
            try:
                frames = frames_of(packet)
            except (av.error.FFmpegError, ValueError, MemoryError):
                continue
            for frame in frames:
                if not isinstance(frame, VideoFrame) or frame.time is None or not piece.holds(frame.time - origin_s):
                    continue
                time_s = frame.time - origin_s
                if interval is not None and time_s >= interval.end_s:
                    return
                if interval is None or time_s >= interval.start_s:
                    at_s = max(0.0, time_s)
                    wanted = wants is not None and wants(at_s)
                    small = Frame(at_s, to_rgb(frame, WATCHED_PX, pixel_aspect=aspect)) if wanted else None
                    yield Seen(glance(frame, at_s), small, bool(frame.key_frame))


def glance(frame: VideoFrame, time_s: float) -> Glance:
    """Shrink a frame to what the comparison needs."""
    check_size(frame.width, frame.height, "the clip")
    if frame.format.name in _PLANAR_8_BIT and min(frame.width, frame.height) >= 4 * _COLUMNS:
        planes = [_shrunk(points_of(p).reshape(p.height, p.line_size)[:, : p.width]) for p in frame.planes]
    else:
        tiny = frame.reformat(_COLUMNS * _BLOCK, _ROWS * _BLOCK, "yuv444p", interpolation="FAST_BILINEAR").to_ndarray()
        planes = [_shrunk(p) for p in tiny]
    return Glance(time_s, np.stack(planes, axis=-1))


def _shrunk(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means of the 4 × 4 blocks (18, 32) of 128 × 72 evenly spread samples of a plane."""
    rows = np.linspace(0, plane.shape[0] - 1, _ROWS * _BLOCK).astype(int)
    columns = np.linspace(0, plane.shape[1] - 1, _COLUMNS * _BLOCK).astype(int)
    sampled = plane[rows][:, columns].reshape(_ROWS, _BLOCK, _COLUMNS, _BLOCK)
    return sampled.mean(axis=(1, 3), dtype=np.float32)
