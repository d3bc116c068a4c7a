"""The dictionary of atoms as the page shows it: a label's kernels, made audible, and the recordings that excite them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.models import atoms
from engine.models.atoms import decomposer


def kernel_wave(label: str, kernel: int, seconds: float = 1.5, seed: int = 0) -> NDArray[np.float32]:
    """A kernel made audible, (n,) at RATE_HZ: its levels, again and again, with phases that fit them.

    Nothing recorded is in it: levels from the dictionary, phases from noise, brought into agreement by Griffin and Lim 1984.
    """
    net = decomposer()
    levels = net.kernels[net.labels.index(label), kernel]
    times = max(1, round(seconds / (atoms.KERNEL_FRAMES * atoms.FRAME_S)))
    amplitude = np.tile(levels**2, (1, times))
    target = atoms.spread(amplitude[None], 2 * amplitude.shape[1])[0]
    rng = np.random.default_rng(seed)
    length = (len(target) - 1) * atoms.HOP
    phase = np.exp(2j * np.pi * rng.random(target.shape))
    wave = np.zeros(length, np.float32)
    for _ in range(24):
        wave = atoms.inverse((target * phase).astype(np.complex64), length)
        again = atoms.transform(wave)
        phase = again / np.maximum(np.abs(again), 1e-9)
    return (0.3 * wave / max(float(np.abs(wave).max()), 1e-9)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Entry:
    """One label of the dictionary.

    Attributes:
        kernels: (KERNELS, BANDS, KERNEL_FRAMES) levels.
        excited: for each kernel, the recordings trained on that excite it most, as (recording, author, licence).
        places: (lat_deg, lon_deg, score) of field recordings of known place in which the label was heard.
        recordings: how many field recordings were looked through.
    """

    label: str
    kernels: NDArray[np.float32]
    excited: tuple[tuple[tuple[str, str, str], ...], ...]
    places: tuple[tuple[float, float, float], ...]
    recordings: int


@cache
def _dictionary() -> dict[str, Any]:
    file = atoms.FOLDER / "dictionary.json"
    held: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return held


def entry(label: str) -> Entry:
    """A label of the dictionary.

    Raises:
        WeightsError: the weights are missing.
        ValueError: there is no such label.
    """
    net = decomposer()
    dictionary = _dictionary()
    kernels = net.kernels[net.labels.index(label)]
    excited = dictionary.get("excited", {}).get(label, [])
    places = dictionary.get("places", {}).get(label, [])
    count = dictionary.get("recordings", 0)
    return Entry(
        label,
        kernels,
        tuple(tuple((str(a), str(b), str(c)) for a, b, c in rows) for rows in excited),
        tuple((float(a), float(b), float(c)) for a, b, c in places),
        int(count),
    )
