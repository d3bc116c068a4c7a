"""Where a report comes from, when it comes from a case: what an opponent needs to hold it against the case's log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Custody:
    """The case that a finding is kept in.

    Attributes:
        case: its title.
        head: hash of the log's last entry when the report was made; `earwitness verify CASE --head HASH` holds it to the log.
        finding: the finding's id in the case.
        who: whose name the log bears for the report.
    """

    case: str
    head: str
    finding: str
    who: str = ""
