"""The benchmark of the sun: its scenes are what they say, and its numbers are seeded."""

from __future__ import annotations

import itertools
import json
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from engine.lab.bench import sun as bench
from engine.world import priors, sun
from engine.world.grid import world_grid


def some(count: int, seed: int = 11) -> list[bench.Scene]:
    return list(itertools.islice(bench.scenes(seed), count))


def test_a_scenes_sun_is_where_it_says() -> None:
    for scene in some(10):
        towards = (scene.head - scene.tip) / np.linalg.norm(scene.head - scene.tip)
        assert np.degrees(np.arcsin(towards @ scene.up)) == pytest.approx(scene.elevation_deg, abs=1e-6)
        assert abs((scene.tip - scene.foot) @ scene.ground) < 1e-9
        there = sun.positions(scene.lat_deg, scene.lon_deg, np.array([scene.unix_s]))
        assert there[0][0] == pytest.approx(scene.elevation_deg)
        assert scene.mark.foot != scene.mark.top


def test_scenes_are_seeded() -> None:
    assert some(3)[2].mark.text == some(3)[2].mark.text != some(3, 12)[2].mark.text


def test_the_picture_shows_pole_and_shadow_where_they_are() -> None:
    scene = next(s for s in bench.scenes(7) if 30.0 < s.elevation_deg < 50.0)
    seen = bench.picture(scene, 1280)
    assert seen.shape == (720, 1280, 3)

    def at(p: np.ndarray) -> np.ndarray:
        x, y = p[0] / p[2] * scene.focal + 0.5, p[1] / p[2] * scene.focal * bench.ASPECT + 0.5
        return seen[int(720 * y), int(1280 * x)]

    middle = scene.foot + 0.5 * (scene.head - scene.foot)
    assert tuple(at(middle)) == (92, 52, 40)


def test_a_perfect_marking_holds_the_truth_and_the_table_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sun.json"
    assert bench.run(Namespace(scenes=12, seed=3, json=out)) == 0
    numbers = json.loads(out.read_text())
    assert numbers["published_off_deg"] < 0.05 and numbers["pvlib_off_deg"] < 0.05
    assert numbers["inside_90"]["of"] + numbers["refused"] == 12 and numbers["inside_90"]["count"] >= 7
    assert "inside_90" in capsys.readouterr().out
    prior = priors.prior("mixture", world_grid())
    rows = [bench.measure(s, prior) for s in some(5)]
    assert all(r is None or r.area_km2 > 0.0 for r in rows)
