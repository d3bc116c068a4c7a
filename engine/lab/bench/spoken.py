"""How often the language of real speech is told rightly, and what it costs: windows of 30 s put together from spoken files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from engine.clues.speech.codes import normal
from engine.core.errors import DataError
from engine.models import whisper

LEAST_FILE_S = 1.0
_SUFFIXES = (".wav", ".flac", ".ogg")


@dataclass(frozen=True, slots=True)
class LanguageTrial:
    """What was told of windows of known languages.

    Attributes:
        windows, right: how many there were, and of how many the likeliest language was the one spoken.
        wrong: (spoken, told, its chance) of the others.
        language_ms, words_ms: milliseconds per second of sound for the language alone, and for language and words.
    """

    windows: int
    right: int
    wrong: tuple[tuple[str, str, float], ...]
    language_ms: float
    words_ms: float


def measure(prompts: Path, model: Path | None, windows: int, seed: int) -> LanguageTrial:
    """Listen to windows of speech in each language on one core.

    Args:
        prompts: a folder of sound files for each language, named by its code ("de").
        model: Whisper's folder; None takes the models folder.
        windows: of each language, put together from files drawn with the seed.

    Raises:
        DataError: there are no such folders, or too few files in one.
        WeightsError: Whisper is missing.
    """
    listener = whisper.Whisper(model)
    listener.hear(np.zeros(whisper.SAMPLES, np.float32))  # loads it
    right, total, wrong = 0, 0, []
    language_s = words_s = 0.0
    for code, window in _windows(prompts, windows, seed):
        began = time.perf_counter()
        heard = listener.hear(window, words_from=2.0)
        language_s += time.perf_counter() - began
        began = time.perf_counter()
        listener.hear(window, words_from=0.0)
        words_s += time.perf_counter() - began
        best = int(heard.chances.argmax())
        told = normal(listener.languages[best])
        right, total = right + (told == code), total + 1
        if told != code:
            wrong.append((code, told, round(float(heard.chances[best]), 3)))
    per_second = 1000.0 / (total * whisper.WINDOW_S)
    return LanguageTrial(total, right, tuple(wrong), round(language_s * per_second, 1), round(words_s * per_second, 1))


def _windows(prompts: Path, count: int, seed: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    folders = sorted(p for p in prompts.glob("*") if p.is_dir())
    if not folders:
        raise DataError(f"{prompts} holds no folder of sounds named by a language; make one with: scripts/fetch_speech.py FOLDER")
    for number, folder in enumerate(folders):
        files = sorted(p for p in folder.rglob("*") if p.suffix in _SUFFIXES)
        order = iter(np.random.default_rng((seed, number)).permutation(len(files)))
        for _ in range(count):
            parts: list[NDArray[np.float32]] = []
            while sum(map(len, parts)) < whisper.SAMPLES:
                at = next(order, None)
                if at is None:
                    raise DataError(f"{folder} holds too little speech for {count} windows of 30 s; ask for fewer: --windows")
                parts += _sound(files[at])
            yield folder.name, np.concatenate(parts)[: whisper.SAMPLES]


def _sound(file: Path) -> list[NDArray[np.float32]]:
    samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    if len(samples) < LEAST_FILE_S * rate:
        return []
    return [np.asarray(soxr.resample(samples.mean(axis=1), rate, whisper.RATE_HZ), dtype=np.float32)]
