"""The verdict, comparisons and claims of a finding in words, for those findings that carry them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from engine.core.finding import Finding

_TITLES = {
    "same": "Sound and picture come from the same place",
    "different": "Sound and picture come from different places",
    "cannot_tell": "Cannot tell whether sound and picture come from the same place",
}


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict of a finding.

    Attributes:
        verdict: "same", "different" or "cannot_tell".
        title: in the words of the proposition.
        sentence: support and what limits it.
    """

    verdict: str
    title: str
    sentence: str


def comparisons(finding: Finding) -> tuple[Any, ...]:
    """The comparisons between modalities, none when none were made."""
    found = getattr(finding, "comparisons", ()) or ()
    return tuple(found) if isinstance(found, tuple | list) else (found,)


def claims(finding: Finding) -> tuple[Any, ...]:
    """The claims tested, none when none were."""
    found = getattr(finding, "claims", None) or getattr(finding, "claim", None) or ()
    return tuple(found) if isinstance(found, tuple | list) else (found,)


def headline(finding: Finding) -> Headline | None:
    """The verdict on sound against picture, or None when they were not compared."""
    for c in comparisons(finding):
        verdict = str(getattr(c, "verdict", "")).replace(" ", "_").replace("-", "_").lower()
        for known, title in _TITLES.items():
            if verdict.startswith(known):
                return Headline(known, title, str(getattr(c, "sentence", "") or getattr(c, "words", "")))
    return None


def rows(result: Any) -> list[tuple[str, str]]:
    """The plain fields of a frozen result as (name, value) to be tabled; maps over cells and long arrays are left out."""
    if not is_dataclass(result) or isinstance(result, type):
        return [("result", str(result))]
    out = []
    for f in fields(result):
        text = _shown(getattr(result, f.name))
        if text:
            out.append((_label(f.name), text))
    return out


_UNITS = {"km": "km", "km2": "km²", "deg": "°", "s": "s", "nats": "nats"}


def _label(name: str) -> str:
    stem, _, unit = name.rpartition("_")
    if stem and unit in _UNITS:
        name = f"{stem} ({_UNITS[unit]})"
    return name.replace("_", " ").replace("log10", "log₁₀").capitalize()


def _shown(value: Any) -> str:
    if value is None or isinstance(value, np.ndarray):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_shown(v)}" for k, v in value.items() if _shown(v))
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(_shown(v) for v in value)
    if is_dataclass(value):
        return "; ".join(f"{name.lower()} {text}" for name, text in rows(value))
    return str(value)
