"""Banner and claim are one question: a thousand findings in which they must not contradict each other.

Species are drawn from what lives somewhere (and a stranger or a false alarm now and then), signs from towns. With the picture
sharply at a place, the factor of sound against picture is the claim's own, drawn towards 1 by the rate at which such pictures
are misread: it has the same direction and is put in no stronger words.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from engine.analysis import weighing
from engine.clues.species.residents import FALSE_ALARMS
from engine.clues.text import kinds
from engine.core.claim import Claim, ClaimVerdict
from engine.core.clip import Clip, Interval, Stream
from engine.core.comparison import VERBAL_SCALE, Support, Verdict
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.posterior import Posterior
from engine.core.settings import PRIORS, Settings
from engine.models import birdnet
from engine.verdict import calibration, claim, compare, fuse
from engine.verdict.guards import WEAK_MOST, ModalityEvidence
from engine.world import places, priors
from engine.world.grid import world_grid

STEPS = [words for _, words in VERBAL_SCALE]
CLIP = Clip("clip.mp4", "0" * 64, 1, "mov,mp4", 30.0, (Stream(0, 1, "audio", "aac", True), Stream(1, 1, "video", "h264", True)))


@cache
def towns() -> tuple[places.City, ...]:
    """Towns drawn as clips are: by the prior."""
    table, grid = places.cities(), world_grid()
    cell = grid.locate(table.lat_deg, table.lon_deg)
    mass = np.exp(priors.prior("mixture", grid).log_mass)
    weight = np.where((cell >= 0) & (table.people >= 20_000), mass[cell], 0.0)
    rng = np.random.default_rng(8)
    return tuple(table.row(int(i)) for i in rng.choice(len(table), 400, p=weight / weight.sum()))


@cache
def living(number: int) -> tuple[int, ...]:
    """Species of a town, commonest first."""
    from engine.clues.species.ranges import ranges

    town = towns()[number]
    chance = ranges().model.occurrence(np.array([town.lat_deg]), np.array([town.lon_deg]), None)[0] * birdnet.is_species()
    return tuple(np.argsort(-chance)[:60].tolist())


def heard(rng: np.random.Generator, number: int) -> tuple[Observation, ...]:
    """One to six species of a town, a third of the lists with one from anywhere, a fifth with a known false alarm."""
    labels = birdnet.labels()
    chosen = [labels[i].latin for i in rng.choice(living(number), int(rng.integers(1, 7)), replace=False)]
    if rng.random() < 0.33:
        chosen.append(labels[living(int(rng.integers(len(towns()))))[int(rng.integers(30))]].latin)
    if rng.random() < 0.2:
        chosen.append(str(rng.choice(list(FALSE_ALARMS))))
    return tuple(
        Observation("species", "species", latin, float(rng.uniform(0.15, 0.99)), 3.0 * t, 3.0 * t + 3.0, author="birdnet-v2.4")
        for n, latin in enumerate(dict.fromkeys(chosen))
        for t in range(n, n + int(rng.integers(1, 5)))
    )


def sound_of(observations: tuple[Observation, ...]) -> ModalityEvidence | None:
    perception = Perception(CLIP, Interval(0.0, 30.0), observations)
    coarse = weighing.score(perception, observations, Settings(), world_grid())
    own = tuple(e for e in coarse if e.modality == Modality.SOUND)
    x = fuse.locate_modality(Modality.SOUND, own, priors.prior("mixture", world_grid()), 100.0)
    return weighing.side(x, observations, own, Settings()) if x.spoke else None


def sharp_picture(at: int, reading: str) -> ModalityEvidence:
    """A picture that is in one cell for sure."""
    grid = world_grid()
    log_l = np.full(len(grid), -80.0)
    log_l[at] = 0.0
    every = tuple((p, Posterior.of(p, log_l)) for p in (priors.prior(name, grid) for name in PRIORS))
    x = fuse.describe(Modality.PICTURE, every[0][1], every[0][0], 100.0, None)
    return ModalityEvidence(x, every, reading=reading)


def findings(n: int, seed: int) -> Iterator[tuple[ModalityEvidence, places.City]]:
    """Sounds, and a town where the picture is: the sound's own, or any."""
    rng = np.random.default_rng(seed)
    made = 0
    while made < n:
        number = int(rng.integers(len(towns())))
        sound = sound_of(heard(rng, number))
        if sound is not None:
            other = number if rng.random() < 0.4 else int(rng.integers(len(towns())))
            made += 1
            yield sound, towns()[other]


def check(sound: ModalityEvidence, town: places.City) -> tuple[Verdict, Support]:
    """Hold banner and claim to each other; what the banner says."""
    stated = Claim(town.lat_deg, town.lon_deg, radius_km=50.0)
    at = claim.cell_of(stated, world_grid())
    tested = claim.weigh(sound, at, 50.0)
    for reading in kinds.KINDS:
        rate = calibration.maps().misread_rate(reading)
        banner = compare.weigh(sound, sharp_picture(at, reading), 50.0)
        a, b = banner.answer.log10_factor, tested.answer.log10_factor
        assert banner.reason or tested.reason or np.sign(a) == np.sign(b), "one speaks for the place, the other against it"
        assert STEPS.index(banner.support) <= STEPS.index(tested.support), "the banner is stronger than the claim"
        assert not tested.reason or banner.reason, "the banner speaks where the claim has no result"
        # No smaller than misreading explains, (1 - m) of the claim's factor and m of 1; without one species perhaps a step less.
        if not banner.reason and not banner.rests_on and not tested.rests_on:
            explained = np.log10((1.0 - rate) * 10.0**b + rate)
            assert abs(a) >= min(abs(explained), WEAK_MOST) - 0.02
        if not banner.reason:
            assert banner.region or not tested.region, "the banner tells the place from those near it, the claim does not"
            assert banner.rests_on or not tested.rests_on, "the claim rests on one species, the banner does not say so"
    return (Verdict.CANNOT_TELL if banner.reason else Verdict.SAME if a > 0 else Verdict.DIFFERENT), banner.support


def test_banner_and_claim_do_not_contradict_each_other() -> None:
    said = [check(*x) for x in findings(40, 1)]
    assert {v for v, _ in said} >= {Verdict.SAME, Verdict.DIFFERENT}, "the findings hold both answers"


@pytest.mark.slow
def test_banner_and_claim_do_not_contradict_each_other_in_a_thousand_findings() -> None:
    said = [check(*x) for x in findings(1000, 2)]
    assert sum(v == Verdict.DIFFERENT for v, _ in said) > 100 and sum(v == Verdict.SAME for v, _ in said) > 50


@pytest.mark.slow
def test_with_a_sign_that_is_read_they_do_not_contradict_each_other_either() -> None:
    """The whole way through `judge`: species heard, a town's sign, and a claim of that town."""
    from engine.analysis.judge import judge

    rng = np.random.default_rng(3)
    spoke = 0
    for _ in range(120):
        number = int(rng.integers(len(towns())))
        town = towns()[number if rng.random() < 0.4 else int(rng.integers(len(towns())))]
        lines = [town.name, *([town.division] if town.division else [])]
        signs = tuple(Observation("text", "text", t, 0.97, 5.0, 5.0, author="ppocr", box=(0.1, 0.1, 0.4, 0.2)) for t in lines)
        perception = Perception(CLIP, Interval(0.0, 30.0), (*heard(rng, number), *signs))
        found = judge(perception, Settings(claim=Claim(town.lat_deg, town.lon_deg)))
        picture = found.by("picture")
        if not found.comparisons or picture is None or not picture.spoke or picture.place is None:
            continue
        c, f = found.comparisons[0], found.claims[0].by("sound")
        near = found.claims[0].by("picture")
        if f is None or near is None or near.verdict != ClaimVerdict.SUPPORTS:
            continue  # the sign was read as another place
        spoke += c.verdict != Verdict.CANNOT_TELL
        if Verdict.CANNOT_TELL not in (c.verdict, f.verdict):
            assert np.sign(c.log10_factor) == np.sign(f.log10_factor)
        assert STEPS.index(c.support) <= STEPS.index(f.support) + 1
    assert spoke > 10
