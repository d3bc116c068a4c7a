"""A clip read through a child process, so that a decoder that crashes, hangs or runs wild is one sentence and no more.

The file is opened and hashed here; the child gets the descriptor (`child`, `decoder`), and its answers are looked at before they
are used (`answer`). A child serves one stream at a time and is used again for the next; streams side by side have a child each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from engine.core.clip import AudioBlock, Clip, Frame, Interval, Stream
from engine.core.errors import MediaError
from engine.core.progress import ProgressCallback, silent
from engine.core.settings import Settings
from engine.media import answer
from engine.media.child import Bound, Decoder, Pool, fenced
from engine.media.container import MAX_PIXELS
from engine.media.contents import Contents
from engine.media.piece import Layout
from engine.media.reader import FileReader
from engine.media.source import Source

if TYPE_CHECKING:
    from engine.media.shots import Seen, Watcher

T = TypeVar("T")
_PICTURE_INDEX = 10_000  # of a still's stream beside a sound: no container has so many
_NONSENSE = (KeyError, ValueError, TypeError, OverflowError, AttributeError, IndexError)


class GuardedReader(FileReader):
    """A FileReader whose decoding happens in children; made by `open_clip`."""

    def __init__(self, source: Source, clip: Clip, layouts: tuple[Layout, ...], pool: Pool) -> None:
        super().__init__(source, clip, layouts)
        self._pool = pool

    @property
    def name(self) -> str:
        """The file's own name, fit to be shown."""
        return self._source.name

    @property
    def network(self) -> str:
        """How the children are cut off from the network, in words."""
        return self._pool.network

    @property
    def protection(self) -> str:
        """How decoding this clip is fenced in, as its children said; "" before any ran."""
        return fenced(self._pool.network) if self._pool.network else ""

    def rest(self) -> None:
        """Nothing will be asked for a while: end what stands ready."""
        self._pool.rest()

    def close(self) -> None:
        self._pool.close()
        super().close()

    def _alike(self, clip: Clip) -> Self:
        return type(self)(self._source, clip, self._layouts, self._pool)

    def walk(
        self,
        interval: Interval | None,
        track: int | None,
        only_keys: bool,
        watcher: Watcher | None = None,
        sizes: list[tuple[float, int]] | None = None,
    ) -> Iterator[Seen]:

        asked = {
            "track": self._stream("video", track).track,
            "only_keys": only_keys,
            "sizes": sizes is not None,
            "every_s": watcher.every_s if watcher else None,
            "times_s": [float(t) for t in watcher.times_s] if watcher else [],
        }
        frame_bytes = 3 * MAX_PIXELS / watcher.every_s if watcher else 0.0
        bound = answer.bound_of(self.clip, interval, 1e6 * 16 + frame_bytes)

        def look(facts: dict[str, Any], payload: bytes) -> Seen | None:
            if facts["is"] != "sizes":
                return answer.seen(facts, payload)
            if sizes is None:
                raise ValueError("not asked for")
            sizes.extend(answer.sizes(payload))
            return None

        yield from self._answers(look, "walk", interval, bound, **asked)

    def raw_packets(self, index: int) -> Iterator[tuple[float, bytes]]:
        bound = answer.bound_of(self.clip, None, 0, at_once=20.0 * self.clip.size_bytes)  # Matroska may hold them deflated
        yield from self._answers(answer.packet, "packets", None, bound, index=index)

    def origin(self) -> list[tuple[str, str, str]]:
        return list(self._answers(answer.fact, "origin", None, answer.bound_of_opening(self.clip.size_bytes)))

    def _read_audio(self, stream: Stream, rate_hz: int, interval: Interval | None, block_s: float) -> Iterator[AudioBlock]:
        asked = {"rate_hz": rate_hz, "track": stream.track, "block_s": block_s}
        bound = answer.bound_of(self.clip, interval, 4.0 * rate_hz)
        yield from self._answers(lambda f, p: answer.audio_block(f, p, rate_hz), "audio", interval, bound, **asked)

    def _read_frames(
        self, stream: Stream, times_s: Iterable[float] | None, interval: Interval | None, max_side_px: int | None
    ) -> Iterator[Frame]:
        times = None if times_s is None else [float(t) for t in times_s]
        asked = {"times_s": times, "max_side_px": max_side_px, "track": stream.track}
        bound = answer.bound_of_frames(self.clip, None if times is None else len(times), interval, max_side_px)
        yield from self._answers(lambda f, p: answer.frame(f, p, max_side_px), "frames", interval, bound, **asked)

    def _answers(
        self, look: Callable[[dict[str, Any], bytes], T | None], task: str, interval: Interval | None, bound: Bound, **asked: Any
    ) -> Iterator[T]:
        """Answers to a request, each looked at; those that `look` keeps for itself are left out."""
        request = {"task": task, "clip": asdict(self.clip), "layout": asdict(self._layout), **asked}
        if interval is not None:
            request["interval"] = [interval.start_s, interval.end_s]
        with self._pool.decoder() as decoder:
            for facts, payload in decoder.ask(request, bound):
                try:
                    for kind, count in facts.get("skipped", {}).items():
                        self.skipped[str(kind)[:20]] = self.skipped.get(str(kind)[:20], 0) + int(count)
                    found = look(facts, payload) if facts["is"] != "skipped" else None
                except _NONSENSE:
                    raise decoder.wild() from None
                if found is not None:
                    yield found


class PairedReader(GuardedReader):
    """Reads the sound of one file and the still picture of another as one clip.

    That they belong together is the analyst's word. The clip is the sound's; the picture is named in it with its own hash, and is
    there for as long as the sound lasts.
    """

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


def open_clip(
    path: str | os.PathLike[str], progress: ProgressCallback = silent, settings: Settings | None = None
) -> GuardedReader:
    """Open a video or audio file for reading: hashed, described, tried; all decoding in a child process.

    Args:
        path: a regular file; the original is opened read-only and never written.
        progress: called while hashing; may raise Cancelled.
        settings: which programme is read where there are several; None takes the main one.

    Raises:
        MediaError: the file cannot be opened, is no recording, or nothing in it can be decoded.
    """
    source = Source(path)
    source.open()
    pool = Pool(source)
    try:
        with pool.decoder() as decoder:
            contents = _described(decoder, source.size_bytes)
        source.hash(progress)
        reader = GuardedReader(source, contents.clip(source), contents.layouts, pool)
        if settings is not None and settings.still is not None:
            reader = beside(reader, settings.still, progress)
        return reader if settings is None else reader.of_programme(settings.programme, settings.track)
    except BaseException:
        pool.close()
        source.close()
        raise


def beside(sound: GuardedReader, path: str | os.PathLike[str], progress: ProgressCallback = silent) -> PairedReader:
    """The reader of a sound with a picture beside it; closing it closes both.

    Raises:
        MediaError: the picture cannot be read, is none, or the sound has pictures of its own or no sound.
    """
    if sound.clip.video_tracks or not sound.clip.audio_tracks:
        raise MediaError(
            f"{sound.name} is not a sound alone; a picture can be put beside a recording without pictures, so give one or leave "
            "the picture out."
        )
    picture = open_clip(path, progress)
    try:
        if not picture.clip.is_still:
            raise MediaError(f"{picture.name} is not a still picture; give a JPEG, PNG, WebP, HEIC or TIFF.")
        return PairedReader(sound._source, _with_picture(sound.clip, picture), sound._layouts, sound._pool, picture)
    except BaseException:
        picture.close()
        raise


def _with_picture(sound: Clip, picture: GuardedReader) -> Clip:
    own = picture.clip
    track = sum(s.kind == "video" for s in sound.streams) + 1
    stream = replace(own.streams[0], index=_PICTURE_INDEX, track=track)
    named = f"{picture.name} (SHA-256 {own.sha256})"
    said = f"The picture is {named}, a file of its own: that it belongs to the sound is what the analyst says."
    return replace(
        sound,
        streams=(*sound.streams, stream),
        tags=(*sound.tags, *((f"video {track}/{key}", value) for key, value in own.tags)),
        problems=(*sound.problems, said, *own.problems[1:]),
        beside=((picture.name, own.sha256),),
    )


def _described(decoder: Decoder, size_bytes: int) -> Contents:
    found = [facts for facts, _ in decoder.ask({"task": "describe"}, answer.bound_of_opening(size_bytes))]
    try:
        (facts,) = found
        return answer.contents(facts["contents"])
    except _NONSENSE:
        raise decoder.wild() from None
