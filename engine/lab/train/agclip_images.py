"""Train AG-CLIP on spectrograms of recordings: `earwitness lab train-agclip-images`.

MobileNetV3-Large with a species head and a location head. Loss: contrastive over the batch against the frozen GeoCLIP location
encoder, plus 0.01 times the binary cross-entropy of the checklist, summed over species and averaged over the batch. SGD with
Nesterov momentum 0.9, batch 128, weight decay 1e-5, the rate 1e-3 rising to 1e-2 over 5 epochs, then falling along a cosine to
1e-3 over 45; it stops early when the validation's median error has not fallen for 10 epochs. One image is cut out of each
recording at random; up to 15 rows and columns are blanked.

Checklists come from BirdNET's range model (any time of the year, chance at least 0.1); the paper took them from SINR. The
backbone may start from a checkpoint (`--start`), as the paper's did from one trained on iNatSounds's species.

Source: Chasmai et al. 2025, arXiv 2505.18726, section 4 and appendix.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import DataError
from engine.lab.bench import metrics
from engine.lab.bench.gallery_choice import gallery_of, geoclip_vectors
from engine.lab.data.dataset import WHERE, Recording, read, with_sound
from engine.lab.train.baseline import CHECKLIST_WEIGHT, Schedule
from engine.models import agclip_image, birdnet, checkpoint, spectrogram
from engine.models.geoclip_location import DIMENSIONS, LOGIT_SCALE, location_encoder
from engine.models.spectrogram import ImageSetting

if TYPE_CHECKING:
    import torch

CHECKLIST_CHANCE = 0.1
BLANKED = 15


@dataclass(frozen=True, slots=True)
class History:
    """What happened: mean loss and validation's median error by epoch, and which epoch was kept."""

    loss: tuple[float, ...]
    median_km: tuple[float, ...]
    kept: int


def levels_of(recording: Recording, s: ImageSetting) -> NDArray[np.float64]:
    """Mel levels (mels, frames) of a recording's file; a .npy is taken as the authors' stored uint8 image.

    Raises:
        MediaError: the sound cannot be read.
        DataError: the stored image has another shape.
    """
    if recording.path.suffix == ".npy":
        image = np.load(recording.path, allow_pickle=False)
        if image.ndim != 2 or len(image) != s.mels:
            raise DataError(f"{recording.path.name} is no image of {s.mels} rows; prepare the spectrograms again.")
        return image / 255.0
    from engine.media import open_clip

    with open_clip(recording.path) as reader:
        samples = np.concatenate([block.samples for block in reader.audio(s.rate_hz)])
    return spectrogram.levels(samples, s)


def checklists_at(recordings: Sequence[Recording]) -> NDArray[np.float32]:
    """(n, 6522) 0/1 of the species that live at each place, any time of the year."""
    lat, lon = np.array([(r.lat_deg, r.lon_deg) for r in recordings]).T
    chance = birdnet.RangeModel().occurrence(lat, lon)
    chance[:, ~birdnet.is_species()] = 0.0
    return (chance >= CHECKLIST_CHANCE).astype(np.float32)


def train(
    training: Sequence[Recording],
    validation: Sequence[Recording],
    s: ImageSetting,
    schedule: Schedule,
    start: Path | None = None,
    device: str = "cpu",
    gallery: str = "geoclip",
    say: Callable[[str], None] = print,
) -> tuple[torch.nn.Module, History]:
    """Train and return the network of the best epoch, in evaluation mode.

    Raises:
        DataError: nothing to train or validate on.
        WeightsError: `start` is missing or another network's.
    """
    import torch

    if not training or not validation:
        raise DataError("Training needs recordings and others to validate on; give both splits.")
    torch.manual_seed(schedule.seed)
    rng = np.random.default_rng(schedule.seed)
    listed = checklists_at(training)
    net = agclip_image.network(listed.shape[1], s.shared_hidden)
    if start is not None:
        state = {k: v for k, v in checkpoint.read_state(start).items() if not k.startswith("classifier.3")}
        net.load_state_dict(state, strict=False)
    net.to(device)
    optimiser = torch.optim.SGD(net.parameters(), lr=schedule.rate, momentum=0.9, nesterov=True, weight_decay=schedule.decay)
    place = torch.from_numpy(location_encoder().embed(*np.array([(r.lat_deg, r.lon_deg) for r in training]).T))
    levels = [levels_of(r, s) for r in training]  # one byte would do; a large set is prepared as .npy and mapped
    losses: list[float] = []
    medians: list[float] = []
    best_state, kept = None, 0
    for epoch in range(schedule.epochs):
        for group in optimiser.param_groups:
            group["lr"] = schedule.at(epoch)
        net.train()
        seen = []
        for rows in _batches(len(training), schedule.batch, rng):
            cut = np.stack([_blanked(_cut(levels[i], s, rng), rng) for i in rows])
            out = net(spectrogram.images(cut, s).to(device))
            loss = loss_of(out, place[rows].to(device), torch.from_numpy(listed[rows]).to(device))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 100.0)
            optimiser.step()
            seen.append(loss.item())
        losses.append(float(np.mean(seen)))
        net.eval()
        medians.append(float(np.median(errors(net, validation, s, gallery, device))))
        say(f"epoch {epoch + 1}  rate {schedule.at(epoch):.4f}  loss {losses[-1]:.3f}  median {medians[-1]:,.0f} km")
        if medians[-1] <= min(medians):
            kept = epoch
            best_state = {k: v.detach().cpu().clone() for k, v in net.state_dict().items()}
        elif epoch - kept >= schedule.patience:
            break
    assert best_state is not None
    net.load_state_dict(best_state)
    return net.eval(), History(tuple(losses), tuple(medians), kept)


def loss_of(out: torch.Tensor, place: torch.Tensor, listed: torch.Tensor) -> torch.Tensor:
    """The paper's loss of outputs (n, species + 512), places' vectors (n, 512) and checklists (n, species)."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize

    species, location = out[:, :-DIMENSIONS], out[:, -DIMENSIONS:]
    contrast = cross_entropy(LOGIT_SCALE * normalize(location, dim=1) @ place.T, torch.arange(len(out), device=out.device))
    return contrast + CHECKLIST_WEIGHT * binary_cross_entropy_with_logits(species, listed, reduction="sum") / len(out)


def places_of(
    net: torch.nn.Module, recordings: Sequence[Recording], s: ImageSetting, gallery: str = "geoclip", device: str = "cpu"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitudes and longitudes (n,): windows' vectors averaged, the gallery's nearest."""
    import torch

    chosen = gallery_of(gallery)
    held = geoclip_vectors(chosen)
    best = []
    for r in recordings:
        cut = spectrogram.windows(levels_of(r, s), s)
        with torch.inference_mode():
            out = net(spectrogram.images(cut, s).to(device)).cpu().numpy()[:, -DIMENSIONS:]
        best.append(int((held @ out.mean(axis=0)).argmax()))
    return chosen.lat_deg[best], chosen.lon_deg[best]


def errors(
    net: torch.nn.Module, recordings: Sequence[Recording], s: ImageSetting, gallery: str = "geoclip", device: str = "cpu"
) -> NDArray[np.float64]:
    """Errors in km (n,)."""
    truth = np.array([(r.lat_deg, r.lon_deg) for r in recordings]).T
    return metrics.errors_km(*places_of(net, recordings, s, gallery, device), *truth)


def _batches(n: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    order = rng.permutation(n)
    for at in range(0, n, size):
        if len(part := order[at : at + size]) > 1:  # one alone has nothing to be contrasted with, nor a batch to be normed by
            yield part


def _cut(level: NDArray[np.float64], s: ImageSetting, rng: np.random.Generator) -> NDArray[np.float64]:
    if level.shape[1] <= s.frames:
        return spectrogram.windows(level, s)[0]
    at = int(rng.integers(0, level.shape[1] - s.frames))
    return level[:, at : at + s.frames]


def _blanked(image: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    image = image.copy()
    row, column = (int(rng.integers(0, n - BLANKED)) for n in image.shape)
    image[row : row + int(rng.integers(0, BLANKED))] = 0.0
    image[:, column : column + int(rng.integers(0, BLANKED))] = 0.0
    return image


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab train-agclip-images`."""
    parser.add_argument("kind", choices=tuple(WHERE), help="form of the data set")
    parser.add_argument("path", type=Path, help="its folder")
    parser.add_argument("--setting", choices=tuple(spectrogram.SETTINGS), default="paper")
    parser.add_argument("--start", type=Path, default=None, help="checkpoint whose backbone is taken over")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--gallery", default="geoclip")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for weights.safetensors and model.json")


def run(args: argparse.Namespace) -> int:
    """Train and write the network."""
    from safetensors.torch import save_file

    if args.kind == "inatsounds":
        training, validation = (with_sound(read(args.kind, args.path, s), args.kind) for s in ("train", "val"))
    else:
        every = with_sound(read(args.kind, args.path), args.kind)
        order = np.random.default_rng(args.seed).permutation(len(every))
        fifth = max(1, len(every) // 5)
        training, validation = (tuple(every[i] for i in part) for part in (order[fifth:], order[:fifth]))
    schedule = Schedule(epochs=args.epochs, batch=args.batch, seed=args.seed)
    s = spectrogram.setting(args.setting)
    net, history = train(training, validation, s, schedule, args.start, args.device, args.gallery)
    args.output.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, args.output / "weights.safetensors")
    card = {"model": agclip_image.MODEL_ID, "setting": args.setting, "schedule": asdict(schedule), "history": asdict(history)}
    (args.output / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(f"kept epoch {history.kept + 1}, median {history.median_km[history.kept]:,.0f} km on {len(validation)} recordings")
    return 0
