"""A place chosen by the analyst among those that a sign may mean.

The reading gives every place of a name with its share; a person who knows which Springfield is meant says so, and that line then
means this place alone. The chance that the sign speaks of here at all is that of a name with a title to it (`ABOUT`), times the
confidence stated: a choice says what the name means, not that the sign stands there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.clues.text import fold, sign
from engine.clues.text.reading import Reading, Spot
from engine.core import sphere
from engine.world import places

ABOUT = 0.96
SAME_KM = 20.0
MOST_CHOICES = 12
_SPREAD_KM = 5.0


@dataclass(frozen=True, slots=True)
class Meaning:
    """A place that a text may mean: its name, degrees, and its share among the places of that name."""

    name: str
    lat_deg: float
    lon_deg: float
    share: float


def meanings(text: str) -> tuple[tuple[str, ...], tuple[Meaning, ...]]:
    """What a text reads as, in words (surest first), and the places that its surest name may mean, likeliest first."""
    found = sign.read((text,), (1.0,)) if text.strip() else ()
    notes = tuple(f"{r.note} (chance {r.chance:.2f})" for r in found)
    named = next((r for r in found if r.kind == "place" and r.spots), None)
    if named is None:
        return notes, ()
    likeliest = sorted(named.spots, key=lambda s: -s.share)[:MOST_CHOICES]
    return notes, tuple(Meaning(_called(named.text, s), s.lat_deg, s.lon_deg, s.share) for s in likeliest)


def _called(text: str, spot: Spot) -> str:
    """The place in words, with the name read where the gazetteer's neighbour is better known than the place itself."""
    there = places.describe(spot.lat_deg, spot.lon_deg).removeprefix("in ")
    return there if fold.squash(text) in fold.squash(there) else f"{text}, near {there}"


def narrowed(
    readings: Sequence[Reading], lines: Sequence[str], chosen: Mapping[str, tuple[float, float, float]]
) -> tuple[Reading, ...]:
    """Readings with the lines named in `chosen` (line → lat_deg, lon_deg, confidence) meaning that place alone."""
    out, kept = [], set()
    for r in readings:
        line = lines[r.line] if r.line >= 0 else ""
        if r.kind != "place" or line not in chosen:
            out.append(r)
            continue
        lat, lon, sure = chosen[line]
        near = [s for s in r.spots if sphere.distance_km(s.lat_deg, s.lon_deg, lat, lon) < SAME_KM]
        if near and line not in kept:
            kept.add(line)
            out.append(_meant(r, near[0], sure))
    for line, (lat, lon, sure) in chosen.items():
        if line in lines and line not in kept:
            own = Reading("place", line[:80], lines.index(line), "", 0.0)
            out.append(_meant(own, Spot(lat, lon, _SPREAD_KM, 1.0), sure))
    return tuple(sorted(out, key=lambda r: -r.chance))


def _meant(r: Reading, spot: Spot, sure: float) -> Reading:
    return replace(
        r, note="means a place, says the analyst", chance=max(r.chance, ABOUT * sure), spots=(replace(spot, share=1.0),)
    )
