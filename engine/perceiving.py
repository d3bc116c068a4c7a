"""From a file to what is perceived in it: animals, other sounds and picture at the same time, each in a thread of its own.

The picture is cut into shots first, and looked at while that goes on (`clues.locatability`), so that the slow models are spent
on few frames. What takes the time is decoding and the models, and both let other threads run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from engine.clues import locatability, registry
from engine.core.clip import Ambience, Interval, Reader, Shot
from engine.core.errors import MediaError, SettingError
from engine.core.evidence import Clue
from engine.core.finding import Perception, Settings
from engine.core.lanes import side_by_side
from engine.core.observation import Observation
from engine.core.progress import ProgressCallback, silent
from engine.core.vote import OFF_BY_DEFAULT
from engine.nets import locatability as heads

CHOSEN_BEYOND_S = 60.0  # up to this length frames are read every two seconds; beyond it they are chosen
FRAME_PER_S = 12.5
FEWEST_FRAMES, MOST_FRAMES = 48, 400


@dataclass
class _Lane:
    """What one sense came to."""

    found: dict[str, tuple[Observation, ...]] = field(default_factory=dict)
    failures: dict[str, MediaError] = field(default_factory=dict)
    elapsed: dict[str, float] = field(default_factory=dict)
    shots: tuple[Shot, ...] = ()
    ambience: Ambience | None = None


def perceive(
    source: str | os.PathLike[str] | Reader, settings: Settings | None = None, progress: ProgressCallback = silent
) -> Perception:
    """Run every clue's model over a clip, or over the interval chosen: slow, and done once.

    Args:
        source: a path, or a reader that is already open (it stays open).
        settings: track, interval and stride are used; all else only matters to `judge`.
        progress: called with each step, from the thread that called this; raising in it stops the work.

    Raises:
        MediaError: the file cannot be read, or holds neither sound nor pictures.
        SettingError: the interval lies outside the clip, or there is no such track.
    """
    settings = settings or Settings()
    if isinstance(source, Reader):
        return _perceive(source, settings, progress)
    from engine.media import open_clip

    with open_clip(source, progress) as reader:
        perception = _perceive(reader, settings, progress)
        reader.verify_unchanged()
        return perception


def frame_budget(length_s: float) -> int:
    """How many frames of a stretch the slow models look at."""
    return int(np.clip(length_s / FRAME_PER_S, FEWEST_FRAMES, MOST_FRAMES))


def _perceive(reader: Reader, settings: Settings, progress: ProgressCallback) -> Perception:
    clip = reader.clip
    if not clip.audio_tracks and not clip.video_tracks:
        raise MediaError("The file holds neither sound nor pictures; open a film, a broadcast or a recording.")
    if settings.track is not None and not 1 <= settings.track <= len(clip.audio_tracks):
        raise SettingError(f"There is no audio track {settings.track}; the clip has {len(clip.audio_tracks)}, counted from 1.")
    interval = _interval_of(clip.duration_s, settings.interval)
    works: list[tuple[str, Callable[[ProgressCallback], _Lane]]] = []
    if clip.audio_tracks:
        works.append(("sound", lambda told: _observe(_of_sound(settings, animals=True), reader, settings, told)))
        works.append(("background", lambda told: _hear(reader, settings, told)))
    if clip.video_tracks:
        works.append(("picture", lambda told: _look(reader, settings, interval, told)))
    lanes = side_by_side(works, progress)
    rest = _observe([c for c in _run(settings) if c.modality not in ("sound", "picture")], reader, settings, progress)
    perception = _together(reader, settings, interval, [*lanes, rest])
    return perception.adding(_claims(reader, progress))


def _of_sound(settings: Settings, animals: bool) -> list[Clue]:
    """The clues that listen, to animals or to all else."""
    return [c for c in _run(settings) if c.modality == "sound" and (c.reads == "species") == animals]


def _run(settings: Settings, frames_s: tuple[float, ...] = (), texts_s: tuple[float, ...] = ()) -> list[Clue]:
    """The clues whose models run: all of them, or, to be quick, those that have a vote."""
    every = registry.clues(settings, frames_s, texts_s)
    idle = OFF_BY_DEFAULT.keys() - settings.included if settings.quick else frozenset[str]()
    return [c for c in every if c.name not in idle]


def _hear(reader: Reader, settings: Settings, progress: ProgressCallback) -> _Lane:
    from engine.media.ambience import ambience

    lane = _observe(_of_sound(settings, animals=False), reader, settings, progress)
    began = time.monotonic()
    try:
        lane.ambience = ambience(reader, settings.interval, settings.track, progress)
    except MediaError:
        return lane  # the clues have said so already
    lane.elapsed["background"] = time.monotonic() - began
    return lane


def _look(reader: Reader, settings: Settings, interval: Interval, progress: ProgressCallback) -> _Lane:
    from engine.media.reader import FileReader
    from engine.media.shots import cut

    began = time.monotonic()
    shots: tuple[Shot, ...] = ()
    watch = locatability.Watch(scorer=heads.scorer()) if interval.length_s > CHOSEN_BEYOND_S else None
    if isinstance(reader, FileReader):
        try:
            shots = cut(reader, settings.interval, progress, watcher=watch)
        except MediaError:
            shots = ()  # the clues will say so
    frames_s: tuple[float, ...] = ()
    texts_s: tuple[float, ...] = ()
    if watch:
        budget = frame_budget(interval.length_s)
        frames_s = locatability.choose(shots, watch.sights, budget)
        texts_s = locatability.choose(shots, watch.sights, budget, text_alone=True)
    took_s = time.monotonic() - began
    clues = [c for c in _run(settings, frames_s, texts_s) if c.modality == "picture"]
    lane = _observe(clues, reader, settings, progress)
    if shots:
        lane.elapsed["shots"] = took_s
    lane.shots = shots
    return lane


def _observe(clues: list[Clue], reader: Reader, settings: Settings, progress: ProgressCallback) -> _Lane:
    lane = _Lane()
    for clue in clues:
        began = time.monotonic()
        try:
            lane.found[clue.name] = clue.observe(reader.clip, reader, settings.interval, progress)
        except MediaError as error:
            lane.failures[clue.name] = error
            continue
        lane.elapsed[clue.name] = time.monotonic() - began
    return lane


def _together(reader: Reader, settings: Settings, interval: Interval, lanes: list[_Lane]) -> Perception:
    found = {name: own for lane in lanes for name, own in lane.found.items()}
    failures = {name: e for lane in lanes for name, e in lane.failures.items()}
    mute: dict[str, str] = {}
    observations: list[Observation] = []
    models: list[str] = []
    for clue in registry.clues(settings):
        sense = "sound" if clue.modality == "sound" else "picture"
        if clue.name in found:
            observations.extend(found[clue.name])
            models.extend(sorted({o.author for o in found[clue.name]}))
        elif settings.quick and clue.name in OFF_BY_DEFAULT:
            mute[clue.name] = "it has no vote, and was left out to be quick"
        elif clue.name in failures:
            mute[clue.name] = f"its {sense} cannot be decoded"
        else:
            mute[clue.name] = f"the clip has no {sense}"
    if failures and not set(found) - {"container"}:
        raise next(iter(failures.values()))
    return Perception(
        clip=reader.clip,
        interval=interval,
        observations=tuple(observations),
        silent=mute,
        models=tuple(dict.fromkeys(models)),
        skipped=dict(reader.skipped),
        elapsed_s={name: s for lane in lanes for name, s in lane.elapsed.items()},
        shots=tuple(s for lane in lanes for s in lane.shots),
        ambience=next((lane.ambience for lane in lanes if lane.ambience is not None), None),
    )


def _claims(reader: Reader, progress: ProgressCallback) -> tuple[Observation, ...]:
    """What the container claims; a clue sees no file, so the tags are read here."""
    from engine.media.metadata import container_observations
    from engine.media.reader import FileReader

    return container_observations(reader.clip, reader if isinstance(reader, FileReader) else None, progress)


def _interval_of(duration_s: float | None, asked: Interval | None) -> Interval:
    if asked is None:
        return Interval(0.0, max(duration_s or 0.0, 0.001))
    if duration_s is not None and asked.start_s >= duration_s:
        raise SettingError(
            f"The interval starts at {asked.start_s:g} s, but the clip is {duration_s:.1f} s long; choose an earlier start."
        )
    return Interval(asked.start_s, min(asked.end_s, duration_s)) if duration_s else asked
