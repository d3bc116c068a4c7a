"""Who lives at a claimed place, and what a claim is made of: the range model itself, the gazetteer itself."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from engine.clues.container.score import stated_claims
from engine.clues.species import residents
from engine.clues.text.entry import find_places, one_place
from engine.core import sphere
from engine.core.claim import LIVES, NOT_THEN, NOT_THERE, Claim
from engine.core.errors import SettingError
from engine.core.observation import Observation


def heard(latin: str, score: float = 0.95, author: str = "birdnet-v2.4") -> Observation:
    return Observation("species", "species", latin, score, 0.0, 3.0, author=author)


COLOGNE = Claim(50.94, 6.96)
AUGUSTA = Claim(33.47, -81.97)


def test_home_by_place_and_by_week() -> None:
    birds = (heard("Cuculus canorus"), heard("Parus major", 0.9))
    cuckoo, tit = residents.residents(birds, Claim(50.94, 6.96, date(2021, 12, 20)))
    assert (cuckoo.home, tit.home) == (NOT_THEN, LIVES)
    assert residents.residents(birds, Claim(50.94, 6.96, date(2021, 5, 10)))[0].home == LIVES
    assert {r.home for r in residents.residents(birds, AUGUSTA)} == {NOT_THERE}
    assert len(cuckoo.weeks) == 48 and max(cuckoo.weeks) == cuckoo.best_week


def test_the_week_is_told_by_a_bird_of_summer_and_not_by_one_that_never_is_there() -> None:
    log_l = residents.week_log_likelihood((heard("Cuculus canorus"),), COLOGNE)
    assert log_l is not None and 15 <= int(np.argmax(log_l)) <= 24
    assert np.exp(log_l).mean() < 1.6 and log_l[46] < -0.5
    assert residents.week_log_likelihood((heard("Cuculus canorus"),), AUGUSTA) is None
    assert residents.week_log_likelihood((), COLOGNE) is None


def test_known_false_alarms_are_doubted_until_an_analyst_stands_for_them() -> None:
    cardinal = heard("Cardinalis cardinalis")
    assert residents.doubted((cardinal,)) == ("Cardinalis cardinalis",)
    assert "false alarm" in residents.residents((cardinal,), AUGUSTA)[0].doubt
    confirmed = (cardinal, heard("Cardinalis cardinalis", 0.99, "analyst"))
    assert residents.doubted(confirmed) == ()
    assert residents.residents(confirmed, AUGUSTA)[0].doubt == ""


def test_absent_are_only_easily_heard_species_that_are_expected_there_and_then() -> None:
    missing, expected = residents.absent((heard("Cyanocitta cristata"),), Claim(33.47, -81.97, date(2021, 4, 10)))
    names = {r.latin for r in missing}
    assert len(missing) == expected - 1 and "Cyanocitta cristata" not in names and "Zenaida macroura" in names
    assert "Parus major" not in names and names <= set(residents.EASILY_HEARD)


@pytest.mark.parametrize("at", [(90.0, 0.0), (-90.0, 12.0), (0.0, 180.0), (50.9, 7.0)])
def test_the_ring_lies_at_its_radius(at: tuple[float, float]) -> None:
    lat, lon = residents.around(*at, 50.0)
    assert sphere.distance_km(lat, lon, *at) == pytest.approx(50.0, abs=1e-6)


def test_places_by_name() -> None:
    assert one_place("Augusta, Georgia").name == "Augusta, Georgia, USA"
    assert one_place("Augusta GA").name == "Augusta, Georgia, USA"
    assert one_place("Köln, Germany") == one_place("Cologne, Germany")
    assert len(find_places("Augusta")) > 5
    with pytest.raises(SettingError, match=r"Augusta, Maine, USA \(44.31, -69.78\).*after a comma"):
        one_place("Augusta")
    coordinate = one_place("33.47 N, 81.97 W", date(2021, 4, 10), 100.0)
    assert coordinate == Claim(33.47, -81.97, date(2021, 4, 10), "", 100.0)


@pytest.mark.parametrize(
    ("text", "said"), [("", "No place"), ("France", "whole region"), ("Xyzzyville", "No place of"), ("91, 0", "on Earth")]
)
def test_what_is_no_place_is_refused_with_the_remedy(text: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        find_places(text)


def test_a_container_claims_each_place_once_with_its_day() -> None:
    def place(lat: float, lon: float, name: str = "location") -> Observation:
        return Observation("container", "tag", f"{lat}{lon}", 1.0, 0.0, 1.0, name=name, vector=np.array([lat, lon], np.float32))

    clock = Observation("container", "tag", "2021-04-10T08:00:00+00:00", 1.0, 0.0, 1.0, name="creation time")
    found = stated_claims((place(33.47, -81.97), place(33.471, -81.971), place(48.1, 11.6), clock))
    assert [(round(c.lat_deg, 1), c.when, c.source) for c in found] == [
        (33.5, date(2021, 4, 10), "container"),
        (48.1, date(2021, 4, 10), "container"),
    ]
    assert stated_claims((clock,)) == ()
