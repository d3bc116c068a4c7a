"""The tables and clocks of an MPEG transport stream (ISO/IEC 13818-1), read without decoding anything.

A demuxer follows one clock and the streams that it met first. A recording of a broadcast, or several that were joined, sets the
clock anew, jumps ahead or gives its streams other ids half way, so that half of it would be read at the wrong time or not at all.
Here all of it is walked through once, packet by packet, and cut into parts within which one clock runs and the ids stay.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.media.source import Source

CLOCK_HZ = 90_000
WRAP = 1 << 33  # ticks until a clock begins again (2.4.3.7)
MOST_BACK_S = 1.0  # pictures are not sent in the order of their times; a longer step back is a clock set anew
MOST_AHEAD_S = 10.0  # a longer step ahead of everything at once is a clock set anew too, not a gap in reception
MOST_PARTS = 64
_MOST_REORDERED_S = 5.0  # between a picture's decoding and its showing
_SPLICE_BYTES = 2_000_000  # streams follow a new clock within so much of each other
_SIZES = (188, 192, 204)  # as such; with a time in front (Blu-ray, AVCHD); with parity behind (DVB)
_CHUNK_PACKETS = 40_000
_SYNC = 0x47
_MOST_SECTION = 4_096
_MOST_TABLES = 2_000
_MOST_PROGRAMMES, _MOST_STREAMS = 64, 64  # looked at; of one programme
_MOST_JUMPS = 200  # of one stream: more are a clock that is not to be followed
_MOST_LOOKS = 30_000  # at one stream beside another
_PAT, _PMT, _SDT = 0x00, 0x02, 0x42


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the file within which one clock runs and the ids stay.

    Attributes:
        ranges: (first byte, byte after the last) of what a demuxer is to be given: the tables, then the section.
        pids: of sound and pictures, in the order of the table.
        first_s, last_s: the clock where its earliest unit starts and its latest one ends.
        why: what parts it from the one before: "back", "ahead" or "ids"; "" for the first.
        jump_s: how far the clock jumped.
        own: (id, first byte, byte after the last) of each stream: around a splice one is sent by the old clock a little longer.
    """

    ranges: tuple[tuple[int, int], ...]
    pids: tuple[int, ...]
    first_s: float
    last_s: float
    why: str = ""
    jump_s: float = 0.0
    own: tuple[tuple[int, int, int], ...] = ()

    def ranges_of(self, pid: int) -> tuple[tuple[int, int], ...]:
        """The same as `ranges` for one stream."""
        span = next(((first, end) for p, first, end in self.own if p == pid), self.ranges[-1])
        return (*self.ranges[:-1], span)

    @property
    def length_s(self) -> float:
        return max(0.0, self.last_s - self.first_s)


@dataclass(frozen=True, slots=True)
class Service:
    """A programme: its number, its name if the stream says one, the ids of its sound and pictures, and its parts."""

    number: int
    name: str | None
    pids: frozenset[int]
    parts: tuple[Part, ...]
    left_bytes: int = 0  # of parts beyond MOST_PARTS


@dataclass(slots=True)
class _Walked:
    """What one walk through the file found; units are packets that begin an elementary stream's access unit."""

    size: int
    at: array[int] = field(default_factory=lambda: array("q"))
    pid: array[int] = field(default_factory=lambda: array("q"))
    pts: array[int] = field(default_factory=lambda: array("q"))
    dts: array[int] = field(default_factory=lambda: array("q"))
    tables: list[tuple[int, dict[int, tuple[int, ...]]]] = field(default_factory=list)  # programme: ids, from a byte on
    pats: list[tuple[int, int]] = field(default_factory=list)  # (first byte, byte after) wherever one stood
    pmts: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)


def services(source: Source) -> tuple[Service, ...]:
    """The programmes of a transport stream, in the order of its table; empty when it is none or holds no clock.

    A stream without tables is one programme of number 0.
    """
    walked = _walk(source)
    if walked is None or not len(walked.at):
        return ()
    at, pid = np.array(walked.at), np.array(walked.pid)
    clocks = _Clocks(at, pid, np.array(walked.pts), np.array(walked.dts))
    if not walked.tables:
        walked.tables.append((0, {0: tuple(dict.fromkeys(walked.pid))}))
    numbers: list[int] = []
    for _, table in walked.tables:
        # After a junction that changes all numbers, what follows continues what was.
        if not numbers or set(numbers) & set(table):
            numbers += [n for n in table if n not in numbers and any(clocks.has(p) for p in table[n])]
    numbers = numbers[:_MOST_PROGRAMMES]
    most = max(4, MOST_PARTS // max(1, len(numbers)))
    found = (_service(walked, clocks, n, numbers, source.size_bytes, most) for n in numbers)
    return tuple(s for s in found if s is not None)


@dataclass(slots=True)
class _Clocks:
    """Times of all units, by id."""

    at: NDArray[np.int64]
    pid: NDArray[np.int64]
    pts: NDArray[np.int64]
    dts: NDArray[np.int64]
    looks: int = 0
    _of: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    def has(self, pid: int) -> bool:
        return len(self.of(pid)) > 0

    def of(self, pid: int) -> NDArray[np.int64]:
        """Numbers of the units of an id, in order."""
        if pid not in self._of:
            self._of[pid] = np.flatnonzero(self.pid == pid)
        return self._of[pid]

    def between(self, pid: int, first: int, end: int) -> NDArray[np.int64]:
        """The same from one byte to another."""
        own = self.of(pid)
        low, high = np.searchsorted(self.at[own], [first, end])
        return own[low:high]


def _service(walked: _Walked, clocks: _Clocks, number: int, numbers: list[int], size_bytes: int, most: int) -> Service | None:
    """One programme, cut where its clock or its ids change, into so many parts at most."""
    tables = _tables_of(walked, clocks, number, numbers)
    sections: list[tuple[int, tuple[int, ...], int]] = []
    for from_byte, as_number, pids in tables:
        if pids and (not sections or set(sections[-1][1]) != set(pids)):
            sections.append((from_byte if sections else 0, pids, as_number))
    if not sections:
        return None
    ends = [s[0] for s in sections[1:]] + [size_bytes]
    parts: list[Part] = []
    for (first, pids, as_number), end in zip(sections, ends, strict=True):
        breaks = _breaks(clocks, pids, first, end)[: most + 1]
        edges = [dict.fromkeys(pids, first), *({p: b.own.get(p, b.byte) for p in pids} for b in breaks), dict.fromkeys(pids, end)]
        bytes_ = [first, *(b.byte for b in breaks), end]
        reasons = [("ids" if parts else "", 0.0), *((b.why, b.jump_s) for b in breaks)]
        for n, (why, jump_s) in enumerate(reasons):
            own = tuple((p, edges[n][p], edges[n + 1][p]) for p in pids)
            part = _part(walked, clocks, own, as_number, (bytes_[n], bytes_[n + 1]), why, jump_s)
            if part is not None:
                parts.append(part)
            if len(parts) > most:
                break
    if not parts:
        return None
    left_bytes = size_bytes - parts[most - 1].ranges[-1][1] if len(parts) > most else 0
    parts = parts[:most]
    every = frozenset(p for part in parts for p in part.pids)
    return Service(number, walked.names.get(number), every, tuple(parts), left_bytes)


def _tables_of(walked: _Walked, clocks: _Clocks, number: int, numbers: list[int]) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """(from byte, number, ids that carry something) of a programme, table by table."""
    for from_byte, table in walked.tables:
        as_number = number
        if number not in table:
            if set(numbers) & set(table) or not table:
                continue
            as_number = max(table, key=lambda n: len(table[n]))
        yield from_byte, as_number, tuple(p for p in table[as_number] if clocks.has(p))[:_MOST_STREAMS]


@dataclass(slots=True)
class _Break:
    """Where the clock is set anew: the first byte, "back" or "ahead", by how much, and the byte at which each stream follows."""

    byte: int
    why: str
    jump_s: float
    own: dict[int, int]


def _breaks(clocks: _Clocks, pids: tuple[int, ...], first: int, end: int) -> list[_Break]:
    """Wherever the clock of a section is set anew."""
    jumps: list[tuple[int, int, int, int]] = []  # byte, byte of the unit before it, ticks, id
    units = {p: clocks.between(p, first, end) for p in pids}
    for pid, own in units.items():
        dts, at = clocks.dts[own], clocks.at[own]
        steps = _nearest(np.diff(dts))
        for i in np.flatnonzero((steps < -MOST_BACK_S * CLOCK_HZ) | (steps > MOST_AHEAD_S * CLOCK_HZ))[:_MOST_JUMPS]:
            if steps[i] < 0 or not _is_gap(clocks, units, own, int(i), int(steps[i])):
                jumps.append((int(at[i + 1]), int(at[i]), int(steps[i]), pid))
    found: list[_Break] = []
    for byte, before, ticks, pid in sorted(jumps):
        jump_s, last = ticks / CLOCK_HZ, found[-1] if found else None
        near = last is not None and pid not in last.own and (
            before < last.byte or (byte - last.byte < _SPLICE_BYTES and abs(jump_s - last.jump_s) < 5.0)
        )  # fmt: skip
        if near and last is not None:
            last.own[pid] = byte
        else:
            found.append(_Break(byte, "back" if ticks < 0 else "ahead", jump_s, {pid: byte}))
    return found


def _is_gap(clocks: _Clocks, units: dict[int, NDArray[np.int64]], own: NDArray[np.int64], i: int, ticks: int) -> bool:
    """Whether another stream of the programme goes on while this one pauses."""
    before, after, from_tick = clocks.at[own[i]], clocks.at[own[i + 1]], clocks.dts[own[i]]
    for other in units.values():
        if other is own:
            continue
        clocks.looks += 1
        if clocks.looks > _MOST_LOOKS:
            return False
        low, high = np.searchsorted(clocks.at[other], [before, after])
        since = _nearest(clocks.dts[other[low:high]] - from_tick)
        if ((since > CLOCK_HZ) & (since < ticks - CLOCK_HZ)).any():
            return True
    return False


def _nearest(ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Differences of a clock that begins again, as the shorter way round."""
    return (ticks + WRAP // 2) % WRAP - WRAP // 2


def _part(
    walked: _Walked,
    clocks: _Clocks,
    spans: tuple[tuple[int, int, int], ...],
    number: int,
    whole: tuple[int, int],
    why: str,
    jump_s: float,
) -> Part | None:
    first, end = whole
    base: int | None = None
    starts, ends = [], []
    kept = []
    for p, own_first, own_end in spans:
        own = clocks.between(p, own_first, own_end)
        if not len(own):
            continue
        pts, dts = clocks.pts[own], clocks.dts[own]
        base = int(pts[0]) if base is None else base
        times = _nearest(np.array([pts[0] - base], np.int64)) + np.concatenate([[0], np.cumsum(_nearest(np.diff(pts)))])
        steps = _nearest(np.diff(dts))
        steps = steps[steps > 0]
        usual = int(np.median(steps)) if len(steps) else 0
        starts.append(int(times.min()))
        ends.append(int(times.max()) + usual)
        kept.append(p)
    if base is None:
        return None
    low, high = (base + min(starts)) / CLOCK_HZ, (base + max(ends)) / CLOCK_HZ
    return Part((*_heads(walked, number, first), (first, end)), tuple(kept), low, high, why, jump_s, spans)


def _heads(walked: _Walked, number: int, first: int) -> tuple[tuple[int, int], ...]:
    """Where the tables stand that hold at a byte: those after it if they come first, else the last before."""
    if first == 0:
        return ()
    out = []
    for places in (walked.pats, walked.pmts.get(number, [])):
        before = [p for p in places if p[0] <= first]
        if before and before[-1][0] < first:
            out.append(before[-1])
    return tuple(out)


def _walk(source: Source) -> _Walked | None:
    """Go through all packets once."""
    found = _alignment(source.pread(204 * 64, 0))
    if found is None:
        return None
    at, size = found
    walked, sections = _Walked(size), _Sections()
    sections.walked = walked
    while at + 188 <= source.size_bytes:
        data = source.pread(size * _CHUNK_PACKETS, at)
        count = (len(data) - 188) // size + 1 if len(data) >= 188 else 0
        if count <= 0:
            break
        padded = data if len(data) >= count * size else data + b"\0" * (count * size - len(data))
        rows = np.frombuffer(padded, np.uint8, count * size).reshape(count, size)
        bad = np.flatnonzero(rows[:, 0] != _SYNC)
        good = int(bad[0]) if len(bad) else count
        _take(rows[:good], at, sections)
        at += good * size
        if good < count:
            again = _alignment(data[good * size :], size)
            at += again[0] if again is not None else max(1, len(data) - good * size - 3 * size)
    return walked


def _alignment(data: bytes, size: int | None = None) -> tuple[int, int] | None:
    """(first byte of a packet, distance between packets); None when there is no row of packets."""
    for wanted in (size,) if size else _SIZES:
        at = data.find(b"\x47")
        while 0 <= at <= len(data) - 188 and (size or at < 2 * wanted):
            row = [at + n * wanted for n in range(1, 6) if at + n * wanted < len(data)]
            if row and all(data[i] == _SYNC for i in row):
                return at, wanted
            at = data.find(b"\x47", at + 1)
    return None


class _Sections:
    """Tables, put together from packets, and what they said last."""

    walked: _Walked

    def __init__(self) -> None:
        self._open: dict[int, tuple[int, bytearray]] = {}
        self._last: dict[tuple[int, int, int], bytes] = {}
        self._programmes: dict[int, int] = {}  # number: id of its table
        self._ids: dict[int, tuple[int, ...]] = {}  # number: ids

    def wants(self) -> tuple[int, ...]:
        return (0x00, 0x11, *self._programmes.values())

    def take(self, pid: int, begins: bool, payload: bytes, at: int, end: int) -> None:
        """One packet of a table."""
        if begins:
            if not payload:
                return
            payload = payload[1 + payload[0] :]
            self._open[pid] = (at, bytearray())
        if pid not in self._open:
            return
        first, held = self._open[pid]
        held += payload
        while len(held) >= 3 and held[0] != 0xFF:
            length = 3 + ((held[1] & 0x0F) << 8 | held[2])
            if length > _MOST_SECTION or len(held) < length:
                break
            self._read(pid, bytes(held[:length]), first, end)
            del held[:length]
        if len(held) > 2 * _MOST_SECTION:
            del self._open[pid]

    def _read(self, pid: int, section: bytes, at: int, end: int) -> None:
        if len(section) < 12 or not section[5] & 1:  # one that holds from later on
            return
        kind, number = section[0], section[3] << 8 | section[4]
        if pid == 0 and kind == _PAT:
            self.walked.pats.append((at, end))
        elif kind == _PMT and self._programmes.get(number) == pid:
            self.walked.pmts.setdefault(number, []).append((at, end))
        key = (pid, kind, number if kind == _PMT else section[6])
        if self._last.get(key) == section:
            return
        self._last[key] = section
        body = section[8:-4]
        if pid == 0 and kind == _PAT:
            pairs = [(body[i] << 8 | body[i + 1], (body[i + 2] & 0x1F) << 8 | body[i + 3]) for i in range(0, len(body) - 3, 4)]
            self._programmes = {n: p for n, p in pairs if n}
            self._ids = {n: ids for n, ids in self._ids.items() if n in self._programmes}
        elif kind == _PMT and self._programmes.get(number) == pid:
            order = {n: i for i, n in enumerate(self._programmes)}
            self._ids[number] = tuple(_ids(body))
            self._ids = dict(sorted(self._ids.items(), key=lambda x: order.get(x[0], 0)))
            tables = self.walked.tables
            if len(tables) < _MOST_TABLES and (not tables or tables[-1][1] != self._ids):
                tables.append((at, dict(self._ids)))
        elif pid == 0x11 and kind == _SDT:
            self.walked.names.update({n: name for n, name in _names(section[11:-4]) if n not in self.walked.names})


def _ids(body: bytes) -> Iterator[int]:
    at = 4 + ((body[2] & 0x0F) << 8 | body[3]) if len(body) >= 4 else len(body)
    while at + 5 <= len(body):
        yield (body[at + 1] & 0x1F) << 8 | body[at + 2]
        at += 5 + ((body[at + 3] & 0x0F) << 8 | body[at + 4])


def _names(body: bytes) -> Iterator[tuple[int, str]]:
    """(programme, name) of a service description table (ETSI EN 300 468, 5.2.3)."""
    at = 0
    while at + 5 <= len(body):
        number, length = body[at] << 8 | body[at + 1], (body[at + 3] & 0x0F) << 8 | body[at + 4]
        inside = body[at + 5 : at + 5 + length]
        at += 5 + length
        while len(inside) >= 2:
            tag, size = inside[0], inside[1]
            said, inside = inside[2 : 2 + size], inside[2 + size :]
            if tag == 0x48 and len(said) >= 3:
                provider = said[1]
                text = said[3 + provider : 3 + provider + (said[2 + provider] if 2 + provider < len(said) else 0)]
                if name := _text(text):
                    yield number, name


def _text(data: bytes) -> str:
    """A name as the tables code it (ETSI EN 300 468, annex A); the default table is Latin for all that names hold."""
    codings = {0x15: "utf-8", 0x11: "utf-16-be", **{n: f"iso8859-{n + 4}" for n in range(1, 8)}}
    if data[:1] and data[0] < 0x20:
        coding, data = codings.get(data[0], "latin-1"), data[3 if data[0] == 0x10 else 1 :]
    else:
        coding = "utf-8"
    try:
        text = data.decode(coding)
    except (UnicodeDecodeError, LookupError):
        text = data.decode("latin-1")
    return "".join(c for c in text if c.isprintable()).strip()[:100]


def _take(rows: NDArray[np.uint8], at: int, sections: _Sections) -> None:
    """Tables and the beginnings of units among packets that follow each other, the first at a byte of the file."""
    if not len(rows):
        return
    walked, size = sections.walked, rows.shape[1]
    pid = (rows[:, 1].astype(np.int64) & 0x1F) << 8 | rows[:, 2]
    begins = (rows[:, 1] & 0x40) > 0
    has_payload = ((rows[:, 3] & 0x10) > 0) & ((rows[:, 1] & 0x80) == 0)
    skip = np.where((rows[:, 3] & 0x20) > 0, 5 + rows[:, 4].astype(np.int64), 4)
    usable = has_payload & (skip < 188)
    tables = set(sections.wants())
    for i in np.flatnonzero(usable & (begins | np.isin(pid, list(tables)))):
        number, payload, here = int(pid[i]), rows[i, skip[i] : 188].tobytes(), at + int(i) * size
        if number in tables:
            sections.take(number, bool(begins[i]), payload, here, here + size)
            tables = set(sections.wants())
        elif begins[i] and (times := _times(payload)) is not None:
            walked.at.append(here)
            walked.pid.append(number)
            walked.pts.append(times[0])
            walked.dts.append(times[1])


def _times(payload: bytes) -> tuple[int, int] | None:
    """(time of presentation, time of decoding) of a unit of sound or pictures (2.4.3.6); None without."""
    if len(payload) < 14 or payload[:3] != b"\0\0\1" or not payload[7] & 0x80:
        return None
    kind = payload[3]
    if not (0xC0 <= kind <= 0xEF or kind in (0xBD, 0xFD)):
        return None
    pts = _tick(payload[9:14])
    dts = _tick(payload[14:19]) if payload[7] & 0x40 and len(payload) >= 19 else pts
    # Encoders date the decoding of the last picture before a pause from before it, its showing from after it.
    return pts, dts if (pts - dts) % WRAP < _MOST_REORDERED_S * CLOCK_HZ else pts


def _tick(b: bytes) -> int:
    return (b[0] >> 1 & 7) << 30 | b[1] << 22 | b[2] >> 1 << 15 | b[3] << 7 | b[4] >> 1
