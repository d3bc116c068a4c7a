"""The whole way from a file to a finding: perceive once, judge as often as the analyst likes."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

import engine
from engine.analysis import weighing
from engine.analysis.perceive import perceive
from engine.clues import registry
from engine.core import edit, memory
from engine.core.claim import Claim, ClaimTest
from engine.core.clip import Clip, Interval
from engine.core.comparison import Comparison
from engine.core.errors import SettingError
from engine.core.evidence import Evidence
from engine.core.finding import FUSED, Finding, Located, Provenance
from engine.core.grid import Grid
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.paths import ASSETS, EXAMPLES
from engine.core.perception import Perception
from engine.core.progress import Progress, ProgressCallback, silent
from engine.core.settings import Settings
from engine.models import catalog
from engine.verdict import claim, compare, fuse
from engine.verdict import scenes as scene_cutting
from engine.verdict.guards import ModalityEvidence
from engine.world import priors, refine
from engine.world.grid import world_grid


@dataclass(frozen=True, slots=True)
class Example:
    """A clip that comes with the program."""

    path: Path
    title: str
    sentence: str


def examples() -> tuple[Example, ...]:
    """The clips that come with the program, those that are there."""
    known = (
        Example(
            EXAMPLES / "golf_georgia.mp4",
            "Golf in Georgia, birds of Europe",
            "A sign in Georgia, USA, under the song of a Great Tit and a Cuckoo, as in golf broadcasts that were caught out.",
        ),
        Example(
            EXAMPLES / "vermont_chickadee.mp4",
            "A chickadee in Vermont",
            "A sign in Vermont and a Black-capped Chickadee: sound and picture agree.",
        ),
    )
    return tuple(e for e in known if e.path.is_file())


def perception_key(clip: Clip, settings: Settings) -> str:
    """64 hexadecimal digits that stand for what `perceive` would find: the file's bytes, the models there are and the program
    text that runs them, and the settings that perceiving uses. Nothing else changes the result.
    """
    installed = tuple((e.id, catalog.weights_state(e)) for e in catalog.CATALOGUE)
    models = tuple((s.name, s.model_ids) for s in registry.SPECS)
    interval = (settings.interval.start_s, settings.interval.end_s) if settings.interval else None
    version, text = engine.__version__, _perceiving_text()
    facts: tuple[object, ...] = (clip.sha256, version, text, models, installed, settings.track, interval, settings.stride_s)
    if settings.quick:
        facts = (*facts, "quick", tuple(sorted(settings.included)))
    if clip.programme is not None:
        facts = (*facts, "programme", clip.programme)
    if clip.beside:
        facts = (*facts, "beside", tuple(sha256 for _, sha256 in clip.beside))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def result_key(clip: Clip, settings: Settings, failed: Iterable[str]) -> str:
    """The same of what was perceived: another key where clues failed (`Perception.failed`): it never counts as the whole."""
    key, names = perception_key(clip, settings), sorted(failed)
    return hashlib.sha256(f"{key} without {' '.join(names)}".encode()).hexdigest() if names else key


@cache
def _perceiving_text() -> str:
    """Hash of the program text that perceiving runs, and of the tables it reads: a change makes kept results old."""
    here = Path(__file__).resolve().parents[1]
    files = sorted(p for room in ("core", "media", "models", "clues") for p in (here / room).rglob("*.py"))
    digest = hashlib.sha256()
    for path in [*files, here / "analysis" / "perceive.py", *sorted(ASSETS.glob("cues/*.csv"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def scenes(perception: Perception, settings: Settings | None = None) -> tuple[Interval, ...]:
    """The scenes of what was perceived, in order; one when it is short or nothing parts it. Settings change nothing yet.

    A scene is judged by choosing its interval: `judge(perception, settings.but(interval=scene))`.
    """
    return _scenes(perception)


@lru_cache(maxsize=4)
def _scenes(perception: Perception) -> tuple[Interval, ...]:
    return scene_cutting.scenes_of(perception.shots, perception.interval, perception.ambience, perception.observations)


def judge(
    perception: Perception,
    settings: Settings | None = None,
    provenance_s: float | None = None,
    first: Finding | None = None,
) -> Finding:
    """Score what was perceived, or the interval of it chosen: fast enough for every change of the analyst's mind.

    What the analyst edited is held to what was first computed: see `verdict.compare.guarded`.

    Args:
        perception: from `perceive`.
        settings: prior, date, radius, what is dropped or added, and the interval: only what was perceived in it counts.
        provenance_s: seconds the whole way took, for the record; None takes the clues' own.
        first: the finding under the same settings before any edit (`edit.untouched`), when it is at hand; else it is worked out.
    """
    settings = settings or Settings()
    parts = scenes(perception)
    perception = perception.within(settings.interval)
    observations = edit.counting(perception, settings)
    world = world_grid()
    coarse = weighing.score(perception, observations, settings, world)
    prior = priors.prior(settings.prior, world)
    spoken = [own for _, own in _by_modality(coarse, settings.included) if any(e.abstained is None for e in own)]
    posteriors = (fuse.posterior_of(own, prior, fuse.effective(settings.weights, own, fused=False)) for own in spoken)
    grid = refine.refined(*posteriors) if spoken else world
    evidence = weighing.score(perception, observations, settings, grid)
    located = _located(evidence, settings, grid)
    sides = weighing.sides(observations, coarse, located, settings)
    comparisons = weighing.compared(sides, settings)
    claims = _claimed(perception, observations, evidence, coarse, located, sides, settings)
    before: tuple[Located, ...] = ()
    if edit.edited(settings):
        first = first or judge(perception, edit.untouched(settings))
        before = first.located
        claims = tuple(claim.beside(x, first.claims) for x in claims)
        comparisons = tuple(compare.guarded(c, _same_pair(c, first), _unheard(c, first)) for c in comparisons)
    models = tuple(dict.fromkeys(m for e in evidence if e.abstained is None for m in e.models))
    return Finding(
        clip=perception.clip,
        interval=perception.interval,
        settings=settings,
        perception=perception,
        evidence=evidence,
        located=located,
        comparisons=comparisons,
        claims=claims,
        before=before,
        registry=registry.clue_registry(),
        scene=parts.index(perception.interval) + 1 if perception.interval in parts else 0,
        scenes=len(parts),
        provenance=Provenance(
            version=engine.__version__,
            models=models or perception.models,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            elapsed_s=provenance_s if provenance_s is not None else sum(perception.elapsed_s.values()),
            seed=settings.seed,
            decoding=perception.decoding,
        ),
    )


def _same_pair(c: Comparison, first: Finding) -> Comparison | None:
    return next((x for x in first.comparisons if {x.a, x.b} == {c.a, c.b}), None)


def _unheard(c: Comparison, first: Finding) -> str:
    """Why two modalities were not compared at first, or ""."""
    missing = [name for name in (c.a, c.b) if (x := first.by(name)) is None or not x.spoke]
    return f"the {' and the '.join(missing)} gave no usable location" if missing else ""


def locate(path: str | os.PathLike[str], settings: Settings | None = None, progress: ProgressCallback = silent) -> Finding:
    """Perceive and judge in one call, a film of several scenes scene by scene as well; errors as for `perceive`."""
    began = time.monotonic()
    perception = perceive(path, settings, progress)
    progress(Progress("drawing the map"))
    return judge_film(perception, settings, progress, time.monotonic() - began)


def judge_film(
    perception: Perception,
    settings: Settings | None = None,
    progress: ProgressCallback = silent,
    provenance_s: float | None = None,
) -> Finding:
    """Judge as `judge` does and, where that is a film of several scenes, every scene by itself (`Finding.film`)."""
    settings = settings or Settings()
    whole = judge(perception, settings, provenance_s)
    if whole.scene or whole.scenes < 2 or whole.interval != perception.interval:
        return whole
    film = []
    with memory.tidied(2.0):
        for number, part in enumerate(scenes(perception), 1):
            film.append(_lean(judge(perception, settings.but(interval=part), provenance_s)))
            progress(Progress("judging the scenes", number, whole.scenes, "scenes"))
    return replace(whole, film=tuple(film))


def _lean(finding: Finding) -> Finding:
    """A finding that holds the half of what it might, for a film's scenes are kept all together."""
    for x in finding.located:
        x.posterior.drop_derived()
        if x.posterior.grid is not world_grid():
            x.posterior.grid.drop_derived()
    return finding


def _by_modality(evidence: tuple[Evidence, ...], included: frozenset[str]) -> tuple[tuple[Modality, tuple[Evidence, ...]], ...]:
    """The evidence of each modality that has any, and sound and picture together as "both".

    A container's statement is evidence of its own: it is shown beside sound and picture, and fused with them only on request.
    """
    names = tuple(dict.fromkeys(e.modality for e in evidence))
    groups = [(name, tuple(e for e in evidence if e.modality == name)) for name in names]
    groups = [(name, own) for name, own in groups if name != "container" or any(e.abstained is None for e in own)]
    fused = tuple(e for e in evidence if e.modality != "container" or e.clue in included)
    if len({e.modality for e in fused}) > 1:
        groups.append((FUSED, fused))
    return tuple(groups)


def _located(evidence: tuple[Evidence, ...], settings: Settings, grid: Grid) -> tuple[Located, ...]:
    prior = priors.prior(settings.prior, grid)
    return tuple(
        fuse.locate_modality(name, own, prior, settings.radius_km, fuse.effective(settings.weights, own, name == FUSED))
        for name, own in _by_modality(evidence, settings.included)
    )


def _claimed(
    perception: Perception,
    observations: tuple[Observation, ...],
    evidence: tuple[Evidence, ...],
    coarse: tuple[Evidence, ...],
    located: tuple[Located, ...],
    sides: tuple[ModalityEvidence, ...],
    settings: Settings,
) -> tuple[ClaimTest, ...]:
    """The analyst's claim and the container's own, each tested against sound and picture; costs nothing where there is none."""
    from engine.clues.container.score import stated_claims

    stated = (*((settings.claim,) if settings.claim else ()), *stated_claims(observations))
    return tuple(_test(c, perception, observations, evidence, coarse, located, sides, settings) for c in stated)


def _test(
    stated: Claim,
    perception: Perception,
    observations: tuple[Observation, ...],
    evidence: tuple[Evidence, ...],
    coarse: tuple[Evidence, ...],
    located: tuple[Located, ...],
    sides: tuple[ModalityEvidence, ...],
    settings: Settings,
) -> ClaimTest:
    from engine.analysis import sun
    from engine.clues.species import residents
    from engine.models import birdnet
    from engine.world import places

    if stated.when and stated.when != settings.when:
        dated = settings.but(when=stated.when)
        sides = tuple(
            _dated(observations, evidence, coarse, s, dated) if s.located.modality == Modality.SOUND else s for s in sides
        )
    heard = tuple(o for o in observations if o.clue == "species") if "species" not in settings.left_out else ()
    listened = any(x.modality == "sound" for x in located) and "species" not in perception.silent
    absent, expected = residents.absent(heard, stated) if listened else ((), 0)
    tested = claim.test(
        stated,
        stated.name or places.describe(stated.lat_deg, stated.lon_deg),
        sides,
        residents.week_log_likelihood(heard, stated) if stated.when else None,
        birdnet.week_of(stated.when.month, stated.when.day) if stated.when else None,
        residents.residents(heard, stated),
        absent,
        expected,
    )
    return replace(tested, sun=sun.at_claim(stated, observations))


def _dated(
    observations: tuple[Observation, ...],
    evidence: tuple[Evidence, ...],
    coarse: tuple[Evidence, ...],
    side: ModalityEvidence,
    settings: Settings,
) -> ModalityEvidence:
    """The sound, scored for the day of the settings."""
    own, again = (
        weighing.scored_again(tuple(e for e in found if e.modality == Modality.SOUND), observations, settings)
        for found in (evidence, coarse)
    )
    weights = fuse.effective(settings.weights, own, fused=False)
    x = fuse.locate_modality(Modality.SOUND, own, side.located.prior, settings.radius_km, weights)
    return weighing.side(x, observations, again, settings)


def species_range(latin: str, when: date | None = None) -> tuple[Grid, NDArray[np.float32]]:
    """Chance that a species is recorded in each cell of the world grid, (cells,), any time of the year or in a week.

    Raises:
        SettingError: the range model has no such species.
    """
    from engine.clues.species.ranges import ranges
    from engine.models import birdnet

    try:
        index = birdnet.index_of(latin)
    except KeyError:
        raise SettingError(f"BirdNET's range model has no species called {latin!r}; use its Latin name as listed.") from None
    week = birdnet.week_of(when.month, when.day) if when else None
    grid = world_grid()
    return grid, ranges().occurrence(grid, week, np.array([index]))[:, 0]


def warm_up() -> None:
    """Load tables and models that the first judgement needs, so that the first click does not wait for them."""
    heard = Observation("species", "species", "Parus major", 0.9, 0.0, 3.0)
    clip = Clip("", "0" * 64, 1, "", 3.0)
    judge(Perception(clip, Interval(0.0, 3.0), (heard,)))
    memory.give_back()


class _Callable(ModuleType):
    """The module under the name of its main function: `engine.locate(path)` means the same whether or not somebody imported the
    module before, which puts the module where the package's public function was."""

    def __call__(
        self, path: str | os.PathLike[str], settings: Settings | None = None, progress: ProgressCallback = silent
    ) -> Finding:
        return locate(path, settings, progress)


sys.modules[__name__].__class__ = _Callable
