"""Recordings that were joined, or broadcasts with several programmes: where in the file each track's time lies.

The parts of a transport stream come from `transport`, those of a programme stream (MPEG-2 PS, VOB) from the clocks of its packs.
A file of one part is left as it is.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import av

from engine.core.clip import Programme, Stream
from engine.core.errors import MediaError
from engine.media import transport
from engine.media.chained import beginnings
from engine.media.container import in_seconds, open_container
from engine.media.piece import Layout, Piece, Ranges
from engine.media.source import shown
from engine.media.streams import list_streams

if TYPE_CHECKING:
    from engine.media.source import Source

_CHUNK_BYTES = 8_000_000
_PACK = re.compile(rb"\x00\x00\x01\xba(?=([\x44-\x7f].{4}.|[\x21-\x2f].{4}.))", re.DOTALL)
_LENGTH_SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """Streams, with those that first appear later; where they lie, for each programme; the programmes where there are several."""

    streams: tuple[Stream, ...]
    layouts: tuple[Layout, ...]
    programmes: tuple[Programme, ...] = ()


@dataclass(slots=True)
class _Track:
    """A track as it is followed from part to part: its kind, its id so far, and its pieces."""

    stream: Stream
    pid: int
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A part as a demuxer sees it: id → (index, kind, decodable), and its times."""

    ranges: Ranges
    streams: dict[int, Stream]
    first_s: float
    length_s: float


def lay_out(source: Source, container: str, streams: tuple[Stream, ...], ids: Mapping[int, int], whole: Layout) -> Found:
    """Where the tracks lie.

    Args:
        streams: as they are when the whole file is opened.
        ids: of those streams, by index.
        whole: the layout of a file of one part.
    """
    alone = Found(streams, (whole,))
    if container == "mpegts":
        return _transport(source, streams, ids, whole) or alone
    if container == "mpeg":
        service = _programme_stream(source, ids)
        return _joined(source, (service,), streams, ids, whole) if service is not None else alone
    starts = beginnings(source, container)
    numbers = {s.index: s.index for s in streams}  # ids are not unique in all containers
    return _joined(source, _chain(source, starts), streams, numbers, whole) if starts else alone


def _chain(source: Source, starts: tuple[int, ...]) -> tuple[transport.Service, ...]:
    """Files joined end to end as one programme."""
    edges = [0, *starts, source.size_bytes]
    parts = tuple(
        transport.Part(((first, end),), (), 0.0, 0.0, "file" if first else "") for first, end in itertools.pairwise(edges)
    )
    most = transport.MOST_PARTS
    return (
        transport.Service(
            0, None, frozenset(), parts[:most], left_bytes=sum(p.ranges[0][1] - p.ranges[0][0] for p in parts[most:])
        ),
    )


def _transport(source: Source, streams: tuple[Stream, ...], ids: Mapping[int, int], whole: Layout) -> Found | None:
    found = transport.services(source)
    known = set(ids.values())
    found = tuple(s for s in found if s.pids & known or len(s.parts) > 1)
    if not found or (len(found) == 1 and len(found[0].parts) == 1):
        return None
    return _joined(source, found, streams, ids, whole)


def _joined(
    source: Source, found: tuple[transport.Service, ...], streams: tuple[Stream, ...], ids: Mapping[int, int], whole: Layout
) -> Found:
    by_pid = {ids[s.index]: s for s in streams}
    every, swallowed = list(streams), set[int]()
    layouts: list[Layout] = []
    members: list[tuple[int, ...]] = []
    for service in found:
        if len(service.parts) == 1:
            own = [by_pid[p] for p in sorted(service.pids) if p in by_pid]
            part = service.parts[0]
            origin_s = part.first_s + _turns(part.first_s, whole.origin_s)
            if abs(origin_s - whole.origin_s) < 0.5 or not own:
                origin_s = whole.origin_s  # one clock for all programmes
            pieces: tuple[tuple[int, tuple[Piece, ...]], ...] = tuple((s.index, (Piece(s.index, origin_s),)) for s in own)
            ends = [s.duration_s + whole.origin_s - origin_s for s in own if s.duration_s]
            length_s = max(ends) if ends and max(ends) > 0 else part.length_s
            layouts.append(Layout(origin_s, service.number, length_s, pieces))
            members.append(tuple(s.index for s in own))
        else:
            tracks, length_s, problems = _follow(source, service, by_pid, every, swallowed)
            pieces = tuple((t.stream.index, tuple(t.pieces)) for t in tracks)
            layouts.append(Layout(whole.origin_s, service.number, length_s, pieces, tuple(problems)))
            members.append(tuple(t.stream.index for t in tracks))
    first = {i for indices in members for i in indices}
    kept = _numbered([s for s in every if s.index not in swallowed - first])
    if len(found) == 1:
        return Found(kept, (replace(layouts[0], programme=None),))
    names = [shown(s.name, 60) if s.name else None for s in found]
    programmes = tuple(Programme(s.number, n, m) for s, n, m in zip(found, names, members, strict=True))
    return Found(kept, tuple(layouts), programmes)


def _turns(first_s: float, near_s: float) -> float:
    """What to add to a clock that begins again, as the demuxer counts it on."""
    wrap_s = transport.WRAP / transport.CLOCK_HZ
    return round((near_s - first_s) / wrap_s) * wrap_s


def _numbered(streams: list[Stream]) -> tuple[Stream, ...]:
    counts: dict[str, int] = {}
    out = []
    for s in streams:
        counts[s.kind] = counts.get(s.kind, 0) + 1
        out.append(s if s.track == counts[s.kind] else replace(s, track=counts[s.kind]))
    return tuple(out)


def _follow(
    source: Source, service: transport.Service, by_pid: Mapping[int, Stream], every: list[Stream], swallowed: set[int]
) -> tuple[list[_Track], float, list[str]]:
    """Tracks, length and problems of a programme of several parts, put one after the other."""
    tracks: list[_Track] = []
    problems: list[str] = []
    at_s, before = 0.0, None
    for part in service.parts:
        opened = _open(source, part)
        if opened is None:
            problems.append(f"{part.length_s:.0f} s of the file after {_clock(at_s)} cannot be read and were not analysed.")
            continue
        gap_s = opened.first_s - (before.first_s + before.length_s) if before is not None else 0.0
        runs_on = before is not None and part.why == "ids" and -transport.MOST_BACK_S < gap_s < transport.MOST_AHEAD_S
        shared = runs_on and any(t.pid in opened.streams for t in tracks)
        start_s = at_s + (gap_s if shared else max(0.0, gap_s)) if runs_on else at_s
        if before is not None:
            problems.append(_said(part, start_s))
        end_s = start_s + opened.length_s
        for track, (pid, stream) in _matched(tracks, opened, by_pid, every, swallowed):
            if not stream.decodable:
                what = "sound" if stream.kind == "audio" else "picture"
                when = f"from {_clock(start_s)} to {_clock(end_s)}"
                problems.append(f"The {what} {when} is in a codec that this program cannot decode and was not analysed.")
                continue
            last = track.pieces[-1] if track.pieces else None
            if last is not None and shared and track.pid == pid and last.end_s is not None and abs(last.end_s - at_s) < 1e-6:
                grown = (*last.ranges[:-1], (last.ranges[-1][0], part.ranges_of(pid)[-1][1]))
                track.pieces[-1] = replace(last, ranges=grown, end_s=end_s)
            else:
                ranges = part.ranges_of(pid)
                index = stream.index if ranges == part.ranges else _index_at(source, ranges, pid, stream.index)
                track.pieces.append(Piece(index, opened.first_s - start_s, ranges, start_s, end_s))
            track.pid = pid
        at_s, before = end_s, opened
    for track in tracks:
        ends = [p.end_s for p in track.pieces if p.end_s]
        track.stream = replace(track.stream, duration_s=max(ends) if ends else None)
        every[next(n for n, s in enumerate(every) if s.index == track.stream.index)] = track.stream
    if service.left_bytes:
        problems.append(f"The clock or the recording changes more than {len(service.parts)} times: the file's last "
                        f"{service.left_bytes:,} bytes were not analysed.")  # fmt: skip
    return [t for t in tracks if t.pieces], at_s, _shortened(problems)


def _matched(
    tracks: list[_Track], opened: _Opened, by_pid: Mapping[int, Stream], every: list[Stream], swallowed: set[int]
) -> Iterator[tuple[_Track, tuple[int, Stream]]]:
    """Which track each stream of a part continues: the one of its id, else the next one of its kind; else it is a new track."""
    left = dict(opened.streams)
    free = list(tracks)
    pairs: list[tuple[_Track, int]] = []
    for track in tracks:
        if track.pid in left and left[track.pid].kind == track.stream.kind:
            pairs.append((track, track.pid))
            left.pop(track.pid)
            free.remove(track)
    for pid, stream in list(left.items()):
        fits = [t for t in free if t.stream.kind == stream.kind]
        fit = next((t for t in fits if t.stream.language == stream.language), fits[0] if fits else None)
        if fit is not None:
            track = fit
            free.remove(track)
            if pid in by_pid and by_pid[pid].index != track.stream.index:
                swallowed.add(by_pid[pid].index)
        else:
            own = by_pid.get(pid)
            if own is None:
                own = replace(stream, index=1 + max(s.index for s in every))
                every.append(own)
            track = _Track(own, pid, [])
            tracks.append(track)
        pairs.append((track, pid))
    for track, pid in pairs:
        yield track, (pid, opened.streams[pid])


def _open(source: Source, part: transport.Part) -> _Opened | None:
    """What a demuxer makes of a part; None when it makes nothing of it."""
    try:
        with open_container(source, part.ranges) as container:
            start_s = (container.start_time or 0) / av.time_base
            streams = {container.streams[s.index].id if part.pids else s.index: s for s in list_streams(container, start_s)}
            own = {
                p: streams[p]
                for p in part.pids or streams
                if p in streams and streams[p].kind in ("audio", "video") and not streams[p].attached_picture
            }
            whole_s = max(0, container.duration or 0) / av.time_base
            spans = [
                (in_seconds(s, s.start_time), in_seconds(s, s.start_time + s.duration))
                for s in (container.streams[x.index] for x in own.values())
                if s.start_time is not None and s.duration and s.duration > 0
            ]
    except (MediaError, av.error.FFmpegError, OSError, ValueError):
        return None
    if not own:
        return None
    said_s = max((b for _, b in spans), default=start_s + whole_s) - min((a for a, _ in spans), default=start_s)
    if part.length_s > 0:
        first_s = part.first_s + _turns(part.first_s, start_s)
        first_s = start_s if abs(first_s - start_s) < 0.5 else first_s
        length_s = said_s if abs(said_s - part.length_s) < _LENGTH_SLACK_S else part.length_s
    else:
        first_s, length_s = start_s, said_s
    return _Opened(part.ranges, own, first_s, length_s) if length_s > 0 else None


def _index_at(source: Source, ranges: Ranges, pid: int, usual: int) -> int:
    """A stream's number where a demuxer begins at another byte."""
    try:
        with open_container(source, ranges) as container:
            return next((s.index for s in container.streams if s.id == pid), usual)
    except (MediaError, av.error.FFmpegError, OSError, ValueError):
        return usual


def _said(part: transport.Part, at_s: float) -> str:
    where = f"at {_clock(at_s)}"
    if part.why == "ids":
        return (
            f"The tracks get other ids {where}, as at the junction of two programmes; what follows is read as their continuation."
        )
    if part.why == "file":
        return f"Another recording begins in the file {where}, as where files were joined; it is read as the continuation."
    if part.why == "back":
        return f"The file's clock is set back {where}, as where recordings were joined; what follows is appended."
    jump = _clock(part.jump_s)
    return f"The file's clock jumps ahead by {jump} {where}, as where recordings were joined; what follows is appended."


def _shortened(problems: list[str], most: int = 12) -> list[str]:
    if len(problems) <= most:
        return problems
    return [*problems[: most - 1], f"{len(problems) - most + 1} more of this kind."]


def _clock(time_s: float) -> str:
    whole = int(time_s)
    hours = f"{whole // 3600}:{whole // 60 % 60:02d}" if whole >= 3600 else str(whole // 60)
    return f"{hours}:{whole % 60:02d}"


def _programme_stream(source: Source, ids: Mapping[int, int]) -> transport.Service | None:
    """The parts of a programme stream (ISO/IEC 13818-1, 2.5.3.3; ISO/IEC 11172-1), or None when one clock runs through it."""
    edges: list[tuple[int, str, float]] = [(0, "", 0.0)]
    last: int | None = None
    for at, tick in _packs(source):
        if last is not None:
            step_s = ((tick - last + transport.WRAP // 2) % transport.WRAP - transport.WRAP // 2) / transport.CLOCK_HZ
            if step_s < -transport.MOST_BACK_S or step_s > transport.MOST_AHEAD_S:
                edges.append((at, "back" if step_s < 0 else "ahead", step_s))
        last = tick
    if len(edges) < 2:
        return None
    ends = [e[0] for e in edges[1:]] + [source.size_bytes]
    pids = tuple(ids.values())
    parts = tuple(
        transport.Part(((first, end),), pids, 0.0, 0.0, why, jump_s)
        for (first, why, jump_s), end in zip(edges, ends, strict=True)
        if end > first
    )
    left = sum(p.ranges[0][1] - p.ranges[0][0] for p in parts[transport.MOST_PARTS :])
    return transport.Service(0, None, frozenset(pids), parts[: transport.MOST_PARTS], left_bytes=left)


def _packs(source: Source) -> Iterator[tuple[int, int]]:
    """(first byte, system clock in ticks) of every pack."""
    at, keep = 0, 16
    while at < source.size_bytes:
        data = source.pread(_CHUNK_BYTES + keep, at)
        for found in _PACK.finditer(data):
            if found.start() >= _CHUNK_BYTES:
                break
            b = data[found.start() + 4 : found.start() + 10]
            if b[0] & 0xC4 == 0x44 and b[2] & 4 and b[4] & 4:
                tick = (b[0] >> 3 & 7) << 30 | (b[0] & 3) << 28 | b[1] << 20 | (b[2] >> 3) << 15 | (b[2] & 3) << 13 | b[3] << 5
                yield at + found.start(), tick | b[4] >> 3
            elif b[0] & 0xF1 == 0x21 and b[2] & 1 and b[4] & 1:
                yield at + found.start(), (b[0] >> 1 & 7) << 30 | b[1] << 22 | (b[2] >> 1) << 15 | b[3] << 7 | b[4] >> 1
        at += _CHUNK_BYTES
