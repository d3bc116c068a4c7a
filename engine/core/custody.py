"""Where a report comes from, when it comes from a case: what an opponent needs to hold it against the case's log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """What an analyst decided about a finding, as the case keeps it.

    Attributes:
        when: ISO 8601.
        who: whose name the log bears.
        what, why: in their words.
        log10_before, log10_after: calibrated log10 factor before and after it, or None where there was none.
    """

    when: str
    who: str
    what: str
    why: str
    log10_before: float | None
    log10_after: float | None


@dataclass(frozen=True, slots=True)
class Custody:
    """The case that a finding is kept in.

    Attributes:
        case: its title.
        head: hash of the log's last entry when the report was made; `earwitness verify CASE --head HASH` holds it to the log.
        finding: the finding's id in the case.
        who: whose name the log bears for the report.
        decisions: what was decided about the finding, first to last.
        remarks: in which way the finding, worked out again for the report, differs from the one kept; sentences.
    """

    case: str
    head: str
    finding: str
    who: str = ""
    decisions: tuple[Decision, ...] = ()
    remarks: tuple[str, ...] = ()
