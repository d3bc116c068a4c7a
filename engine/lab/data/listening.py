"""What BirdNET gives for every window of a sound, kept on disk: for training and calibrating what is made of it."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from engine.clues.species.observe import LEAST_SCORE, default_stride_s, listened
from engine.clues.species.spec import SPEC
from engine.core.clip import Reader
from engine.core.observation import Observation
from engine.core.paths import cache_dir
from engine.lab.bench.recordings import Condition, DegradedReader
from engine.lab.data import degrade
from engine.media import open_clip
from engine.models import birdnet


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """The windows of a sound.

    Attributes:
        starts_s, ends_s: (n,) times.
        embedding: (n, 1024) BirdNET's, worked out of its logits.
        at: (m, 2) window and class of each score of at least LEAST_SCORE, lowered where a machine's tone made it.
        scores: (m,) of these.
    """

    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    embedding: NDArray[np.float32] = field(repr=False)
    at: NDArray[np.int64] = field(repr=False)
    scores: NDArray[np.float32] = field(repr=False)

    def observations(self) -> tuple[Observation, ...]:
        """The species of every window, as the species clue observes them."""
        labels = birdnet.labels()
        return tuple(
            Observation(
                SPEC.name, "species", labels[c].latin, float(score), float(self.starts_s[w]), float(self.ends_s[w]),
                labels[c].common, birdnet.MODEL_ID,
            )
            for (w, c), score in zip(self.at, self.scores, strict=True)
            if labels[c].is_species
        )  # fmt: skip

    def logits(self) -> NDArray[np.float32]:
        """(n, 6522) what the last layer makes of the embeddings."""
        weights, bias = birdnet.class_layer()
        return self.embedding @ weights.T + bias

    def scores_of(self, species: int) -> NDArray[np.float32]:
        """(n,) score of one class in every window, of the sound as it is."""
        weights, bias = birdnet.class_layer()
        out: NDArray[np.float32] = expit(self.embedding @ weights[species] + bias[species])
        return out


@cache
def to_embedding() -> NDArray[np.float32]:
    """(1024, 6522) from logits less the bias to the embedding: the last layer has full rank, so that nothing is lost."""
    out: NDArray[np.float32] = np.linalg.pinv(birdnet.class_layer()[0].astype(np.float64)).astype(np.float32)
    return out


def windows_of(path: Path, sound_id: str, condition: Condition | None = None, seed: int = 0) -> Windows:
    """The windows of a file under a condition; kept by content in the cache folder. Errors as for `open_clip` and its sound."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    facts = (sha256, birdnet.MODEL_ID, condition.name if condition else "clean", seed, "1")
    kept = cache_dir() / "bench" / f"windows-{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}.npz"
    with suppress(OSError, ValueError, KeyError), np.load(kept, allow_pickle=False) as held:
        starts, ends, embedding = held["starts_s"], held["ends_s"], held["embedding"].astype(np.float32)
        return Windows(starts, ends, embedding, held["at"], held["scores"])
    with open_clip(path) as reader:
        source: Reader = reader
        if condition is not None and condition.kind:
            source = DegradedReader(reader, condition, degrade.seed_of(sound_id, seed))
        made = _listen(source, default_stride_s(reader.clip.duration_s))
    kept.parent.mkdir(parents=True, exist_ok=True)
    small = made.embedding.astype(np.float16)
    np.savez(kept, starts_s=made.starts_s, ends_s=made.ends_s, embedding=small, at=made.at, scores=made.scores)
    return made


def _listen(reader: Reader, stride_s: float) -> Windows:
    starts: list[float] = []
    ends: list[float] = []
    embedding: list[NDArray[np.float32]] = [np.zeros((0, 1024), np.float32)]
    at, scores = [np.zeros((0, 2), np.int64)], [np.zeros(0, np.float32)]
    for batch in listened(reader, stride_s):
        found = np.argwhere(batch.scores >= LEAST_SCORE)
        scores.append(batch.scores[found[:, 0], found[:, 1]].astype(np.float32))
        at.append(found + np.array([len(starts), 0]))
        embedding.append(((batch.logits - birdnet.class_layer()[1]) @ to_embedding().T).astype(np.float32))
        starts += batch.starts_s
        ends += batch.ends_s
    return Windows(np.array(starts), np.array(ends), np.concatenate(embedding), np.concatenate(at), np.concatenate(scores))
