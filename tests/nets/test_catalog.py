"""The catalogue: hashes decide, nothing is fetched unasked, and a folder is brought in whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from engine.cli import main
from engine.core.card import Card
from engine.core.errors import WeightsError
from engine.models import catalog
from engine.models.catalog import Entry, WeightFile


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Entry:
    """A catalogue of one small model, and an empty models folder."""
    files = tuple(WeightFile(n, hashlib.sha256(n.encode()).hexdigest(), len(n)) for n in ("config.json", "model.safetensors"))
    made = Entry(Card("small", "Small", "tests", "MIT", "nobody"), "nobody/small", "0" * 40, files)
    monkeypatch.setattr(catalog, "CATALOGUE", (made,))
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path / "models"))
    return made


def stick(tmp_path: Path, known: Entry) -> Path:
    folder = tmp_path / "stick" / known.id
    folder.mkdir(parents=True)
    for f in known.files:
        (folder / f.name).write_bytes(f.name.encode())
    (folder / "evil.py").write_text("raise SystemExit")
    return folder.parent


def test_import_takes_the_named_files_and_nothing_else(known: Entry, tmp_path: Path) -> None:
    assert catalog.weights_state(known) == "missing"
    catalog.import_weights(stick(tmp_path, known))
    here = tmp_path / "models" / known.id
    assert sorted(p.name for p in here.iterdir()) == ["config.json", "model.safetensors"]
    assert catalog.weights_state(known) == "present"
    catalog.verify_weights(known)


def test_a_changed_file_is_refused_and_nothing_is_left(known: Entry, tmp_path: Path) -> None:
    folder = stick(tmp_path, known)
    (folder / known.id / "model.safetensors").write_bytes(b"other")
    with pytest.raises(WeightsError, match="not the file of the catalogue"):
        catalog.import_weights(folder)
    assert catalog.weights_state(known) == "missing"
    assert list((tmp_path / "models").iterdir()) == []


def test_verify_finds_what_was_changed_later(known: Entry, tmp_path: Path) -> None:
    catalog.import_weights(stick(tmp_path, known))
    (tmp_path / "models" / known.id / "config.json").write_bytes(b"changed")
    with pytest.raises(WeightsError, match=r"config\.json"):
        catalog.verify_weights(known)


def test_an_empty_folder_and_an_unknown_name_are_one_sentence(known: Entry, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds no model"):
        catalog.import_weights(tmp_path)
    with pytest.raises(WeightsError, match="no model called"):
        catalog.entry("nothing")


def test_command_line(known: Entry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "[missing]" in capsys.readouterr().out
    assert main(["models", "import", str(stick(tmp_path, known))]) == 0
    assert main(["models", "verify"]) == 0
    assert main(["models", "verify", "nothing"]) == 2


def test_the_real_catalogue_is_complete() -> None:
    for real in catalog.CATALOGUE:
        assert len(real.revision) == 40 and real.card.licence and real.card.purpose
        assert all(f.name.endswith((".json", ".safetensors", ".txt")) or (f.name == "model.bin" and f.sha256) for f in real.files)
        assert all(len(f.sha256) == 64 for f in real.files) or not real.vouched


def test_a_model_of_unknown_hashes_is_noted_when_taken_and_compared_from_then_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    made = Entry(
        Card("new", "New", "tests", "MIT", "nobody"),
        "nobody/new",
        "0" * 40,
        (WeightFile("config.json"), WeightFile("model.safetensors")),
    )
    monkeypatch.setattr(catalog, "CATALOGUE", (made,))
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path / "models"))
    stick = tmp_path / "stick" / "new"
    stick.mkdir(parents=True)
    (stick / "config.json").write_text("{}")
    (stick / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(WeightsError, match="damaged"):
        catalog.import_weights(stick.parent)
    assert catalog.weights_state(made) == "missing"
    save_file({"a": np.zeros(3, dtype=np.float32)}, stick / "model.safetensors")
    catalog.import_weights(stick.parent)
    catalog.verify_weights(made)
    assert main(["models"]) == 0 and "no hashes in the catalogue" in capsys.readouterr().out
    save_file({"a": np.ones(3, dtype=np.float32)}, tmp_path / "models" / "new" / "model.safetensors")
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        catalog.verify_weights(made)
    stick.rename(tmp_path / "other")
    with pytest.raises(WeightsError, match="holds no model"):  # any folder with a config.json could be it
        catalog.import_weights(tmp_path / "other")
