"""What a file holds: its streams, tags, programmes and length, and where in it each track's time lies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import av
from av.container import InputContainer
from av.packet import Packet

from engine.core.clip import Clip, Programme, Stream
from engine.core.errors import MediaError
from engine.media import embedded, still
from engine.media.container import (
    MAX_DURATION_S,
    MAX_PIXELS,
    MAX_SIDE_PX,
    MAX_TAG_CHARACTERS,
    MAX_TAGS,
    RATE_RANGE_HZ,
    is_encrypted,
    is_too_large,
    open_container,
    prepare,
)
from engine.media.joined import lay_out
from engine.media.loudness import silent_tracks
from engine.media.piece import Layout
from engine.media.source import Source, shown
from engine.media.streams import list_streams

_MIXES_LOOKED_AT = 8  # audio tracks of several channels, when a clip is opened
_TRIAL_PACKETS = 4_000
_GUESSED_LENGTH = ("dhav",)  # demuxers that say the length in whole seconds, or guess it


@dataclass(frozen=True, slots=True)
class Contents:
    """What opening found: streams, tags, times and problems of one container.

    Attributes:
        layouts: where the tracks lie; of each programme where there are several, in the order of `programmes`.
        programme: the one that is read unless another is asked for.
    """

    container: str
    streams: tuple[Stream, ...]
    tags: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    layouts: tuple[Layout, ...]
    programmes: tuple[Programme, ...] = ()
    programme: int | None = None

    def clip(self, source: Source) -> Clip:
        """The clip of a source that has been hashed, as its main programme is read."""
        clip = Clip(
            path=source.path,
            sha256=source.sha256,
            size_bytes=source.size_bytes,
            container=self.container,
            duration_s=None,
            streams=self.streams,
            tags=self.tags,
            problems=self.problems,
            programmes=self.programmes,
        )
        return read_as(clip, layout_of(self.layouts, self.programme))


def layout_of(layouts: tuple[Layout, ...], programme: int | None) -> Layout:
    """The layout of a programme."""
    return next((x for x in layouts if x.programme == programme), layouts[0])


def read_as(clip: Clip, layout: Layout, before: Layout | None = None) -> Clip:
    """A clip as one of its programmes is read, with that one's length and remarks in place of those of another."""
    general = [p for p in clip.problems if before is None or p not in before.problems]
    return replace(clip, duration_s=layout.duration_s, programme=layout.programme, problems=(*general, *layout.problems))


def describe(source: Source) -> Contents:
    """Open the source once, read its first packets and say what is in it.

    Raises:
        MediaError: it cannot be opened or nothing in it can be decoded.
    """
    if still.is_still(source):
        name, picture, found_tags, remarks = still.describe(source)
        return Contents(name, (picture,), found_tags, remarks, (Layout(0.0),))
    with open_container(source) as container:
        origin_s = (container.start_time or 0) / av.time_base
        streams, problems = _try_streams(container, list_streams(container, origin_s))
        wanted = [s for s in streams if s.kind in ("audio", "video") and not s.attached_picture]
        if not any(s.decodable for s in wanted):
            raise MediaError(_nothing_decodable(source, wanted, problems))
        tags = _tags(container, streams, embedded.tags(source))
        name = container.format.name
        ids = {s.index: s.id for s in container.streams}
        said = [s.duration_s for s in streams if s.duration_s] + [max(0, container.duration or 0) / av.time_base]
    duration_s = max(said)
    if name in _GUESSED_LENGTH:
        duration_s = max(duration_s, _measured_duration_s(source, origin_s))
    elif not 0 < duration_s <= MAX_DURATION_S:
        problems.append("The file does not say how long it is; its length was measured from its packets.")
        duration_s = _measured_duration_s(source, origin_s)
    found = lay_out(source, name, streams, ids, Layout(origin_s, None, duration_s or None))
    streams = silent_tracks(source, found.streams, found.layouts)
    chosen = _main_programme(found.programmes, streams)
    layouts = tuple(_remarked(x, streams, found.programmes, chosen) for x in found.layouts)
    problems.extend(_one_channel(source, streams, found.layouts))
    return Contents(name, streams, tags, tuple(problems), layouts, found.programmes, chosen)


def _main_programme(programmes: tuple[Programme, ...], streams: tuple[Stream, ...]) -> int | None:
    """The first programme with sound and pictures; without one the first with pictures, else the first with anything."""

    def rank(p: Programme) -> tuple[bool, bool, bool]:
        kinds = {s.kind for s in streams if s.index in p.streams and s.decodable and not s.attached_picture}
        sounds = any(s.kind == "audio" and not s.silent for s in streams if s.index in p.streams and s.decodable)
        return "audio" not in kinds or "video" not in kinds, "video" not in kinds, not sounds

    return min(programmes, key=rank).number if programmes else None


def _remarked(layout: Layout, streams: tuple[Stream, ...], programmes: tuple[Programme, ...], chosen: int | None) -> Layout:
    """A layout that also says which programme and tracks are read, where there is something to choose."""
    remarks = list(layout.problems)
    clip = Clip("", "", 0, "", layout.duration_s, streams, programmes=programmes, programme=layout.programme)
    if programmes:
        this = next(p for p in programmes if p.number == layout.programme)
        others = ", ".join(p.label for p in programmes if p is not this)
        kinds = {s.kind for s in streams if s.index in this.streams and s.decodable}
        why = ", the first with sound and pictures" if this.number == chosen and {"audio", "video"} <= kinds else ""
        what = "Sound and pictures" if {"audio", "video"} <= kinds else "Pictures" if "video" in kinds else "Sound"
        remarks.append(f"{what} of programme {this.label}{why} are read; the file also holds programme {others}."
                       if what != "Sound" else
                       f"Sound of programme {this.label} is read; the file also holds programme {others}.")  # fmt: skip
    for kind in ("audio", "video"):
        choice = clip.choice(kind)
        if choice is not None and choice.why:
            remarks.append(f"{kind.capitalize()} track {choice.stream.track} is the one read unless another is chosen, as "
                           f"{choice.why}.")  # fmt: skip
        elif choice is not None and choice.stream.aside and kind == "audio":
            remarks.append(f"Audio track {choice.stream.track}, the one read unless another is chosen, is {choice.stream.aside}.")
    return replace(layout, problems=tuple(shown(r, 400) for r in remarks))


def _try_streams(container: InputContainer, streams: list[Stream]) -> tuple[tuple[Stream, ...], list[str]]:
    """Decode until every track has given a frame: only then is it known to be decodable, and how it is rotated."""
    tried = [s for s in streams if s.kind in ("audio", "video") and not s.attached_picture]
    hopeless = {s.index: problem for s in tried if (problem := _problem(s))}
    problems = [f"{s.kind.capitalize()} track {s.track} {hopeless[s.index]}." for s in tried if s.index in hopeless]
    by_index = {s.index: replace(s, decodable=False) if s.index in hopeless else s for s in streams}
    pending = {s.index for s in tried if s.index not in hopeless}
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
                if isinstance(frame, av.VideoFrame):
                    by_index[index] = replace(s, rotation_deg=-frame.rotation % 360)
            fed += 1
            if not pending or fed >= _TRIAL_PACKETS:
                ended = not pending
                break
    except (av.error.FFmpegError, OSError, ValueError, IndexError):
        pass
    if ended or len(pending) == sum(s.kind in ("audio", "video") for s in streams):
        for index in sorted(pending):
            by_index[index] = replace(by_index[index], decodable=False)
            problems.append(f"{by_index[index].kind.capitalize()} track {by_index[index].track} holds nothing decodable.")
    return tuple(by_index[s.index] for s in streams), problems


def _problem(s: Stream) -> str:
    """Why a track is not tried at all, a clause; "" where it is."""
    if not s.decodable:
        return "is in a codec that this program cannot decode"
    if s.kind == "video" and is_too_large(s.width_px or 0, s.height_px or 0):
        return f"is {s.width_px}×{s.height_px} px, beyond {MAX_SIDE_PX:,} px a side or {MAX_PIXELS // 10**6} megapixels"
    if s.kind == "audio" and s.rate_hz and not RATE_RANGE_HZ[0] <= s.rate_hz <= RATE_RANGE_HZ[1]:
        return f"claims {s.rate_hz:,} samples a second, which no recorder makes"
    return ""


def _first_frame(packet: Packet) -> av.VideoFrame | av.AudioFrame | None:
    try:
        frames = packet.decode()
    except (av.error.FFmpegError, ValueError, MemoryError):
        return None
    return frames[0] if frames else None


def _one_channel(source: Source, streams: tuple[Stream, ...], layouts: tuple[Layout, ...]) -> list[str]:
    """Sentences on tracks of which one channel is heard, because the others would cancel it."""
    from engine.media import mixing

    several = [s for s in streams if s.kind == "audio" and s.decodable and (s.channels or 0) > 1][:_MIXES_LOOKED_AT]
    pieces = dict.fromkeys((s.track, piece) for s in several for layout in layouts for piece in layout.of(s.index))
    said = [text for track, piece in pieces for text in mixing.sentences(mixing.plan_of(source, piece), track)]
    return list(dict.fromkeys(said))


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
        except (av.error.FFmpegError, OSError, ValueError, IndexError):
            pass
    return end_s


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
