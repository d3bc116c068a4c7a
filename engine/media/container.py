"""Opening a container so that it can open nothing else, and taking packets from it.

FFmpeg's demuxers include playlists, scripts, devices and network formats. Only those in DEMUXERS, which read one
self-contained file, are let through, whatever a file is called: FFmpeg compares its own guess from the content with
that list before the demuxer sees a byte. The bytes come from a file object of ours, so that no protocol is in play,
and whatever a demuxer might still ask to open is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NoReturn

import av
import av.logging
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.plane import Plane
from av.stream import Stream
from numpy.typing import NDArray

from engine.core.errors import MediaError
from engine.media.piece import Ranges
from engine.media.source import Source

DEMUXERS = (
    *("mov", "matroska", "mpegts", "mpeg", "avi", "flv", "live_flv", "asf", "ogg", "mxf", "gxf", "rm", "dv", "nut", "ivf", "wtv"),
    *("wav", "w64", "flac", "mp3", "aac", "loas", "aiff", "caf", "amr", "amrnb", "amrwb", "au", "voc", "wv", "ape"),
    *("ac3", "eac3", "ac4", "dts", "dtshd", "truehd", "mlp", "tta", "tak", "dsf", "oma", "mpc", "mpc8", "gsm", "ircam", "qcp"),
    *("gif", "mpegvideo", "h264", "hevc", "vvc", "m4v", "obu", "av1", "mjpeg", "h261", "h263", "vc1", "vc1test"),
    *("dhav", "ifv", "kux", "pva", "lxf", "iv8", "yuv4mpegpipe", "dirac", "mlv", "dss"),
)  # recorders' and cameras' own formats (.dav, .ifv, .mlv, .dss of dictation machines) in the last line
MAX_SIDE_PX = 16_384
MAX_PIXELS = 140_000_000
MAX_DURATION_S = 10 * 86_400.0
RATE_RANGE_HZ = (2_000, 1_000_000)
MAX_TAGS, MAX_TAG_CHARACTERS = 200, 1_000
_STUMBLES = 20
_PLAYLIST_MARKS = (b"#extm3u", b"ffconcat", b"v=0", b"<?xml", b"<mpd", b"<smil", b"<asx", b"[playlist]", b"[reference]",
                   b"rtsp://", b"http://", b"https://", b"file ")  # fmt: skip
_PICTURE_MARKS = (b"\xff\xd8\xff", b"\x89png", b"riff....webp", b"bm", b"ii*\0", b"mm\0*")


def open_container(source: Source, ranges: Ranges = ()) -> InputContainer:
    """A new demuxer over the source, or over ranges of its bytes, independent of all others.

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
        return av.open(
            source.window(ranges), "r", options=options, buffer_size=262_144, io_open=_refuse, metadata_errors="replace"
        )
    except MediaError:
        raise
    except (av.error.FFmpegError, ValueError, OSError, MemoryError, UnicodeError):
        raise MediaError(_why_not(source)) from None


def packets(container: InputContainer, index: int, skipped: dict[str, int]) -> Iterator[Packet]:
    """The packets of one stream, the last one empty (it flushes the decoder).

    What the demuxer trips over is counted in `skipped` and stepped over, unless it makes no headway. Packets of streams that
    appeared after opening are stepped over too: they are read as a piece of their own, or named as not looked at.
    """
    stream = container.streams[index]
    stumbles = 0
    while stumbles < _STUMBLES:
        try:
            for packet in container.demux(stream):
                stumbles = 0
                yield packet
            return
        except IndexError:  # PyAV knows no stream that was not there at opening; every try takes one packet
            continue
        except (av.error.FFmpegError, OSError, ValueError):
            stumbles += 1
            skipped[stream.type] = skipped.get(stream.type, 0) + 1
    flush = Packet()  # what was read before the damage stays good; the decoder still holds some of it
    flush.stream = stream
    yield flush


def is_encrypted(packet: Packet) -> bool:
    return packet.size > 0 and packet.has_sidedata("encryption_info")


def frames_of(packet: Packet) -> Sequence[object]:
    """What a packet is decoded to; what each of it is, is for the caller to look at: a stream's type may change midway.

    Raises:
        av.error.FFmpegError, ValueError, MemoryError: it cannot be decoded.
    """
    return packet.decode()


def in_ticks(stream: Stream, time_s: float) -> float:
    """A timestamp in seconds in ticks of the stream.

    Raises:
        ValueError: the stream has no clock.
    """
    return time_s / _tick_s(stream)


def in_seconds(stream: Stream, ticks: int) -> float:
    """A timestamp in ticks of the stream in seconds.

    Raises:
        ValueError: the stream has no clock.
    """
    return float(ticks * _tick_s(stream))


def _tick_s(stream: Stream) -> Fraction:
    if stream.time_base is None:
        raise ValueError(f"stream {stream.index} has no clock")
    return stream.time_base


def points_of(plane: Plane) -> NDArray[np.uint8]:
    """(bytes,) of a plane, padding included, without a copy."""
    return np.frombuffer(memoryview(plane), np.uint8)


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise PermissionError("a clip may not open another file")


def prepare(stream: Stream) -> None:
    """Set the decoder up: all cores, and no picture larger than MAX_PIXELS."""
    context = stream.codec_context
    if stream.type == "video" and not context.is_open:
        context.thread_type = "AUTO"
        context.options = {"max_pixels": str(MAX_PIXELS)}


def is_too_large(width_px: int, height_px: int) -> bool:
    """Whether a picture is beyond what is decoded."""
    return max(width_px, height_px) > MAX_SIDE_PX or width_px * height_px > MAX_PIXELS


def check_size(width_px: int, height_px: int, name: str) -> None:
    """Refuse frames that would fill the memory.

    Raises:
        MediaError: a side or the whole is beyond MAX_SIDE_PX and MAX_PIXELS.
    """
    if is_too_large(width_px, height_px):
        raise MediaError(
            f"The pictures of {name} are {width_px}×{height_px} px; scale it below {MAX_SIDE_PX:,} px a side and "
            f"{MAX_PIXELS // 10**6} megapixels first."
        )


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
        return f"{source.name} is a still picture of a kind that is not read; save it as JPEG, PNG, WebP, HEIC or TIFF."
    if b"\0" not in head and all(c >= 9 for c in head):
        return f"{source.name} holds text, not sound or pictures; give a video or audio file."
    return (
        f"{source.name} cannot be read as video or audio: it is damaged, incomplete or of an unknown format; "
        "copy it again from the source or convert it to MP4, MKV or WAV."
    )
