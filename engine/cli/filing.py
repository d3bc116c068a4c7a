"""`earwitness locate --case`: one clip, judged by hand, kept in a case with every decision; reports bear the head of its log."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.output import Target
from engine.cli.terminal import plain
from engine.core.clip import Reader
from engine.core.custody import Custody
from engine.core.errors import InputError
from engine.core.progress import ProgressCallback
from engine.core.settings import Settings

if TYPE_CHECKING:
    from engine.case.record.decisions import Filed, Ruling
    from engine.core.finding import Finding
    from engine.core.perception import Perception

_CHOICES = ("prior", "when", "radius_km", "same_place_km", "claim")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options, as a group of their own."""
    group = parser.add_argument_group("kept in a case", "with every decision and the factor before and after it")
    group.add_argument("--case", metavar="CASE", help="case folder, made when it is not there, or postgresql://…")
    group.add_argument("--who", default="", metavar="NAME", help="whose name the log bears (default: the system's user)")


def read(args: argparse.Namespace, targets: Sequence[Target]) -> Filing | None:
    """The case asked for; that it cannot be opened, or its documents entered, is said before the long work.

    Raises:
        InputError, DataError: so it is.
    """
    from engine.case.record.store import Case

    if args.case is None:
        if args.who:
            raise InputError("--who says whose name the log of a case bears; add --case CASE.")
        return None
    if any(target.is_stdout for target in targets):
        raise InputError("A report of a case is entered into its log with its file; give a file name instead of -.")
    who = args.who or args.author  # one person, unless two are named
    with Case.at(args.case, who=who):
        return Filing(args.case, who)


@dataclass(slots=True)
class Filing:
    """What one run keeps, and in which case."""

    place: str
    who: str
    filed: Filed | None = None
    custody: Custody | None = None
    decided: int = 0

    def keep(self, perception: Perception, finding: Finding, reader: Reader, progress: ProgressCallback) -> Custody:
        """Keep the clip as first judged, each decision, and the finding as it stands; returns what its reports are to bear.

        Args:
            finding: with its history (`attribution.explained`).

        Raises:
            InputError, DataError: the case cannot be written.
        """
        from engine.analysis.judge import judge
        from engine.case.record import decisions as filing

        reader.verify_unchanged(progress)
        found = filing.first_findings(perception, finding.settings, progress)
        filed = filing.file(self.place, found, reader, self.who, progress)
        first = filing.first_settings(finding.settings)
        about = next((f for f in found if f.settings == first), None) or judge(perception, first)
        rulings = _rulings(perception, finding, about)
        filed = filing.decide(filed, rulings, self.who)
        self.filed, self.custody = filing.keep(filed, finding, self.who)
        self.decided = len(rulings)
        return self.custody

    def log(self, form: str, target: Target, document: str | bytes) -> None:
        """Enter a document that was written into the log."""
        from engine.case.record import decisions as filing

        assert self.filed is not None and self.custody is not None
        data = document if isinstance(document, bytes) else document.encode("utf-8", "replace")
        self.filed = filing.note_written(self.filed, self.custody, form, Path(target.path), data, self.who)

    def said(self) -> str:
        """What was kept, in a line."""
        assert self.filed is not None
        many = f"{self.decided} decision{'s' if self.decided != 1 else ''}"
        return plain(f"kept in the case {self.filed.title} with {many}; head of its log: {self.filed.head}", limit=400)


def _rulings(perception: Perception, finding: Finding, first: Finding) -> list[Ruling]:
    """What was chosen, one thing after another, then what was done by hand."""
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
    return f"radius of the place reported: {s.radius_km:g} km" if name == "radius_km" else f"same place: {s.same_place_km:g} km"
