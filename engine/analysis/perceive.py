"""From a file to what is perceived in it: animals, other sounds and picture at the same time, each in a thread of its own.

The picture is cut into shots first, and looked at while that goes on (`clues.locatability`), so that the slow models are spent
on few frames. What takes the time is decoding and the models, and both let other threads run.

A clue that fails (its memory runs out, the decoder dies, its weights are damaged) takes nobody with it: the perception says which
failed and why, and `perceive` can be handed it to run those again and nothing else. A clip whose sound or pictures cannot be
decoded at all is no such failure: nobody need try that twice.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace

import numpy as np

from engine.clues import locatability, registry
from engine.core import memory
from engine.core.clip import Ambience, Clip, Interval, Reader, Shot
from engine.core.errors import Cancelled, DecoderError, EarwitnessError, MediaError, SettingError, TooShortError
from engine.core.evidence import Clue, observe_nothing
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.parallel import run_in_parallel
from engine.core.perception import Perception
from engine.core.progress import Progress, ProgressCallback, silent
from engine.core.settings import Settings
from engine.models import locatability as heads
from engine.models import ocr

CHOSEN_BEYOND_S = 60.0  # up to this length frames are read every two seconds; beyond it they are chosen
FRAME_PER_S = 12.5
FEWEST_FRAMES, MOST_FRAMES = 48, 400
LONG_S = 600.0  # beyond it memory is wanted: a model that is through is unloaded, and the largest are loaded in turn
WAIT_S = 0.5
SHOTS, BACKGROUND = "shots", "background"  # steps that are no clues, under whose names they stand where clues do
_LOG = logging.getLogger("earwitness")

_STEPS = {SHOTS: "Cutting the picture into shots", BACKGROUND: "Listening for the background of the sound"}


@dataclass
class _Part:
    """What one modality came to."""

    found: dict[str, tuple[Observation, ...]] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    elapsed: dict[str, float] = field(default_factory=dict)
    shots: tuple[Shot, ...] = ()
    ambience: Ambience | None = None


class _Report:
    """A progress callback that remembers what it raised: that stops the work, and is no failure of a clue."""

    def __init__(self, progress: ProgressCallback) -> None:
        self._progress = progress
        self.raised = False

    def __call__(self, step: Progress) -> None:
        try:
            self._progress(step)
        except BaseException:
            self.raised = True
            raise


def perceive(
    source: str | os.PathLike[str] | Reader,
    settings: Settings | None = None,
    progress: ProgressCallback = silent,
    before: Perception | None = None,
) -> Perception:
    """Run every clue's model over a clip, or over the interval chosen: slow, and done once.

    Args:
        source: a path, or a reader that is already open (it stays open).
        settings: track, programme, interval and stride are used; all else only matters to `judge`.
        progress: called with each step, from the thread that called this; raising in it stops the work.
        before: what was perceived of this clip under these settings, in which clues failed: they alone run again.

    Raises:
        MediaError: the file cannot be read, or holds neither sound nor pictures.
        SettingError: the interval lies outside the clip, or there is no such track.
        Exception: nothing but failures came of it; the first of them.
    """
    settings = settings or Settings()
    if isinstance(source, Reader):
        return _perceive(source, settings, progress, before)
    from engine.media import open_clip

    with open_clip(source, progress, settings) as reader:
        perception = _perceive(reader, settings, progress, before)
        reader.verify_unchanged()
        return perception


def frame_budget(length_s: float) -> int:
    """How many frames of an interval the slow models look at."""
    return int(np.clip(length_s / FRAME_PER_S, FEWEST_FRAMES, MOST_FRAMES))


def _perceive(reader: Reader, settings: Settings, progress: ProgressCallback, before: Perception | None = None) -> Perception:
    reader = _of_programme(reader, settings)
    clip = reader.clip
    if not clip.audio_tracks and not clip.video_tracks:
        raise MediaError("The file holds neither sound nor pictures; open a film, a broadcast or a recording.")
    if settings.track is not None and all(s.track != settings.track for s in clip.audio_tracks):
        raise SettingError(f"There is no audio track {settings.track}; the clip has {len(clip.audio_tracks)}, counted from 1.")
    interval = _interval_of(clip.duration_s, settings.interval)
    again = None if before is None else _again(before, settings)
    if before is not None and not again:
        return before
    works: list[tuple[str, Callable[[ProgressCallback], _Part]]] = []
    turn = threading.Lock()
    if clip.audio_tracks:
        apart = _of(again, [c for c in _of_sound(settings) if _thread(c)])
        if apart:
            works.append(("sound", lambda report: _observe(apart, reader, settings, report, turn)))
        if again is None or BACKGROUND in again or _of(again, [c for c in _of_sound(settings) if not _thread(c)]):
            works.append(("background", lambda report: _hear(reader, settings, report, turn, again)))
    if clip.video_tracks and (again is None or _of(again, _of_picture(settings))):
        works.append(("picture", lambda report: _look(reader, settings, interval, report, turn, again)))
    parts = run_in_parallel(works, progress) if works else []
    others = [c for c in _run(settings) if c.modality == Modality.CONTAINER]
    rest = _observe(_of(again, others), reader, settings, progress, turn)
    perception = _together(reader, settings, interval, [*parts, rest], whole=again is None)
    if again is None or "container" in again:
        perception = perception.adding(_claims(reader, progress))
    return perception if before is None or again is None else _renewed(before, perception, again, settings)


def _of_programme(reader: Reader, settings: Settings) -> Reader:
    """The reader of the programme that is chosen; the same one where it is that already."""
    choose: Callable[[str | None, int | None], Reader] | None = getattr(reader, "of_programme", None)
    return reader if choose is None else choose(settings.programme, settings.track)


def _again(before: Perception, settings: Settings) -> frozenset[str]:
    """What is to run again: what failed, and with the shots all that looks at frames chosen by them."""
    pictures = {c.name for c in _of_picture(settings)} if SHOTS in before.failed else set[str]()
    return frozenset(before.failed) | pictures


def _of(again: frozenset[str] | None, clues: list[Clue]) -> list[Clue]:
    """Those of the clues that are to run; all of them when it is the first time."""
    return [c for c in clues if again is None or c.name in again]


def _of_picture(settings: Settings, frames_s: tuple[float, ...] = (), texts_s: tuple[float, ...] = ()) -> list[Clue]:
    return [c for c in _run(settings, frames_s, texts_s) if c.modality == Modality.PICTURE]


def _renewed(before: Perception, now: Perception, again: frozenset[str], settings: Settings) -> Perception:
    """What was perceived before, with what ran again in the place of what failed."""
    place = {c.name: number for number, c in enumerate(registry.clues(settings))}
    kept = tuple(o for o in before.observations if o.clue not in again)
    seen = sorted((*kept, *now.observations), key=lambda o: place.get(o.clue, len(place)))
    authors = {name: {o.author for o in seen if o.clue == name} for name in place if name != "container"}
    counts = {*before.skipped, *now.skipped}
    mute = {n: why for n, why in before.silent.items() if n not in again}
    return replace(
        before,
        clip=now.clip,
        observations=tuple(seen),
        silent=mute | {n: why for n, why in now.silent.items() if n in again},
        models=tuple(dict.fromkeys(a for name in place for a in sorted(authors.get(name, ())))),
        skipped={k: max(before.skipped.get(k, 0), now.skipped.get(k, 0)) for k in counts},
        elapsed_s={**before.elapsed_s, **now.elapsed_s},
        shots=now.shots if SHOTS in again else before.shots,
        ambience=now.ambience if BACKGROUND in again else before.ambience,
        failed=now.failed,
        decoding=now.decoding or before.decoding,
    )


def _of_sound(settings: Settings) -> list[Clue]:
    """The clues that listen."""
    return [c for c in _run(settings) if c.modality == Modality.SOUND]


def _thread(clue: Clue) -> str:
    """The thread of its own in which a clue listens, or "" where it takes its turn with the others."""
    spec = registry.spec(clue.name)
    return spec.thread if spec else ""


def _run(settings: Settings, frames_s: tuple[float, ...] = (), texts_s: tuple[float, ...] = ()) -> list[Clue]:
    """The clues whose models run: all of them, or, to be quick, those that have a vote."""
    every = registry.clues(settings, frames_s, texts_s)
    idle = {s.name for s in registry.SPECS if settings.quick and not s.scored(settings.included)}
    return [c for c in every if c.name not in idle]


def _hear(
    reader: Reader, settings: Settings, progress: ProgressCallback, turn: threading.Lock, again: frozenset[str] | None
) -> _Part:
    from engine.media.ambience import ambience

    part = _observe(_of(again, [c for c in _of_sound(settings) if not _thread(c)]), reader, settings, progress, turn)
    if again is not None and BACKGROUND not in again:
        return part
    report, began = _Report(progress), time.monotonic()
    try:
        part.ambience = ambience(reader, settings.interval, settings.track, report)
    except Exception as error:
        _note(part, BACKGROUND, error, report)
        return part
    part.elapsed[BACKGROUND] = time.monotonic() - began
    return part


def _look(
    reader: Reader,
    settings: Settings,
    interval: Interval,
    progress: ProgressCallback,
    turn: threading.Lock,
    again: frozenset[str] | None,
) -> _Part:
    from engine.media.reader import FileReader
    from engine.media.shots import cut

    report, began = _Report(progress), time.monotonic()
    shots: tuple[Shot, ...] = ()
    uncut = _Part()
    long = interval.length_s > CHOSEN_BEYOND_S and not reader.clip.has_one_picture
    watch = locatability.Watch(scorer=heads.scorer()) if long else None
    if isinstance(reader, FileReader):
        try:
            shots = cut(reader, settings.interval, report, watcher=watch)
        except Exception as error:
            _note(uncut, SHOTS, error, report)
    if interval.length_s > LONG_S:
        ocr.detector.cache_clear()
    frames_s: tuple[float, ...] = ()
    texts_s: tuple[float, ...] = ()
    if watch:
        budget = frame_budget(interval.length_s)
        frames_s = locatability.choose(shots, watch.sights, budget)
        texts_s = locatability.choose(shots, watch.sights, budget, text_alone=True)
    if reader.clip.has_one_picture:
        frames_s = texts_s = ((interval.start_s + interval.end_s) / 2,)  # the same one whenever it is looked at
    del watch  # hours of sights
    took_s = time.monotonic() - began
    part = _observe(_of(again, _of_picture(settings, frames_s, texts_s)), reader, settings, progress, turn)
    part.failures.update(uncut.failures)
    if shots:
        part.elapsed[SHOTS] = took_s
    part.shots = shots
    return part


def _observe(clues: list[Clue], reader: Reader, settings: Settings, progress: ProgressCallback, turn: threading.Lock) -> _Part:
    part, report = _Part(), _Report(progress)
    length_s = settings.interval.length_s if settings.interval else reader.clip.duration_s or 0.0
    for clue in clues:
        try:
            with _frugally(clue.name, turn, report) if length_s > LONG_S else nullcontext():
                began = time.monotonic()
                part.found[clue.name] = clue.observe(reader.clip, reader, settings.interval, report)
                part.elapsed[clue.name] = time.monotonic() - began
        except Exception as error:
            _note(part, clue.name, error, report)
    return part


def _doing(name: str) -> str:
    """What a clue does, within a sentence."""
    doing = _doing_of(name)
    return f"{doing[0].lower()}{doing[1:]}"


def _doing_of(name: str) -> str:
    """What a clue, or a step that is none, does."""
    spec = registry.spec(name)
    return spec.doing if spec else _STEPS.get(name, name)


@contextmanager
def _frugally(name: str, turn: threading.Lock, report: _Report) -> Iterator[None]:
    """Unload a clue's model when it is through. One of the largest waits until no other is at work, and can be stopped."""
    spec = registry.spec(name)
    large = spec is not None and spec.large
    while large and not turn.acquire(timeout=WAIT_S):
        report(Progress(f"{_doing(name)}: waits for its turn"))
    try:
        yield
    finally:
        registry.unload(name)
        memory.give_back()
        if large:
            turn.release()


def _note(part: _Part, name: str, error: Exception, report: _Report) -> None:
    """Take note of a failure; called while it is handled. What stops the work goes on to whoever asked for it."""
    if report.raised or isinstance(error, Cancelled | SettingError):
        raise error
    if not isinstance(error, EarwitnessError | MemoryError):
        # The traceback is for a log, such as the worker's; a terminal gets one line.
        _LOG.error("%s failed: %s: %r", name, type(error).__name__, str(error)[:400], exc_info=_LOG.hasHandlers())
    part.failures[name] = error.with_traceback(None)  # which would hold the arrays that were being worked on


def _why(name: str, error: Exception) -> str:
    """Why something failed, in a sentence or two that end with the remedy."""
    doing = _doing_of(name)
    if isinstance(error, EarwitnessError):
        return f"{doing} failed. {error}"
    if _is_out_of_memory(error):
        return f"{doing} failed: the memory ran out. Close other programs, then examine the clip again."
    kind = type(error).__name__
    return f"{doing} failed: something went wrong inside Earwitness ({kind}), not in the file. Examine the clip again."


def _is_out_of_memory(error: Exception) -> bool:
    """Of Python, of a GPU (torch), or of a library that says so in its own words (ONNX Runtime, C++)."""
    said = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or any(words in said for words in ("out of memory", "bad_alloc", "failed to allocate"))
    )


def _can_be_tried_again(error: Exception) -> bool:
    return isinstance(error, DecoderError) or not isinstance(error, MediaError)


def _together(reader: Reader, settings: Settings, interval: Interval, parts: list[_Part], whole: bool = True) -> Perception:
    found = {name: own for part in parts for name, own in part.found.items()}
    failures = {name: e for part in parts for name, e in part.failures.items()}
    failed = {name: _why(name, e) for name, e in failures.items() if _can_be_tried_again(e)}
    idle = {s.name for s in registry.SPECS if not s.scored(frozenset())}
    mute: dict[str, str] = {}
    observations: list[Observation] = []
    models: list[str] = []
    for clue in registry.clues(settings):
        medium = "sound" if clue.modality == Modality.SOUND else "picture"
        if clue.name in found:
            observations.extend(found[clue.name])
            models.extend(sorted({o.author for o in found[clue.name]}))
        elif settings.quick and clue.name in idle:
            mute[clue.name] = "not run in quick mode"
        elif clue.name in failed:
            mute[clue.name] = f"{_doing(clue.name)} failed; examine the clip again"
        elif isinstance(failures.get(clue.name), TooShortError):
            mute[clue.name] = str(failures[clue.name])
        elif clue.name in failures:
            mute[clue.name] = f"its {medium} cannot be decoded"
        else:
            mute[clue.name] = f"the clip has no {medium}"
    nothing = {"container", *(c.name for c in registry.clues(settings) if c.observe is observe_nothing)}
    if whole and failures and not set(found) - nothing:
        raise next(iter(failures.values()))
    clip, heard = _ended(reader.clip, tuple(observations), interval if settings.interval or reader.clip.duration_s else None)
    return Perception(
        clip=clip,
        interval=interval,
        observations=heard,
        silent=mute,
        models=tuple(dict.fromkeys(models)),
        skipped=dict(reader.skipped),
        elapsed_s={name: s for part in parts for name, s in part.elapsed.items()},
        shots=_shots_within(tuple(s for part in parts for s in part.shots), interval if clip.duration_s else None),
        ambience=next((part.ambience for part in parts if part.ambience is not None), None),
        failed=failed,
        decoding=str(getattr(reader, "protection", "")),
    )


def _ended(clip: Clip, observations: tuple[Observation, ...], within: Interval | None) -> tuple[Clip, tuple[Observation, ...]]:
    """Nothing lasts longer than what was looked at: the one place where observations are given their ends.

    Returns:
        The clip, with a remark where something lies wholly outside and is left out, and the observations.
    """
    if within is None:  # nobody knows where the clip ends
        return clip, observations
    fitted = tuple(o.within(within.start_s, within.end_s) for o in observations)
    lost = fitted.count(None)
    if lost:
        things = "observation lies" if lost == 1 else "observations lie"
        remark = f"{lost:,} {things} outside {within.start_s:g} to {within.end_s:g} s and were ignored."
        clip = replace(clip, problems=(*clip.problems, remark))
    return clip, tuple(o for o in fitted if o is not None)


def _shots_within(shots: tuple[Shot, ...], within: Interval | None) -> tuple[Shot, ...]:
    """Shots that end where the interval does; none that start there, unless there is no other."""
    if within is None:
        return shots
    inside = tuple(s for s in shots if s.start_s < within.end_s) or shots[:1]
    return tuple(replace(s, end_s=within.end_s) if s.start_s < within.end_s < s.end_s else s for s in inside)


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
