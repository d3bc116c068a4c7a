"""Affinity maps of species and clips; words and pictures through a CLIP of random weights in the real files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import engine
from engine.clues import (
    affinity_countries,
    affinity_of_text,
    affinity_places,
    pictures_for_sound,
    pictures_missing,
    species_names,
    texts_for_sound,
    words_missing,
)
from engine.clues.agclip import soundscape
from engine.core.affinity import Affinity
from engine.core.errors import MediaError, SettingError, WeightsError
from engine.core.observation import Observation
from engine.models import agclip, catalog, clip_text, geoclip_picture
from engine.models.catalog import WeightFile
from engine.models.geoclip_location import location_encoder
from engine.models.offline import go_offline
from engine.report import affinity_csv, affinity_geojson
from engine.world.grid import world_grid


def test_affinity_peaks_at_home() -> None:
    grid = world_grid()
    lat, lon = (x[4321] for x in grid.lat_lon_deg)
    cosine = soundscape.cosines(location_encoder().embed([lat], [lon])[0], grid)
    assert cosine.argmax() == 4321 and cosine[4321] == pytest.approx(1.0, abs=1e-4)
    with pytest.raises(ValueError, match="512"):
        soundscape.cosines(np.zeros(512), grid)


@pytest.mark.parametrize(
    ("latin", "home", "abroad"),
    [
        ("Poecile atricapillus", "USA", "Australia"),  # Black-capped Chickadee
        ("Dacelo novaeguineae", "Australia", "Germany"),  # Laughing Kookaburra
        ("Erithacus rubecula", "Germany", "Brazil"),  # European Robin
    ],
)
def test_a_species_sounds_like_home(latin: str, home: str, abroad: str) -> None:
    a = engine.affinity_of_species(latin)
    by_name = {m.name: m.value for m in affinity_countries(a, most=300)}
    assert by_name[home] > by_name[abroad] + 1.0
    assert np.average(a.value, weights=a.grid.area_km2) == pytest.approx(0.0, abs=1e-6)
    assert latin in a.how and "no recording" in a.how


def test_best_places_stand_apart_and_are_ranked() -> None:
    found = affinity_places(engine.affinity_of_species("Dacelo novaeguineae"), most=5, apart_km=500.0)
    assert len(found) == 5 and [m.value for m in found] == sorted((m.value for m in found), reverse=True)
    for i, a in enumerate(found):
        for b in found[:i]:
            assert engine.distance_km(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg) >= 499.0
    assert "Australia" in found[0].name


def test_land_above_is_a_share_of_area() -> None:
    a = engine.affinity_of_species("Parus major")
    order = np.argsort(-a.value, kind="stable")
    assert a.land_above[order[-1]] == pytest.approx(1.0)
    assert np.all(np.diff(a.land_above[order]) > 0)
    best = a.land_above <= 0.1
    assert a.grid.area_km2[best].sum() / a.grid.area_km2.sum() == pytest.approx(0.1, abs=0.001)


def test_a_clip_sounds_like_its_birds() -> None:
    clip = next(e.path for e in engine.examples() if "chickadee" in e.path.name)
    seen = []
    with engine.open_clip(clip) as reader:
        a = engine.affinity_of_clip(reader, progress=seen.append)
    assert a.kind == "clip" and a.title == clip.name and seen
    by_name = {m.name: m.value for m in affinity_countries(a, most=300)}
    assert by_name["Canada"] > by_name["Australia"] + 1.0


def test_a_clips_vector_is_the_mean_of_its_windows() -> None:
    def at(start_s: float, latin: str, score: float) -> Observation:
        return Observation("species", "species", latin, score, start_s, start_s + 3.0)

    both = soundscape.sound_vector([at(0.0, "Parus major", 0.9), at(3.0, "Corvus corax", 0.8)])
    one, two = (soundscape.sound_vector([x]) for x in (at(0.0, "Parus major", 0.9), at(3.0, "Corvus corax", 0.8)))
    assert both == pytest.approx((one + two) / 2, rel=1e-4, abs=1e-5)
    assert both.shape == (agclip.RANGE_PART.stop,)
    with pytest.raises(MediaError, match="animals"):
        soundscape.sound_vector([])


def test_unknown_species_is_said() -> None:
    with pytest.raises(SettingError, match="Latin name"):
        engine.affinity_of_species("Nonexistens avis")
    names = species_names()
    assert len(names) > 6000 and all(n.latin and n.common for n in names)


def test_a_broken_affinity_is_refused() -> None:
    grid = soundscape.land_grid()
    with pytest.raises(ValueError, match="finite"):
        Affinity("x", "text", "", grid, np.full(len(grid), np.nan), "nats", np.ones(512, np.float32))


def test_exports() -> None:
    a = engine.affinity_of_species("Parus major")
    held = json.loads(affinity_geojson(a, 0.01))
    shares = [f["properties"]["land_above"] for f in held["features"]]
    assert shares == sorted(shares) and shares[-1] <= 0.01 and held["models"] == list(a.models)
    lines = affinity_csv(a).splitlines()
    assert lines[0] == "cell,latitude,longitude,nats,land_above" and len(lines) == len(a.grid) + 1


# --- words and pictures -------------------------------------------------------------------------------------------------


MERGES = "#version: 0.2\n" + "\n".join(["i n", "t h", "a n", "r e", "th e</w>", "an d</w>", "f o", "fo re", "fore s"])


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CLIP of the real output size and a small inside, with random weights, and a short list of merges, where they belong."""
    go_offline()
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    torch.manual_seed(0)
    small = {"num_hidden_layers": 1, "num_attention_heads": 2, "projection_dim": 768}
    tokens = 512 + len(MERGES.splitlines()) - 1 + 2
    ends = {"vocab_size": tokens, "bos_token_id": tokens - 2, "eos_token_id": tokens - 1, "pad_token_id": tokens - 1}
    text = {"hidden_size": 32, "intermediate_size": 64, **small, **ends}
    vision = {"hidden_size": 64, "intermediate_size": 128, "patch_size": 32, **small}
    folder = tmp_path / "clip-vit-large-patch14"
    config = CLIPConfig(projection_dim=768, text_config=text, vision_config=vision)
    CLIPModel(config).save_pretrained(folder, safe_serialization=True)
    CLIPImageProcessor().save_pretrained(folder)
    beside = tmp_path / "clip-vit-large-patch14-text"
    beside.mkdir()
    (beside / "merges.txt").write_text(MERGES + "\n", encoding="utf-8")
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path))
    known = catalog.entry(folder.name)  # weights of the catalogue are loaded by hash alone
    own = tuple(WeightFile(f.name, hashlib.sha256((folder / f.name).read_bytes()).hexdigest()) for f in known.files)
    rest = tuple(e for e in catalog.CATALOGUE if e.id != known.id)
    monkeypatch.setattr(catalog, "CATALOGUE", (replace(known, files=own), *rest))
    monkeypatch.setattr(soundscape, "_text_encoder", clip_text.TextEncoder)
    monkeypatch.setattr(soundscape, "_picture_encoder", geoclip_picture.PictureEncoder)
    return tmp_path


def test_words_become_a_map(weights: Path) -> None:
    assert words_missing() == "" and pictures_missing() == ""
    a = affinity_of_text("  the  forest ")
    assert a.title == "the forest" and a.unit == "cosine" and np.abs(a.value).max() <= 1.0
    with pytest.raises(SettingError, match="type a few words"):
        affinity_of_text("   ")


def test_text_vectors_are_what_clip_and_geoclip_make_of_the_tokens(weights: Path) -> None:
    """The same through the whole CLIPModel and GeoCLIP's perceptron, by hand."""
    import torch
    from transformers import CLIPModel

    encoder = clip_text.TextEncoder()
    ids, counts = encoder.tokens(["the forest", "in"])
    assert ids.shape == (2, 77) and counts.sum(axis=1).tolist()[1] == 3 + (len(encoder._tokenizer.encode("in").ids) - 1)
    clip = CLIPModel.from_pretrained(weights / "clip-vit-large-patch14", local_files_only=True).eval()
    said = clip.get_text_features(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(counts))
    said = said if isinstance(said, torch.Tensor) else said.pooler_output
    w = torch.load(geoclip_picture.package_file("image_encoder_mlp_weights.pth"), map_location="cpu", weights_only=True)
    hidden = torch.relu(said @ w["0.weight"].T + w["0.bias"])
    expected = torch.nn.functional.normalize(hidden @ w["2.weight"].T + w["2.bias"], dim=1).detach().numpy()
    assert np.abs(encoder.embed(["the forest", "in"]) - expected).max() < 1e-5


def test_tokens_equal_the_librarys(weights: Path, tmp_path: Path) -> None:
    go_offline()
    from transformers import CLIPTokenizer

    merges = clip_text.merges_path()
    own = clip_text.tokenizer(merges)
    pairs = [tuple(line.split(" ")) for line in merges.read_text("utf-8").splitlines()[1:]]
    theirs = CLIPTokenizer(vocab=own.get_vocab(), merges=pairs)
    for text in ("The  forest and it's THE inn, 2021!", "Côte d'Ivoire", "São Tomé & 日本"):
        assert [own.token_to_id(clip_text.START), *own.encode(text).ids, own.token_to_id(clip_text.END)] == theirs(text)[
            "input_ids"
        ]


def test_sound_finds_words_and_pictures(weights: Path, tmp_path: Path) -> None:
    vector = engine.affinity_of_species("Parus major").vector
    ranked = texts_for_sound(vector, ["the sea", "the forest", "an inn"])
    assert {m.name for m in ranked} == {"the sea", "the forest", "an inn"}
    assert [m.value for m in ranked] == sorted((m.value for m in ranked), reverse=True)
    assert len(texts_for_sound(vector, most=4)) == 4
    folder = tmp_path / "flags"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(folder / name)
    (folder / "broken.png").write_bytes(b"no picture")
    assert {Path(m.name).name for m in pictures_for_sound(vector, folder)} == {"a.png", "b.png"}
    (tmp_path / "none").mkdir()
    for wrong in (tmp_path / "none", tmp_path / "nowhere"):
        with pytest.raises(SettingError, match="give "):
            pictures_for_sound(vector, wrong)


def test_what_is_missing_ends_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path / "none"))
    monkeypatch.setattr(soundscape, "_text_encoder", clip_text.TextEncoder)
    assert "earwitness models" in words_missing() and "earwitness models" in pictures_missing()
    with pytest.raises(WeightsError, match="earwitness models"):
        affinity_of_text("the sea")
    (tmp_path / "merges.txt").write_text("not merges at all\n")
    with pytest.raises(WeightsError, match="fetch it again"):
        clip_text.tokenizer(tmp_path / "merges.txt")
