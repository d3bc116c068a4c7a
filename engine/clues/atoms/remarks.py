"""What a soundtrack tells of how it was made: remarks of kind "sound", which are never scored.

Digital silence, passages copied within it, long reverberation, music, voice-over; how each is found is in `soundtrack`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.clues.atoms import soundtrack
from engine.clues.atoms.spec import SPEC
from engine.core.clip import Interval, Reader
from engine.core.errors import WeightsError
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import atoms
from engine.models.atoms import RATE_HZ, WINDOW_S

MOST_EXAMINED_S = 1800.0  # of sound looked through for copies and remarks; it is held in memory
REMARK_MODEL = "soundtrack"
COPIED, SILENT, REVERB, MUSIC, VOICE = "copied passage", "digital silence", "long reverberation", "music", "voice-over"


def remarks(
    reader: Reader,
    interval: Interval | None = None,
    track: int | None = None,
    tonal: Sequence[tuple[float, float]] = (),
    progress: ProgressCallback = silent,
) -> tuple[Observation, ...]:
    """What the soundtrack tells of how it was made; `tonal` holds (start_s, chance of music) of windows.

    Raises:
        MediaError: the clip has no sound, or none that can be decoded.
    """
    progress(Progress("listening for cuts and copies"))
    start_s = interval.start_s if interval else 0.0
    end_s = min(interval.end_s if interval else np.inf, start_s + MOST_EXAMINED_S)
    rate = soundtrack.COPY_RATE_HZ
    sought = Interval(start_s, end_s) if np.isfinite(end_s) else None
    blocks = []
    for block in reader.audio(rate, sought or interval, track):
        blocks.append(block.samples)
        if sum(map(len, blocks)) >= MOST_EXAMINED_S * rate:
            break
    if not blocks:
        return ()
    samples = np.concatenate(blocks)
    del blocks  # half an hour counts twice else
    end_s = start_s + len(samples) / rate
    found = [_remark(SILENT, s) for s in soundtrack.silences(samples, rate, start_s)]
    for c in soundtrack.copies(samples, rate):
        at_s = start_s + c.start_s + c.lag_s
        note = f"comes again sample by sample {c.lag_s:.2f} s later, at {at_s:.1f} s; likeness {c.likeness:.2f}"
        found.append(_remark(COPIED, soundtrack.Passage(start_s + c.start_s, start_s + c.end_s, min(1.0, c.likeness), note)))
    room = soundtrack.long_reverberation(samples[: 120 * rate], rate, start_s, min(end_s, start_s + 120))
    if room:
        found.append(_remark(REVERB, room))
    heard_to_s = end_s if len(samples) < MOST_EXAMINED_S * rate else np.inf  # the last window is filled up with zeros
    for s in _music_stretches(tonal):
        found.append(_remark(MUSIC, soundtrack.Passage(s.start_s, min(s.end_s, heard_to_s), s.strength, s.note)))
    spoken = _speech(samples, rate)
    over = soundtrack.voice_over(samples, rate, spoken)
    if over:
        shifted = soundtrack.Passage(start_s + over.start_s, start_s + over.end_s, over.strength, over.note)
        found.append(_remark(VOICE, shifted))
    return tuple(found)


def _remark(label: str, s: soundtrack.Passage) -> Observation:
    note = f"{s.note} (a remark, never scored)"
    return Observation(SPEC.name, "sound", label, s.strength, s.start_s, s.end_s, label, REMARK_MODEL, note=note)


def _speech(samples: NDArray[np.float32], rate_hz: int) -> list[tuple[float, float]]:
    """(start_s, end_s) of speech in the first minutes, or nothing where the voice detector is missing."""
    from engine.clues.speech.observe import runs, voice_detector
    from engine.models import voice

    some = samples[: int(120 * rate_hz)]
    double = np.repeat(some, voice.RATE_HZ // rate_hz)  # the detector hears nothing of what lies above 4 kHz anyway
    try:
        scores = np.concatenate([*voice_detector().scores([double]), np.zeros(0, np.float32)])
    except WeightsError:
        return []
    return [(a * voice.FRAME_S, b * voice.FRAME_S) for a, b in runs(scores)]


@cache
def _music_weights() -> NDArray[np.float64] | None:
    """(6,) weights and bias of `soundtrack.tonal_features`, or None where the file is missing."""
    file = atoms.FOLDER / "music.json"
    return np.array(json.loads(file.read_text(encoding="utf-8"))["weights"]) if file.is_file() else None


def music_chance(window: NDArray[np.float32]) -> float:
    """How likely a window at RATE_HZ is music, 0 to 1; 0 where the weights are missing."""
    weights = _music_weights()
    if weights is None:
        return 0.0
    z = float(soundtrack.tonal_features(window, RATE_HZ) @ weights[:-1] + weights[-1])
    return 1.0 / (1.0 + float(np.exp(-np.clip(z, -30, 30))))


def _music_stretches(tonal: Sequence[tuple[float, float]]) -> list[soundtrack.Passage]:
    """Runs of two windows or more (one, where there is only one) that are likely music."""
    out: list[soundtrack.Passage] = []
    run: list[tuple[float, float]] = []
    for at_s, chance in (*tonal, (np.inf, 0.0)):
        if chance >= 0.7:
            run.append((at_s, chance))
        else:
            if len(run) >= min(2, max(1, len(tonal))):
                strength = float(np.mean([c for _, c in run]))
                note = "sustained tones on a musical scale: music or an instrument"
                out.append(soundtrack.Passage(run[0][0], run[-1][0] + WINDOW_S, strength, note))
            run = []
    return out
