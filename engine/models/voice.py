"""Where there is speech: Silero VAD (MIT), its sequence model in ONNX, inside the package `silero-vad`.

Only the package's file is used: importing the package loads torch and sets it to one thread. The model scores frames of 32 ms
at 16 kHz and carries its state from block to block, so that a clip of any length is scored as one.

Source: Silero Team, "Silero VAD: pre-trained enterprise-grade voice activity detector", github.com/snakers4/silero-vad.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.models import cards
from engine.models.packaged import packaged

MODEL_ID = cards.SILERO.id
RATE_HZ = 16_000
FRAME_SAMPLES = 512
FRAME_S = FRAME_SAMPLES / RATE_HZ
_CONTEXT = 64
_MOST_FRAMES = 512
_FILE = "silero_vad_16k_sequence.onnx"
_REMEDY = "install it with: pip install --no-deps silero-vad==6.2.3"


@cache
def path() -> Path:
    """The model's file inside the installed package, its hash checked.

    Raises:
        WeightsError: package or file is missing, or its content is not the one expected.
    """
    return packaged(cards.SILERO, "silero_vad", f"data/{_FILE}", "The voice detector's file", _REMEDY)


class VoiceDetector:
    """Scores frames for speech; loads its model on first use, on one thread."""

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(path()), options, providers=["CPUExecutionProvider"])

    def scores(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Chance of speech, 0 to 1, of consecutive frames of FRAME_SAMPLES, in pieces (n,); the last frame is filled with zeros.

        Args:
            blocks: consecutive mono samples at RATE_HZ, of any lengths.

        Raises:
            WeightsError: the model is missing.
            ValueError: a sample is not finite.
        """
        state = [np.zeros((1, 1, 128), dtype=np.float32) for _ in range(2)]
        context = np.zeros(_CONTEXT, dtype=np.float32)
        held = np.zeros(0, dtype=np.float32)
        for block in blocks:
            held = np.concatenate([held, np.asarray(block, dtype=np.float32)])
            whole = len(held) // FRAME_SAMPLES * FRAME_SAMPLES
            for at in range(0, whole, _MOST_FRAMES * FRAME_SAMPLES):
                part = held[at : min(at + _MOST_FRAMES * FRAME_SAMPLES, whole)]
                yield self._score(part, context, state)
                context = part[-_CONTEXT:]
            held = held[whole:]
        if len(held):
            yield self._score(np.pad(held, (0, FRAME_SAMPLES - len(held))), context, state)

    def _score(
        self, samples: NDArray[np.float32], context: NDArray[np.float32], state: list[NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        if not np.isfinite(samples).all():
            raise ValueError("a block of sound holds samples that are not finite")
        frames = samples.reshape(-1, FRAME_SAMPLES)
        before = np.concatenate([context[None], frames[:-1, -_CONTEXT:]])
        fed = {"input": np.concatenate([before, frames], axis=1), "h": state[0], "c": state[1]}
        chance, state[0], state[1] = self._session.run(["speech_probs", "hn", "cn"], fed)
        return np.asarray(chance, dtype=np.float32).reshape(-1)
