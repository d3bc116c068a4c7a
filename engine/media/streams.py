"""The streams of a container, as its demuxer describes them."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import replace

from av.audio.codeccontext import AudioCodecContext
from av.container import InputContainer
from av.stream import Disposition
from av.stream import Stream as AnyStream
from av.video.codeccontext import VideoCodecContext

from engine.core.clip import Stream
from engine.media.container import MAX_DURATION_S, in_seconds
from engine.media.source import shown

_FLAGS = {d: d.name.replace("_", " ") for d in Disposition if d.name and d is not Disposition.default}


def list_streams(container: InputContainer, origin_s: float) -> list[Stream]:
    """The streams as the demuxer describes them, before anything is decoded."""
    counts: dict[str, int] = {}
    found = []
    for s in container.streams:
        counts[s.type] = counts.get(s.type, 0) + 1
        context = s.codec_context
        start_s = in_seconds(s, s.start_time) - origin_s if s.start_time is not None else 0.0
        length_s = in_seconds(s, s.duration) if s.duration and s.duration > 0 else None
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
            flags=tuple(_FLAGS[d] for d in _FLAGS if s.disposition & d),
            still=s.type == "video" and s.frames == 1 and container.format.name != "gif",
        )
        if isinstance(context, AudioCodecContext):
            stream = replace(stream, rate_hz=context.rate or None, channels=context.channels or None,
                             layout=context.layout.name)  # fmt: skip
        elif isinstance(context, VideoCodecContext):
            fps = s.average_rate or s.guessed_rate
            stream = replace(stream, width_px=context.width or None, height_px=context.height or None,
                             fps=float(fps) if fps else None, variable_fps=_is_variable(s, container.format.name))  # fmt: skip
        found.append(stream)
    return found


def _is_variable(stream: AnyStream, demuxer: str) -> bool:
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
