"""Opening a container so that it can open nothing else, and describing what is in it.

FFmpeg's demuxers include playlists, scripts, devices and network formats. Only those in DEMUXERS, which read one
self-contained file, are let through, whatever a file is called: FFmpeg compares its own guess from the content with
that list before the demuxer sees a byte. The bytes come from a file object of ours, so that no protocol is in play,
and whatever a demuxer might still ask to open is refused.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NoReturn

import av
import av.logging
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition

from engine.core.clip import Stream
from engine.core.errors import MediaError
from engine.media import embedded
from engine.media.source import Source, shown

DEMUXERS = (
    *("mov", "matroska", "mpegts", "mpeg", "avi", "flv", "asf", "ogg", "mxf", "gxf", "rm", "dv", "nut", "ivf", "wtv"),
    *("wav", "w64", "flac", "mp3", "aac", "loas", "aiff", "caf", "amr", "amrnb", "amrwb", "au", "voc", "wv", "ape"),
    *("ac3", "eac3", "dts", "dtshd", "truehd", "mlp", "tta", "tak", "dsf", "oma"),
    *("gif", "mpegvideo", "h264", "hevc", "vvc", "m4v", "obu", "av1", "mjpeg", "h263"),
)
MAX_SIDE_PX = 16_384
MAX_PIXELS = 140_000_000
MAX_DURATION_S = 10 * 86_400.0
RATE_RANGE_HZ = (2_000, 1_000_000)
MAX_TAGS, MAX_TAG_CHARACTERS = 200, 1_000
_TRIAL_PACKETS = 4_000
_STUMBLES = 20
_MIXES_LOOKED_AT = 8  # audio tracks of several channels, when a clip is opened
_PLAYLIST_MARKS = (b"#extm3u", b"ffconcat", b"v=0", b"<?xml", b"<mpd", b"<smil", b"<asx", b"[playlist]", b"[reference]",
                   b"rtsp://", b"http://", b"https://", b"file ")  # fmt: skip
_PICTURE_MARKS = (b"\xff\xd8\xff", b"\x89png", b"riff....webp", b"bm", b"ii*\0", b"mm\0*")


@dataclass(frozen=True, slots=True)
class Contents:
    """What opening found: streams, tags, times and problems of one container.

    Attributes:
        origin_s: the container's first timestamp; clip time is timestamp minus this.
    """

    container: str
    streams: tuple[Stream, ...]
    tags: tuple[tuple[str, str], ...]
    duration_s: float | None
    origin_s: float
    problems: tuple[str, ...]


def open_container(source: Source) -> InputContainer:
    """A new demuxer over the source, independent of all others.

    Raises:
        MediaError: the content is no container of the list, is damaged beyond reading, or wants another file.
    """
    av.logging.set_level(None)  # FFmpeg's own log would go to stderr, with text from the file
    options = {
        "format_whitelist": ",".join(DEMUXERS),
        "protocol_whitelist": "none",
        "enable_drefs": "0",
        "probesize": "10000000",
        "analyzeduration": "10000000",
        "max_pixels": str(MAX_PIXELS),
    }
    try:
        return av.open(source.window(), "r", options=options, buffer_size=262_144, io_open=_refuse, metadata_errors="replace")
    except MediaError:
        raise
    except (av.error.FFmpegError, ValueError, OSError, MemoryError, UnicodeError):
        raise MediaError(_why_not(source)) from None


def describe(source: Source) -> Contents:
    """Open the source once, read its first packets and say what is in it.

    Raises:
        MediaError: it cannot be opened or nothing in it can be decoded.
    """
    with open_container(source) as container:
        origin_s = (container.start_time or 0) / av.time_base
        streams, problems = _try_streams(container, _list_streams(container, origin_s))
        wanted = [s for s in streams if s.kind in ("audio", "video") and not s.attached_picture]
        if not any(s.decodable for s in wanted):
            raise MediaError(_nothing_decodable(source, wanted, problems))
        tags = _tags(container, streams, embedded.tags(source))
        name = container.format.name
        said = [s.duration_s for s in streams if s.duration_s] + [max(0, container.duration or 0) / av.time_base]
    problems.extend(_one_channel(source, streams, origin_s))
    duration_s = max(said)
    if not 0 < duration_s <= MAX_DURATION_S:
        problems.append("The file does not say how long it is; its length was measured from its packets.")
        duration_s = _measured_duration_s(source, origin_s)
    return Contents(name, streams, tags, duration_s or None, origin_s, tuple(problems))


def packets(container: InputContainer, index: int, skipped: dict[str, int]) -> Iterator[Packet]:
    """The packets of one stream, the last one empty (it flushes the decoder).

    What the demuxer trips over is counted in `skipped` and stepped over, unless it makes no headway.
    """
    stream = container.streams[index]
    stumbles = 0
    while stumbles < _STUMBLES:
        try:
            for packet in container.demux(stream):
                stumbles = 0
                yield packet
            return
        except (av.error.FFmpegError, OSError, ValueError):
            stumbles += 1
            skipped[stream.type] = skipped.get(stream.type, 0) + 1
    flush = Packet()  # what was read before the damage stays good; the decoder still holds some of it
    flush.stream = stream
    yield flush


def is_encrypted(packet: Packet) -> bool:
    return packet.size > 0 and packet.has_sidedata("encryption_info")


def _one_channel(source: Source, streams: tuple[Stream, ...], origin_s: float) -> list[str]:
    """Sentences on tracks of which one channel is heard, because the others would cancel it."""
    from engine.media import mixing

    several = [s for s in streams if s.kind == "audio" and s.decodable and (s.channels or 0) > 1]
    return [
        text for s in several[:_MIXES_LOOKED_AT] for text in mixing.sentences(mixing.plan_of(source, s.index, origin_s), s.track)
    ]


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise PermissionError("a clip may not open another file")


def _list_streams(container: InputContainer, origin_s: float) -> list[Stream]:
    counts: dict[str, int] = {}
    found = []
    for s in container.streams:
        counts[s.type] = counts.get(s.type, 0) + 1
        context = s.codec_context
        start_s = float(s.start_time * s.time_base) - origin_s if s.start_time is not None else 0.0
        length_s = float(s.duration * s.time_base) if s.duration and s.duration > 0 else None
        end_s = length_s + max(0.0, start_s) if length_s is not None else None
        language = s.metadata.get("language")
        stream = Stream(
            index=s.index,
            track=counts[s.type],
            kind=s.type,
            codec=context.codec.canonical_name if context else "unknown",
            duration_s=end_s if end_s is not None and end_s <= MAX_DURATION_S else None,
            language=None if language in (None, "", "und") else shown(language, 20),
            title=shown(s.metadata["title"], 200) if s.metadata.get("title") else None,
            default=bool(s.disposition & Disposition.default),
            decodable=context is not None,
            attached_picture=bool(s.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)),
        )
        if s.type == "audio" and context:
            stream = replace(stream, rate_hz=context.rate or None, channels=context.channels or None,
                             layout=context.layout.name)  # fmt: skip
        elif s.type == "video" and context:
            fps = s.average_rate or s.guessed_rate
            stream = replace(stream, width_px=context.width or None, height_px=context.height or None,
                             fps=float(fps) if fps else None, variable_fps=_is_variable(s, container.format.name))  # fmt: skip
        found.append(stream)
    return found


def _is_variable(stream: av.VideoStream, demuxer: str) -> bool:
    """Whether steps between indexed frames differ by more than a fifth; in Matroska, whether its two rates disagree."""
    count = min(len(stream.index_entries), 3_000)
    times = sorted(stream.index_entries[i].timestamp for i in range(count))
    steps = [b - a for a, b in itertools.pairwise(times) if b > a]
    if len(steps) >= 8 and any(not stream.index_entries[i].is_keyframe for i in range(count)):
        usual = statistics.median(steps)
        return sum(abs(s - usual) > 0.2 * usual + 1 for s in steps) > 0.02 * len(steps)
    if demuxer.startswith("matroska") and stream.average_rate and stream.base_rate and stream.base_rate <= 240:
        return abs(stream.average_rate / stream.base_rate - 1) > 0.02
    return False


def _try_streams(container: InputContainer, streams: list[Stream]) -> tuple[tuple[Stream, ...], list[str]]:
    """Decode until every track has given a frame: only then is it known to be decodable, and how it is rotated."""
    by_index = {s.index: s for s in streams}
    pending = set()
    problems: list[str] = []
    for s in streams:
        if s.kind not in ("audio", "video") or s.attached_picture:
            continue
        where = f"{s.kind.capitalize()} track {s.track}"
        if not s.decodable:
            problems.append(f"{where} is in a codec this program has no decoder for.")
        elif s.kind == "video" and _too_large(s.width_px or 0, s.height_px or 0):
            by_index[s.index] = replace(s, decodable=False)
            problems.append(f"{where} is {s.width_px}×{s.height_px} px, beyond {MAX_SIDE_PX:,} px a side or "
                            f"{MAX_PIXELS // 10**6} megapixels.")  # fmt: skip
        elif s.kind == "audio" and s.rate_hz and not RATE_RANGE_HZ[0] <= s.rate_hz <= RATE_RANGE_HZ[1]:
            by_index[s.index] = replace(s, decodable=False)
            problems.append(f"{where} claims {s.rate_hz:,} samples a second, which no recorder makes.")
        else:
            pending.add(s.index)
    for index in pending:
        prepare(container.streams[index])
    ended = True
    fed = 0
    try:
        for packet in container.demux([container.streams[i] for i in sorted(pending)]) if pending else ():
            index = packet.stream_index
            if index not in pending:
                continue
            s = by_index[index]
            if is_encrypted(packet):
                pending.discard(index)
                by_index[index] = replace(s, decodable=False)
                problems.append(f"{s.kind.capitalize()} track {s.track} is encrypted.")
            elif frame := _first_frame(packet):
                pending.discard(index)
                if s.kind == "video":
                    by_index[index] = replace(s, rotation_deg=-frame.rotation % 360)
            fed += 1
            if not pending or fed >= _TRIAL_PACKETS:
                ended = not pending
                break
    except (av.error.FFmpegError, OSError, ValueError):
        pass
    if ended or len(pending) == sum(s.kind in ("audio", "video") for s in streams):
        for index in sorted(pending):
            by_index[index] = replace(by_index[index], decodable=False)
            problems.append(f"{by_index[index].kind.capitalize()} track {by_index[index].track} holds nothing decodable.")
    return tuple(by_index[s.index] for s in streams), problems


def prepare(stream: av.VideoStream | av.AudioStream) -> None:
    """Set the decoder up: all cores, and no picture larger than MAX_PIXELS."""
    context = stream.codec_context
    if stream.type == "video" and not context.is_open:
        context.thread_type = "AUTO"
        context.options = {"max_pixels": str(MAX_PIXELS)}


def _first_frame(packet: Packet) -> av.VideoFrame | av.AudioFrame | None:
    try:
        frames = packet.decode()
    except (av.error.FFmpegError, ValueError, MemoryError):
        return None
    return frames[0] if frames else None


def _too_large(width_px: int, height_px: int) -> bool:
    return max(width_px, height_px) > MAX_SIDE_PX or width_px * height_px > MAX_PIXELS


def check_size(width_px: int, height_px: int, name: str) -> None:
    """Refuse frames that would fill the memory.

    Raises:
        MediaError: a side or the whole is beyond MAX_SIDE_PX and MAX_PIXELS.
    """
    if _too_large(width_px, height_px):
        raise MediaError(
            f"The pictures of {name} are {width_px}×{height_px} px; scale it below {MAX_SIDE_PX:,} px a side and "
            f"{MAX_PIXELS // 10**6} megapixels first."
        )


def _tags(
    container: InputContainer, streams: tuple[Stream, ...], more: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Tags of the container, those that FFmpeg doesn't hand on, and those of the tracks as "video 1/handler_name"."""
    tags = [*list(container.metadata.items())[: MAX_TAGS - len(more)], *more]
    for s in streams:
        tags += [(f"{s.kind} {s.track}/{k}", v) for k, v in container.streams[s.index].metadata.items()]
    return tuple((k[:100], v[:MAX_TAG_CHARACTERS]) for k, v in tags[:MAX_TAGS])


def _measured_duration_s(source: Source, origin_s: float) -> float:
    """End of the last packet of any audio or video stream, from demuxing all of it (no decoding)."""
    end_s = 0.0
    with open_container(source) as container:
        try:
            for packet in container.demux():
                if packet.pts is None or packet.stream.type not in ("audio", "video"):
                    continue
                at_s = float((packet.pts + (packet.duration or 0)) * packet.time_base) - origin_s
                if at_s <= MAX_DURATION_S:
                    end_s = max(end_s, at_s)
        except (av.error.FFmpegError, OSError, ValueError):
            pass
    return end_s


def _why_not(source: Source) -> str:
    """One sentence on why the source could not be opened, with the remedy, from its first bytes."""
    head = source.pread(4_096, 0)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_PLAYLIST_MARKS):
        return (
            f"{source.name} is a playlist or script that points to other files, not a recording, whatever its name says; "
            "open the recording itself."
        )
    if start.startswith(_PICTURE_MARKS) or (start[:4] == b"riff" and start[8:12] == b"webp"):
        return f"{source.name} is a still picture, not a clip; give a video or audio file."
    if b"\0" not in head and all(c >= 9 for c in head):
        return f"{source.name} holds text, not sound or pictures; give a video or audio file."
    return (
        f"{source.name} cannot be read as video or audio: it is damaged, incomplete or of an unknown format; "
        "copy it again from the source or convert it to MP4, MKV or WAV."
    )


def _nothing_decodable(source: Source, streams: list[Stream], problems: list[str]) -> str:
    if not streams:
        return f"{source.name} has neither sound nor pictures; give a video or audio file."
    if any("encrypted" in p for p in problems):
        return f"{source.name} is encrypted (DRM); give a copy without protection."
    large = next((p for p in problems if "megapixels" in p), None)
    if large:
        return f"{large[:-1]}: scale {source.name} down and open the copy."
    if all(s.codec == "unknown" for s in streams):
        return f"{source.name} is in a codec this program cannot decode; convert it to H.264 and AAC in MP4."
    return f"{source.name} holds nothing that can be decoded: it is damaged or cut off; copy it again from where it came from."
