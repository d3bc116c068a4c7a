"""What a worker does with one clip, and what it hands to the driver: the same on a pool and on Ray."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.case.jobs.results import Results
from engine.case.record import codec
from engine.case.record.store import Scene, pack
from engine.core.clip import Clip, Reader
from engine.core.comparison import Verdict
from engine.core.errors import EarwitnessError, MediaError
from engine.core.finding import Finding
from engine.core.progress import ProgressCallback, silent
from engine.media.fingerprint import fingerprint


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one clip: its scenes, or the sentence that says why there are none."""

    path: str
    clip: Clip | None
    key: str = ""
    kept: bool = False
    scenes: tuple[Scene, ...] = ()
    problem: str = ""
    marks: str = ""  # of its soundtrack's fingerprint
    failed: tuple[str, ...] = ()  # a sentence for every clue that failed; the rest was judged without it


def examine(path: str, settings: str, results: str) -> Outcome:
    """Examine one clip, scene by scene: the work of a worker, the same on a pool and on Ray.

    Args:
        settings: as `codec.settings_to_json` writes them.
        results: folder of kept results.
    """
    from engine.analysis.judge import judge, scenes
    from engine.media import open_clip

    try:
        wanted = codec.settings_from_json(settings)
        with open_clip(path, settings=wanted) as reader:
            perception, key, kept = Results(Path(results)).perceive(reader, wanted)
            parts = scenes(perception, wanted)
            found = []
            for number, part in enumerate(parts, 1):
                own = wanted.but(interval=part) if len(parts) > 1 else wanted
                found.append(scene_of(judge(perception, own), number))
            failed = tuple(perception.failed.values())
            return Outcome(path, reader.clip, key, kept, tuple(found), marks=marks_of(reader, wanted.track), failed=failed)
    except EarwitnessError as error:
        return Outcome(path, bare(path), problem=str(error))
    except MemoryError:
        return Outcome(path, bare(path), problem="The memory of the machine ran out; use fewer workers.")
    except Exception as error:
        return Outcome(
            path, bare(path), problem=f"Something went wrong inside Earwitness ({type(error).__name__}), not in the file."
        )


def scene_of(finding: Finding, number: int) -> Scene:
    """A finding as it goes into a case."""
    from engine.report import to_json

    c = finding.comparisons[0] if finding.comparisons else None
    return Scene(
        number,
        codec.settings_to_json(finding.settings),
        pack(to_json(finding)),
        str(c.verdict if c else Verdict.CANNOT_TELL),
        c.log10_factor if c else None,
        tuple(finding.provenance.models),
    )


def marks_of(reader: Reader, track: int | None) -> str:
    """The fingerprint of a clip's soundtrack as text, "" when it has none."""
    try:
        return base64.b64encode(fingerprint(reader, track=track).to_bytes()).decode("ascii")
    except MediaError:
        return ""


def bare(path: str, progress: ProgressCallback = silent) -> Clip | None:
    """A clip of which only the bytes are known; None when they cannot be read, or `progress` said to stop.

    Args:
        progress: called while hashing; may raise Cancelled.
    """
    from engine.media.source import Source

    source = Source(path)
    try:
        source.open()
        return Clip(source.path, source.hash(progress), source.size_bytes, "unknown", None)
    except EarwitnessError:
        return None
    finally:
        source.close()


def to_json_text(outcome: Outcome) -> str:
    """An outcome as JSON."""
    return json.dumps(asdict(outcome))


def from_json(text: str) -> Outcome:
    """The outcome of this JSON."""
    facts = json.loads(text)
    clip = facts.pop("clip")
    if clip is not None:
        clip = Clip.of(clip)
    scenes = tuple(Scene(**{**s, "models": tuple(s["models"])}) for s in facts.pop("scenes"))
    return Outcome(clip=clip, scenes=scenes, failed=tuple(facts.pop("failed")), **facts)
