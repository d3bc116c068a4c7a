"""The argument behind a finding, in the terminal."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.terminal import Pen, columns, plain
from engine.report.view import words

if TYPE_CHECKING:
    from engine.core.finding import Finding
    from engine.core.rationale import Rationale, Sentence
    from engine.models.qwen import Reasoner

_MARKS = {"measured": "●", "inferred": "→", "unsupported": "?"}


def reasoner_of(args: argparse.Namespace) -> Reasoner | None:
    """The language model asked for; its folder is looked at before the long work begins.

    Raises:
        WeightsError: it is missing, or the adapter is.
    """
    if not args.ask:
        return None
    from engine.models.qwen import SIZES, Reasoner

    size, folder = (args.ask, None) if args.ask in SIZES else ("small", Path(args.ask).expanduser())
    found = Reasoner(size, folder, args.bits, Path(args.adapter).expanduser() if args.adapter else None)
    _ = found.model_id  # raises where something is missing
    return found


def tell(finding: Finding, pen: Pen) -> None:
    """Write the reasoning, by modality; everything that comes from the file is made harmless first."""
    from engine.analysis.rationale.facts import rationale

    argued = finding.rationale or rationale(finding)
    pen.line()
    pen.line(pen.styled("Reasoning", "bold") + pen.styled("  ● measured  → inferred  ? not supported by any observation", "dim"))
    for modality in dict.fromkeys(s.modality for s in argued.sentences):
        pen.line(pen.styled(words.modality(modality), modality))
        for sentence in argued.of(modality):
            _sentence(sentence, pen)
    _candidates(argued, pen)
    who = "rules and a table of cues" if argued.author == "rules" else argued.author
    why = f"; {argued.stands_in}" if argued.stands_in else ""
    _wrapped(f"Reasoning by {who}{why}. The reasoning does not change the result.", "", pen, dim=True)


def _sentence(s: Sentence, pen: Pen) -> None:
    when = f" [{words.span(s.start_s, s.end_s or s.start_s)}]" if s.start_s is not None and s.kind == "measured" else ""
    _wrapped(f"{_MARKS[s.kind]} {s.text}{when}", "  ", pen)
    for other in s.alternatives:
        _wrapped(str(other), "      ", pen, dim=True)
    if s.source:
        _wrapped(f"source: {s.source}", "      ", pen, dim=True)


def _candidates(argued: Rationale, pen: Pen) -> None:
    """Countries with log-odds, as a table for each modality."""
    for modality in dict.fromkeys(c.modality for c in argued.candidates):
        own = [c for c in argued.candidates if c.modality == modality]
        odds = ", ".join(f"{plain(c.name, 40)} {c.log_odds:+.1f} ({c.weight:+.1f})" for c in own)
        head = f"Log-odds from {words.modality(modality).lower()}, with the change due to the evidence, in nats: "
        _wrapped(head + odds, "  ", pen)


def _wrapped(text: str, indent: str, pen: Pen, dim: bool = False) -> None:
    for line in textwrap.wrap(plain(text, 1200), columns() - len(indent)):
        pen.line(indent + (pen.styled(line, "dim") if dim else line))
