"""The clips of the page Learn: BirdNET takes the songs for the birds named, the signs are read, the script makes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import open_clip
from engine.analysis import lesson
from engine.clues.species.observe import windows_of
from engine.core.paths import EXAMPLES
from engine.models import birdnet
from examples import make_lessons


@pytest.mark.parametrize("name", sorted(make_lessons.SONGS))
def test_birdnet_takes_the_song_for_the_bird(name: str) -> None:
    with open_clip(EXAMPLES / "learn" / name) as reader:
        windows = np.stack([w for _, w in windows_of(reader, 1.5)])
    scores = birdnet.Listener(1).scores(windows).max(axis=0)
    best = birdnet.labels()[int(scores.argmax())]
    assert best.latin == make_lessons.SONGS[name][0], f"{best.common} {scores.max():.2f}"
    assert scores.max() > 0.6


@pytest.mark.parametrize("name", sorted(make_lessons.SONGS))
def test_the_place_lies_in_the_birds_range(name: str) -> None:
    own = next(x for x in lesson.lessons() if x.path.name == name)
    index = np.array([birdnet.index_of(make_lessons.SONGS[name][0])])
    chance = birdnet.RangeModel().occurrence(np.array([own.lat_deg]), np.array([own.lon_deg]), None, index)[0, 0]
    assert chance > 0.05, f"{own.place}: {chance:.3f}"


@pytest.mark.parametrize("name", ["song_2.m4a", "sign_3.mp4"])
def test_the_script_makes_such_clips(name: str, tmp_path: Path) -> None:
    made = make_lessons.make(name, tmp_path)
    kept = EXAMPLES / "learn" / name
    assert abs(made.stat().st_size - kept.stat().st_size) < 0.2 * kept.stat().st_size
    with open_clip(made) as a, open_clip(kept) as b:
        assert a.clip.duration_s == pytest.approx(b.clip.duration_s, abs=0.05)
