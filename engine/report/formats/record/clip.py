"""The file examined, and intervals of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.core.clip import Clip, Interval, Stream
from engine.media.source import shown
from engine.report.formats.record.field import documented, text


@dataclass(frozen=True, slots=True)
class TagRecord:
    """A container tag, as found in the file: hostile text."""

    key: str = documented("name of the tag")
    value: str = documented("its text, unprintable characters replaced")


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One track of the container."""

    index: int = documented("number in the container")
    track: int = documented("number among the tracks of its kind, from 1")
    kind: str = documented("audio, video, subtitle, data or attachment")
    codec: str = documented("decoder's name")
    decodable: bool = documented("whether this program can decode it")
    duration_s: float | None = documented("length, s")
    language: str | None = documented("language tag of the container")
    rate_hz: int | None = documented("audio: samples a second")
    channels: int | None = documented("audio: channels")
    width_px: int | None = documented("video: width as stored")
    height_px: int | None = documented("video: height as stored")
    fps: float | None = documented("video: mean frames a second")
    flags: tuple[str, ...] = documented("what the container says the track is for")
    silent: bool = documented("audio: nothing was heard at the places tried")


@dataclass(frozen=True, slots=True)
class ProgrammeRecord:
    """One of several programmes in a transport stream."""

    number: int = documented("as the stream numbers it")
    name: str | None = documented("as the stream names it")
    streams: tuple[int, ...] = documented("its tracks, by their number in the container")


@dataclass(frozen=True, slots=True)
class BesideRecord:
    """A file that was read with the clip."""

    name: str = documented("file name")
    sha256: str = documented("SHA-256 of the file, hexadecimal")


@dataclass(frozen=True, slots=True)
class ClipRecord:
    """The file examined, named without its folder."""

    name: str = documented("file name")
    sha256: str = documented("SHA-256 of the file, hexadecimal")
    size_bytes: int = documented("length of the file")
    container: str = documented("demuxer")
    duration_s: float | None = documented("length, s")
    streams: tuple[StreamRecord, ...] = documented("tracks in container order")
    tags: tuple[TagRecord, ...] = documented("container tags")
    problems: tuple[str, ...] = documented("problems of the file and choices made in it, sentences")
    programmes: tuple[ProgrammeRecord, ...] = documented("programmes of a transport stream that holds several")
    programme: int | None = documented("number of the programme that was read, or null where there are not several")
    beside: tuple[BesideRecord, ...] = documented("files that were read with it: a still picture beside a sound")


@dataclass(frozen=True, slots=True)
class IntervalRecord:
    """The interval of time examined."""

    start_s: float = documented("start, s")
    end_s: float = documented("end, s")


def clip_record(clip: Clip) -> ClipRecord:
    return ClipRecord(
        name=clip_name(clip),
        sha256=clip.sha256,
        size_bytes=clip.size_bytes,
        container=text(clip.container),
        duration_s=clip.duration_s,
        streams=tuple(_stream(s) for s in clip.streams),
        tags=tuple(TagRecord(text(k), text(v)) for k, v in clip.tags),
        problems=tuple(text(p) for p in clip.problems),
        programmes=tuple(ProgrammeRecord(p.number, text(p.name) if p.name else None, p.streams) for p in clip.programmes),
        programme=clip.programme,
        beside=tuple(BesideRecord(text(name), sha256) for name, sha256 in clip.beside),
    )


def _stream(s: Stream) -> StreamRecord:
    return StreamRecord(
        index=s.index,
        track=s.track,
        kind=s.kind,
        codec=s.codec,
        decodable=s.decodable,
        duration_s=s.duration_s,
        language=text(s.language) if s.language else None,
        rate_hz=s.rate_hz,
        channels=s.channels,
        width_px=s.width_px,
        height_px=s.height_px,
        fps=s.fps,
        flags=s.flags,
        silent=s.silent,
    )


def interval_record(interval: Interval) -> IntervalRecord:
    return IntervalRecord(interval.start_s, interval.end_s)


def clip_name(clip: Clip) -> str:
    """The clip's file name without its folder, fit to be shown."""
    return shown(Path(clip.path).name or clip.path, 200)
