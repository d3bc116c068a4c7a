"""The sound's likelihood: what says nothing changes nothing, nothing is finer than the ranges, and when the sound is silent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.clues.species import levels, score
from engine.clues.species.detections import NO_SCORE
from engine.clues.species.observe import passages
from engine.clues.species.spec import MADE_OF, SPEC
from engine.core.edit import signed
from engine.core.grid import Grid
from engine.core.observation import Observation
from engine.models import birdnet
from engine.world.grid import handed_down, world_grid


def heard(latin: str, value: float = 0.9, start_s: float = 0.0) -> Observation:
    return Observation(SPEC.name, "species", latin, value, start_s, start_s + 3.0, author=birdnet.MODEL_ID)


def said(latin: str) -> Observation:
    return Observation(SPEC.name, "species", latin, NO_SCORE, 0.0, 3.0, author=signed(""))


def part(kind: str, start_s: float, end_s: float) -> Observation:
    return Observation(SPEC.name, MADE_OF, kind, 0.9, start_s, end_s)


def test_five_birds_that_live_everywhere_change_nothing() -> None:
    grid = world_grid()
    rng = np.random.default_rng(0)
    richness = rng.uniform(3.0, 6.0, len(grid))
    one = np.exp(-0.5 * ((grid.lat_lon_deg[0] - 50.0) / 8.0) ** 2)[:, None].astype(np.float32)
    everywhere = np.full((len(grid), 5), 0.9, np.float32)
    alone = score.likelihoods(one, richness, np.full(1, 0.9), grid)
    crowd = score.likelihoods(np.hstack([one, everywhere]), richness, np.full(6, 0.9), grid)
    assert np.ptp(alone) > 3.0
    assert np.allclose(alone, crowd, atol=1e-6)


def test_information_is_nats_of_narrowing() -> None:
    share = np.full(8, 1 / 8)
    ranges = np.array([[1.0] * 8, [1.0] * 2 + [0.0] * 6, [0.5] * 4 + [0.0] * 4]).T
    assert score.information_of(ranges, share) == pytest.approx([0.0, np.log(4), np.log(2)], abs=1e-9)


def test_no_cell_is_finer_than_the_ranges() -> None:
    """Cells of one world cell are all alike: what is finer comes from the prior, which is named."""
    own = world_grid()
    at = int(own.locate(np.array([48.1]), np.array([11.6]))[0])
    import h3.api.numpy_int as h3

    children = np.array(h3.cell_to_children(int(own.cells[at]), 5), dtype=np.uint64)
    fine = Grid.of(np.concatenate([np.delete(own.cells, at), children]))
    log_l = score.log_likelihood((said("Parus major"), said("Cyanistes caeruleus")), fine).log_likelihood
    inside = np.isin(fine.cells, children)
    coarse = score.log_likelihood((said("Parus major"), said("Cyanistes caeruleus")), own).log_likelihood
    assert len(children) == 49 and np.ptp(log_l[inside]) == 0.0
    assert log_l[inside][0] == coarse[at]


def test_a_cell_outside_of_the_world_grid_is_worked_out_with_it() -> None:
    own = world_grid()
    islet = Grid.of(np.concatenate([own.cells[:100], np.array([0x835920FFFFFFFFF], dtype=np.uint64)]))
    values = handed_down(islet, lambda g: g.lat_lon_deg[0])
    assert np.allclose(values, islet.lat_lon_deg[0])


def test_one_doubtful_detection_gives_no_location_unless_birds_sing_throughout() -> None:
    faint = heard("Parus major", 0.3)
    silent = score.log_likelihood((faint, part("music", 0.0, 60.0)), world_grid())
    assert silent.abstained is not None and "Great Tit, is right with a chance of" in silent.abstained
    assert score.log_likelihood((faint, part("bird", 0.0, 50.0), part("music", 50.0, 60.0)), world_grid()).abstained is None
    # Crickets throughout are no reason to believe in a bird.
    assert score.log_likelihood((faint, part("insect", 0.0, 60.0)), world_grid()).abstained is not None
    assert score.log_likelihood((said("Parus major"),), world_grid()).abstained is None
    assert score.log_likelihood((heard("Parus major", 0.95), heard("Parus major", 0.95, 3.0)), world_grid()).abstained is None


def test_all_species_that_a_person_names_count() -> None:
    names = [label.latin for label in birdnet.labels() if label.is_species][:40]
    found = score.heard_in(tuple(said(n) for n in names))
    assert len(found) == 40
    assert len(score.heard_in(tuple(heard(n) for n in names))) == score.MOST_SPECIES


def test_windows_of_one_kind_are_one_passage() -> None:
    windows = [part(k, 1.5 * i, 1.5 * i + 3.0) for i, k in enumerate(["bird", "bird", "music", "music", "bird"])]
    windows[4] = replace(windows[4], start_s=20.0, end_s=23.0)
    found = passages(windows)
    assert [(o.label, o.start_s, o.end_s) for o in found] == [("bird", 0.0, 3.0), ("music", 3.0, 7.5), ("bird", 20.0, 23.0)]
    assert score.share_of("bird", found) == pytest.approx(6.0 / 10.5)


def test_levels_go_between_what_was_fitted() -> None:
    held = {"list": {"amount": [0.0, np.expm1(1.0)], "levels": {"0.5": [0.6, 0.8], "0.9": [0.9, 0.95]}}}
    assert dict(levels.levels_at("list", np.expm1(0.5), held)) == pytest.approx({0.5: 0.7, 0.9: 0.925})
    assert dict(levels.levels_at("list", 1e6, held)) == pytest.approx({0.5: 0.8, 0.9: 0.95})
    for source in levels.SOURCES:
        for amount in (0.0, 1.0, 5.0, 100.0):
            found = dict(levels.levels_at(source, amount))
            assert 0.0 < found[0.5] < found[0.9] <= found[0.95] < 1.0


def test_lists_and_detections_have_levels_of_their_own() -> None:
    listed = score.log_likelihood((said("Parus major"),), world_grid()).levels
    detected = score.log_likelihood((heard("Parus major", 0.95), heard("Parus major", 0.95, 3.0)), world_grid()).levels
    assert listed and detected and listed != detected
