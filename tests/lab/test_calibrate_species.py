"""Fitting the sound's likelihood: levels hold what they say, folds part groups, and a small fit goes through."""

from __future__ import annotations

import numpy as np

from engine.clues.species import levels
from engine.lab.train import calibrate_species as lab
from engine.lab.train.sound_kinds import fold_of


def test_levels_hold_the_share_they_name_at_every_amount() -> None:
    rng = np.random.default_rng(0)
    amount = rng.uniform(0.5, 30.0, 4000)
    # the truth's log-odds of denser mass rise with the amount, and scatter; beyond nine tenths of the amounts the level stays
    denser = 1 / (1 + np.exp(-(np.log1p(amount) - 1.5 + rng.logistic(size=4000))))
    held = {"list": lab.levels_of(denser[:2000], amount[:2000], [str(i) for i in range(2000)])}
    for low, high in ((3.5, 10.0), (10.0, 18.0), (18.0, 27.0)):
        own = [i for i in range(2000, 4000) if low <= amount[i] < high]
        for share in (0.5, 0.9):
            inside = [denser[i] < dict(levels.levels_at("list", amount[i], held))[share] for i in own]
            assert abs(np.mean(inside) - share) < 0.05


def test_folds_keep_a_group_together() -> None:
    groups = [f"g{i % 17}" for i in range(200)]
    fold = fold_of(groups, 5, 0)
    assert len(set(fold)) == 5
    assert all(len({f for f, g in zip(fold, groups, strict=True) if g == own}) == 1 for own in set(groups))


def test_continents_and_groups_weigh_alike_as_far_as_there_is_enough() -> None:
    def case(group: str, continent: str) -> lab.Case:
        empty = np.zeros(0, dtype=np.int64)
        return lab.Case("recordings", "clean", group, continent, 0, (), (), empty, np.zeros((0, 4)))

    europe = [*(case("a", "Europe") for _ in range(4)), *(case(f"b{i}", "Europe") for i in range(36))]
    found = lab.weights([*europe, case("c", "Asia")])
    assert np.isclose(found.sum(), 1.0)
    assert np.isclose(found[0] * 2.0, found[10]) and found[-1] > found[10]
