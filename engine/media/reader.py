"""`open_clip`: a path to a `Clip` and its `Reader`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Self

from engine.core.clip import AudioBlock, Clip, Frame, Interval, Stream
from engine.core.errors import MediaError, SettingError
from engine.core.progress import ProgressCallback, silent
from engine.core.settings import Settings
from engine.media import audio, picture, still
from engine.media.container import RATE_RANGE_HZ, open_container, packets
from engine.media.contents import describe, layout_of, read_as
from engine.media.piece import Layout
from engine.media.shots import Seen, Watcher, walk
from engine.media.source import Source, shown

_LARGEST_RAW_BYTES = 1_000_000


class FileReader:
    """Reads one file; implements `core.Reader`. Made by `open_clip`; a context manager.

    Any number of `audio` and `frames` iterators may run side by side, also in threads: each has its own decoder.

    Attributes:
        clip: what is known of the file.
        skipped: counts while reading, over all iterators: "audio" and "video" packets that could not be decoded, and
            "clock" for jumps in time that were not followed.
    """

    def __init__(self, source: Source, clip: Clip, layouts: tuple[Layout, ...]) -> None:
        self.clip = clip
        self.skipped: dict[str, int] = {"audio": 0, "video": 0}
        self._source = source
        self._layouts = layouts
        self._layout = layout_of(layouts, clip.programme)

    def of_programme(self, programme: int | str | None, track: int | None = None) -> Self:
        """The reader of another programme of the file, on the same open file: itself when it is that one.

        Args:
            programme: its number or its name; None takes that of the audio track, else the one read now.
            track: audio track from 1, or None.

        Raises:
            SettingError: there is no such programme, or the track belongs to another one.
        """
        number = _programme(self.clip, programme, track)
        if number == self.clip.programme:
            return self
        return self._alike(read_as(self.clip, layout_of(self._layouts, number), self._layout))

    def _alike(self, clip: Clip) -> Self:
        return type(self)(self._source, clip, self._layouts)

    def audio(
        self, rate_hz: int, interval: Interval | None = None, track: int | None = None, block_s: float = 10.0
    ) -> Iterator[AudioBlock]:
        """See core.Reader. At most about two blocks are held at a time.

        Raises:
            MediaError: there is no such track or nothing in it can be decoded.
            SettingError: the rate or block length is invalid.
        """
        if not RATE_RANGE_HZ[0] <= rate_hz <= RATE_RANGE_HZ[1]:
            raise SettingError(f"Audio at {rate_hz:,} Hz cannot be made; ask for 2,000 to 1,000,000 Hz.")
        if not 0.01 <= block_s <= 600:
            raise SettingError(f"A block of {block_s:g} s cannot be made; ask for 0.01 to 600 s.")
        return self._read_audio(self._stream("audio", track), rate_hz, interval, block_s)

    def frames(
        self,
        times_s: Iterable[float] | None = None,
        interval: Interval | None = None,
        max_side_px: int | None = None,
        track: int | None = None,
    ) -> Iterator[Frame]:
        """See core.Reader. Times beyond the end give the last frame; given both times and interval, times outside it
        are left out.

        Raises:
            MediaError: there is no such track, nothing in it can be decoded, or its frames are too large.
            SettingError: a time is negative or not finite, or max_side_px is not positive.
        """
        if max_side_px is not None and max_side_px < 1:
            raise SettingError(f"A picture of {max_side_px} px cannot be made; ask for at least 1 px a side.")
        if times_s is not None and interval is not None:
            times_s = [t for t in times_s if interval.start_s <= t < interval.end_s]
        return self._read_frames(self._stream("video", track), times_s, interval, max_side_px)

    def _read_audio(self, stream: Stream, rate_hz: int, interval: Interval | None, block_s: float) -> Iterator[AudioBlock]:
        return audio.read_audio(self._source, self._layout.of(stream.index), rate_hz, interval, block_s, self.skipped)

    def _read_frames(
        self, stream: Stream, times_s: Iterable[float] | None, interval: Interval | None, max_side_px: int | None
    ) -> Iterator[Frame]:
        if self.clip.is_still:
            return self._still(times_s, max_side_px)
        if times_s is None:
            return picture.read_all(self._source, self._layout.of(stream.index), interval, max_side_px, self.skipped)
        return picture.read_at(self._source, self._layout.of(stream.index), times_s, max_side_px, self.skipped)

    def _still(self, times_s: Iterable[float] | None, max_side_px: int | None) -> Iterator[Frame]:
        """The one frame there is, once for every time asked for."""
        only = still.frame(self._source, max_side_px)
        for _ in (0.0,) if times_s is None else times_s:
            yield only

    def walk(
        self,
        interval: Interval | None,
        track: int | None,
        only_keys: bool,
        watcher: Watcher | None = None,
        sizes: list[tuple[float, int]] | None = None,
    ) -> Iterator[Seen]:
        """Frames as `shots` looks at them; see shots.walk.

        Raises:
            MediaError: there is no such track or nothing in it can be decoded.
        """
        pieces = self._layout.of(self._stream("video", track).index)
        return walk(self._source, pieces, interval, only_keys, watcher.wants if watcher else None, sizes)

    def raw_packets(self, index: int) -> Iterator[tuple[float, bytes]]:
        """(clip time, bytes) of the packets of one stream as they are in the file, for tracks that are no sound or
        picture; packets above a megabyte are left out."""
        (piece, *_) = self._layout.of(index)
        with open_container(self._source, piece.ranges) as container:
            for packet in packets(container, piece.index, self.skipped):
                if 0 < packet.size <= _LARGEST_RAW_BYTES:
                    at_s = 0.0 if packet.pts is None else float(packet.pts * packet.time_base) - piece.origin_s
                    yield max(0.0, at_s), bytes(packet)

    def origin(self) -> list[tuple[str, str, str]]:
        """(name, what, what it is worth) of what the file tells of its making; see origin.facts."""
        from engine.media import origin

        return origin.facts(self._source, self.clip)

    def verify_unchanged(self, progress: ProgressCallback = silent) -> None:
        """Hash the file at the path again.

        Raises:
            MediaError: it is gone or no longer the same.
        """
        self._source.verify_unchanged(progress)

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stream(self, kind: str, track: int | None) -> Stream:
        """The track asked for; else the main one (see Clip.choice)."""
        tracks = self.clip.audio_tracks if kind == "audio" else self.clip.video_tracks
        noun, thing = ("audio", "sound") if kind == "audio" else ("video", "pictures")
        if not tracks:
            raise MediaError(f"{self._source.name} has no {thing}; choose a clip with {thing}.")
        if track is not None:
            chosen = next((s for s in tracks if s.track == track), None)
            if chosen is None:
                numbers = ", ".join(str(s.track) for s in tracks)
                raise MediaError(f"{self._source.name} has no {noun} track {track}; choose one of {numbers}.")
            if not chosen.decodable:
                raise MediaError(f"The {noun} track {track} of {self._source.name} cannot be decoded; choose another track.")
            return chosen
        choice = self.clip.choice(kind)
        if choice is None:
            raise MediaError(
                f"The {thing} of {self._source.name} cannot be decoded; convert the clip to H.264 and AAC in MP4, or copy "
                "it again from the source."
            )
        return choice.stream


def _programme(clip: Clip, asked: int | str | None, track: int | None) -> int | None:
    """Number of the programme asked for by number or name, or by an audio track of it."""
    stream = next((s for s in clip.streams if s.kind == "audio" and s.track == track), None) if track is not None else None
    own = clip.programme_of(stream) if stream is not None else None
    if asked is None:
        return own.number if own is not None else clip.programme
    wanted = str(asked).strip().casefold()
    found = [p for p in clip.programmes if str(p.number) == wanted] or [
        p for p in clip.programmes if (p.name or "").casefold() == wanted
    ]
    if not found:
        there = ", ".join(p.label for p in clip.programmes)
        raise SettingError(
            f"There is no programme {shown(str(asked), 60)}; choose one of {there}."
            if there
            else f"There is no programme {shown(str(asked), 60)}: the file holds one programme only; leave it out."
        )
    if stream is not None and clip.programmes and stream.index not in found[0].streams:
        raise SettingError(f"Audio track {track} is not of programme {found[0].label}; choose one of that programme.")
    return found[0].number


def open_clip(path: str | os.PathLike[str], progress: ProgressCallback = silent, settings: Settings | None = None) -> FileReader:
    """Open a video or audio file for reading: hashed, described, tried.

    Args:
        path: a regular file; the original is opened read-only and never written.
        progress: called while hashing; may raise Cancelled.
        settings: which programme is read where there are several; None takes the main one.

    Raises:
        MediaError: the file cannot be opened, is no recording, or nothing in it can be decoded.
    """
    source = Source(path)
    source.open()
    try:
        contents = describe(source)
        source.hash(progress)
        reader = FileReader(source, contents.clip(source), contents.layouts)
        return reader if settings is None else reader.of_programme(settings.programme, settings.track)
    except BaseException:
        source.close()
        raise
