"""A Finding as CSV: what was perceived, where each modality points, and the analyst's decisions.

RFC 4180 with a header, UTF-8 with a byte order mark, since spreadsheets take it for another encoding without. Every cell that a
spreadsheet would read as a formula is given a leading apostrophe (OWASP, "CSV Injection"); numbers made here are written bare.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from engine.core.edit import Step
from engine.core.finding import Finding
from engine.core.perceived import gather
from engine.media.source import shown
from engine.report.view import edits
from engine.report.view.decision import chosen, decisions
from engine.report.view.text import fit
from engine.report.view.verdict import comparisons

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full width: read as formulas too
_MOST_CELL = 1000

Cell = str | float | int | None


def to_csv(finding: Finding) -> str:
    """A row an observation, in order of time."""
    head = (
        "start_s", "end_s", "clue", "kind", "label", "name", "score", "author", "counts", "left", "top", "right", "bottom",
        "note",
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = [
        (
            o.start_s, o.end_s, o.clue, o.kind, o.label, o.name, o.score, o.author, "no" if p.dropped else "yes",
            *(o.box or (None,) * 4), o.note,
        )
        for p in gather(finding)
        for o in p.observations
    ]  # fmt: skip
    rows.sort(key=lambda r: (r[0], r[1], r[2:5]))
    return written(head, rows)


def places_csv(finding: Finding) -> str:
    """One row per modality with its location, then one per comparison."""
    head = (
        "what", "spoke", "place", "lat_deg", "lon_deg", "radius_km", "mass", "region50_km2", "region90_km2", "region95_km2",
        "region", "gain_nats", "verdict", "support", "log10_factor", "log10_low", "log10_high", "distance_km", "why_not",
        "where", "where_is",
    )  # fmt: skip
    return written(head, [*_places(finding), *_comparisons(finding)])


def edits_csv(finding: Finding) -> str:
    """A row a decision of the analyst, with the factor before and after it; then settings chosen, "before" with the default."""
    head = ("number", "decision", "when", "author", "before", "after", "log10_before", "log10_after", "moved", "judged_sha256")
    steps: Sequence[Step | None] = finding.history or [None for _ in finding.settings.edits]
    rows: list[tuple[Cell, ...]] = [
        (
            shown_.number, shown_.said, shown_.created, edit.author, shown_.before, shown_.after,
            step.log10_before if step else None, step.log10_after if step else None, shown_.moved, shown_.digest,
        )
        for shown_, step, edit in zip(decisions(finding), steps, _edits(finding), strict=True)
    ]  # fmt: skip
    for (said, before, after, moved), c in zip(chosen(finding), finding.choices, strict=True):
        rows.append((None, said, "", "", before, after, c.log10_default, c.log10_chosen, moved, ""))
    return written(head, rows)


def written(head: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    """CSV of a header and rows; texts cannot become formulas."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_cell(c) for c in row] for row in rows)
    return "\ufeff" + fit(out.getvalue())


def harmless(text: str) -> str:
    """A text that no spreadsheet reads as a formula, in one line."""
    plain = shown(text, _MOST_CELL)
    return f"'{plain}" if text.lstrip(" \ufeff").startswith(_FORMULA) or plain.lstrip().startswith(_FORMULA) else plain


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _places(finding: Finding) -> Iterator[tuple[Cell, ...]]:
    for x in finding.located:
        if x.place is None:
            yield (x.modality, "no", *(None,) * 16, x.cannot_tell, None, None)
            continue
        regions = (x.regions_km2.get(share) for share in (0.5, 0.9, 0.95))
        yield (
            x.modality, "yes", x.place.name, x.place.lat_deg, x.place.lon_deg, x.place.radius_km, x.place.mass, *regions,
            x.region, x.gain_nats, *(None,) * 7, x.where, x.where_is,
        )  # fmt: skip


def _comparisons(finding: Finding) -> Iterator[tuple[Cell, ...]]:
    for c in comparisons(finding):
        yield (
            f"{c.a} with {c.b}", *(None,) * 11, c.verdict, c.support, c.log10_factor, c.log10_low, c.log10_high, c.distance_km,
            c.reason or None, None, None,
        )  # fmt: skip


def _edits(finding: Finding) -> list[edits.Edit]:
    return [s.edit for s in finding.history] or list(finding.settings.edits)
