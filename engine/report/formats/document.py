"""A Finding as JSON text."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any

import cattrs

from engine.core.custody import Custody
from engine.core.finding import Finding
from engine.report.formats.record import finding_record
from engine.report.view.text import fit


def to_json(finding: Finding, custody: Custody | None = None) -> str:
    """The finding as JSON text, ASCII only, two spaces of indent; the same finding gives the same text."""
    return written(_converter().unstructure(finding_record(finding, custody)))


def written(document: Any) -> str:
    """A document as it is written down: whoever hashes one that was read again needs the very same text."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(unstruct_collection_overrides={tuple: list})
    converter.register_unstructure_hook(str, fit)
    converter.register_unstructure_hook(float, _number)
    return converter


def _number(value: float) -> float | str:
    """Seven digits; infinities as words, since JSON has none. A whole number stays one."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.7g}") if math.isfinite(value) else str(value)
