"""What benchmarks perceived, kept on disk by content, so that a second run scores and hears nothing again.

The program's own results (`case.jobs.results`) are keyed by its whole text, and a change of a likelihood makes them old. Here the
key is the file, the clues with their models and weights, and PERCEIVED, which is raised by whoever changes what is perceived.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from engine.analysis.perceive import perceive
from engine.case.jobs.results import write_whole
from engine.case.record import codec
from engine.clues import registry
from engine.core.errors import DataError
from engine.core.paths import cache_dir
from engine.core.perception import Perception
from engine.core.progress import ProgressCallback, silent
from engine.core.settings import Settings
from engine.media import open_clip
from engine.models import catalog

PERCEIVED = "2"


def kept_at(path: Path, make: Callable[[], Perception]) -> Perception:
    """What was perceived and kept at a path, or else is perceived now and kept.

    What failed in a clue, so that another try may go otherwise, is not kept.
    """
    with suppress(OSError, DataError):
        return codec.loads(path.read_bytes())
    perception = make()
    if not perception.failed:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, codec.dumps(perception))
    return perception


def perceive_kept(path: Path, settings: Settings, progress: ProgressCallback = silent) -> Perception:
    """Perceive a clip as the program does, or read what was perceived of it before; errors as for `perceive`."""
    with open_clip(path, progress, settings) as reader:
        kept = cache_dir() / "bench" / f"clip-{_key(reader.clip.sha256, settings)}.npz"
        return replace(kept_at(kept, lambda: perceive(reader, settings, progress)), clip=reader.clip)


def _key(sha256: str, settings: Settings) -> str:
    clues = tuple((c.name, getattr(c, "models", ())) for c in registry.clues(settings))
    weights = tuple((e.id, catalog.weights_state(e)) for e in catalog.CATALOGUE)
    chosen = (settings.track, settings.interval, settings.stride_s, settings.quick, sorted(settings.included))
    return hashlib.sha256(repr((sha256, PERCEIVED, clues, weights, chosen)).encode()).hexdigest()[:32]
