"""Which of several audio tracks are silent, from a moment of each at a few places."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from engine.core.errors import MediaError
from engine.media.container import is_encrypted, open_container

if TYPE_CHECKING:
    from av.container import InputContainer

    from engine.core.clip import Stream
    from engine.media.piece import Layout, Piece
    from engine.media.source import Source

AUDIBLE = 5e-4  # of full scale (-66 dB): above dither and the hiss of an input with nothing plugged in
_PLACES = (0.02, 0.5, 0.25, 0.75, 0.1, 0.9, 0.4, 0.6)
_LISTEN_S = 1.5
_MOST_PACKETS = 3_000


def silent_tracks(source: Source, streams: tuple[Stream, ...], layouts: tuple[Layout, ...]) -> tuple[Stream, ...]:
    """The streams, with those marked in which nothing was heard; untouched where there are not several to choose from.

    A place is given up as soon as every track has been heard in it, so that it costs next to nothing where all of them sound.
    """
    tracks = [s for s in streams if s.kind == "audio" and s.decodable]
    if len(tracks) < 2:
        return streams
    pending = {s.index for s in tracks}
    for layout in layouts:
        pieces = {s.index: layout.of(s.index) for s in tracks}
        for share in _PLACES:
            if not pending:
                break
            for index, heard in _at(source, {i: pieces[i] for i in sorted(pending)}, share, layout.duration_s or 0.0):
                if heard:
                    pending.discard(index)
    return tuple(replace(s, silent=True) if s.index in pending else s for s in streams)


def _at(source: Source, pieces: dict[int, tuple[Piece, ...]], share: float, length_s: float) -> Iterator[tuple[int, bool]]:
    """(stream, whether it is audible) at a share of the clip's length."""
    groups: dict[tuple[object, ...], dict[int, tuple[int, Piece]]] = {}
    for index, own in pieces.items():
        piece = own[min(len(own) - 1, int(share * len(own)))] if len(own) > 1 else own[0]
        groups.setdefault((piece.ranges, piece.origin_s), {})[piece.index] = (index, piece)
    for group in groups.values():
        piece = next(iter(group.values()))[1]
        end_s = piece.end_s if piece.end_s is not None else length_s
        inside = (share * max(1, len(pieces[next(iter(group.values()))[0]]))) % 1.0 if piece.end_s is not None else share
        to_s = piece.start_s + inside * max(0.0, end_s - piece.start_s) + piece.origin_s
        try:
            with open_container(source, piece.ranges) as container:
                for number in _audible(container, set(group), to_s):
                    yield group[number][0], True
        except (MediaError, av.error.FFmpegError, OSError, ValueError, IndexError):
            continue


def _audible(container: InputContainer, wanted: set[int], to_s: float) -> Iterator[int]:
    """Those of the streams in which something is heard from a time on."""
    wanted = {i for i in wanted if i < len(container.streams)}
    with contextlib.suppress(av.error.FFmpegError, OSError, ValueError, OverflowError):
        container.seek(int(to_s * av.time_base))
    heard_s = dict.fromkeys(wanted, 0.0)
    for number, packet in enumerate(container.demux([container.streams[i] for i in sorted(wanted)])):
        index = packet.stream_index
        if number > _MOST_PACKETS or not heard_s:
            return
        if index not in heard_s or is_encrypted(packet):
            continue
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, ValueError, MemoryError):
            continue
        for frame in frames:
            if not isinstance(frame, AudioFrame) or frame.samples <= 0 or frame.sample_rate <= 0:
                continue
            heard_s[index] += frame.samples / frame.sample_rate
            if _peak(frame) > AUDIBLE:
                yield index
                heard_s.pop(index)
                break
            if heard_s[index] > _LISTEN_S:
                heard_s.pop(index)
                break


def _peak(frame: AudioFrame) -> float:
    """Farthest that any channel goes from its mean, 1 for full scale: an offset alone is silent."""
    frame.pts = None
    made = AudioResampler(format="fltp", layout=frame.layout.name, rate=frame.sample_rate).resample(frame)
    rows = (np.clip(np.nan_to_num(m.to_ndarray(), posinf=1.0, neginf=-1.0), -1e3, 1e3) for m in made)
    return max((float(np.abs(x - x.mean(axis=1, keepdims=True)).max()) for x in rows if x.size), default=0.0)
