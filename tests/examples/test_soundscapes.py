"""The worked script runs, prints what it promises, and writes maps that can be read."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from engine.core.paths import ROOT
from examples import soundscapes


def test_it_runs_on_the_built_in_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path / "none"))
    assert soundscapes.main(["-o", str(tmp_path / "maps")]) == 0
    said = capsys.readouterr().out
    assert "Black-capped Chickadee" in said and "Canada" in said and "no words:" in said
    held = json.loads((tmp_path / "maps" / "clip.geojson").read_text())
    assert held["kind"] == "clip" and len(held["features"]) > 100
    assert (tmp_path / "maps" / "species.csv").read_text().startswith("cell,")


def test_it_uses_the_public_list_only() -> None:
    tree = ast.parse(Path(soundscapes.__file__).read_text("utf-8"))
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    froms = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    own = [m for m in (*names, *froms) if m and m.split(".")[0] == "engine"]
    assert "engine" in own and all((ROOT / m.replace(".", "/") / "__init__.pyi").is_file() for m in own)
