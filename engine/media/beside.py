"""A still picture beside a sound: two files read as one clip, whose sound is of the one and whose picture is of the other.

That they belong together is the analyst's word. The clip is the sound's; the picture is named in it with its own hash, and is
there for as long as the sound lasts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Self

from engine.core.clip import Clip, Frame, Interval, Stream
from engine.core.errors import MediaError
from engine.core.progress import ProgressCallback, silent
from engine.media.child import Pool
from engine.media.guard import GuardedReader
from engine.media.piece import Layout
from engine.media.source import Source

_INDEX = 10_000  # of the picture's stream: no container has so many


class PairedReader(GuardedReader):
    """Reads the sound of one file and the picture of another."""

    def __init__(self, source: Source, clip: Clip, layouts: tuple[Layout, ...], pool: Pool, picture: GuardedReader) -> None:
        super().__init__(source, clip, layouts, pool)
        self._picture = picture

    def origin(self) -> list[tuple[str, str, str]]:
        """Of both files, the sound's first."""
        return [
            (name, f"{of}: {what}", note)
            for of, found in (("sound", super().origin()), ("picture", self._picture.origin()))
            for name, what, note in found
        ]

    def rest(self) -> None:
        super().rest()
        self._picture.rest()

    def verify_unchanged(self, progress: ProgressCallback = silent) -> None:
        super().verify_unchanged(progress)
        self._picture.verify_unchanged(progress)

    def close(self) -> None:
        self._picture.close()
        super().close()

    def _alike(self, clip: Clip) -> Self:
        return type(self)(self._source, clip, self._layouts, self._pool, self._picture)

    def _read_frames(
        self, stream: Stream, times_s: Iterable[float] | None, interval: Interval | None, max_side_px: int | None
    ) -> Iterator[Frame]:
        """The one picture at every time asked for; once at the beginning of an interval."""
        times = [interval.start_s if interval else 0.0] if times_s is None else [float(t) for t in times_s]
        only = next(self._picture.frames([0.0], max_side_px=max_side_px))
        return (replace(only, time_s=t) for t in times)


def beside(sound: GuardedReader, path: str | os.PathLike[str], progress: ProgressCallback = silent) -> PairedReader:
    """The reader of a sound with a picture beside it; closing it closes both.

    Raises:
        MediaError: the picture cannot be read, is none, or the sound has pictures of its own or no sound.
    """
    from engine.media.guard import open_clip

    if sound.clip.video_tracks or not sound.clip.audio_tracks:
        raise MediaError(
            f"{sound.name} is not a sound alone; a picture can be put beside a recording without pictures, so give one or leave "
            "the picture out."
        )
    picture = open_clip(path, progress)
    try:
        if not picture.clip.is_still:
            raise MediaError(f"{picture.name} is not a still picture; give a JPEG, PNG, WebP, HEIC or TIFF.")
        return PairedReader(sound._source, _joined(sound.clip, picture), sound._layouts, sound._pool, picture)
    except BaseException:
        picture.close()
        raise


def _joined(sound: Clip, picture: GuardedReader) -> Clip:
    own = picture.clip
    track = sum(s.kind == "video" for s in sound.streams) + 1
    stream = replace(own.streams[0], index=_INDEX, track=track)
    named = f"{picture.name} (SHA-256 {own.sha256})"
    said = f"The picture is {named}, a file of its own: that it belongs to the sound is what the analyst says."
    return replace(
        sound,
        streams=(*sound.streams, stream),
        tags=(*sound.tags, *((f"video {track}/{key}", value) for key, value in own.tags)),
        problems=(*sound.problems, said, *own.problems[1:]),
        beside=((picture.name, own.sha256),),
    )
