"""Observations gathered by what they are: one entry per species, sound or sign, however often it was perceived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.core.edit import counts
from engine.core.finding import Finding
from engine.core.observation import Observation

HEARD_SCORE = 0.1  # a window counts as "heard" from here on; weaker scores still enter the likelihood

_FAINT = 5


@dataclass(frozen=True, slots=True, eq=False)
class Perceived:
    """All observations of one thing.

    Attributes:
        key: Observation.key, shared by all of them.
        best: the one with the highest score.
        observations: all of them, in order of time.
        spans: (start_s, end_s) of those that reach HEARD_SCORE (else of the best one), overlapping ones joined.
        dropped: the analyst left it out of the scoring.
        added: it comes from the analyst (or a table read in) alone.
    """

    key: str
    best: Observation
    observations: tuple[Observation, ...] = field(repr=False)
    spans: tuple[tuple[float, float], ...]
    dropped: bool
    added: bool

    @property
    def title(self) -> str:
        """The everyday name, or the label where there is none."""
        return self.best.name or self.best.label

    @property
    def confirmed(self) -> float:
        """The confidence with which an analyst stands for it, 0 when nobody does."""
        return max((o.score for o in self.observations if o.by_analyst), default=0.0)

    @property
    def windows(self) -> int:
        """How many observations reach HEARD_SCORE, at least one; what an analyst confirms is not heard twice."""
        own = [o for o in self.observations if not o.by_analyst] or self.observations
        return max(1, sum(o.score >= HEARD_SCORE for o in own))


def gather(finding: Finding) -> tuple[Perceived, ...]:
    """Everything perceived or added by the analyst, best score first."""
    settings = finding.settings
    by_key: dict[str, list[Observation]] = defaultdict(list)
    for o in finding.perception.observations:
        by_key[o.key].append(o)
    struck = {key for key, own in by_key.items() if not any(counts(o, settings) for o in own)}
    added = {o.key for o in settings.added}
    for key in added & struck:  # what was put in stands in the place of what was struck
        by_key[key] = []
    perceived = {key for key, own in by_key.items() if own}
    end_s = finding.clip.duration_s
    for o in settings.added:
        by_key[o.key].append((o.within(0.0, end_s) or o) if end_s else o)
    return tuple(
        sorted(
            (_gathered(key, own, key in struck - added, key in added - perceived) for key, own in by_key.items()),
            key=lambda p: (-p.best.score, p.key),
        )
    )


def clear(perceived: Iterable[Perceived], *kinds: str) -> tuple[Perceived, ...]:
    """Those of these kinds worth listing: heard clearly in at least one window, or touched by the analyst."""
    return tuple(p for p in perceived if p.best.kind in kinds and (p.best.score >= HEARD_SCORE or p.dropped or p.added))


def species_behind(finding: Finding, perceived: tuple[Perceived, ...]) -> tuple[Perceived, ...]:
    """The species to be listed: those heard clearly; where none was but the sound speaks, the few faint ones it rests on."""
    found = clear(perceived, "species")
    sound = finding.by("sound")
    if found or sound is None or not sound.spoke:
        return found
    return tuple(p for p in perceived if p.best.kind == "species")[:_FAINT]


def _gathered(key: str, own: list[Observation], dropped: bool, added: bool) -> Perceived:
    best = max([o for o in own if not o.by_analyst] or own, key=lambda o: o.score)
    ordered = tuple(sorted(own, key=lambda o: (o.start_s, o.end_s)))
    heard = [(o.start_s, o.end_s) for o in ordered if o.score >= HEARD_SCORE] or [(best.start_s, best.end_s)]
    return Perceived(key, best, ordered, _joined(heard), dropped, added)


def _joined(spans: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    out = [spans[0]]
    for start, end in spans[1:]:
        if start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return tuple(out)
