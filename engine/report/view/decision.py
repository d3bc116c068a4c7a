"""The analyst's decisions and what each piece of evidence does, ready to be shown as tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.core.custody import Decision
from engine.core.edit import Choice, Effect, Step
from engine.core.finding import Finding
from engine.media.source import shown
from engine.report.view import edits, words

_MOST_ROWS = 60
_AT_BOUND = "; both at the bound, so that changes beyond it do not show"


@dataclass(frozen=True, slots=True)
class EditRow:
    """One edit and what it did, for a table."""

    number: int
    said: str
    created: str
    before: str
    after: str
    moved: str
    digest: str


@dataclass(frozen=True, slots=True)
class EffectRow:
    """What one clue or observation does, for a table with bars: percent of the largest, to the left or right."""

    title: str
    is_clue: bool
    modality: str
    change: str
    left: float
    right: float
    moved: str
    remark: str


def decisions(finding: Finding) -> tuple[EditRow, ...]:
    steps = finding.history or tuple(Step(e, None, None) for e in finding.settings.edits)
    return tuple(_edit(number, s) for number, s in enumerate(steps, 1))


def _edit(number: int, s: Step) -> EditRow:
    counted = s.edit.scores
    before = _factor(s.log10_before, s.words_before if counted else "")
    after = _factor(s.log10_after, s.words_after if counted else "")
    after += _AT_BOUND if s.bounded and counted else ""
    moved = _moved(s.moved_km) if counted else "–"
    return EditRow(number, edits.said(s.edit), _when(s.edit.created), before, after, moved, s.edit.digest)


def _factor(log10: float | None, said: str) -> str:
    """A factor with the verdict's words; a dash where nothing was judged."""
    return f"{edits.factor(log10)} {said}".strip() if said else "–"


def _moved(moved_km: tuple[tuple[str, float], ...]) -> str:
    return "; ".join(f"{name} {words.km(km)}" for name, km in moved_km if km >= 1.0) or "–"


def chosen(finding: Finding) -> tuple[tuple[str, str, str, str], ...]:
    """Settings chosen: what, the result with the default in its place, the result as it is, places moved."""
    return tuple(_chosen(c) for c in finding.choices)


def _chosen(c: Choice) -> tuple[str, str, str, str]:
    default, held = _factor(c.log10_default, c.words_default), _factor(c.log10_chosen, c.words_chosen)
    held += _AT_BOUND if c.bounded else ""
    return shown(edits.setting(c), 300), default, held, _moved(c.moved_km)


def decided(d: Decision) -> tuple[str, ...]:
    """A decision that a case keeps: what, why, who, when, the factor before and after it."""
    factors = (edits.factor(d.log10_before), edits.factor(d.log10_after))
    return (shown(d.what, 200), shown(d.why, 400), shown(d.who, 80), _when(d.when), *factors)


def first(finding: Finding) -> tuple[tuple[str, str], ...]:
    """Where each modality pointed before any edit."""
    return tuple(
        (words.modality(x.modality), shown(f"{x.where}; {words.point(x.where_is)} {x.place.name}" if x.place else
                                           x.cannot_tell or "", 300))
        for x in finding.before
    )  # fmt: skip


def effects(finding: Finding) -> tuple[EffectRow, ...]:
    most = max((abs(e.log10_change) for e in finding.effects if e.log10_change is not None), default=0.0) or 1.0
    return tuple(_effect_row(e, most) for e in finding.effects[:_MOST_ROWS])


def _effect_row(e: Effect, most: float) -> EffectRow:
    change = e.log10_change or 0.0
    moved = words.km(e.moved_km) if e.moved_km >= 1.0 else "–"
    return EffectRow(
        title=shown(e.title, 120),
        is_clue=not e.key,
        modality=e.modality,
        change="–" if e.log10_change is None else edits.factor(e.log10_change),
        left=min(100.0, 100.0 * max(0.0, -change) / most),
        right=min(100.0, 100.0 * max(0.0, change) / most),
        moved=moved,
        remark=f"without it, the {e.modality} gives no location" if e.alone else "",
    )


def _when(created: str) -> str:
    """A time as people write it, to the second: 2026-11-21 14:41:07 UTC."""
    return shown(re.sub(r"\.\d+", "", created).replace("T", " ").replace("+00:00", " UTC"), 40)
