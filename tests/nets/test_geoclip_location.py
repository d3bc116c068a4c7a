"""The location encoder equals the package's own, and survives poles and antimeridian."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np
import pytest
import torch

from engine.core.grid import Grid
from engine.models import geoclip_location as location


def _package_encoder() -> torch.nn.Module:
    """The package's class, imported from its files without the package's own __init__, which loads the image encoder."""
    root = Path(importlib.util.find_spec("geoclip").submodule_search_locations[0])
    for name, folder in (("_geoclip", root), ("_geoclip.model", root / "model")):
        module = types.ModuleType(name)
        module.__path__ = [str(folder)]
        sys.modules[name] = module
    return importlib.import_module("_geoclip.model.location_encoder").LocationEncoder().eval()


def test_equals_the_package():
    rng = np.random.default_rng(0)
    lat = np.r_[rng.uniform(-90, 90, 200), 90.0, -90.0, 0.0]
    lon = np.r_[rng.uniform(-180, 180, 200), 0.0, 12.0, 180.0]
    with torch.inference_mode():
        theirs = torch.nn.functional.normalize(
            _package_encoder()(torch.tensor(np.stack([lat, lon], 1), dtype=torch.float32)), dim=1
        ).numpy()
    assert np.abs(location.location_encoder().embed(lat, lon) - theirs).max() < 1e-6


def test_unit_length_and_turns_of_longitude():
    e = location.location_encoder().embed([10.0, 10.0, 10.0], [170.0, 530.0, -190.0])
    assert np.linalg.norm(e, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert np.abs(e - e[0]).max() < 1e-3  # a turn of the globe loses a few digits, not the place


def test_no_place_raises():
    with pytest.raises(ValueError, match="finite"):
        location.location_encoder().embed([float("nan")], [0.0])
    with pytest.raises(ValueError, match="pole"):
        location.location_encoder().embed([91.0], [0.0])


def test_grid_embeddings_are_the_same_from_disk_and_for_refined_cells(tmp_path, monkeypatch):
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path))
    monkeypatch.setattr(location, "_KNOWN", location._Known())
    grid = Grid.of([h3.latlng_to_cell(a, 20.0, 3) for a in range(-30, 30, 3)])
    first = np.array(location.grid_embeddings(grid))
    assert len(list((tmp_path / "geoclip").glob("*.npy"))) == 1
    assert (np.array(location.grid_embeddings(grid)) == first).all()
    fine = grid.refined(np.array([4]), 5)
    got = location.grid_embeddings(fine)
    straight = location.location_encoder().embed(*fine.lat_lon_deg)
    assert np.abs(got - straight).max() < 1e-6
    assert np.abs(location.grid_embeddings(fine) - got).max() == 0.0
