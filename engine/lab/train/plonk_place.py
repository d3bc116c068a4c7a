"""`earwitness lab place-plonk`: place pictures with PLONK's released weights, as a second model of where a picture is from.

Needs two folders, brought by the user: PLONK's (nicolas-dufour/PLONK_OSV_5M: config.json, model.safetensors) and StreetCLIP's
(geolocal/StreetCLIP; `earwitness models pull streetclip`). A picture is described by StreetCLIP's class token before its
projection, as PLONK was trained. Nothing is fetched.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core import sphere
from engine.core.errors import DataError, WeightsError
from engine.core.file import opened
from engine.core.paths import models_dir
from engine.models.flow.plonk import Plonk
from engine.models.offline import go_offline

PLACE_KM = 100.0


@dataclass(frozen=True, slots=True)
class Placed:
    """Where PLONK places a picture: the draw with most others within 100 km, their share, and the median distance to it."""

    file: str
    lat_deg: float
    lon_deg: float
    share_within_100_km: float
    median_km_of_draws: float
    label: str


def vectors(folder: Path, pictures: Sequence[Path]) -> NDArray[np.float32]:
    """(n, width) StreetCLIP's class tokens of pictures, before the projection.

    Raises:
        WeightsError: StreetCLIP's folder is missing or cannot be read.
        DataError: a file is no picture.
    """
    go_offline()
    for name in ("config.json", "preprocessor_config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise WeightsError(f"{name} of StreetCLIP is missing in {folder}; fetch it with: earwitness models pull streetclip")
    from PIL import Image, ImageOps
    from transformers import CLIPImageProcessor, CLIPVisionModel

    try:
        net = CLIPVisionModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
        prepare = CLIPImageProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as wrong:
        raise WeightsError(f"{folder} holds no StreetCLIP that can be read; fetch it again.") from wrong
    out = []
    for path in pictures:
        try:
            with opened(path, what="picture") as file, Image.open(file) as image:
                upright = ImageOps.exif_transpose(image).convert("RGB")
        except OSError as wrong:
            raise DataError(f"{path.name} is no picture that can be read; leave it out.") from wrong
        with torch.inference_mode():
            out.append(net(**prepare(upright, return_tensors="pt")).last_hidden_state[0, 0].float().numpy())
    return np.stack(out)


def place(model: Plonk, vector: NDArray[np.float32], file: str, samples: int, seed: int, guidance: float = 1.0) -> Placed:
    """Place one picture by `samples` draws."""
    drawn = model.sample(vector, samples, seed, guidance)
    km = sphere.pairwise_km(drawn.xyz, drawn.xyz)
    within = (km <= PLACE_KM).mean(axis=1)
    best = int(np.argmax(within))
    lat, lon = sphere.to_lat_lon(drawn.xyz[best])
    return Placed(file, float(lat), float(lon), float(within[best]), float(np.median(km[best])), drawn.label)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab place-plonk`."""
    parser.add_argument("plonk", type=Path, help="folder with PLONK's config.json and model.safetensors")
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--streetclip", type=Path, default=None, help="StreetCLIP's folder (default: in the models folder)")
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--guidance", type=float, default=1.0, help="beyond 1 the draws are sharpened, and labelled so")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same to this file")


def run(args: argparse.Namespace) -> int:
    """Place pictures and print a line for each."""
    if args.samples < 2:
        raise DataError("--samples takes at least 2.")
    model = Plonk(args.plonk)
    vector = vectors(args.streetclip or models_dir() / "streetclip", args.pictures)
    if vector.shape[1] != model.net.shape.cond_dim:
        raise WeightsError(
            f"This PLONK checkpoint takes vectors of {model.net.shape.cond_dim} numbers, StreetCLIP gives {vector.shape[1]}; "
            "bring PLONK_OSV_5M."
        )
    placed = [place(model, v, p.name, args.samples, args.seed, args.guidance) for v, p in zip(vector, args.pictures, strict=True)]
    for x in placed:
        sure = f"{x.share_within_100_km:.0%} of draws within 100 km, half within {x.median_km_of_draws:,.0f} km"
        print(f"{x.file}: {x.lat_deg:.3f}, {x.lon_deg:.3f} ({x.label}; {sure})")
    if args.json:
        args.json.write_text(json.dumps([asdict(x) for x in placed], indent=2), encoding="utf-8")
    return 0
