"""An argument by a local language model: given the facts and a few frames, and believed no further than the facts go.

What it says is shown beside what was measured. Its odds are never multiplied into anything, its claims are checked (`answer`),
and where it gives nothing usable the rules speak instead and say why. Its pooled state is the "geographically rich embedding".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.analysis.rationale import answer, prompt, rules
from engine.core.errors import DataError, WeightsError
from engine.core.finding import Finding
from engine.core.progress import ProgressCallback, silent
from engine.core.rationale import MEASURED, Fact, Rationale
from engine.models import qwen
from engine.models.qwen import Reasoner

MOST_FRAMES = 4


def why_silent(folder: Path | None = None) -> str:
    """Why no language model speaks, a clause; "" when one is installed."""
    for size in qwen.SIZES:
        try:
            qwen.folder_of(size, folder)
        except WeightsError:
            continue
        return ""
    return "no language model is installed"


def language_models() -> tuple[str, ...]:
    """Sizes of language models that are installed."""
    found = []
    for size in qwen.SIZES:
        try:
            qwen.folder_of(size)
        except WeightsError:
            continue
        found.append(size)
    return tuple(found)


def argue(
    finding: Finding,
    facts: Sequence[Fact],
    frames: Sequence[NDArray[np.uint8]],
    reasoner: Reasoner,
    progress: ProgressCallback = silent,
) -> Rationale:
    """Ask a model for its opinion.

    Args:
        facts: what was perceived; the model sees these and the frames, nothing else.
        frames: (h, w, 3) uint8, with texts that talk to a model covered (`prompt.covered`); at most MOST_FRAMES are shown.

    Returns:
        What was measured, then the model's sentences, checked; by the rules alone where its answer was refused.

    Raises:
        WeightsError: the model is missing or cannot be loaded.
    """
    by_rules = rules.argue(finding, facts)
    if not facts:
        return by_rules
    said = reasoner.answer(prompt.SYSTEM, prompt.user(facts), frames[:MOST_FRAMES], prompt.SCHEMA, progress=progress)
    try:
        sentences, candidates = answer.read(said.text, facts, finding)
    except DataError as error:
        refused = f"{reasoner.model_id} was asked and its answer refused: {error}".rstrip(".")
        return Rationale(by_rules.sentences, by_rules.candidates, rules.AUTHOR, refused, said.pooled)
    measured = tuple(s for s in by_rules.sentences if s.kind == MEASURED)
    return Rationale(measured + sentences, candidates, reasoner.model_id, "", said.pooled)
