"""What a browser can show of a clip: a still, and a small H.264/AAC copy of an interval."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from engine.core import scratch
from engine.core.clip import AudioBlock, Frame, Interval, Reader
from engine.core.errors import MediaError
from engine.core.progress import Progress, ProgressCallback, silent

RATE_HZ = 48_000
MAX_FPS = 30.0
_TICKS = 90_000


def preview_mp4(
    reader: Reader,
    interval: Interval,
    out_path: str | os.PathLike[str],
    max_side_px: int = 640,
    progress: ProgressCallback = silent,
    track: int | None = None,
) -> Path:
    """Encode an interval again as an MP4 that every browser plays (H.264 4:2:0, AAC mono, index in front).

    Clip time interval.start_s becomes 0. The file appears under its name only when it is whole; when `progress` raises,
    nothing is left behind. A clip without pictures gives sound alone, and the other way round.

    Args:
        track: audio track from 1; None takes the default one.

    Returns:
        The path written.

    Raises:
        MediaError: neither sound nor pictures can be decoded there, or the file cannot be written.
    """
    out = Path(out_path)
    try:
        fd, unfinished = scratch.draft(out.parent, ".mp4")
        os.close(fd)
    except OSError as error:
        raise MediaError(f"No preview can be written to {out.parent} ({error.strerror}); choose another folder.") from None
    try:
        _encode(reader, interval, unfinished, max_side_px, progress, track)
        Path(unfinished).replace(out)
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(f"The preview could not be made ({error.strerror}); check whether the disk is full.") from None
    finally:
        Path(unfinished).unlink(missing_ok=True)
    return out


def _encode(
    reader: Reader, interval: Interval, path: str, max_side_px: int, progress: ProgressCallback, track: int | None
) -> None:
    frames = _thinned(reader, interval, max_side_px)
    blocks = _sound(reader, interval, track)
    frame, block = next(frames, None), next(blocks, None)
    if frame is None and block is None:
        raise MediaError(
            f"Nothing can be decoded from {interval.start_s:g} to {interval.end_s:g} s; choose an interval inside the clip."
        )
    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as out:
        picture = _add_picture(out, frame.rgb) if frame is not None else None
        sound = out.add_stream("aac", rate=RATE_HZ, layout="mono") if block is not None else None
        if sound is not None:
            sound.bit_rate = 96_000
        while frame is not None or block is not None:
            if frame is not None and picture is not None and (block is None or frame.time_s <= block.start_s):
                out.mux(picture.encode(_video_frame(frame, interval.start_s, picture)))
                done_s, frame = frame.time_s, next(frames, None)
            elif block is not None and sound is not None:
                out.mux(sound.encode(_audio_frame(block, interval.start_s)))
                done_s, block = block.start_s, next(blocks, None)
            progress(Progress("making a preview", max(0.0, done_s - interval.start_s), interval.length_s, "s"))
        for stream in (picture, sound):
            if stream is not None:
                out.mux(stream.encode(None))


def _thinned(reader: Reader, interval: Interval, max_side_px: int) -> Iterator[Frame]:
    """Frames at no more than MAX_FPS; none when the clip has no pictures."""
    last_s = -1.0
    try:
        for frame in reader.frames(interval=interval, max_side_px=max_side_px):
            if frame.time_s - last_s >= 0.9 / MAX_FPS:
                last_s = frame.time_s
                yield frame
    except MediaError:
        if last_s >= 0:
            raise


def _sound(reader: Reader, interval: Interval, track: int | None) -> Iterator[AudioBlock]:
    if any(s.decodable for s in reader.clip.audio_tracks):
        yield from reader.audio(RATE_HZ, interval, track, block_s=0.5)


def _add_picture(out: av.container.OutputContainer, rgb: NDArray[np.uint8]) -> av.VideoStream:
    has_x264 = "libx264" in av.codecs_available
    stream = out.add_stream("libx264", rate=int(MAX_FPS)) if has_x264 else out.add_stream("mpeg4", rate=int(MAX_FPS))
    stream.height, stream.width = (max(2, side // 2 * 2) for side in rgb.shape[:2])
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
    if has_x264:
        stream.options = {"preset": "veryfast", "crf": "26", "profile": "main", "threads": "2"}
    else:
        stream.bit_rate = 1_000_000
    return stream


def _video_frame(frame: Frame, start_s: float, stream: av.VideoStream) -> av.VideoFrame:
    made = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame.rgb), format="rgb24")
    made = made.reformat(width=stream.width, height=stream.height, format="yuv420p")
    made.pts = round(max(0.0, frame.time_s - start_s) * _TICKS)
    made.time_base = Fraction(1, _TICKS)
    return made


def _audio_frame(block: AudioBlock, start_s: float) -> av.AudioFrame:
    made = av.AudioFrame.from_ndarray(block.samples[None], format="fltp", layout="mono")
    made.sample_rate = block.rate_hz
    made.pts = round((block.start_s - start_s) * block.rate_hz)
    made.time_base = Fraction(1, block.rate_hz)
    return made
