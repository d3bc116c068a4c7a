"""Fusing: known answers of the blend, weights, and what is said when nothing can be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.core.evidence import Evidence
from engine.core.posterior import Prior
from engine.verdict import fuse
from engine.world.grid import world_grid
from engine.world.priors import prior


def bump(lat_deg: float, lon_deg: float, sd_km: float) -> np.ndarray:
    from engine.core import sphere

    km = sphere.pairwise_km(world_grid().xyz, sphere.to_xyz(lat_deg, lon_deg)[None])[:, 0]
    return -0.5 * (km / sd_km) ** 2


def evidence(clue: str, log_l: np.ndarray, modality: str = "sound") -> Evidence:
    return Evidence(clue, modality, world_grid(), log_l)


def test_what_is_flat_pools_to_nothing() -> None:
    grid = world_grid()
    flat = np.full(len(grid), 7.0)
    assert np.allclose(fuse.pooled(flat, flat - 100, grid), 0.0, atol=1e-9)


def test_a_pool_is_the_weighted_sum_of_logarithms() -> None:
    grid = world_grid()
    a, b = bump(50, 10, 500), bump(40, 0, 900)
    share = grid.area_km2 / grid.area_km2.sum()
    expected = 0.75 * (a - np.log(share @ np.exp(a))) + 0.25 * (b - np.log(share @ np.exp(b)))
    assert np.allclose(fuse.pooled(a, b, grid), expected)


def test_regions_of_sound_alone_are_drawn_by_its_levels() -> None:
    grid = world_grid()
    prior = Prior("even", grid, np.log(grid.area_km2 / grid.area_km2.sum()))
    levels = ((0.5, 0.7), (0.9, 0.95))
    heard = replace(evidence("species", bump(50, 10, 500)), levels=levels)
    alone = fuse.posterior_of((heard,), prior)
    assert alone.level(0.5) == 0.7 and alone.level(0.9) == 0.95 and alone.level(0.7) == pytest.approx(0.825)
    assert 0.7 <= alone.mass[alone.region(0.5)].sum() < 0.72
    fused = fuse.posterior_of((heard, evidence("text", bump(50, 10, 100), "picture")), prior)
    assert fused.level(0.5) == 0.5


def test_clues_that_rest_on_one_model_are_not_counted_twice() -> None:
    same = bump(50, 10, 700)
    joined = replace(evidence("agclip", same), joined="species")
    twice = fuse.modality_log_likelihood((evidence("species", same), joined), world_grid(), {})
    added = 2 * same
    assert np.ptp(twice) < 0.8 * np.ptp(added)


def test_a_weight_of_zero_silences_a_clue() -> None:
    total = fuse.modality_log_likelihood((evidence("text", bump(0, 0, 100), "picture"),), world_grid(), {"text": 0.0})
    assert not total.any()


def test_silence_is_explained() -> None:
    grid = world_grid()
    mute = Evidence.silent("species", "sound", grid, "the clip has no sound")
    found = fuse.locate_modality("sound", (mute,), prior("mixture", grid), 100.0)
    assert found.cannot_tell and "the clip has no sound" in found.cannot_tell
    assert found.gain_nats == pytest.approx(0.0, abs=1e-9)


def test_what_fits_anywhere_cannot_tell() -> None:
    grid = world_grid()
    vague = evidence("species", bump(0, 0, 40_000))
    found = fuse.locate_modality("sound", (vague,), prior("mixture", grid), 100.0)
    assert found.cannot_tell and "almost anywhere" in found.cannot_tell


def test_what_is_sharp_speaks_and_is_named() -> None:
    grid = world_grid()
    found = fuse.locate_modality("sound", (evidence("species", bump(-13.5, -72.0, 200)),), prior("land", grid), 100.0)
    assert found.spoke
    assert "Peru" in found.place.name
    assert found.countries[0][0] == "Peru"
    assert found.regions_km2[0.5] < found.regions_km2[0.9] < found.regions_km2[0.95]


def test_below_three_tenths_of_the_mass_near_it_the_headline_is_the_region() -> None:
    """A Gaussian of s km on a plane has 1 - exp(-100² / 2s²) of its mass within 100 km: nearly all for 25 km, 2.7% for 430 km."""
    sharp, wide = (
        fuse.locate_modality("sound", (evidence("species", bump(48.5, 9.0, sd)),), prior("land", world_grid()), 100.0)
        for sd in (25.0, 430.0)
    )
    assert sharp.where_is == "place" and sharp.place and sharp.where == sharp.place.name and sharp.near > 0.6
    assert wide.where_is == "region" and wide.where == f"in {wide.half}" and wide.near < 0.1
    assert wide.half and wide.place and wide.place.name not in wide.where


def test_the_headline_does_not_depend_on_the_radius_of_the_place() -> None:
    wide = (evidence("species", bump(48.5, 9.0, 430.0)),)
    found = fuse.locate_modality("sound", wide, prior("land", world_grid()), 1500.0)
    assert found.place and found.place.mass > 0.9 and found.where_is == "region"
    assert found.near == pytest.approx(found.posterior.mass_within(found.place.lat_deg, found.place.lon_deg, 100.0))


def test_what_cannot_tell_has_no_headline() -> None:
    mute = Evidence.silent("species", "sound", world_grid(), "the clip has no sound")
    found = fuse.locate_modality("sound", (mute,), prior("mixture", world_grid()), 100.0)
    assert (found.where, found.where_is, found.half, found.near) == ("", "", "", 0.0)
