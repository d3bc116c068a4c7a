"""Pairs made by hand: what the table says of each distance, of each guard and of each word."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.grid import Grid, cells_at
from engine.core.posterior import Prior
from engine.lab.bench import mismatch
from engine.lab.bench.pairs import GUARDS, Pairs


def pairs() -> Pairs:
    """Ten recordings and five photos: one photo lies where the recordings are, others 300, 3,000 and 9,000 km away; the last one
    has no location."""
    recording, photo = (x.ravel() for x in np.indices((10, 5)))
    km = np.array([50.0, 300.0, 3000.0, 9000.0, 9000.0])[photo]
    said = np.array([1.2, 1.2, -0.2, -2.0, np.nan])[photo]
    said[0] = -1.2  # one pair from one place misleads
    region = (photo == 1) & (recording < 5)
    names = ("none", *GUARDS, "all")
    return Pairs(
        recording, photo, km, dict.fromkeys(names, said), dict.fromkeys(names, region), recording == 3, recording % 5, photo
    )


def test_every_distance_says_how_often_it_is_called_what() -> None:
    found = mismatch.report(pairs(), 0)
    bands = {(b["from_km"], b["to_km"]): b for b in found["bands"]}
    here, near = bands[0, 200], bands[200, 500]
    assert (here["pairs"], here["recordings"], here["photos"]) == (10, 10, 1)
    assert here["different_moderate"] == pytest.approx(0.1) and here["same_moderate"] == pytest.approx(0.9)
    assert near["same"] == near["region"] == 0.5 and bands[5000, 10000]["different_moderate"] == 1.0
    assert bands[2500, 5000]["different_moderate"] == bands[2500, 5000]["same_moderate"] == 0.0


def test_the_keys_that_others_read() -> None:
    found = mismatch.report(pairs(), 0)
    assert found["spoken"] == 0.8 and found["same_called_different"] == pytest.approx(0.1)
    assert found["different_moderate"] == pytest.approx(0.5)
    assert found["one_place_by_band"] == {
        "0-200": 0.9, "200-500": 0.5, "500-1000": None, "1000-2500": None, "2500-5000": 0.0, "5000-": 0.0,
    }  # fmt: skip
    assert {"cllr", "cllr_all", "cllr_weighted", "cllr_all_weighted", "cllr_min", "dev_pav"} <= found.keys()
    assert found["intervals"]["cllr"][0] <= found["cllr"] <= found["intervals"]["cllr"][1]
    assert set(found["guards"]) == {"none", *GUARDS, "all"}
    assert found["words"]["same place, moderate support"] == {"said": 14, "wrong": 5}
    assert found["words"]["different places, moderate support"] == {"said": 1, "wrong": 1}


def test_silence_counts_as_one_to_one_in_the_cost_over_all_pairs() -> None:
    """By hand: of ten same pairs nine cost log2(1 + 10^-1.2), one log2(1 + 10^1.2); of forty others ten are silent and cost 1."""
    found = mismatch.report(pairs(), 0)
    cost = {z: np.log2(1 + 10.0**z) for z in (-2.0, -1.2, -0.2, 1.2)}
    same = (9 * cost[-1.2] + cost[1.2]) / 10
    assert found["cllr"] == pytest.approx((same + (cost[1.2] + cost[-0.2] + cost[-2.0]) / 3) / 2)
    assert found["cllr_all"] == pytest.approx((same + (cost[1.2] + cost[-0.2] + cost[-2.0] + 1.0) / 4) / 2)


def test_the_tables_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    mismatch.show(mismatch.report(pairs(), 0))
    out = capsys.readouterr().out
    assert "called one place" in out and "10.0%" in out and "90.0%" in out and "false alarms" in out


def test_places_drawn_apart_from_two_far_cells_are_near_half_of_the_time() -> None:
    grid = Grid.of(cells_at(np.array([48.0, -48.0]), np.array([2.0, -178.0]), 3))
    prior = Prior("two", grid, np.log([0.5, 0.5]))
    near = mismatch.drawn_near(prior, (1.0, 250.0, 19_000.0, 20_100.0), 20_000, 0)
    assert near[0] < 0.01 and near[1] == pytest.approx(0.5, abs=0.02) and near[2] == near[1] and near[3] == 1.0
    assert list(mismatch.drawn_near(prior, (250.0,), 20_000, 0)) == [near[1]], "the same seed draws the same places"
