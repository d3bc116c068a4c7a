"""Which frames are worth a model: known pictures, the choice under a budget, CLIP's head on weights of the real shape."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.cli import main
from engine.clues.locatability import Watch, captions, choose, look_at, worth
from engine.core.clip import Frame, Shot
from engine.core.errors import DataError, WeightsError
from engine.lab.bench.film import landscape, put_sign
from engine.lab.train.locatability import cross_validated_auc
from engine.models.locatability import FEATURES, Head, Scorer, fit

WIDTH, HEIGHT = 480, 270


def view(seed: int = 3) -> np.ndarray:
    return landscape(np.random.default_rng(seed), WIDTH, HEIGHT)


def signed(seed: int = 3, words: str = "Ajuntament de Sitges", at: tuple[int, int] = (60, 130)) -> np.ndarray:
    picture = view(seed)
    put_sign(picture, words, *at, 20)
    return picture


def valued(rgb: np.ndarray) -> float:
    return worth(look_at(Frame(0.0, rgb)))


def test_a_sign_is_worth_more_than_the_view_alone() -> None:
    assert valued(signed()) > valued(view()) + 0.3


def test_black_frames_are_worth_nothing_and_blur_costs() -> None:
    assert valued(np.zeros((HEIGHT, WIDTH, 3), np.uint8)) == 0.0
    assert valued(np.full((HEIGHT, WIDTH, 3), 255, np.uint8)) == 0.0
    assert valued(cv2.GaussianBlur(signed(), (0, 0), 6)) < 0.6 * valued(signed())


def test_a_title_card_is_worth_less_than_a_sign() -> None:
    card = np.full((HEIGHT, WIDTH, 3), 30, np.uint8)
    cv2.putText(card, "A FILM IN PARTS", (90, 140), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (240, 240, 240), 2)
    assert valued(card) < 0.6 * valued(signed())


def watched(pictures: list[np.ndarray], key: tuple[int, ...] = ()) -> Watch:
    watch = Watch()
    for second, rgb in enumerate(pictures):
        watch.see(Frame(float(second), rgb), second in key)
    return watch


def test_the_frame_with_the_sign_is_chosen_under_a_small_budget() -> None:
    pictures = [view(i // 5) for i in range(40)]
    pictures[27] = signed(5)
    shots = [Shot(5.0 * i, 5.0 * i + 5, (5.0 * i,)) for i in range(8)]
    times = choose(shots, watched(pictures).sights, 4)
    assert 27.0 in times and len(times) <= 4 and list(times) == sorted(times)


def test_a_key_frame_nearly_as_good_is_taken() -> None:
    pictures = [signed(3) for _ in range(10)]
    times = choose([Shot(0.0, 10.0, (0.0,))], watched(pictures, key=(6,)).sights, 1)
    assert times == (6.0,)


def test_captions_are_known_by_their_spot_and_count_for_nothing() -> None:
    pictures = []
    for i in range(12):
        picture = view(20 + i)
        cv2.rectangle(picture, (40, 225), (300, 258), (10, 10, 10), -1)
        cv2.putText(picture, "EVENING NEWS", (50, 250), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 2)
        pictures.append(picture)
    watch = watched(pictures)
    shots = [Shot(float(i), i + 1.0, (float(i),)) for i in range(12)]
    spots = captions(shots, watch.sights)
    assert spots[15:17].any() and not spots[:12].any()
    plain = worth(look_at(Frame(0.0, view(20))))
    assert worth(watch.sights[0], spots) == pytest.approx(plain, abs=0.12)
    assert worth(watch.sights[0]) > worth(watch.sights[0], spots) + 0.2


def test_nothing_seen_and_no_budget_choose_nothing() -> None:
    assert choose([Shot(0.0, 9.0, (0.0,))], (), 5) == ()
    assert choose([Shot(0.0, 9.0, (0.0,))], watched([view()]).sights, 0) == ()


def test_a_watch_looks_once_a_second_whatever_the_order() -> None:
    watch = Watch()
    for t in (0.0, 10.0, 0.4, 9.5, 5.0, 4.2):
        if watch.wants(t):
            watch.see(Frame(t, view()), False)
    assert [s.time_s for s in watch.sights] == [0.0, 5.0, 10.0]


def features(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.4
    x = rng.standard_normal((n, FEATURES))
    x[:, 7] += 12.0 * labels
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), labels


def test_the_head_learns_a_known_direction() -> None:
    x, labels = features(300)
    head = fit(x, labels)
    assert int(np.argmax(np.abs(head.weight))) == 7 and head.weight[7] > 0
    assert cross_validated_auc(x, labels) > 0.9
    assert cross_validated_auc(x, np.random.default_rng(1).permutation(labels)) == pytest.approx(0.5, abs=0.12)


def test_a_head_survives_its_file_and_a_damaged_one_says_what_to_do(tmp_path: Path) -> None:
    head = fit(*features(60))
    head.save(tmp_path / "a" / "head.npz")
    x, _ = features(5, 2)
    assert Head.load(tmp_path / "a" / "head.npz").scores(x) == pytest.approx(head.scores(x))
    (tmp_path / "bad.npz").write_bytes(b"no")
    with pytest.raises(WeightsError, match="make it again"):
        Head.load(tmp_path / "bad.npz")
    with pytest.raises(WeightsError, match="lab locatability train"):
        Head.load(tmp_path / "none.npz")
    with pytest.raises(DataError, match="both needed"):
        fit(x, np.ones(5, dtype=bool))


@pytest.fixture(scope="module")
def clip_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of the real output size and a small inside, with random weights, in the real files."""
    from engine.models.offline import go_offline

    go_offline()
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    torch.manual_seed(0)
    text = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 1, "projection_dim": 768}
    vision = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_hidden_layers": 2, "patch_size": 32}
    model = CLIPModel(CLIPConfig(projection_dim=768, text_config=text, vision_config={**vision, "projection_dim": 768}))
    folder = tmp_path_factory.mktemp("clip")
    model.save_pretrained(folder, safe_serialization=True)
    CLIPImageProcessor().save_pretrained(folder)
    return folder


def test_training_and_filtering_a_folder(clip_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = []
    for i in range(24):
        bright = i % 2 == 0
        level = 215 if bright else 40
        Image.fromarray(np.random.default_rng(i).integers(level - 25, level + 25, (80, 120, 3), dtype=np.uint8)).save(
            tmp_path / f"v{i:02d}.png"
        )
        rows.append((f"v{i:02d}.png", int(bright)))
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "locatable"), *rows, ("../../etc/passwd", 1)])
    common = ["--images", str(tmp_path), "--clip", str(clip_weights), "--head", str(tmp_path / "head.npz")]
    assert main(["lab", "locatability", "train", *common, "--labels", str(tmp_path / "labels.csv")]) == 0
    assert "24 (12 locatable)" in capsys.readouterr().out
    assert main(["lab", "locatability", "filter", *common, "--out", str(tmp_path / "kept.csv")]) == 0
    kept = {r["file"] for r in csv.DictReader((tmp_path / "kept.csv").open())}
    assert kept == {name for name, y in rows if y}
    scorer = Scorer(Head.load(tmp_path / "head.npz"), clip_weights)
    assert scorer.score(np.full((80, 120, 3), 215, np.uint8)) > scorer.score(np.full((80, 120, 3), 40, np.uint8))
    watch = Watch(scorer=scorer)
    watch.see(Frame(0.0, view()), True)
    assert 0.0 <= watch.sights[0].outdoor <= 1.0
