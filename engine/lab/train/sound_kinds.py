"""`earwitness lab train-sound-kinds`: fit what tells animals, music, voices and machines apart in BirdNET's logits.

Labelled sounds give most of it; the recordings of known place give animals, in the windows in which the species of the recording
is heard, clean and under speech and music. Logistic regression on the first components of BirdNET's embedding, an author or a
place weighing as the root of how much is theirs. Held out by author and by H3 resolution-1 cell, so that nobody is on both sides.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from engine.clues.species import naming
from engine.core.errors import EarwitnessError
from engine.core.file import read_csv
from engine.core.paths import data_dir
from engine.lab.bench.counted import counted
from engine.lab.bench.metrics import bootstrap, to_json_text
from engine.lab.bench.ordinary import files_of
from engine.lab.bench.recordings import Condition
from engine.lab.data.listening import Windows, to_embedding, windows_of
from engine.lab.data.manifest import read_manifest
from engine.models import birdnet, sound_kinds
from engine.models.sound_kinds import KINDS, SoundKinds

# AudioSet's names of the labelled sounds; what is not named is "other".
_LABELS = {
    "bird": ("Bird vocalization, bird call, bird song", "Crow", "Crowing, cock-a-doodle-doo", "Chicken, rooster"),
    "frog": ("Frog",),
    "insect": ("Insect", "Cricket"),
    "mammal": ("Dog", "Cat", "Cattle, bovinae", "Pig", "Sheep", "Horse"),
    "music": (
        "Music", "Acoustic guitar", "Violin, fiddle", "Double bass", "Flute", "Saxophone", "Clarinet", "Cello", "Snare drum",
        "Bass drum", "Hi-hat", "Church bell",
    ),
    "voice": (
        "Baby cry, infant cry", "Snoring", "Sneeze", "Laughter", "Cough", "Breathing", "Screaming",
        "Hubbub, speech noise, speech babble", "Applause", "Clapping",
    ),
    "machine": (
        "Siren", "Vehicle horn, car horn, honking", "Helicopter", "Chainsaw", "Train", "Sawing", "Fixed-wing aircraft, airplane",
        "Engine", "Washing machine", "Alarm clock", "Vacuum cleaner", "Train horn", "Boat, Water vehicle", "Car alarm",
        "Reversing beeps", "Railroad crossing bell", "Jackhammer", "Traffic noise, roadway noise", "Steam engine", "Tick-tock",
        "Toothbrush", "Computer keyboard",
    ),
}  # fmt: skip
_KIND_OF = {label: kind for kind, labels in _LABELS.items() for label in labels}
_UNFIT = ("Sampling",)  # a licence that allows no training
CONDITIONS = (Condition(), Condition("speech", 0.0), Condition("music", 0.0))
SURE = {"clean": 0.5}  # from which score of its species a recording's window is taken to hold it
SURE_DEGRADED = 0.3
COMPONENTS = 100
STRENGTH = 0.1  # inverse of the penalty on weights
FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A sound with windows of known kind.

    Attributes:
        id, source, author, licence: as its manifest names it.
        group: stays together in folds.
        embedding: (n, 1024) of its windows of known kind.
        kinds: (n,) their kinds, indices into KINDS.
        where: "sounds" or the condition of a recording.
    """

    id: str
    source: str
    author: str
    licence: str
    group: str
    embedding: NDArray[np.float32] = field(repr=False)
    kinds: NDArray[np.int64] = field(repr=False)
    where: str = "sounds"


def group_of_place(lat_deg: float, lon_deg: float) -> str:
    """The H3 resolution-1 cell of a place, as the name of a group."""
    return f"cell {int(h3.latlng_to_cell(lat_deg, lon_deg, 1))}"


def load(data: Path, seed: int = 0) -> list[Labelled]:
    """All sounds with a kind. Files that cannot be decoded, and those too short, are passed over."""
    found = []
    for path, row in counted(files_of(data / "sounds", "sounds"), "sounds"):
        licence = row.get("license", "")
        heard = _windows(path, row.get("id", path.stem)) if not any(u in licence for u in _UNFIT) else None
        if heard is not None:
            author = row.get("author") or row.get("source_recording") or path.name
            kind = KINDS.index(_KIND_OF.get(row.get("label", ""), "other"))
            kinds = np.full(len(heard.embedding), kind)
            source = row.get("source_recording") or path.name
            found.append(Labelled(path.stem, source, author, licence, f"author {author}", heard.embedding, kinds))
    rows = {r["id"]: r for r in read_csv(data / "recordings" / "manifest.csv", what="manifest")}
    for condition in CONDITIONS:
        for sample in counted(read_manifest(data / "recordings"), f"recordings, {condition.name}"):
            label = naming.known(rows[sample.id].get("species", ""))
            heard = _windows(sample.path, sample.id, condition, seed) if label is not None else None
            if heard is None or label is None:
                continue
            index = birdnet.index_of(label.latin)
            sure = heard.scores_of(index) >= SURE.get(condition.name, SURE_DEGRADED)
            kinds = np.full(int(sure.sum()), KINDS.index(sound_kinds.kind_of(index)))
            if sure.any():
                row = rows[sample.id]
                group = group_of_place(sample.lat_deg, sample.lon_deg)
                found.append(
                    Labelled(
                        sample.id, row.get("source", ""), "", row.get("license", ""), group, heard.embedding[sure], kinds,
                        condition.name,
                    )
                )  # fmt: skip
    return found


def _windows(path: Path, sound_id: str, condition: Condition | None = None, seed: int = 0) -> Windows | None:
    try:
        heard = windows_of(path, sound_id, condition, seed)
    except EarwitnessError:
        return None
    return heard if len(heard.embedding) else None


def fold_of(groups: Sequence[str], folds: int, seed: int) -> NDArray[np.int64]:
    """(n,) the fold of each group, groups drawn at random."""
    distinct, at = np.unique(np.array(groups), return_inverse=True)
    out: NDArray[np.int64] = np.random.default_rng(seed).permutation(len(distinct))[at] % folds
    return out


def fit(sounds: Sequence[Labelled]) -> SoundKinds:
    """Fit the classifier."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression

    x = np.concatenate([s.embedding for s in sounds]).astype(np.float64)
    y = np.concatenate([s.kinds for s in sounds])
    amount = Counter[str]()
    for s in sounds:
        amount[s.group] += len(s.kinds)
    weight = np.concatenate([np.full(len(s.kinds), amount[s.group] ** -0.5) for s in sounds])
    for kind in np.unique(y):
        weight[y == kind] /= np.sqrt(weight[y == kind].sum())
    weight *= len(weight) / weight.sum()
    parts = PCA(min(COMPONENTS, *x.shape), whiten=True, svd_solver="full", random_state=0).fit(x)
    found = LogisticRegression(C=STRENGTH, max_iter=1000).fit(parts.transform(x), y, sample_weight=weight)
    scaled = parts.components_ / np.sqrt(parts.explained_variance_)[:, None]  # (components, 1024)
    of_embedding = np.zeros((x.shape[1], len(KINDS)))
    offset = np.full(len(KINDS), -30.0)  # a kind that no sound has is never said
    of_embedding[:, found.classes_] = scaled.T @ found.coef_.T
    offset[found.classes_] = found.intercept_ - parts.mean_ @ of_embedding[:, found.classes_]
    weights = to_embedding().T.astype(np.float64) @ of_embedding
    bias = offset - birdnet.class_layer()[1].astype(np.float64) @ weights
    return SoundKinds(weights.astype(np.float32), bias.astype(np.float32))


def chances(model: SoundKinds, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 8) of embeddings (n, 1024)."""
    weights, bias = birdnet.class_layer()
    return model.chances(embedding @ weights.T + bias)


def held_out(sounds: Sequence[Labelled], seed: int) -> list[NDArray[np.int64]]:
    """For each sound, the likeliest kind (n,) of each of its windows by a classifier that knows nothing of its group."""
    fold = fold_of([s.group for s in sounds], FOLDS, seed)
    out: list[NDArray[np.int64]] = [np.zeros(0, np.int64)] * len(sounds)
    for k in range(FOLDS):
        model = fit([s for s, f in zip(sounds, fold, strict=True) if f != k])
        for i in np.flatnonzero(fold == k).tolist():
            out[i] = chances(model, sounds[i].embedding).argmax(1)
    return out


def report(sounds: Sequence[Labelled], found: Sequence[NDArray[np.int64]], seed: int) -> dict[str, Any]:
    """How often the likeliest kind is right, of windows: for each kind with a 95% interval by group, and confusions."""
    confusion = np.zeros((len(KINDS), len(KINDS)), dtype=int)
    for s, guess in zip(sounds, found, strict=True):
        np.add.at(confusion, (s.kinds, guess), 1)
    out: dict[str, Any] = {"kinds": {}, "confusion": confusion.tolist(), "seed": seed}
    for k, kind in enumerate(KINDS):
        own = [
            (s.group, float((g == k).sum()), len(g))
            for s, g in zip(sounds, found, strict=True)
            if len(g) and (s.kinds == k).all()
        ]
        if not own:
            continue
        right, n = np.array([r for _, r, _ in own]), np.array([m for *_, m in own])
        groups = [g for g, *_ in own]
        interval = bootstrap({"": _share_of(right, n)}, len(own), groups, seed, 1000)[""]
        out["kinds"][kind] = {
            "windows": int(n.sum()),
            "groups": len(set(groups)),
            "right": float(right.sum() / n.sum()),
            "interval": [interval.low, interval.high],
        }
    out["right"] = float(np.trace(confusion) / confusion.sum())
    return out


def _share_of(right: NDArray[np.float64], n: NDArray[np.int64]) -> Callable[[NDArray[np.int64]], float]:
    return lambda i: float(right[i].sum() / n[i].sum())


def write(model: SoundKinds, sounds: Sequence[Labelled], file: Path) -> None:
    """The classifier, and beside it whose sounds it was trained on."""
    np.savez(file, weights=model.weights.astype(np.float32), bias=model.bias)
    named = sorted({(s.id, s.source, s.author, s.licence) for s in sounds})
    with file.with_suffix(".csv").open("w", newline="", encoding="utf-8") as out:
        csv.writer(out, lineterminator="\n").writerows([("id", "source", "author", "licence"), *named])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab train-sound-kinds`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with sounds and recordings (default: EARWITNESS_DATA)")
    parser.add_argument("--out", type=Path, default=sound_kinds.FILE, help="write the classifier to this file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Cross-validate, fit on everything, write."""
    sounds = load(args.data or data_dir(), args.seed)
    found = report(sounds, held_out(sounds, args.seed), args.seed)
    for kind, row in found["kinds"].items():
        low, high = row["interval"]
        print(
            f"{kind:8s} {row['right']:6.1%} of {row['windows']:,} windows right ({low:.1%} to {high:.1%}), {row['groups']} groups"
        )
    print(f"{found['right']:.1%} of all windows, held out by author and place")
    write(fit(sounds), sounds, args.out)
    if args.json:
        args.json.write_text(to_json_text(found) + "\n", encoding="utf-8")
    return 0
