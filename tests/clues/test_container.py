"""The container's claim: a witness beside sound and picture."""

from __future__ import annotations

import numpy as np

from engine.clues.container import ContainerClue
from engine.core.clip import Clip, Interval
from engine.core.finding import Perception, Settings
from engine.core.observation import Observation
from engine.locate import judge
from engine.world.grid import world_grid


def claim(lat_deg: float, lon_deg: float) -> Observation:
    place = np.array([lat_deg, lon_deg], dtype=np.float32)
    label = f"{lat_deg:+09.5f}{lon_deg:+010.5f}/"
    return Observation("container", "tag", label, 1.0, 0.0, 3.0, name="location", author="container", vector=place)


def perception(*observations: Observation) -> Perception:
    return Perception(Clip("x.mov", "0" * 64, 1, "mov", 3.0), Interval(0.0, 3.0), observations)


def test_it_points_where_it_says_across_the_antimeridian_too() -> None:
    grid = world_grid()
    for lat, lon in ((48.2, 11.0), (-17.8, 179.9), (64.5, -179.5)):
        evidence = ContainerClue().log_likelihood((claim(lat, lon),), grid)
        assert evidence.abstained is None
        best = int(np.argmax(evidence.log_likelihood))
        assert best == grid.locate(np.array([lat]), np.array([lon]))[0]


def test_no_place_no_word() -> None:
    encoder = Observation("container", "tag", "Lavf60", 1.0, 0.0, 3.0, name="encoder", author="container")
    assert ContainerClue().log_likelihood((encoder,), world_grid()).abstained == "the container states no place"


def test_a_claim_is_shown_and_never_fused_unless_asked() -> None:
    bird = Observation("species", "species", "Parus major", 0.95, 0.0, 3.0)
    finding = judge(perception(bird, claim(33.47, -81.97)))
    claimed, sound = finding.by("container"), finding.by("sound")
    assert claimed and claimed.spoke and "Augusta" in claimed.place.name
    assert sound and sound.place.lon_deg > -15
    unasked = finding.by("both")
    assert unasked and unasked.place.lon_deg > -15
    asked = judge(perception(bird, claim(33.47, -81.97)), Settings(included=frozenset({"container"})))
    both = asked.by("both")
    assert both and both.place.lon_deg < -60


def test_without_a_claim_there_is_no_third_witness() -> None:
    bird = Observation("species", "species", "Parus major", 0.95, 0.0, 3.0)
    assert judge(perception(bird)).by("container") is None
