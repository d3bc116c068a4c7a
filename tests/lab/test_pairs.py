"""The benchmark's pairs are weighed as `judge` weighs the sound and picture of one clip: the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.analysis.judge import judge
from engine.core.claim import Claim, ClaimVerdict
from engine.core.clip import Clip, Interval, Stream
from engine.core.comparison import Verdict
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings
from engine.lab.bench import pairs as paired
from engine.lab.bench import trials as sharp
from engine.lab.data.manifest import Sample
from engine.verdict import calibration

CLIP = Clip("clip.mp4", "0" * 64, 1, "mov,mp4", 30.0, (Stream(0, 1, "audio", "aac", True), Stream(1, 1, "video", "h264", True)))
EUROPE = ("Parus major", "Cyanistes caeruleus", "Erithacus rubecula", "Cuculus canorus")
AMERICA = ("Cardinalis cardinalis", "Poecile carolinensis", "Thryothorus ludovicianus")
ONE = ("Chamaea fasciata",)


def heard(*species: str) -> tuple[Observation, ...]:
    return tuple(
        Observation("species", "species", s, 0.95, 3.0 * t, 3.0 * t + 3.0, s, "birdnet-v2.4") for t in range(5) for s in species
    )


def seen(*lines: str) -> tuple[Observation, ...]:
    return tuple(Observation("text", "text", t, 0.97, 5.0, 5.0, author="ppocr", box=(0.1, 0.1, 0.4, 0.2)) for t in lines)


def sample(lat_deg: float, lon_deg: float) -> Sample:
    return Sample("x", Path("x.ogg"), lat_deg, lon_deg)


@pytest.mark.parametrize("species", [EUROPE, AMERICA, ONE, (*EUROPE, "Turdus merula")])
@pytest.mark.parametrize("lines", [("AUGUSTA, GA 30904", "TEL. +1 706 555 0143"), ("Ajuntament de Sitges",), ("Malmö stad",)])
def test_a_pair_is_weighed_as_a_clip_is(species: tuple[str, ...], lines: tuple[str, ...]) -> None:
    birds, signs = heard(*species), seen(*lines)
    c = judge(Perception(CLIP, Interval(0.0, 30.0), (*birds, *signs))).comparisons[0]
    a = sharp.side_of(sample(50.0, 8.0), Perception(CLIP, Interval(0.0, 30.0), birds), Modality.SOUND)
    b = sharp.side_of(sample(33.47, -81.97), Perception(CLIP, Interval(0.0, 30.0), signs), Modality.PICTURE)
    assert (a.evidence is None or b.evidence is None) == (c.distance_km is None)
    if a.evidence is None or b.evidence is None:
        return
    found = dict(paired.weighed(a.evidence, b.evidence, 50.0, calibration.maps()))["all"]
    assert (found.reason, found.rests_on, found.support) == (c.reason, c.rests_on, c.support)
    assert found.answer.log10_factor == pytest.approx(c.log10_factor, abs=1e-9)
    assert found.region == (c.verdict == Verdict.REGION)
    pairs = paired.score_pairs([a], [b], 50.0)
    assert pairs.said["all"][0] == pytest.approx(0.0 if c.reason else c.log10_factor, abs=1e-9)


def test_one_species_is_weak_support_and_named() -> None:
    c = judge(Perception(CLIP, Interval(0.0, 30.0), (*heard(*ONE), *seen("Malmö stad")))).comparisons[0]
    assert c.rests_on.startswith("one species: Chamaea fasciata") and c.support == "weak support"
    assert abs(c.log10_factor) < 1.0


def test_a_false_alarm_decides_neither_banner_nor_claim() -> None:
    everything = (*heard("Cardinalis cardinalis"), *seen("Malmö stad"))
    found = judge(Perception(CLIP, Interval(0.0, 30.0), everything), Settings(claim=Claim(55.6, 13.0)))
    assert found.comparisons[0].verdict == Verdict.CANNOT_TELL and "Northern Cardinal" in found.comparisons[0].reason
    sound = found.claims[0].by("sound")
    assert sound is not None and sound.verdict == ClaimVerdict.CANNOT_TELL and "Northern Cardinal" in sound.reason


def test_folds_keep_thing_and_place_out() -> None:
    rng = np.random.default_rng(0)
    n = 400
    thing, place = rng.integers(0, 20, n), rng.integers(0, 20, n)
    data = sharp.Scored(rng.normal(size=n), thing == place, np.ones(n), thing, thing, place)
    tested = np.zeros(n, dtype=int)
    for test, train in sharp.fold_pairs(data, 5, 0):
        tested += test
        out = set(thing[test]) | set(place[test])
        assert not out & set(thing[train]) and not out & set(place[train])
    assert (tested == 1).all()


def test_misreading_rates_are_shrunk_to_what_a_region_is_meant_to_miss() -> None:
    rates = sharp.misread_rates(("a", "a", "b"), (True, False, False), ("a", "b", "c"))
    assert [rates[k]["rate"] for k in "abc"] == pytest.approx([2 / 12, 1 / 11, 0.1])
