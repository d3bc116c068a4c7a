"""Where in a file a track's time lies: one piece for an ordinary file, several where recordings were joined.

Everything that reads sound or pictures takes its times from here, so that a moment of the clip is the same one for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A section of the file that a demuxer of its own reads.

    Attributes:
        index: the stream's number in the container as it is opened on this piece.
        origin_s: timestamp that is clip time 0; clip time is timestamp minus this.
        ranges: (first byte, byte after the last) of what the demuxer is given, in order; empty for the whole file.
        start_s: clip time at which the piece begins.
        end_s: clip time at which it ends; None where nothing follows that it could run into.
    """

    index: int
    origin_s: float
    ranges: Ranges = ()
    start_s: float = 0.0
    end_s: float | None = None

    def holds(self, time_s: float) -> bool:
        """Whether a frame of this piece may be shown at a clip time; what an earlier clock left behind in it may not."""
        before, after = (0.5, 0.5) if self.start_s > 0 or self.end_s is not None else (float("inf"), float("inf"))
        return time_s >= self.start_s - before and (self.end_s is None or time_s < self.end_s + after)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tracks of one programme lie.

    Attributes:
        origin_s: timestamp that is clip time 0, for all tracks without pieces of their own.
        programme: number of the programme; None where the file has but one.
        duration_s: how long it plays; None when nobody knows.
        pieces: (index of the stream in Clip.streams, its pieces in order of time) where that is not the whole file.
        problems: sentences on what is joined in it and what is left out.
    """

    origin_s: float
    programme: int | None = None
    duration_s: float | None = None
    pieces: tuple[tuple[int, tuple[Piece, ...]], ...] = ()
    problems: tuple[str, ...] = ()

    def of(self, index: int) -> tuple[Piece, ...]:
        """The pieces of a stream."""
        return next((found for number, found in self.pieces if number == index), (Piece(index, self.origin_s),))


def piece_at(pieces: tuple[Piece, ...], time_s: float) -> int:
    """Number of the piece that holds a clip time: the last that begins at or before it."""
    return max((n for n, p in enumerate(pieces) if p.start_s <= time_s), default=0)
