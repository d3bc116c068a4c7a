"""Audio in blocks, mono, at the rate asked for, with time kept true.

A decoded frame goes through swresample before anything else touches it: PyAV's `AudioFrame.to_ndarray` crashes on
planar frames of eight channels. Runs of frames without a break in time share a resampler; a gap, an overlap or a change
of rate or layout ends the run, and the next one is put down where its own timestamp says. Channels are mixed, but where they
would cancel each other: there `mixing` names one.
"""

from __future__ import annotations

import io
import itertools
import wave
from collections.abc import Iterator
from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.filter import Graph
from numpy.typing import NDArray

from engine.core.clip import AudioBlock, Interval, Reader
from engine.core.errors import MediaError
from engine.media import mixing
from engine.media.container import frames_of, in_ticks, is_encrypted, open_container, packets
from engine.media.piece import Piece
from engine.media.source import Source

if TYPE_CHECKING:
    from av.container import InputContainer

SLACK_S = 0.05  # containers round timestamps; AVI and FLV by several ms
MAX_GAP_S = 600.0  # a longer hole is a broken clock, and no reason to write hours of silence
MAX_OVERLAP_S = 1.0  # a longer step back is a clock set anew (a splice in a broadcast), not sound to be dropped
PREROLL_S = 1.0  # decoders and the resampler need a run-up after a seek
MAX_EXCERPT_S = 120.0


def read_audio(
    source: Source,
    pieces: tuple[Piece, ...],
    rate_hz: int,
    interval: Interval | None,
    block_s: float,
    skipped: dict[str, int],
) -> Iterator[AudioBlock]:
    """Blocks of one stream: mono float32 at rate_hz, the first at the interval's start (or 0), without holes.

    Args:
        pieces: where the track lies.
        skipped: counted up under "audio" for every packet that could not be decoded and under "clock" for every jump in
            time of more than MAX_GAP_S forwards or MAX_OVERLAP_S back, which is closed up.
    """
    first = round(interval.start_s * rate_hz) if interval else 0
    last = round(interval.end_s * rate_hz) if interval else None
    size = max(1, round(block_s * rate_hz))
    held: list[NDArray[np.float32]] = []
    count, at = 0, first
    for piece in _whole(source, pieces, rate_hz, first, last, skipped):
        while len(piece):
            part, piece = piece[: size - count], piece[size - count :]
            held.append(part)
            count += len(part)
            if count == size:
                yield AudioBlock(at / rate_hz, rate_hz, np.concatenate(held))
                held, count, at = [], 0, at + size
    if count:
        yield AudioBlock(at / rate_hz, rate_hz, np.concatenate(held))


def excerpt_wav(reader: Reader, interval: Interval, rate_hz: int | None = None, track: int | None = None) -> bytes:
    """A short interval as a playable WAV file: mono, 16 bit.

    Args:
        rate_hz: samples a second; None takes the track's own, at most 48,000.
        track: audio track from 1; None takes the default one.

    Raises:
        MediaError: the interval is longer than two minutes, holds no sound, or there is no such track.
    """
    if interval.length_s > MAX_EXCERPT_S:
        raise MediaError(f"An excerpt of {interval.length_s:.0f} s is too long; choose at most {MAX_EXCERPT_S:.0f} s.")
    if rate_hz is None:
        own = [s.rate_hz for s in reader.clip.audio_tracks if s.rate_hz and s.track == (track or s.track)]
        rate_hz = min(48_000, own[0]) if own else 48_000
    blocks = [b.samples for b in reader.audio(rate_hz, interval, track)]
    if not blocks:
        raise MediaError(
            f"There is no sound from {interval.start_s:g} to {interval.end_s:g} s; choose an interval inside the clip."
        )
    return to_wav(np.concatenate(blocks), rate_hz)


def to_wav(samples: NDArray[np.float32], rate_hz: int) -> bytes:
    """Mono samples (n,) in -1..1 as a 16 bit WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes((np.clip(samples, -1.0, 1.0) * 32767.0).round().astype("<i2").tobytes())
    return file.getvalue()


def _whole(
    source: Source, pieces: tuple[Piece, ...], rate_hz: int, first: int, last: int | None, skipped: dict[str, int]
) -> Iterator[NDArray[np.float32]]:
    """Arrays that follow each other without a hole from sample `first` to `last` or the track's end."""
    here = first
    for start, samples in _along(source, pieces, rate_hz, first, last, skipped):
        if last is not None and start >= last:
            start, samples = last, samples[:0]
        while here < start:
            zeros = min(start - here, rate_hz)
            yield np.zeros(zeros, np.float32)
            here += zeros
        samples = samples[here - start :]
        if last is not None:
            samples = samples[: last - here]
        if len(samples):
            yield samples
            here += len(samples)
        if last is not None and here >= last:
            return


def _along(
    source: Source, pieces: tuple[Piece, ...], rate_hz: int, first: int, last: int | None, skipped: dict[str, int]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The same as `_located`, piece after piece: of each only what lies within its own time."""
    for piece in pieces:
        begin = round(piece.start_s * rate_hz)
        end = None if piece.end_s is None else round(piece.end_s * rate_hz)
        if end is not None and end <= first:
            continue
        if last is not None and begin >= last:
            return
        for start, samples in _located(source, piece, rate_hz, max(first, begin), skipped):
            if start < begin:
                start, samples = begin, samples[begin - start :]
            if end is not None:
                samples = samples[: max(0, end - start)]
            if len(samples):
                yield start, samples
            elif end is not None and start >= end:
                break


def _located(
    source: Source, piece: Piece, rate_hz: int, first: int, skipped: dict[str, int]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(first sample's number in the clip, samples) of resampled audio; may leave gaps and overlap a little."""
    start_s = first / rate_hz
    index, origin_s = piece.index, piece.origin_s
    plan = mixing.plan_of(source, piece)
    for sought in (True, False) if start_s - piece.start_s > 2 * PREROLL_S else (False,):
        with open_container(source, piece.ranges) as container:
            if sought and not _seek(container, index, start_s - PREROLL_S, origin_s):
                continue
            run = _Run(rate_hz, start_s - PREROLL_S if sought else piece.start_s, plan)
            late = False
            for frame in _frames(container, index, skipped):
                at_s = _time_s(frame, origin_s)
                if at_s is not None and not piece.holds(at_s):
                    continue  # left behind by another clock
                if run.empty and sought:
                    # A seek that lands after the place asked for would cut sound off: read from the start instead.
                    late = at_s is None or at_s > start_s + SLACK_S
                    if late:
                        break
                yield from run.push(frame, at_s, skipped)
            if late:
                continue
            yield from run.flush()
            return


def _seek(container: InputContainer, index: int, to_s: float, origin_s: float) -> bool:
    stream = container.streams[index]
    try:
        container.seek(int(in_ticks(stream, to_s + origin_s)), stream=stream)
    except (av.error.FFmpegError, OSError, ValueError, OverflowError):
        return False
    return True


def _frames(container: InputContainer, index: int, skipped: dict[str, int]) -> Iterator[AudioFrame]:
    for packet in packets(container, index, skipped):
        if is_encrypted(packet):
            skipped["audio"] += 1
            continue
        try:
            frames = frames_of(packet)
        except (av.error.FFmpegError, ValueError, MemoryError):
            skipped["audio"] += 1
            continue
        yield from (f for f in frames if isinstance(f, AudioFrame) and f.samples > 0 and f.sample_rate > 0)


def _time_s(frame: AudioFrame, origin_s: float) -> float | None:
    return None if frame.time is None else frame.time - origin_s


class _Run:
    """Frames that follow each other in time, through one resampler; a break starts the next run."""

    def __init__(self, rate_hz: int, expected_s: float, plan: mixing.Plan = ()) -> None:
        self._rate_hz = rate_hz
        self._plan = plan
        self._resampler: AudioResampler | _Mixer | None = None
        self._format: tuple[str, str, int, int | None] | None = None
        self._next = 0  # number of the sample that comes out next
        self._expected_s = expected_s  # where the next frame should begin
        self._shift_s = 0.0  # what broken clocks were set back by, in all
        self.empty = True

    def push(self, frame: AudioFrame, at_s: float | None, skipped: dict[str, int]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Add a frame that says it starts at at_s; yields what came out."""
        at_s = self._expected_s if at_s is None else at_s + self._shift_s
        step_s = at_s - self._expected_s
        if step_s > MAX_GAP_S or step_s < -(MAX_GAP_S if self.empty else MAX_OVERLAP_S):
            self._shift_s -= step_s
            at_s, step_s = self._expected_s, 0.0
            skipped["clock"] = skipped.get("clock", 0) + 1
        channel = mixing.channel_at(self._plan, at_s) if self._plan else None
        now = (frame.format.name, frame.layout.name, frame.sample_rate, channel)
        if self.empty or now != self._format or abs(step_s) > SLACK_S:
            yield from self.flush()
            self._begin(frame, now, at_s)
        self._expected_s += frame.samples / frame.sample_rate
        frame.pts = None  # the run's own count of samples is its clock
        yield from self._out(frame)

    def flush(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """What the resampler still holds."""
        if self._resampler is not None:
            yield from self._out(None)
            self._resampler = None

    def _begin(self, frame: AudioFrame, now: tuple[str, str, int, int | None], at_s: float) -> None:
        self._format = now
        self._resampler = _resampler(frame, self._rate_hz, now[3])
        self._next = round(at_s * self._rate_hz)
        self._expected_s = at_s
        self.empty = False

    def _out(self, frame: AudioFrame | None) -> Iterator[tuple[int, NDArray[np.float32]]]:
        assert self._resampler is not None
        for made in self._resampler.resample(frame):
            samples = made.to_ndarray().reshape(-1)
            # A float track may hold NaN or infinity; codecs overshoot full scale a little.
            samples = np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
            start, self._next = self._next, self._next + len(samples)
            if self._next > 0:
                yield max(start, 0), samples[max(0, -start) :]


def _resampler(frame: AudioFrame, rate_hz: int, channel: int | None = None) -> AudioResampler | _Mixer:
    """Mono float at rate_hz: one channel, or all of them mixed.

    The gain is bounded to 1 so that float and integer tracks are mixed alike (swresample would sum float stereo to 1.41).
    """
    if channel is not None and channel < frame.layout.nb_channels:
        return _Mixer(frame, rate_hz, f"c{channel}")
    if frame.layout.nb_channels > 2 and not _has_standard_layout(frame):
        return _Mixer(frame, rate_hz)
    return AudioResampler(format="flt", layout="mono", rate=rate_hz, options={"rematrix_maxval": "1.0"})


def _has_standard_layout(frame: AudioFrame) -> bool:
    return "channels" not in frame.layout.name and not frame.layout.name.startswith("ambisonic")


class _Mixer:
    """Mean of all channels of a layout without named speakers, which swresample cannot mix by itself, or one channel alone."""

    def __init__(self, frame: AudioFrame, rate_hz: int, only: str | None = None) -> None:
        channels = frame.layout.nb_channels
        self._graph = Graph()
        source = self._graph.add(
            "abuffer",
            sample_rate=str(frame.sample_rate),
            sample_fmt=frame.format.name,
            channel_layout=frame.layout.name,
            time_base=f"1/{frame.sample_rate}",
        )
        mean = only or "+".join(f"{1 / channels:.6f}*c{c}" for c in range(channels))
        chain = [
            source,
            self._graph.add("pan", f"mono|c0={mean}"),
            self._graph.add("aformat", sample_rates=str(rate_hz), sample_fmts="flt", channel_layouts="mono"),
            self._graph.add("abuffersink"),
        ]
        for a, b in itertools.pairwise(chain):
            a.link_to(b)
        self._graph.configure()

    def resample(self, frame: AudioFrame | None) -> list[AudioFrame]:
        self._graph.push(frame)
        made: list[AudioFrame] = []
        while True:
            try:
                pulled = self._graph.pull()
            except (av.error.EOFError, av.error.BlockingIOError):
                return made
            if isinstance(pulled, AudioFrame):
                made.append(pulled)
