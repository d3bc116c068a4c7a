"""Where things lie on disk."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets"
EXAMPLES = ROOT / "examples"


def cache_dir() -> Path:
    """Folder for what can be computed again; EARWITNESS_CACHE overrides it. Created when missing."""
    folder = Path(os.environ.get("EARWITNESS_CACHE") or platformdirs.user_cache_path("earwitness"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def kept_dir() -> Path:
    """Folder of what was made of clips (results, jobs, uploads); EARWITNESS_KEPT overrides the cache's. Created when missing."""
    named = os.environ.get("EARWITNESS_KEPT")
    folder = Path(named) if named else cache_dir()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def models_dir() -> Path:
    """Folder of downloaded or imported weights; EARWITNESS_MODELS overrides it. Not created."""
    return Path(os.environ.get("EARWITNESS_MODELS") or platformdirs.user_data_path("earwitness") / "models")


def data_dir() -> Path:
    """Folder of real material for tests and benchmarks; EARWITNESS_DATA overrides ../shared/data. May not exist."""
    return Path(os.environ.get("EARWITNESS_DATA") or ROOT.parent / "shared" / "data")
