"""The fingerprint of a finding's numbers, by which report, page and JSON are held to one another."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from engine.core.finding import Finding
from engine.report.formats.document import to_json, written


def digest(finding: Finding) -> str:
    """sha256 of the finding as JSON without a case: the same in every document of it, whichever case it was handed out from."""
    return hashlib.sha256(to_json(finding).encode()).hexdigest()


def digest_of(text: str) -> str:
    """The same of a finding.json, which may name a case.

    Raises:
        ValueError: it is no JSON object.
    """
    document: Any = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("no object")
    document["custody"] = None
    return hashlib.sha256(written(document).encode()).hexdigest()
