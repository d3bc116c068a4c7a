"""Animals and other sounds heard: BirdNET scores windows of 3 s, and each class with a score is an observation.

A window that holds a machine's tone is heard again without it, and a class counts with the lower of its two scores. Beside the
classes stands what each window is made of (birds, insects, music, voices, machines, …): a species heard while something else
sounds carries a note that says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.clues import length
from engine.clues.species import tones
from engine.clues.species.spec import MADE_OF, SPEC
from engine.core.clip import Clip, Interval, Reader
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.models import birdnet
from engine.models.sound_kinds import ANIMALS, KINDS, NAMES, kind_of, sound_kinds
from engine.models.sound_kinds import MODEL_ID as KINDS_ID

LEAST_SCORE = 0.02  # below this BirdNET's scores carry nothing that calibration could use
SHORT_CLIP_S = 60.0
DOUBTED = 0.7  # another kind of sound as likely as this is named beside a species
_MOST_KNOWN = 32
_TONE_SCORE = 0.05  # a window in which no class scores as much is not looked through for a machine's tones


def default_stride_s(length_s: float | None) -> float:
    """Step between windows: 1.5 s up to a minute of sound, 3 s beyond or when nobody knows the length."""
    return 1.5 if length_s is not None and length_s <= SHORT_CLIP_S else birdnet.WINDOW_S


class SpeciesObserver:
    """Which species are heard.

    Args:
        stride_s: step between windows; None takes `default_stride_s`.
        track: audio track, from 1; None takes the main one.
    """

    def __init__(self, stride_s: float | None = None, track: int | None = None) -> None:
        self.stride_s = stride_s
        self.track = track

    def observe(
        self, clip: Clip, reader: Reader, interval: Interval | None = None, progress: ProgressCallback = silent
    ) -> tuple[Observation, ...]:
        """Score every window of the interval; one that holds a machine's tone is heard again without it, and a class counts with
        the lower of its two scores.

        Returns:
            One observation per window and class with a score of at least LEAST_SCORE, in order of time; among them one of kind
            "sound", labelled `tones.TONE`, for each window that holds a machine's tone. Then one of kind MADE_OF for each
            passage whose windows are likeliest to be of one kind of sound.

        Raises:
            TooShortError: there is less than a second of sound.
            MediaError: the clip has no sound, or none that can be decoded.
        """
        length.require(reader, interval, self.track)
        length_s = interval.length_s if interval else clip.duration_s
        stride_s = self.stride_s or default_stride_s(length_s)
        found: list[Observation] = []
        labels = birdnet.labels()
        start_s = interval.start_s if interval else 0.0
        parts: list[Observation] = []
        for batch in listened(reader, stride_s, interval, self.track):
            times_s, ends_s, scores = batch.starts_s, batch.ends_s, batch.scores
            made_of = sound_kinds().chances(batch.logits)
            parts += [_made_of(p, start, end) for p, start, end in zip(made_of, times_s, ends_s, strict=True)]
            found += [_tone(apart, times_s[at], ends_s[at]) for at, apart in batch.tones]
            for at, index in zip(*np.nonzero(scores >= LEAST_SCORE), strict=True):
                label = labels[index]
                note = _doubt(made_of[at], int(index)) if label.is_species else ""
                found.append(
                    Observation(
                        clue=SPEC.name,
                        kind="species" if label.is_species else "sound",
                        label=label.latin,
                        score=float(scores[at, index]),
                        start_s=times_s[at],
                        end_s=ends_s[at],
                        name=label.common,
                        author=birdnet.MODEL_ID,
                        note=note,
                    )
                )
            progress(Progress("listening for species", times_s[-1] + stride_s - start_s, length_s, "s"))
        return (*found, *passages(parts))


def _made_of(chances: NDArray[np.float32], start_s: float, end_s: float) -> Observation:
    """The likeliest kind of a window, of chances (8,)."""
    at = int(chances.argmax())
    kind = KINDS[at]
    return Observation(SPEC.name, MADE_OF, kind, float(chances[at]), start_s, end_s, author=KINDS_ID)


def _doubt(chances: NDArray[np.float32], species: int) -> str:
    """What a species' window is likelier made of, where that is something else than its own kind; "" where nothing is."""
    at, own = int(chances.argmax()), kind_of(species)
    kind = KINDS[at]
    if kind in (own, "other") or chances[at] < DOUBTED:
        return ""
    return f"may be {'an insect' if kind == 'insect' else f'a {kind}' if kind in ANIMALS else NAMES[kind]}: the window sounds so"


def passages(parts: Sequence[Observation]) -> tuple[Observation, ...]:
    """Windows of one kind that follow each other, each joined to one observation with their mean chance.

    A passage ends where the next window begins, so that overlapping windows count no time twice.
    """
    grouped: list[list[Observation]] = []
    for o in sorted(parts, key=lambda o: o.start_s):
        if grouped and grouped[-1][-1].label == o.label and o.start_s <= grouped[-1][-1].end_s:
            grouped[-1].append(o)
        else:
            grouped.append([o])
    out = []
    for own, after in itertools.zip_longest(grouped, grouped[1:]):
        end_s = max(o.end_s for o in own)
        end_s = min(end_s, after[0].start_s) if after else end_s
        out.append(replace(own[0], score=float(np.mean([o.score for o in own])), end_s=end_s))
    return tuple(out)


@dataclass(frozen=True, slots=True, eq=False)
class Listened:
    """Some windows of a sound as BirdNET heard them.

    Attributes:
        starts_s, ends_s: (n,) times in the clip.
        logits: (n, 6522) of the windows as they are.
        scores: (n, 6522) 0 to 1, lowered where a machine's tone made them.
        tones: which windows hold a machine's tone, and what was taken out of them.
    """

    starts_s: list[float]
    ends_s: list[float]
    logits: NDArray[np.float32]
    scores: NDArray[np.float32]
    tones: list[tuple[int, tones.Apart]]


def listened(reader: Reader, stride_s: float, interval: Interval | None = None, track: int | None = None) -> Iterator[Listened]:
    """Windows of 3 s and what BirdNET gives for them, some at a time."""
    ears = listener()
    known_hz: list[float] = []
    for starts_s, ends_s, windows in _batches(pieces_of(reader, stride_s, interval, track), 4 * ears.workers):
        logits = ears.logits(windows)
        scores = birdnet.scores_of(logits)
        yield Listened(starts_s, ends_s, logits, scores, _without_tones(ears, windows, scores, known_hz))


def windows_of(
    reader: Reader, stride_s: float, interval: Interval | None = None, track: int | None = None
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Windows of 3 s as (start_s, (144000,) float32), as `pieces_of` makes them."""
    yield from ((start_s, window) for start_s, _, window in pieces_of(reader, stride_s, interval, track))


def pieces_of(
    reader: Reader, stride_s: float, interval: Interval | None = None, track: int | None = None
) -> Iterator[tuple[float, float, NDArray[np.float32]]]:
    """Windows of 3 s as (start_s, end_s, (144000,) float32), never holding more than a block of sound.

    The last one is filled with zeros when at least half of it, or all there is, is sound, and ends where the sound does. A window
    with less than a second of anything but digital silence is passed over.
    """
    step = max(1, round(stride_s * birdnet.RATE_HZ))
    size = birdnet.WINDOW_SAMPLES
    held = np.zeros(0, dtype=np.float32)
    at: int | None = None  # sample number of held[0] from the clip's start
    skip = 0  # samples still to be passed over, when the stride is longer than what is held
    first = covered = 0  # sample numbers: of the first sample, and up to which windows were made
    for block in reader.audio(birdnet.RATE_HZ, interval, track):
        if at is None:
            at = first = covered = round(block.start_s * birdnet.RATE_HZ)
        held = np.concatenate([held, block.samples])
        held, skip = held[skip:], max(0, skip - len(held))
        while len(held) >= size:
            if length.sounding_s(held[:size], birdnet.RATE_HZ) >= length.LEAST_S:
                yield at / birdnet.RATE_HZ, at / birdnet.RATE_HZ + birdnet.WINDOW_S, held[:size].copy()
            covered = at + size
            at += step
            held, skip = held[step:], max(0, step - len(held))
    if at is None or at + len(held) <= covered:
        return
    only = covered == first
    if (only or len(held) >= size // 2) and length.sounding_s(held, birdnet.RATE_HZ) >= length.LEAST_S:
        last = np.zeros(size, dtype=np.float32)
        last[: len(held)] = held
        yield at / birdnet.RATE_HZ, (at + len(held)) / birdnet.RATE_HZ, last


def _batches(
    pieces: Iterator[tuple[float, float, NDArray[np.float32]]], size: int
) -> Iterator[tuple[list[float], list[float], NDArray[np.float32]]]:
    while some := list(itertools.islice(pieces, size)):
        yield [s for s, _, _ in some], [e for _, e, _ in some], np.stack([w for _, _, w in some])


def _without_tones(
    ears: birdnet.Listener, windows: NDArray[np.float32], scores: NDArray[np.float32], known_hz: list[float]
) -> list[tuple[int, tones.Apart]]:
    """Hear the windows (n, samples) that hold a machine's tone again without it, and lower their scores (n, classes) to what is
    heard then: a detection that the tone made is gone, one that lies elsewhere stands. Returns which they are, and adds the
    frequencies of their steady lines to known_hz, by which shorter pieces of the same are found."""
    doubted = [int(at) for at in np.flatnonzero(scores.max(axis=1) >= _TONE_SCORE)]
    apart_at = {at: tones.take_apart(windows[at], birdnet.RATE_HZ) for at in doubted}
    lines = [line for apart in apart_at.values() for line in apart.lines if line.steady]
    for line in sorted(lines, key=lambda line: -line.level_db):
        if len(known_hz) < _MOST_KNOWN and all(abs(line.middle_hz - hz) > tones.ALIKE * hz for hz in known_hz):
            known_hz.append(line.middle_hz)
    if known_hz:
        for at in doubted:
            if not apart_at[at].lines:
                apart_at[at] = tones.take_apart(windows[at], birdnet.RATE_HZ, known_hz)
    taken = [(at, apart) for at, apart in apart_at.items() if apart.lines]
    if taken:
        which = [at for at, _ in taken]
        again = ears.scores(np.stack([apart.rest for _, apart in taken]))
        scores[which] = np.minimum(scores[which], again)
    return taken


def _tone(apart: tones.Apart, start_s: float, end_s: float) -> Observation:
    """The remark that a window holds a machine's tone."""
    loudest = sorted(apart.lines, key=lambda line: -line.level_db)
    steady = list(dict.fromkeys(round(line.middle_hz) for line in loudest if line.steady))[:3]
    what = f"lines at {', '.join(map(str, sorted(steady)))} Hz" if steady else "a line that keeps its level as no animal does"
    return Observation(
        clue=SPEC.name,
        kind="sound",
        label=tones.TONE,
        score=apart.share,
        start_s=start_s,
        end_s=end_s,
        name="tone of a machine",
        author=tones.TONE_MODEL,
        note=f"{what}, {apart.share:.0%} of the power; removed before the search for species (a remark, never scored)",
    )


@cache
def listener() -> birdnet.Listener:
    """The one listener of the program."""
    return birdnet.Listener()
