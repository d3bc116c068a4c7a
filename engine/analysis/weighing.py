"""What sound and picture each say, and what remains of it without the observations that must not decide alone: made ready for
the factors of `verdict.compare` and `verdict.claim`, which are the same question asked of the same evidence.

All of it is scored on the world grid: the range model tells places apart no better than its cells do, and leaving out one
species after another has to be fast.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from engine.clues import registry
from engine.clues.cues import score as cue_evidence
from engine.clues.species import residents
from engine.clues.text import kinds
from engine.core.comparison import Comparison
from engine.core.evidence import Evidence
from engine.core.finding import Located
from engine.core.grid import Grid
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.posterior import Prior
from engine.core.settings import PRIORS, Settings
from engine.verdict import compare, fuse
from engine.verdict.guards import LeftOut, ModalityEvidence, Under
from engine.world import priors
from engine.world.grid import world_grid

_LEAST_SCORE = 0.05  # of a species, below which leaving it out changes next to nothing


def score(perception: Perception, observations: tuple[Observation, ...], settings: Settings, grid: Grid) -> tuple[Evidence, ...]:
    """The evidence of every clue on a grid, those among them that abstain.

    Args:
        observations: those that count (`core.edit.counting`).
    """
    evidence = []
    for clue in registry.clues(settings):
        own = tuple(o for o in observations if o.clue == clue.reads)
        if not clue.spec.scored(settings.included):
            evidence.append(Evidence.silent(clue.name, clue.modality, grid, clue.spec.idle, expected=False))
        elif clue.name in settings.left_out:
            evidence.append(Evidence.silent(clue.name, clue.modality, grid, "left out by the analyst", own))
        elif clue.reads in perception.silent and not own:
            evidence.append(Evidence.silent(clue.name, clue.modality, grid, perception.silent[clue.reads]))
        else:
            evidence.append(clue.log_likelihood(own, grid, settings.when))
    evidence.extend(cue_evidence.evidence(observations, evidence, settings.left_out, grid, settings.when))
    return tuple(evidence)


def sides(
    observations: tuple[Observation, ...], coarse: tuple[Evidence, ...], located: tuple[Located, ...], settings: Settings
) -> tuple[ModalityEvidence, ...]:
    """Sound and picture, those that the clip has.

    Args:
        coarse: all evidence on the world grid.
        located: where each modality points, on whichever grid.
    """
    return tuple(
        side(x, observations, tuple(e for e in coarse if e.modality == x.modality), settings)
        for x in located
        if x.modality in (Modality.SOUND, Modality.PICTURE)
    )


def side(x: Located, observations: tuple[Observation, ...], coarse: tuple[Evidence, ...], settings: Settings) -> ModalityEvidence:
    """One modality.

    Args:
        coarse: its own evidence on the world grid.
    """
    if not x.spoke:
        return ModalityEvidence(x, ())
    speaking = tuple(e for e in coarse if e.abstained is None)
    if x.modality == Modality.PICTURE:
        left_out = cache(lambda: _picture_left_out(observations, speaking, settings))
        return ModalityEvidence(x, _posteriors(speaking, settings), left_out=left_out, reading=reading_of(observations, speaking))
    doubted = residents.doubted(observations)
    without = _again(speaking, observations, {("species", latin) for latin in doubted}, settings) if doubted else None
    return ModalityEvidence(
        x,
        _posteriors(speaking, settings),
        without,
        tuple(residents.FALSE_ALARMS[latin] for latin in doubted),
        cache(lambda: _sound_left_out(observations, speaking, settings)),
    )


def compared(both: tuple[ModalityEvidence, ...], settings: Settings) -> tuple[Comparison, ...]:
    """Sound and picture compared under every prior; nothing where a clip has only one of them."""
    by = {s.located.modality: s for s in both}
    if not {Modality.SOUND, Modality.PICTURE} <= by.keys():
        return ()
    return (compare.compare(by[Modality.SOUND], by[Modality.PICTURE], settings.same_place_km),)


def _posteriors(speaking: tuple[Evidence, ...], settings: Settings) -> Under:
    """The posterior of one modality under every prior, on the world grid."""
    weights = fuse.effective(settings.weights, speaking, fused=False)
    return tuple((prior, fuse.posterior_of(speaking, prior, weights)) for prior in _world_priors())


@cache
def _world_priors() -> tuple[Prior, ...]:
    """Every prior on the world grid: asked for anew with each observation left out."""
    return tuple(priors.prior(name, world_grid()) for name in PRIORS)


def remaining(speaking: tuple[Evidence, ...], settings: Settings) -> Under:
    """The same of what is left of a modality: empty where that gives no usable location."""
    found = _posteriors(speaking, settings) if speaking else ()
    return found if any(p.name == settings.prior and x.gain_nats(p) >= fuse.LEAST_GAIN_NATS for p, x in found) else ()


def scored_again(
    evidence: tuple[Evidence, ...], observations: tuple[Observation, ...], settings: Settings
) -> tuple[Evidence, ...]:
    """The clues that speak, scored again on other observations or for another day."""
    clues = {c.name: c for c in registry.clues(settings)}
    return tuple(
        clues[e.clue].log_likelihood(tuple(o for o in observations if o.clue == clues[e.clue].reads), e.grid, settings.when)
        if e.clue in clues
        else e
        for e in evidence
        if e.abstained is None
    )


def reading_of(observations: tuple[Observation, ...], speaking: Collection[Evidence]) -> str:
    """How a picture was read: the rate at which it points elsewhere goes by this."""
    if any(e.clue != "text" for e in speaking):
        return kinds.OTHER
    return kinds.kind_of(observations)


def _again(
    speaking: tuple[Evidence, ...],
    observations: tuple[Observation, ...],
    dropped: Collection[tuple[str, str]],
    settings: Settings,
) -> Under:
    """The modality without the observations of some (clue, label); clues that read none of them stand as they are."""
    left = tuple(o for o in observations if (o.clue, o.label) not in dropped)
    touched = {clue for clue, _ in dropped}
    reads = {s.name: s.reads for s in registry.SPECS}
    stand = tuple(e for e in speaking if reads.get(e.clue) not in touched)
    anew = scored_again(tuple(e for e in speaking if reads.get(e.clue) in touched), left, settings)
    return remaining((*stand, *(e for e in anew if e.abstained is None)), settings)


def _sound_left_out(
    observations: tuple[Observation, ...], speaking: tuple[Evidence, ...], settings: Settings
) -> tuple[LeftOut, ...]:
    """The sound without each of the species heard, best first, and without each clue that rests on other things."""
    best: dict[str, Observation] = {}
    for o in observations:
        if o.clue == "species" and o.kind == "species" and (o.label not in best or o.score > best[o.label].score):
            best[o.label] = o
    heard = sorted((o for o in best.values() if o.score >= _LEAST_SCORE), key=lambda o: -o.score)
    heard = [o for o in heard if any(e.clue == "species" for e in speaking)]
    out = [LeftOut(o.name or o.label, "species", _again(speaking, observations, {("species", o.label)}, settings)) for o in heard]
    return (*out, *_clues_left_out(speaking, {"species"}, settings))


def _picture_left_out(
    observations: tuple[Observation, ...], speaking: tuple[Evidence, ...], settings: Settings
) -> tuple[LeftOut, ...]:
    """The picture without each line that names a place, and without each clue that rests on other things."""
    out = []
    if any(e.clue == "text" for e in speaking):
        for same in kinds.deciding_lines(observations):
            left = _again(speaking, observations, {("text", line) for line in same}, settings)
            out.append(LeftOut(f"“{max(same, key=len)}”", "sign", left))
    return (*out, *_clues_left_out(speaking, {"text"}, settings))


def _clues_left_out(speaking: tuple[Evidence, ...], reads: set[str], settings: Settings) -> tuple[LeftOut, ...]:
    """The modality without each of the clues that do not read these observations."""
    known = registry.clue_registry()
    every = {s.name: s.reads for s in known.clues}
    others = [e for e in speaking if every.get(e.clue) not in reads]
    return tuple(
        LeftOut(known.title(e.clue), "kind of evidence", remaining(tuple(x for x in speaking if x is not e), settings))
        for e in others
    )
