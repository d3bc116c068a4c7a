"""Weights that come inside an installed package, found without importing it, and checked by their hash."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from engine.core.card import Card
from engine.core.errors import WeightsError


def packaged(card: Card, package: str, inside: str, what: str, remedy: str) -> Path:
    """The file at this path inside a package.

    Args:
        card: its sha256 is the one expected.
        what: whose file it is, as errors name it ("The voice detector's file").
        remedy: how errors end.

    Raises:
        WeightsError: package or file is missing, or its content is not the one expected.
    """
    spec = importlib.util.find_spec(package)
    file = Path(spec.origin).parent / inside if spec and spec.origin else None
    if file is None or not file.is_file():
        raise WeightsError(f"{what} {Path(inside).name} is missing; {remedy}")
    with file.open("rb") as f:
        if hashlib.file_digest(f, "sha256").hexdigest() != card.sha256:
            raise WeightsError(f"{what} {file.name} is not the one expected; {remedy}")
    return file
