"""Signs at borders, signs without spaces between words, and mirrored signs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.clues.text import fold, mirror, score, scoring, sign, unspaced
from engine.clues.text.observe import TextObserver
from engine.core import sphere
from engine.core.observation import Observation
from engine.core.posterior import Posterior
from engine.models import ocr
from engine.verdict import fuse
from engine.world import places, priors, refine
from engine.world.grid import world_grid


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("EL PASO, TX 79901 USA",), "in El Paso, Texas, USA"),
        (("CENTRAL, HONG KONG", "TEL. +852 2555 0143"), "Hong Kong"),
        (("Ville de Strasbourg",), "in Strasbourg, France"),
        (("Stadt Kehl",), "in Kehl, Baden-Württemberg, Germany"),
        (("San Diego, CA 92101",), "in San Diego, California, USA"),
    ],
)
def test_a_sign_beside_a_border_is_named_on_its_own_side(lines: tuple[str, ...], words: str) -> None:
    read = sign.read(lines, (0.98,) * len(lines))
    spot = max((s for r in read if r.kind in ("place", "postal") for s in r.spots), key=lambda s: s.share)
    assert places.describe(spot.lat_deg, spot.lon_deg).endswith(words)


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("東京都新宿区役所", "東京都 新宿区 役所"),
        ("新宿駅前", "新宿 駅前"),
        ("大阪市立図書館", "大阪市 立図書館"),
        ("京都府京都市", "京都府 京都市"),
        ("北京市海淀区人民政府", "北京市 海淀区 人民政府"),
        ("上海火车站", "上海 火车站"),
        ("부산역", "부산 역"),
        ("関係者以外立入禁止", "関係者以外立入禁止"),
        ("小心地滑", "小心地滑"),
        ("中華料理", "中華料理"),
        ("国立公園", "国立公園"),
        ("SHINJUKU", "SHINJUKU"),
    ],
)
def test_text_without_spaces_is_parted_at_its_names(line: str, pieces: str) -> None:
    parted = [p for w in fold.words(line) for p in unspaced.parted(w)]
    assert " ".join(p.text for p in parted) == pieces
    assert all(line[p.start : p.end] == p.text for p in parted)


@pytest.mark.parametrize(
    ("line", "lat", "lon"),
    [
        ("東京都新宿区役所", 35.69, 139.70),
        ("大阪市立図書館", 34.69, 135.50),
        ("札幌市役所", 43.06, 141.35),
        ("上海火车站", 31.23, 121.47),
        ("台北市信義區公所", 25.04, 121.55),
        ("부산역", 35.10, 129.03),
    ],
)
def test_a_sign_without_spaces_is_placed(line: str, lat: float, lon: float) -> None:
    found = [r for r in sign.read((line,), (0.98,)) if r.kind == "place"]
    spot = max(found[0].spots, key=lambda s: s.share)
    assert sphere.distance_km(spot.lat_deg, spot.lon_deg, lat, lon) < 30
    assert scoring.region_mass(sign.read((line,), (0.98,))) > 0.8


def drawn(*lines: str) -> np.ndarray:
    rgb = np.full((420, 960, 3), 235, dtype=np.uint8)
    for n, text in enumerate(lines):
        cv2.putText(rgb, text, (80, 120 + 90 * n), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (20, 20, 20), 4, cv2.LINE_AA)
    return rgb


def test_a_mirrored_sign_is_read_after_mirroring_and_said() -> None:
    upright = drawn("GOLF CLUB", "AUGUSTA, GA 30904")
    clue = TextObserver()
    plain, turned = clue.observe_image(upright), clue.observe_image(np.ascontiguousarray(upright[:, ::-1]))
    assert [o.label for o in plain] == [o.label for o in turned]
    assert not any(mirror.NOTE in o.note for o in plain) and all(o.note.startswith(mirror.NOTE) for o in turned)
    for a, b in zip(plain, turned, strict=True):
        assert a.box and b.box and b.box[0] == pytest.approx(1.0 - a.box[2], abs=0.03)


@pytest.mark.parametrize("line", ["AVA WOW TOMATO", "PARKPLATZ"])
def test_a_sign_the_right_way_round_stays_so(line: str) -> None:
    assert not any(mirror.NOTE in o.note for o in TextObserver().observe_image(drawn(line)))


def test_a_picture_without_text_is_not_read_mirrored_again_and_again() -> None:
    class Blind:
        calls = 0

        def read(self, rgb: np.ndarray) -> tuple[()]:
            self.calls += 1
            return ()

        @property
        def alone(self) -> Blind:
            return self

    reader = Blind()
    assert mirror.read(drawn(), reader, False) == ((), False, False) and reader.calls == 1  # type: ignore[arg-type]
    assert mirror.read(drawn(), reader) == ((), False, True) and reader.calls == 3  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("WINDSOR, ONTARIO", "Windsor, Ontario, Canada"),
        ("DETROIT, MI 48226", "USA"),
        ("LAREDO, TEXAS", "Laredo, Texas, USA"),
        ("EL PASO, TX 79901 USA", "El Paso, Texas, USA"),
        ("Mairie d'Annemasse", "Annemasse, France"),
        ("Stadt Kehl", "Germany"),
    ],
)
def test_the_place_reported_lies_in_the_country_of_the_town_named(line: str, words: str) -> None:
    own = (Observation("text", "text", line, 0.98, 0.0, 0.0, author=ocr.MODEL_ID),)
    first = score.log_likelihood(own, world_grid())
    grid = refine.refined(Posterior.of(priors.prior("mixture", world_grid()), first.log_likelihood))
    found = fuse.locate_modality("picture", (score.log_likelihood(own, grid),), priors.prior("mixture", grid), 100.0)
    assert found.place.name.endswith(words)
