"""Every loader of hub weights refuses the network before it loads, whatever the folder holds."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HUB = ("transformers", "huggingface_hub", "datasets", "diffusers", "open_clip", "timm")
SWITCHES = ("go_offline",)


def functions_that_import_a_hub_library(file: Path) -> list[ast.FunctionDef]:
    """Functions with an import of a hub library in them; one at a file's top counts as a function that switches nothing."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = []
    inside: set[ast.AST] = set()
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        own = [n for n in ast.walk(function) if _imports_hub(n)]
        inside.update(own)
        if own:
            found.append(function)
    if any(_imports_hub(n) and n not in inside for n in ast.walk(tree)):
        found.append(ast.parse("def top(): pass").body[0])  # type: ignore[arg-type]
    return found


def _imports_hub(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in HUB
    return isinstance(node, ast.Import) and any(a.name.split(".")[0] in HUB for a in node.names)


def _switches(function: ast.FunctionDef) -> bool:
    calls = (n.func for n in ast.walk(function) if isinstance(n, ast.Call))
    return any(isinstance(f, ast.Name) and f.id in SWITCHES for f in calls)


@pytest.mark.parametrize("file", sorted((ROOT / "engine").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_whoever_imports_a_hub_library_switches_it_off_in_the_same_function(file: Path) -> None:
    for function in functions_that_import_a_hub_library(file):
        assert _switches(function), f"{file.name}: {function.name} imports a hub library without go_offline()"


def test_the_test_above_can_fail(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("import transformers\n\ndef load():\n    from transformers import CLIPModel\n", encoding="utf-8")
    assert [_switches(f) for f in functions_that_import_a_hub_library(bad)] == [False, False]


_LOAD = """
import json, os, pathlib, sys
import numpy as np
from engine.core.errors import WeightsError
from engine.models import geoclip_picture, streetclip, whisper
folder = pathlib.Path(sys.argv[1])
# Files that name a model of the hub instead of describing one: what makes a library go and look.
said = {"model_type": "clip", "_name_or_path": "openai/clip-vit-large-patch14", "auto_map": {"AutoModel": "nobody/x--m.M"}}
for name in {*streetclip._NEEDED, *whisper._NEEDED, *geoclip_picture._NEEDED}:
    (folder / name).write_text(json.dumps(said))
frame = np.zeros((32, 32, 3), dtype=np.uint8)
loaders = {
    "geoclip": lambda: geoclip_picture.PictureEncoder(folder, "cpu").embed([frame]),
    "streetclip": lambda: streetclip.CountryEncoder(["France"], folder, "cpu").logits([frame]),
    "whisper": lambda: whisper.Whisper(folder).hear(np.zeros(16000, dtype=np.float32)),
}
for name, load in loaders.items():
    try:
        load()
    except WeightsError:
        print(name, os.environ["HF_HUB_OFFLINE"])
"""


@pytest.mark.slow
def test_loaders_ask_nobody(guarded_env: dict[str, str], tmp_path: Path) -> None:
    """In a process that was told nothing beforehand, on a folder whose files point to the hub."""
    env = {k: v for k, v in guarded_env.items() if not k.startswith(("HF_", "TRANSFORMERS_"))} | {
        "HF_HOME": str(tmp_path / "hub")
    }
    folder = tmp_path / "weights"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(folder)], env=env, cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["geoclip", "1", "streetclip", "1", "whisper", "1"]
    log = Path(env["EARWITNESS_GUARD_LOG"])
    assert not log.exists() or log.read_text(encoding="utf-8") == ""
    assert "HF_HUB_OFFLINE" not in env and os.environ.get("HF_HUB_OFFLINE") in (None, "1")
