"""Where there is speech, in which language, and which places are named.

Silero VAD scores frames of 32 ms; runs of speech become observations, always. Where Whisper's weights are installed, up to
MOST_WINDOWS windows of 30 s that hold speech are asked for their language; where it is clear, what is said is written down and
places that are named in it are listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.clues import length
from engine.clues.speech import places
from engine.clues.speech.codes import SPEECH, language_name, normal
from engine.clues.speech.spec import SPEC
from engine.core.clip import Clip, Interval, Reader
from engine.core.errors import WeightsError
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import voice, whisper

SPEECH_SCORE = 0.5  # a frame above it begins speech; Silero's own default
_STOP_SCORE = 0.35  # below it speech ends; Silero's own: 0.15 less
_LEAST_S, _BREATH_S, _PAD_S = 0.5, 0.5, 0.03  # shorter speech is no speech; shorter pauses don't end it
MOST_WINDOWS = 20  # 10 minutes of sound
LEAST_SPEECH_S = 3.0  # of a window of 30 s, for its language to be asked
_LEAST_LISTED = 0.1
LEAST_CHANCE = 0.5  # of a window's likeliest language; below it nobody knows


class SpeechObserver:
    """Where there is speech, in which language, and which places are named.

    Args:
        track: audio track, from 1; None takes the main one.
        folder: Whisper's folder; None takes the models folder.
    """

    def __init__(self, track: int | None = None, folder: Path | None = None) -> None:
        self.track = track
        self.folder = folder

    @cached_property
    def _listener(self) -> whisper.Whisper:
        return whisper.Whisper(self.folder)

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """Stretches of speech, then languages and named places of windows that hold some, where Whisper is installed.

        Raises:
            MediaError: the clip has no sound, or none that can be decoded.
            WeightsError: Silero's file is missing, or Whisper's are damaged.
        """
        length.require(reader, interval, self.track)
        speech = self._stretches(clip, reader, interval, progress)
        try:
            whisper.whisper_folder(self.folder)
        except WeightsError:
            return speech
        return speech + self._words(reader, speech, progress)

    def _stretches(
        self, clip: Clip, reader: Reader, interval: Interval | None, progress: ProgressCallback
    ) -> tuple[Observation, ...]:
        length_s = interval.length_s if interval else clip.duration_s
        start_s = interval.start_s if interval else 0.0
        began: list[float] = []

        def blocks() -> Iterator[NDArray[np.float32]]:
            for block in reader.audio(voice.RATE_HZ, interval, self.track):
                began.append(block.start_s)
                yield block.samples
                end_s = block.start_s + len(block.samples) / voice.RATE_HZ
                progress(Progress("listening for speech", end_s - start_s, length_s, "s"))

        pieces = list(voice_detector().scores(blocks()))
        if not pieces:
            return ()
        scores = np.concatenate(pieces)
        first_s = began[0]
        return tuple(
            Observation(
                clue=SPEC.name,
                kind="speech",
                label=SPEECH,
                score=float(scores[a:b].mean()),
                start_s=max(start_s, first_s + a * voice.FRAME_S - _PAD_S),
                end_s=min(first_s + b * voice.FRAME_S + _PAD_S, start_s + length_s if length_s else np.inf),
                name="speech",
                author=voice.MODEL_ID,
                note="listed, never scored: speech alone does not indicate a place",
            )
            for a, b in runs(scores)
        )

    def _words(self, reader: Reader, speech: tuple[Observation, ...], progress: ProgressCallback) -> tuple[Observation, ...]:
        found: list[Observation] = []
        chosen = windows_with_speech(speech)
        for number, window in enumerate(chosen, 1):
            sound = [b.samples for b in reader.audio(whisper.RATE_HZ, window, self.track)]
            samples = np.concatenate(sound)[: whisper.SAMPLES] if sound else np.empty(0, np.float32)
            if len(samples):
                found += self._of_window(samples, window.start_s)
            progress(Progress("listening to what is said", number, len(chosen), "windows"))
        return tuple(found)

    def _of_window(self, samples: NDArray[np.float32], start_s: float) -> list[Observation]:
        listener = self._listener
        heard = listener.hear(samples, LEAST_CHANCE)
        window = Interval(start_s, start_s + len(samples) / whisper.RATE_HZ)
        listed = np.flatnonzero(heard.chances >= _LEAST_LISTED)
        languages = [_spoken(listener.languages[i], float(heard.chances[i]), window, listener.model_id) for i in listed]
        best = listener.languages[int(heard.chances.argmax())]
        return [*languages, *places.places_said(heard, best, start_s, listener.model_id)]


def runs(scores: NDArray[np.float32]) -> list[tuple[int, int]]:
    """(first, end) frames of each interval of speech: begins above SPEECH_SCORE, ends where it stays low for a breath."""
    found: list[list[int]] = []
    breath, least = _BREATH_S / voice.FRAME_S, _LEAST_S / voice.FRAME_S
    begun = last = -1
    for i, score in enumerate(scores):
        if score >= SPEECH_SCORE and begun < 0:
            begun = i
        if begun >= 0 and score >= _STOP_SCORE:
            last = i
        if begun >= 0 and i - last > breath:
            found.append([begun, last + 1])
            begun = -1
    if begun >= 0:
        found.append([begun, last + 1])
    return [(a, b) for a, b in found if b - a >= least]


def windows_with_speech(speech: tuple[Observation, ...]) -> list[Interval]:
    """At most MOST_WINDOWS windows of 30 s, those with most speech, in order of time."""
    windows: list[tuple[float, Interval]] = []
    end_s = 0.0
    for o in speech:
        start_s = max(o.start_s, end_s)
        while o.end_s - start_s > _LEAST_S:
            end_s = start_s + whisper.WINDOW_S
            spoken_s = sum(max(0.0, min(s.end_s, end_s) - max(s.start_s, start_s)) for s in speech)
            windows.append((spoken_s, Interval(start_s, end_s)))
            start_s = end_s
    best = sorted(windows, key=lambda w: -w[0])[:MOST_WINDOWS]
    return sorted((w for spoken_s, w in best if spoken_s >= LEAST_SPEECH_S), key=lambda w: w.start_s)


def _spoken(code: str, chance: float, window: Interval, author: str) -> Observation:
    language = normal(code)
    return Observation(
        clue=SPEC.name,
        kind="speech",
        label=language,
        score=chance,
        start_s=window.start_s,
        end_s=window.end_s,
        name=f"{language_name(language)}, spoken",
        author=author,
        note=f"counts only if it is stated that {SPEC.condition}",
    )


@cache
def voice_detector() -> voice.VoiceDetector:
    """The one voice detector of the program."""
    return voice.VoiceDetector()
