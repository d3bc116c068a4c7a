"""`earwitness lab richness`: how many species BirdNET's range model expects in each world cell, any time and in each week.

Written to assets/models/birdnet_richness.npz (derived from BirdNET, CC BY-NC-SA 4.0), since computing it takes minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from engine.core.paths import ASSETS
from engine.models import birdnet
from engine.world.grid import world_grid


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab richness`."""
    parser.add_argument("-o", "--output", type=Path, default=ASSETS / "models" / "birdnet_richness.npz")


def run(args: argparse.Namespace) -> int:
    """Compute and write the table."""
    grid = world_grid()
    model = birdnet.RangeModel()
    lat, lon = grid.lat_lon_deg
    species = birdnet.is_species()
    table = np.empty((birdnet.WEEKS + 1, len(grid)), dtype=np.float16)
    for week in range(birdnet.WEEKS + 1):
        for at in range(0, len(grid), 2000):
            part = slice(at, at + 2000)
            expected = model.occurrence(lat[part], lon[part], week or None)[:, species].sum(axis=1)
            table[week, part] = np.log1p(expected)
        print(f"week {week} of {birdnet.WEEKS}", flush=True)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.output, cells=grid.cells, log_richness=table)
    return 0
