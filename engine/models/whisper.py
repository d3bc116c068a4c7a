"""What is said, and in which language: a Whisper model in CTranslate2's form, from a local folder.

One pass of the encoder over 30 s serves both: the softmax over the language tokens, and the words, decoded greedily. Numbers of 8
bits on one core; no torch. Nothing is fetched; `earwitness models` says how to get the folder.

Source: Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", sections 2.2 and 2.3.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import WeightsError
from engine.core.paths import models_dir
from engine.models import cards, catalog, ctranslate
from engine.models.offline import go_offline

FOLDERS = (cards.WHISPER_SMALL.id, cards.WHISPER_BASE.id)  # the better first
RATE_HZ = 16_000
WINDOW_S = 30.0
SAMPLES = int(WINDOW_S * RATE_HZ)
MELS, _FFT, _HOP = 80, 400, 160
_NEEDED = ("config.json", "model.bin", "vocabulary.txt")
_MOST_TOKENS = 224  # in 30 s; Whisper's own bound
_STEP_S = 0.02  # of its timestamps
_NO_TIMES = "<|notimestamps|>"
# What is said twice over or with little confidence is invented; Whisper's own limits (openai/whisper, transcribe.py).
_LEAST_LOG_CHANCE, _MOST_COMPRESSED = -1.0, 2.4
_TOKEN = re.compile(r"<\|([a-z]{2,3})\|>")


@dataclass(frozen=True, slots=True)
class Line:
    """What is said between two moments of a window, in seconds from its start."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What was heard in a window.

    Attributes:
        chances: (languages,) softmax over the language tokens.
        lines: what is said, in order of time; none where it was not asked for or is not to be trusted.
        score: geometric mean of the chances of its tokens, 0 to 1.
    """

    chances: NDArray[np.float32]
    lines: tuple[Line, ...] = ()
    score: float = 0.0


def whisper_folder(folder: Path | None = None) -> Path:
    """The folder that holds Whisper, complete: the one given, or the better one of those among the models.

    Raises:
        WeightsError: it or one of its files is missing; the text says how to get it.
    """
    candidates = (folder,) if folder else tuple(models_dir() / name for name in FOLDERS)
    for candidate in candidates:
        if all((candidate / name).is_file() for name in _NEEDED):
            return candidate
    return catalog.folder_of(cards.WHISPER_BASE.id, _NEEDED, folder)


class Whisper:
    """Tells languages and writes down what is said; loads its model on first use.

    Args:
        folder: where it is; None takes the models folder.
        threads: cores it may use.
    """

    def __init__(self, folder: Path | None = None, threads: int = 1) -> None:
        self.folder = folder
        self.threads = threads

    @cached_property
    def model_id(self) -> str:
        """Id of the card of the model that is installed."""
        name = whisper_folder(self.folder).name
        return name if name in FOLDERS else cards.WHISPER_BASE.id

    @cached_property
    def _parts(self) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
        go_offline()
        import ctranslate2

        folder = whisper_folder(self.folder)
        if self.folder is None:
            catalog.vouch(folder.name)
        try:
            ctranslate.check(folder / "model.bin")
            tokens = tuple((folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n"))
            model = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", intra_threads=self.threads, inter_threads=1
            )
            ids = json.loads((folder / "config.json").read_text(encoding="utf-8"))["lang_ids"]
            named = [_TOKEN.fullmatch(tokens[i]) for i in ids]
            if model.n_mels != MELS or not model.is_multilingual or not named or not all(named) or _NO_TIMES not in tokens:
                raise ValueError("it is not a Whisper of many languages and 80 mel bands")
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, IndexError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise WeightsError(f"Whisper in {folder} cannot be loaded ({first}); fetch it again.") from error
        return model, tokens, tuple(match[1] for match in named if match)

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages it knows (ISO 639: "de", "haw"), in the order of `Heard.chances`."""
        return self._parts[2]

    def hear(self, window: NDArray[np.float32], words_from: float = 0.5) -> Heard:
        """Language and words of mono sound at RATE_HZ, at most WINDOW_S long.

        Args:
            words_from: chance of the likeliest language from which its words are written down; above 1 they never are.

        Raises:
            WeightsError: Whisper is missing or damaged.
            ValueError: the window is empty, too long or not finite.
        """
        if not 0 < len(window) <= SAMPLES or not np.isfinite(window).all():
            raise ValueError(f"Whisper hears windows of up to {WINDOW_S:g} s of finite samples, not {np.shape(window)}")
        import ctranslate2

        model, tokens, languages = self._parts
        encoded = model.encode(ctranslate2.StorageView.from_array(log_mel(window)[None]))
        by_token = dict(model.detect_language(encoded)[0])
        chances = np.array([by_token[f"<|{code}|>"] for code in languages], dtype=np.float32)
        best = int(chances.argmax())
        if chances[best] < words_from:
            return Heard(chances)
        prompt = ["<|startoftranscript|>", f"<|{languages[best]}|>", "<|transcribe|>"]
        said = model.generate(encoded, [prompt], beam_size=1, max_length=_MOST_TOKENS, return_scores=True)[0]
        lines = written(said.sequences_ids[0], tokens, len(window) / RATE_HZ)
        if said.scores[0] < _LEAST_LOG_CHANCE or _repeats(" ".join(line.text for line in lines)):
            return Heard(chances)
        return Heard(chances, lines, min(1.0, math.exp(said.scores[0])))


def written(ids: Sequence[int], tokens: Sequence[str], length_s: float) -> tuple[Line, ...]:
    """Lines of the decoder's tokens: each ends where a timestamp stands; without one it lasts to the end of the window.

    Args:
        ids: places of the tokens in the vocabulary.
        tokens: the vocabulary; timestamps are all that comes after "<|notimestamps|>".
        length_s: of the window; no line lies outside of it.
    """
    first = tokens.index(_NO_TIMES) + 1
    lines: list[Line] = []
    held: list[int] = []
    start_s = 0.0
    for token in (*ids, first + round(length_s / _STEP_S)):
        if token < first:
            held.append(token)
            continue
        at_s = min(_STEP_S * (token - first), length_s)
        if text := _text(tokens[i] for i in held):
            lines.append(Line(text, start_s, max(at_s, start_s)))
        held, start_s = [], max(at_s, start_s)
    return tuple(lines)


def _text(tokens: Iterable[str]) -> str:
    """Tokens are bytes written as letters (GPT-2's byte-level pairs); marks are left out, and so are bytes that are no letter."""
    letters = _bytes_of_letters()
    found = bytes(letters[c] for token in tokens if not token.startswith("<|") for c in token if c in letters)
    return found.decode("utf-8", errors="replace").replace("\ufffd", "").strip()


@cache
def _bytes_of_letters() -> dict[str, int]:
    plain = [
        *range(33, 127),
        *range(161, 173),
        *range(174, 256),
    ]  # these stand for themselves, the others for letters from 256 on
    others = [b for b in range(256) if b not in plain]
    return {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(others)}


def _repeats(text: str) -> bool:
    data = text.encode("utf-8")
    return len(data) > _MOST_COMPRESSED * len(zlib.compress(data))


def log_mel(window: NDArray[np.float32]) -> NDArray[np.float32]:
    """(80, 3000) Whisper's features of up to 30 s, the rest silence: log10 of the mel spectrum, at most 8 below its peak."""
    sound = np.zeros(SAMPLES + _FFT, dtype=np.float32)
    sound[_FFT // 2 : _FFT // 2 + len(window)] = window
    sound[: _FFT // 2] = sound[_FFT : _FFT // 2 : -1]
    sound[-_FFT // 2 :] = sound[-_FFT // 2 - 2 : -_FFT - 2 : -1]
    hann, bands = _filters()
    frames = np.lib.stride_tricks.sliding_window_view(sound, _FFT)[::_HOP][: SAMPLES // _HOP]
    power = np.abs(np.fft.rfft(frames * hann, axis=1)).astype(np.float32) ** 2
    levels = np.log10(np.maximum(bands @ power.T, 1e-10))
    return np.ascontiguousarray((np.maximum(levels, levels.max() - 8.0) + 4.0) / 4.0, dtype=np.float32)


@cache
def _filters() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    import librosa

    bands = librosa.filters.mel(sr=RATE_HZ, n_fft=_FFT, n_mels=MELS).astype(np.float32)
    return np.hanning(_FFT + 1)[:-1].astype(np.float32), bands
