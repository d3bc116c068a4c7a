"""What acoustic atoms are measured against: other ways to say which sounds are in a mixture, and to take them out of it.

All were trained on the same sounds. Each gives (n, labels) scores and, where it can, the waves of labels asked for. The set of
labels that a rival names is what scores above one threshold, fitted on the same validation mixtures as the model's own stop.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.lab.data import atoms as atoms_data
from engine.models import atoms

NMF_FILE = "nmf.npz"
NMF_PARTS = 8  # components per label
NMF_ROUNDS = 50
_NMF_FRAMES = 2500  # of each label, to learn from


class Rival(Protocol):
    """A way to hear a mixture. `known` are the labels it can name; the others' scores are NaN."""

    @property
    def name(self) -> str: ...

    @property
    def what(self) -> str: ...

    @property
    def known(self) -> tuple[str, ...]: ...

    def scores(self, waves: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, labels) of mixtures (n, samples)."""
        ...

    def parts(self, waves: NDArray[np.float32], wanted: Sequence[Sequence[str]]) -> list[NDArray[np.float32]] | None:
        """Per mixture (labels wanted, samples); None where it takes nothing apart."""
        ...


@dataclass(frozen=True, slots=True)
class Autoregressive:
    """The model itself, or its faithful variant."""

    name: str
    what: str
    net: atoms.Decomposer

    @property
    def known(self) -> tuple[str, ...]:
        return self.net.labels

    def scores(self, waves: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.net.scores(waves)

    def parts(self, waves: NDArray[np.float32], wanted: Sequence[Sequence[str]]) -> list[NDArray[np.float32]] | None:
        found = self.net.decompose(waves, wanted)
        return [np.stack([s.wave for s in d.steps]) for d in found]


@dataclass(frozen=True, slots=True)
class OnePass:
    """Without subtraction: every label, and its part, from the mixture at once.

    Attributes:
        head: "label" for the sparse autoencoder's kernels, "present" for the plain classifier.
    """

    name: str
    what: str
    net: atoms.Decomposer
    head: str

    @property
    def known(self) -> tuple[str, ...]:
        return self.net.labels

    def scores(self, waves: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        out = []
        with torch.inference_mode():
            for at in range(0, len(waves), 32):
                power = torch.from_numpy(atoms.power_grid(waves[at : at + 32]))
                z = self.net.net.encode(power, torch.ones_like(power))[self.head]
                out.append(torch.sigmoid(z - self.net.net.threshold if self.head == "label" else z).numpy())
        return np.concatenate(out)

    def parts(self, waves: NDArray[np.float32], wanted: Sequence[Sequence[str]]) -> list[NDArray[np.float32]] | None:
        import torch

        if self.head != "label":
            return None
        out = []
        for wave, labels in zip(waves, wanted, strict=True):
            spectrum = atoms.transform(wave)
            power = torch.from_numpy(atoms.power_grid(wave))[None].expand(len(labels), -1, -1).contiguous()
            index = torch.tensor([self.known.index(k) for k in labels])
            with torch.inference_mode():
                state = self.net.net.encode(power, torch.ones_like(power))
                masks = self.net.net.mask(state, index, power)[0].numpy()
            out.append(atoms.inverse(spectrum[None] * atoms.spread(masks, len(spectrum)), len(wave)))
        return out


@dataclass(frozen=True, slots=True)
class Nmf:
    """Supervised non-negative matrix factorisation (scikit-learn), a dictionary per label learned apart.

    Levels are amplitudes on the model's own grid; activations are fitted to a mixture with the dictionary held
    (Kullback-Leibler). A label's score is its share of what was explained, or, with `logistic`, what a logistic regression makes
    of all shares, fitted on mixtures of the sounds trained on.
    """

    name: str
    what: str
    folder: Path
    logistic: bool

    @property
    def _held(self) -> dict[str, NDArray[np.float32]]:
        file = self.folder / NMF_FILE
        if not file.is_file():
            raise WeightsError(f"{file} is missing; restore it from the repository, or run: earwitness lab train-atoms-nmf")
        with np.load(file, allow_pickle=False) as data:
            return {k: data[k].astype(np.float32) for k in data.files if k != "labels"}

    @property
    def known(self) -> tuple[str, ...]:
        with np.load(self.folder / NMF_FILE, allow_pickle=False) as data:
            return tuple(str(k) for k in data["labels"])

    def scores(self, waves: NDArray[np.float32]) -> NDArray[np.float32]:
        held = self._held
        share = nmf_shares(np.sqrt(atoms.power_grid(waves)), held["dictionary"])
        if not self.logistic:
            return share
        z = np.log(share + 1e-3) @ held["weights"].T + held["bias"]
        return (1.0 / (1.0 + np.exp(-z))).astype(np.float32)

    def parts(self, waves: NDArray[np.float32], wanted: Sequence[Sequence[str]]) -> list[NDArray[np.float32]] | None:
        if self.logistic:
            return None
        dictionary = self._held["dictionary"]
        known = self.known
        grids = np.sqrt(atoms.power_grid(waves))
        active = nmf_activations(grids, dictionary)
        out = []
        for wave, own, labels in zip(waves, active, wanted, strict=True):
            levels = np.einsum("kt,kf->kft", own, dictionary.reshape(-1, atoms.BANDS)).reshape(
                len(known), NMF_PARTS, atoms.BANDS, -1
            )
            by_label = levels.sum(axis=1) ** 2
            masks = by_label[[known.index(k) for k in labels]] / (by_label.sum(axis=0) + 1e-12)
            spectrum = atoms.transform(wave)
            out.append(atoms.inverse(spectrum[None] * atoms.spread(masks, len(spectrum)), len(wave)))
        return out


def nmf_activations(grids: NDArray[np.float32], dictionary: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, components, frames) activations of amplitudes (n, BANDS, frames), the dictionary (labels, parts, BANDS) held."""
    from sklearn.decomposition import non_negative_factorization

    n, bands, frames = grids.shape
    scale = np.maximum(grids.mean(axis=(1, 2), keepdims=True), 1e-9)
    x = np.swapaxes(grids / scale, 1, 2).reshape(-1, bands).astype(np.float32) + np.float32(1e-4)
    held = dictionary.reshape(-1, bands).astype(np.float32)
    found, _, _ = non_negative_factorization(
        x,
        H=held,
        init="custom",
        update_H=False,
        n_components=len(held),
        solver="mu",
        beta_loss="kullback-leibler",
        max_iter=NMF_ROUNDS,
        tol=0.0,
        alpha_W=0.002,
        l1_ratio=1.0,
    )
    return np.swapaxes(found.reshape(n, frames, -1), 1, 2) * scale


def nmf_shares(grids: NDArray[np.float32], dictionary: NDArray[np.float32], batch: int = 32) -> NDArray[np.float32]:
    """(n, labels) share of each label in what the dictionary explains of amplitudes (n, BANDS, frames)."""
    out = []
    for at in range(0, len(grids), batch):
        active = nmf_activations(grids[at : at + batch], dictionary)
        energy = (active * dictionary.sum(axis=2).reshape(1, -1, 1)).sum(axis=2)
        own = energy.reshape(len(energy), len(dictionary), -1).sum(axis=2)
        out.append(own / np.maximum(own.sum(axis=1, keepdims=True), 1e-12))
    return np.concatenate(out).astype(np.float32)


# BirdNET's own classes where they mean the same: the label, and words of which a class's common name holds one.
BIRDNET_WORDS = {
    "Dog": ("Dog",),
    "Engine": ("Engine",),
    "Siren": ("Siren",),
    "Chainsaw": ("Power tools",),
    "Crow": ("Crow",),
    "Crowing, cock-a-doodle-doo": ("Red Junglefowl",),
    "Chicken, rooster": ("Red Junglefowl",),
    "Frog": ("frog", "Frog", "Toad", "toad", "Peeper", "Spadefoot"),
    "Insect": ("Cricket", "cricket", "Katydid", "katydid", "Conehead", "Trig", "Cicada", "Grasshopper"),
    "Baby cry, infant cry": ("Human vocal", "Human non-vocal"),
    "Sneeze": ("Human non-vocal",),
    "Snoring": ("Human non-vocal",),
}


class BirdNet:
    """BirdNET's own classes: the best score of any class that means the label, in windows of 3 s."""

    name = "birdnet"
    what = "BirdNET's own classes, where they overlap"

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels

    @cached_property
    def classes(self) -> dict[str, NDArray[np.int64]]:
        """Of each label that BirdNET can name, the indices of its classes."""
        from engine.models import birdnet

        every = birdnet.labels()
        taken = {
            k: [i for i, c in enumerate(every) if any(_names(w, c.common) for w in words)] for k, words in BIRDNET_WORDS.items()
        }
        others = {i for rows in (taken[k] for k in ("Frog", "Insect")) for i in rows}
        bird = "Bird vocalization, bird call, bird song"
        taken[bird] = [i for i, c in enumerate(every) if c.is_species and i not in others]
        return {k: np.array(rows) for k, rows in taken.items() if rows and k in self.labels}

    @property
    def known(self) -> tuple[str, ...]:
        return tuple(k for k in self.labels if k in self.classes)

    def scores(self, waves: NDArray[np.float32]) -> NDArray[np.float32]:
        import soxr

        from engine.models import birdnet

        listener = birdnet.Listener()
        out = np.full((len(waves), len(self.labels)), np.nan, np.float32)
        for i, wave in enumerate(waves):
            high = soxr.resample(wave, atoms.RATE_HZ, birdnet.RATE_HZ)
            last = len(high) - birdnet.WINDOW_SAMPLES
            scores = listener.scores(np.stack([high[: birdnet.WINDOW_SAMPLES], high[last:]]).astype(np.float32)).max(axis=0)
            for k, rows in self.classes.items():
                out[i, self.labels.index(k)] = scores[rows].max()
        return out

    def parts(self, waves: NDArray[np.float32], wanted: Sequence[Sequence[str]]) -> list[NDArray[np.float32]] | None:
        return None


def _names(word: str, common: str) -> bool:
    # whole words: "Crow" is no "Crowned", "Dog" no "Dogtooth"; lower-case words may be parts ("Treefrog")
    return word in common if word[0].islower() else f" {word} " in f" {common.replace('-', ' ')} "


def rivals(folder: Path, labels: tuple[str, ...], with_birdnet: bool) -> tuple[Rival, ...]:
    """Every rival whose weights are there."""
    found: list[Rival] = []
    for file, make in (
        ("classifier", lambda net: OnePass("classifier", "the same encoder as a plain multi-label classifier", net, "present")),
        (
            "one_pass",
            lambda net: OnePass("one_pass", "the same sparse autoencoder in one pass, nothing subtracted", net, "label"),
        ),
        (
            "faithful",
            lambda net: Autoregressive("faithful", "the description to the letter: dictionary's masks, residual alone", net),
        ),
    ):
        if (folder / f"{file}.safetensors").is_file():
            found.append(make(atoms.Decomposer(folder, f"{file}.safetensors")))
    if (folder / NMF_FILE).is_file():
        found.append(Nmf("nmf", "supervised NMF, share of what is explained", folder, False))
        found.append(Nmf("nmf_logistic", "the same NMF with a logistic regression on top", folder, True))
    if with_birdnet:
        found.append(BirdNet(labels))
    return tuple(found)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness lab train-atoms-nmf`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/sounds)")
    parser.add_argument("-o", "--output", type=Path, default=atoms.FOLDER, help="folder of model.json")
    parser.add_argument("--mixtures", type=int, default=300, help="of each size, for the logistic regression (default: 300)")


def run(args: argparse.Namespace) -> int:
    """Learn a dictionary per label, and a regression on mixtures, from the sounds the model was trained on."""
    from sklearn.decomposition import NMF
    from sklearn.linear_model import LogisticRegression

    from engine.core.paths import data_dir

    card = atoms.Decomposer(args.output).card
    labels, seed = tuple(card["labels"]), int(card["setting"]["seed"])
    sounds = atoms_data.read_sounds(args.data or data_dir() / "sounds")
    train = atoms_data.split(sounds, labels, seed).train
    held = atoms_data.powers(train)
    rng = np.random.default_rng(seed)
    dictionary = np.zeros((len(labels), NMF_PARTS, atoms.BANDS), np.float32)
    for at, k in enumerate(labels):
        frames = np.sqrt(np.concatenate([held[s.id] for s in train if s.label == k and s.id in held], axis=1)).T
        frames = frames[frames.sum(axis=1) > 1e-2 * frames.sum(axis=1).max()]
        frames = frames[rng.permutation(len(frames))[:_NMF_FRAMES]] + np.float32(1e-5)
        model = NMF(NMF_PARTS, init="nndsvda", solver="mu", beta_loss="kullback-leibler", max_iter=150, random_state=seed)
        model.fit(frames)
        dictionary[at] = model.components_ / np.maximum(model.components_.sum(axis=1, keepdims=True), 1e-9)
    every = [m for size in (1, 2, 3, 4) for m in atoms_data.mixtures(train, args.mixtures, size, seed + 7)]
    waves = np.stack([m.wave for m in every])
    share = np.concatenate(
        [nmf_shares(np.sqrt(atoms.power_grid(waves[a : a + 32])), dictionary) for a in range(0, len(waves), 32)]
    )
    x = np.log(share + 1e-3)
    fits = [LogisticRegression(C=0.3, max_iter=500).fit(x, [k in m.labels for m in every]) for k in labels]
    np.savez(
        args.output / NMF_FILE,
        labels=np.array(labels),
        dictionary=dictionary.astype(np.float16),
        weights=np.array([f.coef_[0] for f in fits], np.float32),
        bias=np.array([f.intercept_[0] for f in fits], np.float32),
    )
    print(args.output / NMF_FILE)
    return 0
