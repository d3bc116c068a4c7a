"""The container's claim: a witness beside sound and picture."""

from __future__ import annotations

from datetime import date

import numpy as np

from engine.analysis.judge import judge
from engine.clues.container.score import log_likelihood, stated_claims
from engine.core.clip import Clip, Interval
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings
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
        evidence = log_likelihood((claim(lat, lon),), grid)
        assert evidence.abstained is None
        best = int(np.argmax(evidence.log_likelihood))
        assert best == grid.locate(np.array([lat]), np.array([lon]))[0]


def test_no_place_no_word() -> None:
    encoder = Observation("container", "tag", "Lavf60", 1.0, 0.0, 3.0, name="encoder", author="container")
    assert log_likelihood((encoder,), world_grid()).abstained == "the container states no place"


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


def stated(label: str) -> Observation:
    return Observation("container", "tag", label, 1.0, 0.0, 3.0, name="creation time", author="container", note="from a tag")


def test_days_that_disagree_are_each_a_claim() -> None:
    place = claim(33.47, -81.97)
    zones = stated_claims((place, stated("2021-04-11T01:30:00+00:00"), stated("2021-04-10T21:30:00-04:00")))
    assert [c.when for c in zones] == [date(2021, 4, 11)]
    two = stated_claims((place, stated("2021-04-11T01:30:00+00:00"), stated("2015-01-02")))
    assert [c.when for c in two] == [date(2021, 4, 11), date(2015, 1, 2)]
    assert stated_claims((stated("2015-01-02"),)) == ()


def test_a_place_in_doubt_is_said_and_not_drawn() -> None:
    doubt = Observation("container", "tag", "+48/ or +02/", 1.0, 0.0, 3.0, name="location in doubt", note="from subtitles; order")
    evidence = log_likelihood((doubt, stated("2015-01-02")), world_grid())
    assert evidence.abstained and "in doubt" in evidence.abstained and "+48/ or +02/" in evidence.abstained
    assert "2015-01-02" in evidence.abstained
    assert stated_claims((doubt,)) == ()
