"""The paper's tables: rows that run, rows that say what they need, the paper's own figures, and the systems of others."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.cli import main
from engine.core.errors import DataError, WeightsError
from engine.core.paths import data_dir
from engine.lab.bench import foreign, paper_table
from engine.lab.bench.paper_table import Line
from engine.lab.data.manifest import read_manifest
from engine.lab.train import pooler

soundfile = pytest.importorskip("soundfile")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six of the real recordings, of several places, in a folder of their own."""
    real = data_dir() / "recordings"
    if not (real / "manifest.csv").is_file():
        pytest.skip(f"needs the recordings of {real}")
    there = tmp_path_factory.mktemp("recordings")
    chosen = sorted(read_manifest(real), key=lambda s: s.path.stat().st_size)[:6]
    rows = ["id,file,lat,lon,species,date"]
    for s in chosen:
        shutil.copyfile(s.path, there / s.path.name)
        rows.append(f"{s.id},{s.path.name},{s.lat_deg},{s.lon_deg},{s.column('species')},{s.date or ''}")
    (there / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return there


def test_a_table_is_printed_and_written(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, data = tmp_path / "t.csv", tmp_path / "t.json"
    assert main(["bench", "table4", "--folder", str(folder), "--csv", str(out), "--json", str(data)]) == 0
    said = capsys.readouterr().out
    assert "each by itself" in said and "H3 5, month" in said and "6 recordings" in said
    rows = list(csv.DictReader(out.open()))
    block = json.loads(data.read_text())["each by itself"]
    assert float(rows[0]["median_km"]) == pytest.approx(block["mean"]["median_km"], abs=1e-3)
    assert block["seeds"] == 1 and len(block["intervals"]["median_km"]) == 2


@pytest.mark.slow
def test_poolings_run_and_the_transformer_never_sees_its_own_fold(folder: Path) -> None:
    bench = paper_table.Bench(folder, 500, 1)
    lines = paper_table.a2(bench)
    assert [x.name for x in lines][-2:] == ["vectors of windows, transformer", "best score of each species (shipped)"]
    assert all(len(x.errors[0]) == 6 and np.isfinite(x.errors[0]).all() for x in lines)
    assert len(lines[-2].errors) == len(paper_table.SEEDS)


def test_missing_weights_are_named(folder: Path, tmp_path: Path) -> None:
    bench = paper_table.Bench(folder, 500, 1, tmp_path / "none")
    for line in paper_table.others(bench):
        assert not line.errors and "is missing" in line.needs and str(tmp_path) in line.needs
    assert "not run" in paper_table.printed(paper_table.others(bench))


def test_the_papers_figures_stand_beside_ours(tmp_path: Path) -> None:
    lines = [Line("a", (np.array([10.0, 30.0, 5000.0]),)), Line("b", needs="weights")]
    (tmp_path / "p.csv").write_text("row,median_km,within_25,within_200,within_750,within_2500\na,15,64.0,97.8,99.9,100\n")
    made = paper_table.with_paper(lines, tmp_path / "p.csv")
    assert made[0].paper == (15.0, 64.0, 97.8, 99.9, 100.0) and made[1].paper == ()
    said = paper_table.printed(made)
    assert "the paper" in said and "33.3" in said and "not run: weights" in said
    (tmp_path / "bad.csv").write_text("row,median_km\na,15\n")
    with pytest.raises(DataError, match="needs the columns"):
        paper_table.with_paper(lines, tmp_path / "bad.csv")
    with pytest.raises(DataError, match="missing"):
        paper_table.with_paper(lines, tmp_path / "none.csv")


def test_mean_and_spread_over_seeds() -> None:
    line = Line("a", (np.array([10.0, 10.0]), np.array([30.0, 30.0])))
    assert paper_table.numbers(line)["median_km"] == (20.0, 10.0)
    assert paper_table.numbers(line)["within_25"] == (50.0, 50.0)
    assert paper_table.numbers(Line("b", needs="x")) == {}


@pytest.mark.slow
def test_the_pooling_transformer_learns_which_window_counts() -> None:
    """Two places said by one window of several: after training the network tells them apart."""
    rng = np.random.default_rng(0)
    lat, lon = np.where(np.arange(60) % 2, 50.0, -30.0), np.where(np.arange(60) % 2, 10.0, 140.0)
    vectors = []
    for i in range(60):
        x = rng.standard_normal((int(rng.integers(2, 40)), 16)).astype(np.float32) * 0.1
        x[rng.integers(len(x)), 0] = 3.0 if i % 2 else -3.0
        vectors.append(x)
    net = pooler.train(vectors[:40], lat[:40], lon[:40], epochs=15)
    from engine.models.geoclip_location import location_encoder

    places = location_encoder().embed([50.0, -30.0], [10.0, 140.0])
    right = (pooler.pooled(net, vectors[40:]) @ places.T).argmax(axis=1) == (1 - np.arange(40, 60) % 2)
    assert right.mean() > 0.9
    with pytest.raises(DataError, match="two recordings"):
        pooler.train(vectors[:1], lat[:1], lon[:1])


# --- systems of others --------------------------------------------------------------------------------------------------


def test_authors_checkpoint_and_wav2clip_run_on_recordings(folder: Path, tmp_path: Path) -> None:
    from torchvision.models import resnet18

    from engine.models.agclip_image import network

    samples = read_manifest(folder)
    torch.manual_seed(0)
    torch.save({"state_dict": network().state_dict()}, tmp_path / "agclip-mobilenetv3.pt")
    net = resnet18(weights=None)
    net.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    state = {f"audio_encoder.{k}": v for k, v in net.state_dict().items()}
    for layer in (0, 3):
        state |= {f"audio_transform.sequential.{layer}.{k}": v for k, v in torch.nn.Linear(512, 512).state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "wav2clip.pt")
    fold = np.arange(len(samples)) % 2
    by_name = {s.name: s for s in foreign.SYSTEMS}
    for name in ("AG-CLIP on MobileNetV3", "Wav2CLIP and AG-CLIP's head"):
        errors = by_name[name].errors(samples, tmp_path, fold)
        assert errors.shape == (6,) and np.isfinite(errors).all() and (errors > 0).all()
    with pytest.raises(WeightsError, match=r"geoclap.ckpt is missing"):
        by_name["GeoCLAP, as published"].errors(samples, tmp_path, fold)


def test_a_gallery_of_vectors_by_place(tmp_path: Path) -> None:
    path = tmp_path / "geoclap-gallery.json"
    path.write_text(json.dumps({"10.5_-20.25": [3.0, 4.0], "-1.0_2.0": [0.0, 2.0]}))
    lat, lon, held = foreign.read_gallery(path)
    assert lat.tolist() == [10.5, -1.0] and lon.tolist() == [-20.25, 2.0]
    assert held == pytest.approx(np.array([[0.6, 0.8], [0.0, 1.0]]))
    at = foreign.nearest(np.array([[0.0, 1.0], [1.0, 1.2]], np.float32), held, lat, lon)
    assert at[0].tolist() == [-1.0, 10.5]
    for wrong in ("[]", "{}", '{"a": [1]}', "no json"):
        path.write_text(wrong)
        with pytest.raises(DataError, match="write it again"):
            foreign.read_gallery(path)


# --- predictions in the benchmark's format ------------------------------------------------------------------------------


def test_predictions_are_written_and_scored(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said, gold, data = tmp_path / "p.csv", tmp_path / "gold.csv", tmp_path / "s.json"
    options = ["--test", str(folder), "--soundscapes", "300", "--epochs", "1", "--gallery", "xcdc", "--predictions", str(said)]
    assert main(["lab", "train-baseline", "classification-0", *options]) == 0
    assert "the gallery holds the answers" in capsys.readouterr().out
    rows = [f"{s.id},{s.lat_deg},{s.lon_deg}" for s in read_manifest(folder)]
    gold.write_text("\n".join(["audio_id,latitude,longitude", *rows]) + "\n")
    assert main(["bench", "score", str(gold), "--gold", str(gold), "--json", str(data)]) == 0
    assert json.loads(data.read_text())["median_km"] == pytest.approx(0.0, abs=1e-3)
    assert main(["bench", "score", str(said), "--gold", str(gold), "--json", str(data)]) == 0
    assert json.loads(data.read_text())["n"] == 6
    said.write_text(said.read_text().replace(said.read_text().splitlines()[1].split(",")[1], "nan", 1))
    assert main(["bench", "score", str(said), "--gold", str(gold)]) == 2
