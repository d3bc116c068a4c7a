"""`earwitness locate --case`: one clip kept in a case with every decision of the analyst; reports state the head of its log."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.output import Target
from engine.cli.terminal import plain
from engine.core.custody import Custody
from engine.core.errors import InputError
from engine.core.progress import ProgressCallback
from engine.core.settings import Settings

if TYPE_CHECKING:
    from engine.case.record.decisions import CaseClip, Ruling
    from engine.core.finding import Finding
    from engine.core.perception import Perception
    from engine.media.reader import FileReader

_CHOICES = ("prior", "when", "radius_km", "same_place_km", "claim")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options, as a group of their own."""
    group = parser.add_argument_group("kept in a case", "with every decision and the factor before and after it")
    group.add_argument("--case", metavar="CASE", help="case folder (made if missing) or postgresql://…")
    group.add_argument("--who", default="", metavar="NAME", help="name recorded in the log (default: the system's user)")


def read(args: argparse.Namespace, targets: Sequence[Target]) -> CaseEntry | None:
    """The case asked for; an error in opening it is reported before the long work.

    Raises:
        InputError, DataError: so it is.
    """
    from engine.case.record.store import Case

    if args.case is None:
        if args.who:
            raise InputError("--who is the name recorded in the log of a case; add --case CASE.")
        return None
    if any(target.is_stdout for target in targets):
        raise InputError("A report of a case is recorded in its log with its file; give a file name instead of -.")
    who = args.who or args.author  # one person, unless two are named
    with Case.at(args.case, who=who):
        return CaseEntry(args.case, who)


@dataclass(slots=True)
class CaseEntry:
    """What one run keeps, and in which case."""

    place: str
    who: str
    in_case: CaseClip | None = None
    custody: Custody | None = None
    decided: int = 0

    def keep(self, perception: Perception, finding: Finding, reader: FileReader, progress: ProgressCallback) -> Custody:
        """Keep the clip as first judged, each decision, and the finding as it stands; returns the custody for its reports.

        Args:
            finding: with its history (`attribution.explained`).

        Raises:
            InputError, DataError: the case cannot be written.
        """
        from engine.analysis.judge import judge
        from engine.case.record import decisions

        reader.verify_unchanged(progress)
        found = decisions.first_findings(perception, finding.settings, progress)
        in_case = decisions.add_clip(self.place, found, reader, self.who, progress)
        first = decisions.first_settings(finding.settings)
        about = next((f for f in found if f.settings == first), None) or judge(perception, first)
        rulings = _rulings(perception, finding, about)
        in_case = decisions.decide(in_case, rulings, self.who)
        self.in_case, self.custody = decisions.keep(in_case, finding, self.who)
        self.decided = len(rulings)
        return self.custody

    def log(self, form: str, target: Target, document: str | bytes) -> None:
        """Enter a document that was written into the log."""
        from engine.case.record import decisions

        assert self.in_case is not None and self.custody is not None
        data = document if isinstance(document, bytes) else document.encode("utf-8", "replace")
        self.in_case = decisions.note_written(self.in_case, self.custody, form, Path(target.path), data, self.who)

    def said(self) -> str:
        """What was kept, in a line."""
        assert self.in_case is not None
        many = f"{self.decided} decision{'s' if self.decided != 1 else ''}"
        return plain(f"kept in the case {self.in_case.title} with {many}; head of its log: {self.in_case.head}", limit=400)


def _rulings(perception: Perception, finding: Finding, first: Finding) -> list[Ruling]:
    """The settings chosen, one after another, then the analyst's edits."""
    from engine.analysis.effects import factor
    from engine.analysis.judge import judge
    from engine.case.record.decisions import Ruling
    from engine.report.view import edits

    at, out = first, []
    for name in _CHOICES:
        chosen = getattr(finding.settings, name)
        if chosen != getattr(at.settings, name):
            then = judge(perception, at.settings.but(**{name: chosen}))
            out.append(Ruling(_chosen(name, finding.settings), first, factor(at)[0], factor(then)[0]))
            at = then
    for step in finding.history:
        scores = step.edit.scores
        before, after = (step.log10_before, step.log10_after) if scores else (None, None)
        out.append(Ruling(edits.brief(step.edit), first, before, after, step.edit.note, step.edit.author))
    return out


def _chosen(name: str, s: Settings) -> str:
    if name == "prior":
        return f"prior: {s.prior}"
    if name == "when":
        return f"date: {s.when}" if s.when else "date: any"
    if name == "claim":
        assert s.claim is not None
        when = f", {s.claim.when}" if s.claim.when else ""
        return f"claim: {s.claim.name or f'{s.claim.lat_deg:.4f}, {s.claim.lon_deg:.4f}'}{when}"
    return f"radius of the reported place: {s.radius_km:g} km" if name == "radius_km" else f"same place: {s.same_place_km:g} km"
