"""Animals and things of known place: seen where they are, worth little, and silent otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engine.analysis.judge import judge
from engine.clues.scene import observe, score
from engine.clues.scene.observe import SceneObserver
from engine.clues.scene.score import likelihood
from engine.clues.scene.table import cues
from engine.core.clip import Clip, Frame, Interval
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings
from engine.models import efficientnet
from engine.world import countries
from engine.world.grid import world_grid


def photo(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        image.thumbnail((448, 448))
        return np.asarray(image.convert("RGB"))


def seen(label: str, score: float = 0.9, at_s: float = 0.0, author: str = "model") -> Observation:
    return Observation("scene", "scene", label, score, at_s, at_s, author=author)


def mean_in(log_l: NDArray[np.float64], code: str) -> float:
    return float(log_l[countries.of(world_grid()) == countries.number_of(code)].mean())


class Pictures:
    def __init__(self, rgb: NDArray[np.uint8], duration_s: float) -> None:
        self.rgb = rgb
        self.clip = Clip("x.mp4", "0" * 64, 1, "mov", duration_s)
        self.skipped: dict[str, int] = {}
        self.asked = 0

    def audio(self, *args: object, **kwargs: object) -> Iterator[None]:
        return iter(())

    def frames(self, times_s: list[float], interval: Interval | None = None, max_side_px: int | None = None) -> Iterator[Frame]:
        self.asked = len(times_s)
        return iter([Frame(t, self.rgb) for t in times_s])

    def close(self) -> None:
        pass


# --- the network ------------------------------------------------------------------------------------------------------


def test_the_network_knows_what_is_in_photos(data_dir: Path) -> None:
    """A layer wired wrongly, another padding or scale would not know a palace, Stonehenge or a street sign."""
    labels = efficientnet.labels()
    for file, wanted in (("ph0073.jpg", {"palace"}), ("ph0196.jpg", {"megalith"}), ("ph0353.jpg", {"street sign"})):
        chances = efficientnet.SceneNet().chances([photo(data_dir / "photos" / file)])[0]
        assert labels[int(chances.argmax())] in wanted
        assert chances.max() > 0.5


def test_squares_cover_the_frame() -> None:
    wide = np.zeros((90, 160, 3), dtype=np.uint8)
    wide[:, :70], wide[:, 90:] = 254, 127
    left, right = efficientnet.squares(wide)
    assert left.shape == (3, 224, 224)
    assert np.isclose(left[:, :, 0], (254 - 127) / 128).all() and np.isclose(right[:, :, -1], 0.0).all()
    assert len(efficientnet.squares(np.zeros((100, 110, 3), dtype=np.uint8))) == 1
    assert len(efficientnet.squares(np.zeros((300, 20, 3), dtype=np.uint8))) == 2
    with pytest.raises(ValueError, match="uint8"):
        efficientnet.SceneNet().chances([np.zeros((9, 9), dtype=np.uint8)])
    assert efficientnet.SceneNet().chances([]).shape == (0, 1000)


def test_labels_are_a_thousand_and_distinct() -> None:
    assert len(efficientnet.labels()) == 1000
    named = [c for cue in cues() for c in cue.classes]
    assert len(named) == len(set(named))  # no class stands for two cues


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_row_of_the_table_has_a_place_a_source_and_modest_trust() -> None:
    assert len({c.name for c in cues()}) == len(cues()) > 50
    for cue in cues():
        assert cue.source and 0.0 < cue.trust <= 0.6
        assert bool(cue.species) != bool(cue.countries)


# --- the clue ---------------------------------------------------------------------------------------------------------


def test_elephants_are_seen_and_point_to_africa_and_asia(data_dir: Path) -> None:
    reader = Pictures(photo(data_dir / "photos" / "ph0165.jpg"), 600.0)
    found = SceneObserver().observe(reader.clip, reader)
    assert reader.asked == observe.MOST_FRAMES == 16 and {o.label for o in found} == {"elephant"}
    evidence = score.log_likelihood(found, world_grid())
    assert evidence.abstained is None
    log_l = evidence.log_likelihood
    assert np.isclose(mean_in(log_l, "ZA"), mean_in(log_l, "KE")) and np.isclose(mean_in(log_l, "NO"), mean_in(log_l, "BR"))
    assert mean_in(log_l, "ZA") - mean_in(log_l, "NO") > 0.5
    once = score.log_likelihood(found[:1], world_grid())
    assert np.allclose(once.log_likelihood, log_l)  # many frames of it are one cue


def test_noise_says_nothing() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (180, 320, 3), dtype=np.uint8)
    reader = Pictures(rgb, 8.0)
    found = SceneObserver().observe(reader.clip, reader)
    assert "known range" in str(score.log_likelihood(found, world_grid()).abstained)


def test_a_bird_follows_its_range() -> None:
    log_l = score.log_likelihood((seen("house finch"),), world_grid()).log_likelihood
    assert mean_in(log_l, "US") > mean_in(log_l, "DE") and mean_in(log_l, "US") > mean_in(log_l, "AU")


def test_the_likelihood_is_relative_to_the_land_and_bounded() -> None:
    grid = world_grid()
    for cue in cues():
        own = likelihood(cue, 1.0, grid)
        assert np.isclose(np.average(own, weights=grid.area_km2), 1.0) and own.min() >= 1 - cue.trust
    every = tuple(seen(c.name) for c in cues())
    assert np.ptp(score.log_likelihood(every, grid).log_likelihood) <= np.log(score.MOST_FACTOR) + 1e-9


def test_faint_and_unknown_labels_are_not_scored_and_the_analyst_is() -> None:
    grid = world_grid()
    assert score.log_likelihood((seen("koala", 0.2), seen("unicorn")), grid).abstained
    said = score.log_likelihood((seen("koala", 0.2, author="analyst"),), grid)
    assert said.abstained is None and mean_in(said.log_likelihood, "AU") > mean_in(said.log_likelihood, "NZ")


def test_it_has_no_vote_unless_asked() -> None:
    perception = Perception(Clip("x.mp4", "0" * 64, 1, "mov", 3.0), Interval(0.0, 3.0), (seen("koala"),))
    quiet = {e.clue: e for e in judge(perception).evidence}["scene"]
    asked = {e.clue: e for e in judge(perception, Settings(included=frozenset({"scene"}))).evidence}["scene"]
    assert "off by default" in str(quiet.abstained) and asked.abstained is None
