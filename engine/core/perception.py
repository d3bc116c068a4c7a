"""All that was perceived in one stretch of a clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.core.clip import Ambience, Clip, Interval, Shot
from engine.core.observation import Observation


@dataclass(frozen=True, slots=True, eq=False)
class Perception:
    """All that was heard, read and seen in one stretch of a clip: made once, scored as often as the analyst likes.

    Attributes:
        clip: the file.
        interval: the stretch perceived.
        observations: from all clues, in order of time within each clue.
        silent: clue name to the reason why it perceived nothing ("the clip has no sound").
        models: ids of the models that ran.
        skipped: packets that could not be decoded, by kind.
        elapsed_s: wall-clock seconds by clue, and for finding the shots.
        shots: takes of the picture in order, covering the stretch; empty without pictures.
        ambience: the background of the sound, or None without sound.
        failed: clue name ("shots" and "background" among them) to a sentence that says why it failed, so that another try may
            go otherwise; what cannot be perceived whoever tries is in `silent` alone.
        decoding: how decoding was fenced in, in a sentence, or "" where nobody knows.
    """

    clip: Clip
    interval: Interval
    observations: tuple[Observation, ...] = field(repr=False)
    silent: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    elapsed_s: Mapping[str, float] = field(default_factory=dict)
    shots: tuple[Shot, ...] = field(default=(), repr=False)
    ambience: Ambience | None = field(default=None, repr=False)
    failed: Mapping[str, str] = field(default_factory=dict)
    decoding: str = ""

    def within(self, interval: Interval | None) -> Perception:
        """What was perceived in a stretch: observations whose middle lies in it, none longer than it, and the shots it shares
        time with.
        """
        if interval is None or interval == self.interval:
            return self
        low, high = interval.start_s, interval.end_s
        inside = (o for o in self.observations if low <= (o.start_s + o.end_s) / 2 < high or _timeless(o))
        kept = tuple(o if o.end_s <= high else replace(o, end_s=high) for o in inside)
        shots = tuple(s for s in self.shots if interval.overlaps(s.start_s, s.end_s))
        return replace(self, interval=interval, observations=kept, shots=shots)

    def adding(self, observations: tuple[Observation, ...]) -> Perception:
        """The same with further observations at its end."""
        return replace(self, observations=self.observations + observations)


def _timeless(o: Observation) -> bool:
    """Whether it speaks of the file as a whole: a tag without a time of its own."""
    return o.kind == "tag" and o.start_s == 0.0 and o.end_s == 0.0
