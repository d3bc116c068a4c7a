"""What is known of a file before anything is heard or seen in it, and the protocol by which it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SettingError

STILL_CONTAINERS = ("jpeg", "png", "webp", "heif", "tiff")  # files that hold one picture

# Names of dispositions (libavformat, AV_DISPOSITION_…) of tracks that stand beside the main one.
ASIDE = ("visual impaired", "descriptions", "hearing impaired", "comment", "karaoke", "lyrics", "clean effects", "non diegetic",
         "still image", "dependent", "captions", "metadata")  # fmt: skip
_ASIDE_TITLES = ("commentary", "audio description", "descriptive", "described video", "kommentar", "hörfilm", "audiodescription",
                 "commentaire", "clean effects", "isolated score", "m&e")  # fmt: skip
_NARRATION = ("nar", "qad")  # broadcasters' codes for audio description, where a language should stand (ETSI EN 300 468; D-Book)


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of time of a clip, in seconds from its start; end_s is exclusive.

    Raises:
        SettingError: the bounds are not finite, negative, or not in order.
    """

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.start_s) and np.isfinite(self.end_s)) or self.start_s < 0 or self.end_s <= self.start_s:
            raise SettingError(
                f"The interval {self.start_s:g} to {self.end_s:g} s is empty or negative; give a start and a later end."
            )

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    def overlaps(self, start_s: float, end_s: float) -> bool:
        """Whether the interval start_s to end_s shares any time with this one."""
        return start_s < self.end_s and end_s > self.start_s


@dataclass(frozen=True, slots=True)
class Stream:
    """One track of a container. What does not apply to its kind is None.

    Attributes:
        index: its number in the container.
        track: its number among the streams of its kind, from 1, as people count.
        kind: "audio", "video", "subtitle", "data" or "attachment".
        codec: decoder's name, "unknown" when none exists here.
        decodable: whether this program can decode it.
        attached_picture: a still cover image, not moving pictures.
        flags: what the container says the track is for ("comment", "visual impaired", "original", …).
        silent: no sound was found at the places tried; asked only where there are several tracks.
        still: one picture, not moving ones, though not marked as a cover.
    """

    index: int
    track: int
    kind: str
    codec: str
    duration_s: float | None = None
    language: str | None = None
    title: str | None = None
    default: bool = False
    decodable: bool = True
    rate_hz: int | None = None
    channels: int | None = None
    layout: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    fps: float | None = None
    rotation_deg: int = 0
    variable_fps: bool = False
    attached_picture: bool = False
    flags: tuple[str, ...] = ()
    silent: bool = False
    still: bool = False

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Stream:
        """A stream of its facts, as `dataclasses.asdict` gives them."""
        return cls(**{**facts, "flags": tuple(str(f) for f in facts.get("flags", ()))})

    @property
    def aside(self) -> str:
        """Why this is hardly the main track of its kind, in words that follow "track 1 is"; "" when nothing says so."""
        if self.silent:
            return "silent"
        if self.still:
            return "a still picture"
        flag = next((f for f in ASIDE if f in self.flags), None)
        if flag is not None:
            return f"flagged “{flag}”"
        title = (self.title or "").casefold()
        said = next((w for w in _ASIDE_TITLES if w in title), None)
        return f"called “{said}”" if said else ("narration" if self.language in _NARRATION else "")


@dataclass(frozen=True, slots=True)
class Programme:
    """One of several programmes in a transport stream.

    Attributes:
        number: as the stream numbers it.
        name: as the stream names it; hostile text, or None.
        streams: indices of its tracks.
    """

    number: int
    name: str | None
    streams: tuple[int, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Programme:
        """A programme of its facts, as `dataclasses.asdict` gives them."""
        return cls(int(facts["number"]), facts["name"], tuple(int(i) for i in facts["streams"]))

    @property
    def label(self) -> str:
        """Its number and name."""
        return f"{self.number} ({self.name})" if self.name else str(self.number)


@dataclass(frozen=True, slots=True)
class Choice:
    """The track of a kind that is read, and why it is that one; "" where nothing had to be weighed."""

    stream: Stream
    why: str = ""


@dataclass(frozen=True, slots=True)
class Clip:
    """A file, as data only.

    Attributes:
        path: where it was opened.
        sha256: hex digest of all its bytes.
        size_bytes: its length.
        container: demuxer's name ("mov,mp4,…").
        duration_s: the longest of what container and streams say, or None when nobody says.
        streams: its tracks in container order.
        tags: container tags as (key, value), as found; hostile text.
        problems: what was wrong with it, in sentences, found when it was opened.
        programmes: those of a transport stream that holds several; empty elsewhere.
        programme: number of the one that is read; its tracks alone are `audio_tracks` and `video_tracks`.
        beside: (name, sha256) of another file that is read with it: a still picture beside a sound.
    """

    path: str
    sha256: str
    size_bytes: int
    container: str
    duration_s: float | None
    streams: tuple[Stream, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    programmes: tuple[Programme, ...] = ()
    programme: int | None = None
    beside: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Clip:
        """A clip of its facts, as `dataclasses.asdict` gives them."""
        return cls(
            **{
                **facts,
                "streams": tuple(Stream.of(s) for s in facts["streams"]),
                "tags": tuple((str(k), str(v)) for k, v in facts["tags"]),
                "problems": tuple(str(p) for p in facts["problems"]),
                "programmes": tuple(Programme.of(p) for p in facts.get("programmes", ())),
                "beside": tuple((str(n), str(h)) for n, h in facts.get("beside", ())),
            }
        )

    @property
    def is_still(self) -> bool:
        """Whether the file is a still picture: one frame, no sound, no length."""
        return self.container in STILL_CONTAINERS

    @property
    def has_one_picture(self) -> bool:
        """Whether all there is to see is one still picture, alone or beside a sound."""
        return self.is_still or bool(self.beside)

    @property
    def audio_tracks(self) -> tuple[Stream, ...]:
        """Those of the programme that is read; each keeps its number in the file."""
        return tuple(s for s in self._own if s.kind == "audio")

    @property
    def video_tracks(self) -> tuple[Stream, ...]:
        """Those of the programme that is read, without covers."""
        return tuple(s for s in self._own if s.kind == "video" and not s.attached_picture)

    @property
    def _own(self) -> tuple[Stream, ...]:
        own = next((p.streams for p in self.programmes if p.number == self.programme), None)
        return tuple(s for s in self.streams if own is None or s.index in own)

    def programme_of(self, stream: Stream) -> Programme | None:
        """The programme a track belongs to: the one that is read, if it does; None where there are not several."""
        own = [p for p in self.programmes if stream.index in p.streams]
        return next((p for p in own if p.number == self.programme), own[0] if own else None)

    def choice(self, kind: str) -> Choice | None:
        """The track that is read unless another is asked for: of the programme chosen, decodable, not silent, not a commentary
        or another service beside the main one, marked as default, first. None when there is none.

        Args:
            kind: "audio" or "video".
        """
        tracks = self.audio_tracks if kind == "audio" else self.video_tracks
        usable = [s for s in tracks if s.decodable]
        if not usable:
            return None
        originals = any("original" in s.flags for s in usable)
        chosen = min(
            usable,
            key=lambda s: (s.silent or s.still, bool(s.aside), originals and "dub" in s.flags, not s.default),
        )
        usual = next((s for s in usable if s.default), usable[0])
        if chosen is usual:
            return Choice(chosen)
        because = usual.aside or "dubbed"
        return Choice(chosen, f"track {usual.track} is {because}")


@dataclass(frozen=True, slots=True, eq=False)
class AudioBlock:
    """Consecutive mono samples: samples (n,) float32 in -1..1 at rate_hz, the first at start_s."""

    start_s: float
    rate_hz: int
    samples: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One upright picture: rgb (height, width, 3) uint8, shown at time_s."""

    time_s: float
    rgb: NDArray[np.uint8] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One uninterrupted take, as far as the picture shows.

    Attributes:
        start_s: time of its first frame.
        end_s: where the next shot starts, or the end of the interval looked at; exclusive.
        frame_times_s: one or more times inside it at which a frame stands for it, at key frames where there are any: they are
            reached without decoding others, and are the sharpest.
        look: (n,) float32 of unit length: square roots of a histogram of colours, so that the product of two shots' looks is
            their Bhattacharyya coefficient; None when no frame of it was seen.
    """

    start_s: float
    end_s: float
    frame_times_s: tuple[float, ...]
    look: NDArray[np.float32] | None = field(default=None, repr=False)

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def interval(self) -> Interval:
        return Interval(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True, eq=False)
class Ambience:
    """How loud the background of a track is, band by band, as time goes by.

    Attributes:
        start_s: clip time at which the first step starts.
        step_s: length of a step.
        levels_db: (steps, bands) level of the quiet moments of each step in each band, dB; digital silence is the floor.
    """

    start_s: float
    step_s: float
    levels_db: NDArray[np.float32] = field(repr=False)

    def between(self, start_s: float, end_s: float) -> NDArray[np.float32] | None:
        """(bands,) median level of the steps whose middle lies in an interval; None where there are none."""
        middle = self.start_s + (np.arange(len(self.levels_db)) + 0.5) * self.step_s
        inside = (middle >= start_s) & (middle < end_s)
        return np.median(self.levels_db[inside], axis=0).astype(np.float32) if inside.any() else None


@runtime_checkable
class Reader(Protocol):
    """Reads a clip's audio and frames in blocks; implemented in `media`, handed to clues.

    A reader counts what it had to skip in `skipped` ("audio" and "video" packets) while it reads.
    """

    clip: Clip
    skipped: dict[str, int]

    def audio(
        self, rate_hz: int, interval: Interval | None = None, track: int | None = None, block_s: float = 10.0
    ) -> Iterator[AudioBlock]:
        """Mono audio at rate_hz in blocks of about block_s; gaps are filled with zeros so that time stays true.

        Args:
            track: number among the audio tracks, from 1; None takes the main one (see Clip.choice).

        Raises:
            MediaError: there is no such track or nothing in it can be decoded.
        """
        ...

    def frames(
        self,
        times_s: Iterable[float] | None = None,
        interval: Interval | None = None,
        max_side_px: int | None = None,
        track: int | None = None,
    ) -> Iterator[Frame]:
        """Upright frames: those nearest the given times (in order), or all of the interval.

        Raises:
            MediaError: there is no such track or nothing in it can be decoded.
        """
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
