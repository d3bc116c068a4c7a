"""Where each modality points as time goes by: every shot and every few seconds of sound, on a coarse map, fast enough to redraw.

It is for looking: an inserted soundtrack shows as a jump, a film that travels as steps. The verdict never uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

import numpy as np

from engine.analysis.judge import scenes
from engine.clues import registry
from engine.core import edit, sphere
from engine.core.clip import Interval
from engine.core.evidence import Clue, Evidence
from engine.core.finding import Finding
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.core.posterior import Posterior, Prior
from engine.core.settings import Settings
from engine.core.timeline import Moment, Timeline
from engine.verdict import fuse
from engine.world import countries, places, priors
from engine.world.grid import world_grid

SOUND_S = 3.0  # shortest interval of sound
MOST_SPANS = 120
MOST_SHOTS = 400
COARSE_RESOLUTION = 2  # H3, about 180 km edges
HEARD_TOGETHER_S = 12.0  # of sound are judged together
MOST_FINE = 40  # different signs up to which they are placed on the world's grid, not the coarse one
NEAR_KM = 300.0  # the place named has most probability within this of it
MOST_LABELS = 3
LISTED_SCORE = 0.1


def timeline_of(finding: Finding) -> Timeline:
    """Moments of the finding's interval under its settings.

    The distances are taken to where the picture points as a whole, else to where the sound does.
    """
    spoke = [x for name in ("picture", "sound", "both") if (x := finding.by(name)) is not None and x.spoke]
    to = spoke[0].place if spoke else None
    at = (to.lat_deg, to.lon_deg) if to else None
    moments = [*_moments(finding, "sound", _parts_of_sound(finding), at), *_moments(finding, "picture", _shots(finding), at)]
    return Timeline(
        moments=tuple(sorted(moments, key=lambda m: (m.start_s, m.modality))),
        reference=f"where the {spoke[0].modality} points: {to.name}" if to else "",
        lat_deg=to.lat_deg if to else 0.0,
        lon_deg=to.lon_deg if to else 0.0,
        cuts_s=tuple(s.start_s for s in finding.shots if s.start_s > finding.interval.start_s),
        scenes_s=tuple(s.start_s for s in scenes(finding.perception)[1:]),
    )


def _moments(finding: Finding, modality: str, parts: Sequence[Interval], to: tuple[float, float] | None) -> Iterator[Moment]:
    """What a modality says in each part; parts in which the same is perceived are judged once."""
    settings = finding.settings
    # What says nothing of the one place of a scene says nothing in a part of it.
    mute = finding.scenes < 2 and (judged := finding.by(modality)) is not None and not judged.spoke
    clues = [c for c in registry.clues(settings) if c.modality == modality and _counts(c.name, settings)]
    own = _read_by(clues, finding)
    fine = modality == "picture" and len({o.key for o in own}) <= MOST_FINE
    prior = priors.prior(settings.prior, world_grid() if fine else coarse_grid())
    starts = np.array([o.start_s for o in own])
    known: dict[tuple[tuple[str, float], ...], Moment] = {}
    for part in parts:
        around = _around(part, finding.interval) if modality == "sound" else part
        inside = [o for o in own[: int(np.searchsorted(starts, around.end_s))] if _within(o, around)]
        key = tuple(sorted((o.key, o.score) for o in inside if o.kind != "sound"))
        if key not in known:
            fed = [(c, own_of) for c in clues if not mute and (own_of := _of(c.reads, inside))]
            evidence = tuple(c.log_likelihood(own_of, prior.grid, settings.when) for c, own_of in fed)
            known[key] = _moment(modality, evidence, prior, settings, to)
        yield _dated(known[key], part, inside)


def _read_by(clues: Sequence[Clue], finding: Finding) -> list[Observation]:
    """The observations that these clues score, in order of time, with the analyst's edits."""
    reads = {c.reads for c in clues}
    counted = edit.counting(finding.perception, finding.settings)
    return sorted((o for o in counted if o.kind != "tag" and o.clue in reads), key=lambda o: o.start_s)


@cache
def coarse_grid() -> Grid:
    """Of the world cells of each coarse cell the one where most observers are: a coarse map whose cells all tables know."""
    world = world_grid()
    mass = priors.prior("mixture", world).log_mass
    order = np.lexsort((-mass, world.parents(COARSE_RESOLUTION)))
    parents = world.parents(COARSE_RESOLUTION)[order]
    first = np.concatenate([[True], parents[1:] != parents[:-1]])
    return Grid.of(np.sort(world.cells[order[first]]))


def _parts_of_sound(finding: Finding) -> list[Interval]:
    if not finding.clip.audio_tracks:
        return []
    whole = finding.interval
    count = max(1, round(whole.length_s / max(SOUND_S, whole.length_s / MOST_SPANS)))
    edges = np.linspace(whole.start_s, whole.end_s, count + 1)
    return [Interval(float(a), float(b)) for a, b in pairwise(edges)]


def _shots(finding: Finding) -> list[Interval]:
    whole = finding.interval
    parts = [(max(s.start_s, whole.start_s), min(s.end_s, whole.end_s)) for s in finding.shots]
    parts = [(a, b) for a, b in parts if b > a]
    if not parts and finding.clip.video_tracks:
        parts = [(whole.start_s, whole.end_s)]
    step = -(-len(parts) // MOST_SHOTS) if parts else 1
    return [Interval(group[0][0], group[-1][1]) for i in range(0, len(parts), step) if (group := parts[i : i + step])]


def _around(part: Interval, whole: Interval) -> Interval:
    """An interval of sound with its neighbourhood: three seconds alone say little of a place."""
    more = max(0.0, (HEARD_TOGETHER_S - part.length_s) / 2)
    return Interval(max(whole.start_s, part.start_s - more), min(whole.end_s, part.end_s + more))


def _counts(clue: str, settings: Settings) -> bool:
    spec = registry.spec(clue)
    return clue not in settings.left_out and (spec is None or spec.scored(settings.included))


def _within(o: Observation, part: Interval) -> bool:
    return part.overlaps(o.start_s, o.end_s) if o.end_s > o.start_s else part.start_s <= o.start_s < part.end_s


def _of(clue: str, observations: Sequence[Observation]) -> tuple[Observation, ...]:
    return tuple(o for o in observations if o.clue == clue)


def _moment(
    modality: str, evidence: tuple[Evidence, ...], prior: Prior, settings: Settings, to: tuple[float, float] | None
) -> Moment:
    """What some evidence says, without its time."""
    speaking = tuple(e for e in evidence if e.abstained is None)
    if not speaking:
        return Moment(modality, 0.0, 0.0, False)
    posterior = fuse.posterior_of(speaking, prior, fuse.effective(settings.weights, speaking, fused=False))
    gain = posterior.gain_nats(prior)
    if gain < fuse.LEAST_GAIN_NATS:
        return Moment(modality, 0.0, 0.0, False, gain_nats=gain)
    lat, lon = _place(posterior, modality)
    away = float(posterior.mass @ sphere.pairwise_km(posterior.grid.xyz, sphere.to_xyz(*to)[None])[:, 0]) if to else 0.0
    named = places.describe(lat, lon) if modality == "picture" else _countries(posterior)
    return Moment(modality, 0.0, 0.0, True, lat, lon, named, gain, away)


def _countries(posterior: Posterior) -> str:
    """The countries that hold most of the probability: a few seconds of sound name no town."""
    return ", ".join(f"{name} {share:.0%}" for name, share in countries.shares(posterior)[:2])


def _place(posterior: Posterior, modality: str) -> tuple[float, float]:
    """By the rule of all reports for signs; for sound the cell with the most probability around it, of the fifty heaviest."""
    if modality == "picture":
        place = posterior.place()
        return place.lat_deg, place.lon_deg
    xyz = posterior.grid.xyz
    tried = np.argsort(-posterior.mass, kind="stable")[:50]
    near = xyz[tried] @ xyz.T > np.cos(NEAR_KM / sphere.EARTH_RADIUS_KM)
    at = int(tried[(near @ posterior.mass).argmax()])
    lat, lon = posterior.grid.lat_lon_deg
    return float(lat[at]), float(lon[at])


def _dated(moment: Moment, part: Interval, inside: Sequence[Observation]) -> Moment:
    # The names and the moment to look at are the part's own, not those of what was heard around it.
    own = [o for o in inside if _within(o, part) and o.score >= LISTED_SCORE and o.kind != "embedding"]
    listed = sorted(own, key=lambda o: -o.score)
    worth = [o for o in listed if o.kind not in ("sound", "speech")] or listed
    best = max(worth, key=lambda o: o.score, default=None)
    names = dict.fromkeys(o.name or o.label for o in worth)
    return Moment(
        moment.modality, part.start_s, part.end_s, moment.spoke, moment.lat_deg, moment.lon_deg, moment.place,
        moment.gain_nats, moment.away_km, tuple(names)[:MOST_LABELS],
        min(max(best.start_s, part.start_s), part.end_s) if best else part.start_s,
    )  # fmt: skip
