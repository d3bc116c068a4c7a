"""Channels that cancel each other where they are mixed to one, and which of them is heard instead.

A track with one channel turned over in sign (a cable soldered wrongly, a stereo effect, a recorder's balanced input) loses in the
mix what both channels hold. So before a track of several channels is read it is looked through once: all of it up to SURVEYED_S,
else PROBES pieces of PROBE_S, each of which stands for its part of the track. In blocks of 0.5 s the power of the mix is set
against what channels that have nothing to do with each other would give,

    loss = P(sum of w_c x_c) / sum of w_c² P(x_c),

which is 1 (0 dB) for those, 2 for two equal ones, and goes to 0 for two of opposite sign. Differences of samples are taken in the
place of samples, so that rumble does not hide what happens above it. Where the loss is LOST_DB or more, one channel is heard: the
one whose loud moments stand out most, else the louder. One channel is heard, too, where the others are silent, or hold nothing
but a steady noise that the mix would lay over it. Everything else is mixed as it always was.

What is decided belongs to the file: it is the same for each rate, interval and clue.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from numpy.typing import NDArray

from engine.media.container import frames_of, in_seconds, in_ticks, is_encrypted, open_container, packets
from engine.media.piece import Piece
from engine.media.source import Source

SURVEYED_S = 120.0
PROBES, PROBE_S = 24, 4.0
LOST_DB = -4.5
BLOCK_S, PART_S = 0.5, 5.0
WHOLE = 0.8  # share of the parts that cancel from which on the whole track is heard through one channel
_FRAME_S = 0.05
_QUIET = 1e-9  # mean square of differences below which a block tells nothing
_DEAD = 1e-6  # of the power of the loudest channel: less is silence
_NOISE_DB, _EVENTS_DB, _ALIKE = 0.8, 1.5, 0.1  # spread of a steady noise's level, of one with events, and their correlation
_MOST_CHANNELS = 16


@dataclass(frozen=True, slots=True)
class Choice:
    """One channel that is heard from start_s to end_s (clip time) instead of the mix.

    Attributes:
        channel: its number, from 0.
        name: in words ("left").
        why: "cancel", "silent" or "noise".
        loss_db: power of the mix over that of channels that have nothing to do with each other.
    """

    start_s: float
    end_s: float
    channel: int
    name: str
    why: str
    loss_db: float = 0.0


Plan = tuple[Choice, ...]

_plans: weakref.WeakKeyDictionary[Source, dict[Piece, Plan]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def plan_of(source: Source, piece: Piece) -> Plan:
    """Where one channel of a stream is heard alone, in order of time; empty for nearly every file. Worked out once a source."""
    with _lock:
        known = _plans.setdefault(source, {})
        if piece not in known:
            known[piece] = _plan(source, piece)
        return known[piece]


def channel_at(plan: Plan, at_s: float) -> int | None:
    """The channel heard at a time, or None where the channels are mixed."""
    return next((c.channel for c in plan if c.start_s <= at_s < c.end_s), None)


def sentences(plan: Plan, track: int) -> list[str]:
    """What is to be said of it."""
    said = []
    for c in plan:
        when = "" if c.start_s <= 0.0 and c.end_s == np.inf else f" {_when(c.start_s, c.end_s)}"
        if c.why == "cancel":
            cancel = f"The channels of audio track {track} cancel each other when they are mixed{when}"
            there = " there" if when else ""
            said.append(f"{cancel} (a loss of {-c.loss_db:.0f} dB); its {c.name} channel alone is analysed{there}.")
        elif c.why == "silent":
            said.append(f"Only the {c.name} channel of audio track {track} has sound; it alone is analysed.")
        else:
            beside = f"Beside its {c.name} channel, audio track {track} has only steady noise"
            said.append(f"{beside}; that channel alone is analysed.")
    return said


def _when(start_s: float, end_s: float) -> str:
    def clock(s: float) -> str:
        return f"{int(s) // 60}:{int(s) % 60:02d}"

    return f"from {clock(start_s)} on" if end_s == np.inf else f"from {clock(start_s)} to {clock(end_s)}"


# --- looking through a track --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """BLOCK_S of sound: powers of the differences of each channel (c,), in frames (f, c), of the mix, of what unrelated channels
    would give, and the correlation of the first two that are mixed."""

    at_s: float
    power: NDArray[np.float64]
    frames: NDArray[np.float64]
    mix: float
    unrelated: float
    alike: float

    @property
    def sounds(self) -> bool:
        return float(self.power.max()) > _QUIET


def _plan(source: Source, piece: Piece) -> Plan:
    try:
        with open_container(source, piece.ranges) as container:
            stream = container.streams[piece.index]
            if not isinstance(stream, av.AudioStream) or stream.codec_context is None:
                return ()
            if not 2 <= stream.codec_context.channels <= _MOST_CHANNELS:
                return ()
            length_s = in_seconds(stream, stream.duration) if stream.duration else (container.duration or 0) / av.time_base
            if piece.end_s is not None:
                length_s = piece.end_s - piece.start_s
            weights, names = _weights(stream), _names(stream)
            blocks = list(_survey(container, piece, length_s, weights))
    except (av.error.FFmpegError, ValueError, OSError, IndexError):
        return ()  # what cannot be looked through is mixed, and fails, if it does, where it is read
    return decide(blocks, weights, names, PART_S if length_s <= SURVEYED_S else length_s / PROBES)


def _weights(stream: av.AudioStream) -> NDArray[np.float64]:
    """(channels,) with what weight each channel enters the mix; FFmpeg's own, found by mixing one impulse after the other."""
    layout = stream.codec_context.layout
    count = layout.nb_channels
    if count > 2 and ("channels" in layout.name or layout.name.startswith("ambisonic")):
        return np.full(count, 1.0 / count)
    impulses = AudioFrame.from_ndarray(np.eye(count, dtype=np.float32).reshape(1, -1), format="flt", layout=layout.name)
    impulses.sample_rate = stream.codec_context.sample_rate
    mixer = AudioResampler(format="flt", layout="mono", rate=impulses.sample_rate, options={"rematrix_maxval": "1.0"})
    made = [f.to_ndarray().reshape(-1) for f in (*mixer.resample(impulses), *mixer.resample(None))]
    weights = np.concatenate(made).astype(np.float64)
    return weights if len(weights) == count else np.full(count, 1.0 / count)


def _names(stream: av.AudioStream) -> list[str]:
    given = [c.description for c in stream.codec_context.layout.channels]
    if len(given) == 2:
        return ["left", "right"]
    return [g if g and "unknown" not in g.lower() else f"number {n} " for n, g in enumerate(given, 1)]


def _survey(container: InputContainer, piece: Piece, length_s: float, weights: NDArray[np.float64]) -> Iterator[_Block]:
    index, origin_s, begin_s = piece.index, piece.origin_s, piece.start_s
    if 0 < length_s <= SURVEYED_S:
        yield from _blocks(container, index, origin_s, begin_s, SURVEYED_S + 1.0, weights)
        return
    stream = container.streams[index]
    for number in range(PROBES if length_s else 1):
        at_s = begin_s + (number + 0.5) * length_s / PROBES - PROBE_S / 2
        if number:
            try:
                container.seek(int(in_ticks(stream, at_s + origin_s)), stream=stream)
            except (av.error.FFmpegError, OSError, ValueError, OverflowError):
                return
        yield from _blocks(container, index, origin_s, at_s if number else begin_s, PROBE_S, weights)


def _blocks(
    container: InputContainer, index: int, origin_s: float, from_s: float, most_s: float, weights: NDArray[np.float64]
) -> Iterator[_Block]:
    """Blocks of about most_s from the first packet that comes, of one layout and rate."""
    held: list[NDArray[np.float32]] = []
    count, done_s = 0, 0.0
    packer: AudioResampler | None = None
    first: tuple[str, str, int] | None = None
    at_s = from_s
    for packet in packets(container, index, {}):
        try:
            frames = [] if is_encrypted(packet) else frames_of(packet)
        except (av.error.FFmpegError, ValueError, MemoryError):
            continue
        for frame in frames:
            if not isinstance(frame, AudioFrame):
                continue
            now = (frame.format.name, frame.layout.name, frame.sample_rate)
            if first is None:
                first, at_s = now, frame.time - origin_s if frame.time is not None else from_s
                packer = AudioResampler(format="flt", layout=frame.layout.name, rate=frame.sample_rate)
            if now != first or frame.layout.nb_channels != len(weights) or packer is None:
                continue
            frame.pts = None
            for made in packer.resample(frame):
                held.append(made.to_ndarray().astype(np.float32, copy=False).reshape(-1, len(weights)))
                count += len(held[-1])
            size = round(BLOCK_S * first[2])
            while count >= size:
                whole = np.concatenate(held)
                yield _block(at_s + done_s, whole[:size], weights, first[2])
                held, count, done_s = [whole[size:]], count - size, done_s + BLOCK_S
        if done_s >= most_s:
            return


def _block(at_s: float, samples: NDArray[np.float32], weights: NDArray[np.float64], rate_hz: int) -> _Block:
    steps = np.diff(np.nan_to_num(np.clip(samples, -8.0, 8.0)).astype(np.float64), axis=0)
    size = max(1, round(_FRAME_S * rate_hz))
    whole = len(steps) // size * size
    frames = np.square(steps[:whole]).reshape(-1, size, steps.shape[1]).mean(axis=1)
    power = np.square(steps).mean(axis=0)
    used = np.flatnonzero(np.abs(weights) > 1e-6)[:2]
    alike = 0.0
    if len(used) == 2 and power[used].min() > 0:
        alike = float((steps[:, used[0]] * steps[:, used[1]]).mean() / np.sqrt(power[used].prod()))
    return _Block(at_s, power, frames, float(np.square(steps @ weights).mean()), float(np.square(weights) @ power), alike)


# --- deciding -----------------------------------------------------------------------------------------------------------


def decide(blocks: list[_Block], weights: NDArray[np.float64], names: list[str], part_s: float) -> Plan:
    """What is heard through one channel, of a track's blocks in order of time."""
    blocks = [b for b in blocks if b.sounds]
    used = np.flatnonzero(np.abs(weights) > 1e-6)
    if not blocks or len(used) < 2:
        return ()
    power = np.mean([b.power for b in blocks], axis=0)
    alive = used[power[used] > _DEAD * power[used].max()]
    if len(alive) == 1:
        return (Choice(0.0, np.inf, int(alive[0]), names[alive[0]], "silent"),)
    if len(used) == 2:
        clean = _beside_noise(blocks, used)
        if clean is not None:
            return (Choice(0.0, np.inf, clean, names[clean], "noise"),)
    parts = {k: list(own) for k, own in groupby(blocks, key=lambda b: int(b.at_s // part_s))}
    lost = {k: _loss_db(own) <= LOST_DB for k, own in parts.items()}
    if not any(lost.values()):
        return ()
    bad = [b for k, own in parts.items() if lost[k] for b in own]
    channel = _better(bad, alive)
    loss_db = _loss_db(bad)
    if np.mean(list(lost.values())) >= WHOLE:
        return (Choice(0.0, np.inf, channel, names[channel], "cancel", loss_db),)
    return tuple(Choice(a * part_s, b, channel, names[channel], "cancel", loss_db) for a, b in _runs(lost, part_s))


def _loss_db(blocks: list[_Block]) -> float:
    """The typical block's, or that of all together where the loud ones cancel more."""
    each = np.median([b.mix / b.unrelated for b in blocks])
    whole = sum(b.mix for b in blocks) / sum(b.unrelated for b in blocks)
    return float(10.0 * np.log10(max(min(each, whole), 1e-8)))


def _runs(lost: dict[int, bool], part_s: float) -> Iterator[tuple[int, float]]:
    """(first part, end in s) of parts on end that cancel; silent ones between them belong to them, and the last is open."""
    numbers = sorted(lost)
    for cancels, own in groupby(range(len(numbers)), key=lambda i: lost[numbers[i]]):
        if cancels:
            which = list(own)
            last = which[-1] + 1
            yield numbers[which[0]], numbers[last] * part_s if last < len(numbers) else np.inf


def _better(blocks: list[_Block], channels: NDArray[np.int64]) -> int:
    """The channel whose loud moments stand out most from its quiet ones, by 3 dB or more; else the loudest, else the first."""
    db = 10.0 * np.log10(np.concatenate([b.frames for b in blocks])[:, channels] + 1e-15)
    stands_out = np.percentile(db, 95, axis=0) - np.percentile(db, 10, axis=0)
    level = np.median(db, axis=0)
    among = np.flatnonzero(stands_out >= stands_out.max() - 3.0)
    loud = among[level[among] >= level[among].max() - 0.5]
    return int(channels[loud[0]])


def _beside_noise(blocks: list[_Block], used: NDArray[np.int64]) -> int | None:
    """The channel that holds something where the other of two holds a steady noise, about as loud as this one's quiet moments or
    louder; None where that is not so."""
    db = 10.0 * np.log10(np.concatenate([b.frames for b in blocks])[:, used] + 1e-15)
    spread = db.std(axis=0)
    noise, other = int(spread.argmin()), int(spread.argmax())
    if noise == other or spread[noise] > _NOISE_DB or spread[other] < _EVENTS_DB:
        return None
    if abs(float(np.median([b.alike for b in blocks]))) > _ALIKE:
        return None
    return int(used[other]) if np.median(db[:, noise]) >= np.percentile(db[:, other], 10) - 3.0 else None
