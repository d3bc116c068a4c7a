"""`earwitness embed CLIP… -o x.parquet`: vectors of the sound of clips, for whatever else one may do with them.

    birdnet   mean over the windows of what BirdNET's network makes of the sound before its class layer (1,024 numbers)
    agclip    AG-CLIP's vector in GeoCLIP's location space (512), of the best score of each species
    agclip-images  the same from spectrograms, with a checkpoint (--checkpoint)

Each row: path, sha256, model, vector, and the place where `--manifest` gives one. From Python: `sound_embedding(path)`.

Maps of such vectors are in `engine.clues.agclip.soundscape` (Chasmai et al. 2025, A.11).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.clip import Reader
from engine.core.errors import DataError, EarwitnessError, MediaError, SettingError
from engine.models import agclip, agclip_image, birdnet, spectrogram

MODELS = ("agclip", "birdnet", "agclip-images")


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """One clip's vector.

    Attributes:
        vector: (d,) float32.
        model: which model made it.
    """

    path: str
    sha256: str
    model: str
    vector: NDArray[np.float32]
    lat_deg: float | None = None
    lon_deg: float | None = None


def sound_embedding(path: str | Path, model: str = "agclip", checkpoint: Path | None = None) -> Embedding:
    """The vector of a clip's sound.

    Args:
        model: one of MODELS.
        checkpoint: for "agclip-images".

    Raises:
        SettingError: no such model, or it needs a checkpoint.
        MediaError: the clip cannot be read or has no sound.
    """
    if model not in MODELS:
        raise SettingError(f"There is no model {model!r}; choose one of {', '.join(MODELS)}.")
    from engine.media import open_clip

    with open_clip(path) as reader:
        if not reader.clip.audio_tracks:
            raise MediaError("The clip has no sound; choose one with an audio track.")
        vector = _vector(reader, model, checkpoint)
        return Embedding(str(path), reader.clip.sha256, model, vector)


def _vector(reader: Reader, model: str, checkpoint: Path | None) -> NDArray[np.float32]:
    if model == "agclip-images":
        if checkpoint is None:
            raise SettingError("The model agclip-images needs its weights; give --checkpoint FILE.")
        net = agclip_image.load(checkpoint)
        name = "code" if agclip_image.shares_hidden(net) else "paper"
        s = spectrogram.setting(name)
        samples = np.concatenate([b.samples for b in reader.audio(s.rate_hz)])
        return agclip_image.embed(net, samples, s)[1].mean(axis=0)
    from engine.clues.species.observe import default_stride_s, windows_of

    windows = windows_of(reader, default_stride_s(reader.clip.duration_s))
    best, total, count = np.zeros(len(birdnet.labels()), dtype=np.float32), np.zeros(1024), 0
    for _, window in windows:
        scores = _listener().scores(window[None])[0]
        best = np.maximum(best, scores)
        if model == "birdnet":
            total += before_classes(scores)
            count += 1
    if model == "birdnet":
        if not count:
            raise MediaError("The clip is silent from end to end; choose one with sound.")
        return (total / count).astype(np.float32)
    return agclip.agclip().embed(best)[0][agclip.GEOCLIP_PART]


@cache
def _listener() -> birdnet.Listener:
    return birdnet.Listener()


@cache
def _class_inverse() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from engine.lab.data.simulate import class_layer

    weights, bias = class_layer()
    return np.linalg.pinv(weights.astype(np.float64)), bias.astype(np.float64)


def before_classes(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """(1024,) what stands before BirdNET's class layer, solved for from its scores (6522,).

    6,522 equations in 1,024 unknowns; scores at the clip of ±15 log-odds are left to the others by least squares.
    """
    inverse, bias = _class_inverse()
    p = np.clip(scores.astype(np.float64), 1e-12, 1 - 1e-12)
    return inverse @ (np.log(p / (1 - p)) - bias)


def write(path: Path, rows: Iterable[Embedding]) -> int:
    """Write rows as parquet or, by the suffix, CSV; returns how many.

    Raises:
        DataError: there is none.
    """
    import pandas as pd

    from engine.report.formats.csv import harmless

    held = list(rows)
    if not held:
        raise DataError("No clip could be embedded, so nothing was written.")
    frame = pd.DataFrame(
        {
            "path": [r.path for r in held],
            "sha256": [r.sha256 for r in held],
            "model": [r.model for r in held],
            "lat": [r.lat_deg for r in held],
            "lon": [r.lon_deg for r in held],
            "vector": [r.vector.tolist() for r in held],
        }
    )
    if path.suffix == ".csv":
        frame.assign(path=frame["path"].map(harmless)).to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
    return len(held)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness embed`."""
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP")
    parser.add_argument("--manifest", type=Path, default=None, help="folder with a manifest.csv: its files, with their places")
    parser.add_argument("--model", choices=MODELS, default="agclip")
    parser.add_argument("--checkpoint", type=Path, default=None, help="weights for agclip-images")
    parser.add_argument("-o", "--output", type=Path, required=True, help="table to write (.parquet or .csv)")


def run(args: argparse.Namespace) -> int:
    """Embed every clip; those that cannot be read are named and left out."""
    from engine.lab.data.manifest import read_manifest

    wanted: list[tuple[Path, float | None, float | None]] = [(c, None, None) for c in args.clips]
    if args.manifest:
        wanted += [(s.path, s.lat_deg, s.lon_deg) for s in read_manifest(args.manifest)]
    if not wanted:
        raise SettingError("There is nothing to embed; give clips, or a folder with --manifest.")
    rows, failed = [], 0
    for path, lat, lon in wanted:
        try:
            one = sound_embedding(path, args.model, args.checkpoint)
        except MediaError as wrong:
            print(f"{path.name!r}: {wrong}")
            failed += 1
            continue
        rows.append(Embedding(one.path, one.sha256, one.model, one.vector, lat, lon))
    print(f"{write(args.output, rows)} clips in {args.output}" + (f", {failed} could not be read" if failed else ""))
    return 0 if not failed else EarwitnessError.exit_code
